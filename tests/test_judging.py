"""Judging a row: what a cell becomes, and why it is set aside; nothing in one row ends the judging of the others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import KetenError
from resources.intake.zones import DOUBLED, PLAIN, SKIPPED, zone_expression
from tests.staged import CATALOGUE, READING, readings, sites, staged

HEAD = "Code;Naam;GO\n"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12,5", "12.5"),
        (" 12,5 ", "12.5"),
        ("\u00a012,5", "12.5"),
        ('="12,5"', "12.5"),
        ("1.234,5", "1234.5"),
        ("999999999,123456", None),
        ("1", "1"),
        ("1e3", "1000"),
    ],
)
def test_a_number_as_the_dutch_write_it(tmp_path: Path, cell: str, value: str | None) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    (row,) = sites(tmp_path, f"{HEAD}A;a;{quoted}\n", thousands=".")
    if value is None:
        assert row["reasons"] == ["out_of_range:floor_area_go_m2"]
    else:
        assert (row["reasons"], row["floor_area_go_m2"]) == ([], Decimal(value))


@pytest.mark.parametrize(
    "cell", ["NaN", "Inf", "-Inf", "1e309", "#REF!", "1,234.56", "0x1F", "١٢٣", "--0,12", "5 kWh", "a"]
)
def test_what_is_no_number_is_set_aside_and_the_others_go_on(tmp_path: Path, cell: str) -> None:
    good, bad = sites(tmp_path, f'{HEAD}A;a;1\nB;b;"{cell}"\n')
    assert (good["reasons"], bad["reasons"]) == ([], ["not_a_number:floor_area_go_m2"])
    assert bad["row_text"] == f"B;b;{cell}"


@pytest.mark.parametrize("cell", ["9" * 30, "9" * 60, "1e25"])
def test_a_number_too_large_to_hold_is_no_number(tmp_path: Path, cell: str) -> None:
    good, bad = sites(tmp_path, f"{HEAD}A;a;1\nB;b;{cell}\n")
    assert (good["reasons"], bad["reasons"]) == ([], ["not_a_number:floor_area_go_m2"])


@pytest.mark.parametrize("cell", ["", "-", "n.v.t.", "n.b.", "#N/A", " ", " - ", '=""'])
def test_a_mark_of_nothing_is_missing_and_never_zero(tmp_path: Path, cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    first, second = sites(tmp_path, f"{HEAD}A;a;{quoted}\n{quoted};b;1\n")
    assert (first["reasons"], first["floor_area_go_m2"]) == ([], None)
    assert second["reasons"] == ["missing:site_id"]


def test_a_text_stays_as_it_was_sent(tmp_path: Path) -> None:
    names = [
        "Null",
        "TRUE",
        "0012",
        "=cmd|' /C calc'!A0",
        "Robert'); drop table site;--",
        "{{ ref('x') }}",
        "../../x",
        "🧹",
    ]
    text = HEAD + "".join(f'S{i};"{name}";1\n' for i, name in enumerate(names))
    assert [row["site_name"] for row in sites(tmp_path, text)] == names


WASTE = {
    "collector_id": {"value": "W"},
    "site_id": {"value": "S"},
    "period_from": {"from": "dag", "format": "%d-%m-%Y"},
    "period_to": {"from": "dag", "format": "%d-%m-%Y", "shift": "1 month"},
    "stream_code": {"from": "stroom", "codes": {"Rest": "residual"}},
    "container_code": {"value": "x"},
    "treatment_code": {"value": "landfill"},
    "mass_kg": {"from": "gewicht", "unit": "t"},
}


def waste(folder: Path, *lines: str, **changes: dict) -> list[dict]:
    mapping = {"format": {"delimiter": ";", "decimal": ","}, "columns": {**WASTE, **changes}}
    return staged(folder, "waste_collection", "dag;stroom;gewicht\n" + "\n".join(lines) + "\n", mapping)


@pytest.mark.parametrize(("cell", "degrees"), [("   64", "6.4"), ("  -35", "-3.5"), ("    0", "0"), ("     ", None)])
def test_tenths_of_degrees_become_degrees(tmp_path: Path, cell: str, degrees: str | None) -> None:
    columns = {
        "station_id": {"from": "# STN"},
        "local_date": {"from": "YYYYMMDD", "format": "%Y%m%d"},
        "mean_temperature_c": {"from": "TG", "unit": "tenth_degree_c"},
    }
    text = f"Preamble\n\nUnits, and more\n\n# STN,YYYYMMDD,   TG\n\n  260,20250301,{cell}\n"
    (row,) = staged(tmp_path, "weather_day", text, {"format": {"skip_lines": 2}, "columns": columns})
    assert (row["row_no"], row["station_id"], row["local_date"]) == (7, "260", date(2025, 3, 1))
    assert row["mean_temperature_c"] == (None if degrees is None else Decimal(degrees))
    assert row["reasons"] == ([] if degrees else ["missing:mean_temperature_c"])


@pytest.mark.parametrize(("unit", "kg"), [("t", "1500"), ("kg", "1.5"), ("g", "0.0015")])
def test_units_are_brought_to_the_canonical_one(tmp_path: Path, unit: str, kg: str) -> None:
    (row,) = waste(tmp_path, "01-02-2025;Rest;1,5", mass_kg={"from": "gewicht", "unit": unit})
    assert (row["mass_kg"], row["reasons"]) == (Decimal(kg), [])


def test_a_conversion_that_does_not_fit_is_no_number_and_ends_nothing(tmp_path: Path) -> None:
    good, bad = waste(tmp_path, "01-02-2025;Rest;1", f"01-02-2025;Rest;{'9' * 21}")
    assert (good["reasons"], bad["reasons"]) == ([], ["not_a_number:mass_kg"])


@pytest.mark.parametrize(
    ("cell", "unit", "kg"),
    [("0,123456789", "kg", "0.123456789"), ("0,5", "g", "0.0005"), ("9999999999", "kg", None), ("x", "kg", None)],
)
def test_a_factor_keeps_nine_decimals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, unit: str, kg: str | None
) -> None:
    column = CATALOGUE.columns["mass_kg"].model_copy(update={"type": "factor"})
    monkeypatch.setitem(CATALOGUE.columns, "mass_kg", column)
    (row,) = waste(tmp_path, f"01-02-2025;Rest;{cell}", mass_kg={"from": "gewicht", "unit": unit})
    assert row["mass_kg"] == (Decimal(kg) if kg else None)
    assert row["reasons"] == ([] if kg else ["not_a_number:mass_kg"])


def test_a_code_is_translated_ours_is_known_and_another_is_set_aside(tmp_path: Path) -> None:
    rows = waste(tmp_path, "01-02-2025;Rest;1", "01-02-2025;paper;1", "01-02-2025;Karton;1")
    assert [(r["stream_code"], r["reasons"]) for r in rows] == [
        ("residual", []),
        ("paper", []),
        (None, ["unknown_code:stream_code"]),
    ]
    (row,) = waste(tmp_path, "01-02-2025;Karton;1", stream_code={"from": "stroom", "default": "other"})
    assert row["stream_code"] == "other"


ALIASES = {
    "site_id": {"any_of": ["Code", "code"]},
    "site_name": {"any_of": ["Naam", "Omschrijving", "Code"]},
    "client_id": {"value": "C"},
    "floor_area_go_m2": {"any_of": ["GO", "GO m2"]},
    "in_use_from": {"value": "2010-01-01"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Code;Naam;GO\nA;a;1\n", [("A", "a", 1)], id="the first heading"),
        pytest.param("code;Omschrijving;GO m2\nA;a;1\n", [("A", "a", 1)], id="another heading"),
        pytest.param("Code;Omschrijving;GO\nA; ;1\nB;-;2\n", [("A", "A", 1), ("B", "B", 2)], id="the next filled cell"),
        pytest.param("Code;Omschrijving;Naam;GO\nA;x;a;1\n", [("A", "a", 1)], id="in the order of the mapping"),
    ],
)  # fmt: skip
def test_of_several_headings_the_first_that_is_filled_counts(tmp_path: Path, text: str, expected: list) -> None:
    rows = staged(tmp_path, "site", text, {"format": {"delimiter": ";"}, "columns": ALIASES})
    assert [(r["site_id"], r["site_name"], r["floor_area_go_m2"]) for r in rows] == expected
    assert [r["reasons"] for r in rows] == [[] for _ in rows]


def test_a_file_with_none_of_several_headings_is_not_trusted(tmp_path: Path) -> None:
    told = "the heading 'GO' or 'GO m2' of mapping o__site is missing; found: Code, Naam"
    with pytest.raises(KetenError, match=told):
        staged(tmp_path, "site", "Code;Naam\nA;a\n", {"format": {"delimiter": ";"}, "columns": ALIASES})


def test_dates_and_shifts(tmp_path: Path) -> None:
    good, bad = waste(tmp_path, "31-01-2025;Rest;1", "31-02-2025;Rest;1")
    assert (good["period_from"], good["period_to"]) == (date(2025, 1, 31), date(2025, 2, 28))
    assert bad["reasons"] == ["not_a_date:period_from", "not_a_date:period_to"]


def test_equal_liftings_are_numbered_in_whatever_order_they_stand(tmp_path: Path) -> None:
    rows = waste(tmp_path, "01-02-2025;Rest;2", "01-02-2025;Rest;1", "01-02-2025;Rest;2", "02-02-2025;Rest;2")
    assert sorted((r["period_from"].day, r["mass_kg"], r["repeat_no"]) for r in rows) == [
        (1, 1000, 1),
        (1, 2000, 2),
        (1, 2000, 3),
        (2, 2000, 1),
    ]


def test_a_reading_sent_twice_is_one_and_a_conflict_is_set_aside_whole(tmp_path: Path) -> None:
    text = "EAN;Tijd;Verbruik\n" + "".join(
        f"{ean};01-02-2025 {time};{kwh}\n"
        for ean, time, kwh in [
            ("A", "10:00", 1),
            ("A", "10:00", 1),
            ("A", "10:15", 1),
            ("A", "10:15", 2),
            ("B", "10:15", 1),
        ]
    )
    rows = readings(tmp_path, text)
    assert [r["ignored_reason"] for r in rows] == [None, "exact_repeat", None, None, None]
    assert [r["reasons"] for r in rows] == [[], [], ["conflicting_repeat"], ["conflicting_repeat"], []]
    assert rows[2]["row_text"] == "A;01-02-2025 10:15;1"


def test_rows_that_are_no_data_are_ignored_with_the_reason(tmp_path: Path) -> None:
    mapping = {
        "format": {"delimiter": ";", "decimal": ","},
        "columns": WASTE,
        "ignore_rows": [{"heading": "dag", "matches": "^Totaal", "reason": "total"}],
    }
    rows = staged(tmp_path, "waste_collection", "dag;stroom;gewicht\n01-02-2025;Rest;1\nTotaal;;1\n", mapping)
    assert [(r["ignored_reason"], r["reasons"]) for r in rows] == [(None, []), ("total", [])]


def test_a_wide_row_becomes_records_and_its_text_is_the_whole_row(tmp_path: Path) -> None:
    hours = [f"{h:02d}:{m:02d}" for h in range(24) for m in (0, 15, 30, 45)]
    text = "EAN;Datum;" + ";".join(hours) + "\nA;01-02-2025;" + ";".join(["1,5"] * 95 + ["x"]) + "\n"
    columns = {
        **READING,
        "stamp": {"from": ["Datum", "slot"], "format": "%d-%m-%Y %H:%M"},
        "quantity": {"from": "cell", "unit": "kWh"},
    }
    mapping = {
        "format": {"delimiter": ";", "decimal": ","},
        "time": {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 15},
        "unpivot": {"headings": r"^\d\d:\d\d$", "name": "slot", "value": "cell"},
        "columns": columns,
    }
    rows = staged(tmp_path, "meter_reading", text, mapping)
    assert [(r["row_no"], r["record_no"]) for r in rows] == [(2, i) for i in range(1, 97)]
    assert rows[0]["start_utc"] == datetime(2025, 1, 31, 23, 0)
    assert [len(r["reasons"]) for r in rows] == [0] * 95 + [1]
    assert rows[95]["row_text"] == text.splitlines()[1]


def test_a_wide_file_without_its_headings_is_not_trusted(tmp_path: Path) -> None:
    mapping = {
        "time": {"zone": "UTC", "site_zone": "UTC", "stamp": "start", "interval_minutes": 15},
        "unpivot": {"headings": r"^\d\d:\d\d$", "name": "Tijd", "value": "Verbruik"},
        "columns": READING,
    }
    with pytest.raises(KetenError, match="no heading matches"):
        staged(tmp_path, "meter_reading", "EAN,other\nA,1\n", mapping)


AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def local_day(day: date) -> list[datetime]:
    """The quarter-hours of a local day as instants, 92 or 100 on days of clock change."""
    start = datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM).astimezone(UTC)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=AMSTERDAM).astimezone(UTC)
    return [start + timedelta(minutes=15 * i) for i in range(int((end - start).total_seconds()) // 900)]


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2025, 3, 30), 92), (date(2025, 10, 26), 100), (date(2025, 6, 1), 96), (date(1996, 10, 27), 100)],
)
@pytest.mark.parametrize("stamp", ["start", "end"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_local_days_become_instants(tmp_path: Path, day: date, count: int, stamp: str, newest_first: bool) -> None:
    instants = local_day(day)
    assert len(instants) == count
    written = [i + timedelta(minutes=15) if stamp == "end" else i for i in instants]
    lines = [f"A;{w.astimezone(AMSTERDAM):%d-%m-%Y %H:%M};{n}" for n, w in enumerate(written)]
    order = "first_is_winter" if newest_first else "first_is_summer"
    text = "EAN;Tijd;Verbruik\n" + "\n".join(reversed(lines) if newest_first else lines) + "\n"
    rows = readings(tmp_path, text, stamp=stamp, ambiguous=order)
    found = {int(r["quantity"]): (r["start_utc"], r["end_utc"], r["local_date"], r["reasons"]) for r in rows}
    for n, instant in enumerate(instants):
        start = instant.replace(tzinfo=None)
        assert found[n] == (start, start + timedelta(minutes=15), day, [])


def test_the_skipped_hour_is_set_aside_and_the_doubled_one_too_when_the_mapping_refuses_it(tmp_path: Path) -> None:
    text = "EAN;Tijd;Verbruik\nA;30-03-2025 02:15;1\nA;26-10-2025 02:15;1\nA;26-10-2025 03:15;1\n"
    reasons = [row["reasons"] for row in readings(tmp_path, text, ambiguous="refuse")]
    assert reasons == [["nonexistent_local_time"], ["ambiguous_local_time"], []]


ZONES = [
    "Europe/Amsterdam",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Casablanca",
]


@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2060, 12, 30)),
)
def test_offsets_are_those_of_the_time_zone_database(zone: str, moment: datetime) -> None:
    """The oracle is the standard library: the two readings of a wall-clock time, and whether it exists."""
    moment = moment.replace(microsecond=0)
    info = ZoneInfo(zone)
    first, second = (moment.replace(tzinfo=info, fold=fold) for fold in (0, 1))
    exists = first.astimezone(UTC).astimezone(info).replace(tzinfo=None) == moment
    kind = SKIPPED if not exists else DOUBLED if first.utcoffset() != second.utcoffset() else PLAIN
    offset = first.utcoffset()
    assert offset is not None
    sql = f"select {zone_expression(zone, 'stamp')} from (select timestamp '{moment}' as stamp)"
    row = duckdb.sql(sql).fetchone()
    assert row == (int(offset.total_seconds()) * 4 + kind,)
