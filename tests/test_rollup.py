"""Roll-up rules: every pair of `over_time` and `over_keys`, on rows small enough to add up by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from assets.preparing import Horizon
from assets.rollup import period_select, rollup_select
from resources.engine import Engine

# (month, service, entity, amount): January has 31 days, February 28.
ROWS = [
    (1, "cleaning", "a", 10), (1, "cleaning", "b", 4), (1, "catering", "a", 10),
    (2, "cleaning", "a", 20), (2, "catering", "a", 6),
]  # fmt: skip
# Over the quarter, for the whole site. Per key and entity first, then over the keys.
# sum:      cleaning a 30, b 4; catering a 16
# mean:     cleaning a (310+560)/59, b 4; catering a (310+168)/59
# last:     February: cleaning a 20, catering a 6
# max:      cleaning a 20, b 4; catering a 10
# distinct: one each
MEAN_A, MEAN_CATERING = Decimal("14.745763"), Decimal("8.101695")
EXPECTED = {
    ("sum", "sum"): 50, ("sum", "max"): 34, ("sum", "distinct"): 34,
    ("mean", "sum"): MEAN_A + 4 + MEAN_CATERING, ("mean", "max"): MEAN_A + 4, ("mean", "distinct"): MEAN_A + 4,
    ("last", "sum"): 26, ("last", "max"): 20, ("last", "distinct"): 20,
    ("max", "sum"): 34, ("max", "max"): 24, ("max", "distinct"): 24,
    ("distinct", "sum"): 3, ("distinct", "max"): 2, ("distinct", "distinct"): 2,
}  # fmt: skip


def values(over_time: str, over_keys: str, rows: list, levels: tuple) -> dict:
    component = SimpleNamespace(keys=("site_id", "service_code"), over_time=over_time, over_keys=over_keys)
    indicator = SimpleNamespace(
        minimum_denominator=None,
        scale=1,
        minimum_coverage=None,
        id="probe",
        pillar="purpose",
        components={"part": component},
        levels=levels,
        numerator="part",
        denominator=None,
    )
    span = Horizon(date(2025, 1, 1), date(2025, 3, 1))
    with Engine(None, Path("unused")) as engine:
        engine.replace(
            "reference.month",
            "select m::date as month, date_diff('day', m, m + interval 1 month) as days from"
            f" generate_series(timestamp '{span.first}', timestamp '{span.last}', interval 1 month) t(m)",
        )
        engine.replace("reference.period", period_select())
        listed = ", ".join(f"('part', date '2025-{m:02d}-01', 'S', '{s}', {v}, '{e}', null)" for m, s, e, v in rows)
        engine.replace(
            "indicator.probe",
            "select c as component, m as month, s as site_id, v as service_code, a::decimal(28, 6) as amount, e as entity_id,"
            f" g::varchar as gap_code from (values {listed}) t(c, m, s, v, a, e, g)",
        )
        select = rollup_select(indicator, ["service_code", "site_id"])  # type: ignore[arg-type]
        found = (
            engine.read(f"select level_code, service_code, period_code, value from ({select})").read_all().to_pylist()
        )
    return {(r["level_code"], r["service_code"], r["period_code"]): r["value"] for r in found}


@pytest.mark.parametrize(("over_time", "over_keys"), EXPECTED)
def test_every_pair_of_rules(over_time: str, over_keys: str) -> None:
    found = values(over_time, over_keys, ROWS, (("site_id",),))
    assert found["site", None, "2025-Q1"] == EXPECTED[over_time, over_keys]


def test_levels_are_rolled_up_from_the_leaves_and_add_up() -> None:
    found = values("sum", "sum", ROWS, (("site_id",), ("site_id", "service_code")))
    parts = [found["site+service", s, "2025-Q1"] for s in ("cleaning", "catering")]
    assert parts == [34, 16]
    assert (
        sum(parts) == found["site", None, "2025-Q1"] == found["site", None, "2025-01"] + found["site", None, "2025-02"]
    )
