"""The compute engine behind a port of five verbs: load, replace, replace_months, read, columns.

Belongs here: the one connection to `engine.duckdb`. Intake and publication are DuckDB by nature and use `connection`
within this room; assets and pipelines see the verbs only.
Does not belong here: what any table means.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMAS = ("core", "reference", "ledger", "indicator", "bi", "run", "audit", "register", "publish", "intake")

TYPES = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(28,6)",
    "ratio": "DECIMAL(28,6)",
    "date": "DATE",
    "month": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}


class Engine:
    """One private DuckDB database, in UTC, opened by one process at a time."""

    def __init__(self, path: Path | None, temp_folder: Path, memory: str = "1GB", threads: int | None = None) -> None:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "temp_directory": str(temp_folder),
            "autoinstall_known_extensions": "false",
        }
        if threads:
            settings["threads"] = str(threads)
        self.connection = duckdb.connect(str(path) if path else ":memory:", config=settings)
        self.connection.execute("set TimeZone = 'UTC'")
        for schema in SCHEMAS:
            self.connection.execute(f"create schema if not exists {schema}")

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def load(self, table: str, data: pa.Table) -> int:
        """Replace a table by Arrow data; returns its number of rows."""
        self.connection.register("loading", data)
        try:
            self.connection.execute(f"create or replace table {table} as select * from loading")
        finally:
            self.connection.unregister("loading")
        return data.num_rows

    def replace(self, table: str, select: str) -> int:
        """Replace a table by the result of a select; returns its number of rows."""
        self.connection.execute(f"create or replace table {table} as {select}")
        return self.count(table)

    def replace_months(self, table: str, select: str, column: str) -> int:
        """Replace the rows of the months in `run.month` by a select restricted to them; creates the table if absent."""
        if not self.columns(table):
            return self.replace(table, select)
        connection = self.connection
        connection.execute("begin")
        try:
            connection.execute(f"delete from {table} where {column} in (select month from run.month)")
            connection.execute(f"insert into {table} by name {select}")
            connection.execute("commit")
        except duckdb.Error:
            roll_back(connection)
            raise
        return self.count(table)

    def read(self, select: str, parameters: list[object] | None = None) -> pa.RecordBatchReader:
        """The result of a select as an Arrow stream."""
        return self.connection.execute(select, parameters or []).to_arrow_reader()

    def delete(self, table: str, condition: str) -> None:
        """Delete the rows of a table that meet a condition."""
        self.connection.execute(f"delete from {table} where {condition}")

    def columns(self, table: str) -> Mapping[str, str]:
        """Column names and types of a table in order; empty when it does not exist."""
        schema, name = table.split(".")
        rows = self.connection.execute(
            "select column_name, data_type from duckdb_columns()"
            " where database_name = current_database() and schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        ).fetchall()
        return dict(rows)

    def count(self, table: str) -> int:
        """Number of rows of a table."""
        row = self.connection.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0


def roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Take a transaction back; DuckDB may have ended it itself, and then the first error is the one to tell."""
    with suppress(duckdb.TransactionException):
        connection.execute("rollback")
