"""Reading a sheet of a workbook (.xlsx) as text cells with the number of every row.

Belongs here: which sheet, its headings, and how a cell that is no text is written. Does not belong here: what makes a
workbook safe to read (workbook_scan), what a cell means (judging).

A number is written with the decimal mark of the mapping and a date in the format of its column, because that is how the
same mapping reads cells in which the sender typed them as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.cells import CELL, PIECE_ROWS, FileFacts, number_text, one_table, table_piece
from resources.errors import KetenError
from resources.workbook_scan import WorkbookScan, opened

if TYPE_CHECKING:
    import pyarrow as pa
    from python_calamine import CalamineWorkbook

    from resources.catalogue import Mapping

# A text that stands for what could not be read, alone or joined to other cells: an error, a formula without a result, and a
# whole number of more than 15 digits. #N/A is none of them: it marks a missing value.
UNREADABLE = r"(^| )(#([A-Z]+!|DIV/0!|NAME\?|GETTING_DATA)|-?\d([.,]\d+)?E\+\d+)($| )"
_TOP_ROWS = 50
_Row = list[str | None]
_Rows = Iterator[tuple[int, list[Any]]]


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """Read the sheet of the mapping. Raises KetenError when there is no such sheet, or nothing in it."""
    with opened(path) as known, _calamine(path) as book:
        chosen = _chosen(book, mapping)
        for name in _names(book):
            if name != chosen:
                known.sheet(name)  # one that cannot be read was not looked at for persons either
        return _table(known, book, chosen, mapping)


def sheets_in(path: Path, mapping: Mapping) -> Iterator[FileFacts]:
    """The sheet of the mapping and then all others, hidden ones too, each under the first row that could be its header."""
    with opened(path) as known, _calamine(path) as book:
        chosen = mapping.format.sheet or next(iter(_names(book, visible_only=True)), None)
        for name in sorted(_names(book), key=lambda name: name != chosen):
            try:
                yield _table(known, book, name, mapping if name == chosen else None)
            except _Empty:
                continue


class _Empty(KetenError):
    """A sheet without a header row."""


def _calamine(path: Path) -> CalamineWorkbook:
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_path(path)
    except python_calamine.CalamineError as error:
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


def _table(known: WorkbookScan, book: CalamineWorkbook, name: str, mapping: Mapping | None) -> FileFacts:
    """The cells of a sheet; without a mapping it is there to be looked at, and not to be judged."""
    rows = _rows(known, book, name)
    header_line, first, rows = _header(rows, mapping) if mapping else _likely_header(rows)
    if first is None:
        raise _Empty(f"the sheet '{name}' is empty or has no header row")
    columns = _Columns(first, mapping)
    found, numbers, cells = [], list[int](), list[_Row]()
    blank = last = 0
    for number, row in rows:
        written = columns.written(number, row)
        if not any(written):
            blank += 1
            continue
        numbers.append(number)
        cells.append(written)
        last = number
        if len(cells) == PIECE_ROWS:
            found.append(columns.piece(numbers, cells))
            numbers, cells = [], []
    found.append(columns.piece(numbers, cells))
    return FileFacts(
        columns.headings(),
        header_line,
        max(last, header_line),
        "xlsx",
        one_table(found).select(["row_no", *(CELL + h for h in columns.headings())]),
        blank,
        unreadable=UNREADABLE,
        fault=columns.fault(),
        place="" if mapping else name,
    )


def _rows(known: WorkbookScan, book: CalamineWorkbook, name: str) -> Iterator[tuple[int, list[Any]]]:
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
    if sheet.end and (sheet.end[0] >= scan.last_row or sheet.end[1] >= scan.last_column):
        raise KetenError(f"the sheet '{name}' is larger than its cells tell; open it and save it again")
    for number in range(1, scan.last_row + 1):
        row = [""] * left + next(filled, [])
        row += [""] * (scan.last_column - len(row))
        for column, mark in marks.get(number, ()):
            row[column - 1] = mark
        yield number, row


def _filled(row: list[Any]) -> int:
    return sum(not isinstance(cell, str) or bool(cell.strip()) for cell in row)


def _header(rows: _Rows, mapping: Mapping) -> tuple[int, list[Any] | None, _Rows]:
    """The first row with something in it below the lines to skip, with its number, and the rows below it."""
    for number, row in rows:
        if number > mapping.format.skip_lines and _filled(row):
            return number, row, rows
    return 0, None, rows


def _likely_header(rows: _Rows) -> tuple[int, list[Any] | None, _Rows]:
    """The first row with two cells filled, or else with one, near the top; and the rows below it."""
    head = list(islice(rows, _TOP_ROWS))
    for least in (2, 1):
        for place, (number, row) in enumerate(head):
            if _filled(row) >= least:
                return number, row, chain(head[place + 1 :], rows)
    return 0, None, rows


class _Columns:
    """The columns of a sheet under its header row."""

    def __init__(self, header: list[Any], mapping: Mapping | None) -> None:
        texts = [" ".join((_written(cell, ".", None) or "").split()) for cell in header]
        self._unnamed = [place for place, heading in enumerate(texts) if not heading]
        self._used: dict[int, int] = {}
        self._repeated = ""
        self._texts: list[str] = []
        for place, heading in enumerate(texts):
            if heading and heading.lower() in (h.lower() for h in self._texts):
                self._repeated = self._repeated or heading
                heading = f"{heading} (column {_letters(place)})"
            self._texts.append(heading or f"column {_letters(place)}")
        decimal = mapping.format.decimal if mapping else "."
        forms = _forms(mapping, self._texts) if mapping else {}
        self._writers = [partial(_written, decimal=decimal, form=forms.get(h)) for h in self._texts]

    def written(self, number: int, row: list[Any]) -> _Row:
        """The texts of a row."""
        cells = [write(cell) for write, cell in zip(self._writers, row, strict=True)]
        for place in self._unnamed:
            if cells[place] is not None:
                self._used.setdefault(place, number)
        return cells

    def piece(self, numbers: list[int], cells: list[_Row]) -> pa.Table:
        """Some rows as a table."""
        columns = zip(*cells, strict=True) if cells else ([] for _ in self._texts)
        return table_piece(numbers, dict(zip(self._texts, columns, strict=True)))

    def headings(self) -> tuple[str, ...]:
        """The headings, without columns in which there is nothing at all."""
        empty = {place for place in self._unnamed if place not in self._used}
        return tuple(heading for place, heading in enumerate(self._texts) if place not in empty)

    def fault(self) -> str:
        """What is wrong with the headings, if anything is."""
        if self._repeated:
            return f"two columns have the same heading '{self._repeated}'; name them apart"
        for place, number in self._used.items():
            return (
                f"column {_letters(place)} has no heading, but row {number} has something in it; give it a heading of"
                " its own, which merged cells do not, or set format.skip_lines to the rows before the header"
            )
        return ""


def _letters(place: int) -> str:
    """Name of a column counted from 0: A, B ... Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _forms(mapping: Mapping, headings: list[str]) -> dict[str, str]:
    """The format in which the mapping reads the dates under a heading; headings that are joined share out the parts."""
    forms: dict[str, str] = {}
    for column in mapping.columns.values():
        sources = column.headings()
        joined = len(sources) > 1 and not column.any_of
        form = column.forms[0] if column.forms else ""
        parts = form.split(" ") if joined else [form] * len(sources)
        if form and len(parts) == len(sources):
            forms = {**dict(zip(sources, parts, strict=True)), **forms}
    if mapping.unpivot and mapping.unpivot.value in forms:
        wide = [h for h in headings if re.search(mapping.unpivot.headings, h)]
        forms = {**dict.fromkeys(wide, forms[mapping.unpivot.value]), **forms}
    return forms


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
