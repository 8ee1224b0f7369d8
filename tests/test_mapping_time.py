"""What a mapping says of dates and times: any form a sender writes comes back as the same instant, or is set aside."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.catalogue.mapping_models import TimeRule
from resources.intake.stamps import parse_stamp, stamp_columns, timed_select
from resources.intake.zones import day_expression
from tests.real_run import DATA, require_data
from tests.staged import READING, staged

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
RULE = {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 15}


def stamped(folder: Path, cells: list[str], format: Any = None, rule: Any = RULE, **stamp: Any) -> list[dict]:
    """Readings of one meter with these texts as their stamps."""
    how = {"from": "Tijd", **({"format": format} if format else {}), **stamp}
    lines = [f"A;{cell};{number}" for number, cell in enumerate(cells)]
    mapping = {"format": {"delimiter": ";"}, "time": rule, "columns": {**READING, "stamp": how}}
    return staged(folder, "meter_reading", "EAN;Tijd;Verbruik\n" + "\n".join(lines) + "\n", mapping)


def told(rows: list[dict]) -> list[Any]:
    """The start of each row, or why it has none."""
    return [row["reasons"][0] if row["reasons"] else row["start_utc"] for row in rows]


@pytest.mark.parametrize(
    ("cell", "form", "start"),
    [
        ("2021-12-25T00:00:00+01:00", None, datetime(2021, 12, 24, 23)),
        ("2021-12-25T00:00+0100", None, datetime(2021, 12, 24, 23)),
        ("2021-12-25 00:00:00 +01", None, datetime(2021, 12, 24, 23)),
        ("2021-12-25T00:00:00.250Z", None, datetime(2021, 12, 25, 0, 0, 0, 250000)),
        ("2021-12-24T18:00:00-05:00", None, datetime(2021, 12, 24, 23)),
        ("2021-12-25 00:00", None, datetime(2021, 12, 24, 23)),
        ("2021-12-25", None, datetime(2021, 12, 24, 23)),
        ("31-12-2023 23:45:00 +0100", "%d-%m-%Y %H:%M:%S %z", datetime(2023, 12, 31, 22, 45)),
        ("31-12-2023 23:45:00Z", "%d-%m-%Y %H:%M:%S %z", datetime(2023, 12, 31, 23, 45)),
        ("1635634800", "epoch_seconds", datetime(2021, 10, 30, 23)),
        ("1635634800500", "epoch_milliseconds", datetime(2021, 10, 30, 23, 0, 0, 500000)),
        ("44927.5", "excel_serial", datetime(2023, 1, 1, 11)),
        ("2023-08-08T24:00:00+02:00", None, datetime(2023, 8, 8, 22)),
        ("08-08-2023 24:00", "%d-%m-%Y %H:%M", datetime(2023, 8, 8, 22)),
        ("31-12-2023 24:00:00 +0100", "%d-%m-%Y %H:%M:%S %z", datetime(2023, 12, 31, 23)),
        ("08-08-2023 24:15", "%d-%m-%Y %H:%M", "not_a_date:stamp"),
        ("2023-08-08T10:00:00+27:00", None, "not_a_date:stamp"),
        ("08-08-2023 10:00 +2700", "%d-%m-%Y %H:%M %z", "not_a_date:stamp"),
        ("2023-02-29T10:00:00+01:00", None, "not_a_date:stamp"),
        ("44927.5", None, "not_a_date:stamp"),
        ("infinity", None, "not_a_date:stamp"),
        ("99999999999999", "epoch_seconds", "not_a_date:stamp"),
        ("2087-01-01T00:00:00+01:00", None, "implausible_time"),
        ("0001-01-01T00:00:00+00:00", None, "implausible_time"),
        ("01-02-23 10:00", "%d-%m-%Y %H:%M", "implausible_time"),
    ],
)
def test_a_stamp_is_the_instant_it_tells(tmp_path: Path, cell: str, form: str | None, start: Any) -> None:
    """An offset was once dropped, and the text taken for local time."""
    *others, tested = stamped(tmp_path, [cell] if form else ["2023-01-01 00:00", cell], form)
    assert told([tested]) == [start]
    assert all(row["reasons"] == [] for row in others), "what one cell says ends nothing for the others"


def test_the_day_is_that_of_the_site(tmp_path: Path) -> None:
    rows = stamped(tmp_path, ["2023-07-01T22:00:00Z", "2023-07-01T21:45:00Z", "2023-07-02T00:00:00+02:00"])
    assert [row["local_date"] for row in rows] == [date(2023, 7, 2), date(2023, 7, 1), date(2023, 7, 2)]
    utc = {**RULE, "zone": "UTC", "site_zone": "Europe/Amsterdam"}
    rows = stamped(tmp_path, ["2023-07-01 22:00", "2023-01-01 22:00", "2023-01-01 23:00"], rule=utc)
    assert [row["local_date"] for row in rows] == [date(2023, 7, 2), date(2023, 1, 1), date(2023, 1, 2)]


FORMS = ["%Y-%m-%d %H:%M", "%d-%m-%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"]


def test_of_several_forms_one_must_read_a_text_or_all_that_do_alike(tmp_path: Path) -> None:
    cells = ["2023-04-03 00:00", "03-04-2023 01:00", "2023-04-03T02:00:00+0200", "04/04/2023 00:00", "04/03/2023 00:00"]
    midnight = datetime(2023, 4, 2, 22)
    assert told(stamped(tmp_path, [*cells, "3 april"], FORMS)) == [
        *[midnight + timedelta(hours=hour) for hour in (0, 1, 2, 24)],
        "ambiguous_date:stamp",
        "not_a_date:stamp",
    ]


SHORT = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
LONG = ("januari", "Februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november")


@pytest.mark.parametrize(
    ("cell", "forms", "day"),
    [
        ("03-04-2023", ["%Y-%m-%d", "%d-%m-%Y"], date(2023, 4, 3)),
        ("2023-04-03T00:00:00+02:00", "iso", date(2023, 4, 3)),
        ("2023-04-03T00:00:00+02:00", "%Y-%m-%dT%H:%M:%S%z", date(2023, 4, 3)),
        ("45019", "excel_serial", date(2023, 4, 3)),
        ("2023", "%Y", date(2023, 1, 1)),
        *[(f"{name}-24", "%b-%y", date(2024, month, 1)) for month, name in enumerate(SHORT, start=1)],
        *[(f"5 {name} 2024", "%d %B %Y", date(2024, month, 5)) for month, name in enumerate(LONG, start=1)],
        ("04/03/2023", ["%d/%m/%Y", "%m/%d/%Y"], "ambiguous_date:in_use_from"),
        ("03-04-23", "%d-%m-%Y", "not_a_date:in_use_from"),
        ("31-02-2023", ["%Y-%m-%d", "%d-%m-%Y"], "not_a_date:in_use_from"),
    ],
)
def test_a_day_is_the_one_that_is_written(tmp_path: Path, cell: str, forms: Any, day: Any) -> None:
    columns = {name: {"value": "x"} for name in ("site_id", "site_name", "client_id")}
    columns |= {"floor_area_go_m2": {"value": "1"}, "in_use_from": {"from": "dag", "format": forms}}
    (row,) = staged(tmp_path, "site", f"dag\n{cell}\n", {"columns": columns})
    assert (row["reasons"][0] if row["reasons"] else row["in_use_from"]) == day


@pytest.mark.parametrize(
    ("interval", "stamp", "cell", "start", "end"),
    [
        ("day", "start", "26-03-2023", datetime(2023, 3, 25, 23), datetime(2023, 3, 26, 22)),
        ("day", "end", "30-10-2023", datetime(2023, 10, 28, 22), datetime(2023, 10, 29, 23)),
        ("month", "start", "01-02-2024", datetime(2024, 1, 31, 23), datetime(2024, 2, 29, 23)),
        ("month", "end", "01-04-2024", datetime(2024, 2, 29, 23), datetime(2024, 3, 31, 22)),
        ("year", "start", "01-01-2024", datetime(2023, 12, 31, 23), datetime(2024, 12, 31, 23)),
    ],
)
def test_days_months_and_years_are_those_of_the_calendar(
    tmp_path: Path, interval: str, stamp: str, cell: str, start: datetime, end: datetime
) -> None:
    """A day of 1440 minutes is an hour short in autumn and an hour long in spring."""
    rule = {"zone": "Europe/Amsterdam", "stamp": stamp, "interval": interval}
    (row,) = stamped(tmp_path, [cell], "%d-%m-%Y", rule)
    assert (row["start_utc"], row["end_utc"], row["reasons"]) == (start, end, [])
    assert row["local_date"] == (start + timedelta(hours=2)).date()


def test_a_register_is_read_at_a_moment(tmp_path: Path) -> None:
    """Models convert no times, so the start of a reading is that of its day, also on the day of the change of clocks."""
    rule = {"zone": "Europe/Amsterdam", "stamp": "moment"}
    early, late = stamped(tmp_path, ["2023-03-26 00:00", "2023-03-26 12:00"], rule=rule)
    midnight = datetime(2023, 3, 25, 23)
    assert (early["start_utc"], early["end_utc"]) == (midnight, midnight)
    assert (late["start_utc"], late["end_utc"]) == (midnight, datetime(2023, 3, 26, 10))
    assert {early["local_date"], late["local_date"]} == {date(2023, 3, 26)}


SPAN = {
    **{name: how for name, how in READING.items() if name != "stamp"},
    "start_stamp": {"from": ["Van datum", "Van tijdstip"], "format": "%d-%m-%Y %H:%M:%S"},
    "end_stamp": {"from": ["Tot datum", "Tot tijdstip"], "format": "%d-%m-%Y %H:%M:%S"},
}


def spanned(folder: Path, spans: list[tuple[str, str]], **rule: Any) -> list[dict]:
    lines = [f"A;{a.replace(' ', ';')};{b.replace(' ', ';')};{n}" for n, (a, b) in enumerate(spans)]
    text = "EAN;Van datum;Van tijdstip;Tot datum;Tot tijdstip;Verbruik\n" + "\n".join(lines) + "\n"
    time = {"zone": "Europe/Brussels", **rule}
    return staged(folder, "meter_reading", text, {"format": {"delimiter": ";"}, "time": time, "columns": SPAN})


@pytest.mark.parametrize("last_end", ["02:00:00", "03:00:00"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_start_and_an_end_through_the_doubled_hour(tmp_path: Path, last_end: str, newest_first: bool) -> None:
    """The Flemish grid operator ends the last quarter of the first time round at 02:00, and that of the second at 03:00."""
    day = "31-10-2021"
    clock = ["02:00:00", "02:15:00", "02:30:00", "02:45:00"]
    first = [*zip(clock, [*clock[1:], last_end], strict=True)]
    second = [*zip(clock, [*clock[1:], "03:00:00"], strict=True)]
    around = [("01:45:00", "02:00:00"), *first, *second, ("03:00:00", "03:15:00")]
    spans = [(f"{day} {a}", f"{day} {b}") for a, b in around]
    order = "first_is_winter" if newest_first else "first_is_summer"
    rows = spanned(tmp_path, spans[::-1] if newest_first else spans, ambiguous=order)
    found = sorted((row["start_utc"], row["end_utc"]) for row in rows)
    begin = datetime(2021, 10, 30, 23, 45)
    quarters = [begin + timedelta(minutes=15 * step) for step in range(11)]
    assert found == [*zip(quarters, quarters[1:], strict=False)]
    assert [row["reasons"] for row in rows] == [[]] * 10


def test_an_interval_may_have_any_length(tmp_path: Path) -> None:
    rows = spanned(
        tmp_path,
        [("01-02-2024 00:00:00", "12-03-2024 00:00:00"), ("12-03-2024 00:00:00", "12-03-2024 00:00:00")],
    )
    assert (rows[0]["start_utc"], rows[0]["end_utc"]) == (datetime(2024, 1, 31, 23), datetime(2024, 3, 11, 23))
    assert rows[1]["reasons"], "an interval without length measures nothing"


def test_an_end_that_is_its_last_day_is_shifted_to_the_day_after(tmp_path: Path) -> None:
    columns = {
        **{name: how for name, how in READING.items() if name != "stamp"},
        "start_stamp": {"from": "Start", "format": "%Y-%m-%d"},
        "end_stamp": {"from": "End", "format": "%Y-%m-%d", "shift": "1 day"},
    }
    mapping = {"time": {"zone": "Europe/Amsterdam"}, "columns": columns}
    (row,) = staged(tmp_path, "meter_reading", "EAN,Start,End,Verbruik\nA,2024-03-01,2024-03-31,1\n", mapping)
    assert (row["start_utc"], row["end_utc"]) == (datetime(2024, 2, 29, 23), datetime(2024, 3, 31, 22))


def test_the_quarter_hours_of_the_flemish_grid_operator_follow_each_other(tmp_path: Path) -> None:
    """Four registers, local time, and the last Sunday of October with a hundred quarters."""
    require_data()
    (path,) = (DATA / "nl-meter-exports" / "fluvius-nl").glob("*elektriciteit*")
    codes = {"Afname Dag": "1.8.2", "Afname Nacht": "1.8.1", "Injectie Dag": "2.8.2", "Injectie Nacht": "2.8.1"}
    columns = {
        **SPAN,
        "register_code": {"from": "Register", "codes": codes},
        "quantity": {"from": "Volume", "unit_from": "Eenheid"},
    }
    mapping = {
        "format": {"delimiter": ";", "decimal": ","},
        "time": {"zone": "Europe/Brussels"},
        "ignore_rows": [{"heading": "Validatiestatus", "matches": "^Geen verbruik$", "reason": "no_use"}],
        "columns": {**columns, "meter_id": {"from": "EAN"}},
    }
    rows = staged(tmp_path, "meter_reading", path.read_bytes(), mapping, path.name)
    assert {row["end_utc"] - row["start_utc"] for row in rows} == {timedelta(minutes=15)}
    taken = [row for row in rows if row["register_code"].startswith("1.8") and row["local_date"] == date(2021, 10, 31)]
    assert len({row["start_utc"] for row in taken}) == 100
    assert not [row for row in rows if row["reasons"] and row["ignored_reason"] is None]


ZONES = ["Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Australia/Sydney"]
# Form, and how Python writes an instant in it; the last says whether it tells an instant or time on the clock.
WRITTEN: list[tuple[str, Any, bool]] = [
    ("iso", lambda local: local.isoformat(), True),
    ("iso", lambda local: f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", True),
    ("iso", lambda local: f"{local:%Y-%m-%d %H:%M:%S}", False),
    ("%d-%m-%Y %H:%M:%S %z", lambda local: f"{local:%d-%m-%Y %H:%M:%S %z}", True),
    ("%d-%m-%Y %H:%M:%S", lambda local: f"{local:%d-%m-%Y %H:%M:%S}", False),
    ("%m/%d/%Y %I:%M:%S %p", lambda local: f"{local:%m/%d/%Y %I:%M:%S %p}", False),
    ("epoch_seconds", lambda local: str(int(local.timestamp())), True),
    ("epoch_milliseconds", lambda local: str(int(local.timestamp()) * 1000), True),
]


@settings(max_examples=40, deadline=None)
@given(
    moments=st.lists(st.datetimes(datetime(1990, 2, 1), datetime(2060, 11, 30)), min_size=1, max_size=20),
    zone=st.sampled_from(ZONES),
    written=st.sampled_from(WRITTEN),
    beside=st.sampled_from([(), ("%Y/%m/%d %H:%M",)]),
)
def test_an_instant_comes_back_from_any_form_and_zone(
    moments: list[datetime], zone: str, written: tuple[str, Any, bool], beside: tuple[str, ...]
) -> None:
    """The oracle is the standard library. On the clock, the second of two equal hours is told by order of arrival alone."""
    form, write, is_instant = written
    local = [moment.replace(microsecond=0, tzinfo=UTC).astimezone(ZoneInfo(zone)) for moment in moments]
    rule = TimeRule(zone=zone, stamp="start", interval_minutes=15)
    parsed = {"stamp": parse_stamp("c_stamp", (form, *beside), None)}
    rows = duckdb.execute(
        f"with valued as (select c_stamp, {', '.join(stamp_columns('stamp', parsed['stamp']))}"
        f" from (select unnest(?::varchar[]) as c_stamp)) select c_stamp, start_utc, local_date,"
        f" {day_expression(zone, 'start_utc')} from ({timed_select(rule, parsed)})",
        [[write(one) for one in local]],
    ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    for one in local:
        first = one if is_instant else one.replace(fold=0)
        assert found[write(one)] == (first.astimezone(UTC).replace(tzinfo=None), one.date(), one.date())


@settings(max_examples=5, deadline=None)
@given(order=st.permutations(range(8)))
def test_the_order_of_rows_does_not_matter(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    """All but the doubled hour, which order alone tells apart."""
    cells = ["2023-04-03 00:00", "03-04-2023 00:15", "03-04-2023 00:15", "2023-04-03T00:30:00+0200", "04/03/2023 00:45"]
    cells += ["x", "2023-04-03 01:00", ""]
    rows = stamped(tmp_path_factory.mktemp("order"), [cells[place] for place in order], FORMS)
    # The quantity is the place in the file, so it tells which cell a row had.
    found = {(cells[order[int(row["quantity"])]], *map(str, told([row]))) for row in rows}
    assert found == {
        ("2023-04-03 00:00", "2023-04-02 22:00:00"),
        ("03-04-2023 00:15", "conflicting_repeat"),
        ("2023-04-03T00:30:00+0200", "2023-04-02 22:30:00"),
        ("04/03/2023 00:45", "ambiguous_date:stamp"),
        ("x", "not_a_date:stamp"),
        ("2023-04-03 01:00", "2023-04-02 23:00:00"),
        ("", "missing:stamp"),
    }
