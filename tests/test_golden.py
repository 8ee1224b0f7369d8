"""Golden cases: rows in, values out, with the arithmetic beside them. Every indicator has at least one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from assets.modelling import all_keys, compute, compute_indicator
from assets.preparing import Horizon, prepare_reference, set_months
from assets.rollup import rollup_select
from resources.catalogue.reading import load_catalogue
from resources.engine import Engine
from resources.intake.merging import DatasetTables

FOLDER = Path(__file__).parent / "golden"
CATALOGUE = load_catalogue()
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['title']}")
    for path in sorted(FOLDER.glob("*.yml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]

RESTATED = [case for case in CASES if "restate" in str(case.values[1])]


def test_every_indicator_has_a_golden_case() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} >= set(CATALOGUE.indicators)


def rows_of(row: dict) -> list[dict]:
    """One row, or one per day with the total split (the remainder on the last day), or one per month."""
    if "each_month" in row:
        first, last = (date.fromisoformat(f"{m}-01") for m in row["each_month"])
        rest = {k: v for k, v in row.items() if k != "each_month"}
        return [{**rest, "month": m} for m in Horizon(first, last).months()]
    if "each_day" not in row:
        return [row]
    first, end = row["each_day"]
    days = [first + timedelta(days=i) for i in range((end - first).days)]
    part = (Decimal(row["total"]) / len(days)).quantize(Decimal("0.000001"))
    parts = [part] * (len(days) - 1) + [Decimal(row["total"]) - part * (len(days) - 1)]
    return [
        {
            "meter_id": row["meter_id"], "register_code": row.get("register_code", "1.8.0"), "kind_code": "interval",
            "unit_code": row.get("unit_code", "kWh"), "local_date": d, "start_utc": d, "end_utc": d + timedelta(days=1), "quantity": q,
        }
        for d, q in zip(days, parts, strict=True)
    ]  # fmt: skip


def fill(engine: Engine, core: dict) -> None:
    for name, contract in CATALOGUE.contracts.items():
        DatasetTables(engine.connection, CATALOGUE, contract)
        for row in (r for given in core.get(name, []) for r in rows_of(given)):
            marks = ", ".join("?" for _ in row)
            engine.connection.execute(
                f"insert into core.{name} ({', '.join(row)}) values ({marks})", [v for v in row.values()]
            )


def computed(case: dict, indicator_id: str, core: dict, restate: list[dict]) -> list[dict]:
    """The values of an indicator over core rows; after some of them changed, where the case says so."""
    indicator = CATALOGUE.indicators[indicator_id]
    span = Horizon(*(date.fromisoformat(f"{m}-01") for m in case["months"]))
    with Engine(None, Path("unused")) as engine:
        fill(engine, core)
        prepare_reference(engine, CATALOGUE, span, date(2026, 1, 1), "golden")
        set_months(engine, span.months())
        for whole in (True, False) if restate else (True,):
            for change in () if whole else restate:
                engine.connection.execute(f"update core.{change['core']} set {change['set']} where {change['where']}")
            for model in CATALOGUE.models_below(indicator.refs):
                compute(engine, model, whole)
            compute_indicator(engine, indicator, whole)
        select = rollup_select(indicator, all_keys(CATALOGUE))
        return engine.read(f"select * from ({select}) order by all").read_all().to_pylist()


def assert_found(found: list[dict], expected: list[dict]) -> None:
    for want in expected:
        keys = {k: v for k, v in want.items() if k.endswith(("_id", "_code"))}
        hits = [
            row
            for row in found
            if row["level_code"] == want["level"]
            and row["period_code"] == want["period"]
            and all(row[k] == v for k, v in keys.items())
        ]
        if want.get("absent"):
            assert not hits, f"{want} should not be there"
            continue
        assert len(hits) == 1, f"{want}: {len(hits)} rows"
        for name in ("value", "coverage", "numerator", "denominator"):
            if name in want:
                value = None if want[name] is None else Decimal(str(want[name]))
                assert hits[0][name] == pytest.approx(value, abs=Decimal("0.00001")), (want, name)
        assert hits[0]["value_status"] == want.get("status", "measured")


@pytest.mark.parametrize(("indicator_id", "case"), CASES)
def test_golden(indicator_id: str, case: dict) -> None:
    assert_found(computed(case, indicator_id, case["core"], []), case["expect"])


@pytest.mark.parametrize(("indicator_id", "case"), RESTATED)
def test_a_restated_row_changes_the_value(indicator_id: str, case: dict) -> None:
    """The months are computed again one by one, as a run does, not the whole table."""
    assert_found(computed(case, indicator_id, case["core"], case["restate"]), case["then"])


@pytest.mark.parametrize("indicator_id", sorted(CATALOGUE.indicators))
def test_every_indicator_has_a_restated_case_and_one_without_a_value(indicator_id: str) -> None:
    cases = yaml.safe_load((FOLDER / f"{indicator_id}.yml").read_text("utf-8"))
    assert any("restate" in case for case in cases)
    wanted = [want for case in cases for want in case["expect"]]
    assert any("status" in want or want.get("absent") for want in wanted), (
        "add a month or a denominator that is missing"
    )


@pytest.mark.parametrize(("indicator_id", "case"), CASES)
def test_the_order_of_rows_does_not_matter(indicator_id: str, case: dict) -> None:
    reverse = {name: list(reversed(rows)) for name, rows in case["core"].items()}
    assert computed(case, indicator_id, case["core"], []) == computed(case, indicator_id, reverse, [])
