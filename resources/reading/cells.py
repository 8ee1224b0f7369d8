"""What every reader gives: text cells under headings, each row with its place in the file.

Belongs here: the shape in which cells go on, their names in SQL, and how a number becomes text.
Does not belong here: any one file format (csv_files, workbooks and others), what a cell means (judging).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading.files import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.catalogue.mapping_models import Mapping as FileMapping

CELL = "cell "
LIST_MARK = ";"
PIECE_ROWS = 50_000
# What a cell of a workbook holds at most; nothing that is longer is a value.
MAX_CELL = 32_767
_MOST_ZEROS = 30
_PLAIN = re.compile(r"[+-]?[0-9]{1,25}(\.[0-9]{0,25})?")


@dataclass(frozen=True)
class TextFacts:
    """What is known of a CSV file besides: every column in its order, and which of them have no heading.

    `content` is its text where the file cannot be read as it is, `bad_lines` hold bytes that are no text, on `uneven_lines`
    start rows with another number of cells, and `has_long` tells that a cell may be too long.
    """

    layout: tuple[str, ...]
    unnamed: tuple[str, ...] = ()
    content: bytes | None = None
    bad_lines: tuple[int, ...] = ()
    uneven_lines: tuple[int, ...] = ()
    has_long: bool = False


@dataclass(frozen=True)
class FileFacts:
    """What one pass over a file tells. Lines count from 1: physical lines, rows of a sheet, or records of a JSON list.

    `table` holds row_no and the cells of a format that is read whole, `pieces` reads them some rows at a time and may raise
    KetenError as late as the last; without both they are still to be read. `several` are
    headings under which one row has more than one value, `late` those of what stands around the records but after one.
    `unreadable` is a regular expression for texts that stand for
    what could not be read. `fault` says why the rows cannot be trusted although they could be read. `place` names the part
    of the file, where it is not the one that the mapping reads. `set_aside` are rows above the header and below the table,
    with the reason why they are ignored. `has_faults` tells that a row may have a fault as a whole. By a standard, headings
    in `personal` hold personal data and those in `things` do not, whatever their words.
    """

    headings: tuple[str, ...]
    header_line: int
    last_line: int
    kind: Kind = "csv"
    table: pa.Table | None = None
    blank_rows: int = 0
    several: frozenset[str] = frozenset()
    unreadable: str = ""
    fault: str = ""
    place: str = ""
    set_aside: tuple[tuple[int, str], ...] = ()
    has_faults: bool = False
    text: TextFacts | None = None
    late: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    things: frozenset[str] = frozenset()
    pieces: Callable[[], Iterator[pa.Table]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The headings of columns. What stands around the records of a JSON file has columns only in its own lists."""
        if self.place and self.kind == "json":
            return tuple(h for h in self.headings if h in self.several)
        return self.headings


@dataclass(frozen=True)
class Cells:
    """A relation with the text cells of a file under their headings and `row_no`, the line on which each row starts.

    With `has_faults` it has `row_fault` too: the reason to set a row aside whatever its cells say.
    """

    relation: str
    rows: int
    blank_rows: int
    has_faults: bool = False


def text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def name(heading: str) -> str:
    """SQL identifier of the cells under a heading; the prefix keeps it apart from contract columns of the same name."""
    return '"' + CELL + heading.replace('"', '""') + '"'


def number_text(digits: str, decimal: str) -> str:
    """A number that a file holds as such, as its sender would write it: without exponent, with the sender's decimal mark.

    `digits` is a number in the notation of JSON. What would take more than 30 zeros keeps its exponent.
    """
    if "e" in digits or "E" in digits:
        number = Decimal(digits)
        if -_MOST_ZEROS <= number.adjusted() <= _MOST_ZEROS:
            digits = format(number, "f")
    return digits.replace(".", decimal) if decimal != "." else digits


def plain_number(digits: str | None) -> Decimal | None:
    """A number as standards write it, with a point and without exponent; None for anything else."""
    return Decimal(digits) if digits and _PLAIN.fullmatch(digits) else None


def table_piece(row_numbers: Sequence[int], columns: Mapping[str, Iterable[str | None]]) -> pa.Table:
    """Some rows as a table. Raises KetenError for text that no database can hold."""
    import pyarrow as pa
    from pyarrow import compute

    made = {"row_no": pa.array(row_numbers, pa.int64())}
    for heading, cells in columns.items():
        try:
            made[CELL + heading] = pa.array(cells, pa.string())
        except UnicodeEncodeError:
            raise KetenError(f"a text under '{heading}' holds half a character; ask for it to be sent again") from None
        if compute.any(compute.match_substring(made[CELL + heading], "\0")).as_py():
            raise KetenError(f"a text under '{heading}' holds a NUL character; ask for it to be sent again")
    return pa.table(made)


def one_table(found: list[pa.Table]) -> pa.Table:
    """All rows; a cell under a heading that an earlier piece did not have yet is missing there."""
    import pyarrow as pa

    return pa.concat_tables(found, promote_options="default") if found else table_piece([], {})


def date_forms(mapping: FileMapping, headings: Sequence[str]) -> dict[str, str]:
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
