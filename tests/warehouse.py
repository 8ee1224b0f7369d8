"""A small publication and its PostgreSQL target, for tests that need no whole run.

Belongs here: making them, and what file and database show. Does not belong here: any assertion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from resources.catalogue.deployment_models import PostgresqlSetting
from resources.engine import Engine
from resources.publication.history import VALUE_KEY
from resources.publication.key_register import assign_keys
from resources.publication.published import opened
from resources.publication.publishing import ColumnFacts, TableSpec, publish
from resources.targets.port import Applied
from resources.targets.postgresql.target import PostgresqlTarget
from tests.postgres_server import PostgresServer

URL = "KETEN_TEST_WAREHOUSE_URL"
VALUES = {
    **dict.fromkeys(VALUE_KEY, "VARCHAR"),
    "period_from": "DATE",
    "site_key": "BIGINT",
    "value": "DECIMAL(28,6)",
    "value_status": "VARCHAR",
}
SITES = {"site_key": "BIGINT", "site_id": "VARCHAR", "site_name": "VARCHAR"}
# By table or view: its comment, its columns with theirs, and its rows in an order that both sides have.
Shown = dict[str, list[tuple[Any, ...]]]
# One column of every type there is, and texts that a careless copy would change.
KINDS = {
    "row_no": "BIGINT",
    "text": "VARCHAR",
    "quantity": "DECIMAL(28,6)",
    "factor": "DECIMAL(18,9)",
    "is_known": "BOOLEAN",
    "day": "DATE",
    "moment": "TIMESTAMP",
}
TEXTS = ("", " ", "NULL", "\\N", "\\.", "~", 'a"b,c;d', "a\tb\r\nc\n", "é€ 😀 👩‍👩‍👧", "=1+1", "a\\nb", "'")


def columns(types: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [(name, kind, f"it's {name}") for name, kind in types.items()]


TABLES = {
    "rpt_indicator_value": TableSpec(
        columns(VALUES), VALUE_KEY, "values", {"site_key": ColumnFacts(refers_to="dim_site")}
    ),
    "dim_site": TableSpec(columns(SITES), ("site_key",), "sites"),
    "rpt_kinds": TableSpec(columns(KINDS), ("row_no",), "kinds"),
}
VIEWS = {
    "the_known": "select row_no, moment from rpt_kinds where is_known",
    "site_values": '-- Grain: site.\nselect s.site_name, sum(v.value) as total, max(v.period_from) as "month", v.publication_id'
    " from rpt_indicator_value v join dim_site s using (site_key) group by s.site_name, v.publication_id",
}


class Warehouse:
    """An engine, its published file, and a database that follows it."""

    def __init__(self, folder: Path, server: PostgresServer, database: str) -> None:
        self.server, self.database = server, database
        self.file = folder / "published" / "bi.duckdb"
        self.tables, self.views = dict(TABLES), dict(VIEWS)
        self.runs = 0
        self.engine = Engine(None, folder / "spill")
        self.pg = server.connect(database=database)
        self._fill()

    def _fill(self) -> None:
        """Two sites with a value for every month of a year, and a row for every text."""
        assign_keys(self.engine, "site", "select unnest(['AMF', 'UTR'])")
        for table, types in (("rpt_indicator_value", VALUES), ("dim_site", SITES), ("rpt_kinds", KINDS)):
            self.run(f"create table bi.{table} ({', '.join(f'{n} {t}' for n, t in types.items())})")
        self.run("insert into bi.dim_site values (1, 'AMF', 'Amersfoort'), (2, 'UTR', 'Utrecht')")
        self.run(
            "insert into bi.rpt_indicator_value select 'energy', 'month', strftime(m, '%Y-%m'), 'site', 'site=' || s, m, s,"
            " month(m) + 0.5, 'measured' from range(date '2025-01-01', date '2026-01-01', interval 1 month) r(m), range(1, 3) t(s)"
        )
        self.engine.connection.executemany(
            "insert into bi.rpt_kinds values (?, ?, ?, 0.000000001, true, date '0999-01-31', timestamp '2025-03-30 01:59:59.123456')",
            [[number, text, -number] for number, text in enumerate(TEXTS)],
        )
        self.run("insert into bi.rpt_kinds (row_no, moment) values (-1, timestamp '2025-01-01')")

    def close(self) -> None:
        """Let go of the engine, and leave the database as it was."""
        self.engine.connection.close()
        with self.server.connect(database=self.database) as pg:
            pg.execute("set client_min_messages = warning; drop schema if exists bi, bi_store, mine cascade")

    def run(self, sql: str) -> None:
        """Change what the engine holds."""
        self.engine.connection.execute(sql)

    def publish(self) -> int:
        """Publish the file; the number."""
        self.runs += 1
        run = {"run_id": f"r{self.runs}", "published_at": datetime(2026, 4, self.runs, 6), "as_of": date(2026, 4, 1)}
        made = publish(self.engine, self.file, self.tables, self.views, {**run, "input_fingerprint": "f"})
        return made.number

    def target(self, **settings: Any) -> PostgresqlTarget:
        """The target as keten.yml declares it."""
        facts = {"kind": "postgresql", "name": "warehouse", "url": f"${{env:{URL}}}"}
        return PostgresqlTarget(PostgresqlSetting.model_validate({**facts, **settings}))

    def apply(self, adopt: bool = False) -> Applied:
        """Publish, and let the database follow."""
        self.publish()
        return self.target().apply(self.file, adopt)

    def declare(self, name: str, types: Mapping[str, str], **changes: Any) -> None:
        """Declare another form of a table."""
        self.tables[name] = replace(self.tables[name], columns=columns(types), **changes)

    def seen(self, sql: str) -> list[tuple[Any, ...]]:
        """What a select on the database returns."""
        return self.pg.execute(sql).fetchall()

    def of_file(self) -> Shown:
        """All that the file shows."""
        with opened(self.file) as file:
            names = [name for (name,) in file.execute(f"select name from ({_TOLD})").fetchall()]
            return {name: _shown_by_file(file, name) for name in names}

    def of_database(self) -> Shown:
        """All that the database shows in schema bi."""
        names = self.seen(
            "select relname from pg_class where relnamespace = 'bi'::regnamespace and relkind in ('r', 'v')"
        )
        return {name: self._shown(name) for (name,) in names}

    def _shown(self, name: str) -> list[tuple[Any, ...]]:
        comments = self.seen(f"select obj_description('bi.{name}'::regclass)")
        described = self.seen(
            "select attname, coalesce(col_description(attrelid, attnum), '') from pg_attribute"
            f" where attrelid = 'bi.{name}'::regclass and attnum > 0 order by attnum"
        )
        return [*comments, *described, *sorted(self.seen(f"select * from bi.{name}"), key=repr)]


_TOLD = (
    "select table_name as name, comment from duckdb_tables() where database_name = current_database()"
    " union all select view_name, comment from duckdb_views() where database_name = current_database() and not internal"
)


def _shown_by_file(file: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    comments = file.execute(f"select comment from ({_TOLD}) where name = '{name}'").fetchall()
    described = file.execute(
        "select column_name, coalesce(comment, '') from duckdb_columns()"
        f" where database_name = current_database() and table_name = '{name}' order by column_index"
    ).fetchall()
    return [*comments, *described, *sorted(file.execute(f"select * from bi.{name}").fetchall(), key=repr)]
