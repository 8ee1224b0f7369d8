"""SQL models in the engine: computing a table, and proving its invariants.

Belongs here: running `ledger`, `indicator` and `bi` models and their checks. Does not belong here: their meaning (SQL).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from assets.rollup import rollup_select
from resources.expectations import CheckResult

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Indicator, Model
    from resources.engine import Engine

LEAVES = "publish.fact_indicator_month"
VALUES = "publish.rpt_indicator_value"


def compute(engine: Engine, model: Model) -> int:
    """Compute one model, only the months of the run where it has months; returns its number of rows."""
    if model.months:
        return engine.replace_months(model.name, model.sql, model.months)
    return engine.replace(model.name, model.sql)


def compute_indicator(engine: Engine, indicator: Indicator) -> int:
    """Compute the monthly components of an indicator into `indicator.<id>`; returns its number of rows."""
    return engine.replace_months(f"indicator.{indicator.id}", indicator.sql, "month")


def all_keys(catalogue: Catalogue) -> list[str]:
    """Every key an indicator may have: the columns with a dimension, in order of name."""
    return sorted(name for name, column in catalogue.columns.items() if column.dimension)


def roll_up(engine: Engine, catalogue: Catalogue) -> dict[str, int]:
    """Leaves and rolled-up values of all indicators into the two staging tables of publication."""
    keys = all_keys(catalogue)
    items = [catalogue.indicators[k] for k in sorted(catalogue.indicators)]
    leaves = " union all ".join(_leaf_select(i, keys) for i in items)
    values = " union all by name ".join(f"({rollup_select(i, keys)})" for i in items)
    return {LEAVES: engine.replace(LEAVES, leaves), VALUES: engine.replace(VALUES, values)}


def _leaf_select(indicator: Indicator, keys: list[str]) -> str:
    own = {k for component in indicator.components.values() for k in component.keys}
    listed = ", ".join(k if k in own else f"null::varchar as {k}" for k in keys)
    return (
        f"select '{indicator.id}' as indicator_id, component, month, {listed}, amount, entity_id, gap_code"
        f" from indicator.{indicator.id}"
    )


def check_model(engine: Engine, table: str, key: Iterable[str], checks: Iterable[object]) -> list[CheckResult]:
    """The invariants of a computed table: its key is filled and unique, and its own checks find no violating row."""
    key = list(key)
    listed = ", ".join(key)
    missing = " or ".join(f"{k} is null" for k in key)
    found = [
        _violations(
            engine,
            table,
            "key_unique",
            "critical",
            f"select {listed} from {table} group by {listed} having count(*) > 1",
            f"De sleutel {listed} is uniek.",
            f"The key {listed} is unique.",
        ),
    ]
    if missing and table.split(".")[0] in ("ledger", "bi"):
        found.append(
            _violations(
                engine,
                table,
                "key_filled",
                "critical",
                f"select {listed} from {table} where {missing}",
                f"De sleutel {listed} is overal gevuld.",
                f"The key {listed} is filled everywhere.",
            )
        )
    for c in checks:
        sql = c.sql.replace("{table}", table)  # type: ignore[attr-defined]
        found.append(_violations(engine, table, c.id, c.severity, sql, c.nl, c.en))  # type: ignore[attr-defined]
    return found


def check_indicator(engine: Engine, indicator: Indicator, table: str = VALUES) -> list[CheckResult]:
    """The invariants of an indicator: leaves unique, values in the plausible range, nothing covered more than once."""
    own = sorted({k for component in indicator.components.values() for k in component.keys})
    name = f"indicator.{indicator.id}"
    key = ["component", "month", *own, "entity_id"]
    results = check_model(engine, name, key, ())
    known = ", ".join(f"'{c}'" for c in indicator.components)
    results.append(
        _violations(
            engine,
            name,
            "known_component",
            "critical",
            f"select * from {name} where component not in ({known})",
            "Elke regel hoort bij een onderdeel van de indicator.",
            "Every row belongs to a component of the indicator.",
        )
    )
    if indicator.range:
        low, high = indicator.range
        sql = f"select * from {table} where indicator_id = '{indicator.id}' and value not between {low} and {high}"
        results.append(
            _violations(
                engine,
                name,
                "plausible_value",
                "warning",
                sql,
                f"De waarde ligt tussen {low} en {high} {indicator.unit}.",
                f"The value lies between {low} and {high} {indicator.unit}.",
            )
        )
    return results


def _violations(engine: Engine, table: str, check_id: str, severity: str, sql: str, nl: str, en: str) -> CheckResult:
    rows = int(engine.read(f"select count(*) as n from ({sql})").read_all()["n"][0].as_py())
    return CheckResult(table, check_id, severity, "failed" if rows else "passed", f"violating rows: {rows}", nl, en)
