"""What the published file says of itself: its publication, and its tables with their columns, keys and comments.

Belongs here: reading descriptions out of the file, for targets that write it in another form. Does not belong here: any
such form, and writing the descriptions into the file (publishing).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.publication.history import CARRIED_OVER

if TYPE_CHECKING:
    import duckdb

_DESCRIBED = """
    with told as (
        select table_name, comment, false as is_view from duckdb_tables()
        where database_name = current_database() and schema_name = 'bi'
        union all
        select view_name, comment, true from duckdb_views()
        where database_name = current_database() and schema_name = 'bi' and not internal
    )
    select t.table_name, coalesce(t.comment, ''), t.is_view, c.column_name, c.data_type, coalesce(c.comment, ''),
        not c.is_nullable and not t.is_view, f.unit_code, f.code_list, f.refers_to
    from told t
    join duckdb_columns() c on c.database_name = current_database() and c.schema_name = 'bi'
        and c.table_name = t.table_name
    left join bi.publication_column f on f.table_name = c.table_name and f.column_name = c.column_name
    order by t.table_name, c.column_index
"""


@dataclass(frozen=True)
class Publication:
    """The latest publication of a file; `published_at` is naive UTC."""

    number: int
    run_id: str
    published_at: datetime
    as_of: date
    status: str


@dataclass(frozen=True)
class Column:
    """A column with its DuckDB type and its comment in both languages; `refers_to` is the table of which it holds the key."""

    name: str
    type: str
    comment: str
    is_key: bool
    unit: str | None
    codes: str | None
    refers_to: str | None


@dataclass(frozen=True)
class Table:
    """A table or view of schema `bi`. A view has no key."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    is_view: bool

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell its rows apart, by which they are ordered."""
        return tuple(column.name for column in self.columns if column.is_key)


def publication_of(connection: duckdb.DuckDBPyConnection) -> Publication:
    """The publication of an opened file. Raises KetenError when it is not a published file."""
    import duckdb

    try:
        row = connection.execute(
            "select publication_id, run_id, published_at, as_of, status from bi.publication"
            " order by publication_id desc limit 1"
        ).fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise KetenError("the published file holds no publication; run `keten run` first")
    return Publication(*row)


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[Table]:
    """The tables and views of an opened file, in order of their names. Raises KetenError when it does not describe them."""
    import duckdb

    try:
        rows = connection.execute(_DESCRIBED).fetchall()
    except duckdb.CatalogException as error:
        raise KetenError("the published file is of an older version; run `keten run`, which publishes anew") from error
    named: dict[tuple[str, str, bool], list[Column]] = {}
    for name, comment, is_view, column, kind, text, is_filled, *facts in rows:
        # Every row of the latest publication has the same number; in the history it is part of the key.
        is_key = is_filled and (column != "publication_id" or name in CARRIED_OVER)
        named.setdefault((name, comment, is_view), []).append(Column(column, kind, text, is_key, *facts))
    return [Table(name, comment, tuple(found), is_view) for (name, comment, is_view), found in named.items()]
