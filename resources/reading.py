"""Reading delivered CSV files as text cells with the physical line of every record.

Belongs here: bytes, encodings, headings, line numbers. Does not belong here: what a cell means (judging).
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from resources.errors import KetenError

if TYPE_CHECKING:
    from resources.catalogue import Mapping

MAX_TEXT_BYTES = 4 * 1024**3
_PIECE = 16 * 1024**2
_NEWLINE, _RETURN = 10, 13


@dataclass(frozen=True)
class FileFacts:
    """What one pass over the bytes tells. `line_numbers` maps record ordinal to physical line; None means lines follow on."""

    headings: tuple[str, ...]
    encoding: str
    header_line: int
    records: int
    blank_lines: int
    line_numbers: tuple[int, ...] | None

    @property
    def plain(self) -> bool:
        """Whether every record is one line and no line is blank."""
        return self.line_numbers is None


def inspect_file(path: Path, mapping: Mapping, require_headings: bool = True) -> FileFacts:
    """Scan a file once. Raises KetenError when its rows cannot be trusted: unreadable, truncated, no header, wrong kind."""
    scan = _Scan(mapping, path)
    head = bytearray()
    for piece in _pieces(path):
        if len(head) < 1 << 20:
            head += piece[: 1 << 20]
        scan.add(piece)
    if scan.text_lines <= mapping.format.skip_lines or not bytes(head).strip():
        raise KetenError(f"{path.name}: is empty or has no header row")
    starts = _record_lines(path, mapping) if scan.odd else None
    header_line = starts[mapping.format.skip_lines] if starts else mapping.format.skip_lines + 1
    headings = _headings(bytes(head), mapping, header_line)
    _require(headings, mapping, path, require_headings)
    encoding = "latin-1" if mapping.format.encoding == "cp1252" else "utf-8"
    if starts is None:
        return FileFacts(headings, encoding, header_line, scan.text_lines - header_line, 0, None)
    numbers = tuple(starts[mapping.format.skip_lines + 1 :])
    return FileFacts(headings, encoding, header_line, len(numbers), scan.blank, numbers)


class _Scan:
    """One vectorised pass: is it text, how many lines, and is any line blank or any line break within quotes."""

    def __init__(self, mapping: Mapping, path: Path) -> None:
        self._quote = ord(mapping.format.quote) if mapping.format.quote else 0
        self._utf8 = mapping.format.encoding == "utf-8"
        self._name = path.name
        self._inside = 0
        self._rest = b""
        self._last = b"\n"
        self.lines = 0
        self.blank = 0
        self.odd = False

    @property
    def text_lines(self) -> int:
        """Lines so far; the last one may lack its line break."""
        return self.lines + (self._last not in (b"\n", b""))

    def add(self, piece: bytes) -> None:
        """Take in the next piece. Raises KetenError for what is not text in the encoding of the mapping."""
        if b"\0" in piece:
            raise KetenError(f"{self._name}: holds NUL bytes, so it is not text; was a workbook renamed to .csv?")
        if self._utf8:
            self._decode(piece)
        data = np.frombuffer(self._last + piece, dtype=np.uint8)
        data = data[data != _RETURN]
        breaks = data == _NEWLINE
        self.lines += int(breaks[1:].sum())
        blank = int((breaks[1:] & breaks[:-1]).sum())
        if self._quote and (quotes := data == self._quote).any() or self._inside:
            inside = (np.cumsum(quotes) + self._inside) % 2
            self.odd = self.odd or bool((inside.astype(bool) & breaks)[1:].any())
            self._inside = int(inside[-1])
        self.blank += blank
        self.odd = self.odd or blank > 0
        self._last = piece[-1:]

    def _decode(self, piece: bytes) -> None:
        data = self._rest + piece
        try:
            data.decode("utf-8")
            self._rest = b""
        except UnicodeDecodeError as error:
            if len(data) - error.start > 3:
                raise KetenError(
                    f"{self._name}: byte {error.start} is not UTF-8; if the sender uses Windows text, write"
                    " `format: {encoding: cp1252}` in the mapping"
                ) from None
            self._rest = data[error.start :]


def _record_lines(path: Path, mapping: Mapping) -> list[int]:
    """The physical line on which each record starts, for the rare file with blank lines or line breaks within quotes."""
    opener = gzip.open if path.name.endswith(".gz") else open
    starts, before = [], 0
    encoding = "cp1252" if mapping.format.encoding == "cp1252" else "utf-8-sig"
    with opener(path, "rt", encoding=encoding, newline="") as source:  # type: ignore[operator]
        reader = csv.reader(source, delimiter=mapping.format.delimiter, quotechar=mapping.format.quote or None)
        for row in reader:
            if row:
                starts.append(before + 1)
            before = reader.line_num
    return starts


def _pieces(path: Path) -> Iterator[bytes]:
    opener = gzip.open if path.name.endswith(".gz") else open
    total = 0
    try:
        with opener(path, "rb") as source:
            while piece := source.read(_PIECE):
                total += len(piece)
                if total > MAX_TEXT_BYTES:
                    raise KetenError(f"{path.name}: unpacks to more than {MAX_TEXT_BYTES} bytes; split the file")
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise KetenError(f"{path.name}: cannot be read to its end ({error}); ask for it to be sent again") from None


def _headings(head: bytes, mapping: Mapping, header_line: int) -> tuple[str, ...]:
    text = head.decode("cp1252" if mapping.format.encoding == "cp1252" else "utf-8-sig", errors="ignore")
    body = io.StringIO("\n".join(text.splitlines()[header_line - 1 :]))
    row = next(csv.reader(body, delimiter=mapping.format.delimiter, quotechar=mapping.format.quote or None), [])
    return tuple(cell.strip() for cell in row)


def _require(headings: tuple[str, ...], mapping: Mapping, path: Path, require: bool) -> None:
    if len({h.lower() for h in headings}) < len(headings):
        raise KetenError(f"{path.name}: two columns have the same heading; name them apart")
    wanted = {h for column in mapping.columns.values() for h in column.headings()}
    wanted |= {rule.heading for rule in mapping.ignore_rows}
    if mapping.unpivot:
        wanted -= {mapping.unpivot.name, mapping.unpivot.value}
    missing = sorted(wanted - set(headings))
    if missing and require:
        raise KetenError(
            f"{path.name}: the heading '{missing[0]}' of mapping {mapping.origin}__{mapping.dataset} is missing;"
            f" found: {', '.join(headings)}"
        )


def text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


CELL = "cell "


def name(heading: str) -> str:
    """SQL identifier of the cells under a heading; the prefix keeps it apart from contract columns of the same name."""
    return '"' + CELL + heading.replace('"', '""') + '"'


def raw_select(path: Path, mapping: Mapping, facts: FileFacts) -> str:
    """SQL that reads the text cells of a file under its headings, with `row_no`, the physical line of each record."""
    form = mapping.format
    columns = ", ".join(f"{text(CELL + h)}: 'VARCHAR'" for h in facts.headings)
    read = (
        f"read_csv({text(str(path))}, delim = {text(form.delimiter)}, quote = {text(form.quote)}, escape = {text(form.quote)},"
        f" header = false, skip = {facts.header_line}, columns = {{{columns}}}, auto_detect = false,"
        f" encoding = '{facts.encoding}', null_padding = false, strict_mode = true)"
    )
    ordinal = f"select row_number() over () as record_ordinal, * from {read}"
    if facts.line_numbers is None:
        return f"select record_ordinal + {facts.header_line} as row_no, * exclude (record_ordinal) from ({ordinal})"
    lines = ", ".join(str(n) for n in facts.line_numbers)
    return f"select ([{lines}])[record_ordinal] as row_no, * exclude (record_ordinal) from ({ordinal})"
