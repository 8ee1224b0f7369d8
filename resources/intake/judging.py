"""Judging rows: one SQL scan compiled from contract and mapping; a pure function of the row.

Belongs here: the layers of the scan, units and codes. Does not belong here: dates and times (stamps), digits
(number_cells), what is wrong with a row (row_tests), what a delivery says together (repeats, year_to_date), judgement
against other tables (merging) and datasets as a whole (expectations).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.catalogue.mapping_models import STAMPS
from resources.engine import TYPES
from resources.errors import KetenError
from resources.intake.cell_values import CellValues
from resources.intake.number_cells import NUMBERS, Marks, declared_marks, digits_of
from resources.intake.row_tests import Judged, RowTests, Test, none_bad, reasons_of
from resources.intake.stamps import derived_start, parse_stamp, stamp_columns, timed_select
from resources.reading.cells import CELL, FileFacts, name, text

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Mapping

EMPTY = ("", "-", "n.v.t.", "n.b.", "#N/A")
TIMED = ("start_utc", "end_utc", "local_date")


@dataclass(frozen=True)
class Judgement:
    """SQL of the judged records of a file.

    `select` gives per record the `stored` columns, row_no, record_no when a row gives several records, ignored_reason,
    is_ambiguous and reasons (joined by commas, NULL when accepted). `derived` are expressions for the other columns of
    the contract: constants, and what follows from a stored one. `later` are tests of what is known only when totals of
    the year so far were taken apart.
    """

    select: str
    stored: tuple[str, ...]
    derived: dict[str, str]
    later: list[Test]


def number_cells(mapping: Mapping, catalogue: Catalogue, headings: tuple[str, ...]) -> list[str]:
    """The cells of a file that hold numbers, as SQL identifiers."""
    found: list[str] = []
    for column, how in mapping.columns.items():
        if column not in STAMPS and catalogue.columns[column].type in NUMBERS:
            found += [*how.needed(headings), *([how.factor_from] if how.factor_from else [])]
    unpivot = mapping.unpivot
    if unpivot and unpivot.value in found:
        found += [h for h in headings if re.search(unpivot.headings, h)]
    return [name(h) for h in dict.fromkeys(found) if h in headings]


def judge(
    contract: Contract,
    mapping: Mapping,
    catalogue: Catalogue,
    facts: FileFacts,
    cells: str,
    file_name: str = "",
    marks: Marks | None = None,
) -> Judgement:
    """Compile the judgement of a file whose cells, with row_no, are the relation `cells`.

    `marks` are those of its numbers, when the mapping leaves them to the file. Raises KetenError for a wide file without
    its headings, or a file name in which the mapping does not find what it seeks.
    """
    return _Judge(contract, mapping, catalogue, facts, file_name, marks).compiled(cells)


class _Judge:
    def __init__(
        self,
        contract: Contract,
        mapping: Mapping,
        catalogue: Catalogue,
        facts: FileFacts,
        file_name: str,
        marks: Marks | None = None,
    ) -> None:
        self.contract = contract
        self.mapping = mapping
        self.catalogue = catalogue
        self.facts = facts
        self.timed = TIMED if mapping.time else ()
        self.file_name = file_name
        self.marks = marks or declared_marks(mapping.format)
        self.values = CellValues(mapping, catalogue, self.marks)
        self.read = {c: how for c, how in mapping.columns.items() if how.headings()}
        self.stamps = {s: parse_stamp(f"c_{s}", self.read[s].forms, self.read[s].shift) for s in mapping.stamps}
        self.constants = self._constants()

    def compiled(self, cells: str) -> Judgement:
        """The whole statement, one layer per step."""
        derived = dict(self.constants)
        if self.mapping.time and (start := derived_start(self.mapping.time)):
            derived["start_utc"] = start
        stored = tuple(c for c in self.contract.columns if c not in derived)
        extra = ["null::bigint as repeat_no"] if self.contract.repeats == "number" else []
        extra += ["row_no", "record_no"] if self.mapping.unpivot else ["row_no"]
        tests = self.row_tests()
        every = tests.tests()
        ok, reasons = none_bad(every), reasons_of(every)
        if self.facts.has_faults:
            # A row that could not be read says nothing, so nothing else is told of it.
            ok, reasons = f"row_fault is null and {ok}", f"coalesce(row_fault, {reasons})"
        select = f"""
        with joined as (select *, {self._joined()} from {self._records(cells)}),
        cell as (select *, {self._cells()} from joined),
        mended as (select {self._mended()} from cell),
        valued as (select *, {self._values()} from mended),
        timed as ({self._timed()}),
        judged as (select *, {self._ignored()} as ignored_reason, {ok} as ok from timed)
        select {", ".join([*stored, *extra])}, ignored_reason, is_ambiguous,
            case when not ok and ignored_reason is null then {reasons} end as reasons
        from judged
        """
        return Judgement(select, stored, derived, tests.later_tests())

    def row_tests(self) -> RowTests:
        """What can be wrong with a row of this file."""
        judged = Judged(
            read=tuple(self.read),
            timed=self.timed,
            unreadable=self.facts.unreadable,
            numbers={c: self.values.parsed(c) for c in self.read if self.values.kind(c) in NUMBERS},
            disagreements={c: many for c in self.read if (many := self.values.day(c)[1])},
            units={c: self.values.unit_words(c) for c, how in self.read.items() if how.unit_from},
            stamps=self.stamps,
        )
        return RowTests(self.contract, self.mapping, self.catalogue, judged)

    def _constants(self) -> dict[str, str]:
        """What stands in no cell: given values, units that follow from a mapping, and columns that are not mapped."""
        beside = [self.catalogue.columns[c].unit_in for c, how in self.read.items() if how.unit_from]
        others = [c for c in self.contract.columns if c not in (*self.read, *self.timed, *beside)]
        found = {c: f"null::{TYPES[self.values.kind(c)]}" for c in others}
        for column, how in self.mapping.columns.items():
            given = how.value if how.file is None else self._in_name(how.file)
            if given is not None:
                found[column] = f"({self.values.value(column, how, text(given))})"
            unit_in = self.catalogue.columns[column].unit_in if column not in STAMPS else None
            if how.unit and unit_in and unit_in not in (*self.mapping.columns, *beside):
                found[unit_in] = text(self.catalogue.units[how.unit].canonical_code)
        return found

    def _in_name(self, pattern: str) -> str:
        match = re.search(pattern, self.file_name)
        if match is None:
            raise KetenError(
                f"{self.file_name}: its name does not hold '{pattern}', in which the mapping seeks a value"
            )
        return match.group(1)

    def _records(self, cells: str) -> str:
        unpivot = self.mapping.unpivot
        if unpivot is None:
            return cells
        wide = [h for h in self.facts.headings if re.search(unpivot.headings, h)]
        if not wide:
            raise KetenError(
                f"mapping {self.mapping.origin}__{self.mapping.dataset}: no heading matches {unpivot.headings}"
            )
        order = " ".join(f"when {text(CELL + h)} then {i}" for i, h in enumerate(wide, start=1))
        slot = name(unpivot.name)
        told = f"substr({slot}, {len(CELL) + 1})"
        if re.compile(unpivot.headings).groups:
            told = f"regexp_extract({told}, {text(unpivot.headings)}, 1)"
        return (
            f"(select * replace ({told} as {slot}), (case {slot} {order} end)::bigint as record_no"
            f" from (from {cells} unpivot include nulls ({name(unpivot.value)} for {slot} in ({', '.join(name(h) for h in wide)}))))"
        )

    def _joined(self) -> str:
        """The cell of each mapped column; several are joined by a blank, or the first of them that is filled."""
        parts = []
        for column, how in self.read.items():
            cells = [name(h) for h in how.needed(self.facts.headings)]
            if len(cells) == 1:
                joined = cells[0]
            elif how.any_of:
                joined = f"coalesce({', '.join(_clean(c) for c in cells)})"
            else:
                joined = f"concat_ws(' ', {', '.join(f'trim({c})' for c in cells)})"
            parts.append(f"{joined} as t_{column}")
            beside = {"unit": how.unit_from, "factor": how.factor_from}
            parts += [f"{name(heading)} as t_{column}__{what}" for what, heading in beside.items() if heading]
        return ", ".join(parts) or "null as t_nothing"

    def _cells(self) -> str:
        """Text per mapped column and what stands beside it, trimmed, NULL for the marks of a missing value; `="..."` unwrapped."""
        names = [*self.read]
        for column, how in self.read.items():
            names += [f"{column}__unit"] if how.unit_from else []
            names += [f"{column}__factor"] if how.factor_from else []
        return ", ".join(f"{_clean(f't_{c}')} as c_{c}" for c in names) or "null as c_nothing"

    def _mended(self) -> str:
        """Codes as they were meant, by the first fix that fits."""
        mended = []
        for column, how in self.read.items():
            cases = " ".join(
                f"when regexp_matches(c_{column}, {text(f.matches)})"
                f" then regexp_replace(c_{column}, {text(f.matches)}, {text(f.code)})"
                for f in how.code_fixes
            )
            mended += [f"case {cases} else c_{column} end as c_{column}"] if cases else []
        return f"* replace ({', '.join(mended)})" if mended else "*"

    def _values(self) -> str:
        parts = [f"{sql} as {column}" for column, sql in self.constants.items()]
        for column, how in self.read.items():
            if column in self.stamps:
                parts += stamp_columns(column, self.stamps[column])
                continue
            if how.factor_from:
                parts.append(f"try_cast({digits_of(f'c_{column}__factor', self.marks)} as decimal(15,9)) as f_{column}")
            if how.unit_from and (unit_in := self.catalogue.columns[column].unit_in):
                parts.append(f"{self.values.unit_case(column, 'canonical')} as {unit_in}")
            parts.append(f"{self.values.value(column, how, f'c_{column}')} as {column}")
        return ", ".join(parts)

    def _timed(self) -> str:
        if self.mapping.time is None:
            return "select *, false as is_ambiguous, false as is_absent from valued"
        return timed_select(self.mapping.time, self.stamps)

    def _ignored(self) -> str:
        cases = [
            f"when regexp_matches({name(r.heading)}, {text(r.matches)}) then {text(r.reason)}"
            for r in self.mapping.ignore_rows
        ]
        for column, how in self.read.items():
            if how.ignored_codes:
                listed = ", ".join(map(text, how.ignored_codes))
                cases.append(f"when c_{column} in ({listed}) then 'ignored_code'")
        if self.mapping.unpivot and self.mapping.unpivot.skip_empty:
            cases.append(f"when {_clean(name(self.mapping.unpivot.value))} is null then 'empty_value'")
        if self.facts.kind == "csv" and not self.mapping.unpivot:
            # Delimiters with nothing between them, as spreadsheets leave below a table.
            empty = (
                f"({c} is null or {c} = '' or prefix({c}, ' ') and trim({c}) = '')"
                for c in map(name, self.facts.headings)
            )
            cases.append(f"when {' and '.join(empty)} then 'blank'")
        return f"case {' '.join(cases)} end" if cases else "null::varchar"


def _clean(cell: str) -> str:
    """SQL of the text of a cell. Trimming takes longer than all else, so cells without blanks at their ends are spared.

    Beyond ASCII there are other blanks than the space, and two ways to write a letter with an accent: such a cell has more
    bytes than characters.
    """
    odd = f"prefix({cell}, ' ') or suffix({cell}, ' ') or prefix({cell}, '=') or strlen({cell}) <> length({cell})"
    trimmed = f"trim(nfc_normalize({cell}))"
    unwrapped = (
        f"case when prefix({trimmed}, '=\"') then substr({trimmed}, 3, length({trimmed}) - 3) else {trimmed} end"
    )
    return f"case when {odd} then {_present(unwrapped)} else {_present(cell)} end"


def _present(cell: str) -> str:
    """SQL of a text, NULL for the marks of a missing value; a list of them would become a join in the plan."""
    for mark in EMPTY:
        cell = f"nullif({cell}, {text(mark)})"
    return cell
