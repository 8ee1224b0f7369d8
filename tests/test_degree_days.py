"""Degree days from a few years of weather: against a plain reading of the rule, day by day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from assets.modelling import check_model, compute
from resources.catalogue.reading import load_catalogue
from resources.engine import Engine

CATALOGUE = load_catalogue()
MODEL = CATALOGUE.models["ledger.degree_day_month"]
WEIGHTS = dict(zip(range(1, 13), map(Decimal, "1.1 1.1 1.0 0.8 0.8 0.8 0.8 0.8 0.8 1.0 1.1 1.1".split()), strict=True))
Weather = dict[tuple[str, date], Decimal]


def days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((end - first).days)]


def weather() -> Weather:
    """Station A: 2021 to 2023 and the first half of 2024, without one day of March 2022; station B: 2023, five degrees colder."""
    found: Weather = {}
    for day in days(date(2021, 1, 1), date(2024, 7, 1)):
        temperature = Decimal(300 - abs(day.timetuple().tm_yday - 190) * 2 + day.year - 2021) / 10
        if day != date(2022, 3, 15):
            found["A", day] = temperature
        if day.year == 2023:
            found["B", day] = temperature - 5
    return found


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(None, tmp_path) as made:
        rows = weather()
        cells = {
            "station_id": [station for station, _ in rows],
            "local_date": pa.array([day for _, day in rows], pa.date32()),
            "mean_temperature_c": pa.array(list(rows.values()), pa.decimal128(28, 6)),
        }
        made.load("core.weather_day", pa.table(cells))
        compute(made, MODEL)
        yield made


def degrees(station: str, month: date, weight: Callable[[date], Decimal] = lambda _: Decimal(1)) -> Decimal:
    """Degree days of a month, added day by day."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    known = weather()
    return sum((max(18 - known[station, day], Decimal(0)) * weight(day) for day in days(month, following)), Decimal(0))


def weighted(station: str, month: date) -> Decimal:
    return degrees(station, month, lambda day: WEIGHTS[day.month])


def told(engine: Engine, station: str, month: date) -> dict:
    (row,) = (
        engine.read(f"select * from ledger.degree_day_month where station_id = '{station}' and month = date '{month}'")
        .read_all()
        .to_pylist()
    )
    return row


@pytest.mark.parametrize("month", range(1, 13))
def test_every_degree_below_18_counts_by_the_weight_of_its_month(engine: Engine, month: int) -> None:
    first = date(2021, month, 1)
    row = told(engine, "A", first)
    assert row["measured_days"] == row["days"]
    assert (row["degree_days"], row["weighted_degree_days"]) == (degrees("A", first), weighted("A", first))


def test_a_month_that_lacks_a_day_has_no_degree_days_and_its_year_is_in_no_reference(engine: Engine) -> None:
    row = told(engine, "A", date(2022, 3, 1))
    assert (row["days"], row["measured_days"]) == (31, 30)
    assert row["degree_days"] is None and row["weighted_degree_days"] is None
    assert (row["reference_years"], row["reference_degree_days"]) == (1, degrees("A", date(2021, 3, 1)))
    assert told(engine, "A", date(2022, 4, 1))["reference_years"] == 1


def test_the_reference_is_the_mean_of_the_complete_years_so_far_with_the_same_weights(engine: Engine) -> None:
    """2024 is not complete, so a month of it is held against 2021 and 2023."""
    row = told(engine, "A", date(2024, 4, 1))
    whole, weighed = ([of("A", date(year, 4, 1)) for year in (2021, 2023)] for of in (degrees, weighted))
    assert row["reference_years"] == 2
    assert row["reference_degree_days"] == sum(whole) / 2
    assert row["reference_weighted_degree_days"] == sum(weighed) / 2
    assert told(engine, "A", date(2021, 4, 1))["reference_degree_days"] == whole[0], "later years change nothing before"


def test_a_station_is_held_against_itself(engine: Engine) -> None:
    row = told(engine, "B", date(2023, 4, 1))
    assert (row["reference_years"], row["reference_degree_days"]) == (1, degrees("B", date(2023, 4, 1)))


def test_without_a_complete_year_there_is_no_reference(engine: Engine) -> None:
    engine.connection.execute("delete from core.weather_day where year(local_date) <> 2024")
    compute(engine, MODEL)
    row = told(engine, "A", date(2024, 4, 1))
    assert (row["reference_years"], row["reference_degree_days"]) == (0, None)
    assert row["degree_days"] == degrees("A", date(2024, 4, 1))


def test_what_is_computed_passes_its_own_checks(engine: Engine) -> None:
    assert {check.outcome for check in check_model(engine, CATALOGUE, MODEL)} == {"passed"}
