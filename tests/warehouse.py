"""A small publication and its PostgreSQL target, for tests that need no whole run.

Belongs here: making them, and what file and database show. Does not belong here: any assertion.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from resources.deployment_models import PostgresqlSetting
from resources.engine import Engine
from resources.key_register import assign_keys
from resources.publication_history import VALUE_KEY
from resources.published import rows_of
from resources.publishing import ColumnFacts, TableSpec, publish
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
    "site_values": '-- Grain: site.\nselect s.site_name, sum(v.value) as total, max(v.period_from) as "month", v.publication_id'
    " from rpt_indicator_value v join dim_site s using (site_key) group by s.site_name, v.publication_id"
}


class Warehouse:
    """An engine, its published file, and a database of its own that follows it."""

    def __init__(self, folder: Path, server: PostgresServer, name: str) -> None:
        self.server, self.database = server, name
        self.file = folder / "published" / "bi.duckdb"
        self.reader = f"reader_{name}"
        self.tables, self.views = dict(TABLES), dict(VIEWS)
        self.runs = 0
        os.environ[URL] = server.new_database(name)
        self.engine = Engine(folder / "engine.duckdb", folder / "spill")
        assign_keys(self.engine, "site", "select unnest(['AMF', 'UTR'])")
        for table, types in (("rpt_indicator_value", VALUES), ("dim_site", SITES), ("rpt_kinds", KINDS)):
            self.run(f"create table bi.{table} ({', '.join(f'{n} {t}' for n, t in types.items())})")
        self.run("insert into bi.dim_site values (1, 'AMF', 'Amersfoort'), (2, 'UTR', 'Utrecht')")
        for month in range(1, 13):
            for site in (1, 2):
                start, scope = f"2025-{month:02d}", f"site={site}"
                row = f"'energy', 'month', '{start}', 'site', '{scope}', '{start}-01', {site}, {month}.5, 'measured'"
                self.run(f"insert into bi.rpt_indicator_value values ({row})")
        for number, text in enumerate(TEXTS):
            self.engine.connection.execute(
                "insert into bi.rpt_kinds values (?, ?, ?, 0.000000001, true, date '0999-01-31', timestamp '2025-03-30 01:59:59.123456')",
                [number, text, -number],
            )
        self.run("insert into bi.rpt_kinds (row_no, moment) values (-1, timestamp '2025-01-01')")

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
        facts = {"kind": "postgresql", "name": "warehouse", "url": f"${{env:{URL}}}", "reader": self.reader}
        return PostgresqlTarget(PostgresqlSetting.model_validate({**facts, **settings}))

    def apply(self, adopt: bool = False) -> Applied:
        """Publish, and let the database follow."""
        self.publish()
        return self.target().apply(self.file, adopt)

    def declare(self, name: str, types: Mapping[str, str], **changes: Any) -> None:
        """Declare another form of a table."""
        self.tables[name] = replace(self.tables[name], columns=columns(types), **changes)

    def seen(self, sql: str, user: str = "postgres") -> list[tuple[Any, ...]]:
        """What a select on the database returns."""
        with self.server.connect(user, database=self.database) as connection:
            return connection.execute(sql).fetchall()

    def relations(self) -> list[str]:
        """The tables and views of the file."""
        return [name for (name,) in rows_of(self.file, _RELATIONS)]

    def of_file(self, name: str) -> list[tuple[Any, ...]]:
        """Comment, columns with comments, and rows of a table of the file, in an order that both have."""
        comments = rows_of(self.file, f"select comment from ({_TOLD}) where name = '{name}'")
        described = rows_of(
            self.file,
            "select column_name, coalesce(comment, '') from duckdb_columns()"
            f" where database_name = current_database() and table_name = '{name}' order by column_index",
        )
        return [*comments, *described, *sorted(rows_of(self.file, f"select * from bi.{name}"), key=repr)]

    def of_database(self, name: str) -> list[tuple[Any, ...]]:
        """The same of the database."""
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
_RELATIONS = f"select name from ({_TOLD}) order by 1"
