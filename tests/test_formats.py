"""Workbooks and JSON on their way through a whole run, beside CSV: landed, refused, judged, rejected with text, traced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resources.landing import Delivery, Landing, sha256_of
from tests.deployment import READINGS, Deployment
from tests.test_reading_xlsx import workbook

ORIGINS: dict[str, dict[str, Any]] = {
    "book": {"files": "*.xlsx", "format": {"sheet": "Standen", "decimal": ",", "skip_lines": 1}},
    "api": {"files": "*.json", "format": {"records": "data"}},
}
COLUMNS = {
    "meter_id": {"from": "meter"},
    "stamp": {"from": "day", "format": "%d-%m-%Y"},
    "quantity": {"from": "kwh", "unit": "kWh"},
    "register_code": {"value": "1.8.0"},
    "kind_code": {"value": "interval"},
}
SHEET = [
    ["Meterstanden februari"],
    ["meter", "day", "kwh"],
    ["E", "11-02-2025", 20.5],
    [],
    ["E", "12-02-2025", "30,25"],
    ["E", "13-02-2025", "veel"],
]
RECORDS = [
    {"meter": "E", "day": "14-02-2025", "kwh": 40.125, "read": {"by": "app"}},
    {"meter": "E", "day": "31-02-2025", "kwh": 1, "read": None},
]
STAFF = [["Nummer", "Uren"], [111222333, 8], [123456782, 4]]


@pytest.fixture(scope="module")
def mixed(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The tiny deployment with a sender of workbooks and one of JSON, who restate single days of February."""
    made = small.copy(tmp_path_factory.mktemp("mixed"))
    sources = (made.project / "sources.yml").read_text("utf-8")
    for origin, shape in ORIGINS.items():
        rule = {"zone": "UTC", "site_zone": "UTC", "stamp": "start", "interval_minutes": 1440}
        made.declare(
            f"mappings/{origin}__meter_reading.yml", {"title": origin, **shape, "time": rule, "columns": COLUMNS}
        )
        sources += f"- {{dataset: meter_reading, origin: {origin}, path: {origin}}}\n"
    made.drop("sources.yml", sources)
    cover = [["Toelichting"]]
    made.drop("book/februari.xlsx", workbook(cover, SHEET, names=("Uitleg", "Standen")))
    made.drop("book/staff.xlsx", workbook(SHEET, STAFF, names=("Standen", "Oud"), hidden=("Oud",)))
    made.drop("book/text.xlsx", f"{READINGS}\nE,2025-02-01,1\n")
    made.drop("api/februari.json", json.dumps({"data": RECORDS}))
    made.drop("api/error.json", json.dumps({"error": "token expired"}))
    made.drop("api/staff.json", json.dumps({"data": RECORDS, "staff": [{"nr": 111222333}]}))
    made.keten("run")
    return made


def test_each_file_becomes_what_it_should(mixed: Deployment) -> None:
    states = mixed.states()
    assert {name: states[name] for name in ("februari.xlsx", "text.xlsx", "februari.json", "error.json")} == {
        "februari.xlsx": "loaded",
        "text.xlsx": "rejected",
        "februari.json": "loaded",
        "error.json": "rejected",
    }
    reasons = dict(mixed.rows("select file_name, reason from bi.rpt_delivery where state = 'rejected'"))
    assert "it is not a workbook, though its name says so" in reasons["text.xlsx"]
    assert "there is no 'data' of format.records 'data'; found an object with the keys error" in reasons["error.json"]


def test_rows_are_counted_as_in_any_other_file(mixed: Deployment) -> None:
    counts = mixed.rows(
        "select file_name, source_rows, accepted_rows, quarantined_rows, ignored_rows from bi.rpt_delivery"
        " where file_name like 'februari%' order by 1"
    )
    assert counts == [("februari.json", 2, 1, 1, 0), ("februari.xlsx", 5, 2, 1, 2)]


def test_a_rejected_row_stands_with_its_place_and_its_text(mixed: Deployment) -> None:
    rows = mixed.rows("select row_no, reasons, row_text from bi.rpt_rejected_row order by row_text")
    assert rows == [
        (6, "not_a_number:quantity", "E;13-02-2025;veel"),
        (2, "not_a_date:stamp", '{"meter":"E","day":"31-02-2025","kwh":"1"}'),
    ]


def test_a_value_is_traced_to_the_row_of_the_sheet_and_to_the_record(mixed: Deployment) -> None:
    text = mixed.keten("trace", "energy_intensity", "--site", "S", "--period", "2025-02")
    assert "februari.xlsx 3, 5" in text and "februari.json 1" in text
    assert "equal" in text and "NOT EQUAL" not in text
    (value,) = mixed.rows(
        "select amount from bi.fact_indicator_month where indicator_id = 'energy_intensity' and component = 'energy_kwh'"
        " and month = '2025-02-01'"
    )
    assert float(value[0]) == 25 * 10 + 20.5 + 30.25 + 40.125


def test_a_file_with_persons_in_it_is_refused_and_not_a_byte_of_it_is_kept(mixed: Deployment) -> None:
    refused = {r["file_name"]: (r["headings"], r["sha256"]) for r in mixed.landing.refusals()}
    assert {name: headings for name, (headings, _) in refused.items()} == {
        "staff.xlsx": ["Oud: Nummer"],
        "staff.json": ["around the records: staff.nr"],
    }
    kept = {path.name.partition(".")[0] for path in (mixed.home / "landing" / "bytes").iterdir()}
    assert not kept & {sha for _, sha in refused.values()}


def delivery(path: Path, name: str, is_named: bool = False) -> Delivery:
    return Delivery(path, name, "o", "site", sha256_of(path), is_named)


def test_the_same_bytes_under_the_name_of_another_form_are_another_delivery(tmp_path: Path) -> None:
    """A sender who named a workbook .csv can send it again, and either can be purged without the other."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    landing = Landing(tmp_path / "landing")
    names = ("a.csv", "b.txt", "c.xlsx", "d.XLSM", "e.json", "f.json.gz", "g.ndjson")
    receipts = {name: landing.land(delivery(path, name), None, "2025-01-01T00:00:00") for name in names}
    assert receipts["a.csv"].receipt_id == receipts["b.txt"].receipt_id
    assert receipts["c.xlsx"].receipt_id == receipts["d.XLSM"].receipt_id
    assert len({r.receipt_id for r in receipts.values()}) == 4
    assert {landing.path(r).name.partition(".")[2] for r in receipts.values()} == {
        "csv",
        "xlsx",
        "json",
        "json.gz",
        "jsonl",
    }
    landing.purge(receipts["c.xlsx"].receipt_id, "a wish")
    assert not landing.path(receipts["c.xlsx"]).exists()
    assert landing.path(receipts["a.csv"]).exists()
