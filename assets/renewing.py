"""Renewing the computed tables of a run: only the months that something below them touched, and nothing where nothing did.

Belongs here: what is computed again, and what that touches in turn. Does not belong here: how a table is computed
(modelling) and what deliveries touch (resources.intake.dataset_intake).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from assets.keyed import MADE_HERE, keyed_select
from assets.modelling import (
    LEAF_AGAIN,
    VALUE_AGAIN,
    VALUES,
    check_indicator,
    check_model,
    compute,
    compute_indicator,
    roll_up,
    roll_up_part,
)
from assets.preparing import set_months
from resources import audit
from resources.catalogue import CLOCK
from resources.months import both
from resources.publication.key_register import REGISTER

if TYPE_CHECKING:
    from assets.session import Session
    from resources.catalogue import Indicator, Model
    from resources.engine import Engine
    from resources.intake.expectations import CheckResult

_AGAIN = {"bi.fact_indicator_month": LEAF_AGAIN, "bi.rpt_indicator_value": VALUE_AGAIN}


def renew_model(session: Session, model: Model) -> list[CheckResult]:
    """Compute and check what changed below a model; its checks as they stand."""
    touched = _renew(
        session, model.name, model.refs, model.months, partial(compute, session.engine, model), model.reach
    )
    return _checks(session, model) if touched else audit.recorded(session.engine, model.name)


def renew_indicator(session: Session, indicator: Indicator) -> None:
    """Compute what changed below an indicator; it is checked when it is rolled up."""
    again = partial(compute_indicator, session.engine, indicator)
    _renew(session, f"indicator.{indicator.id}", indicator.refs, "month", again)


def _renew(
    session: Session,
    table: str,
    refs: tuple[str, ...],
    months: str | None,
    compute: Callable[[bool], int],
    reach: int = 0,
) -> bool:
    """Compute what changed below a table and note what that touches; whether anything did."""
    touched = session.plan(refs, reach)
    if CLOCK in refs and months and touched is not None:
        # The day moves without any delivery: any month may have changed, and most days none did.
        set_months(session.engine, session.horizon.months())
        touched = _differing(session.engine, table, months, partial(compute, True))
    elif reach and months and touched:
        # Within reach most months come out as they were, and what stands on them is spared.
        touched = _differing(session.engine, table, months, partial(compute, False))
    elif touched != set() or CLOCK in refs:
        compute(touched is None or not months)
        touched = touched if months else None
    session.touched[table] = touched
    return touched != set()


def _differing(engine: Engine, table: str, months: str, compute: Callable[[], int]) -> set[date]:
    """The months of the run in which the rows of a table are others after it is computed than before."""
    within = f"{table} where {months} in (select month from run.month)"
    engine.replace("run.before", f"from {within}")
    compute()
    rows = engine.read(
        f"select distinct {months} as month from ((from run.before except all from {within})"
        f" union all (from {within} except all from run.before))"
    )
    return set(rows.read_all()["month"].to_pylist())


def renew_values(session: Session) -> list[CheckResult]:
    """Roll up and check what changed in indicators, and put surrogate keys in the place of natural ones."""
    engine, catalogue = session.engine, session.catalogue
    every = set(session.horizon.months())
    # A new month makes new periods, also of an indicator that has no row in it.
    found = {n: both(session.new_months, session.touched.get(f"indicator.{n}", set())) for n in catalogue.indicators}
    touched = {name: every if months is None else months for name, months in found.items() if months != set()}
    if not session.was_current:
        roll_up(engine, catalogue)
    elif touched:
        roll_up_part(engine, catalogue, touched)
    session.touched[VALUES] = set().union(*touched.values()) if session.was_current else None
    checks = [
        check for model in catalogue.models.values() if model.made_by == MADE_HERE for check in _keyed(session, model)
    ]
    for name, indicator in catalogue.indicators.items():
        table = f"indicator.{name}"
        if name in touched or not session.was_current:
            audit.record(engine, table, check_indicator(engine, catalogue, indicator))
        checks += audit.recorded(engine, table)
    return checks


def _keyed(session: Session, model: Model) -> list[CheckResult]:
    """Make and check a published table whose columns follow from the dimensions of the catalogue.

    A new key may stand for a code that rows of any month have, and a month that was closed for periods that nothing else
    touched: then the table is made as a whole.
    """
    engine, select = session.engine, keyed_select(session.catalogue, model.name)
    if session.touched.get(REGISTER, set()) is None or session.are_states_new or not session.was_current:
        engine.replace(model.name, select)
    elif model.name in _AGAIN and session.touched[VALUES]:
        engine.replace_part(model.name, _AGAIN[model.name], f"{select} where {_AGAIN[model.name]}")
    else:
        return audit.recorded(engine, model.name)
    return _checks(session, model)


def _checks(session: Session, model: Model) -> list[CheckResult]:
    found = check_model(session.engine, session.catalogue, model)
    audit.record(session.engine, model.name, found)
    return found
