"""Reading a delivered file as text cells with the place of every row, whatever its form.

Belongs here: what the rest of the product asks of a file. Does not belong here: how one form is read (csv_files,
workbooks, json_files, parquet_files, xml_files), what a cell means (judging).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading import csv_files, parquet_files
from resources.reading.cells import Cells, FileFacts, name, text
from resources.reading.files import delivered_kind
from resources.reading.headings import missing_headings, require_headings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from resources.catalogue import Mapping


def inspect_file(path: Path, mapping: Mapping) -> FileFacts:
    """Scan a file once. Raises KetenError when its rows cannot be trusted: unreadable, truncated, no header, wrong kind."""
    facts = _scan(path, mapping)
    if facts.fault:
        raise KetenError(facts.fault)
    if len({h.lower() for h in facts.headings}) < len(facts.headings):
        raise KetenError("two columns have the same heading; name them apart")
    _require(facts, mapping)
    return facts


def _scan(path: Path, mapping: Mapping) -> FileFacts:
    kind = delivered_kind(path, mapping.format.member)
    if kind == "csv":
        return csv_files.scan(path, mapping)
    if kind in ("xlsx", "xls"):
        from resources.reading import workbooks

        return workbooks.scan(path, mapping)
    if kind == "parquet":
        return parquet_files.scan(path, mapping)
    if kind == "xml":
        from resources.reading import xml_files

        return xml_files.scan(path, mapping)
    from resources.reading import json_files

    return json_files.scan(path, mapping)


def tables_in(path: Path, mapping: Mapping) -> Iterator[FileFacts]:
    """Everything in a file that has headings, first what the mapping reads; faults are left for `inspect_file`.

    A workbook may hold other sheets, a JSON or XML file what stands around its records. Raises KetenError for what no
    reader can open.
    """
    kind = delivered_kind(path, mapping.format.member)
    if kind == "csv":
        yield csv_files.header_of(path, mapping)
    elif kind in ("xlsx", "xls"):
        from resources.reading import workbooks

        yield from workbooks.sheets_in(path, mapping)
    elif kind == "parquet":
        yield parquet_files.scan(path, mapping)
    elif kind == "xml":
        from resources.reading import xml_persons

        yield from xml_persons.tables_in(path, mapping)
    else:
        from resources.reading import json_files

        yield from json_files.tables_in(path, mapping)


def _require(facts: FileFacts, mapping: Mapping) -> None:
    if late := sorted(set(facts.late) & set(missing_headings(mapping, set(facts.headings) - facts.late))):
        raise KetenError(
            f"the heading '{late[0]}' of mapping {mapping.origin}__{mapping.dataset} stands after the records, which are"
            " read as they come; ask for it before them"
        )
    require_headings(mapping, facts.headings)
    if several := sorted(set(facts.several) & set(missing_headings(mapping, set(facts.headings) - facts.several))):
        raise KetenError(
            f"the heading '{several[0]}' of mapping {mapping.origin}__{mapping.dataset} lies in a list of objects, so a"
            " record has several of it; ask for a record each"
        )


def cells_of(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, lenient: bool = False
) -> str:
    """The relation of the text cells of a file under their headings; `lenient` leaves out rows that cannot be read."""
    if facts.kind == "parquet":
        return parquet_files.cells_of(path, mapping, facts)
    if facts.table is None:
        return csv_files.cells_of(connection, path, mapping, facts, lenient)
    connection.register("file_cells", facts.table)
    return "file_cells"


def read_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, table: str
) -> Cells:
    """Read the cells into a temporary table. Raises KetenError when its lines cannot be told."""
    if facts.kind == "parquet":
        return parquet_files.read_cells(connection, path, mapping, facts, table)
    if facts.pieces:
        return _read_pieces(connection, facts.pieces(), table)
    if facts.table is None:
        return csv_files.read_cells(connection, path, mapping, facts, table)
    relation = cells_of(connection, path, mapping, facts)
    connection.execute(f"create or replace temp table {table} as from {relation}")
    connection.unregister(relation)
    return Cells(table, facts.table.num_rows, facts.blank_rows)


def _read_pieces(connection: duckdb.DuckDBPyConnection, pieces: Iterator[pa.Table], table: str) -> Cells:
    """Some rows at a time, so that no more of them are in memory than the engine keeps there."""
    count = 0
    for number, piece in enumerate(pieces):
        connection.register("file_cells", piece)
        what = f"insert into {table}" if number else f"create or replace temp table {table} as"
        connection.execute(f"{what} from file_cells")
        connection.unregister("file_cells")
        count += piece.num_rows
    return Cells(table, count, 0)


def row_text(mapping: Mapping, facts: FileFacts) -> str:
    """SQL of the original cells of a row: joined by the sender's delimiter; `;` for a sheet; an object for JSON and XML."""
    if facts.kind in ("json", "jsonl", "xml"):
        pairs = ", ".join(f"{text(h)}: {name(h)}" for h in facts.headings)
        return f"json_merge_patch('{{}}', {{{pairs}}}::json)::varchar"
    shown = "left({}, 1000)" if facts.has_faults else "{}"
    cells = ", ".join(f"coalesce({shown.format(name(h))}, '')" for h in facts.headings)
    return f"concat_ws({text(mapping.format.delimiter if facts.kind == 'csv' else ';')}, {cells})"
