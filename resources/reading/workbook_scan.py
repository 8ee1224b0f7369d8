"""What must be known of a workbook before calamine may read it, and what calamine does not tell.

Belongs here: limits on what it unpacks to, the extent of a sheet, cells without a value of their own (errors, formulas that
were never calculated). Does not belong here: values, headings and rows (workbooks).

Calamine lays a sheet out as a full rectangle: one value in the last cell of an empty sheet asks for 500 GB, and that ends the
process. It also reads an error, and a formula without a value, as an empty cell.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from resources.errors import KetenError
from resources.reading.files import packing, pieces

MAX_UNPACKED_BYTES = 1024**3
MAX_CELLS = 25_000_000
MAX_INDEX_BYTES = 16 * 1024**2
NOT_CALCULATED = "#FORMULA!"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PIECE = 1024**2
_NO_XML = (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError)  # two for encodings and numbers
_PLAIN_COLUMN = re.compile(rb'<c r="([A-Z]{1,3})[0-9]{1,7}"')
_PLAIN_ROW = re.compile(rb'<c r="[A-Z]{1,3}([0-9]{1,7})"')
# NUL bytes of another encoding, a prefix to names, single quotes, errors, formulas, cells without a value, and comments.
_UNUSUAL = (b"\0", b":c ", b":row", b"='", b'="e', b"<f", b'"></c>', b" ></c>", b"<!")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


@dataclass
class SheetScan:
    """Extent of a sheet, and texts to put into cells by (row, column), all counted from 1."""

    last_row: int = 0
    last_column: int = 0
    marks: dict[tuple[int, int], str] = field(default_factory=dict)


@contextmanager
def opened(path: Path, member: str | None = None) -> Iterator[tuple[AnyScan, Path | BytesIO]]:
    """A workbook whose every part was read once, and where calamine finds it.

    Raises KetenError for what is none, or cut off, or beyond the limits.
    """
    if packing(path.name) == ".gz":
        raise KetenError("a workbook is compressed already; ask for it without .gz")
    content = b"".join(pieces(path, member, MAX_UNPACKED_BYTES)) if packing(path.name) else None
    start = _start_of(path) if content is None else content[:8]
    is_old = start == _COMPOUND
    if not is_old and not start.startswith(b"PK"):
        raise KetenError("it is not a workbook, though its name says so; text is read when its name ends in .csv")
    if content is None and is_old != path.name.lower().endswith(".xls"):
        content = path.read_bytes()  # calamine would go by the name
    source = path if content is None else BytesIO(content)
    if is_old:
        yield OldScan(), source
        return
    try:
        with zipfile.ZipFile(path if content is None else BytesIO(content)) as archive:
            _check_parts(archive)
            yield WorkbookScan(archive), source
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise KetenError(f"it cannot be read to its end ({error}); ask for it to be sent again") from None


def _start_of(path: Path) -> bytes:
    with path.open("rb") as source:
        return source.read(8)


class OldScan:
    """An old workbook (.xls), of which nothing is known before calamine reads it: it holds 65,536 rows of 256 cells at most.

    Errors and formulas without a result cannot be told from empty cells in it.
    """

    is_told = False

    def sheet(self, name: str) -> SheetScan:
        """Nothing: the extent is that of the cells."""
        return SheetScan()


def _check_parts(archive: zipfile.ZipFile) -> None:
    """Read every part to its end, within what it says to unpack to: a wrong length or a changed byte is an error."""
    parts = archive.infolist()
    if len({_plain(part.filename) for part in parts}) < len(parts):
        raise KetenError("two parts of it have the same name; open it and save it again")
    if any(part.flag_bits & 1 for part in parts):
        raise KetenError("it is protected with a password; ask for it without")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise KetenError(f"it holds more than {MAX_UNPACKED_BYTES} bytes when unpacked; split the file")
    for part in parts:
        with archive.open(part) as data:
            while data.read(_PIECE):
                pass


def _plain(part: str) -> str:
    """The name of a part as calamine looks for it."""
    return part.lower().replace("\\", "/")


class WorkbookScan:
    """The parts of an open workbook."""

    is_told = True

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {_plain(name): name for name in archive.namelist()}
        book = self._index("xl/workbook.xml")
        links = self._index("xl/_rels/workbook.xml.rels")
        targets = {link.get("Id"): link.get("Target", "") for link in links}
        self._parts = {
            sheet.get("name"): _from_root(targets.get(_relation(sheet), ""))
            for sheet in book.iterfind("{*}sheets/{*}sheet")
        }
        self._check_texts()
        calculation = book.find("{*}calcPr")
        # Written by libraries that do not calculate: Excel must, when it opens the file. Their formulas say 0 until then.
        self._stale = calculation is not None and calculation.get("fullCalcOnLoad") in ("1", "true")

    def _index(self, part: str) -> ElementTree.Element:
        if part not in self._names:
            raise KetenError("it is a zip file, but not a workbook (.xlsx)")
        found = self._archive.getinfo(self._names[part])
        try:
            if found.file_size > MAX_INDEX_BYTES:
                raise KetenError(f"its part {part} is too large to be an index; open it and save it again")
            return ElementTree.fromstring(self._archive.read(found))
        except _NO_XML as error:
            raise KetenError(f"its part {part} cannot be read ({error}); open it and save it again") from None

    def _check_texts(self) -> None:
        """Hold the list of texts to the length it tells: calamine makes room for that first, and ends the process if it cannot."""
        part = "xl/sharedstrings.xml"
        if part not in self._names:
            return
        found = self._archive.getinfo(self._names[part])

        def look(_: str, attributes: dict[str, str]) -> None:
            told = attributes.get("uniqueCount", "0")
            if not told.isdecimal() or int(told) > found.file_size:
                raise KetenError(f"its part {part} tells a false length; open it and save it again")

        parser = expat.ParserCreate()
        parser.StartElementHandler = look
        try:
            with self._archive.open(found) as source:
                parser.ParseFile(source)
        except _NO_XML as error:
            raise KetenError(f"its part {part} cannot be read ({error}); open it and save it again") from None

    def sheet(self, name: str) -> SheetScan:
        """Scan one sheet. Raises KetenError when it cannot be read, or spans more cells than there is room for."""
        part = self._names.get(self._parts.get(name, ""))
        if part is None:
            raise KetenError(f"the sheet '{name}' is in its list, but not in the file; open it and save it again")
        try:
            with self._archive.open(part) as source:
                plain = _plain_scan(source)
            if plain:
                return plain
            with self._archive.open(part) as source:
                return _Cells(name, self._stale).scan(source)
        except _NO_XML as error:
            raise KetenError(f"the sheet '{name}' cannot be read ({error}); open it and save it again") from None


AnyScan = WorkbookScan | OldScan


def _plain_scan(source: IO[bytes]) -> SheetScan | None:
    """The extent of a sheet in which every cell says where it stands and holds a value; None for any other sheet.

    Most sheets are so, and to look for what makes them otherwise takes a tenth of the time of going from cell to cell.
    """
    parser = expat.ParserCreate()
    columns, rows, rest, cells, instructions = set[bytes](), set[bytes](), b"", 0, 0
    while piece := source.read(_PIECE):
        parser.Parse(piece)
        data, mark, after = (rest + piece).rpartition(b"<")
        rest = mark + after
        letters = _PLAIN_COLUMN.findall(data)
        cells += len(letters) - data.count(b"</c>")
        instructions += data.count(b"<?")
        if len(letters) != data.count(b"<c") - data.count(b"<col") or any(sign in data for sign in _UNUSUAL):
            return None
        columns.update(letters)
        rows.update(_PLAIN_ROW.findall(data))
    parser.Parse(b"", True)
    found = SheetScan(max(map(int, rows), default=0), max(map(_number_of, columns), default=0))
    is_plain = not cells and instructions <= 1 and found.last_row
    return found if is_plain and found.last_row * found.last_column <= MAX_CELLS else None


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _from_root(target: str) -> str:
    """The name of a part that the list of sheets refers to."""
    return _plain(posixpath.normpath(posixpath.join("/xl", target))).lstrip("/")


def _relation(sheet: ElementTree.Element) -> str | None:
    return next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)


class _Cells:
    """One pass over the XML of a sheet. Only cells with an error or a formula are looked into: it is called per element."""

    def __init__(self, name: str, stale: bool) -> None:
        self._name = name
        self._stale = stale
        self._found = SheetScan()
        self._parser = expat.ParserCreate()
        self._row = self._column = 0
        self._columns: dict[str, int] = {}
        self._type: str | None = None
        self._formula = self._in_value = False
        self._value = ""

    def scan(self, source: IO[bytes]) -> SheetScan:
        """Read to the end."""
        self._parser.StartElementHandler = self._start
        self._parser.ParseFile(source)
        return self._found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "c":
            self._cell(attributes)
        elif tag in ("v", "is"):
            self._reach()
            self._in_value = tag == "v"
        elif tag == "f":
            self._formula = True
            self._look_into()
        elif tag == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0

    def _cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        elif match := _REFERENCE.fullmatch(reference):
            letters, row = match.groups()
            self._row, self._column = int(row), self._columns.get(letters) or self._numbered(letters)
        else:
            raise KetenError(f"the sheet '{self._name}' has a cell '{reference[:20]}'; open it and save it again")
        self._type = attributes.get("t")
        if self._type == "e":
            self._look_into()

    def _numbered(self, letters: str) -> int:
        number = self._columns[letters] = _number_of(letters.encode())
        return number

    def _reach(self) -> None:
        """Take note of a cell that holds something."""
        found = self._found
        if self._row > found.last_row or self._column > found.last_column:
            found.last_row = max(found.last_row, self._row)
            found.last_column = max(found.last_column, self._column)
            if found.last_row * found.last_column > MAX_CELLS:
                raise KetenError(
                    f"the sheet '{self._name}' reaches to row {found.last_row} and column {found.last_column}, more than"
                    f" {MAX_CELLS} cells; remove what stands far from the table"
                )

    def _look_into(self) -> None:
        self._reach()
        self._value, self._in_value = "", False
        self._parser.CharacterDataHandler = self._text
        self._parser.EndElementHandler = self._end

    def _text(self, data: str) -> None:
        if self._in_value:
            self._value += data

    def _end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "v":
            self._in_value = False
        elif tag == "c":
            if self._type == "e":
                self._mark(self._value or "#ERROR!")
            elif self._formula and self._is_uncalculated():
                self._mark(NOT_CALCULATED)
            self._formula = False
            self._parser.CharacterDataHandler = self._parser.EndElementHandler = None

    def _is_uncalculated(self) -> bool:
        """Whether a formula has no result: none at all, or the 0 of a library. An empty text is a result."""
        if self._type == "str":
            return False
        return not self._value or (self._stale and self._value == "0" and self._type in (None, "n"))

    def _mark(self, text: str) -> None:
        self._found.marks[self._row, self._column] = text
