"""Totals of the year so far, taken apart: what a month, or another period, adds to the one before it.

Belongs here: the step over the judged rows of one delivery whose mapping says `cumulative: year_to_date`. Does not belong
here: registers of meters, which run over years and deliveries; how a cell is read (judging).
"""

from __future__ import annotations

from collections.abc import Mapping as Columns
from collections.abc import Sequence
from typing import TYPE_CHECKING

from resources.intake.row_tests import none_bad, reasons_of

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Column, Contract, Mapping
    from resources.intake.judging import Judgement

_GOOD = "ignored_reason is null and reasons is null"
_DAYS = ("date", "month")
MISSING_EARLIER = "missing_earlier_month"


def cumulative_columns(mapping: Mapping) -> list[str]:
    """The columns that a mapping says to be totals of the year so far."""
    return [column for column, how in mapping.columns.items() if how.cumulative]


def series_key(contract: Contract, columns: Columns[str, Column]) -> tuple[list[str], list[str]]:
    """What tells one running total from another, and the days of its periods: the key of the contract in two."""
    days = [c for c in contract.key if columns[c].type in _DAYS]
    return [c for c in contract.key if c not in days], days


def take_apart(
    connection: duckdb.DuckDBPyConnection,
    stage: str,
    rows: str,
    contract: Contract,
    known: Columns[str, Column],
    columns: Sequence[str],
    judgement: Judgement,
) -> None:
    """Replace totals of the year so far by what each period adds; `rows` has every column of the contract, and id.

    The first period of a year stands as it is. One that does not follow on another is set aside, and so is what breaks the
    ranges and rules of the contract once it is taken apart.
    """
    series, days = series_key(contract, known)
    begin, end = days[0], days[-1]
    # The contract has either half-open periods, of which one starts where the one before it ends, or months.
    follows = f"lag({end}) over w = {begin}" if end != begin else f"lag({begin}) over w + interval 1 month = {begin}"
    values = ", ".join(f"{c} - coalesce(case when {begin} > year then lag({c}) over w end, 0) as {c}" for c in columns)
    connection.execute(
        f"create or replace temp table apart as select id, {values}, ({begin} = year or coalesce({follows}, false)) as follows"
        f" from (select *, date_trunc('year', {begin})::date as year from {rows} where {_GOOD})"
        f" window w as (partition by {', '.join([*series, 'year'])} order by {begin})"
    )
    found = ", ".join(f"{c} = a.{c}" for c in columns)
    connection.execute(f"update {stage} set {found} from apart a where {stage}.rowid = a.id")
    connection.execute(
        f"update {stage} set reasons = '{MISSING_EARLIER}' from apart a where {stage}.rowid = a.id and not a.follows"
    )
    if judgement.later:
        connection.execute(
            f"create or replace temp table judged_later as select id, {reasons_of(judgement.later)} as found from {rows}"
            f" where {_GOOD} and not ({none_bad(judgement.later)})"
        )
        connection.execute(f"update {stage} set reasons = l.found from judged_later l where {stage}.rowid = l.id")
