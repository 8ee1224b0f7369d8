"""Reading a sheet of a workbook (.xlsx) as text cells with the number of every row.

Belongs here: which sheet, its headings, and how a cell that is no text is written. Does not belong here: what makes a
workbook safe to read (workbook_scan), what a cell means (judging).

A number is written with the decimal mark of the mapping and a date in the format of its column, because that is how the
same mapping reads cells in which the sender typed them as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.errors import KetenError
from resources.reading.cells import CELL, PIECE_ROWS, FileFacts, date_forms, number_text, one_table, table_piece
from resources.reading.headings import TOP_ROWS, find_header, letters, unnamed_fault
from resources.reading.workbook_scan import AnyScan, opened

if TYPE_CHECKING:
    import pyarrow as pa
    from python_calamine import CalamineWorkbook

    from resources.catalogue import Mapping

# A text that stands for what could not be read, alone or joined to other cells: an error, a formula without a result, and a
# whole number of more than 15 digits. #N/A is none of them: it marks a missing value.
UNREADABLE = r"(^| )(#([A-Z]+!|DIV/0!|NAME\?|GETTING_DATA)|-?\d([.,]\d+)?E\+\d+)($| )"
_TOP_ROWS = 50
_Rows = Iterator[tuple[int, list[Any]]]


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """Read the sheet of the mapping. Raises KetenError when there is no such sheet, or nothing in it."""
    with opened(path, mapping.format.member) as (known, source), _calamine(source, not known.is_told) as book:
        chosen = _chosen(book, mapping)
        for name in _names(book):
            if name != chosen:
                known.sheet(name)  # one that cannot be read was not looked at for persons either
        return _table(known, book, chosen, mapping)


def sheets_in(path: Path, mapping: Mapping) -> Iterator[FileFacts]:
    """The sheet of the mapping and then all others, hidden ones too, each under the first row that could be its header."""
    with opened(path, mapping.format.member) as (known, source), _calamine(source, not known.is_told) as book:
        chosen = mapping.format.sheet or next(iter(_names(book, visible_only=True)), None)
        for name in sorted(_names(book), key=lambda name: name != chosen):
            try:
                yield _table(known, book, name, mapping if name == chosen else None)
            except _Empty:
                continue


class _Empty(KetenError):
    """A sheet without a header row."""


def _calamine(source: Path | BytesIO, is_old: bool) -> CalamineWorkbook:
    import python_calamine

    try:
        return python_calamine.load_workbook(source)
    except python_calamine.CalamineError as error:
        if is_old:
            told = "it is protected with a password, or an old workbook that is damaged; ask for a plain .xlsx"
            raise KetenError(f"{told} ({error})") from None
        raise KetenError(f"it cannot be read as a workbook ({error}); open it and save it again") from None


def _names(book: CalamineWorkbook, visible_only: bool = False) -> list[str]:
    """The sheets that hold cells, in their order."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    return [sheet.name for sheet in sheets if not visible_only or sheet.visible == SheetVisibleEnum.Visible]


def _chosen(book: CalamineWorkbook, mapping: Mapping) -> str:
    wanted = mapping.format.sheet
    if wanted is None:
        visible = _names(book, visible_only=True)
        if not visible:
            raise KetenError("it has no visible sheet with cells; name one in the mapping: `format: {sheet: ...}`")
        return visible[0]
    if wanted not in _names(book):
        raise KetenError(f"the sheet '{wanted}' of format.sheet is missing; found: {', '.join(_names(book))}")
    return wanted


def _table(known: AnyScan, book: CalamineWorkbook, name: str, mapping: Mapping | None) -> FileFacts:
    """The cells of a sheet; without a mapping it is there to be looked at, and not to be judged."""
    rows = _rows(known, book, name)
    top = _header(rows, mapping) if mapping else _likely_header(rows)
    if top is None:
        raise _Empty(f"the sheet '{name}' is empty or has no header row")
    columns = _Columns(top.headings, mapping)
    footer = re.compile(mapping.format.footer) if mapping and mapping.format.footer else None
    aside, blank = [(number, "preamble") for number in top.above], 0
    for number, row in chain(top.below, rows):
        if _is_blank(row):
            blank += 1
        elif footer and footer.search(_written(row[0], ".", None) or ""):
            aside += [(n, "footer") for n, below in chain([(number, row)], top.below, rows) if not _is_blank(below)]
        else:
            columns.add(number, row)
    table = columns.table()
    headings = columns.headings()
    return FileFacts(
        headings,
        top.line,
        max(columns.last, top.line),
        "xlsx",
        table.select(["row_no", *(CELL + h for h in headings)]),
        blank,
        unreadable=UNREADABLE,
        fault=columns.fault(),
        place="" if mapping else name,
        set_aside=tuple(aside),
    )


def _rows(known: AnyScan, book: CalamineWorkbook, name: str) -> Iterator[tuple[int, list[Any]]]:
    """Every row of a sheet with its number, as wide as the sheet, with marks where calamine sees nothing."""
    import python_calamine

    scan = known.sheet(name)
    marks: dict[int, list[tuple[int, str]]] = {}
    for (number, column), mark in scan.marks.items():
        marks.setdefault(number, []).append((column, mark))
    try:
        sheet = book.get_sheet_by_name(name)
    except python_calamine.CalamineError as error:
        raise KetenError(f"the sheet '{name}' cannot be read ({error}); open it and save it again") from None
    filled = sheet.iter_rows()  # from the first row of the sheet on, but from the first column with a value
    left = sheet.start[1] if sheet.start else 0
    last_row, last_column = scan.last_row, scan.last_column
    if known.is_told and sheet.end and (sheet.end[0] >= last_row or sheet.end[1] >= last_column):
        raise KetenError(f"the sheet '{name}' is larger than its cells tell; open it and save it again")
    if not known.is_told and sheet.end:
        last_row, last_column = sheet.end[0] + 1, sheet.end[1] + 1
    for number in range(1, last_row + 1):
        row = [""] * left + next(filled, [])
        row += [""] * (last_column - len(row))
        for column, mark in marks.get(number, ()):
            row[column - 1] = mark
        yield number, row


def _filled(row: list[Any]) -> int:
    return sum(not isinstance(cell, str) or bool(cell.strip()) for cell in row)


def _is_blank(row: list[Any]) -> bool:
    """Whether nothing stands in a row; nearly always the first cell with something in it tells."""
    first = next(filter(None, row), "")
    return (not isinstance(first, str) or not first.strip()) and not _filled(row)


@dataclass
class _Top:
    """The header of a sheet: its last row and headings, the rows above that hold something, and those read from below."""

    line: int
    headings: list[str]
    above: list[int]
    below: Iterator[tuple[int, list[Any]]]


def _header(rows: _Rows, mapping: Mapping) -> _Top | None:
    """The row that holds the headings of the mapping, or the first with something in it below the lines to skip."""
    skipped, depth = mapping.format.skip_lines, mapping.format.header_rows
    head = list(islice(rows, skipped + TOP_ROWS))
    filled = [place for place, (number, row) in enumerate(head) if number > skipped and _filled(row)]
    filled = filled[:depth] if skipped else filled
    found = find_header([_texts(head[place][1]) for place in filled], mapping)
    if found is None:
        return None
    first, last = filled[found[0]], filled[found[0] + depth - 1]
    above = [number for number, row in head[:first] if _filled(row)]
    return _Top(head[last][0], found[1], above, iter(head[last + 1 :]))


def _likely_header(rows: _Rows) -> _Top | None:
    """The first row with two cells filled, or else with one, near the top; and the rows below it."""
    head = list(islice(rows, _TOP_ROWS))
    for least in (2, 1):
        for place, (number, row) in enumerate(head):
            if _filled(row) >= least:
                return _Top(number, _texts(row), [], iter(head[place + 1 :]))
    return None


def _texts(row: list[Any]) -> list[str]:
    """Cells as headings: in one line, with single blanks."""
    return [" ".join((_written(cell, ".", None) or "").split()) for cell in row]


class _Columns:
    """The columns of a sheet under its headings, filled row by row."""

    def __init__(self, texts: list[str], mapping: Mapping | None) -> None:
        self._unnamed = [place for place, heading in enumerate(texts) if not heading]
        self._used: dict[int, int] = {}
        self._repeated = ""
        self._texts: list[str] = []
        for place, heading in enumerate(texts):
            if heading and heading.lower() in (h.lower() for h in self._texts):
                self._repeated = self._repeated or heading
                heading = f"{heading} (column {letters(place)})"
            self._texts.append(heading or f"column {letters(place)}")
        self._decimal = mapping.format.number_mark if mapping else "."
        forms = date_forms(mapping, self._texts) if mapping else {}
        self._forms = [forms.get(heading) for heading in self._texts]
        self._found: list[pa.Table] = []
        self._numbers: list[int] = []
        self._rows: list[list[Any]] = []
        self.last = 0

    def add(self, number: int, row: list[Any]) -> None:
        """Take in a row with something in it."""
        self._numbers.append(number)
        self._rows.append(row)
        self.last = number
        if len(self._rows) == PIECE_ROWS:
            self._close_piece()

    def _close_piece(self) -> None:
        wide = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(self._texts)
        written = {
            heading: _column(cells, self._decimal, form)
            for heading, cells, form in zip(self._texts, wide, self._forms, strict=True)
        }
        for place in self._unnamed:
            for number, cell in zip(self._numbers, written[self._texts[place]], strict=True):
                if cell is not None:
                    self._used.setdefault(place, number)
                    break
        self._found.append(table_piece(self._numbers, written))
        self._numbers, self._rows = [], []

    def table(self) -> pa.Table:
        """All rows."""
        self._close_piece()
        return one_table(self._found)

    def headings(self) -> tuple[str, ...]:
        """The headings, without columns in which there is nothing at all."""
        empty = {place for place in self._unnamed if place not in self._used}
        return tuple(heading for place, heading in enumerate(self._texts) if place not in empty)

    def fault(self) -> str:
        """What is wrong with the headings, if anything is."""
        if self._repeated:
            return f"two columns have the same heading '{self._repeated}'; name them apart"
        for place, number in self._used.items():
            return unnamed_fault(place, number)
        return ""


def _column(cells: tuple[Any, ...], decimal: str, form: str | None) -> list[str | None]:
    """The texts of a column; most hold texts or numbers alone, which take a third of the time together."""
    kinds = set(map(type, cells))
    if kinds <= {str}:
        return [None if not cell or cell.isspace() else cell for cell in cells]
    if kinds <= {int, float}:
        digits = [f"{cell or 0:.15g}" for cell in cells]
        if not any("e" in text for text in digits):
            return [text.replace(".", decimal) for text in digits] if decimal != "." else list(digits)
    return [_written(cell, decimal, form) for cell in cells]


def _written(cell: Any, decimal: str, form: str | None) -> str | None:
    """A cell as text; None when there is nothing in it."""
    if isinstance(cell, str):
        return None if not cell or cell.isspace() else cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        # A workbook keeps 15 digits. The exponent stays where more were lost, so that no code of 18 digits looks whole.
        digits = f"{cell or 0:.15g}"
        return digits.upper().replace(".", decimal) if "e+" in digits else number_text(digits, decimal)
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
    return _moment(cell, form)


@lru_cache(maxsize=100_000)
def _moment(cell: date | time, form: str | None) -> str:
    """A date, time or both to the second: in a format that loses nothing of it, and else as ISO text."""
    if isinstance(cell, time):
        moment = datetime.combine(datetime(1900, 1, 1), cell)
    else:
        moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
    moment = (moment + timedelta(microseconds=500_000)).replace(microsecond=0)
    if form:
        try:
            told = moment.strftime(form)
            if datetime.strptime(told, form.replace("%-", "%")) == moment:
                return told
        except ValueError:
            pass  # a format that only DuckDB knows
    if isinstance(cell, time):
        return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    return moment.isoformat() if moment.time() != time() else f"{moment:%Y-%m-%d}"
