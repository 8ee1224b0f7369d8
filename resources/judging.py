"""Judging rows: one SQL scan compiled from contract and mapping; a pure function of the row.

Belongs here: parsing cells, units, codes, local time, row rules, repeats inside one delivery.
Does not belong here: judgement against other tables (merging) and datasets as a whole (expectations).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resources.engine import TYPES
from resources.errors import KetenError
from resources.reading import CELL, FileFacts, name, raw_select, text
from resources.repeats import row_text
from resources.zones import zone_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resources.catalogue import Catalogue, Contract, Mapping
    from resources.catalogue_models import MappedColumn

EMPTY = "('', '-', 'n.v.t.', 'n.b.', '#N/A')"
_YES, _NO = "('true', 'ja', 'yes', '1', 'j', 'y')", "('false', 'nee', 'no', '0', 'n')"


def judge_select(
    contract: Contract, mapping: Mapping, catalogue: Catalogue, facts: FileFacts, path: Path, receipt_id: str
) -> str:
    """SQL giving every record of a file: typed columns, row_no, record_no, ignored_reason, reasons, row_text, is_ambiguous."""
    return _Judge(contract, mapping, catalogue, facts).select(raw_select(path, mapping, facts))


class _Judge:
    def __init__(self, contract: Contract, mapping: Mapping, catalogue: Catalogue, facts: FileFacts) -> None:
        self.contract = contract
        self.mapping = mapping
        self.catalogue = catalogue
        self.facts = facts
        self.zone = mapping.time.zone if mapping.time else ""

    def select(self, raw: str) -> str:
        """The whole statement, one layer per step."""
        columns = list(self.contract.columns)
        listed = ", ".join(columns)
        number = ", null::bigint as repeat_no" if self.contract.repeats == "number" else ""
        return f"""
        with raw as ({raw}),
        record as ({self._records()}),
        cell as (select *, {self._cells()} from record),
        valued as (select *, {self._values()} from cell),
        timed as ({self._timed()}),
        judged as (select *, {self._ignored()} as ignored_reason, {self._ok()} as ok from timed)
        select {listed}{number}, row_no, record_no, ignored_reason,
            case when not ok and ignored_reason is null then {self._reasons()} end as reasons,
            case when not ok and ignored_reason is null then {self._text()} end as row_text,
            is_ambiguous
        from judged
        """

    def _records(self) -> str:
        unpivot = self.mapping.unpivot
        if unpivot is None:
            return "select *, 1::bigint as record_no from raw"
        import re

        wide = [h for h in self.facts.headings if re.search(unpivot.headings, h)]
        if not wide:
            raise KetenError(
                f"mapping {self.mapping.origin}__{self.mapping.dataset}: no heading matches {unpivot.headings}"
            )
        order = " ".join(f"when {text(CELL + h)} then {i}" for i, h in enumerate(wide, start=1))
        slot = name(unpivot.name)
        return (
            f"select * replace (substr({slot}, {len(CELL) + 1}) as {slot}), (case {slot} {order} end)::bigint as record_no"
            f" from (from raw unpivot include nulls ({name(unpivot.value)} for {slot} in ({', '.join(name(h) for h in wide)})))"
        )

    def _mapped(self) -> Iterable[tuple[str, MappedColumn]]:
        return self.mapping.columns.items()

    def _cells(self) -> str:
        """Trimmed text per mapped column, NULL for the marks of a missing value; `="..."` unwrapped."""
        parts = []
        for column, how in self._mapped():
            if how.value is not None:
                parts.append(f"{text(how.value)} as c_{column}")
                continue
            cells = [f"trim({name(h)})" for h in how.headings()]
            joined = cells[0] if len(cells) == 1 else f"concat_ws(' ', {', '.join(cells)})"
            plain = f"case when starts_with({joined}, '=\"') then substr({joined}, 3, length({joined}) - 3) else {joined} end"
            parts.append(f"case when {joined} in {EMPTY} then null else {plain} end as c_{column}")
        return ", ".join(parts)

    def _values(self) -> str:
        made = {column: self._value(column, how) for column, how in self._mapped() if column != "stamp"}
        for column, how in self._mapped():
            unit_in = self.catalogue.columns[column].unit_in if column != "stamp" else None
            if how.unit and unit_in and unit_in not in made:
                made[unit_in] = text(self.catalogue.units[how.unit].canonical_code)
        timed = {"start_utc", "end_utc", "local_date"} if self.mapping.time else set()
        for column in self.contract.columns:
            if column not in made and column not in timed:
                made[column] = f"null::{self._type(column)}"
        parts = [f"{sql} as v_{column}" for column, sql in made.items()]
        if self.mapping.time:
            how = self.mapping.columns["stamp"]
            parts.append(f"{self._stamp(how)} as v_stamp")
        return ", ".join(parts)

    def _stamp(self, how: MappedColumn) -> str:
        return f"try_strptime(c_stamp, {text(how.format)})" if how.format else "try_cast(c_stamp as timestamp)"

    def _type(self, column: str) -> str:
        return TYPES[self.catalogue.columns[column].type]

    def _value(self, column: str, how: MappedColumn) -> str:
        kind = self.catalogue.columns[column].type
        cell = f"c_{column}"
        if kind in ("decimal", "ratio"):
            return self._number(cell, how)
        if kind == "integer":
            return f"try_cast({self._digits(cell)} as bigint)"
        if kind in ("date", "month"):
            return self._date(cell, how, kind)
        if kind == "timestamp":
            return f"try_strptime({cell}, {text(how.format)})" if how.format else f"try_cast({cell} as timestamp)"
        if kind == "boolean":
            return f"case when lower({cell}) in {_YES} then true when lower({cell}) in {_NO} then false end"
        if kind == "code":
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
        number = f"coalesce(try_cast({digits} as decimal(18,6))::decimal(28,6), try_cast({digits} as decimal(28,6)))"
        factor = self.catalogue.units[how.unit].factor if how.unit else 1
        if factor == 1:
            return number
        return f"({number}::decimal(26,6) * {factor}::decimal(12,9))::decimal(28,6)"

    def _date(self, cell: str, how: MappedColumn, kind: str) -> str:
        parsed = f"try_strptime({cell}, {text(how.format or '%Y-%m-%d')})::date"
        if how.shift:
            amount, unit = how.shift.split()
            parsed = f"({parsed} + interval {text(amount)} {unit})::date"
        return f"date_trunc('month', {parsed})::date" if kind == "month" else parsed

    def _code(self, column: str, cell: str, how: MappedColumn) -> str:
        codes = self.catalogue.code_lists[str(self.catalogue.columns[column].codes)]
        if how.value is not None:
            return cell
        mapped = " ".join(f"when {text(k)} then {text(v)}" for k, v in how.codes.items())
        known = ", ".join(text(c) for c in codes)
        fallback = text(how.default) if how.default else "null"
        own = f"when {cell} in ({known}) then {cell}"
        cases = f"case {' '.join(f'when {cell} = {text(k)} then {text(v)}' for k, v in how.codes.items())} {own}"
        return f"{cases} when {cell} is not null then {fallback} end" if mapped or codes else cell

    def _timed(self) -> str:
        columns = [
            c for c in self.contract.columns if not (self.mapping.time and c in ("start_utc", "end_utc", "local_date"))
        ]
        renamed = ", ".join(f"v_{c} as {c}" for c in columns)
        rule = self.mapping.time
        if rule is None:
            return f"select *, {renamed}, false as is_ambiguous, false as is_absent from valued"
        step = f"interval {rule.interval_minutes} minute"
        if rule.zone == "UTC":
            start = f"v_stamp - {step}" if rule.stamp == "end" else "v_stamp"
            return (
                f"select *, {renamed}, {start} as start_utc, {start} + {step} as end_utc, ({start})::date as local_date,"
                " false as is_ambiguous, false as is_absent from valued"
            )
        shift = f"- {step}" if rule.stamp == "end" else ""
        back = "" if rule.stamp == "end" else f"+ {step}"
        return f"""
            select *, (v_stamp {shift})::date as local_date,
                utc {shift} as start_utc, utc {back} as end_utc
            from (
                select v.*, {renamed},
                    v_stamp - to_seconds(case when z.switch_from is null or v_stamp < z.switch_from
                        or (z.offset_after < z.offset_before and v_stamp < z.switch_to)
                        then z.offset_before else z.offset_after end) as utc,
                    coalesce(z.offset_after < z.offset_before and v_stamp >= z.switch_from and v_stamp < z.switch_to, false)
                        as is_ambiguous,
                    coalesce(z.offset_after > z.offset_before and v_stamp >= z.switch_from and v_stamp < z.switch_to, false)
                        as is_absent
                from valued v left join {zone_table(rule.zone)} z on z.local_day = v.v_stamp::date
            )"""

    def _ignored(self) -> str:
        cases = " ".join(
            f"when regexp_matches({name(r.heading)}, {text(r.matches)}) then {text(r.reason)}"
            for r in self.mapping.ignore_rows
        )
        return f"case {cases} end" if cases else "null::varchar"

    def _tests(self) -> list[tuple[str, str]]:
        """(condition that is bad, reason) in order; a rule is only tested on rows whose cells could be read."""
        tests: list[tuple[str, str]] = []
        mapped = dict(self._mapped())
        for column, declared in self.contract.columns.items():
            has_cell = column in mapped
            if declared.required:
                cell = f"c_{column}" if has_cell else ("c_stamp" if self._is_timed(column) else column)
                tests.append((f"{cell} is null", f"missing:{column}"))
            if has_cell and mapped[column].value is None:
                what = {
                    "decimal": "number",
                    "ratio": "number",
                    "integer": "number",
                    "boolean": "yes_or_no",
                    "code": "code",
                }
                word = what.get(self.catalogue.columns[column].type, "date")
                reason = f"unknown_code:{column}" if word == "code" else f"not_a_{word}:{column}"
                if self.catalogue.columns[column].type != "text":
                    tests.append((f"c_{column} is not null and {column} is null", reason))
            if declared.range:
                low, high = declared.range
                tests.append((f"{column} not between {low} and {high}", f"out_of_range:{column}"))
        if self.mapping.time:
            tests.append(("c_stamp is not null and v_stamp is null", "not_a_date:stamp"))
            tests.append(("is_absent", "nonexistent_local_time"))
            if self.mapping.time.ambiguous == "refuse":
                tests.append(("is_ambiguous", "ambiguous_local_time"))
        tests += [(f"not ({rule.sql})", f"rule:{rule.id}") for rule in self.contract.rules]
        return tests

    def _is_timed(self, column: str) -> bool:
        return bool(self.mapping.time) and column in ("start_utc", "end_utc", "local_date")

    def _ok(self) -> str:
        return "not (" + " or ".join(f"coalesce({bad}, false)" for bad, _ in self._tests()) + ")"

    def _reasons(self) -> str:
        cases = ", ".join(f"case when {bad} then {text(reason)} end" for bad, reason in self._tests())
        return f"list_distinct(list_filter([{cases}], lambda x: x is not null))"

    def _text(self) -> str:
        return row_text(self.facts.headings if self.mapping.unpivot is None else self._record_headings(), self.mapping)

    def _record_headings(self) -> tuple[str, ...]:
        import re

        unpivot = self.mapping.unpivot
        assert unpivot is not None
        kept = [h for h in self.facts.headings if not re.search(unpivot.headings, h)]
        return (*kept, unpivot.name, unpivot.value)
