"""What can be wrong with a row: every test with its reason, as SQL on the judged values.

Belongs here: conditions and reason codes. Does not belong here: how a cell becomes a value (judging, stamps,
number_cells), the words of a reason (reason_words), tests against other rows or tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from resources.intake.number_cells import LONE_GROUP, NUMBERS, lost_digits
from resources.intake.stamps import Parsed, interval_tests, stamp_tests
from resources.reading.cells import text

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Mapping

_WORDS = {**dict.fromkeys(NUMBERS, "number"), "boolean": "yes_or_no"}


class Test(NamedTuple):
    """A condition that is bad, and its reason. `narrow` tells reasons of one condition apart, and runs on bad rows only."""

    bad: str
    reason: str
    narrow: str = ""


@dataclass(frozen=True)
class Judged:
    """What judging made that the tests ask about.

    `numbers` are the numbers of cells before any factor; `disagreements` say that the forms of a date read it
    differently; `stamps` are those of the time rule, `units` the words for units that a column knows, as a list in SQL.
    """

    read: tuple[str, ...]
    timed: tuple[str, ...]
    unreadable: str = ""
    numbers: dict[str, str] = field(default_factory=dict)
    disagreements: dict[str, str] = field(default_factory=dict)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    stamps: dict[str, Parsed] = field(default_factory=dict)


class RowTests:
    """The tests of one contract under one mapping."""

    def __init__(self, contract: Contract, mapping: Mapping, catalogue: Catalogue, judged: Judged) -> None:
        self.contract = contract
        self.mapping = mapping
        self.catalogue = catalogue
        self.judged = judged
        # What is sent as a total of the year so far can be measured by the contract only once it is a month's.
        self.later = [c for c, how in mapping.columns.items() if how.cumulative]

    def tests(self) -> list[Test]:
        """All tests of a row by itself, in order."""
        found = [test for column in self.contract.columns for test in self._of_column(column)]
        if self.mapping.time:
            found += [Test(*t) for stamp, parsed in self.judged.stamps.items() for t in stamp_tests(stamp, parsed)]
            found += [Test(*t) for t in interval_tests(self.mapping.time)]
        return found + [Test(f"not ({r.sql})", f"rule:{r.id}") for r in self.contract.rules if not self._waits(r.sql)]

    def later_tests(self) -> list[Test]:
        """The tests of what is known only when a year to date was taken apart."""
        found = [test for column in self.later for test in self._ranges(column)]
        return found + [Test(f"not ({r.sql})", f"rule:{r.id}") for r in self.contract.rules if self._waits(r.sql)]

    def _waits(self, sql: str) -> bool:
        return any(re.search(rf"\b{column}\b", sql) for column in self.later)

    def _of_column(self, column: str) -> list[Test]:
        if column in self.judged.timed:
            return []
        declared = self.contract.columns[column]
        is_read = column in self.judged.read
        cell = f"c_{column}" if is_read else column
        has_own_tests = column in (self.catalogue.columns[c].unit_in for c in self.judged.units)
        found = [Test(f"{cell} is null", f"missing:{column}")] if declared.required and not has_own_tests else []
        if is_read:
            found += self._of_cell(column, cell)
        return found if column in self.later else found + self._ranges(column)

    def _of_cell(self, column: str, cell: str) -> list[Test]:
        kind = self.catalogue.columns[column].type
        bad = f"{cell} is not null and {column} is null"
        found = []
        if kind in NUMBERS:
            found = [*self._of_number(column, cell, bad), *self._of_unit(column, bad), *self._of_factor(column, bad)]
            if kind != "integer":
                found.append(Test(lost_digits(column, cell), f"not_a_number:{column}"))
        elif column in self.judged.disagreements:
            unread = self.judged.disagreements[column]
            found = [Test(bad, f"ambiguous_date:{column}", unread)]
            found.append(Test(bad, f"not_a_date:{column}", f"not ({unread})"))
        elif kind != "text":
            reason = f"unknown_code:{column}" if kind == "code" else f"not_a_{_WORDS.get(kind, 'date')}:{column}"
            found = [Test(bad, reason)]
        if kind in ("text", "code") and self.judged.unreadable:
            # In every other type such a text is no value anyway.
            found.append(Test(f"regexp_matches({cell}, {text(self.judged.unreadable)})", f"unreadable:{column}"))
        return found

    def _of_number(self, column: str, cell: str, bad: str) -> list[Test]:
        lone = f"regexp_full_match({cell}, {text(LONE_GROUP)})"
        unread = f"({self.judged.numbers[column]}) is null"
        how = self.mapping.columns[column]
        # With a factor a number may be no value although its digits can be read: it does not fit, or the factor is at fault.
        known = f"{unread} or {self._all_known(column)}" if how.beside else "true"
        return [
            Test(bad, f"ambiguous_number:{column}", f"{unread} and {lone}"),
            Test(bad, f"not_a_number:{column}", f"({known}) and not ({unread} and {lone})"),
        ]

    def _all_known(self, column: str) -> str:
        how = self.mapping.columns[column]
        parts = [f"c_{column}__unit in ({self.judged.units[column][1]})"] if how.unit_from else []
        return " and ".join([*parts, *([f"f_{column} is not null"] if how.factor_from else [])]) or "true"

    def _of_unit(self, column: str, bad: str) -> list[Test]:
        if column not in self.judged.units:
            return []
        words, fitting = self.judged.units[column]
        unit = f"c_{column}__unit"
        return [
            Test(bad, f"missing_unit:{column}", f"{unit} is null"),
            Test(bad, f"unknown_unit:{column}", f"{unit} not in ({words})"),
            Test(bad, f"unit_mismatch:{column}", f"{unit} in ({words}) and {unit} not in ({fitting})"),
        ]

    def _of_factor(self, column: str, bad: str) -> list[Test]:
        if self.mapping.columns[column].factor_from is None:
            return []
        return [Test(bad, f"unknown_factor:{column}", f"f_{column} is null")]

    def _ranges(self, column: str) -> list[Test]:
        found = []
        if declared := self.contract.columns[column].range:
            found.append(Test(f"{column} not between {declared[0]} and {declared[1]}", f"out_of_range:{column}"))
        how = self.mapping.columns.get(column)
        if how and how.range:
            found.append(Test(f"{column} not between {how.range[0]} and {how.range[1]}", f"implausible:{column}"))
        return found


def none_bad(tests: list[Test]) -> str:
    """SQL of whether a row passes all tests."""
    conditions = dict.fromkeys(test.bad for test in tests)
    return "not (" + (" or ".join(f"coalesce({bad}, false)" for bad in conditions) or "false") + ")"


def reasons_of(tests: list[Test]) -> str:
    """SQL of the reasons of a row, joined by commas."""
    cases = [
        f"case when {' and '.join(f'({part})' for part in (t.bad, t.narrow) if part)} then {text(t.reason)} end"
        for t in tests
    ]
    return f"concat_ws(',', {', '.join(cases)})"
