"""What a mapping says of codes, wide rows and totals of the year so far."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.real_run import DATA, oracle, require_data
from tests.staged import READING, staged

WASTE = {
    **{name: {"value": "x"} for name in ("collector_id", "site_id", "container_code")},
    **{"period_from": {"value": "2025-01-01"}, "period_to": {"value": "2025-02-01"}},
    **{"stream_code": {"value": "paper"}, "treatment_code": {"value": "landfill"}, "mass_kg": {"value": "1"}},
}
EURAL = [
    {"matches": r"^(\d\d)[ .]?(\d\d)[ .]?(\d\d)\*?$", "code": r"\1\2\3"},
    {"matches": r"^(\d{5})\*?$", "code": r"0\1"},
]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        *[(cell, "200301") for cell in ("200301", "20 03 01", "20.03.01", "200301*", "20 03 01*")],
        ("80318", "080318"),
        ("99 99 99", None),
        ("2003", None),
        ("karton", None),
    ],
)
def test_a_code_is_mended_to_what_was_meant(tmp_path: Path, cell: str, code: str | None) -> None:
    """Excel takes the zero from the front of a waste code, and people put blanks, points and stars in it."""
    columns = {**WASTE, "waste_code": {"from": "e", "code_fixes": EURAL}}
    (row,) = staged(tmp_path, "waste_collection", f"e\n{cell}\n", {"columns": columns})
    assert row["reasons"] == ([] if code else ["rule:waste_code_form"])
    if code:
        assert row["waste_code"] == code


def test_codes_are_mended_then_translated_then_known(tmp_path: Path) -> None:
    stream = {
        "from": "s",
        "code_fixes": [{"matches": "(?i)^rest.*", "code": "rest"}],
        "codes": {"rest": "residual"},
        "ignored_codes": ["huur", "rest-borg"],
    }
    columns = {**WASTE, "stream_code": stream}
    text = "s\nRestafval\nREST\npaper\nHuur\nhuur\nrest-borg\n"
    rows = staged(tmp_path, "waste_collection", text, {"columns": columns})
    found = [row["ignored_reason"] or row["reasons"] or row["stream_code"] for row in rows]
    assert found == ["residual", "residual", "paper", ["unknown_code:stream_code"], "ignored_code", "residual"]


def test_names_of_a_sender_become_our_own(tmp_path: Path) -> None:
    """A text has no code list, so a word that is not translated stays as it is."""
    columns = {**WASTE, "site_id": {"from": "s", "codes": {"Hoofdkantoor": "UTR"}}}
    rows = staged(tmp_path, "waste_collection", "s\nHoofdkantoor\nAMS\n", {"columns": columns})
    assert [row["site_id"] for row in rows] == ["UTR", "AMS"]


OBIS = {
    "levering_laag": "1.8.1",
    "levering_normaal": "1.8.2",
    "teruglevering_laag": "2.8.1",
    "teruglevering_normaal": "2.8.2",
}
WIDE: dict[str, Any] = {
    "time": {"zone": "Europe/Amsterdam", "stamp": "end", "interval_minutes": 15},
    "unpivot": {"headings": "levering_(?:laag|normaal)$", "name": "telwerk", "value": "waarde", "skip_empty": True},
    "columns": {
        **READING,
        "meter_id": {"file": r"_(\d{18})\."},
        "stamp": {"from": "datum_tijd", "format": "%d-%m-%Y %H:%M:%S %z"},
        "quantity": {"from": "waarde", "unit": "kWh"},
        "register_code": {"from": "telwerk", "codes": OBIS},
    },
    "format": {"decimal": ","},
}


@pytest.mark.parametrize("skips", [True, False])
def test_the_tariff_that_is_not_in_force_is_no_missing_value(tmp_path: Path, skips: bool) -> None:
    text = (
        "datum_tijd;levering_normaal;levering_laag;teruglevering_normaal;teruglevering_laag\n"
        "01-01-2023 00:15:00 +0100;;0,13;;0\n01-01-2023 07:15:00 +0100;0,2;-;x;\n"
    )
    mapping = {**WIDE, "unpivot": {**WIDE["unpivot"], "skip_empty": skips}}
    mapping["format"] = {"delimiter": ";", "decimal": ","}
    rows = staged(tmp_path, "meter_reading", text, mapping, "data_871687991002514062.csv")
    assert [row["register_code"] for row in rows] == ["1.8.2", "1.8.1", "2.8.2", "2.8.1"] * 2
    empty = "empty_value" if skips else ["missing:quantity"]
    found = [row["ignored_reason"] or row["reasons"] or row["quantity"] for row in rows]
    bad = ["not_a_number:quantity"]
    assert found == [empty, Decimal("0.13"), empty, 0, Decimal("0.2"), empty, bad, empty]


def test_a_year_of_quarters_from_a_portal_adds_up(tmp_path: Path) -> None:
    """All cells are text, the stamp is the end of a quarter, and the tariff that is not in force is empty."""
    require_data()
    path = DATA / "nl-meter-exports" / "slimmemeterportal" / "data_2023_871687991002514062.xlsx"
    rows = staged(tmp_path, "meter_reading", path.read_bytes(), WIDE, path.name)
    total: dict[str, Decimal] = {}
    for row in rows:
        assert row["reasons"] == []
        if row["ignored_reason"] is None:
            total[row["register_code"]] = total.get(row["register_code"], Decimal(0)) + row["quantity"]
    published = {row["id"][-2:]: Decimal(row["expected"]) for row in oracle("nl-meter-exports")[:2]}
    assert (total["1.8.2"], total["1.8.1"]) == (published["01"], published["02"])
    taken = [r for r in rows if r["ignored_reason"] is None and r["register_code"].startswith("1")]
    days = [sum(str(r["local_date"]) == day for r in taken) for day in ("2023-03-26", "2023-10-29")]
    assert days == [92, 100]


def test_registers_of_two_units_stand_in_one_row(tmp_path: Path) -> None:
    """A logger at home writes electricity by tariff and gas beside each other; tariff 1 is the low one."""
    require_data()
    path = DATA / "nl-meter-exports" / "dsmr-reader" / "dsmrreader-data-export-hour.csv"
    headings = path.read_text("utf-8").splitlines()[0].split(",")
    registers = dict(zip(headings[1:], ["1.8.1", "1.8.2", "2.8.1", "2.8.2", "1.8.0"], strict=True))
    units = {heading: "m3" if register == "1.8.0" else "kWh" for heading, register in registers.items()}
    mapping = {
        "time": {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 60},
        "unpivot": {"headings": "^(?:Electricity|Gas)", "name": "telwerk", "value": "waarde", "skip_empty": True},
        "columns": {
            **READING,
            "meter_id": {"from": "telwerk", "codes": {"Gas": "G"}, "default": "E"},
            "stamp": {"from": "Hour Start"},
            "quantity": {"from": "waarde", "unit_from": "telwerk", "units": units},
            "register_code": {"from": "telwerk", "codes": registers},
        },
    }
    rows = staged(tmp_path, "meter_reading", path.read_bytes(), mapping, path.name)
    total: dict[tuple[str, str, str], Decimal] = {}
    for row in rows:
        key = (row["meter_id"], row["register_code"], row["unit_code"])
        total[key] = total.get(key, Decimal(0)) + row["quantity"]
    (sums,) = [row["expected"].split("; ") for row in oracle("nl-meter-exports") if row["id"] == "nl-meter-exp-05"]
    keys = [*(("E", register, "kWh") for register in list(registers.values())[:4]), ("G", "1.8.0", "m3")]
    assert total == {key: Decimal(value) for key, value in zip(keys, sums, strict=True)}


def year_to_date(folder: Path, *lines: str, **mass: Any) -> list[Any]:
    """What each month adds, or why it is set aside; the lines are month, stream and total since January."""
    columns = {
        **WASTE,
        "period_from": {"from": "maand", "format": "%Y-%m"},
        "period_to": {"from": "maand", "format": "%Y-%m", "shift": "1 month"},
        "stream_code": {"from": "stroom"},
        "mass_kg": {"from": "kg", "unit": "kg", "cumulative": "year_to_date", **mass},
    }
    text = "maand;stroom;kg\n" + "\n".join(lines) + "\n"
    rows = staged(folder, "waste_collection", text, {"format": {"delimiter": ";"}, "columns": columns})
    return [row["ignored_reason"] or row["reasons"] or row["mass_kg"] for row in rows]


def test_a_total_of_the_year_is_taken_apart_into_its_months(tmp_path: Path) -> None:
    lines = ["2024-12;paper;90", "2025-03;paper;30", "2025-01;paper;10", "2025-02;paper;25", "2025-01;glass;7"]
    lines += ["2025-02;glass;7"]
    missing = ["missing_earlier_month"]
    assert year_to_date(tmp_path, *lines) == [missing, 5, 10, 15, 7, 0]


def test_a_month_after_one_that_is_missing_or_set_aside_says_nothing(tmp_path: Path) -> None:
    lines = ["2025-01;paper;10", "2025-03;paper;30", "2025-04;paper;42", "2025-01;glass;x", "2025-02;glass;9"]
    missing = ["missing_earlier_month"]
    assert year_to_date(tmp_path, *lines) == [10, missing, 12, ["not_a_number:mass_kg"], missing]


def test_a_total_that_falls_is_judged_by_the_contract(tmp_path: Path) -> None:
    """A correction in February may be as real as a mistake in January; a weight below zero is not."""
    lines = ["2025-01;paper;10", "2025-02;paper;8", "2025-03;paper;20"]
    assert year_to_date(tmp_path, *lines) == [10, ["out_of_range:mass_kg"], 12]
    assert year_to_date(tmp_path, *lines, range=[0, 11]) == [
        10,
        ["out_of_range:mass_kg,implausible:mass_kg"][0].split(","),
        ["implausible:mass_kg"],
    ]


def test_a_total_that_stands_there_twice_is_one_or_none(tmp_path: Path) -> None:
    """Two liftings of a day are both real, but there is one total."""
    same = ["2025-01;paper;10", "2025-01;paper;10", "2025-02;paper;12"]
    assert year_to_date(tmp_path, *same) == [10, "exact_repeat", 2]
    other = ["2025-01;paper;10", "2025-01;paper;11", "2025-02;paper;12"]
    conflict = ["conflicting_repeat"]
    assert year_to_date(tmp_path, *other) == [conflict, conflict, ["missing_earlier_month"]]
