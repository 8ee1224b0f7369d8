"""Publishing: the tables that describe the run itself, and the file that BI tools read, whole or not at all.

Belongs here: which tables are published, and the invariants that block. Does not belong here: how a file is written.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assets.conservation import corrections_select, deliveries_select, rejected_rows_select
from assets.modelling import check_model
from assets.unknown_references import prepare_waiting, unknown_select
from resources import audit
from resources.catalogue import key_name
from resources.engine import TYPES
from resources.errors import KetenError
from resources.publication import key_register, publishing
from resources.publication.final_values import EXPLANATIONS, gather_changes, periods_select, refuse_unexplained
from resources.publication.pillar_views import pillar_view_sql

if TYPE_CHECKING:
    from pathlib import Path

    from assets.session import Session
    from resources.catalogue import Catalogue, Model
    from resources.engine import Engine
    from resources.intake.expectations import CheckResult

# Tables that grow with the months have one of these in their key.
PARTS = ("month", "period_code")
PILLARS = ("people", "planet", "purpose")


def register_keys(session: Session) -> int:
    """Give every natural key of a dimension its surrogate key; on a fresh engine the published ones come back first.

    Returns how many keys are new.
    """
    restored = key_register.restore_keys(session.engine, session.published) if session.published.exists() else 0
    new = sum(
        key_register.assign_keys(session.engine, dimension, f"select {column} from {table}")
        for dimension, (table, column) in session.catalogue.dimensions().items()
    )
    session.touched[key_register.REGISTER] = None if restored or new else set()
    return new


def publish_session(session: Session, made_of: str) -> publishing.Publication:
    """Prove the invariants and publish; `made_of` is the fingerprint of the inputs.

    Raises KetenError when a critical one fails or a final value would change without a reason; nothing is published then.
    """
    if not session.is_complete():
        raise KetenError("not every table is computed from what core holds now; materialise all assets, or `keten run`")
    gather_changes(session.engine, session.published)
    describe_run(session.engine, session.catalogue)
    broken = [c for c in _invariants(session) if c.blocks]
    if broken:
        told = "; ".join(f"{c.table}: {c.en} ({c.observed})" for c in broken[:5])
        raise KetenError(f"{len(broken)} invariants do not hold: {told}")
    refuse_unexplained(session.engine)
    run = {
        "run_id": session.run_id,
        "published_at": datetime.now(UTC).replace(tzinfo=None),
        "input_fingerprint": made_of,
        "as_of": session.as_of,
    }
    items = list(session.catalogue.indicators.values())
    views = {f"{pillar}_indicators": pillar_view_sql(items, pillar) for pillar in PILLARS}
    made = publishing.publish(
        session.engine, session.published, table_specs(session.catalogue), views, run, session.adopt, EXPLANATIONS
    )
    session.models_done()
    return made


def describe_run(engine: Engine, catalogue: Catalogue) -> None:
    """Make and check the tables about the run itself: deliveries, what waits, what was corrected, months and, last, all checks."""
    prepare_waiting(engine, catalogue)
    made = {
        "bi.rpt_delivery": deliveries_select(catalogue),
        "bi.rpt_rejected_row": rejected_rows_select(catalogue),
        "bi.rpt_correction": corrections_select(catalogue),
        "bi.rpt_unknown_reference": unknown_select(catalogue),
        "bi.rpt_period": periods_select(),
    }
    for table, select in made.items():
        engine.replace(table, select)
        audit.record(engine, table, check_model(engine, catalogue, catalogue.models[table]))
    engine.replace("bi.rpt_check", f"select * from {audit.CHECK_RESULT}")


def is_current(engine: Engine, published: Path, fingerprint: str) -> bool:
    """Whether the published file was made of just these inputs and no delivery is held back or rejected."""
    if not published.exists() or publishing.applied_input(engine, published) != fingerprint:
        return False
    if not engine.columns("intake.receipt"):
        return False
    open_ones = engine.read(
        "select count(*) as n from intake.receipt where state not in ('loaded', 'withdrawn', 'purged')"
    )
    return bool(open_ones.read_all()["n"][0].as_py() == 0)


def _invariants(session: Session) -> list[CheckResult]:
    """Results of everything that is computed from core; the expectations of core have held their delivery already."""
    known = {*session.catalogue.models, *(f"indicator.{i}" for i in session.catalogue.indicators)}
    return [c for c in audit.recorded(session.engine) if c.table in known]


def table_specs(catalogue: Catalogue) -> dict[str, publishing.TableSpec]:
    """How each bi table is published: its declared columns with their comments, in order of its key."""
    return {
        name.removeprefix("bi."): publishing.TableSpec(
            columns=[(c.name, TYPES[c.type], f"{c.nl} / {c.en}") for c in catalogue.columns_of(model)],
            key=model.key,
            facts=_facts(catalogue, model),
            part=next((column for column in PARTS if column in model.key), ""),
            comment=f"{model.title.nl} / {model.title.en}. Grain: {model.grain}. {model.description.nl} / {model.description.en}",
        )
        for name, model in catalogue.models.items()
        if name.startswith("bi.")
    }


def _facts(catalogue: Catalogue, model: Model) -> dict[str, publishing.ColumnFacts]:
    """What is to be told of the columns of a table beside type and comment."""
    found = {
        c.name: publishing.ColumnFacts(c.unit, c.codes, _refers_to(catalogue, model, c.name))
        for c in catalogue.columns_of(model)
    }
    return {name: facts for name, facts in found.items() if facts != publishing.ColumnFacts()}


def _refers_to(catalogue: Catalogue, model: Model, column: str) -> str | None:
    """The dimension table of which a column holds the key; of `successor_contract_key` that of a contract."""
    if model.key == (column,):
        return None
    keys = {m.key: name for name, m in catalogue.models.items() if name.startswith("bi.dim_")}
    own = {key_name(name): declared.dimension for name, declared in catalogue.columns.items() if declared.dimension}
    by_end = (dimension for dimension in catalogue.dimensions() if column.endswith(f"_{dimension}_key"))
    dimension = own.get(column) or next(by_end, None)
    table = keys.get((column,)) or (f"bi.dim_{dimension}" if dimension else None)
    return table.removeprefix("bi.") if table else None
