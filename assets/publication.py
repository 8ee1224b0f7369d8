"""Publishing: keys, digests and the file that BI tools read, whole or not at all.

Belongs here: which tables are published, and the invariants that block. Does not belong here: how a file is written.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assets.conservation import IMBALANCE, account
from resources import key_register, publication_history, publishing
from resources.errors import KetenError
from resources.expectations import CheckResult

if TYPE_CHECKING:
    from assets.session import Session
    from resources.engine import Engine

# Made by Python rather than by a model: they describe the run itself.
TABLES_FROM_ENGINE = {
    "rpt_delivery": ("publish.rpt_delivery", ("receipt_id",)),
    "rpt_rejected_row": ("publish.rpt_rejected_row", ("dataset", "receipt_id", "row_no", "record_no")),
    "rpt_check": ("audit.check_result", ("table_name", "check_id")),
}

DIMENSIONS = {
    "party": "select party_id from core.party",
    "site": "select site_id from core.site",
    "chain": "select chain_id from core.chain",
    "service": "select code from reference.service",
    "carrier": "select code from reference.carrier",
    "stream": "select code from reference.waste_stream",
}


def register_keys(session: Session) -> None:
    """Give every natural key of a dimension its surrogate key; on a fresh engine the published ones come back first."""
    connection = session.engine.connection
    if session.published.exists():
        key_register.restore_keys(connection, session.published)
    for dimension, select in DIMENSIONS.items():
        key_register.assign_keys(connection, dimension, select)


def publish_session(session: Session) -> publishing.Publication:
    """Prove the invariants and publish; raises KetenError when a critical one fails, and then nothing is published."""
    account(session.engine, session.catalogue)
    session.record("publish.rpt_delivery", [_conservation(session)])
    broken = [c for c in _critical(session) if c.blocks]
    if broken:
        told = "; ".join(f"{c.table}: {c.en} ({c.observed})" for c in broken[:5])
        raise KetenError(f"{len(broken)} invariants do not hold: {told}")
    run = {
        "run_id": session.run_id,
        "published_at": datetime.now(UTC).replace(tzinfo=None),
        "input_fingerprint": session.input_fingerprint(),
        "as_of": session.as_of,
    }
    views = {f"{p}_indicators": sql for p, sql in _views(session).items()}
    made = publishing.publish(
        session.engine.connection, session.published, _tables(session), views, run, adopt=session.adopt
    )
    session.models_done()
    return made


def is_current(engine: Engine, published: Path, fingerprint: str) -> bool:
    """Whether the published file was made of just these inputs and no delivery is held back or rejected."""
    if not published.exists() or publication_history.applied_input(engine.connection, published) != fingerprint:
        return False
    if not engine.columns("intake.receipt"):
        return False
    open_ones = engine.read(
        "select count(*) as n from intake.receipt where state not in ('loaded', 'withdrawn', 'purged')"
    )
    return bool(open_ones.read_all()["n"][0].as_py() == 0)


def _conservation(session: Session) -> CheckResult:
    rows = session.engine.read(f"select count(*) as n from ({IMBALANCE})").read_all()["n"][0].as_py()
    return CheckResult(
        "publish.rpt_delivery",
        "conservation",
        "critical",
        "failed" if rows else "passed",
        f"deliveries out of balance: {rows}",
        "Ontvangen is aanvaard plus afgekeurd plus genegeerd, per aanlevering.",
        "Received is accepted plus quarantined plus ignored, for every delivery.",
    )


def _critical(session: Session) -> list[CheckResult]:
    """Critical results of everything that is computed here; those of core have held their delivery already."""
    rows = session.engine.connection.execute(
        "select * from audit.check_result where severity = 'critical' and table_name not like 'core.%'"
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def _views(session: Session) -> dict[str, str]:
    items = list(session.catalogue.indicators.values())
    return {pillar: publishing.pillar_view_sql(items, pillar) for pillar in ("people", "planet", "purpose")}


def _tables(session: Session) -> dict[str, publishing.TableSpec]:
    engine, known = session.engine, session.catalogue.columns
    sources = {
        m.name.removeprefix("bi."): (m.name, tuple(m.key))
        for m in session.catalogue.models.values()
        if m.name.startswith("bi.")
    }
    specs = {}
    for name, (table, key) in {**sources, **TABLES_FROM_ENGINE}.items():
        columns = [
            (column, kind, f"{known[column].nl} / {known[column].en}" if column in known else column.replace("_", " "))
            for column, kind in engine.columns(table).items()
        ]
        specs[name] = publishing.TableSpec(columns=columns, key=key, source=table)
    return specs
