"""The tables and views of a publication in PostgreSQL, brought from the form they have to the form they are declared.

Belongs here: DDL. Does not belong here: rows (rows), and who may read (reader).

Rows lie in tables of the store schema, without the number of the publication; readers see views over them that add it
from one row. So a new number changes no row that says the same as before. Columns come and go in place: a transaction
that began earlier keeps seeing the old rows, which a new table would not show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.publication.history import CARRIED_OVER
from resources.publication.published_file import literal

if TYPE_CHECKING:
    import duckdb
    import psycopg

    from resources.targets.description import Column, Table

NUMBER = "publication_id"
_SHOWN = "keten_shown"
_MADE = "keten_made"
_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
}


@dataclass(frozen=True)
class Place:
    """The two schemas of a target: `schema` is what readers see, `store` where the rows are."""

    schema: str

    @property
    def store(self) -> str:
        """The schema of the rows."""
        return f"{self.schema}_store"

    def seen(self, name: str) -> str:
        """A view by its full name."""
        return f'"{self.schema}"."{name}"'

    def kept(self, name: str) -> str:
        """A table of the store by its full name."""
        return f'"{self.store}"."{name}"'


def kept_columns(table: Table) -> list[Column]:
    """The columns of a table in the store: all but the number, which only rows of the history have for themselves."""
    return [c for c in table.columns if c.name != NUMBER or table.name in CARRIED_OVER]


def prepare(pg: psycopg.Connection, place: Place) -> None:
    """Make the schemas, and the tables that remember what is shown and what was made, where they are not there."""
    if _exists(pg, place.kept(_SHOWN)):
        return
    for schema in (place.schema, place.store):
        if not pg.execute("select 1 from pg_namespace where nspname = %s", [schema]).fetchone():
            pg.execute(f'create schema "{schema}"')
    pg.execute(f"create table {place.kept(_SHOWN)} ({NUMBER} bigint not null, run_id text not null)")
    pg.execute(f"create table {place.kept(_MADE)} (name text primary key, body text not null, comments text not null)")


def shown(pg: psycopg.Connection, place: Place) -> tuple[int, str] | None:
    """Number and run of the publication that readers see; None while there is none."""
    if not _exists(pg, place.kept(_SHOWN)):
        return None
    return pg.execute(f"select {NUMBER}, run_id from {place.kept(_SHOWN)}").fetchone()


def show(pg: psycopg.Connection, place: Place, number: int, run_id: str) -> None:
    """Note the publication that readers see from the end of this transaction on."""
    told = [number, run_id]
    if not pg.execute(f"update {place.kept(_SHOWN)} set {NUMBER} = %s, run_id = %s", told).rowcount:
        pg.execute(f"insert into {place.kept(_SHOWN)} values (%s, %s)", told)


def columns_kept(pg: psycopg.Connection, place: Place, name: str) -> dict[str, str]:
    """Columns and types of a table of the store as it is; empty when it is not there."""
    rows = pg.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [place.kept(name)],
    ).fetchall()
    return dict(rows)


def declared(table: Table) -> dict[str, str]:
    """Columns and types of a table of the store as they should be."""
    return {c.name: column_type(table, c) for c in kept_columns(table)}


def column_type(table: Table, column: Column) -> str:
    """The type in PostgreSQL that holds exactly what the DuckDB type holds. Raises KetenError for one that has none."""
    if column.type.startswith("DECIMAL("):
        return column.type.replace("DECIMAL", "numeric")
    if column.type not in _TYPES:
        raise KetenError(f"bi.{table.name}: column {column.name} is {column.type}; publish it as a decimal or text")
    return _TYPES[column.type]


class Layout:
    """What has to be made, changed or dropped so that the database has the tables and views of a file."""

    def __init__(
        self, pg: psycopg.Connection, place: Place, file: duckdb.DuckDBPyConnection, tables: Sequence[Table]
    ) -> None:
        self._pg, self._place = pg, place
        self._tables = {t.name: t for t in tables}
        self._bodies = {t.name: _file_view(file, t.name) if t.is_view else self._base_view(t) for t in tables}
        self._made = self._read_made()
        self._refuse_foreign()
        gone = self._made.keys() - self._tables.keys()
        changed = {n for n, body in self._bodies.items() if self._made.get(n, ("", ""))[0] != body}
        # A view over a column that gets another type has the same words as before.
        changed |= {t.name for t in tables if not t.is_view and not self.keeps_columns(t)}
        if any(not self._tables[n].is_view for n in changed & self._made.keys()) or gone:
            changed |= {t.name for t in tables if t.is_view}  # a view may stand on any of those that are made anew
        self._gone, self._changed = gone, changed

    def keeps_columns(self, table: Table) -> bool:
        """Whether a table has the declared columns already."""
        return columns_kept(self._pg, self._place, table.name) == declared(table)

    def change_tables(self) -> None:
        """Drop the views that change, then bring every table to its declared columns; keys follow after the rows."""
        dropped = (self._changed | self._gone) & self._made.keys()
        # Views of the file first, as they stand on the views of tables.
        for name in sorted(dropped, key=lambda n: bool(columns_kept(self._pg, self._place, n))):
            self._drop_view(name)
        for name in self._gone:
            self._pg.execute(f"drop table if exists {self._place.kept(name)}")
        for table in self._tables.values():
            if not table.is_view:
                self._change_table(table)

    def add_keys(self) -> None:
        """Give every table that has none its primary key, which also proves it."""
        for table in self._tables.values():
            if not table.is_view and not self._key(table):
                listed = ", ".join(f'"{c}"' for c in table.key)
                self._pg.execute(f"alter table {self._place.kept(table.name)} add primary key ({listed})")

    def make_views(self) -> None:
        """Make the views that are new or changed, and tell what changed in words."""
        self._pg.execute(f'set local search_path = "{self._place.schema}"')  # views of the file name no schema
        for table in sorted(self._tables.values(), key=lambda t: t.is_view):
            comments = _comments(self._place, table)
            if table.name in self._changed:
                self._pg.execute(f"create view {self._place.seen(table.name)} as {self._bodies[table.name]}")
            if table.name in self._changed or self._made[table.name][1] != ";".join(comments):
                for statement in comments:
                    self._pg.execute(statement)
                self._note(table.name, ";".join(comments))

    def _base_view(self, table: Table) -> str:
        number = f"(select {NUMBER} from {self._place.kept(_SHOWN)}) as {NUMBER}"
        kept = {c.name for c in kept_columns(table)}
        listed = ", ".join(f'"{c.name}"' if c.name in kept else number for c in table.columns)
        return f"select {listed} from {self._place.kept(table.name)}"

    def _read_made(self) -> dict[str, tuple[str, str]]:
        """Body and comments of the views we made, of those that are still there."""
        rows = self._pg.execute(f"select name, body, comments from {self._place.kept(_MADE)}").fetchall()
        return {name: (body, comments) for name, body, comments in rows if _exists(self._pg, self._place.seen(name))}

    def _refuse_foreign(self) -> None:
        for name in self._tables.keys() - self._made.keys():
            if _exists(self._pg, self._place.seen(name)):
                raise KetenError(
                    f"{self._place.schema}.{name} is there already and was not made here;"
                    " rename it, or choose another schema for this target"
                )

    def _drop_view(self, name: str) -> None:
        from psycopg.errors import DependentObjectsStillExist

        try:
            self._pg.execute(f"drop view {self._place.seen(name)}")
        except DependentObjectsStillExist as error:
            raise KetenError(
                f"{self._place.schema}.{name} has another form now, and something of others stands on it"
                f" ({' '.join((error.diag.message_detail or '').split())}); drop that, run again and make it again"
            ) from None
        self._pg.execute(f"delete from {self._place.kept(_MADE)} where name = %s", [name])

    def _change_table(self, table: Table) -> None:
        kept = self._place.kept(table.name)
        now, wanted = columns_kept(self._pg, self._place, table.name), declared(table)
        if not now:
            listed = ", ".join(f'"{name}" {kind}' for name, kind in wanted.items())
            self._pg.execute(f"create table {kept} ({listed})")
            return
        key = self._key(table)
        if key and key != {name: wanted[name] for name in table.key}:
            self._pg.execute(f'alter table {kept} drop constraint "{table.name}_pkey"')
            self._pg.execute(f"delete from {kept}")  # without its key no row can be told to be the same
        for name in [n for n, kind in now.items() if wanted.get(n) != kind]:
            self._pg.execute(f'alter table {kept} drop column "{name}"')
        for name, kind in wanted.items():
            if now.get(name) != kind:
                self._pg.execute(f'alter table {kept} add column "{name}" {kind}')

    def _key(self, table: Table) -> dict[str, str]:
        """Columns and types of the primary key of a table of the store; empty when it has none."""
        rows = self._pg.execute(
            "select a.attname, format_type(a.atttypid, a.atttypmod) from pg_index i"
            " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)"
            " where i.indisprimary and i.indrelid = to_regclass(%s)",
            [self._place.kept(table.name)],
        ).fetchall()
        return dict(rows)

    def _note(self, name: str, comments: str) -> None:
        self._pg.execute(
            f"insert into {self._place.kept(_MADE)} values (%s, %s, %s)"
            " on conflict (name) do update set body = excluded.body, comments = excluded.comments",
            [name, self._bodies[name], comments],
        )


def _exists(pg: psycopg.Connection, relation: str) -> bool:
    row = pg.execute("select to_regclass(%s) is not null", [relation]).fetchone()
    return bool(row and row[0])


def _file_view(file: duckdb.DuckDBPyConnection, name: str) -> str:
    """The select of a view of the file, in the words of PostgreSQL."""
    import sqlglot

    row = file.execute(
        "select sql from duckdb_views() where database_name = current_database() and view_name = ?", [name]
    ).fetchone()
    assert row is not None  # it was listed a moment ago, in a file that never changes
    return sqlglot.parse_one(row[0], read="duckdb").expression.sql("postgres")


def _comments(place: Place, table: Table) -> Iterable[str]:
    seen = place.seen(table.name)
    told = [f"comment on view {seen} is {literal(table.comment)}"]
    return told + [f'comment on column {seen}."{c.name}" is {literal(c.comment)}' for c in table.columns if c.comment]
