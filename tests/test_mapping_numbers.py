"""What a mapping says of numbers: marks, signs, factors and units, so that no cell becomes another number than was meant."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.errors import KetenError
from resources.intake.number_cells import Marks, digits_of, parsed_number
from tests.real_run import DATA, require_data
from tests.staged import READING, staged

WASTE = {
    **{name: {"value": "x"} for name in ("collector_id", "site_id", "container_code")},
    **{"period_from": {"value": "2025-01-01"}, "period_to": {"value": "2025-02-01"}},
    **{"stream_code": {"value": "paper"}, "treatment_code": {"value": "landfill"}},
}


def weighed(folder: Path, *cells: str, **form: Any) -> list[dict]:
    """Waste with these texts as its weights, in a file with decimal commas unless the form says otherwise."""
    columns = {**WASTE, "mass_kg": {"from": "g", "unit": "kg"}, "container_code": {"from": "n"}}
    text = "n;g\n" + "".join(f'{n};"{cell}"\n' for n, cell in enumerate(cells))
    mapping = {"format": {"delimiter": ";", "decimal": ",", **form}, "columns": columns}
    return staged(folder, "waste_collection", text, mapping)


def weights(rows: list[dict]) -> list[str]:
    """The weight of each row, or why it has none."""
    return [row["reasons"][0].partition(":")[0] if row["reasons"] else plain(row["mass_kg"]) for row in rows]


def plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


@pytest.mark.parametrize(
    ("cell", "comma", "grouped", "point"),
    [
        ("0,13", "0.13", "0.13", "not_a_number"),
        ("0.13", "not_a_number", "not_a_number", "0.13"),
        ("1.234", "ambiguous_number", "1234", "1.234"),
        ("1,234", "1.234", "1.234", "ambiguous_number"),
        ("1.234,5", "not_a_number", "1234.5", "not_a_number"),
        ("12.5", "not_a_number", "not_a_number", "12.5"),
        ("1.23.456", "not_a_number", "not_a_number", "not_a_number"),
        ("1.234.567", "not_a_number", "1234567", "not_a_number"),
        ("1.234,56-", "not_a_number", "out_of_range", "not_a_number"),
        ("1 234", "not_a_number", "not_a_number", "not_a_number"),
        ("1 234 m2", "not_a_number", "not_a_number", "not_a_number"),
        ("--0,12", "not_a_number", "not_a_number", "not_a_number"),
        ("12--", "not_a_number", "not_a_number", "not_a_number"),
        ("(12", "not_a_number", "not_a_number", "not_a_number"),
        ("1e-400", "not_a_number", "not_a_number", "not_a_number"),
        ("1e-7", "0", "0", "0"),
        ("1e309", "not_a_number", "not_a_number", "not_a_number"),
        ("0x1F", "not_a_number", "not_a_number", "not_a_number"),
    ],
)
def test_a_cell_is_read_with_the_marks_that_are_declared(
    tmp_path: Path, cell: str, comma: str, grouped: str, point: str
) -> None:
    """With a decimal comma, 1.234 was once 1.234, and with a thousands point 12.5 was 125."""
    declared = [{}, {"thousands": "."}, {"decimal": "."}]
    found = [one for form in declared for one in weights(weighed(tmp_path, cell, **form))]
    assert found == [comma, grouped, point]


@pytest.mark.parametrize("cell", ["12,50-", "(12,50)", "-12,50"])
def test_a_minus_is_written_in_three_ways(cell: str) -> None:
    sql = parsed_number(digits_of("c", Marks(",", "")), "decimal", is_scaled=False)
    assert duckdb.execute(f"select {sql} from (select ? as c)", [cell]).fetchone() == (Decimal("-12.5"),)


@pytest.mark.parametrize("cell", ["12.5", "0x1F", "1,5", "1e-3"])
def test_a_whole_number_has_no_decimals(tmp_path: Path, cell: str) -> None:
    """DuckDB rounds 12.5 to 13 and reads 0x1F as 31."""
    columns = {name: {"value": "x"} for name in ("meter_id", "site_id", "valid_from")}
    columns |= {"carrier_code": {"value": "gas"}, "unit_code": {"value": "m3"}, "interval_minutes": {"from": "n"}}
    columns |= {"valid_from": {"value": "2020-01-01"}}
    bad, good = staged(tmp_path, "meter", f'n\n"{cell}"\n60\n', {"columns": columns})
    assert (bad["reasons"], good["interval_minutes"]) == (["not_a_number:interval_minutes"], 60)


@pytest.mark.parametrize(
    ("cells", "values", "evidence"),
    [
        (["0,13", "7", "1.234,5"], ["0.13", "7", "1234.5"], "decided ',' from 2 cells such as 0,13"),
        (["1.234.567", "1,5"], ["1234567", "1.5"], "decided ',' from 2 cells such as 1.234.567"),
        (["0.135", "1.234", "1,234.5"], ["0.135", "1.234", "1234.5"], "decided '.' from 2 cells such as 0.135"),
        (["1.234,5", "1.234"], ["1234.5", "ambiguous_number"], "decided ',' from 1 cell such as 1.234,5"),
        (["12,50-", "x"], ["out_of_range", "not_a_number"], "decided ',' from 1 cell such as 12,50-"),
        (["12", "n.v.t."], ["12", "missing"], "decided nothing: no number has a mark"),
    ],
)
def test_the_marks_are_decided_for_the_whole_file(
    tmp_path: Path, cells: list[str], values: list[str], evidence: str
) -> None:
    rows = weighed(tmp_path, *cells, decimal="auto")
    assert weights(rows) == values
    assert {row["number_evidence"] for row in rows} == {evidence}


def test_wide_columns_tell_the_mark_too_and_a_constant_has_a_point(tmp_path: Path) -> None:
    columns = {**WASTE, "mass_kg": {"from": "cell", "unit": "t"}, "container_code": {"from": "slot"}}
    mapping = {"format": {"delimiter": ";", "decimal": "auto"}, "columns": columns}
    wide = {"headings": "^week", "name": "slot", "value": "cell"}
    rows = staged(tmp_path, "waste_collection", "week1;week2\n0,5;1.000,25\n", {**mapping, "unpivot": wide})
    assert [(row["container_code"], row["mass_kg"]) for row in rows] == [("week1", 500), ("week2", 1_000_250)]
    columns = {**WASTE, "mass_kg": {"value": "1.5", "unit": "t"}, "container_code": {"from": "n"}}
    (row,) = staged(
        tmp_path, "waste_collection", "n\na\n", {"format": {"decimal": ",", "delimiter": ";"}, "columns": columns}
    )
    assert row["mass_kg"] == 1500


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["0,13", "0.14", "5"], "auto finds both marks: 1 cell such as 0,13 and 1 cell such as 0.14; write"),
        (["1.234", "2.345"], "auto cannot tell: 2 cells such as 1.234 can be read in two ways; write `decimal"),
    ],
)
def test_a_file_that_does_not_tell_is_rejected_with_the_repair(tmp_path: Path, cells: list[str], words: str) -> None:
    with pytest.raises(KetenError, match=words):
        weighed(tmp_path, *cells, decimal="auto")


NUMBERS = st.decimals(min_value=-(10**11), max_value=10**11, places=6, allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(NUMBERS, min_size=1, max_size=30), is_dutch=st.booleans(), is_grouped=st.booleans())
def test_a_number_comes_back_exactly_from_either_style(values: list[Decimal], is_dutch: bool, is_grouped: bool) -> None:
    written = [format(value, ",f" if is_grouped else "f") for value in values]
    if is_dutch:
        written = [one.translate(str.maketrans(",.", ".,")) for one in written]
    point, comma = (",", ".") if is_dutch else (".", ",")
    sql = parsed_number(digits_of("c", Marks(point, comma if is_grouped else "")), "decimal", is_scaled=False)
    found = dict(duckdb.execute(f"select c, {sql} from (select unnest(?::varchar[]) as c)", [written]).fetchall())
    assert [found[one] for one in written] == values


QUANTITY = {**READING, "stamp": {"from": "Tijd"}}
TIME = {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 15}


def measured(folder: Path, lines: list[str], **quantity: Any) -> list[dict]:
    """Readings with headings EAN;Tijd;Verbruik;Eenheid;Factor."""
    how = {"from": "Verbruik", **quantity}
    text = "EAN;Tijd;Verbruik;Eenheid;Factor\n" + "".join(
        f"A;2025-01-01 {n:02d}:00;{line}\n" for n, line in enumerate(lines)
    )
    mapping = {"format": {"delimiter": ";"}, "time": TIME, "columns": {**QUANTITY, "quantity": how}}
    return staged(folder, "meter_reading", text, mapping)


def told(rows: list[dict]) -> list[Any]:
    return [row["reasons"] or (row["quantity"], row["unit_code"]) for row in rows]


def test_a_unit_in_a_column_is_that_of_its_row(tmp_path: Path) -> None:
    lines = ["100;Wh;", "0.00011;MWh;", "0.00036;GJ;", "3.6;MJ;", "5;kilowattuur;", "1;m³;", "1;kwu;", "1;;", ";kWh;"]
    words = {"kilowattuur": "kWh", "m³": "m3"}
    one = [(Decimal(v), "kWh") for v in ("0.1", "0.11", "0.1", "1", "5")]
    faults = [["unknown_unit:quantity"], ["missing_unit:quantity"], ["missing:quantity"]]
    rows = measured(tmp_path, lines, unit_from="Eenheid", units=words)
    assert told(rows) == [*one, (1, "m3"), *faults]
    rows = measured(tmp_path, lines, unit="kWh", unit_from="Eenheid", units=words)
    assert told(rows) == [*one, ["unit_mismatch:quantity"], *faults]


def test_a_column_of_one_unit_takes_no_other_kind(tmp_path: Path) -> None:
    columns = {
        **WASTE,
        "mass_kg": {"from": "g", "unit_from": "e", "units": {"ton": "t", "tonnes": "t", "Kg": "kg", "kilo": "kg"}},
    }
    text = "g,e\n1,ton\n2,tonnes\n3,t\n4,Kg\n5,kilo\n6,kg\n7,rolcontainer 240L\n8,kWh\n"
    rows = staged(tmp_path, "waste_collection", text, {"columns": columns})
    assert [row["mass_kg"] for row in rows][:6] == [1000, 2000, 3000, 4, 5, 6]
    assert [row["reasons"] for row in rows][6:] == [["unknown_unit:mass_kg"], ["unit_mismatch:mass_kg"]]


@pytest.mark.parametrize(
    ("quantity", "lines", "values"),
    [
        ({"unit": "kWh", "factor": "0.001"}, ["1500;;"], ["1.5"]),
        ({"unit": "Wh", "factor": "10"}, ["1500;;"], ["15"]),
        ({"unit": "kWh", "sign": "negate"}, ["-1.5;;"], ["1.5"]),
        ({"unit": "kWh", "factor_from": "Factor", "sign": "negate"}, ["-1500;;0.001"], ["1.5"]),
        ({"unit": "kWh", "factor_from": "Factor"}, ["1500;;0.001", "1500;;", "1500;;x"], ["1.5", None, None]),
        ({"unit_from": "Eenheid", "factor_from": "Factor"}, ["2;MWh;0.5", "2;?;0.5"], ["1000", ""]),
    ],
)
def test_a_number_is_multiplied_by_what_the_sender_leaves_out(
    tmp_path: Path, quantity: dict, lines: list[str], values: list[str | None]
) -> None:
    """The sign of a feed-in register lies in its factor in the exports of some meter companies."""
    rows = measured(tmp_path, lines, **quantity)
    faults = {None: ["unknown_factor:quantity"], "": ["unknown_unit:quantity"]}
    assert told(rows) == [faults.get(value) or (Decimal(str(value)), "kWh") for value in values]


def test_the_sign_in_a_factor_is_the_direction_that_the_register_tells(tmp_path: Path) -> None:
    """The export of a meter company: seconds since 1970, registers in Wh, and feed-in by a factor below zero."""
    text = "name;ean;code;moment;moment-date;value;factor;type\n" + "".join(
        f"Locatie_A;871000000000000013;{code};1743289200;x;{value};{factor};0\n"
        for code, value, factor in [("ellm", 375373, "0.001"), ("eltm", 1500, "-0.001")]
    )
    negate = {"heading": "code", "matches": "^eltm$"}
    mapping = {
        "format": {"delimiter": ";"},
        "time": {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 15},
        "columns": {
            "meter_id": {"from": "ean"},
            "stamp": {"from": "moment", "format": "epoch_seconds"},
            "register_code": {"from": "code", "codes": {"ellm": "1.8.0", "eltm": "2.8.0"}},
            "kind_code": {"value": "interval"},
            "quantity": {"from": "value", "unit": "kWh", "factor_from": "factor", "sign": negate},
        },
    }
    rows = staged(tmp_path, "meter_reading", text, mapping)
    found = {row["register_code"]: (row["quantity"], row["start_utc"]) for row in rows}
    at = datetime(2025, 3, 29, 23)
    assert found == {"1.8.0": (Decimal("375.373"), at), "2.8.0": (Decimal("1.5"), at)}


def test_what_a_sender_cannot_have_measured_is_set_aside(tmp_path: Path) -> None:
    good, bad = measured(tmp_path, ["0.2;;", "210;;"], unit="kWh", range=[0, 10])
    assert (good["reasons"], bad["reasons"]) == ([], ["implausible:quantity"])


GAS = {
    "meter_id": {"from": "EAN-code"},
    "start_stamp": {"from": ["Van datum", "Van tijdstip"], "format": "%d-%m-%Y %H:%M:%S"},
    "end_stamp": {"from": ["Tot datum", "Tot tijdstip"], "format": "%d-%m-%Y %H:%M:%S"},
    "quantity": {"from": "Volume", "unit_from": "Eenheid", "units": {"m³": "m3"}},
    "register_code": {"from": "Register", "codes": {"Afname": "1.8.0"}},
    "kind_code": {"value": "interval"},
}
NO_USE = {"heading": "Validatiestatus", "matches": "^Geen verbruik$", "reason": "no_use"}


@pytest.mark.parametrize(("kept", "total", "unit"), [("m³", "16.045", "m3"), ("kWh", "182.085", "kWh")])
def test_an_hour_that_stands_there_in_two_units_is_never_added(
    tmp_path: Path, kept: str, total: str, unit: str
) -> None:
    require_data()
    (path,) = (DATA / "nl-meter-exports" / "fluvius-nl").glob("*gas*")
    other = {"heading": "Eenheid", "matches": f"^{'kWh' if kept == 'm³' else 'm³'}$", "reason": "other_unit"}
    shape = {"format": {"delimiter": ";", "decimal": ","}, "time": {"zone": "Europe/Brussels"}, "columns": GAS}
    rows = staged(tmp_path, "meter_reading", path.read_bytes(), {**shape, "ignore_rows": [NO_USE, other]}, path.name)
    taken = [row for row in rows if row["ignored_reason"] is None]
    assert [row["reasons"] for row in taken] == [[]] * len(taken)
    assert (sum(row["quantity"] for row in taken), {row["unit_code"] for row in taken}) == (Decimal(total), {unit})
    both = staged(tmp_path, "meter_reading", path.read_bytes(), {**shape, "ignore_rows": [NO_USE]}, path.name)
    measured = [row for row in both if row["ignored_reason"] is None]
    assert len(measured) == 2 * len(taken)
    assert {reason for row in measured for reason in row["reasons"]} == {"conflicting_repeat"}
    assert all(row["reasons"] for row in measured)
