"""SQL models in the engine: computing a table, and proving its invariants.

Belongs here: running `ledger`, `indicator` and `bi` models and their checks. Does not belong here: their meaning (SQL).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from assets.rollup import rollup_select
from resources.catalogue import key_name
from resources.catalogue.models import DIMENSION_KEYS, Column
from resources.engine import TYPES
from resources.intake.expectations import CheckResult
from resources.publication.key_register import UNKNOWN

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Indicator, Model
    from resources.engine import Engine

LEAVES = "publish.fact_indicator_month"
VALUES = "publish.rpt_indicator_value"
# Rows of leaves and of values that `roll_up_part` makes again.
LEAF_AGAIN = "(indicator_id, month) in (select (indicator_id, month) from run.leaf)"
VALUE_AGAIN = "(indicator_id, period_code) in (select (indicator_id, period_code) from run.period)"


def compute(engine: Engine, model: Model, whole: bool = True) -> int:
    """Compute one model, as a whole or only the months of the run where it has months; returns its number of rows."""
    return _compute(engine, model.name, model.sql, None if whole else model.months)


def compute_indicator(engine: Engine, indicator: Indicator, whole: bool = True) -> int:
    """Compute the monthly components of an indicator into `indicator.<id>`; returns its number of rows."""
    return _compute(engine, f"indicator.{indicator.id}", indicator.sql, None if whole else "month")


def _compute(engine: Engine, table: str, sql: str, months: str | None) -> int:
    if months is None:
        return engine.replace(table, sql)
    return engine.replace_part(table, f"{months} in (select month from run.month)", sql)


def all_keys(catalogue: Catalogue) -> list[str]:
    """Every key an indicator may have: the columns with a dimension, in order of name."""
    return sorted(name for name, column in catalogue.columns.items() if column.dimension)


def roll_up(engine: Engine, catalogue: Catalogue) -> int:
    """Leaves and rolled-up values of all indicators under natural keys; the number of values."""
    keys = all_keys(catalogue)
    items = _filled(engine, [catalogue.indicators[k] for k in sorted(catalogue.indicators)])
    engine.replace(LEAVES, *(_leaf_select(i, keys) for i in items))
    return engine.replace(VALUES, *(rollup_select(i, keys) for i in items))


def roll_up_part(engine: Engine, catalogue: Catalogue, touched: Mapping[str, Collection[date]]) -> int:
    """Roll up again what these months of indicators stand in: their leaves, and every period with one of the months.

    `run.leaf` and `run.period` tell which these are. Returns the number of values.
    """
    rows = [f"('{name}', date '{month}')" for name, months in touched.items() for month in sorted(months)]
    listed = f"select * from (values {', '.join(rows) or '(null, null::date)'}) t(indicator_id, month)"
    engine.replace("run.leaf", f"{listed} where month is not null")
    engine.replace(
        "run.period",
        "select t.indicator_id, p.* from reference.period p join (select distinct indicator_id, period_code"
        " from run.leaf join reference.period using (month)) t using (period_code)",
    )
    keys = all_keys(catalogue)
    items = _filled(engine, [catalogue.indicators[name] for name in sorted(touched)])
    engine.replace_part(LEAVES, LEAF_AGAIN, *(f"{_leaf_select(i, keys)} where {LEAF_AGAIN}" for i in items))
    return engine.replace_part(VALUES, VALUE_AGAIN, *(_part_select(engine, i, keys) for i in items))


def _part_select(engine: Engine, indicator: Indicator, keys: list[str]) -> str:
    """SQL of the values of an indicator in the periods of `run.period`."""
    mine = f"from run.period where indicator_id = '{indicator.id}'"
    span = engine.read(f"select min(month) as first, max(month) as last {mine}").read_all().to_pylist()[0]
    # The periods alone decide what is rolled up; a span of months is planned faster and leaves blocks unread.
    rows = f"(from indicator.{indicator.id} where month between date '{span['first']}' and date '{span['last']}')"
    return rollup_select(indicator, keys, rows, f"(select * exclude (indicator_id) {mine})")


def _filled(engine: Engine, items: list[Indicator]) -> list[Indicator]:
    """The indicators with a row: without one there is no value, and planning would take as long as computing another's."""
    return [item for item in items if engine.count(f"indicator.{item.id}")] or items[:1]


def _leaf_select(indicator: Indicator, keys: list[str]) -> str:
    own = _own_keys(indicator)
    listed = ", ".join(k if k in own else f"null::varchar as {k}" for k in keys)
    return (
        f"select '{indicator.id}' as indicator_id, component, month, {listed}, amount, entity_id, gap_code"
        f" from indicator.{indicator.id}"
    )


def _own_keys(indicator: Indicator) -> list[str]:
    return sorted({k for component in indicator.components.values() for k in component.keys})


def check_model(engine: Engine, catalogue: Catalogue, model: Model) -> list[CheckResult]:
    """The invariants of a computed table: its declared columns, its key, and its own checks find no violating row."""
    known = [_keys_known(engine, catalogue, model.name)] if DIMENSION_KEYS in model.columns else []
    return [
        _declared_columns(engine, model.name, catalogue.columns_of(model)),
        *_key(engine, model.name, list(model.key)),
        *known,
        *(_violations(engine, model.name, c.id, c.severity, c.sql, c.nl, c.en) for c in model.checks),
    ]


def check_indicator(engine: Engine, catalogue: Catalogue, indicator: Indicator) -> list[CheckResult]:
    """The invariants of an indicator: declared columns, leaves unique, known components, plausible values."""
    table, own = f"indicator.{indicator.id}", _own_keys(indicator)
    key = ["component", "month", *own, "entity_id"]
    found = [
        _declared_columns(engine, table, component_columns(catalogue, indicator)),
        *_key(engine, table, key, ["component", "month"]),
    ]
    known = ", ".join(f"'{c}'" for c in indicator.components)
    sql = f"select component from {{table}} where component not in ({known})"
    nl, en = (
        "Elke regel hoort bij een onderdeel van de indicator.",
        "Every row belongs to a component of the indicator.",
    )
    found.append(_violations(engine, table, "known_component", "critical", sql, nl, en))
    nl, en = (
        "Een leeg getal zegt waarom, en een gevuld getal niet.",
        "An empty amount says why, and a filled one does not.",
    )
    sql = "select component from {table} where (amount is null) <> (gap_code is not null)"
    found.append(_violations(engine, table, "amount_or_gap", "critical", sql, nl, en))
    if indicator.range:
        low, high = indicator.range
        sql = f"select value from {VALUES} where indicator_id = '{indicator.id}' and value not between {low} and {high}"
        span = f"{low} - {high} {indicator.unit}"
        nl, en = f"De waarde ligt in {span}.", f"The value lies within {span}."
        found.append(_violations(engine, table, "plausible_value", "warning", sql, nl, en))
    return found


def component_columns(catalogue: Catalogue, indicator: Indicator) -> list[Column]:
    """The columns that the SQL of an indicator returns: component, month, its keys, amount, entity_id, gap_code."""
    units = ", ".join(f"{name}: {c.unit}" for name, c in indicator.components.items())
    amount = {"nl": f"Hoeveelheid ({units})", "en": f"Amount ({units})"}
    gap = {"nl": "Waarom de hoeveelheid leeg is", "en": "Why the amount is empty"}
    return [
        Column(name="component", type="code", nl="Onderdeel van de indicator", en="Component of the indicator"),
        catalogue.columns["month"],
        *(catalogue.columns[k] for k in _own_keys(indicator)),
        Column(name="amount", type="decimal", **amount),
        Column(name="entity_id", type="text", nl="Wat geteld wordt", en="What is counted"),
        Column(name="gap_code", type="code", **gap),
    ]


def _declared_columns(engine: Engine, table: str, columns: Iterable[Column]) -> CheckResult:
    expected, made = {c.name: TYPES[c.type] for c in columns}, dict(engine.columns(table))
    wrong = sorted(
        {f"{n} is {k}" for n, k in made.items() if expected.get(n) != k}
        | {f"{n} is absent" for n in expected.keys() - made}
    )
    nl, en = "De kolommen zijn zoals gedeclareerd.", "The columns are as declared."
    outcome = "failed" if wrong else "passed"
    return CheckResult(table, "declared_columns", "critical", outcome, ", ".join(wrong), nl, en)


def _key(engine: Engine, table: str, key: list[str], filled: list[str] | None = None) -> Iterable[CheckResult]:
    listed = ", ".join(key)
    sql = f"select {listed} from {{table}} group by {listed} having count(*) > 1"
    nl, en = f"De sleutel {listed} is uniek.", f"The key {listed} is unique."
    yield _violations(engine, table, "key_unique", "critical", sql, nl, en)
    told = filled or key
    missing = " or ".join(f"{k} is null" for k in told)
    nl, en = f"{', '.join(told)}: overal gevuld.", f"{', '.join(told)}: filled everywhere."
    yield _violations(
        engine, table, "key_filled", "critical", f"select 1 as missing from {{table}} where {missing}", nl, en
    )


def _keys_known(engine: Engine, catalogue: Catalogue, table: str) -> CheckResult:
    unknown = " or ".join(f"{key_name(c)} = {UNKNOWN}" for c in all_keys(catalogue))
    nl, en = "Elke code is bekend in haar dimensie.", "Every code is known in its dimension."
    return _violations(
        engine, table, "keys_known", "warning", f"select 1 as unknown from {{table}} where {unknown}", nl, en
    )


def _violations(engine: Engine, table: str, check_id: str, severity: str, sql: str, nl: str, en: str) -> CheckResult:
    select = sql.replace("{table}", table)
    rows = int(engine.read(f"select count(*) as n from ({select})").read_all()["n"][0].as_py())
    return CheckResult(table, check_id, severity, "failed" if rows else "passed", f"violating rows: {rows}", nl, en)
