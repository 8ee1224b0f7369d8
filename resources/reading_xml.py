"""Reading the records of an XML file as text cells with the place of every record, however large the file is.

Belongs here: which way a mapping asks for, gathering records in pieces, and reading again what is too large to keep.
Does not belong here: safe parsing (reading_xml_events), records by path (reading_xml_records), standards (reading_xml_xaf,
reading_xml_ubl, reading_xml_espi), what a cell means (judging).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from resources import reading_xml_espi, reading_xml_ubl, reading_xml_xaf
from resources.cells import PIECE_ROWS, FileFacts, StreamedTable, one_table, table_piece
from resources.errors import KetenError
from resources.reading_xml_records import Records, Row

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.catalogue import Mapping

MAX_HEADINGS = 2_000
KEPT_BYTES = 32 * 1024**2
PROFILES: dict[str, ModuleType] = {"xaf": reading_xml_xaf, "ubl": reading_xml_ubl, "espi": reading_xml_espi}


class Source(Protocol):
    """Something that gives the rows of a file in one pass, and after it what there is to know about them.

    `headings` are known beforehand or None. Rows of an `incomplete` pass lack what came after them; another has it.
    """

    headings: tuple[str, ...] | None
    incomplete: bool
    several: set[str]
    late: set[str]

    def rows(self) -> Iterator[Row]:
        """One pass over the file."""


_READERS: dict[str, Callable[[Path, str | None], Source]] = {
    "xaf": reading_xml_xaf.AuditFile,
    "ubl": reading_xml_ubl.Invoices,
    "espi": reading_xml_espi.Feed,
}


def encoding_of(mapping: Mapping) -> str | None:
    """The encoding that a mapping states, where the file states another or none."""
    return mapping.format.encoding if "encoding" in mapping.format.model_fields_set else None


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """Read the records of the mapping. Raises KetenError for what is not whole XML, or holds no records there."""
    source = _source(path, mapping)
    headings: dict[str, None] = dict.fromkeys(source.headings or ())
    found: list[pa.Table] | None = []
    count = size = 0
    rows = source.rows()
    while part := list(islice(rows, PIECE_ROWS)):
        count += len(part)
        if source.headings is None:
            headings |= dict.fromkeys(chain.from_iterable(part))
            if len(headings) > MAX_HEADINGS:
                raise KetenError(f"its records have more than {MAX_HEADINGS} different headings; are names values?")
        if found is not None:
            found += _pieces(iter(part), tuple(headings), count - len(part))
            size += found[-1].nbytes
            found = found if size <= KEPT_BYTES else None
    if not count:
        raise KetenError("it holds no records")
    table: pa.Table | StreamedTable
    if found is not None and not source.incomplete:
        table = one_table(found)
    else:
        table = StreamedTable(tuple(headings), count, lambda: _pieces(source.rows(), tuple(headings)))
    return FileFacts(
        tuple(headings), 0, count, "xml", table, several=frozenset(source.several), late=frozenset(source.late)
    )


def _source(path: Path, mapping: Mapping) -> Source:
    form = mapping.format
    if form.profile:
        return _READERS[form.profile](path, encoding_of(mapping))
    if not form.records:
        raise KetenError("the mapping does not say which element is a record; write `format: {records: Invoice/Line}`")
    return Records(path, encoding_of(mapping), form.records)


def _pieces(rows: Iterator[Row], headings: Sequence[str], before: int = 0) -> Iterator[pa.Table]:
    while part := list(islice(rows, PIECE_ROWS)):
        columns = {heading: [row.get(heading) for row in part] for heading in headings}
        yield table_piece(range(before + 1, before + len(part) + 1), columns)
        before += len(part)
