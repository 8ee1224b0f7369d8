"""CSV as it is met: other encodings, lines around the table, rows that are damaged, archives."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from resources.errors import KetenError
from resources.reading import files
from tests.staged import SITE, sites, staged

HEAD = "Code;Naam;GO\n"
ROWS = HEAD + "A;Één;1\nB;Twee;2\n"
READ = [(2, "A", "Één"), (3, "B", "Twee")]


def lines(rows: list[dict]) -> list[tuple]:
    return [(row["row_no"], row["site_id"], row["site_name"]) for row in rows]


def archive(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "form"),
    [
        pytest.param(ROWS.encode("utf-8-sig"), {"encoding": "cp1252"}, id="a mark of UTF-8 wins"),
        pytest.param(ROWS.encode("utf-16"), {}, id="a mark of UTF-16, little end first"),
        pytest.param(
            "\ufeff".encode("utf-16-be") + ROWS.encode("utf-16-be"), {"encoding": "cp1252"}, id="big end first"
        ),
        pytest.param(ROWS.encode("utf-16-le"), {"encoding": "utf-16"}, id="UTF-16 without a mark, declared"),
        pytest.param(ROWS.encode("utf-16-be"), {"encoding": "utf-16"}, id="the other way round"),
        pytest.param(ROWS.replace("\n", "\r").encode(), {}, id="carriage returns alone"),
        pytest.param(ROWS.replace("\n", "\r").encode("cp1252"), {"encoding": "cp1252"}, id="and in Windows text"),
    ],
)
def test_a_file_in_another_encoding_or_with_other_line_ends_is_the_same_file(
    tmp_path: Path, content: bytes, form: dict[str, Any]
) -> None:
    """An export of a spreadsheet is not turned into text that is full of NUL, nor into one single line."""
    assert lines(sites(tmp_path, content, **form)) == READ


def test_windows_text_with_line_breaks_in_cells_and_blank_lines_knows_its_lines(tmp_path: Path) -> None:
    rows = sites(tmp_path, (HEAD + '\nA;"€\nuro";1\n\nB;b;2\n').encode("cp1252"), encoding="cp1252")
    assert lines(rows) == [(3, "A", "€\nuro"), (6, "B", "b")]
    assert rows[0]["blank_rows"] == 2


def test_a_row_with_bytes_that_are_no_text_is_set_aside_alone(tmp_path: Path) -> None:
    """One bad disk sector does not cost a month, and what it touched is not loaded with a mark in its place."""
    content = (
        ROWS.encode() + b"C;\xe9\xff;3\nD;a\0b;4\nE;\xed\xa0\x80;5\n" + "F;é\nG;é;7\n".replace("é\n", "é;6\n").encode()
    )
    content += "".join(f"S{n};ü;1\n" for n in range(12)).encode()
    rows = sites(tmp_path, content)
    assert {row["row_no"]: row["reasons"] for row in rows if row["reasons"]} == {
        line: ["unreadable_bytes"] for line in (4, 5, 6)
    }
    assert len(rows) == 19
    assert rows[2]["row_text"] == "C;\ufffd\ufffd;3"


def test_a_damaged_byte_within_a_cell_of_two_lines_sets_its_whole_row_aside(tmp_path: Path) -> None:
    content = ROWS.encode() + b'C;"one\nt\xffo";3\nD;d;4\n'
    rows = sites(tmp_path, content)
    assert [(row["row_no"], row["reasons"]) for row in rows][2:] == [(4, ["unreadable_bytes"]), (6, [])]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(ROWS.encode("cp1252"), "line 2 holds bytes that are not UTF-8", id="Windows text"),
        pytest.param(ROWS.encode("utf-16-le"), "write `format: {encoding: utf-16}`", id="UTF-16 without a mark"),
        pytest.param(b"Code;N\xffaam;GO\n" + ROWS.encode() * 9, "line 1, above the rows", id="a damaged header"),
        pytest.param(b"\x1f\x8b" + bytes(50), "compressed with gzip", id="gzip named as text"),
        pytest.param(b"PAR1" + bytes(50), "a Parquet file", id="Parquet named as text"),
        pytest.param(b"<html><title>Log  in\n</title></html>", "it is a web page or XML titled 'Log in'", id="a page"),
        pytest.param(
            b'{"error": {"code": 401, "message": "expired"}}', "it says: message: expired, code: 401", id="JSON"
        ),
        pytest.param(ROWS.encode("utf-16")[:-1], "cannot be read as UTF-16", id="UTF-16 that was cut off"),
        pytest.param(b"A;1\nB;2\n", "expected: Code, GO, Naam", id="no header row"),
        pytest.param(("Code;Naam;GO" + ";x" * 2000).encode() + b"\n", "it has 2003 columns", id="far too many columns"),
    ],
)
def test_a_file_that_cannot_be_trusted_tells_what_it_is_and_what_to_do(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(KetenError, match=words.replace("{", r"\{")):
        sites(tmp_path, content)


def test_title_lines_above_the_header_are_found_by_themselves_and_counted(tmp_path: Path) -> None:
    content = "Export of 3 May;;\n\nby: the portal\n" + ROWS
    assert lines(sites(tmp_path, content)) == [(5, "A", "Één"), (6, "B", "Twee")]


def test_the_header_is_looked_for_only_where_lines_to_skip_are_not_told(tmp_path: Path) -> None:
    """Who says how many lines come first is held to it: a file that begins otherwise is another file."""
    with pytest.raises(KetenError, match="the heading 'Code' of mapping o__site is missing; found: A"):
        sites(tmp_path, ROWS, skip_lines=1)


def test_all_from_the_footer_on_is_no_row_whatever_its_cells(tmp_path: Path) -> None:
    content = ROWS + ";;\nTotaal;;3\nMade by, the portal;;;;\n\nC;c;3\n"
    rows = sites(tmp_path, content, footer="^Totaal")
    assert [(row["row_no"], row["ignored_reason"]) for row in rows] == [(2, None), (3, None), (4, "blank")]


def test_a_footer_that_does_not_come_takes_nothing_away(tmp_path: Path) -> None:
    assert lines(sites(tmp_path, ROWS, footer="^Totaal")) == READ


def test_two_header_rows_are_one_heading_and_a_group_reaches_to_the_right(tmp_path: Path) -> None:
    content = "Export;;;\n;Gebouw;;Vloer\nCode;Naam;Plaats;GO\nA;a;U;1\n"
    columns = {**SITE, "site_name": {"from": "Gebouw / Naam"}, "floor_area_go_m2": {"from": "Vloer / GO"}}
    columns["place_name"] = {"from": "Gebouw / Plaats"}
    form = {"delimiter": ";", "header_rows": 2}
    (row,) = staged(tmp_path, "site", content, {"format": form, "columns": columns})
    assert (row["row_no"], row["site_id"], row["site_name"], row["place_name"]) == (4, "A", "a", "U")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("Code;Naam;GO;\nA;a;1;\n", id="in header and rows"),
        pytest.param("Code;Naam;GO\nA;a;1;\n", id="in rows"),
        pytest.param("Code;Naam;GO;\nA;a;1\n", id="in the header"),
    ],
)
def test_a_delimiter_at_the_end_makes_no_column(tmp_path: Path, content: str) -> None:
    assert lines(sites(tmp_path, content)) == [(2, "A", "a")]


def test_a_column_without_heading_that_holds_something_is_told(tmp_path: Path) -> None:
    with pytest.raises(KetenError, match="column D has no heading, but row 3 has something in it"):
        sites(tmp_path, "Code;Naam;GO;\nA;a;1;\nB;b;2;x\n")


def test_a_row_with_another_number_of_cells_is_set_aside_where_it_is_one_of_many(tmp_path: Path) -> None:
    """A delimiter within a name that nobody quoted costs its row, not the file; and no row after it moves."""
    good = "".join(f"S{n};naam;1\n" for n in range(40))
    rows = sites(tmp_path, HEAD + good + 'X;"a\nb";c;1\nZ;Smit; en zoon;1\n' + good.replace("S", "T"))
    bad = {row["row_no"]: (row["reasons"], row["row_text"]) for row in rows if row["reasons"]}
    assert bad == {42: (["uneven"], 'X;"a\nb";c;1;;'), 44: (["uneven"], "Z;Smit; en zoon;1;;")}
    assert lines(rows)[-1] == (84, "T39", "naam")


def test_a_cell_longer_than_any_sheet_holds_is_set_aside_and_its_text_kept_short(tmp_path: Path) -> None:
    rows = sites(tmp_path, HEAD + f"A;{'x' * 32_768};1\nB;{'y' * 32_767};2\nC;{'z' * 3_000_000};3\n")
    assert [row["reasons"] for row in rows] == [["too_long"], [], ["too_long"]]
    assert len(rows[0]["row_text"]) == 1 + 1 + 1000 + 1 + 1


def test_one_letter_written_in_two_ways_is_one_letter(tmp_path: Path) -> None:
    """The same name from two systems is one party."""
    (row,) = sites(tmp_path, HEAD + "A;Cafe\u0301;1\n")
    assert row["site_name"] == "Caf\u00e9"


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("file.zip", archive(**{"data.csv": ROWS.encode()}), {}),
        ("file.csv.zip", archive(**{"a/": b"", "__MACOSX/x": b"", ".DS_Store": b"", "a/data.csv": ROWS.encode()}), {}),
        ("file.zip", archive(**{"readme.txt": b"hi", "data.csv": ROWS.encode()}), {"member": "^data"}),
        ("file.zip", archive(**{"../../data.csv": ROWS.encode("cp1252")}), {"encoding": "cp1252"}),
        ("file.ZIP", archive(**{"data.json": b'[{"Code":"A","Naam":"a","GO":1}]'}), {}),
        ("file.csv.gz", gzip.compress(ROWS.encode("utf-16")), {}),
    ],
    ids=["one file", "folders and marks of a Mac", "one member of two", "a name that climbs out", "JSON", "gzip"],
)
def test_the_file_in_an_archive_is_read_and_nothing_is_written(
    tmp_path: Path, name: str, content: bytes, form: dict[str, Any]
) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    rows = sites(folder, content, name, **form)
    assert rows[0]["site_id"] == "A"
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.parent for path in written] == [folder], "the delivery alone, which the test itself put there"


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        (
            archive(**{"a.csv": b"x", "b.csv": b"y"}),
            {},
            "the archive holds 2 files, where one is read; found: a.csv, b.csv",
        ),
        (archive(**{"a.csv": b"x"}), {"member": "^c"}, "holds 0 files that match format.member '\\^c'"),
        (archive(), {}, "holds 0 files"),
        (archive(**{"a.csv": ROWS.encode()})[:-30], {}, "cannot be read to its end"),
        (b"not an archive", {}, "cannot be read to its end"),
        (archive(**{"a.parquet": b"PAR1"}), {}, "compressed already; ask for it without .zip"),
    ],
    ids=["two files", "no member", "empty", "cut off", "no archive", "packed twice"],
)
def test_an_archive_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes, form: dict[str, Any], words: str
) -> None:
    with pytest.raises(KetenError, match=words):
        sites(tmp_path, content, "file.zip", **form)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: archive(**{"a.csv": data})], ids=["gzip", "zip"])
def test_what_unpacks_without_end_is_left_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Any) -> None:
    """A small file that fills the memory is not read to its end to find that out."""
    monkeypatch.setattr(files, "PIECE", 1024**2)
    path = tmp_path / ("x.csv.gz" if pack is gzip.compress else "x.csv.zip")
    path.write_bytes(pack(b"0" * 40 * 1024**2))
    seen = 0
    with pytest.raises(KetenError, match="unpacks to more than 250 times"):
        for piece in files.pieces(path):
            seen += len(piece)
    assert files.FREE_BYTES <= seen < files.FREE_BYTES + 2 * 1024**2
