"""Privacy before storage: columns about persons that no mapping knows are found before a byte is kept.

Belongs here: recognising such columns by heading and by content. Does not belong here: what happens to the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from resources import reading

if TYPE_CHECKING:
    from pathlib import Path

    from resources.catalogue import Mapping

_HEADING = re.compile(
    r"(^|[^a-z])(bsn|burgerservicenummer|sofinummer|achternaam|voornaam|voorletters|roepnaam|medewerker(naam)?|werknemer(naam)?"
    r"|geboortedatum|geboren|geb\.? ?datum|e-?mail(adres)?|first ?name|last ?name|surname|employee( ?name)?|birth ?date"
    r"|date of birth|(responsible|contact|accountable) ?person|contactpersoon|naam|name)([^a-z]|$)",
    re.IGNORECASE,
)
# Names that are never those of a person. The name of a supplier may be, as many trade under their own.
_THING = re.compile(
    r"\b(article|body|building|category|city|company|container|country|department|employer|file|item|location|material|meter"
    r"|organi[sz]ation|product|project|region|sheet|site|station|street|town|unit) ?name\b"
    r"|\bnaam (van )?(de |het )?(afdeling|artikel|bedrijf|bestand|gebouw|gemeente|instelling|locatie|organisatie|product|straat)\b",
    re.IGNORECASE,
)
_EMAIL = r"[^@\s;,]+@[^@\s;,]+\.[a-z]{2,}"


def personal_columns(path: Path, mapping: Mapping) -> list[str]:
    """Headings of unmapped columns that name persons, or whose cells are e-mail addresses or citizen numbers (BSN).

    A BSN has nine digits and passes the weighted eleven test (9, 8 … 2, -1). One number in eleven passes by chance, so a
    column counts only when more than half of its nine-digit cells pass. Columns the sender's mapping uses are known.
    """
    headings = reading.headings_of(path, mapping)
    known = {h for column in mapping.columns.values() for h in column.headings()}
    unknown = [h for h in headings if h not in known]
    suspect = [h for h in unknown if _HEADING.search(_spelt(h))]
    rest = [h for h in unknown if h not in suspect]
    if rest:
        suspect += _by_content(path, mapping, rest)
    return [h for h in headings if h in suspect]


def _spelt(heading: str) -> str:
    """A heading as separate words, without the names of things: `FirstName` is `First Name`, `body_name` is nothing."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading.replace("_", " "))
    return _THING.sub("", words)


def _by_content(path: Path, mapping: Mapping, headings: list[str]) -> list[str]:
    tests = []
    for heading in headings:
        cell = f"trim({reading.name(heading)})"
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
        cells = reading.cells_of(connection, path, mapping, reading.inspect_file(path, mapping))
        row = connection.execute(f"select {', '.join(tests)} from {cells}").fetchone()
    return [h for h, hit in zip(headings, row or (), strict=True) if hit]
