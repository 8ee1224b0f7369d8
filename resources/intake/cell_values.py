"""What a cell becomes: a number in the unit of its column, a day, a code of ours, as SQL.

Belongs here: types of columns, units, factors and codes. Does not belong here: the digits of a number (number_cells), the
forms of a date (stamps), the layers in which this is evaluated (judging).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from resources.catalogue.mapping_models import STAMPS, NegateRows
from resources.intake.number_cells import (
    NUMBERS,
    Marks,
    digits_of,
    factor_text,
    parsed_number,
    scaled,
    whole_number,
)
from resources.intake.stamps import parse_day, parse_stamp
from resources.reading.cells import name, text

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Mapping
    from resources.catalogue.mapping_models import MappedColumn

_YES, _NO = "('true', 'ja', 'yes', '1', 'j', 'y')", "('false', 'nee', 'no', '0', 'n')"


class CellValues:
    """The values of the cells of one mapping. `c_<column>` is the cell of a column, `c_<column>__unit` its unit."""

    def __init__(self, mapping: Mapping, catalogue: Catalogue, marks: Marks) -> None:
        self.mapping = mapping
        self.catalogue = catalogue
        self.marks = marks

    def kind(self, column: str) -> str:
        """The type of a column; `stamp` for the pseudo columns of a time rule."""
        return self.catalogue.columns[column].type if column not in STAMPS else "stamp"

    def value(self, column: str, how: MappedColumn, cell: str) -> str:
        """The value of a cell, NULL when it is none of the type of its column."""
        kind = self.kind(column)
        if kind in NUMBERS:
            return self._number(column, cell)
        if kind in ("date", "month"):
            return self._date(column, how, cell)
        if kind == "timestamp":
            parsed = parse_stamp(cell, how.forms, None)
            found = f"coalesce({', '.join(filter(None, (parsed.instant, parsed.wall)))})"
            return f"case when not ({parsed.disagrees}) then {found} end" if parsed.disagrees else found
        if kind == "boolean":
            return f"case when lower({cell}) in {_YES} then true when lower({cell}) in {_NO} then false end"
        if kind in ("text", "code") and how.value is None:
            return self._code(column, cell, how)
        return cell

    def parsed(self, column: str, cell: str = "") -> str:
        """SQL of the number in a cell, before any factor."""
        kind, how = self.kind(column), self.mapping.columns[column]
        # A constant is written by whoever writes the mapping, not by the sender.
        digits = digits_of(cell or f"c_{column}", self.marks if how.value is None else Marks(".", ""))
        if kind == "integer":
            return whole_number(digits)
        return parsed_number(digits, kind, is_scaled=bool(how.beside) or self._constant(column) != 1)

    def _constant(self, column: str) -> Decimal:
        """What every number of a column is multiplied by: its unit, its factor, its sign."""
        how = self.mapping.columns[column]
        unit = self.catalogue.units[how.unit].factor if how.unit and not how.unit_from else Decimal(1)
        return unit * (how.factor if how.factor is not None else 1) * (-1 if how.sign == "negate" else 1)

    def _number(self, column: str, cell: str) -> str:
        how, kind, constant = self.mapping.columns[column], self.kind(column), self._constant(column)
        number = self.parsed(column, cell)
        if kind == "integer":
            return number
        factor = self.unit_case(column, "factor") if how.unit_from else factor_text(constant)
        if isinstance(how.sign, NegateRows):
            turned = f"regexp_matches({name(how.sign.heading)}, {text(how.sign.matches)})"
            factor = f"case when {turned} then -1 else 1 end * ({factor})"
        if how.factor_from:
            factor = f"try_cast(({factor})::decimal(15,9) * f_{column} as decimal(15,9))"
        return scaled(number, kind, factor) if how.beside or constant != 1 else number

    def unit_case(self, column: str, what: str) -> str:
        """SQL of the factor or the canonical unit of the unit that stands beside a cell; NULL for one that does not fit."""
        words, fitting = self._units_of(column)
        constant, cases = self._constant(column), []
        for word, code in words.items():
            if word in fitting:
                unit = self.catalogue.units[code]
                told = factor_text(unit.factor * constant) if what == "factor" else text(unit.canonical_code)
                cases.append(f"when {text(word)} then {told}")
        return f"case c_{column}__unit {' '.join(cases)} end"

    def _units_of(self, column: str) -> tuple[dict[str, str], list[str]]:
        """The words for units that a column knows, and those of the kind that it takes."""
        how, units = self.mapping.columns[column], self.catalogue.units
        words = {**{code: code for code in units}, **how.units}
        meant = how.unit or self.catalogue.columns[column].unit
        kind = units[meant].canonical_code if meant else None
        return words, [w for w, code in words.items() if kind in (None, units[code].canonical_code)]

    def unit_words(self, column: str) -> tuple[str, str]:
        """As lists in SQL: the words for units that a column knows, and those of the kind that it takes."""
        words, fitting = self._units_of(column)
        return ", ".join(map(text, words)), ", ".join(map(text, fitting))

    def day(self, column: str) -> tuple[str, str | None]:
        """The day in a cell, and whether the forms of the sender read it differently; both empty for other types."""
        how, cell = self.mapping.columns[column], f"c_{column}"
        if self.kind(column) == "timestamp":
            return "", parse_stamp(cell, how.forms, None).disagrees
        return parse_day(cell, how.forms) if self.kind(column) in ("date", "month") else ("", None)

    def _date(self, column: str, how: MappedColumn, cell: str) -> str:
        parsed, disagrees = parse_day(cell, how.forms)
        if disagrees:
            parsed = f"case when not ({disagrees}) then {parsed} end"
        if how.shift:
            parsed = f"({parsed} + interval {text(how.shift)})::date"
        return f"date_trunc('month', {parsed})::date" if self.kind(column) == "month" else parsed

    def _code(self, column: str, cell: str, how: MappedColumn) -> str:
        """A code of our list; a text without one stays as it is."""
        mapped = " ".join(f"when {cell} = {text(k)} then {text(v)}" for k, v in how.codes.items())
        fallback = text(how.default) if how.default else "null"
        if self.kind(column) == "text":
            other = f"when {cell} is not null then {fallback}" if how.default else f"else {cell}"
            return f"case {mapped} {other} end" if mapped else cell
        known = ", ".join(text(c) for c in self.catalogue.code_lists[str(self.catalogue.columns[column].codes)])
        return f"case {mapped} when {cell} in ({known}) then {cell} when {cell} is not null then {fallback} end"
