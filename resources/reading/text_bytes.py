"""The text of a delimited file: its encoding and line ends, and the lines that are no text.

Belongs here: bytes to UTF-8 text with line feeds. Does not belong here: headings, cells and records (csv_files).

Nearly all files are UTF-8 as they are, and are only looked at here: the engine reads them itself. What is not is brought to
UTF-8 in memory. A byte order mark tells the encoding whatever the mapping says.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading.files import PIECE, packing, pieces

if TYPE_CHECKING:
    from resources.catalogue.models import FileFormat

MAX_TURNED_BYTES = 1024**3
# A line without an end within this many bytes may hold a cell that is too long; shorter ones need not be looked at.
LONG_LINE = 16 * 1024
_SIGNATURES = (
    (b"PK\x03\x04", "a workbook or zip file; it is read when its name ends in .xlsx or .zip"),
    (b"\xd0\xcf\x11\xe0", "an old workbook; it is read when its name ends in .xls"),
    (b"\x1f\x8b", "compressed with gzip; it is read when its name ends in .gz"),
    (b"PAR1", "a Parquet file; it is read when its name ends in .parquet"),
    (b"%PDF", "a PDF; ask for the table it was made of"),
)


@dataclass(frozen=True)
class Text:
    """What one pass tells of a text: its beginning, its lines, and the numbers of those with bytes that are no text.

    `content` is the whole of it as UTF-8 with line feeds, where the engine cannot read the file as it is.
    """

    head: bytes
    lines: int
    content: bytes | None = None
    bad_lines: tuple[int, ...] = ()
    has_long: bool = False


def read_text(path: Path, form: FileFormat) -> Text:
    """Look through a file. Raises KetenError for what is no text, is none in its encoding, or cannot be read to its end."""
    scan = _Scan()
    for piece in pieces(path, form.member):
        if not scan.head:
            _refuse_other(piece)
            encoding = encoding_of(piece, form)
            if encoding != "utf-8":
                return _turned(path, form, encoding)
        scan.add(piece)
    scan.end()
    if scan.is_odd or not scan.feeds and b"\r" in scan.head:
        return _turned(path, form, "utf-8")
    if packing(path.name) == ".zip":
        return _whole(b"".join(pieces(path, form.member, MAX_TURNED_BYTES)), ())
    return Text(scan.head.removeprefix(codecs.BOM_UTF8), scan.lines, has_long=scan.has_long)


def look_at(path: Path, form: FileFormat) -> Text:
    """The beginning of a file alone, where the engine can read it as it is; or else all of it, as `read_text` does."""
    piece = next(pieces(path, form.member), b"")
    is_plain = encoding_of(piece, form) == "utf-8" and b"\n" in piece and b"\0" not in piece
    if not is_plain or packing(path.name) == ".zip":
        return read_text(path, form)
    head = piece.removeprefix(codecs.BOM_UTF8)
    return Text(head, head.count(b"\n") + (not head.endswith(b"\n")))


def encoding_of(piece: bytes, form: FileFormat) -> str:
    """The encoding of a text that begins so."""
    if piece.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if form.encoding == "utf-16":
        return "utf-16-be" if piece[:1] == b"\0" else "utf-16-le"
    return form.encoding


def _refuse_other(piece: bytes) -> None:
    for signature, told in _SIGNATURES:
        if piece.startswith(signature):
            raise KetenError(f"it is not text but {told}")


class _Scan:
    """One pass over what should be UTF-8: is it, how many lines, and is one of them very long."""

    def __init__(self) -> None:
        self.head = b""
        self.is_odd = self.has_long = False
        self.feeds = self.lines = 0
        self._rest = b""
        self._last = b"\n"

    def add(self, piece: bytes) -> None:
        """Take in the next piece."""
        self.head = self.head or piece
        if not self.is_odd:
            self.is_odd = b"\0" in piece or not self._decodes(piece)
        self.has_long = self.has_long or any(
            piece.find(b"\n", start, start + LONG_LINE) < 0 for start in range(0, len(piece) - LONG_LINE, LONG_LINE)
        )
        self.feeds += piece.count(b"\n")
        self._last = piece[-1:]

    def end(self) -> None:
        """The file is over."""
        self.is_odd = self.is_odd or bool(self._rest)
        self.lines = self.feeds + (self._last != b"\n")

    def _decodes(self, piece: bytes) -> bool:
        if not self._rest and piece.isascii():
            return True
        data = self._rest + piece
        try:
            data.decode("utf-8")
            self._rest = b""
        except UnicodeDecodeError as error:
            # A character may go on in the next piece; it has four bytes at most.
            self._rest = data[error.start :]
            return len(self._rest) <= 3
        return True


def _turned(path: Path, form: FileFormat, encoding: str) -> Text:
    """A file brought to UTF-8 with line feeds. Raises KetenError when it is no text in this encoding."""
    data = b"".join(pieces(path, form.member, MAX_TURNED_BYTES))
    bad: tuple[int, ...] = ()
    if encoding == "utf-8":
        data, bad = _mended(data.removeprefix(codecs.BOM_UTF8))
    else:
        told = "Windows text" if encoding == "cp1252" else "UTF-16"
        try:
            data = data.decode(encoding).replace("\0", "\ufffd").encode()
        except UnicodeError as error:
            raise KetenError(f"it cannot be read as {told} ({error})") from None
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return _whole(data, bad)


def _whole(data: bytes, bad: tuple[int, ...]) -> Text:
    data = data.removeprefix(codecs.BOM_UTF8)
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    has_long = any(len(line) > LONG_LINE for line in data.split(b"\n"))
    return Text(data[:PIECE], lines, data, bad, has_long)


def _mended(data: bytes) -> tuple[bytes, tuple[int, ...]]:
    """Lines with bytes that are no text, marked as such, and which they are. Raises KetenError when it is not a few.

    A byte that is no text is no delimiter, quote or line feed either, so to put a mark in its place moves no cell. Where
    more lines fail as UTF-8 than pass with a letter beyond ASCII in them, it is another encoding and not a damaged line.
    """
    lines = data.split(b"\n") if b"\n" in data else data.split(b"\r")
    foreign = whole = 0
    bad: list[int] = []
    nul: list[int] = []
    for number, line in enumerate(lines, start=1):
        if b"\0" in line:
            nul.append(number)
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            whole += 1
        except UnicodeDecodeError:
            foreign += 1
            bad.append(number)
    if 4 * len(nul) > len(lines):
        raise KetenError(
            f"it holds NUL bytes in {len(nul)} of {len(lines)} lines, so it is not text; if it is UTF-16 without a mark,"
            " write `format: {encoding: utf-16}`; a workbook is read when its name ends in .xlsx"
        )
    if foreign > whole:
        raise KetenError(
            f"line {bad[0]} holds bytes that are not UTF-8; if the sender uses Windows text, write"
            " `format: {encoding: cp1252}` in the mapping"
        )
    for number in {*bad, *nul}:
        lines[number - 1] = lines[number - 1].decode("utf-8", "replace").replace("\0", "\ufffd").encode()
    return b"\n".join(lines), tuple(sorted({*bad, *nul}))
