"""Privacy before storage: columns about persons that no mapping knows are found before a byte is kept.

Belongs here: recognising such columns by heading and by content. Does not belong here: what happens to the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb

from resources import reading
from resources.errors import KetenError
from resources.reading.cells import LIST_MARK, name

if TYPE_CHECKING:
    from pathlib import Path

    from resources.catalogue import Mapping
    from resources.reading.cells import FileFacts

_HEADING = re.compile(
    r"(^|[^a-z])(bsn|burgerservicenummer|sofinummer|achternaam|voornaam|voorletters|roepnaam|medewerker(naam)?|werknemer(naam)?"
    r"|geboortedatum|geboren|geb\.? ?datum|e-?mail(adres)?|first ?name|last ?name|surname|employee( ?name)?|birth ?date"
    r"|date of birth|(responsible|contact|accountable) ?person|contactpersoon|naam|name)([^a-z]|$)",
    re.IGNORECASE,
)
# Names that are never those of a person. The name of a supplier may be, as many trade under their own.
_THING = re.compile(
    r"\b(article|body|building|category|city|company|container|country|department|employer|facility|file|item|location|material|meter"
    r"|organi[sz]ation|product|project|property|region|sheet|site|station|street|town|unit) ?name\b"
    r"|\bnaam (van )?(de |het )?(afdeling|artikel|bedrijf|bestand|gebouw|gemeente|instelling|locatie|organisatie|product|straat)\b",
    re.IGNORECASE,
)
_NINE = "[0-9]{9}"
_EMAIL = r"[^@\s;,]+@[^@\s;,]+\.[a-z]{2,}"
_NINE_DIGITS, _ADDRESS = 1, 2
_COLUMNS_AT_ONCE = 100


def personal_columns(path: Path, mapping: Mapping) -> list[str]:
    """Headings of unmapped columns that name persons, or whose cells are e-mail addresses or citizen numbers (BSN).

    A BSN has nine digits and passes the weighted eleven test (9, 8 … 2, -1). One number in eleven passes by chance, so a
    column counts only when more than half of its nine-digit cells pass. Columns the sender's mapping uses are known.
    Every sheet of a workbook counts, and what stands around the records of a JSON or XML file: all of it would be kept. Raises
    KetenError when the file cannot be read.
    """
    known = {h for column in mapping.columns.values() for h in (*column.headings(), *column.beside)}
    found: list[str] = []
    try:
        for facts in reading.tables_in(path, mapping):
            place = f"{facts.place}: " if facts.place else ""
            found += [f"{place}{h}" for h in _suspect(path, mapping, facts, known)]
    except KetenError:
        if not found:
            raise
    return found


def _suspect(path: Path, mapping: Mapping, facts: FileFacts, known: set[str]) -> list[str]:
    columns = set(facts.columns)
    unknown = [h for h in facts.headings if h not in known and h not in facts.things]
    named = {h for h in unknown if h in facts.personal or (h in columns and _HEADING.search(_spelt(h)))}
    held = _by_content(path, mapping, facts, [h for h in unknown if h not in named])
    return [h for h in facts.headings if h in named or h in held]


def _spelt(heading: str) -> str:
    """A heading as separate words, without the names of things: `FirstName` is `First Name`, `body_name` is nothing."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading.replace("_", " "))
    return _THING.sub("", words)


def _by_content(path: Path, mapping: Mapping, facts: FileFacts, headings: list[str]) -> list[str]:
    if not headings:
        return []
    with duckdb.connect(":memory:") as connection:
        try:
            cells = reading.cells_of(connection, path, mapping, facts, lenient=True)
            asked = partial(_asked, connection, cells, facts.kind in ("json", "jsonl", "xml"))
            kinds = asked(_kind, headings)
            passed = asked(_passes, [h for h, kind in kinds.items() if kind == _NINE_DIGITS])
        except (KetenError, duckdb.Error):
            return []  # what nobody can read; it is landed and rejected with its reason
    return [h for h, kind in kinds.items() if kind == _ADDRESS or passed.get(h)]


def _asked(
    connection: duckdb.DuckDBPyConnection, cells: str, lists: bool, test: Callable[[str], str], headings: list[str]
) -> dict[str, Any]:
    """The outcome of a test by column; with `lists`, on every item of a cell.

    Time to plan a statement grows with the square of its columns, so they are asked some at a time.
    """
    found: dict[str, Any] = {}
    for part in (headings[i : i + _COLUMNS_AT_ONCE] for i in range(0, len(headings), _COLUMNS_AT_ONCE)):
        tests = ", ".join(test(f"trim({name(heading)})") for heading in part)
        items = ", ".join(f"unnest(string_split({name(h)}, '{LIST_MARK}')) as {name(h)}" for h in part)
        looked = f"(select {items} from {cells})" if lists else cells
        row = connection.execute(f"select {tests} from {looked}").fetchone()
        found |= dict(zip(part, row or (), strict=True))
    return found


def _kind(cell: str) -> str:
    """SQL of what a column holds, cheap enough for every column."""
    return (
        f"max(case when regexp_full_match(lower({cell}), '{_EMAIL}') then {_ADDRESS}"
        f" when regexp_full_match({cell}, '{_NINE}') then {_NINE_DIGITS} else 0 end)"
    )


def _passes(cell: str) -> str:
    """SQL of whether more than half of the nine-digit cells of a column pass as citizen numbers."""
    weighted = " + ".join(f"substr({cell}, {i + 1}, 1)::int * {w}" for i, w in enumerate((9, 8, 7, 6, 5, 4, 3, 2, -1)))
    nine = f"regexp_full_match({cell}, '{_NINE}')"
    passes = f"case when {nine} and {cell} <> '000000000' then ({weighted}) % 11 = 0 else false end"
    return f"2 * count(*) filter ({passes}) > count(*) filter ({nine})"
