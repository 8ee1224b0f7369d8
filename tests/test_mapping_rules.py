"""A mapping that cannot be right is told when the catalogue loads, with the file, the field and the repair."""

from __future__ import annotations

from typing import Any

import pytest

from resources.catalogue import Catalogue
from resources.catalogue.mapping_models import Mapping
from resources.catalogue.mapping_rules import MappingRules
from resources.errors import KetenError
from tests.staged import CATALOGUE, READING

TIME = {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 15}
UTC = {"zone": "UTC", "stamp": "start", "interval_minutes": 15}
SPAN = {"start_stamp": {"from": "a"}, "end_stamp": {"from": "b"}}


def hold(**changes: Any) -> Mapping:
    """Hold a mapping of readings against the catalogue; None takes a column away."""
    columns = {name: how for name, how in {**READING, **changes.pop("columns", {})}.items() if how is not None}
    facts = {"origin": "us", "dataset": "meter_reading", "title": "t", "files": "*.csv", "time": TIME, **changes}
    mapping = Mapping.model_validate({**facts, "columns": columns})
    MappingRules(Catalogue(**{**vars(CATALOGUE), "mappings": {("us", "meter_reading"): mapping}})).hold()
    return mapping


def quantity(**how: Any) -> dict:
    return {"columns": {"quantity": {"from": "v", **how}}}


def stamp(**how: Any) -> dict:
    return {"columns": {"stamp": {"from": "t", **how}}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"time": {**UTC, "site_zone": "Europe/Amsterdam"}},
        {"time": {"zone": "Europe/Amsterdam", "stamp": "end", "interval": "month"}},
        {"time": {"zone": "Europe/Amsterdam", "stamp": "moment"}},
        {"time": {"zone": "Europe/Amsterdam"}, "columns": {"stamp": None, **SPAN}},
        {"format": {"decimal": "auto"}},
        stamp(format=["iso", "%d-%m-%Y %H:%M"]),
        quantity(unit="kWh", unit_from="u", units={"kilowattuur": "kWh"}, factor="0.001", sign="negate", range=[0, 9]),
        quantity(unit_from="u", units={"m³": "m3", "kWh ": "kWh"}),
    ],
)
def test_what_a_sender_does_can_be_said(changes: dict) -> None:
    assert hold(**changes).stamps


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": UTC}, "time.site_zone: the stamps are in UTC; say in which zone the sites lie"),
        ({"time": {"zone": "Europe/Amsterdam", "stamp": "start"}}, "interval_minutes: write it, or interval: day"),
        ({"time": {**TIME, "interval": "day"}}, "time.interval_minutes: write it, or interval: day, month or year"),
        ({"time": {"zone": "Europe/Amsterdam", "interval_minutes": 15}}, "time.stamp: say whether the stamp is the start"),
        ({"time": {**TIME, "stamp": "moment"}}, "time.interval_minutes: a moment has no length"),
        ({"columns": {"stamp": None, **SPAN}}, "time: the interval follows from the start and the end; remove stamp"),
        ({"columns": {"start_stamp": {"from": "a"}}}, "with 'start_stamp' and 'end_stamp'; found: stamp, start_stamp"),
        ({"time": None}, "time: it goes with a column 'stamp'; write both or neither"),
        ({"columns": {"end_utc": {"from": "t"}}}, "'end_utc' is made from the stamps; remove it"),
        ({"columns": {"kind_code": {"value": "sum"}}}, "code of reading_kind 'sum' does not exist; choose one of "),
        ({"unpivot": {"headings": "^(a|b)(c|d)$", "name": "n", "value": "v"}}, "one group at most is the name"),
        (stamp(format="dd-mm-yyyy"), "columns.stamp: format: 'dd-mm-yyyy' is no form of a date; write one such as"),
        (stamp(format="%z %d-%m-%Y"), "an offset is read at the end of a text only, as %z"),
        (stamp(shift="1 day"), "shift: give the format of the stamp, without an offset"),
        (stamp(shift="1 day", format="%d-%m-%Y %H:%M%z"), "shift: a stamp with an offset cannot be shifted"),
        (quantity(format="%Y"), "columns.quantity: format: a column of type decimal has none; remove it"),
        (quantity(codes={"a": "b"}), "columns.quantity: codes: a column of type decimal has none; remove it"),
        ({"columns": {"kind_code": {"value": "interval", "factor": "2"}}}, "factor: a column of type code has none"),
        (quantity(unit="kWh", units={"a": "kWh"}), "units: they are the words under the heading of unit_from"),
        (quantity(unit_from="u", units={"a": "kWu"}), "units.a 'kWu' does not exist"),
        (quantity(unit="kWh", unit_from="u", units={"a": "kg"}), "unit 'kg' cannot become 'kWh'; choose one of kWh, Wh"),
        (quantity(unit="kWh", factor="0"), "factor: it is 0"),
        (quantity(unit="MWh", factor="1000"), "factor: with its unit it is 1000000; it has nine decimals and six digits"),
        (quantity(unit="Wh", factor="0.0000001"), "factor: with its unit it is 0.0000000001; it has nine decimals"),
        (quantity(unit="kWh", range=[1, 0]), "range: its first number is above its second"),
        ({"columns": {"quantity": {"value": "1", "unit_from": "u"}}}, "value: a constant has no unit_from, factor_from or sign by row"),
        ({"columns": {"meter_id": {"from": "m", "code_fixes": [{"matches": "(", "code": "x"}]}}}, "not a regular expression"),
        ({"format": {"decimal": "auto", "thousands": "."}}, "with decimal auto the file decides both; remove it"),
        ({"columns": {"quantity": {"value": "1,5"}}}, "value: '1,5' is no number; write it with a decimal point"),
        (quantity(unit="kWh", sign={"heading": "r", "matches": "("}), "sign.matches: not a regular expression"),
        ({"format": {"decimal": ";"}}, "format.decimal: write '.', ',' or auto"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_told(changes: dict, words: str) -> None:
    with pytest.raises(KetenError) as told:
        hold(**changes)
    assert words in str(told.value) and str(told.value).startswith("mappings/us__meter_reading.yml: ")


def test_a_running_total_needs_periods() -> None:
    """Sites have no months, so nothing about them can be a total of the year."""
    number = next(c for c in CATALOGUE.contracts["site"].columns if CATALOGUE.columns[c].type == "decimal")
    columns = {
        **{c: {"from": c} for c in CATALOGUE.contracts["site"].columns},
        number: {"from": "n", "cumulative": "year_to_date"},
    }
    facts = {"origin": "us", "dataset": "site", "title": "t", "files": "*.csv", "columns": columns}
    found = {("us", "site"): Mapping.model_validate(facts)}
    with pytest.raises(KetenError, match="cumulative: the key of site holds no period; remove it"):
        MappingRules(Catalogue(**{**vars(CATALOGUE), "mappings": found})).hold()
