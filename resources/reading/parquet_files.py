"""Reading a Parquet file as text cells with the number of every record.

Belongs here: how a typed value is written. Does not belong here: what a cell means (judging).

The engine reads the file by itself, in one pass. A value is written as its sender would type it: a number with the decimal
mark of the mapping, a date in the format of its column, because that is how the same mapping reads text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resources.disk import is_full
from resources.errors import KetenError
from resources.reading.cells import Cells, FileFacts, date_forms, name, text
from resources.reading.files import packing
from resources.reading.headings import named

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from resources.catalogue import Mapping

# A whole number that lost digits, in a column that should have been text.
UNREADABLE = r"(^| )-?\d([.,]\d+)?e\+\d+($| )"


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """The columns and the number of records. Raises KetenError for what is no Parquet file, or holds nested columns."""
    schema, rows = _described(path)
    nested = next((field.name for field in schema if _is_nested(field.type)), None)
    if nested is not None:
        raise KetenError(f"the column '{nested}' holds lists or structures; ask for a column for each value in it")
    headings = tuple(field.name.strip() for field in schema)
    named(headings)
    return FileFacts(headings, 0, rows, "parquet", unreadable=UNREADABLE)


def _described(path: Path) -> tuple[pa.Schema, int]:
    import pyarrow as pa
    from pyarrow import parquet

    if packed := packing(path.name):
        raise KetenError(f"a Parquet file is compressed already; ask for it without {packed}")
    try:
        with parquet.ParquetFile(path) as found:
            return found.schema_arrow, found.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        told = str(error).splitlines()[0][:200] if str(error) else "it breaks off"
        raise KetenError(
            f"it cannot be read to its end as a Parquet file ({told}); ask for it to be sent again"
        ) from None


def _is_nested(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_nested(kind))


def cells_of(path: Path, mapping: Mapping, facts: FileFacts) -> str:
    """The relation of the text cells of a file under their headings, in the order of the file."""
    schema, _ = _described(path)
    forms = date_forms(mapping, list(facts.headings))
    cells = [
        f"{_written(field.type, _quoted(field.name), mapping.format.number_mark, forms.get(heading))} as {name(heading)}"
        for field, heading in zip(schema, facts.headings, strict=True)
    ]
    return f"(select {', '.join(cells)} from read_parquet({text(str(path))}, binary_as_string = true))"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _written(kind: pa.DataType, value: str, decimal: str, form: str | None) -> str:
    """SQL of a value as text; NULL stays NULL."""
    from pyarrow import types

    if types.is_floating(kind):
        whole = f"{value} = trunc({value}) and abs({value}) < 1e15"
        return _marked(f"case when {whole} then {value}::decimal(18, 0)::varchar else {value}::varchar end", decimal)
    if types.is_decimal(kind):
        return _marked(f"{value}::varchar", decimal)
    if types.is_timestamp(kind) and kind.tz is not None:
        return _moment_in_utc(value, form)
    if types.is_timestamp(kind) or types.is_date(kind):
        return _moment(f"{value}::timestamp", form)
    return f"{value}::varchar"


def _marked(number: str, decimal: str) -> str:
    return number if decimal == "." else f"replace({number}, '.', {text(decimal)})"


def _moment(value: str, form: str | None) -> str:
    """A date or time in a format that loses nothing of it, and else as ISO text; a date alone without its midnight."""
    iso = (
        f"case when {value} = date_trunc('day', {value}) then {value}::date::varchar"
        f" else replace({value}::varchar, ' ', 'T') end"
    )
    if form is None:
        return iso
    told = f"strftime({value}, {text(form)})"
    return f"case when try_strptime({told}, {text(form)})::timestamp = {value} then {told} else {iso} end"


def _moment_in_utc(value: str, form: str | None) -> str:
    """A moment with its zone, which is told even where the format of the mapping has no room for it."""
    if form is not None and "%z" in form:
        return f"strftime({value}, {text(form)})"
    return f"replace(({value} at time zone 'UTC')::varchar, ' ', 'T') || 'Z'"


def read_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, table: str
) -> Cells:
    """Read the cells into a temporary table, in the order of the file. Raises KetenError when a page of it is damaged."""
    import duckdb

    try:
        connection.execute(f"create or replace temp table {table} as from {cells_of(path, mapping, facts)}")
    except duckdb.Error as error:
        ours = (duckdb.OutOfMemoryException, duckdb.InternalException, duckdb.FatalException)
        if isinstance(error, ours) or is_full(error):
            raise
        told = str(error).splitlines()[0][:200]
        raise KetenError(f"it cannot be read to its end ({told}); ask for it to be sent again") from None
    _refuse_nul(connection, facts, table)
    return Cells(f"(select rowid + 1 as row_no, * from {table})", facts.last_line, 0)


def _refuse_nul(connection: duckdb.DuckDBPyConnection, facts: FileFacts, table: str) -> None:
    """Raise KetenError for text that no database can hold."""
    tests = ", ".join(f"bool_or(contains({name(h)}, chr(0)))" for h in facts.headings)
    found = connection.execute(f"select {tests} from {table}").fetchone() or ()
    for heading, holds in zip(facts.headings, found, strict=True):
        if holds:
            raise KetenError(f"a text under '{heading}' holds a NUL character; ask for it to be sent again")
