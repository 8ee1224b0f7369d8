"""Correcting judged rows of a delivery as a deployment declares it, before repeats are told and rows are merged.

Belongs here: finding the rows of an entry, the guard on what was expected, what is done to them, what is remembered of it,
and whether the entries still hold. Does not belong here: the shape of an entry (correction_models) and its rules
(correction_rules).

Entries are applied in the order of their file; each sees what the one before it left. A row of which `expect` no longer
holds is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from resources.catalogue.correction_models import Correction, listed
from resources.catalogue.correction_rules import safe_condition
from resources.engine import TYPES
from resources.intake.expectations import CheckResult
from resources.intake.year_to_date import cumulative_columns
from resources.reading.cells import name, text

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Catalogue, Contract, Mapping
    from resources.intake.judged_rows import JudgedRows
    from resources.reading.cells import FileFacts

TABLE = "intake.correction"
CHECK = "correction_"
# What an ignored row is told to be; the id of the entry follows.
DROPPED = "corrected"
_CORRECTED = "corrected"
_COLUMNS = (
    "dataset VARCHAR, origin VARCHAR, correction_id VARCHAR, action VARCHAR, receipt_id VARCHAR, row_no BIGINT,"
    " record_no BIGINT, column_name VARCHAR, value_was VARCHAR, value_is VARCHAR, outcome VARCHAR"
)


def prepare_corrections(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table of what was corrected when it is not there: one row per entry and record it matched."""
    connection.execute(f"create table if not exists {TABLE} ({_COLUMNS})")


def forget(connection: duckdb.DuckDBPyConnection, receipt_id: str) -> None:
    """Remember nothing of the corrections of a delivery."""
    connection.execute(f"delete from {TABLE} where receipt_id = ?", [receipt_id])


class Correcting:
    """Applies entries to the rows of one delivery. What was done stands in the temporary table `done`."""

    def __init__(self, judged: JudgedRows, catalogue: Catalogue, contract: Contract, mapping: Mapping) -> None:
        self.judged = judged
        self.run = judged.connection.execute
        self.done = f"{judged.table}_corrected"
        self.contract = contract
        self.mapping = mapping
        self.types = {c: TYPES[catalogue.columns[c].type] for c in contract.columns}
        self.status = [c for c in contract.columns if catalogue.columns[c].codes == "value_status"]

    def apply(self, entries: Sequence[Correction], receipt_id: str, facts: FileFacts, cells: str) -> None:
        """Apply the entries in order; `cells` is the relation of the cells as sent."""
        self.run(f"create or replace temp table {self.done} ({_COLUMNS})")
        for entry in entries:
            self.run(f"create or replace temp table hit as {self._hits(entry, facts, cells)}")
            counted = self.run("select count(*) from hit").fetchone() or (0,)
            if not counted[0]:
                continue
            outcome = "case when holds then 'applied' else 'mended' end"
            if _is_other_count(entry, counted[0]):
                outcome = "'other_count'"
            self.run(f"create or replace temp table chosen as select *, {outcome} as outcome from hit")
            self._act(entry)
            self._note(entry, receipt_id)

    def _hits(self, entry: Correction, facts: FileFacts, cells: str) -> str:
        """The rows that an entry is about, what they held, and whether that is what was expected."""
        tests = ["ignored_reason is null"]
        for key, values in entry.match.items():
            told = [text(value) for value in listed(values)]
            if key in self.types:
                kind = self.types[key]
                tests.append(f"{key} in ({', '.join(f'try_cast({value} as {kind})' for value in told)})")
            elif key in facts.headings:
                tests.append(f"row_no in (select row_no from {cells} where trim({name(key)}) in ({', '.join(told)}))")
            else:
                tests.append("false")
        if entry.where:
            tests.append(f"({safe_condition(entry, self.contract)})")
        if entry.action == "scale":
            tests.append(f"{entry.column} is not null")
        held = f"{entry.column}" if entry.column else "null"
        found = f"select id, row_no, record_no, {held} as held from {self.judged.whole} where {' and '.join(tests)}"
        sent, joined = self._sent(entry, facts, cells)
        was = f"coalesce(held::varchar, {sent})"
        return (
            f"with found as ({found}) select id, row_no, record_no, {was} as was, {self._guard(entry, was)} as holds"
            f" from found{joined}"
        )

    def _sent(self, entry: Correction, facts: FileFacts, cells: str) -> tuple[str, str]:
        """SQL of the text that was sent where a cell could not be read, and the join it needs."""
        mapped = self.mapping.columns.get(entry.column or "")
        headings = [h for h in mapped.headings() if h in facts.headings] if mapped else []
        if not headings:
            return "null", ""
        joined = f"concat_ws(' ', {', '.join(f'trim({name(h)})' for h in headings)})"
        wanted = f"select row_no, {joined} as sent from {cells} where row_no in (select row_no from found)"
        return "sent", f" left join ({wanted}) using (row_no)"

    def _guard(self, entry: Correction, was: str) -> str:
        expected, kind = entry.expect, self.types.get(entry.column or "", "VARCHAR")
        tests = []
        if expected.value is not None:
            values = [text(value) for value in listed(expected.value)]
            stored = ", ".join(f"try_cast({value} as {kind})" for value in values)
            tests.append(f"coalesce(held in ({stored}), {was} in ({', '.join(values)}), false)")
        if expected.range is not None:
            low, high = expected.range
            tests.append(f"coalesce(held between {low} and {high}, false)")
        return " and ".join(tests) or "true"

    def _act(self, entry: Correction) -> None:
        chosen = "(select id from chosen where outcome = 'applied')"
        table = self.judged.table
        if entry.action == "drop":
            told = text(f"{DROPPED}:{entry.id}")
            self.run(f"update {table} set ignored_reason = {told}, reasons = null where rowid in {chosen}")
        elif entry.changes:
            self._change(entry, chosen)

    def _change(self, entry: Correction, chosen: str) -> None:
        column, table = str(entry.column), self.judged.table
        kind = self.types[column]
        others = [c for c in self.status if c != column]
        for stored in (column, *others):
            self.judged.store(stored, self.types[stored])
        # 23 and 15 digits make 38, the most there are.
        wide = f"try_cast({column} as decimal(23,6))" if kind == "DECIMAL(28,6)" else column
        value = text(entry.value) if entry.value is not None else f"{wide} * {entry.factor}::decimal(15,9)"
        marks = "".join(f", {c} = '{_CORRECTED}'" for c in others)
        self.run(f"update {table} set {column} = try_cast({value} as {kind}){marks} where rowid in {chosen}")
        again = f"select id, {self._reasons_again(entry)} as told from {self.judged.whole} where id in {chosen}"
        self.run(f"update {table} set reasons = nullif(told, '') from ({again}) where {table}.rowid = id")

    def _reasons_again(self, entry: Correction) -> str:
        """What is wrong with a corrected row: what was wrong with its other columns, and the rules tried once more."""
        column = str(entry.column)
        # What is sent as a total of the year so far is held against range and rules once it was taken apart.
        later = cumulative_columns(self.mapping)
        kept = (
            "array_to_string(list_filter(string_split(reasons, ','),"
            f" lambda r: not suffix(r, ':{column}') and not prefix(r, 'rule:')), ',')"
        )
        tests = [(f"{column} is null", f"not_a_number:{column}")]
        if (span := self.contract.columns[column].range) and column not in later:
            tests.append((f"{column} not between {span[0]} and {span[1]}", f"out_of_range:{column}"))
        rules = [rule for rule in self.contract.rules if not any(re.search(rf"\b{c}\b", rule.sql) for c in later)]
        tests += [(f"not ({rule.sql})", f"rule:{rule.id}") for rule in rules]
        cases = ", ".join(f"case when {bad} then {text(reason)} end" for bad, reason in tests)
        return f"concat_ws(',', nullif({kept}, ''), {cases})"

    def _note(self, entry: Correction, receipt_id: str) -> None:
        facts = (self.contract.name, entry.origin, entry.id, entry.action, receipt_id)
        column = text(entry.column) if entry.column else "null"
        new = f"s.{entry.column}::varchar" if entry.changes else "null"
        self.run(
            f"insert into {self.done} select {', '.join(text(fact) for fact in facts)}, c.row_no, c.record_no, {column}, was,"
            f" case when outcome = 'applied' then {new} end, outcome from chosen c join {self.judged.table} s on s.rowid = c.id"
        )


def _is_other_count(entry: Correction, rows: int) -> bool:
    """Whether one delivery alone shows that the entry is not about these rows."""
    expected = entry.expect
    return (expected.rows_per_delivery or rows) != rows or (expected.rows or rows) < rows


def check_corrections(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, dataset: str) -> list[CheckResult]:
    """Whether each entry about a dataset still holds over all deliveries that are loaded."""
    found = connection.execute(
        f"select origin, correction_id, count(*), count(*) filter (outcome = 'mended'),"
        f" count(*) filter (outcome = 'other_count') from {TABLE} where dataset = ? group by all",
        [dataset],
    ).fetchall()
    counts = {(origin, entry_id): tuple(rest) for origin, entry_id, *rest in found}
    entries = [c for c in catalogue.corrections if c.dataset == dataset]
    return [_checked(entry, *counts.get((entry.origin, entry.id), (0, 0, 0))) for entry in entries]


def _checked(entry: Correction, rows: int, mended: int, other_count: int) -> CheckResult:
    expected = entry.expect
    is_wrong = not rows or mended or other_count or (expected.rows or rows) != rows
    observed = f"rows: {rows}"
    if expected.rows or expected.rows_per_delivery:
        observed += f"; expected: {expected.rows or f'{expected.rows_per_delivery} per delivery'}"
    if mended:
        observed += f"; with another value than expected, left as sent: {mended}"
    if other_count:
        observed += f"; left as sent for their number: {other_count}"
    nl = (
        f"{entry.place}: deze correctie treft precies wat zij verwacht; zo niet: verwijder haar als de fout hersteld is,"
        " of schrijf rows_per_delivery als de afzender alles opnieuw stuurde"
    )
    en = (
        f"{entry.place}: this correction meets just what it expects; if not: remove it when the fault is mended,"
        " or write rows_per_delivery when the sender sent all again"
    )
    outcome = "failed" if is_wrong else "passed"
    return CheckResult(
        f"core.{entry.dataset}", f"{CHECK}{entry.origin}_{entry.id}", "critical", outcome, observed, nl, en
    )
