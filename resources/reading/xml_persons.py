"""What an XML file holds that may concern persons: every element of it, whether a mapping reads it or not.

Belongs here: one pass over all texts of a file, under headings that the rules of privacy can judge. Does not belong here:
those rules (privacy), the records (xml_records, the profiles).

All of a file is kept when it is landed, so all of it is looked at. Only texts that may be an e-mail address or a citizen
number are remembered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading.cells import FileFacts, table_piece
from resources.reading.xml_events import XmlFile, bare, events, let_go, local, texts
from resources.reading.xml_files import MAX_HEADINGS, PROFILES, file_of
from resources.reading.xml_records import inner

if TYPE_CHECKING:
    from resources.catalogue import Mapping

_BSN_DIGITS = 9
_MOST_TEXTS = 10_000


def tables_in(path: Path, mapping: Mapping) -> Iterator[FileFacts]:
    """All that a file holds beside what the mapping reads, as one table of the texts that may concern persons.

    Headings within a record are those of the mapping; elsewhere they are the path from the root. With a profile they are
    an element and the one it stands in.
    """
    form = mapping.format
    wanted = {h for column in mapping.columns.values() for h in (*column.headings(), *column.beside)}
    things: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    if form.profile:
        profile = PROFILES[form.profile]
        wanted = {e for h in wanted for e in profile.READ_FROM.get(h, (h,))}
        things, persons = profile.ORGANISATIONS, profile.PERSONS
        found = _in_elements(file_of(path, mapping))
    else:
        found = _in_paths(file_of(path, mapping), (form.records or "").split("/"))
        plain = tuple(h.replace("/", ".") for h in wanted if "/" in h)
        wanted |= {h for h in found if f".{h}".endswith(tuple(f".{p}" for p in plain))}
    headings = tuple(h for h in found if h not in wanted)
    most = max((len(found[h]) for h in headings), default=0)
    columns = {h: [*found[h], *[None] * (most - len(found[h]))] for h in headings}
    table = table_piece(range(1, most + 1), columns)
    yield FileFacts(headings, 0, most, "xml", table, personal=persons, things=things)


def _in_elements(file: XmlFile) -> dict[str, dict[str, None]]:
    """Texts by element and the one it stands in."""
    found: dict[str, dict[str, None]] = {}
    for _, element in events(file, kinds=("end",)):
        name = local(element)
        if text := texts(element):
            parent = element.getparent()
            _add(found, f"{local(parent)}.{name}" if parent is not None else name, text)
        if element.attrib:
            for attribute, value in element.attrib.items():
                _add(found, f"{name}@{bare(str(attribute))}", str(value))
        let_go(element)
    return found


def _in_paths(file: XmlFile, record: list[str]) -> dict[str, dict[str, None]]:
    """Texts by path, from the record on or else from the root."""
    found: dict[str, dict[str, None]] = {}
    names: list[str] = []
    within = 0
    for kind, element in events(file):
        if kind == "start":
            names.append(local(element))
            if not within and names[-len(record) :] == record:
                within = len(names)
            heading = ".".join(names[within:])
            for attribute, value in element.attrib.items():
                _add(found, inner(heading, f"@{bare(str(attribute))}"), str(value))
            continue
        if text := texts(element):
            _add(found, ".".join(names[within:]) or ".", text)
        names.pop()
        if len(names) < within:
            within = 0
        let_go(element)
    return found


def _add(found: dict[str, dict[str, None]], heading: str, text: str) -> None:
    """Note that a heading has a text, and the text where it may concern a person."""
    known = found.get(heading)
    if known is None:
        known = found[heading] = {}
        if len(found) > MAX_HEADINGS:
            raise KetenError(f"it has more than {MAX_HEADINGS} different headings; are names values?")
    if ("@" in text or (len(text) == _BSN_DIGITS and text.isdecimal())) and len(known) < _MOST_TEXTS:
        known[text] = None
