"""The judged rows of one delivery in their temporary table, while steps change them before they are merged.

Belongs here: the relation of these rows, and making room for a column that stood in no cell. Does not belong here: judging,
and the steps themselves (repeats, corrections, identifiers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from resources.intake.judging import Judgement


@dataclass
class JudgedRows:
    """The rows in `table`: `stored` columns stand in it, `derived` are expressions for the others of the contract."""

    connection: duckdb.DuckDBPyConnection
    table: str
    stored: list[str]
    derived: dict[str, str]
    has_records: bool

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, table: str, judged: Judgement, has_records: bool) -> JudgedRows:
        """The rows that a judgement gives, judged now."""
        connection.execute(f"create or replace temp table {table} as {judged.select}")
        return cls(connection, table, list(judged.stored), dict(judged.derived), has_records)

    @property
    def rows(self) -> str:
        """The rows with id, row_no and record_no, and their stored columns."""
        number = "" if self.has_records else ", 1::bigint as record_no"
        return f"(select rowid as id, *{number} from {self.table})"

    @property
    def whole(self) -> str:
        """The rows with every column of the contract."""
        derived = "".join(f", {sql} as {column}" for column, sql in self.derived.items())
        return f"(select *{derived} from {self.rows})"

    def store(self, column: str, kind: str) -> None:
        """Give a column that was derived a place of its own, so that it may differ by row."""
        if column not in self.derived:
            return
        self.connection.execute(f"alter table {self.table} add column {column} {kind}")
        self.connection.execute(f"update {self.table} set {column} = ({self.derived.pop(column)})")
        self.stored.append(column)
