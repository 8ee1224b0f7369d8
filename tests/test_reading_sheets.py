"""Sheets as they are met: titles above the table, groups above the headings, notes below it, old workbooks, archives."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from resources import reading
from resources.catalogue.mapping_models import Mapping
from resources.errors import KetenError
from resources.reading import workbook_scan
from tests.real_run import DATA, require_data
from tests.staged import SITE, staged
from tests.test_reading_xlsx import HEAD, SHEET, lines, made, read, with_part, workbook

SAMPLE = "portfolio-manager-seed-a/portfolio-manager-sample.xls"


def mapping(*headings: str, **form: Any) -> Mapping:
    columns = {f"c{n}": {"from": heading} for n, heading in enumerate(headings)}
    facts = {"title": "t", "files": "*", "origin": "o", "dataset": "d", "format": form, "columns": columns}
    return Mapping.model_validate(facts)


def test_the_header_is_found_below_titles_and_what_stands_around_the_table_is_counted(tmp_path: Path) -> None:
    """A report with its name on top and a disclaimer below needs no lines to be counted by hand."""
    table = [
        ["Rapport"],
        [],
        ["Gemaakt op", "", "2 mei"],
        HEAD,
        ["A", "a", 1],
        [],
        ["B", "b", 2],
        ["Totaal", None, 3],
        [],
        ["Geen rechten"],
    ]
    content = workbook(table)
    assert lines(read(tmp_path, content, footer="^Totaal")) == [(5, "A", "a"), (7, "B", "b")]
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)
    facts = reading.inspect_file(path, mapping(*HEAD, footer="^Totaal"))
    assert facts.set_aside == ((1, "preamble"), (3, "preamble"), (8, "footer"), (10, "footer"))
    assert facts.blank_rows == 1


def test_a_sheet_whose_text_decides_the_mark_holds_its_numbers_with_a_point(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(workbook([["GO", "VVO"], [1.5, "2,5"], [2.25, 3]]))
    facts = reading.inspect_file(path, mapping("GO", "VVO", decimal="auto"))
    assert facts.table is not None
    assert facts.table["cell GO"].to_pylist() == ["1.5", "2.25"]
    assert facts.table["cell VVO"].to_pylist() == ["2,5", "3"]


def test_two_header_rows_of_a_sheet_are_one_heading(tmp_path: Path) -> None:
    table = [["Titel"], [None, "Gebouw", None, "Vloer"], ["Code", "Naam", "Plaats", "GO"], ["A", "a", "U", 1]]
    columns = {
        **SITE,
        "site_name": {"from": "Gebouw / Naam"},
        "place_name": {"from": "Gebouw / Plaats"},
        "floor_area_go_m2": {"from": "Vloer / GO"},
    }
    shape = {"format": {"header_rows": 2}, "columns": columns}
    (row,) = staged(tmp_path, "site", workbook(table), shape, "file.xlsx")
    assert (row["row_no"], row["site_id"], row["site_name"], row["place_name"]) == (4, "A", "a", "U")


def test_an_old_workbook_is_read(tmp_path: Path) -> None:
    """Building portals still hand out .xls; its numbers, texts and dates are cells like any other."""
    require_data()
    path = tmp_path / "sample.xls"
    shutil.copy(DATA / SAMPLE, path)
    facts = reading.inspect_file(path, mapping("Property Id", "Year Built", "Site EUI (kBtu/ft2)"))
    assert facts.table is not None and facts.table.num_rows == 512
    first = facts.table.slice(0, 1).to_pylist()[0]
    assert (first["row_no"], first["cell Property Id"], first["cell Site EUI (kBtu/ft2)"]) == (2, "5766973", "46.9")
    path.rename(tmp_path / "named.xlsx")
    assert reading.inspect_file(tmp_path / "named.xlsx", mapping("Property Id")).table == facts.table


def test_an_old_workbook_that_was_cut_off_is_told(tmp_path: Path) -> None:
    require_data()
    path = tmp_path / "sample.xls"
    path.write_bytes((DATA / SAMPLE).read_bytes()[:5000])
    with pytest.raises(KetenError, match="an old workbook that is damaged"):
        reading.inspect_file(path, mapping("Property Id"))


def test_a_workbook_in_an_archive_is_read(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("map/sites.xlsx", workbook([HEAD, ["A", "a", 1]]))
    rows = staged(tmp_path, "site", packed.getvalue(), {"columns": SITE}, "file.zip")
    assert lines(rows) == [(2, "A", "a")]


ROWS = [HEAD, ["A", "a", 1], ["B", "b", 2.5]]
PLAIN = workbook(ROWS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(with_part(PLAIN, SHEET, lambda xml: xml.replace(b"<sheetData>", b"<!-- x --><sheetData>")), id="comment"),
        pytest.param(with_part(PLAIN, SHEET, lambda xml: xml.replace(b'r="A2"', b"r='A2'")), id="single quotes"),
        pytest.param(with_part(PLAIN, SHEET, lambda xml: xml.replace(b'<c r="C3"><v>', b'<c r="C3"><f>5/2</f><v>')), id="formula"),
        pytest.param(with_part(PLAIN, SHEET, lambda xml: xml.replace(b"</row></sheet", b'<c r="D3"/></row></sheet')), id="empty cell"),
    ],
)  # fmt: skip
def test_both_ways_of_looking_through_a_sheet_find_the_same_extent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """The quick look is only for sheets in which it cannot be wrong; where it is not taken, the other sees the same."""
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)
    with workbook_scan.opened(path) as (known, _):
        found = known.sheet("Sheet1")
        monkeypatch.setattr(workbook_scan, "_plain_scan", lambda source: None)
        assert known.sheet("Sheet1") == found
    assert (found.last_row, found.last_column, found.marks) == (3, 3, {})
    assert lines(read(tmp_path, content)) == [(2, "A", "a"), (3, "B", "b")]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sheet: sheet.write_formula(1, 0, "=1/0", None, "#DIV/0!"), id="an error"),
        pytest.param(lambda sheet: sheet.write_blank(1, 0, None), id="nothing in the first cell"),
    ],
)
def test_a_sheet_with_anything_but_values_is_looked_through_cell_by_cell(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(made(change))
    with zipfile.ZipFile(path) as archive, archive.open(SHEET) as source:
        quick = workbook_scan._plain_scan(source)
    with workbook_scan.opened(path) as (known, _):
        assert quick is None or quick == known.sheet("Blad")
