"""What must be known of a workbook before calamine may read it, and what calamine does not tell.

Belongs here: limits on what it unpacks to, the extent of a sheet, cells without a value of their own (errors, formulas that
were never calculated). Does not belong here: values, headings and rows (reading_xlsx).

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
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from resources.errors import KetenError
from resources.files import packing

MAX_UNPACKED_BYTES = 1024**3
MAX_CELLS = 25_000_000
MAX_INDEX_BYTES = 16 * 1024**2
NOT_CALCULATED = "#FORMULA!"
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PIECE = 1024**2
_NO_XML = (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError)  # two for encodings and numbers
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


@dataclass
class SheetScan:
    """Extent of a sheet, and texts to put into cells by (row, column), all counted from 1."""

    last_row: int = 0
    last_column: int = 0
    marks: dict[tuple[int, int], str] = field(default_factory=dict)


@contextmanager
def opened(path: Path) -> Iterator[WorkbookScan]:
    """A workbook whose every part was read once. Raises KetenError for what is none, or cut off, or beyond the limits."""
    if packing(path.name):
        raise KetenError("a workbook is compressed already; ask for it without .gz")
    with path.open("rb") as source:
        start = source.read(8)
    if start == _COMPOUND:
        raise KetenError("it is protected with a password, or an old workbook (.xls); ask for a plain .xlsx")
    if not start.startswith(b"PK"):
        raise KetenError("it is not a workbook, though its name says so; text is read when its name ends in .csv")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive)
            yield WorkbookScan(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise KetenError(f"it cannot be read to its end ({error}); ask for it to be sent again") from None


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
                return _Cells(name, self._stale).scan(source)
        except _NO_XML as error:
            raise KetenError(f"the sheet '{name}' cannot be read ({error}); open it and save it again") from None


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
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        self._columns[letters] = number
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
