"""Numbers, dates and reasons as people read them."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resources.catalogue.mapping_models import MappedColumn, Mapping, TimeRule
from resources.catalogue.reading import load_catalogue
from resources.intake import judging, repeats
from resources.intake.year_to_date import MISSING_EARLIER
from resources.reason_words import reason_words
from resources.wording import Words, counted, day, moment, month, number, percent, period, quantity

CATALOGUE = load_catalogue()
SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("value", "decimals", "nl", "en"),
    [
        ("1234.5", 1, "1.234,5", "1,234.5"),
        ("-1234.55", 1, "\u22121.234,6", "\u22121,234.6"),
        ("0.05", 1, "0,1", "0.1"),
        ("-0.04", 1, "0,0", "0.0"),  # no minus before what is shown as nothing
        ("1234567890", 0, "1.234.567.890", "1,234,567,890"),
        ("2.5", 0, "3", "3"),
    ],
)
def test_a_number_is_written_as_in_the_language(value: str, decimals: int, nl: str, en: str) -> None:
    assert number(Decimal(value), decimals) == Words(nl, en)


def test_a_difference_has_a_sign_unless_it_is_nothing() -> None:
    assert number(Decimal("0.25"), 1, sign=True).nl == "+0,3"
    assert number(Decimal("0.01"), 1, sign=True).nl == "0,0"
    assert percent(Decimal("-0.044"), 1, sign=True) == Words(f"\u22124,4{SPACE}%", "\u22124.4%")


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "nl", "en"),
    [
        ("12.5", "percent", 1, f"12,5{SPACE}%", "12.5%"),
        ("1760000", "eur", 0, f"€{SPACE}1,76{SPACE}mln", f"€1.76{SPACE}million"),
        ("-999999", "eur", 0, f"\u2212€{SPACE}999.999", "\u2212€999,999"),
        ("70.87", "kWh/m2", 1, f"70,9{SPACE}kWh/m² per jaar", f"70.9{SPACE}kWh/m² per year"),
        ("482.5", "t_co2e", 0, f"483{SPACE}t CO₂e", f"483{SPACE}t CO₂e"),
        ("3", "case", 0, "3", "3"),
    ],
)
def test_a_quantity_stands_with_its_unit_as_the_field_writes_it(
    value: str, unit: str, decimals: int, nl: str, en: str
) -> None:
    assert quantity(Decimal(value), CATALOGUE.units[unit], decimals).whole() == Words(nl, en)


def test_days_moments_and_periods() -> None:
    assert day(date(2025, 12, 31)) == Words("31-12-2025", "31 Dec 2025")
    assert moment(datetime(2026, 3, 31, 22, 30), "Europe/Amsterdam").nl == "01-04-2026 00:30"
    assert month(date(2025, 3, 1)) == Words(f"mrt{SPACE}2025", f"Mar{SPACE}2025")
    assert period(date(2025, 4, 1), date(2025, 5, 1)) == month(date(2025, 4, 1))
    assert period(date(2024, 4, 1), date(2025, 4, 1)).nl == f"apr{SPACE}2024 t/m mrt{SPACE}2025"


def test_what_is_counted_is_named_in_the_singular_and_the_plural() -> None:
    nouns = ("regel", "regels"), ("row", "rows")
    assert counted(1, *nouns).nl == f"1{SPACE}regel"
    assert counted(1200, *nouns) == Words(f"1.200{SPACE}regels", f"1,200{SPACE}rows")


def every_key(column: str) -> dict[str, Any]:
    """What a mapping can ask of a column beside where it comes from, so that every test of it is made."""
    kind = CATALOGUE.columns[column].type if column != "stamp" else column
    if kind in ("decimal", "ratio", "factor"):
        return {"unit_from": "unit", "factor_from": "factor", "range": [0, 1]}
    return {"format": ["%d-%m-%Y", "%m/%d/%Y"]} if kind in ("date", "month", "stamp") else {}


def reasons_of(dataset: str) -> set[str]:
    """Every reason that a row of a dataset can be given, asked of what gives them."""
    contract = CATALOGUE.contracts[dataset]
    timed = "end_utc" in contract.columns
    names = [c for c in contract.columns if not (timed and c in judging.TIMED)] + ["stamp"] * timed
    columns = {name: MappedColumn.model_validate({"from": name, **every_key(name)}) for name in names}
    time = TimeRule(zone="Europe/Amsterdam", stamp="end", interval_minutes=15, ambiguous="refuse") if timed else None
    mapping = Mapping(origin="us", dataset=dataset, title="x", files="*.csv", columns=columns, time=time)
    facts: Any = SimpleNamespace(headings=tuple(columns), unreadable="#REF!")
    judge = judging._Judge(contract, mapping, CATALOGUE, facts, "")
    found = {test.reason for test in judge.row_tests().tests()}
    found |= {f"unknown_reference:{name}" for name, column in contract.columns.items() if column.references}
    return (
        found | {MISSING_EARLIER} | set(re.findall(r"reasons = '([a-z_]+)'", Path(repeats.__file__).read_text("utf-8")))
    )


@pytest.mark.parametrize("dataset", sorted(CATALOGUE.contracts))
def test_every_reason_that_a_row_can_be_given_has_words_in_both_languages(dataset: str) -> None:
    reasons = reasons_of(dataset)
    assert "conflicting_repeat" in reasons and any(r.startswith("missing:") for r in reasons)
    for reason in reasons:
        words = reason_words(CATALOGUE, dataset, reason)
        for text in words:
            assert text.endswith(".") and " " in text, f"{reason}: {text}"
            assert not re.search(r"\b[a-z]+_[a-z_]+\b", text), f"{reason} is told with a name of the code: {text}"
        assert words.nl != words.en


@pytest.mark.parametrize(
    ("dataset", "reason", "nl"),
    [
        ("waste_collection", "missing:site_id", "‘Locatie’ is leeg."),
        ("waste_collection", "not_a_number:mass_kg", "‘Gewicht’ is geen getal."),
        (
            "waste_collection",
            "out_of_range:mass_kg",
            f"‘Gewicht’ ligt niet tussen 0 en 10.000.000.000{SPACE}kg.",
        ),
        (
            "waste_collection",
            "unknown_reference:site_id",
            "‘Locatie’ komt niet voor in ‘Locaties’; de regel telt vanzelf mee zodra dat wel zo is.",
        ),
        (
            "waste_collection",
            "rule:waste_code_form",
            "Een Euralcode heeft zes cijfers, waarvan de eerste twee een hoofdstuk van 01 tot en met 20 zijn.",
        ),
        ("meter_reading", "missing:stamp", "‘Tijdstip’ is leeg."),
        ("meter_reading", "brand_new", "brand_new"),
    ],
)
def test_a_reason_is_told_in_the_words_of_its_contract(dataset: str, reason: str, nl: str) -> None:
    assert reason_words(CATALOGUE, dataset, reason).nl == nl
