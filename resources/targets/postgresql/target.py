"""The target itself: one transaction from what a database shows to the publication of the published file.

Belongs here: the steps and their order. Does not belong here: any of the steps (the other modules of this package).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resources.catalogue.deployment_models import PostgresqlSetting
from resources.errors import KetenError
from resources.publication.digest import table_digest
from resources.publication.published import opened
from resources.targets.description import Publication, Table, publication_of, tables_of
from resources.targets.port import Applied
from resources.targets.postgresql import layout, rows
from resources.targets.postgresql.connecting import address, connected, hidden
from resources.targets.postgresql.reader import let_read

if TYPE_CHECKING:
    import duckdb
    import psycopg


class PostgresqlTarget:
    """A schema in a PostgreSQL database. Raises KetenError for a URL that cannot be used; it connects only when asked."""

    def __init__(self, setting: PostgresqlSetting) -> None:
        self._setting = setting
        self._url = address(setting)
        self._place = layout.Place(setting.schema_name)

    @property
    def name(self) -> str:
        """The name in keten.yml."""
        return self._setting.name

    def shown(self) -> str:
        """The URL without its password."""
        return hidden(self._url)

    def applied(self) -> int | None:
        """The number of the publication that readers see now."""
        with connected(self._setting, self._url) as pg:
            shown = layout.shown(pg, self._place)
        return shown[0] if shown else None

    def apply(self, published: Path, adopt: bool) -> Applied:
        """Apply the difference in one transaction: readers see all of it or nothing."""
        with (
            opened(published) as file,
            connected(self._setting, self._url) as pg,
            pg.transaction(),
        ):
            self._take_turn(pg)
            layout.prepare(pg, self._place)
            publication, tables = publication_of(file), tables_of(file)
            changed, written = not self._shows(pg, publication, adopt), 0
            if changed:
                written = self._bring(file, published, pg, publication, tables, adopt)
            notes = let_read(pg, self._place, self._setting.reader, [table.name for table in tables])
        return Applied(publication.number, changed, written, notes)

    def _take_turn(self, pg: psycopg.Connection) -> None:
        """Wait for another run that writes here; the server frees the lock when this transaction or its process ends."""
        (encoding,) = pg.execute("show server_encoding").fetchone() or ("",)
        if encoding != "UTF8":
            raise KetenError(f"target {self.name}: the database is in {encoding}; create it with encoding UTF8")
        pg.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"ketenimpact {self._place.schema}"])

    def _shows(self, pg: psycopg.Connection, publication: Publication, adopt: bool) -> bool:
        """Whether it shows just this publication. Raises KetenError when it shows one that the file does not know."""
        shown = layout.shown(pg, self._place)
        if shown is None or adopt:
            return shown == (publication.number, publication.run_id)
        number, run_id = shown
        if number > publication.number:
            raise KetenError(
                f"target {self.name} shows publication {number}, but the published file is at {publication.number}:"
                " another engine wrote it, or an older file was put back; run again with --adopt to let it follow the file"
            )
        if number == publication.number and run_id != publication.run_id:
            raise KetenError(
                f"target {self.name} shows another publication {number} than the published file, of run {run_id};"
                " run again with --adopt to let it follow the file"
            )
        return number == publication.number

    def _bring(
        self,
        file: duckdb.DuckDBPyConnection,
        published: Path,
        pg: psycopg.Connection,
        publication: Publication,
        tables: list[Table],
        adopt: bool,
    ) -> int:
        """Stage and prove what differs, then apply it; the number of rows written."""
        form = layout.Layout(pg, self._place, file, tables)
        digests = _published_digests(file, publication.number)
        differing = []
        for table in tables:
            if table.is_view:
                continue
            wanted = rows.expected(file, table, digests)
            if not form.keeps_columns(table) or rows.kept_digest(pg, self._place, table) != wanted:
                rows.stage(file, published, pg, table, wanted)
                differing.append(table)
        form.change_tables()
        written = sum(rows.apply_difference(pg, self._place, table, adopt) for table in differing)
        form.add_keys()
        layout.show(pg, self._place, publication.number, publication.run_id)
        form.make_views()
        rows.prove_references(pg, self._place, {table.name: table for table in tables})
        self._prove_views(file, pg, tables)
        return written

    def _prove_views(self, file: duckdb.DuckDBPyConnection, pg: psycopg.Connection, tables: list[Table]) -> None:
        """Raise KetenError when a view says something else here than in the file."""
        for view in tables:
            if not view.is_view:
                continue
            there = table_digest(file, f"bi.{view.name}", [c.name for c in view.columns])
            here = rows.digest(pg, self._place.seen(view.name), [(c.name, c.type) for c in view.columns])
            if here != there:
                raise KetenError(
                    f"bi.{view.name} says something else in PostgreSQL than in the published file; its SQL is not portable"
                )


def _published_digests(file: duckdb.DuckDBPyConnection, number: int) -> dict[str, rows.Digest]:
    found = file.execute(
        "select table_name, row_count, digest from bi.publication_digest where publication_id = ?", [number]
    ).fetchall()
    return {name: (count, digest) for name, count, digest in found}
