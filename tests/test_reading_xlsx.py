"""Workbooks as people send them: every record with its row, nothing silently empty, or the file is not trusted at all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from resources.errors import KetenError
from resources.reading import workbook_scan
from tests.staged import READING, SITE, sites, staged

HEAD = ["Code", "Naam", "GO"]
FORMATS = {date: "dd-mm-yyyy", datetime: "dd-mm-yyyy hh:mm:ss", time: "hh:mm", timedelta: "[h]:mm"}


def workbook(*tables: Iterable[Any], names: tuple[str, ...] = (), hidden: tuple[str, ...] = ()) -> bytes:
    """A workbook with a sheet for each table; None leaves a cell out."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    formats = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()}
    for place, table in enumerate(tables):
        sheet = book.add_worksheet(names[place] if names else None)
        for number, row in enumerate(table):
            for column, cell in enumerate(row):
                write(sheet, formats, number, column, cell)
        if sheet.get_name() in hidden:
            sheet.hide()
        elif hidden:
            sheet.activate()
            sheet.set_first_sheet()
    book.close()
    return out.getvalue()


def write(sheet: Any, formats: dict[type, Any], number: int, column: int, cell: Any) -> None:
    if isinstance(cell, str):
        sheet.write_string(number, column, cell)
    elif isinstance(cell, date | time | timedelta):
        sheet.write_datetime(number, column, cell, formats[type(cell)])
    elif cell is not None:
        sheet.write(number, column, cell)


def made(change: Callable[[Any], object], **options: Any) -> bytes:
    """A workbook with one sheet `Blad`, headings in its first row, and what `change` does to it."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet("Blad")
    sheet.write_row(0, 0, HEAD)
    change(sheet)
    book.close()
    return out.getvalue()


def with_part(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same workbook with one of its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def lines(rows: list[dict]) -> list[tuple]:
    return [(row["row_no"], row["site_id"], row["site_name"]) for row in rows]


def read(folder: Path, content: bytes, **form: Any) -> list[dict]:
    shape = {"decimal": ",", **form}
    return staged(folder, "site", content, {"format": shape, "columns": SITE}, "file.xlsx")


def test_records_know_the_row_of_the_sheet_and_blank_rows_are_counted(tmp_path: Path) -> None:
    content = workbook([HEAD, [], ["A", "a", 1], [" ", None, ""], [], ["B", "b", 2], []])
    rows = read(tmp_path, content)
    assert lines(rows) == [(3, "A", "a"), (6, "B", "b")]
    assert rows[0]["blank_rows"] == 3


def test_rows_before_the_header_are_skipped_and_counted(tmp_path: Path) -> None:
    content = workbook([["Export"], ["by", "the portal", "of 3 May"], HEAD, ["A", "a", 1]])
    assert lines(read(tmp_path, content, skip_lines=2)) == [(4, "A", "a")]


def test_a_title_far_from_the_corner_does_not_move_the_rows(tmp_path: Path) -> None:
    content = workbook([[], [], [None, None, *HEAD], [None, None, "A", "a", 1]])
    assert lines(read(tmp_path, content)) == [(4, "A", "a")]


@pytest.mark.parametrize(
    ("cell", "area"),
    [
        (1, "1"),
        (1250.5, "1250.5"),
        (0.1 + 0.2, "0.3"),
        (1e-5, "0.00001"),
        (-0.0, "0"),
        ("1.250,5", "1250.5"),
        ("12,5", "12.5"),
    ],
)
def test_a_number_is_read_as_it_is_and_a_text_in_the_style_of_the_mapping(tmp_path: Path, cell: Any, area: str) -> None:
    (row,) = read(tmp_path, workbook([HEAD, ["A", "a", cell]]), thousands=".")
    assert f"{row['floor_area_go_m2'].normalize():f}" == area


def test_codes_keep_their_zeros_and_numbers_are_codes_without_decimals(tmp_path: Path) -> None:
    rows = read(tmp_path, workbook([HEAD, ["0012", "x", 1], [12, 3.0, 1]]))
    assert lines(rows) == [(2, "0012", "x"), (3, "12", "3")]


def test_a_code_of_which_excel_lost_the_last_digits_is_no_code(tmp_path: Path) -> None:
    """An EAN of 18 digits in a cell of a number: two meters would become one."""
    (row,) = read(tmp_path, workbook([HEAD, [871685900012345678, "a", 1]]))
    assert row["reasons"][0] == "unreadable:site_id"
    assert row["row_text"] == "8,71685900012346E+17;a;1"


DATES = {
    "site_id": {"from": "Code"},
    "site_name": {"from": "Naam"},
    "client_id": {"value": "C"},
    "in_use_from": {"from": "Van", "format": "%d-%m-%Y"},
    "in_use_to": {"from": "Tot"},
}


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_dates_are_read_from_cells_and_from_texts_in_the_format_of_the_mapping(
    tmp_path: Path, epoch_1904: bool
) -> None:
    book = openpyxl.Workbook()
    if epoch_1904:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.worksheets[0]
    sheet.append(["Code", "Naam", "Van", "Tot"])
    sheet.append(["A", "a", date(2025, 3, 1), date(2025, 4, 1)])
    sheet.append(["B", "b", "01-03-2025", "2025-04-01"])
    out = io.BytesIO()
    book.save(out)
    rows = staged(tmp_path, "site", out.getvalue(), {"columns": DATES}, "file.xlsx")
    assert [(r["in_use_from"], r["in_use_to"]) for r in rows] == [(date(2025, 3, 1), date(2025, 4, 1))] * 2
    assert rows[0]["row_text"] == "A;a;01-03-2025;2025-04-01"


def test_a_moment_under_the_heading_of_a_date_is_not_cut_to_its_day(tmp_path: Path) -> None:
    content = workbook([["Code", "Naam", "Van", "Tot"], ["A", "a", datetime(2025, 3, 1, 13, 45), None]])
    (row,) = staged(tmp_path, "site", content, {"columns": DATES}, "file.xlsx")
    assert "not_a_date:in_use_from" in row["reasons"]
    assert row["row_text"] == "A;a;2025-03-01T13:45:00;"


@pytest.mark.parametrize(
    ("stamp", "cells"),
    [
        ({"from": "Dag", "format": "%d-%m-%Y %H:%M"}, [datetime(2025, 3, 1, 0, 15), None]),
        ({"from": "Dag"}, [datetime(2025, 3, 1, 0, 15), None]),
        ({"from": ["Dag", "Uur"], "format": "%d-%m-%Y %H:%M"}, [date(2025, 3, 1), time(0, 15)]),
        ({"from": ["Dag", "Uur"], "format": "%d-%m-%Y %H:%M"}, [date(2025, 3, 1), timedelta(minutes=15)]),
        ({"from": ["Dag", "Uur"]}, [date(2025, 3, 1), time(0, 15)]),
        ({"from": ["Dag", "Uur"], "format": "%d-%m-%Y %H:%M"}, ["01-03-2025", "00:15"]),
        ({"from": "Dag"}, [datetime(2025, 3, 1, 0, 14, 59, 999000), None]),
    ],
)
def test_moments_are_read_however_they_are_spread_over_cells(
    tmp_path: Path, stamp: dict[str, Any], cells: list[Any]
) -> None:
    mapping = {
        "time": {"zone": "UTC", "site_zone": "UTC", "stamp": "start", "interval_minutes": 15},
        "columns": {**READING, "stamp": stamp},
    }
    content = workbook([["EAN", "Dag", "Uur", "Verbruik"], ["E", *cells, 1]])
    (row,) = staged(tmp_path, "meter_reading", content, mapping, "file.xlsx")
    assert row["start_utc"] == datetime(2025, 3, 1, 0, 15)


def test_wide_dates_and_times_are_headings_and_their_cells_keep_their_format(tmp_path: Path) -> None:
    mapping = {
        "time": {"zone": "UTC", "site_zone": "UTC", "stamp": "start", "interval_minutes": 15},
        "unpivot": {"headings": r"^\d\d:\d\d$", "name": "slot", "value": "cell"},
        "columns": {
            **READING,
            "stamp": {"from": ["Dag", "slot"], "format": "%d-%m-%Y %H:%M"},
            "quantity": {"from": "cell", "unit": "kWh"},
        },
    }
    content = workbook([["EAN", "Dag", time(0, 0), time(0, 15)], ["E", date(2025, 3, 1), 1, 2.5]])
    rows = staged(tmp_path, "meter_reading", content, mapping, "file.xlsx")
    assert [(r["start_utc"].minute, float(r["quantity"])) for r in rows] == [(0, 1), (15, 2.5)]


WASTE = {
    "collector_id": {"from": "Inzamelaar"},
    "site_id": {"value": "S"},
    "period_from": {"from": "Dag"},
    "period_to": {"from": "Dag", "shift": "1 day"},
    "stream_code": {"from": "Stroom", "codes": {"Rest": "residual"}, "default": "other"},
    "container_code": {"value": "1100L"},
    "treatment_code": {"value": "energy_recovery"},
    "mass_kg": {"from": "Kg", "unit": "kg"},
    "is_weighed": {"from": "Gewogen"},
}
WASTE_HEAD = ["Inzamelaar", "Dag", "Stroom", "Kg", "Gewogen"]


def test_yes_and_no_are_read_from_cells(tmp_path: Path) -> None:
    table = [
        WASTE_HEAD,
        *(["W", date(2025, 3, day), "Rest", 1, yes] for day, yes in ((1, True), (2, False), (3, "ja"))),
    ]
    rows = staged(tmp_path, "waste_collection", workbook(table), {"columns": WASTE}, "file.xlsx")
    assert [row["is_weighed"] for row in rows] == [True, False, True]


def test_an_error_does_not_become_the_code_for_all_other_words(tmp_path: Path) -> None:
    table = [WASTE_HEAD, *(["W", date(2025, 3, 1), stream, 1, True] for stream in ("Glas", "#REF!"))]
    rows = staged(tmp_path, "waste_collection", workbook(table), {"columns": WASTE}, "file.xlsx")
    assert [(row["stream_code"], row["reasons"]) for row in rows] == [
        ("other", []),
        ("other", ["unreadable:stream_code"]),
    ]


ERRORS = ["#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_of_the_sheet_is_never_an_empty_cell(tmp_path: Path, error: str) -> None:
    content = made(lambda sheet: [sheet.write_formula(1, c, "=1/0", None, error) for c in range(3)])
    (row,) = read(tmp_path, content)
    assert {"unreadable:site_id", "unreadable:site_name", "not_a_number:floor_area_go_m2"} <= set(row["reasons"])
    assert row["row_text"] == ";".join([error] * 3)


def test_not_available_is_missing(tmp_path: Path) -> None:
    content = made(lambda sheet: [sheet.write_formula(1, c, "=NA()", None, "#N/A") for c in range(3)])
    (row,) = read(tmp_path, content)
    assert row["site_id"] is None and row["floor_area_go_m2"] is None
    assert "missing:site_id" in row["reasons"]


def test_a_formula_that_was_never_calculated_is_told_and_not_empty(tmp_path: Path) -> None:
    """Libraries write formulas without results: openpyxl leaves them out."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (HEAD, ["A", "a", 1], ["B", "=A2", "=C2*2"], ["=A2", None, None]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    rows = read(tmp_path, out.getvalue())
    assert rows[0]["reasons"] == []
    assert rows[1]["reasons"][:2] == ["unreadable:site_name", "not_a_number:floor_area_go_m2"]
    assert rows[2]["row_text"] == "#FORMULA!;;" and rows[2]["row_no"] == 4


def test_the_zero_that_a_library_writes_for_a_result_is_no_zero(tmp_path: Path) -> None:
    content = made(lambda sheet: [sheet.write_row(1, 0, ["A", "a"]), sheet.write_formula(1, 2, "=6*7")])
    (row,) = read(tmp_path, content)
    assert "not_a_number:floor_area_go_m2" in row["reasons"] and row["row_text"] == "A;a;#FORMULA!"


def test_results_of_formulas_count(tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet.write_row(1, 0, ["A"])
        sheet.write_formula(1, 1, '="a"&"b"', None, "ab")
        sheet.write_formula(1, 2, "=6*7", None, 42)

    (row,) = read(tmp_path, made(change))
    assert (row["site_name"], row["floor_area_go_m2"], row["reasons"]) == ("ab", 42, [])


def test_a_formula_whose_result_is_zero_or_an_empty_text_has_one(tmp_path: Path) -> None:
    """As Excel writes it: it calculated all formulas, and says that an empty result is a text."""
    content = made(lambda sheet: [sheet.write_row(1, 0, ["A", "a"]), sheet.write_row(2, 0, ["B", "b"])])
    content = with_part(content, "xl/workbook.xml", lambda data: data.replace(b' fullCalcOnLoad="1"', b""))
    nothing, zero = b'<c r="C2" t="str"><f>IF(1,"")</f><v></v></c>', b'<c r="C3"><f>0*1</f><v>0</v></c>'
    content = with_part(content, SHEET, lambda data: data.replace(b'</row><row r="3"', nothing + b'</row><row r="3"'))
    content = with_part(content, SHEET, lambda data: data.replace(b"</row></sheetData>", zero + b"</row></sheetData>"))
    rows = read(tmp_path, content)
    assert [(row["floor_area_go_m2"], row["row_text"]) for row in rows] == [(None, "A;a;"), (0, "B;b;0")]
    assert not any(reason.startswith(("unreadable", "not_a")) for row in rows for reason in row["reasons"])


def test_the_first_sheet_that_can_be_seen_is_read(tmp_path: Path) -> None:
    tables: list[Any] = [[["old"], ["x"]], [HEAD, ["A", "a", 1]], [["other"], ["y"]]]
    content = workbook(*tables, names=("Vorig jaar", "Blad", "Nog een"), hidden=("Vorig jaar",))
    assert lines(read(tmp_path, content)) == [(2, "A", "a")]


def test_the_sheet_of_the_mapping_is_read_also_when_it_is_hidden(tmp_path: Path) -> None:
    content = workbook(
        [["Toelichting"]], [HEAD, ["A", "a", 1]], names=("Toelichting", "Locaties"), hidden=("Locaties",)
    )
    assert lines(read(tmp_path, content, sheet="Locaties")) == [(2, "A", "a")]
    with pytest.raises(KetenError, match=r"the sheet 'Sites' of format.sheet is missing; found: Toelichting, Locaties"):
        read(tmp_path, content, sheet="Sites")


def test_columns_without_anything_in_them_are_left_out(tmp_path: Path) -> None:
    content = made(
        lambda sheet: [sheet.write_row(1, 0, ["A", "a", 1]), sheet.write_blank(1, 9, None), sheet.write(0, 12, " ")]
    )
    (row,) = read(tmp_path, content)
    assert row["row_text"] == "A;a;1"


def test_a_heading_over_two_lines_is_read_as_one(tmp_path: Path) -> None:
    content = workbook([["Code", "Naam", "GO\n(m2)"], ["A", "a", 1]])
    columns = {**SITE, "floor_area_go_m2": {"from": "GO (m2)"}}
    (row,) = staged(tmp_path, "site", content, {"columns": columns}, "file.xlsx")
    assert row["floor_area_go_m2"] == 1


def merged() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (HEAD, ["A", "a", 1]):
        sheet.append(row)
    sheet.merge_cells("B1:C1")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(merged(), r"column C has no heading, but row 2 has something in it", id="merged headings"),
        pytest.param(workbook([[*HEAD, "naam"], ["A", "a", 1, "b"]]), "two columns have the same heading 'naam'", id="twice"),
        pytest.param(workbook([HEAD, ["A", "a", 1, "note"]]), "column D has no heading, but row 2", id="a note beside"),
        pytest.param(workbook([["Naam", "GO"], ["a", 1]]), "'Code' of mapping o__site is missing; found: Naam, GO", id="missing"),
        pytest.param(workbook([[]]), "the sheet 'Sheet1' is empty or has no header row", id="an empty workbook"),
        pytest.param(b"Code;Naam;GO\nA;a;1\n", "it is not a workbook, though its name says so", id="a renamed CSV file"),
        pytest.param(b"", "it is not a workbook", id="no bytes"),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "protected with a password, or an old workbook that is damaged",
            id="encrypted",
        ),
        pytest.param(workbook([HEAD, ["A", "a", 1]])[:-200], "cannot be read to its end", id="cut off"),
    ],
)  # fmt: skip
def test_a_workbook_that_is_not_what_it_should_be_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        read(tmp_path, content)


def test_a_workbook_that_is_compressed_once_more_is_told(tmp_path: Path) -> None:
    with pytest.raises(KetenError, match="a workbook is compressed already; ask for it without .gz"):
        sites(tmp_path, workbook([HEAD, ["A", "a", 1]]), "file.xlsx.gz")


def test_a_workbook_of_charts_or_macros_alone_has_no_rows(tmp_path: Path) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    data = book.add_worksheet("Data")
    data.write_row(0, 0, HEAD)
    data.hide()
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Data!$A$1:$A$2"})
    shown = book.add_chartsheet("Grafiek")
    shown.set_chart(chart)
    shown.activate()
    book.close()
    with pytest.raises(KetenError, match="it has no visible sheet with cells"):
        read(tmp_path, out.getvalue())


def test_sheets_of_old_macros_are_not_taken_for_rows(tmp_path: Path) -> None:
    kind = (
        b"openxmlformats.org/officeDocument/2006/relationships/worksheet",
        b"microsoft.com/office/2006/xlMacrosheet",
    )
    content = workbook([HEAD, ["A", "a", 1]])
    content = with_part(content, "xl/_rels/workbook.xml.rels", lambda data: data.replace(*kind))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b'"worksheets/', b'"macrosheets/')
            new.writestr(name.replace("worksheets/", "macrosheets/"), data)
    with pytest.raises(KetenError, match="it cannot be read as a workbook"):
        read(tmp_path, out.getvalue())


def test_another_zip_file_is_no_workbook(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(KetenError, match="it is a zip file, but not a workbook"):
        read(tmp_path, out.getvalue())


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = with_part(workbook([HEAD, ["A", "a", 1]]), "docProps/app.xml", lambda _: bytes(30_000_000))
    assert len(zeros) < 50_000
    monkeypatch.setattr(workbook_scan, "MAX_UNPACKED_BYTES", 20_000_000)
    with pytest.raises(KetenError, match="it holds more than 20000000 bytes when unpacked"):
        read(tmp_path, zeros)


def test_a_part_that_lies_about_its_size_is_told(tmp_path: Path) -> None:
    content = with_part(workbook([HEAD, ["A", "a", 1]]), "docProps/app.xml", lambda _: bytes(1_234_567))
    small = content.replace((1_234_567).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert small != content
    with pytest.raises(KetenError, match="cannot be read to its end"):
        read(tmp_path, small)


def test_a_changed_byte_is_told(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook([HEAD, ["A", "a", 17.5]]))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    damaged = out.getvalue().replace(b"<v>17.5</v>", b"<v>71.5</v>")
    with pytest.raises(KetenError, match="cannot be read to its end"):
        read(tmp_path, damaged)


def test_one_value_in_the_last_cell_does_not_end_the_process(tmp_path: Path) -> None:
    """A rectangle around it would take 500 GB, and running out of memory cannot be caught."""
    content = made(lambda sheet: [sheet.write_row(1, 0, ["A", "a", 1]), sheet.write(1_048_575, 16_383, "x")])
    with pytest.raises(KetenError, match="reaches to row 1048576 and column 16384"):
        read(tmp_path, content)


@pytest.mark.parametrize("prefix", [b"", b"x:"])
def test_a_far_cell_is_seen_however_its_element_is_written(tmp_path: Path, prefix: bytes) -> None:
    cell = b"<" + prefix + b'row r="1048576"><' + prefix + b'c r="&#88;FD1048576"><' + prefix + b"v>1</" + prefix
    cell += b"v></" + prefix + b"c></" + prefix + b"row>"
    content = workbook([HEAD, ["A", "a", 1]])
    namespace = b'<worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    content = with_part(content, SHEET, lambda data: data.replace(b"</sheetData>", cell + b"</sheetData>"))
    content = with_part(content, SHEET, lambda data: data.replace(b"<worksheet", namespace))
    with pytest.raises(KetenError, match="reaches to row 1048576"):
        read(tmp_path, content)


def test_a_list_that_lies_about_its_length_does_not_end_the_process(tmp_path: Path) -> None:
    lie = (b'uniqueCount="', b'uniqueCount="99999999999')
    content = with_part(workbook([HEAD, ["A", "a", 1]]), "xl/sharedStrings.xml", lambda data: data.replace(*lie))
    with pytest.raises(KetenError, match="its part xl/sharedstrings.xml tells a false length"):
        read(tmp_path, content)


def test_a_text_may_be_used_more_often_than_the_list_of_texts_has_bytes(tmp_path: Path) -> None:
    assert len(read(tmp_path, workbook([HEAD, *(["A", "a", 1] for _ in range(1000))]))) == 1000


def test_a_sheet_may_lie_about_its_extent(tmp_path: Path) -> None:
    """Many writers do; only what stands in it counts."""
    whole = b'<dimension ref="A1:XFD1048576"/>'
    content = with_part(
        workbook([HEAD, ["A", "a", 1]]), SHEET, lambda data: data.replace(b'<dimension ref="A1:C2"/>', whole)
    )
    assert b"XFD" in zipfile.ZipFile(io.BytesIO(content)).read(SHEET)
    assert lines(read(tmp_path, content)) == [(2, "A", "a")]


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        (SHEET, lambda data: data.replace(b'<row r="2"', b'<row r="second"'), "the sheet 'Sheet1' cannot be read"),
        (SHEET, lambda data: data.replace(b'r="A2"', b'r="2A"'), "the sheet 'Sheet1' has a cell '2A'"),
        (
            SHEET,
            lambda data: data.replace(b'encoding="UTF-8"', b'encoding="UTF-99"'),
            "the sheet 'Sheet1' cannot be read",
        ),
        ("xl/workbook.xml", lambda data: data[:-9], "its part xl/workbook.xml cannot be read"),
        (
            "xl/_rels/workbook.xml.rels",
            lambda data: data.replace(b"sheet1.xml", b"sheet7.xml"),
            "in its list, but not in the file",
        ),
    ],
)
def test_a_part_that_cannot_be_read_is_told(
    tmp_path: Path, part: str, change: Callable[[bytes], bytes], words: str
) -> None:
    with pytest.raises(KetenError, match=words):
        read(tmp_path, with_part(workbook([HEAD, ["A", "a", 1]]), part, change))


def test_a_sheet_that_cannot_be_read_stops_the_others_too(tmp_path: Path) -> None:
    """It was not looked at for persons, and its bytes would be kept."""
    content = workbook([HEAD, ["A", "a", 1]], [["nr"], [111222333]], names=("Blad", "Oud"), hidden=("Oud",))
    content = with_part(content, "xl/worksheets/sheet2.xml", lambda data: data[:-40])
    with pytest.raises(KetenError, match="the sheet 'Oud' cannot be read"):
        read(tmp_path, content)


def test_two_parts_of_one_name_are_told(tmp_path: Path) -> None:
    out = io.BytesIO(workbook([HEAD, ["A", "a", 1]]))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("XL/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(KetenError, match="two parts of it have the same name"):
        read(tmp_path, out.getvalue())


def test_a_sheet_that_is_no_xml_is_told(tmp_path: Path) -> None:
    content = with_part(workbook([HEAD, ["A", "a", 1]]), SHEET, lambda data: data[:-50])
    with pytest.raises(KetenError, match="the sheet 'Sheet1' cannot be read"):
        read(tmp_path, content)


def test_what_openpyxl_sees_is_what_is_read(tmp_path: Path) -> None:
    """A second reader as witness: text, numbers and dates of a sheet with gaps."""
    table = [HEAD, ["A", "één", 1.25], [], ["007", "x\ny", 300], ["B", None, 0.000001]]
    content = workbook(table)
    seen = openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets[0]
    rows = read(tmp_path, content)
    expected = [
        (number, *(str(c) if isinstance(c, str) else c for c in cells))
        for number, cells in enumerate(seen.iter_rows(min_row=2, values_only=True), start=2)
        if any(cell is not None for cell in cells)
    ]
    assert [(r["row_no"], r["site_id"], r["site_name"], float(r["floor_area_go_m2"])) for r in rows] == expected
