"""JSON as interfaces send it: every record with its place, every digit kept, or the file is not trusted at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.errors import KetenError
from resources.reading import cells, json_files
from tests.staged import CATALOGUE, SITE, staged
from tests.test_reading_xlsx import workbook

COLUMNS = {**SITE, "site_id": {"from": "code"}, "site_name": {"from": "naam"}, "floor_area_go_m2": {"from": "go"}}
A, B = {"code": "A", "naam": "a", "go": 1}, {"code": "B", "naam": "b", "go": 2.5}


def read(folder: Path, content: Any, name: str = "file.json", columns: dict | None = None, **form: Any) -> list[dict]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return staged(folder, "site", data, {"format": form, "columns": columns or COLUMNS}, name)


def lines(rows: list[dict]) -> list[tuple]:
    return [(row["row_no"], row["site_id"], row["floor_area_go_m2"]) for row in rows]


BOTH = [(1, "A", 1), (2, "B", Decimal("2.5"))]


def test_a_list_at_the_top_is_read_and_records_know_their_place(tmp_path: Path) -> None:
    assert lines(read(tmp_path, [A, B])) == BOTH


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({"result": {"data": [A, B]}, "ok": True}, "result.data"),
        ([{"tid": 1, "rows": [A, B]}, {"tid": 2}], "0.rows"),
        ({"rows": [A, B]}, "rows"),
    ],
)
def test_a_list_within_is_found_by_its_path(tmp_path: Path, content: Any, where: str) -> None:
    assert lines(read(tmp_path, content, records=where)) == BOTH


NAMES = ["code", "naam", "go"]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ({"Fields": NAMES, "Records": [["A", "a", 1], ["B", "b", 2.5]]}, {"records": "Records", "fields": "Fields"}),
        ({"t": {"head": NAMES, "rows": [["A", "a", 1], ["B", "b", 2.5]]}}, {"records": "t.rows", "fields": "t.head"}),
    ],
)
def test_a_table_of_fields_and_lists_of_values_is_records(tmp_path: Path, content: Any, form: dict) -> None:
    assert lines(read(tmp_path, content, **form)) == BOTH


def test_a_table_without_a_row_is_no_fault_as_its_fields_tell_the_headings(tmp_path: Path) -> None:
    assert read(tmp_path, {"Fields": NAMES, "Records": []}, records="Records", fields="Fields") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"Fields": NAMES, "Records": [["A", "a"]]}, "record 1 is 2 values, where format.fields names 3"),
        ({"Fields": NAMES, "Records": [A]}, "record 1 is an object with the keys code, naam, go, where format.fields"),
        ({"Fields": [1, 2, {}], "Records": []}, "at 'Fields' stands no list of names"),
        ({"Status": "FAILED", "Message": "no licence"}, "there is no 'Fields' of format.records 'Fields'; found"),
        ({"Fields": [*NAMES, "go"], "Records": [["A", "a", 1, 2]]}, "the key 'go' stands twice"),
    ],
)
def test_a_table_that_is_not_whole_is_told_by_its_place(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(KetenError, match=re.escape(message)):
        read(tmp_path, content, records="Records", fields="Fields")


@pytest.mark.parametrize("name", ["file.jsonl", "file.ndjson", "FILE.JSONL", "file.jsonl.gz"])
def test_a_record_on_each_line_is_known_by_its_line(tmp_path: Path, name: str) -> None:
    content = ("\ufeff" + json.dumps(A) + "\r\n\n" + json.dumps(B)).encode()
    rows = read(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    assert lines(rows) == [(1, "A", 1), (3, "B", Decimal("2.5"))]
    assert rows[0]["blank_rows"] == 1


def test_a_compressed_file_is_read_as_well(tmp_path: Path) -> None:
    assert lines(read(tmp_path, gzip.compress(json.dumps([A, B]).encode()), "file.json.gz")) == BOTH


def test_objects_within_have_dotted_headings_and_lists_of_values_are_one_cell(tmp_path: Path) -> None:
    record = {"site": {"id": "A", "area": {"m2": 12}}, "naam": ["x", 1, None, True]}
    columns = {
        **SITE,
        "site_id": {"from": "site.id"},
        "site_name": {"from": "naam"},
        "floor_area_go_m2": {"from": "site.area.m2"},
    }
    (row,) = read(tmp_path, [record], columns=columns)
    assert (row["site_id"], row["site_name"], row["floor_area_go_m2"]) == ("A", "x;1;;true", 12)


def test_a_list_of_objects_is_left_alone_until_it_is_mapped(tmp_path: Path) -> None:
    records = [{**A, "meters": [{"ean": "1"}, {"ean": "2"}]}, B]
    assert lines(read(tmp_path, records)) == BOTH
    with pytest.raises(
        KetenError, match=r"'meters\.ean' of mapping o__site lies in a list of objects, so a record has several"
    ):
        read(tmp_path, records, columns={**COLUMNS, "site_name": {"from": "meters.ean"}})


def test_records_may_have_different_keys_also_where_they_are_gathered_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "PIECE_ROWS", 2)
    records = [{"code": "A"}, {"code": "B"}, {"code": "C", "naam": "c"}, {"go": 3, "code": "D", "naam": None}, {}]
    rows = read(tmp_path, records)
    assert [(r["row_no"], r["site_id"], r["site_name"], r["floor_area_go_m2"]) for r in rows] == [
        (1, "A", None, None),
        (2, "B", None, None),
        (3, "C", "c", None),
        (4, "D", None, 3),
        (5, None, None, None),
    ]
    assert "missing:site_id" in rows[4]["reasons"], "an empty object is a record like any other"


@pytest.mark.parametrize(
    ("number", "area"),
    [
        ("1", "1"),
        ("0.30000000000000004", "0.3"),
        ("1.5e3", "1500"),
        ("1E-5", "0.00001"),
        ("-0", "0"),
        ("12.50", "12.5"),
    ],
)
@pytest.mark.parametrize("form", [{}, {"decimal": ","}, {"decimal": ",", "thousands": "."}])
def test_a_number_is_read_whatever_the_style_of_the_texts(
    tmp_path: Path, number: str, area: str, form: dict[str, Any]
) -> None:
    (row,) = read(tmp_path, b'[{"code": "A", "naam": "a", "go": ' + number.encode() + b"}]", **form)
    assert f"{row['floor_area_go_m2'].normalize():f}" == area


def test_a_code_of_many_digits_keeps_them_all(tmp_path: Path) -> None:
    (row,) = read(tmp_path, [{**A, "code": 871685900012345678}])
    assert row["site_id"] == "871685900012345678"


def test_a_number_beyond_all_measure_is_no_number_and_takes_no_room(tmp_path: Path) -> None:
    (row,) = read(tmp_path, b'[{"code": "A", "naam": "a", "go": 1e999999999}]')
    assert row["reasons"] == ["not_a_number:floor_area_go_m2"]


def test_the_text_of_a_rejected_record_is_an_object_without_what_is_missing(tmp_path: Path) -> None:
    (row,) = read(tmp_path, [{"code": "A", "naam": None, "go": "very big", "site": {"id": 'x"y'}}])
    assert json.loads(row["row_text"]) == {"code": "A", "go": "very big", "site.id": 'x"y'}


DEEP = b"[" * 100_000
NESTED = b'[{"a":' * 40 + b"1" + b"}]" * 40


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "it is empty", id="no bytes"),
        pytest.param(b"[]", "it holds no record, so nothing tells its headings", id="an empty list"),
        pytest.param(b'{"error": 401, "message": "Jan is unknown"}', "its top is an object with the keys error, message", id="an error"),
        pytest.param(b'{"meta": {}, "sites": [{"code": 1}]}', r"write where they are: `format: \{records: sites\}`", id="a list within"),
        pytest.param(b'"token expired"', "its top is a text, not a list of records", id="a text"),
        pytest.param(b'[{"code": NaN}]', "it holds NaN, which is no number", id="NaN"),
        pytest.param(b'[{"code": -Infinity}]', "it holds -Infinity, which is no number", id="infinity"),
        pytest.param(b'[{"code": 1, "naam": 2, "code": 3}]', "the key 'code' stands twice in one object", id="a key twice"),
        pytest.param(b'[{"a.b": 1, "a": {"b": 2}}]', r"a record has two values for 'a\.b'", id="a dotted key twice"),
        pytest.param(b'[{"code": 1, "Code": 2, "naam": 3, "go": 4}]', "two columns have the same heading", id="the same but for its case"),
        pytest.param(DEEP, "it is nested more than 32 deep", id="very deep"),
        pytest.param(NESTED, "it is nested more than 32 deep", id="deep"),
        pytest.param(b'[{"code": "A"},\n{"code": "B', "line 2 is not whole JSON .*was it cut off", id="cut off"),
        pytest.param(b'{"code": "A"}\n{"code": "B"}\n', "line 2 is not whole JSON .*is every line a record", id="lines"),
        pytest.param(b'[{"code": "A"}, 7]', "record 2 is a number, not an object with keys", id="a value among records"),
        pytest.param(b'[["A", 1]]', "record 1 is a list of 2, not an object with keys", id="lists"),
        pytest.param(b'[{"code": "\xe9"}]', "line 1 holds bytes that are not UTF-8", id="Windows text"),
        pytest.param(b'[{"code": "\\ud800", "naam": 1, "go": 1}]', "under 'code' holds half a character", id="half a character"),
        pytest.param(b'[{"code": "a\\u0000b", "naam": 1, "go": 1}]', "under 'code' holds a NUL character", id="NUL"),
        pytest.param(b'[{"code": "A", "naam": "a"}]', "'go' of mapping o__site is missing; found: code, naam", id="missing"),
        pytest.param(json.dumps([{f"k{i}": 1} for i in range(2001)]).encode(), "more than 2000 different keys", id="values for keys"),
        pytest.param(gzip.compress(b"[]"), "not UTF-8", id="compressed, and not said so"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_it_should_be_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("data", "there is no 'data' of format.records 'data'; found an object with the keys rows, meta"),
        ("meta.rows", r"there is no 'rows' of format.records 'meta\.rows'; found an object with the keys page"),
        ("meta.page", r"at 'meta\.page' stands a number, not a list of records"),
        ("rows.7.x", r"there is no '7' of format.records 'rows\.7\.x'; found a list of 1"),
    ],
)
def test_records_that_are_not_where_the_mapping_says_are_told(tmp_path: Path, where: str, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        read(tmp_path, {"rows": [A], "meta": {"page": 1}}, records=where)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (b'{"code": "B"', "line 2 is not whole JSON"),
        (b'["B"]', "line 2 is a list of 1, not an object with keys"),
        (b'{"code": "\xe9"}', "line 2 holds bytes that are not UTF-8"),
    ],
)
def test_a_line_that_is_no_record_is_told(tmp_path: Path, second: bytes, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        read(tmp_path, json.dumps(A).encode() + b"\n" + second, "file.jsonl")


def test_a_document_beyond_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "MAX_DOCUMENT_BYTES", 1000)
    with pytest.raises(KetenError, match="it holds more than 1000 bytes when unpacked"):
        read(tmp_path, gzip.compress(json.dumps([A] * 100).encode()), "file.json.gz")


TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=12)
ROWS = st.lists(
    st.tuples(
        st.one_of(TEXTS, st.sampled_from(["0012", "-", "n.v.t.", " x ", "1.5", '="08"', "true"])),
        TEXTS,
        st.none() | st.decimals(min_value=0, max_value=10**7, places=2),
        st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    ),
    min_size=1,
    max_size=30,
)
TABLE = {
    "site_id": {"from": "Code"},
    "site_name": {"from": "Naam"},
    "client_id": {"value": "C"},
    "floor_area_go_m2": {"from": "GO"},
    "in_use_from": {"from": "Vanaf", "format": "%d-%m-%Y"},
}
HEAD = list(h for how in TABLE.values() if (h := how.get("from")))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(decimal=st.sampled_from(",."), rows=ROWS)
def test_a_table_is_judged_alike_whether_it_is_sent_as_csv_as_a_workbook_or_as_json(
    tmp_path: Path, decimal: str, rows: list[tuple[str, str, Decimal | None, date]]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(HEAD)
    for code, name, area, day in rows:
        writer.writerow([code, name, "" if area is None else str(area).replace(".", decimal), f"{day:%d-%m-%Y}"])
    sheet = [[code, name, None if area is None else float(area), day] for code, name, area, day in rows]
    named = [
        dict(zip(HEAD, [r[0], r[1], r[2] if r[2] is None else float(r[2]), f"{r[3]:%d-%m-%Y}"], strict=True))
        for r in rows
    ]
    found = [
        staged(tmp_path, "site", content, {"format": {"delimiter": ";", "decimal": decimal}, "columns": TABLE}, name)
        for content, name in (
            (out.getvalue(), "t.csv"),
            (workbook([HEAD, *sheet]), "t.xlsx"),
            (json.dumps(named).encode(), "t.json"),
            ("\n".join(json.dumps(r) for r in named).encode(), "t.jsonl"),
        )
    ]
    for judged, first in zip(found, (2, 2, 1, 1), strict=True):
        for row in judged:
            row["row_no"] -= first
            row.pop("row_text")
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) == len(rows) and CATALOGUE.contracts["site"].columns.keys() <= found[0][0].keys()


@pytest.mark.parametrize(
    ("digits", "decimal", "text"),
    [
        ("1.50", ",", "1,50"),
        ("1e30", ".", "1" + "0" * 30),
        ("1e31", ".", "1e31"),
        ("12e-3", ",", "0,012"),
        ("-1.5E+2", ",", "-150"),
    ],
)
def test_a_number_becomes_text_as_its_sender_would_write_it(digits: str, decimal: str, text: str) -> None:
    assert cells.number_text(digits, decimal) == text
