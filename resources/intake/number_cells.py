"""Numbers as senders write them: marks of decimals and thousands, signs, factors, as SQL.

Belongs here: the digits of a cell, and how `decimal: auto` is decided for a whole file. Does not belong here: numbers that
a file holds as such (the readers), what a number measures (judging).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from resources.engine import TYPES
from resources.errors import KetenError
from resources.reading.cells import text

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue.models import FileFormat

AUTO = "auto"
# The types of columns whose cells are numbers.
NUMBERS = ("decimal", "ratio", "factor", "integer")
# One group of three behind a mark: 1.234 is one thousand and more to one, and one and a bit to another.
LONE_GROUP = r"[-+(]?[1-9]\d{0,2}[.,]\d{3}[-)]?"
# Digits that say which mark is that of decimals: `1.234,5`, `0,13`, `1.234.567`; {d} is that mark, {t} the other.
_TELLS = r"\d{{1,3}}({t}\d{{3}})+{d}\d+|\d*{d}\d+|\d{{1,3}}({t}\d{{3}}){{2,}}"


@dataclass(frozen=True)
class Marks:
    """The marks in the numbers of a file; `evidence` says from what they were decided, when the mapping left it open."""

    decimal: str
    thousands: str
    evidence: str = ""


def declared_marks(form: FileFormat) -> Marks:
    """The marks that a mapping declares."""
    return Marks("." if form.decimal == AUTO else form.decimal, form.thousands)


def decide_marks(connection: duckdb.DuckDBPyConnection, relation: str, cells: Sequence[str]) -> Marks:
    """The marks of a file, from all its cells with numbers. Raises KetenError when they do not tell, or tell both.

    `relation` has row_no and the cells.
    """
    counts = ", ".join(
        f"count(*) filter ({test}) as n_{kind}, arg_min(c, row_no) filter ({test}) as c_{kind}"
        for kind, test in _kinds().items()
    )
    listed = f"select row_no, unnest([{', '.join(f'trim({c})' for c in cells)}]) as c from {relation}"
    row = connection.execute(f"select {counts} from ({listed}) where contains(c, '.') or contains(c, ',')").fetchone()
    commas, comma, points, point, lone, one = row or (0, "", 0, "", 0, "")
    repair = "write `decimal: ','` or `decimal: '.'` in format, or ask the sender"
    if commas and points:
        raise KetenError(
            f"format.decimal: auto finds both marks: {_cells(commas)} such as {comma} and {_cells(points)} such as"
            f" {point}; {repair}"
        )
    if commas or points:
        mark, count, example = (",", commas, comma) if commas else (".", points, point)
        return Marks(mark, "." if commas else ",", f"decided '{mark}' from {_cells(count)} such as {example}")
    if lone:
        raise KetenError(
            f"format.decimal: auto cannot tell: {_cells(lone)} such as {one} can be read in two ways; {repair}"
        )
    return Marks(".", ",", "decided nothing: no number has a mark")


def _kinds() -> dict[str, str]:
    core = "regexp_extract(c, '^[-+(]?([0-9.,]+)[-)]?$', 1)"
    lone = f"regexp_full_match(c, {text(LONE_GROUP)})"
    comma, point = (_TELLS.format(d=re.escape(d), t=re.escape(t)) for d, t in ((",", "."), (".", ",")))
    return {
        "comma": f"regexp_full_match({core}, {text(comma)}) and not {lone}",
        "point": f"regexp_full_match({core}, {text(point)}) and not {lone}",
        "lone": lone,
    }


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def digits_of(cell: str, marks: Marks) -> str:
    """SQL of a number in the notation of SQL; NULL where its marks are not those of the file.

    A minus may stand behind, and parentheses say minus. Where marks were decided, one group of three stays undecided.
    """
    point, comma = marks.decimal, marks.thousands
    out = cell
    if comma:
        mark, most = re.escape(comma), re.escape(point)
        grouped = rf"[-+(]?\d{{1,3}}({mark}\d{{3}})+({most}\d*)?[-)]?"
        fits = f"regexp_full_match({cell}, {text(grouped)})"
        if marks.evidence:
            fits += f" and not regexp_full_match({cell}, {text(LONE_GROUP)})"
        out = f"case when not contains({cell}, {text(comma)}) then {cell} when {fits} then replace({cell}, {text(comma)}, '') end"
    if point != ".":
        out = f"replace({out}, {text(point)}, '.')"
        if comma != ".":
            out = f"case when not contains({cell}, '.') then {out} end"
    return (
        f"case when ends_with({cell}, '-') then '-' || left({out}, -1) when not starts_with({cell}, '(') then {out}"
        f" when ends_with({cell}, ')') then '-' || substr({out}, 2, length({out}) - 2) end"
    )


def parsed_number(digits: str, kind: str, is_scaled: bool) -> str:
    """SQL of a number of a type of column, with three decimals more when a factor is still to come.

    Text to a decimal of more than 18 digits takes 25 times as long; the wide cast is for what does not fit in fewer.
    """
    if kind == "factor":
        return f"try_cast({digits} as {TYPES['factor']})"
    short, wide = ("decimal(18,9)", "decimal(23,9)") if is_scaled else ("decimal(18,6)", "decimal(28,6)")
    return f"coalesce(try_cast({digits} as {short})::{wide}, try_cast({digits} as {wide}))"


def scaled(number: str, kind: str, factor: str) -> str:
    """SQL of a number times a factor. 23 and 15 digits make 38, the most there are; what does not fit is NULL."""
    return f"try_cast({number} * ({factor})::decimal(15,9) as {TYPES[kind]})"


def factor_text(factor: Decimal) -> str:
    """A factor as SQL."""
    return format(factor.normalize(), "f")


def whole_number(digits: str) -> str:
    """SQL of a number without decimals; DuckDB would round, and read hexadecimal."""
    number = f"try_cast({digits} as decimal(28,6))"
    return f"case when {number} = trunc({number}) then try_cast({number} as bigint) end"


def lost_digits(value: str, cell: str) -> str:
    """SQL condition: a number became zero for an exponent of three digits and more, which is no measurement."""
    return f"case when {value} = 0 then regexp_matches({cell}, '[eE]-[0-9]{{3}}') end"
