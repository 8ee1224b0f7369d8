"""What the engine remembers about its tables: the last outcome of each check, and where columns come from.

Belongs here: `audit.check_result` and `audit.lineage`. Does not belong here: running a check (expectations, modelling),
what blocks, and reading SQL (sql_compiler).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple
from typing import TYPE_CHECKING

from resources.intake.expectations import CheckResult
from resources.sql_compiler import Lineage

if TYPE_CHECKING:
    from resources.engine import Engine

CHECK_RESULT = "audit.check_result"
LINEAGE = "audit.lineage"


def prepare_audit(engine: Engine) -> None:
    """Create the tables when they are not there."""
    engine.connection.execute(
        f"create table if not exists {LINEAGE} (table_name VARCHAR, state VARCHAR, content VARCHAR)"
    )
    engine.connection.execute(
        f"create table if not exists {CHECK_RESULT} (table_name VARCHAR, check_id VARCHAR, severity VARCHAR,"
        " outcome VARCHAR, observed VARCHAR, nl VARCHAR, en VARCHAR, receipt_id VARCHAR)"
    )


def record(engine: Engine, table: str, checks: Iterable[CheckResult], like: str = "%") -> None:
    """Replace what is known of the checks of one table, or of those whose id is like `like`."""
    engine.connection.execute(f"delete from {CHECK_RESULT} where table_name = ? and check_id like ?", [table, like])
    rows = [astuple(check) for check in checks]
    if rows:
        marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
        engine.connection.execute(f"insert into {CHECK_RESULT} values {marks}", [cell for row in rows for cell in row])


def recorded(engine: Engine, table: str = "%") -> list[CheckResult]:
    """The last known results of the tables whose name is like `table`."""
    rows = engine.connection.execute(
        f"select * from {CHECK_RESULT} where table_name like ? order by table_name, check_id, receipt_id", [table]
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def record_lineage(engine: Engine, table: str, state: str, lineage: Lineage) -> None:
    """Keep where the columns of a table come from, under the state of the declarations it was worked out from."""
    values = {column: sorted(sources) for column, sources in lineage.values.items()}
    content = json.dumps({"values": values, "filters": sorted(lineage.filters)})
    engine.connection.execute(f"delete from {LINEAGE} where table_name = ?", [table])
    engine.connection.execute(f"insert into {LINEAGE} values (?, ?, ?)", [table, state, content])


def recorded_lineage(engine: Engine, table: str, state: str) -> Lineage | None:
    """What was kept for a table under this state; None when there is nothing."""
    row = engine.connection.execute(
        f"select content from {LINEAGE} where table_name = ? and state = ?", [table, state]
    ).fetchone()
    if row is None:
        return None
    content = json.loads(row[0])
    values = {column: frozenset(sources) for column, sources in content["values"].items()}
    return Lineage(values, frozenset(content["filters"]))
