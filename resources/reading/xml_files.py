"""Reading the records of an XML file as text cells with the place of every record, however large the file is.

Belongs here: which way a mapping asks for, gathering records in pieces, and reading again what is too large to keep.
Does not belong here: safe parsing (xml_events), records by path (xml_records), standards (xml_xaf,
xml_ubl, xml_espi), what a cell means (judging).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from resources.errors import KetenError
from resources.reading import xml_espi, xml_ubl, xml_xaf
from resources.reading.cells import CELL, FileFacts, one_table
from resources.reading.xml_events import XmlFile
from resources.reading.xml_records import Records, Row

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.catalogue import Mapping

MAX_HEADINGS = 2_000
KEPT_BYTES = 32 * 1024**2
ROWS_AT_ONCE = 10_000
PROFILES: dict[str, ModuleType] = {"xaf": xml_xaf, "ubl": xml_ubl, "espi": xml_espi}


class Profile(Protocol):
    """A standard whose files give their rows in one pass, under headings that are known beforehand."""

    headings: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """One pass over the file. Raises KetenError, at the latest at its end, when it cannot be trusted."""


_READERS: dict[str, Callable[[XmlFile], Profile]] = {
    "xaf": xml_xaf.AuditFile,
    "ubl": xml_ubl.Invoices,
    "espi": xml_espi.Feed,
}


def file_of(path: Path, mapping: Mapping) -> XmlFile:
    """A file as a mapping says that it should be opened."""
    form = mapping.format
    return XmlFile(path, form.encoding if "encoding" in form.model_fields_set else None, form.member)


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """What a mapping can find in a file, which a profile knows without opening it.

    Raises KetenError for what is not whole XML, or holds no records where the mapping says; with a profile the rows do so.
    """
    form = mapping.format
    if form.profile:
        source = _READERS[form.profile](file_of(path, mapping))
        return FileFacts(source.headings, 0, 0, "xml", pieces=lambda: _pieces(source.rows(), source.headings))
    if not form.records:
        raise KetenError("the mapping does not say which element is a record; write `format: {records: Invoice/Line}`")
    return _scan_records(Records(file_of(path, mapping), form.records))


def _scan_records(source: Records) -> FileFacts:
    """One pass for the headings. Its rows are kept if they are few, or else read again."""
    headings: dict[str, None] = {}
    found: list[pa.Table] = []
    count = size = 0
    rows = source.rows()
    while part := list(islice(rows, ROWS_AT_ONCE)):
        headings |= dict.fromkeys(chain.from_iterable(part))
        if len(headings) > MAX_HEADINGS:
            raise KetenError(f"its records have more than {MAX_HEADINGS} different headings; are names values?")
        if size <= KEPT_BYTES:
            found += _pieces(iter(part), tuple(headings), count)
            size += found[-1].nbytes
        else:
            found.clear()
        count += len(part)
    told = tuple(headings)
    facts = FileFacts(told, 0, count, "xml", several=frozenset(source.several), late=frozenset(source.late))
    if size <= KEPT_BYTES:
        return replace(facts, table=one_table(found))
    return replace(facts, pieces=lambda: _pieces(source.rows(), told))


def _pieces(rows: Iterator[Row], headings: Sequence[str], before: int = 0) -> Iterator[pa.Table]:
    """Rows as tables that all have the same headings; at least one, so that there is something to tell their types."""
    import pyarrow as pa

    shape = pa.struct([(heading, pa.string()) for heading in headings])
    names = ["row_no", *(CELL + heading for heading in headings)]
    part = list(islice(rows, ROWS_AT_ONCE))
    while True:
        numbers = pa.array(range(before + 1, before + len(part) + 1), pa.int64())
        yield pa.table([numbers, *pa.array(part, shape).flatten()], names)
        before += len(part)
        part = list(islice(rows, ROWS_AT_ONCE))
        if not part:
            return
