"""Privacy before storage: columns about persons that no mapping knows are found before a byte is kept.

Belongs here: recognising such columns by heading and by content. Does not belong here: what happens to the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from resources import reading
from resources.cells import LIST_MARK, name
from resources.errors import KetenError

if TYPE_CHECKING:
    from pathlib import Path

    from resources.catalogue import Mapping
    from resources.cells import FileFacts

_HEADING = re.compile(
    r"(^|[^a-z])(bsn|burgerservicenummer|sofinummer|achternaam|voornaam|voorletters|roepnaam|medewerker(naam)?|werknemer(naam)?"
    r"|geboortedatum|geboren|geb\.? ?datum|e-?mail(adres)?|first ?name|last ?name|surname|employee( ?name)?|birth ?date"
    r"|date of birth|naam|name)([^a-z]|$)",
    re.IGNORECASE,
)
_EMAIL = r"[^@\s;,]+@[^@\s;,]+\.[a-z]{2,}"


def personal_columns(path: Path, mapping: Mapping) -> list[str]:
    """Headings of unmapped columns that name persons, or whose cells are e-mail addresses or citizen numbers (BSN).

    A BSN has nine digits and passes the weighted eleven test (9, 8 … 2, -1). One number in eleven passes by chance, so a
    column counts only when more than half of its nine-digit cells pass. Columns the sender's mapping uses are known.
    Every sheet of a workbook counts, and what stands around the records of a JSON file: all of it would be kept.
    """
    known = {h for column in mapping.columns.values() for h in column.headings()}
    found = []
    for facts in reading.tables_in(path, mapping):
        unknown = [h for h in facts.headings if h not in known]
        suspect = [h for h in unknown if h in facts.columns and _HEADING.search(h.replace("_", " "))]
        rest = [h for h in unknown if h not in suspect]
        if rest:
            suspect += _by_content(path, mapping, facts, rest)
        place = f"{facts.place}: " if facts.place else ""
        found += [f"{place}{h}" for h in facts.headings if h in suspect]
    return found


def _by_content(path: Path, mapping: Mapping, facts: FileFacts, headings: list[str]) -> list[str]:
    tests = []
    for heading in headings:
        cell = f"trim({name(heading)})"
        weighted = " + ".join(
            f"substr({cell}, {i + 1}, 1)::int * {w}" for i, w in enumerate((9, 8, 7, 6, 5, 4, 3, 2, -1))
        )
        nine = f"regexp_full_match({cell}, '[0-9]{{9}}')"
        passes = f"case when {nine} and {cell} <> '000000000' then ({weighted}) % 11 = 0 else false end"
        tests.append(
            f"count(*) filter ({nine}) > 0 and 2 * count(*) filter ({passes}) > count(*) filter ({nine})"
            f" or count(*) filter (regexp_full_match(lower({cell}), '{_EMAIL}')) > 0"
        )
    with duckdb.connect(":memory:") as connection:
        try:
            cells = reading.cells_of(connection, path, mapping, facts, lenient=True)
            if facts.kind in ("json", "jsonl"):
                items = (f"unnest(string_split({name(h)}, '{LIST_MARK}')) as {name(h)}" for h in headings)
                cells = f"(select {', '.join(items)} from {cells})"
            row = connection.execute(f"select {', '.join(tests)} from {cells}").fetchone()
        except (KetenError, duckdb.Error):
            return []  # what nobody can read; it is landed and rejected with its reason
    return [h for h, hit in zip(headings, row or (), strict=True) if hit]
