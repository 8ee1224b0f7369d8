"""Reading a delivered file as text cells with the place of every row, whatever its form.

Belongs here: what the rest of the product asks of a file. Does not belong here: how one form is read (reading_csv,
reading_xlsx, reading_json), what a cell means (judging).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from resources import reading_csv
from resources.cells import Cells, FileFacts, name, text
from resources.errors import KetenError
from resources.files import kind_of
from resources.heading_difference import difference, needed_headings

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Mapping

_MOST_TOLD = 40
_MOST_MISSING = 6


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
    kind = kind_of(path.name)
    if kind == "csv":
        return reading_csv.scan(path, mapping)
    if kind == "xlsx":
        from resources import reading_xlsx

        return reading_xlsx.scan(path, mapping)
    from resources import reading_json

    return reading_json.scan(path, mapping)


def tables_in(path: Path, mapping: Mapping) -> Iterator[FileFacts]:
    """Everything in a file that has headings, first what the mapping reads; faults are left for `inspect_file`.

    A workbook may hold other sheets, a JSON file what stands around its records. Raises KetenError for what no reader can
    open.
    """
    kind = kind_of(path.name)
    if kind == "csv":
        yield reading_csv.header_of(path, mapping)
    elif kind == "xlsx":
        from resources import reading_xlsx

        yield from reading_xlsx.sheets_in(path, mapping)
    else:
        from resources import reading_json

        yield from reading_json.tables_in(path, mapping)


def _require(facts: FileFacts, mapping: Mapping) -> None:
    wanted = needed_headings(mapping, facts.headings)
    mapped = f"the heading '{{}}' of mapping {mapping.origin}__{mapping.dataset}"
    if missing := sorted(wanted - set(facts.headings)):
        found = ", ".join(facts.headings[:_MOST_TOLD]) + (", ..." if len(facts.headings) > _MOST_TOLD else "")
        renamed = difference(facts.headings, mapping).renamed.get(missing[0])
        now = f", or is '{renamed}' now" if renamed else ""
        too = f"; missing too: {', '.join(missing[1:_MOST_MISSING])}" if len(missing) > 1 else ""
        told = f"{mapped.format(missing[0])} is missing{now}; found: {found}{too}"
        raise KetenError(f"{told}; `keten map` proposes a mapping")
    if several := sorted(wanted & facts.several):
        raise KetenError(
            f"{mapped.format(several[0])} lies in a list of objects, so a record has several of it; ask for a record each"
        )


def cells_of(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, lenient: bool = False
) -> str:
    """The relation of the text cells of a file under their headings; `lenient` leaves out rows that cannot be read."""
    if facts.table is None:
        return reading_csv.cells_of(connection, path, mapping, facts, lenient)
    connection.register("file_cells", facts.table)
    return "file_cells"


def read_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, table: str
) -> Cells:
    """Read the cells into a temporary table. Raises KetenError when its lines cannot be told."""
    if facts.table is None:
        return reading_csv.read_cells(connection, path, mapping, facts, table)
    relation = cells_of(connection, path, mapping, facts)
    connection.execute(f"create or replace temp table {table} as from {relation}")
    connection.unregister(relation)
    return Cells(table, facts.table.num_rows, facts.blank_rows)


def row_text(mapping: Mapping, facts: FileFacts) -> str:
    """SQL of the original cells of a row: joined by the sender's delimiter; `;` for a sheet; an object for JSON."""
    if facts.kind in ("json", "jsonl"):
        pairs = ", ".join(f"{text(h)}: {name(h)}" for h in facts.headings)
        return f"json_merge_patch('{{}}', {{{pairs}}}::json)::varchar"
    cells = ", ".join(f"coalesce({name(h)}, '')" for h in facts.headings)
    return f"concat_ws({text(mapping.format.delimiter if facts.kind == 'csv' else ';')}, {cells})"
