"""Reading files as people send them: every record with the line it stands on, or the file is not trusted at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from resources.errors import KetenError
from resources.reading import files
from tests.staged import sites

HEAD = "Code;Naam;GO\n"


def lines(rows: list[dict]) -> list[tuple]:
    return [(row["row_no"], row["site_id"], row["site_name"]) for row in rows]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(HEAD + "A;Één;1\nB;Twee;2\n", [(2, "A", "Één"), (3, "B", "Twee")], id="plain"),
        pytest.param(HEAD + "A;a;1\nB;b;2", [(2, "A", "a"), (3, "B", "b")], id="no line break at the end"),
        pytest.param("Code;Naam;GO\r\nA;a;1\r\nB;b;2\r\n", [(2, "A", "a"), (3, "B", "b")], id="Windows line breaks"),
        pytest.param(
            "\ufeff" + HEAD + "A;a;1\n", [(2, "A", "a")], id="a byte order mark is no part of the first heading"
        ),
        pytest.param(HEAD + "\nA;a;1\n\n\nB;b;2\n\n", [(3, "A", "a"), (6, "B", "b")], id="blank lines are counted"),
        pytest.param(HEAD + 'A;"a\nb";1\nB;b;2\n', [(2, "A", "a\nb"), (4, "B", "b")], id="a line break within quotes"),
        pytest.param(
            HEAD + 'A;"say ""hi""; now";1\n', [(2, "A", 'say "hi"; now')], id="quotes and delimiters within quotes"
        ),
    ],
)
def test_records_know_their_line(tmp_path: Path, content: str, expected: list[tuple]) -> None:
    assert lines(sites(tmp_path, content)) == expected


def test_blank_lines_are_told(tmp_path: Path) -> None:
    assert sites(tmp_path, HEAD + "\nA;a;1\n\n\nB;b;2\n\n")[0]["blank_rows"] == 4


def test_lines_before_the_header_are_skipped_and_counted(tmp_path: Path) -> None:
    content = "Export of 3 May\nby: the portal\n" + HEAD + "A;a;1\n"
    assert lines(sites(tmp_path, content, skip_lines=2)) == [(4, "A", "a")]


def test_windows_text_keeps_its_euro_sign_and_accents(tmp_path: Path) -> None:
    content = (HEAD + "A;Café “De €uro” – één;1\n").encode("cp1252")
    assert lines(sites(tmp_path, content, encoding="cp1252")) == [(2, "A", "Café “De €uro” – één")]


def test_windows_text_with_a_byte_it_does_not_know_is_told(tmp_path: Path) -> None:
    with pytest.raises(KetenError, match="cannot be read as Windows text"):
        sites(tmp_path, b"Code;Naam;GO\nA;\x81;1\n", encoding="cp1252")


def test_compressed_files_are_read_as_well(tmp_path: Path) -> None:
    assert lines(sites(tmp_path, gzip.compress((HEAD + "A;a;1\n").encode()), "file.csv.gz")) == [(2, "A", "a")]


@pytest.mark.parametrize("size", [len(HEAD) + len("A;x") + n for n in (0, 1, 2)])
def test_a_character_across_two_pieces_is_one_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(files, "PIECE", size)
    rows = sites(tmp_path, HEAD + "A;xé;1\nB;b;2\n")
    assert lines(rows) == [(2, "A", "xé"), (3, "B", "b")]


def test_lines_are_right_in_a_file_that_is_read_by_several_threads(tmp_path: Path) -> None:
    """Large enough for DuckDB to cut it in pieces; each row says on which line it stands."""
    count = 400_000
    text = HEAD + "".join(f"{line};site {line};{line % 900 + 1}\n" for line in range(2, count + 2))
    rows = sites(tmp_path, text)
    assert len(rows) == count
    assert all(int(row["site_id"]) == row["row_no"] for row in rows)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\n\n", "no header row"),
        (b"A;B;C\n1;2;3\n", "the heading 'Code' of mapping o__site is missing; found: A, B, C"),
        (b"Code;Naam;GO;go\nA;a;1;2\n", "two columns have the same heading"),
        (b"Code;Naam;GO\nA;a\0;1\n", "NUL bytes"),
        (b"Code;Naam;GO\nA;a;1\nB;\xe9;1\n" + b"C;c;1\n" * 3, "line 3 holds bytes that are not UTF-8"),
        (b"Code;Naam;GO\nA;a;1\nB;\xc3", "line 3 holds bytes that are not UTF-8"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        sites(tmp_path, content)


def test_a_compressed_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    content = gzip.compress((HEAD + "A;a;1\n" * 5000).encode())[:-20]
    with pytest.raises(KetenError, match="cannot be read to its end"):
        sites(tmp_path, content, "file.csv.gz")
