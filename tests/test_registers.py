"""From registers to quantities: the cases of cases/registers.yml, and what must hold for any readings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.modelling import check_model, compute
from assets.preparing import Horizon, prepare_reference, set_months
from resources.catalogue.reading import load_catalogue
from resources.engine import Engine
from resources.intake.merging import DatasetTables
from resources.months import widened

CATALOGUE = load_catalogue()
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "registers.yml").read_text("utf-8"))
MODELS = CATALOGUE.models_below(["ledger.energy_month"])
YEAR = Horizon(date(2025, 1, 1), date(2025, 4, 1))


class Metered:
    """One meter with readings, and the tables that follow from them."""

    def __init__(self, engine: Engine, span: Horizon, interval_minutes: int, digits: int | None) -> None:
        self.engine = engine
        self.span = span
        self.run = engine.connection.execute
        for contract in CATALOGUE.contracts.values():
            DatasetTables(engine.connection, CATALOGUE, contract)
        self.run("insert into core.site (site_id, client_id, in_use_from) values ('S', 'C', date '2010-01-01')")
        self.run(
            "insert into core.meter (meter_id, site_id, carrier_code, unit_code, interval_minutes, register_digits, valid_from)"
            " values ('E', 'S', 'electricity', 'kWh', ?, ?, date '2010-01-01')",
            [interval_minutes, digits],
        )
        prepare_reference(engine, CATALOGUE, span, date(2026, 1, 1), "test")
        set_months(engine, span.months())

    def put(
        self, kind: str, register: str, start: datetime, end: datetime, on: date, quantity: Any, serial: Any
    ) -> None:
        self.run(
            "insert into core.meter_reading (meter_id, register_code, kind_code, unit_code, start_utc, end_utc, local_date,"
            " quantity, meter_serial) values ('E', ?, ?, 'kWh', ?, ?, ?, ?, ?)",
            [register, kind, start, end, on, quantity, serial],
        )

    def stand(self, register: str, at: datetime, quantity: Any, serial: Any = None, on: date | None = None) -> None:
        day = at if on else datetime.combine(at, datetime.min.time())
        self.put("register", register, day, at, on or at.date(), quantity, serial)

    def compute(self) -> None:
        for model in MODELS:
            compute(self.engine, model)

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        return self.run(select).fetchall()

    def broken(self) -> list[str]:
        """Invariants that do not hold; a fall that nothing explains is a warning and may be there."""
        found = [check for model in MODELS for check in check_model(self.engine, CATALOGUE, model)]
        return [f"{c.table}: {c.check_id}" for c in found if c.outcome != "passed" and c.severity == "critical"]


def moment(value: Any) -> datetime:
    """A date is the beginning of its day."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime(value.year, value.month, value.day)


def metered(engine: Engine, case: dict[str, Any]) -> Metered:
    first, last = (date.fromisoformat(f"{m}-01") for m in case.get("months", ["2025-01", "2025-04"]))
    made = Metered(engine, Horizon(first, last), case.get("interval_minutes", 1440), case.get("digits"))
    for register, stands in case.get("stands", {}).items():
        for at, *told in stands:
            made.stand(register, moment(at), *told)
    for register, intervals in case.get("intervals", {}).items():
        for start, end, quantity in intervals:
            made.put("interval", register, moment(start), moment(end), moment(start).date(), quantity, None)
    made.compute()
    return made


@pytest.mark.parametrize("case", [pytest.param(case, id=case["title"]) for case in CASES])
def test_what_follows_from_readings(tmp_path: Path, case: dict[str, Any]) -> None:
    with Engine(None, tmp_path) as engine:
        made = metered(engine, case)
        assert made.broken() == []
        days = dict(made.rows("select local_date, sum(quantity) from ledger.energy_day group by local_date"))
        expected = {day: Decimal(str(quantity)) for day, quantity in case.get("days", {}).items()}
        assert {day: days.get(day) for day in expected} == expected
        if "days" in case and "month" not in case and "a bill" not in case["title"]:
            assert days.keys() == expected.keys(), "a day that is not listed is unknown"
        notes = dict(made.rows("select end_utc, min(period_note_code) from ledger.metered_period group by end_utc"))
        assert {at: notes.get(moment(at)) for at in case.get("notes", {})} == case.get("notes", {})
        for month, told in case.get("month", {}).items():
            found = made.rows(f"select quantity, status_code from ledger.energy_month where month = date '{month}-01'")
            assert found == [(told[0] if told[0] is None else Decimal(told[0]), told[1])]
        for column, how in (("gap_minutes", "sum"), ("covered_minutes", "max")):
            if column in case:
                assert made.rows(f"select {how}({column}) from ledger.energy_day") == [(case[column],)]


# --- what must hold for any readings -----------------------------------------------------------------------------------

HOURS = st.lists(st.integers(0, 24 * 80), min_size=2, max_size=12, unique=True).map(sorted)
STEPS = st.lists(st.decimals("0", "900", places=3), min_size=12, max_size=12)
START = datetime(2025, 1, 3)


def true_register(hours: Iterable[int], steps: list[Decimal], first: Decimal) -> list[tuple[datetime, Decimal]]:
    """A register that never falls, as it stood after some hours."""
    value, found = first, []
    for hour, step in zip(hours, steps, strict=False):
        found.append((START + timedelta(hours=hour), value))
        value += step
    return found


@settings(max_examples=40, deadline=None)
@given(hours=HOURS, steps=STEPS, first=st.decimals("0", "99999", places=3), seed=st.randoms(use_true_random=False))
def test_days_add_up_to_last_less_first_for_any_sampling_and_order(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int], steps: list[Decimal], first: Decimal, seed: Any
) -> None:
    """The register of five digits rolls over by itself; no two stands lie more than 62 days apart."""
    stands = true_register([hours[0], *(h for h in hours[1:] if h - hours[0] <= 24 * 62)], steps, first)
    with Engine(None, tmp_path_factory.mktemp("any")) as engine:
        made = Metered(engine, YEAR, 60, 5)
        for at, value in seed.sample(stands, len(stands)):
            made.stand("1.8.0", at, value % 100_000)
        made.compute()
        total = made.rows("select coalesce(sum(quantity), 0) from ledger.metered_day")[0][0]
        negative = made.rows("select count(*) from ledger.metered_day where quantity < 0")[0][0]
        unread = made.rows("select count(*) from ledger.metered_period where period_note_code = 'not_yet_read'")[0][0]
        assert made.broken() == [] and negative == 0
    if not unread:
        assert total == stands[-1][1] - stands[0][1]


@settings(max_examples=25, deadline=None)
@given(hours=HOURS, steps=STEPS, cut=st.integers(1, 11), start=st.decimals("0", "99999", places=3))
def test_nothing_is_ever_told_across_two_serials(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int], steps: list[Decimal], cut: int, start: Decimal
) -> None:
    near = [h for h in hours if h - hours[0] <= 24 * 62]
    old, new = near[:cut], near[cut:]
    stands = {"A": true_register(old, steps, Decimal(500)), "B": true_register(new, steps, start)}
    known = sum((rows[-1][1] - rows[0][1] for rows in stands.values() if rows), Decimal(0))
    with Engine(None, tmp_path_factory.mktemp("serials")) as engine:
        made = Metered(engine, YEAR, 60, 6)
        for serial, rows in stands.items():
            for at, value in rows:
                made.stand("1.8.0", at, value, serial)
        made.compute()
        assert made.rows("select coalesce(sum(quantity), 0) from ledger.metered_day")[0][0] == known
        swaps = made.rows("select distinct quantity from ledger.metered_period where period_note_code = 'meter_swap'")
        assert swaps == ([(None,)] if old and new else [])


@settings(max_examples=15, deadline=None)
@given(
    days=st.lists(st.integers(0, 365 * 5), min_size=2, max_size=12, unique=True).map(sorted),
    steps=STEPS,
    taken=st.integers(0, 11),
)
def test_months_within_reach_computed_again_are_what_computing_everything_gives(
    tmp_path_factory: pytest.TempPathFactory, days: list[int], steps: list[Decimal], taken: int
) -> None:
    """A stand that is taken away changes periods before and after it, and none further away than the model says."""
    stands = true_register([24 * day for day in days], steps, Decimal(100))
    gone = stands[taken % len(stands)][0]
    (period,) = (model for model in MODELS if model.reach)
    near = widened({gone.date().replace(day=1)}, period.reach)
    with Engine(None, tmp_path_factory.mktemp("again")) as engine:
        made = Metered(engine, Horizon(date(2025, 1, 1), date(2030, 12, 1)), 44640, None)
        for at, value in stands:
            made.stand("1.8.0", at, value)
        made.compute()
        made.run("delete from core.meter_reading where end_utc = ?", [gone])
        set_months(engine, [month for month in made.span.months() if month in (near or ())])
        compute(engine, period, whole=False)
        found = sorted(made.rows(f"from {period.name}"), key=str)
        set_months(engine, made.span.months())
        compute(engine, period)
        assert found == sorted(made.rows(f"from {period.name}"), key=str)
