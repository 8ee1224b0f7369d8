"""Judging rows: one SQL scan compiled from contract and mapping; a pure function of the row.

Belongs here: parsing cells, units, codes, local time, row rules.
Does not belong here: what a delivery says twice (repeats), judgement against other tables (merging) and datasets as a
whole (expectations).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.cells import CELL, FileFacts, name, text
from resources.engine import TYPES
from resources.errors import KetenError
from resources.zones import DOUBLED, SKIPPED, zone_expression

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Mapping
    from resources.catalogue_models import MappedColumn

EMPTY = ("", "-", "n.v.t.", "n.b.", "#N/A")
TIMED = ("start_utc", "end_utc", "local_date")
_YES, _NO = "('true', 'ja', 'yes', '1', 'j', 'y')", "('false', 'nee', 'no', '0', 'n')"
_WORDS = {"decimal": "number", "ratio": "number", "factor": "number", "integer": "number", "boolean": "yes_or_no"}


@dataclass(frozen=True)
class Judgement:
    """SQL of the judged records of a file.

    `select` gives per record the `stored` columns, row_no, record_no when a row gives several records, ignored_reason,
    is_ambiguous and reasons (joined by commas, NULL when accepted). `derived` are expressions for the other columns of
    the contract: constants, and what follows from a stored one.
    """

    select: str
    stored: tuple[str, ...]
    derived: dict[str, str]


def judge(
    contract: Contract, mapping: Mapping, catalogue: Catalogue, facts: FileFacts, cells: str, file_name: str = ""
) -> Judgement:
    """Compile the judgement of a file whose cells, with row_no, are the relation `cells`.

    Raises KetenError for a wide file without its headings, or a file name in which the mapping does not find what it seeks.
    """
    return _Judge(contract, mapping, catalogue, facts, file_name).compiled(cells)


class _Judge:
    def __init__(
        self, contract: Contract, mapping: Mapping, catalogue: Catalogue, facts: FileFacts, file_name: str
    ) -> None:
        self.contract = contract
        self.mapping = mapping
        self.catalogue = catalogue
        self.facts = facts
        self.timed = TIMED if mapping.time else ()
        self.file_name = file_name
        self.read = {c: how for c, how in mapping.columns.items() if how.headings()}
        self.constants = self._constants()

    def compiled(self, cells: str) -> Judgement:
        """The whole statement, one layer per step."""
        derived = dict(self.constants)
        if self.mapping.time and self.mapping.time.stamp != "moment":
            derived["start_utc"] = f"end_utc - interval {self.mapping.time.interval_minutes} minute"
        stored = tuple(c for c in self.contract.columns if c not in derived)
        extra = ["null::bigint as repeat_no"] if self.contract.repeats == "number" else []
        extra += ["row_no", "record_no"] if self.mapping.unpivot else ["row_no"]
        select = f"""
        with joined as (select *, {self._joined()} from {self._records(cells)}),
        cell as (select *, {self._cells()} from joined),
        valued as (select *, {self._values()} from cell),
        timed as ({self._timed()}),
        judged as (select *, {self._ignored()} as ignored_reason, {self._ok()} as ok from timed)
        select {", ".join([*stored, *extra])}, ignored_reason, is_ambiguous,
            case when not ok and ignored_reason is null then {self._reasons()} end as reasons
        from judged
        """
        return Judgement(select, stored, derived)

    def _constants(self) -> dict[str, str]:
        """What stands in no cell: given values, units that follow from a mapping, and columns that are not mapped."""
        found = {c: f"null::{self._type(c)}" for c in self.contract.columns if c not in (*self.read, *self.timed)}
        for column, how in self.mapping.columns.items():
            given = how.value if how.file is None else self._in_name(how.file)
            if given is not None:
                found[column] = f"({self._value(column, how, text(given))})"
            unit_in = self.catalogue.columns[column].unit_in if column != "stamp" else None
            if how.unit and unit_in and unit_in not in self.mapping.columns:
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
        return (
            f"(select * replace (substr({slot}, {len(CELL) + 1}) as {slot}), (case {slot} {order} end)::bigint as record_no"
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
        return ", ".join(parts) or "null as t_nothing"

    def _cells(self) -> str:
        """Text per mapped column, trimmed, NULL for the marks of a missing value; `="..."` unwrapped."""
        return ", ".join(f"{_clean(f't_{c}')} as c_{c}" for c in self.read) or "null as c_nothing"

    def _values(self) -> str:
        parts = [f"{sql} as {column}" for column, sql in self.constants.items()]
        for column, how in self.read.items():
            if column == "stamp":
                parts.append(f"{self._stamp(how)} as v_stamp")
            else:
                parts.append(f"{self._value(column, how, f'c_{column}')} as {column}")
        return ", ".join(parts)

    def _stamp(self, how: MappedColumn) -> str:
        return f"try_strptime(c_stamp, {text(how.format)})" if how.format else "try_cast(c_stamp as timestamp)"

    def _type(self, column: str) -> str:
        return TYPES[self.catalogue.columns[column].type]

    def _value(self, column: str, how: MappedColumn, cell: str) -> str:
        kind = self.catalogue.columns[column].type
        if kind in ("decimal", "ratio"):
            return self._number(cell, how)
        if kind == "factor":
            return self._factor(cell, how)
        if kind == "integer":
            return f"try_cast({self._digits(cell)} as bigint)"
        if kind in ("date", "month"):
            return self._date(cell, how, kind)
        if kind == "timestamp":
            return f"try_strptime({cell}, {text(how.format)})" if how.format else f"try_cast({cell} as timestamp)"
        if kind == "boolean":
            return f"case when lower({cell}) in {_YES} then true when lower({cell}) in {_NO} then false end"
        if kind == "code" and how.value is None:
            return self._code(column, cell, how)
        return cell

    def _digits(self, cell: str) -> str:
        form = self.mapping.format
        out = f"replace({cell}, {text(form.thousands)}, '')" if form.thousands else cell
        out = f"replace({out}, {text(form.decimal)}, '.')" if form.decimal != "." else out
        return (
            f"case when ends_with({cell}, '-') then '-' || rtrim({out}, '-')"
            f" when starts_with({cell}, '(') then '-' || trim({out}, '()') else {out} end"
        )

    def _number(self, cell: str, how: MappedColumn) -> str:
        digits = self._digits(cell)
        # Text to DECIMAL(28,6) takes 25 times as long as to DECIMAL(18,6); the wide cast is for what does not fit.
        factor = self.catalogue.units[how.unit].factor if how.unit else 1
        wide = "decimal(28,6)" if factor == 1 else "decimal(23,6)"
        number = f"coalesce(try_cast({digits} as decimal(18,6))::{wide}, try_cast({digits} as {wide}))"
        # 23 and 15 digits make 38, the most there are; nothing in a row may end the judging of the others.
        return number if factor == 1 else f"try_cast({number} * {factor}::decimal(15,9) as decimal(28,6))"

    def _factor(self, cell: str, how: MappedColumn) -> str:
        """A number with nine decimals, brought to the canonical unit."""
        number = f"try_cast({self._digits(cell)} as {TYPES['factor']})"
        factor = self.catalogue.units[how.unit].factor if how.unit else 1
        return number if factor == 1 else f"try_cast({number} * {factor}::decimal(15,9) as {TYPES['factor']})"

    def _date(self, cell: str, how: MappedColumn, kind: str) -> str:
        parsed = f"try_strptime({cell}, {text(how.format or '%Y-%m-%d')})::date"
        if how.shift:
            amount, unit = how.shift.split()
            parsed = f"({parsed} + interval {text(amount)} {unit})::date"
        return f"date_trunc('month', {parsed})::date" if kind == "month" else parsed

    def _code(self, column: str, cell: str, how: MappedColumn) -> str:
        codes = self.catalogue.code_lists[str(self.catalogue.columns[column].codes)]
        mapped = " ".join(f"when {cell} = {text(k)} then {text(v)}" for k, v in how.codes.items())
        known = ", ".join(text(c) for c in codes)
        fallback = text(how.default) if how.default else "null"
        return f"case {mapped} when {cell} in ({known}) then {cell} when {cell} is not null then {fallback} end"

    def _timed(self) -> str:
        rule = self.mapping.time
        if rule is None:
            return "select *, false as is_ambiguous, false as is_absent from valued"
        if rule.stamp == "moment":
            # Models convert no times, so a register reading carries the start of its local day beside its moment.
            made = "v_stamp::date as local_date, utc - (v_stamp - v_stamp::date::timestamp) as start_utc, utc as end_utc"
        step = f"interval {rule.interval_minutes} minute"
        shift = f"- {step}" if rule.stamp == "end" else ""
        back = "" if rule.stamp == "end" else f"+ {step}"
        if rule.stamp != "moment":
            made = f"(v_stamp {shift})::date as local_date, utc {shift} as start_utc, utc {back} as end_utc"
        zoned = f"select *, {zone_expression(rule.zone, 'v_stamp')} as zoned from valued"
        utc = (
            f"select *, v_stamp - to_seconds(zoned // 4) as utc, coalesce(zoned % 4 = {DOUBLED}, false) as is_ambiguous,"
            f" coalesce(zoned % 4 = {SKIPPED}, false) as is_absent from ({zoned})"
        )
        return f"select *, {made} from ({utc})"

    def _ignored(self) -> str:
        cases = " ".join(
            f"when regexp_matches({name(r.heading)}, {text(r.matches)}) then {text(r.reason)}"
            for r in self.mapping.ignore_rows
        )
        return f"case {cases} end" if cases else "null::varchar"

    def _tests(self) -> list[tuple[str, str]]:
        """(condition that is bad, reason) in order."""
        tests = [test for column in self.contract.columns for test in self._column_tests(column)]
        if self.mapping.time:
            tests.append(("c_stamp is null", "missing:stamp"))
            tests.append(("c_stamp is not null and v_stamp is null", "not_a_date:stamp"))
            tests.append(("is_absent", "nonexistent_local_time"))
            if self.mapping.time.ambiguous == "refuse":
                tests.append(("is_ambiguous", "ambiguous_local_time"))
        return tests + [(f"not ({rule.sql})", f"rule:{rule.id}") for rule in self.contract.rules]

    def _column_tests(self, column: str) -> list[tuple[str, str]]:
        if column in self.timed:
            return []
        declared, kind = self.contract.columns[column], self.catalogue.columns[column].type
        cell = f"c_{column}" if column in self.read else column
        tests = [(f"{cell} is null", f"missing:{column}")] if declared.required else []
        if column in self.read and kind != "text":
            reason = f"unknown_code:{column}" if kind == "code" else f"not_a_{_WORDS.get(kind, 'date')}:{column}"
            tests.append((f"{cell} is not null and {column} is null", reason))
        if column in self.read and kind in ("text", "code") and self.facts.unreadable:
            # In every other type such a text is no value anyway.
            tests.append((f"regexp_matches({cell}, {text(self.facts.unreadable)})", f"unreadable:{column}"))
        if declared.range:
            low, high = declared.range
            tests.append((f"{column} not between {low} and {high}", f"out_of_range:{column}"))
        return tests

    def _ok(self) -> str:
        return "not (" + " or ".join(f"coalesce({bad}, false)" for bad, _ in self._tests()) + ")"

    def _reasons(self) -> str:
        cases = ", ".join(f"case when {bad} then {text(reason)} end" for bad, reason in self._tests())
        return f"concat_ws(',', {cases})"


def _clean(cell: str) -> str:
    """SQL of the text of a cell. Trimming takes longer than all else, so cells without blanks at their ends are spared.

    Beyond ASCII there are other blanks than the space: such a cell has more bytes than characters.
    """
    odd = f"prefix({cell}, ' ') or suffix({cell}, ' ') or prefix({cell}, '=') or strlen({cell}) <> length({cell})"
    trimmed = f"trim({cell})"
    unwrapped = (
        f"case when prefix({trimmed}, '=\"') then substr({trimmed}, 3, length({trimmed}) - 3) else {trimmed} end"
    )
    return f"case when {odd} then {_present(unwrapped)} else {_present(cell)} end"


def _present(cell: str) -> str:
    """SQL of a text, NULL for the marks of a missing value; a list of them would become a join in the plan."""
    for mark in EMPTY:
        cell = f"nullif({cell}, {text(mark)})"
    return cell
