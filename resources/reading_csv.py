"""Reading CSV files as text cells with the physical line of every record.

Belongs here: encodings, headings, line numbers. Does not belong here: what a cell means (judging), other forms of files.
"""

from __future__ import annotations

import csv
import gzip
import io
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from resources.cells import CELL, Cells, FileFacts, text
from resources.errors import KetenError
from resources.files import PIECE, is_compressed, pieces

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from resources.catalogue import Mapping


def header_of(path: Path, mapping: Mapping) -> FileFacts:
    """The headings of a file, from its beginning alone. Raises KetenError when there are none."""
    headings, line = _header(next(pieces(path), b""), mapping)
    return FileFacts(headings, line, line)


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """Headings and lines of a file, in one pass. Raises KetenError for what is no text or cannot be read to its end."""
    scan = _Scan(mapping)
    header: tuple[tuple[str, ...], int] | None = None
    for piece in pieces(path):
        scan.add(piece)
        header = header or _header(piece, mapping)
    scan.end()
    if header is None:
        raise KetenError("it is empty")
    return FileFacts(*header, scan.lines)


class _Scan:
    """One pass: is it text, and how many lines."""

    def __init__(self, mapping: Mapping) -> None:
        self._utf8 = mapping.format.encoding == "utf-8"
        self._rest = b""
        self._last = b"\n"
        self.lines = 0

    def add(self, piece: bytes) -> None:
        """Take in the next piece. Raises KetenError for what is not text in the encoding of the mapping."""
        if b"\0" in piece:
            raise KetenError("it holds NUL bytes, so it is not text; a workbook is read when its name ends in .xlsx")
        if self._utf8 and (self._rest or not piece.isascii()):
            self._decode(piece)
        self.lines += piece.count(b"\n")
        self._last = piece[-1:]

    def end(self) -> None:
        """The file is over. Raises KetenError when it stops in the middle of a character."""
        if self._rest:
            raise self._not_text(self.lines + 1)
        self.lines += self._last != b"\n"

    def _decode(self, piece: bytes) -> None:
        data = self._rest + piece
        try:
            data.decode("utf-8")
            self._rest = b""
        except UnicodeDecodeError as error:
            # A character may go on in the next piece; it has four bytes at most.
            if len(data) - error.start > 3:
                raise self._not_text(self.lines + 1 + data[: error.start].count(b"\n")) from None
            self._rest = data[error.start :]

    def _not_text(self, line: int) -> KetenError:
        return KetenError(
            f"line {line} holds bytes that are not UTF-8; if the sender uses Windows text, write"
            " `format: {encoding: cp1252}` in the mapping"
        )


def _header(head: bytes, mapping: Mapping) -> tuple[tuple[str, ...], int]:
    """The record after `skip_lines` others, and the line on which it ends; blank lines are no records."""
    text = head.decode("cp1252" if mapping.format.encoding == "cp1252" else "utf-8-sig", errors="ignore")
    rows = _csv_reader(io.StringIO(text, newline=""), mapping)
    try:
        found = next(islice((row for row in rows if row), mapping.format.skip_lines, None), None)
    except csv.Error as error:
        raise KetenError(f"the header row cannot be read ({error})") from None
    if not found or not any(cell.strip() for cell in found):
        raise KetenError("it is empty or has no header row")
    return tuple(cell.strip() for cell in found), rows.line_num


def _csv_reader(source: TextIO, mapping: Mapping) -> Any:
    csv.field_size_limit(PIECE)
    return csv.reader(source, delimiter=mapping.format.delimiter, quotechar=mapping.format.quote or None)


def cells_of(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, lenient: bool = False
) -> str:
    """The relation of the text cells of a file under their headings, in the order of the file.

    `lenient` leaves out rows that cannot be read, but not in Windows text.
    """
    form = mapping.format
    if form.encoding == "cp1252":
        connection.register("decoded_cells", _decoded(path, mapping, facts))
        return "decoded_cells"
    skipping = ", ignore_errors = true" if lenient else ""
    columns = ", ".join(f"{text(CELL + h)}: 'VARCHAR'" for h in facts.headings)
    return (
        f"read_csv({text(str(path))}, delim = {text(form.delimiter)}, quote = {text(form.quote)},"
        f" escape = {text(form.quote)}, header = false, skip = {facts.header_line}, columns = {{{columns}}},"
        f" auto_detect = false, encoding = 'utf-8', null_padding = false, strict_mode = true{skipping})"
    )


def _decoded(path: Path, mapping: Mapping, facts: FileFacts) -> pa.Table:
    """The cells of a file in Windows text. DuckDB knows Latin-1 only, in which the euro sign and 26 others are no text."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [CELL + h for h in facts.headings]
    form = mapping.format
    try:
        return arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(encoding="cp1252", skip_rows=facts.header_line, column_names=names),
            arrow_csv.ParseOptions(delimiter=form.delimiter, quote_char=form.quote or False, newlines_in_values=True),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise KetenError(f"it cannot be read as Windows text ({str(error).splitlines()[0][:200]})") from None


def read_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, table: str
) -> Cells:
    """Read the cells into a temporary table. Raises KetenError when its lines cannot be told.

    DuckDB keeps the order of a file when it makes a table of nothing else, outside a transaction, so the place of a row
    tells its line. Numbering it with a window would keep all that follows in one thread.
    """
    connection.execute(f"create or replace temp table {table} as from {cells_of(connection, path, mapping, facts)}")
    counted = connection.execute(f"select count(*) from {table}").fetchone()
    rows = int(counted[0]) if counted else 0
    if rows == facts.last_line - facts.header_line:
        return Cells(f"(select rowid + {facts.header_line + 1} as row_no, * from {table})", rows, 0)
    starts, blank = _record_lines(path, mapping, facts)
    if rows != len(starts):
        raise KetenError("its rows cannot be told from its lines; are all quotes closed?")
    import pyarrow as pa

    connection.register("line_numbers", pa.table({"ordinal": range(len(starts)), "row_no": starts}))
    connection.execute(f"create or replace temp table {table}_line as from line_numbers")
    connection.unregister("line_numbers")
    return Cells(f"(select l.row_no, r.* from {table} r join {table}_line l on l.ordinal = r.rowid)", rows, blank)


def _record_lines(path: Path, mapping: Mapping, facts: FileFacts) -> tuple[list[int], int]:
    """Where each record starts, for the rare file with blank lines or line breaks within quotes; and its blank lines."""
    opener = gzip.open if is_compressed(path.name) else open
    encoding = "cp1252" if mapping.format.encoding == "cp1252" else "utf-8-sig"
    starts, blank, before = [], 0, 0
    with opener(path, "rt", encoding=encoding, newline="") as source:  # type: ignore[operator]
        rows = _csv_reader(source, mapping)
        for row in rows:
            if before >= facts.header_line:
                starts += [before + 1] if row else []
                blank += not row
            before = rows.line_num
    return starts, blank
