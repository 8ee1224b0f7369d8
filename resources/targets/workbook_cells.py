"""Cells of a workbook: which kinds there are, how they look, and how a text from outside stays a text.

Belongs here: formats, and writing the result of a select as a sheet. Does not belong here: what is on a sheet
(workbook_values, workbook_sheets).

The formats are Excel's own, which it shows with the separators of the reader's settings: 1.234,5 in Dutch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import duckdb
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

# `shown` is a number whose format is told by its row.
Kind = Literal["text", "count", "exact", "share", "date", "shown"]

MAX_ROWS = 1_048_575  # of a sheet, without its heading
MAX_TEXT = 32_767  # characters of a cell
# Excel and its kin take a text that begins so for a formula when it comes back from a CSV file.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER_FORMATS = {"count": "#,##0", "exact": "#,##0.000000", "share": "0%", "date": "dd-mm-yyyy"}
_AT_ONCE = 10_000
_LONG = 60  # from this width on, a text is broken into lines
_LINE = 15  # points


@dataclass(frozen=True)
class Heading:
    """A column of a sheet and the SQL of its cells. A hidden one is for programs, and named as in the database."""

    title: str
    sql: str
    kind: Kind = "text"
    width: int = 14

    @property
    def is_hidden(self) -> bool:
        """Whether people do not see it."""
        return self.width == 0


@dataclass(frozen=True)
class Sheet:
    """A sheet: its columns, over what, in which order. `newest` is SQL of the date by which rows are kept when not all fit.

    `number_format` is SQL of the format of cells of kind `shown`.
    """

    name: str
    headings: tuple[Heading, ...]
    source: str
    order: str
    newest: str = "null::date"
    number_format: str = "null"

    def select(self, condition: str = "true") -> str:
        """Its cells and, last, the number format."""
        cells = ", ".join(heading.sql for heading in self.headings)
        return f"select {cells}, {self.number_format} from {self.source} and {condition} order by {self.order}"


def hidden(*names: str, table: str) -> tuple[Heading, ...]:
    """Columns as they stand in the database."""
    return tuple(Heading(name, f"{table}.{name}", width=0) for name in names)


def number_format(indicator: str) -> str:
    """SQL of the format in which people read the values of an indicator."""
    return f"'#,##0' || case when {indicator}.decimals > 0 then '.' || repeat('0', {indicator}.decimals) else '' end"


def shown(value: str, indicator: str) -> str:
    """SQL of a stored value in the unit that people read."""
    return f"cast({value} * {indicator}.display_factor as double)"


def words(column: str, code_list: str) -> str:
    """SQL of a code in Dutch words."""
    known = f"(select nl from bi.dim_code where code_list = '{code_list}' and code = {column})"
    return f"coalesce({known}, {column})"


def safe_text(text: str) -> str:
    """A text that is no formula, here or after an export to CSV: an apostrophe before what could be taken for one."""
    guarded = f"'{text}" if text.lstrip().startswith(_FORMULA) else text
    return guarded if len(guarded) <= MAX_TEXT else f"{guarded[: MAX_TEXT - 1]}…"


def height(texts: Iterable[tuple[str, int]]) -> int:
    """The height of a row in points, for texts in cells so many characters wide: not every program finds it by itself."""
    return _LINE * max((1, *(-(-len(text) // width) for text, width in texts)))


class Cells:
    """Writing sheets into one workbook."""

    def __init__(self, workbook: Workbook, connection: duckdb.DuckDBPyConnection, max_rows: int = MAX_ROWS) -> None:
        self.workbook = workbook
        self.connection = connection
        self.max_rows = max_rows
        head = {"bold": True, "bg_color": "#DCE6F1", "text_wrap": True, "valign": "top"}
        self._heads = {
            True: workbook.add_format({**head, "align": "left", "indent": 1}),
            False: workbook.add_format({**head, "align": "right"}),
        }
        # Apart from the number before it, and in several lines where it is long.
        self._texts = {
            wrap: workbook.add_format({"align": "left", "indent": 1, "valign": "top", "text_wrap": wrap})
            for wrap in (False, True)
        }
        self._formats: dict[str, Format] = {}

    def add(self, sheet: Sheet, condition: str) -> int:
        """Write the rows of a sheet that meet a condition; how many they are."""
        page = self.workbook.add_worksheet(sheet.name)
        page.set_row(0, 2 * _LINE)
        for column, heading in enumerate(sheet.headings):
            is_text = heading.kind == "text"
            look = self._texts[heading.width >= _LONG] if is_text else None
            page.set_column(column, column, heading.width or None, look, {"hidden": heading.is_hidden})
            page.write_string(0, column, heading.title, self._heads[is_text])
        page.freeze_panes(1, 1)
        writers = [self._writer(page, column, heading.kind) for column, heading in enumerate(sheet.headings)]
        result = self.connection.execute(sheet.select(condition))
        long = [(column, h.width) for column, h in enumerate(sheet.headings) if h.width >= _LONG]
        count = 0
        while rows := result.fetchmany(_AT_ONCE):
            for row in rows:
                count += 1
                if long:
                    page.set_row(count, height((row[column] or "", width) for column, width in long))
                for write, cell in zip(writers, row, strict=False):
                    if cell is not None:
                        write(count, cell, row[-1])
        page.autofilter(0, 0, count, len(sheet.headings) - 1)
        return count

    def format(self, code: str) -> Format:
        """The cell format of a number format, made once."""
        if code not in self._formats:
            self._formats[code] = self.workbook.add_format({"num_format": code})
        return self._formats[code]

    def _writer(self, page: Worksheet, column: int, kind: Kind) -> Callable[[int, Any, str], object]:
        """How a cell of a column is written: row, value, and the number format of its row."""
        if kind == "text":
            return lambda row, cell, _: page.write_string(row, column, safe_text(cell))
        if kind == "shown":
            return lambda row, cell, told: page.write_number(row, column, cell, self.format(told))
        fixed = self.format(_NUMBER_FORMATS[kind])
        return lambda row, cell, _: page.write_number(row, column, cell, fixed)

    def what_fits(self, sheet: Sheet) -> tuple[str, str]:
        """The condition of the newest rows that fit, whole days at a time, and in words what that leaves out, if anything."""
        total = self._count(f"select count(*) from {sheet.source}")
        if total <= self.max_rows:
            return "true", ""
        since = self.connection.execute(
            f"select min(day) from (select {sheet.newest} as day, sum(count(*)) over (order by {sheet.newest} desc) as n"
            f" from {sheet.source} group by 1) where n <= ?",
            [self.max_rows],
        ).fetchone()
        day = since[0] if since else None
        condition = f"{sheet.newest} >= date '{day}'" if day else "false"
        kept = self._count(f"select count(*) from {sheet.source} and {condition}")
        nl, en = (f", vanaf {day:%d-%m-%Y}", f", from {day} on") if day else ("", "")
        return condition, f"{sheet.name}: {kept} van {total} regels{nl} / {kept} of {total} rows{en}"

    def _count(self, select: str) -> int:
        row = self.connection.execute(select).fetchone()
        return int(row[0]) if row else 0
