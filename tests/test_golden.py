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
from resources.catalogue_reading import load_catalogue
from resources.engine import Engine
from resources.merging import DatasetTables

FOLDER = Path(__file__).parent / "golden"
CATALOGUE = load_catalogue()
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['title']}")
    for path in sorted(FOLDER.glob("*.yml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]


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


def values_of(indicator_id: str, case: dict, reverse: bool = False) -> list[dict]:
    core = {k: list(reversed(v)) if reverse else v for k, v in case["core"].items()}
    indicator = CATALOGUE.indicators[indicator_id]
    span = Horizon(*(date.fromisoformat(f"{m}-01") for m in case["months"]))
    with Engine(None, Path("unused")) as engine:
        fill(engine, core)
        prepare_reference(engine, CATALOGUE, span, date(2026, 1, 1), "golden")
        set_months(engine, span.months())
        for model in CATALOGUE.models_below(indicator.refs):
            compute(engine, model)
        compute_indicator(engine, indicator)
        select = rollup_select(indicator, all_keys(CATALOGUE))
        return engine.read(f"select * from ({select}) order by all").read_all().to_pylist()


@pytest.mark.parametrize(("indicator_id", "case"), CASES)
def test_golden(indicator_id: str, case: dict) -> None:
    found = values_of(indicator_id, case)
    for want in case["expect"]:
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
                expected = None if want[name] is None else Decimal(str(want[name]))
                assert hits[0][name] == pytest.approx(expected, abs=Decimal("0.00001")), (want, name)
        assert hits[0]["value_status"] == want.get("status", "measured")


@pytest.mark.parametrize(("indicator_id", "case"), CASES)
def test_the_order_of_rows_does_not_matter(indicator_id: str, case: dict) -> None:
    assert values_of(indicator_id, case) == values_of(indicator_id, case, reverse=True)
