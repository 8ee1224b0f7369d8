"""What differs between two published files: deliveries, values, rejected rows, checks and tables.

Belongs here: the comparison in SQL. Does not belong here: how the second file was made, and how the difference is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from resources.publication import history
from resources.publication.published_file import attached

if TYPE_CHECKING:
    import duckdb

BEFORE, AFTER = "keten_before", "keten_after"
BIGGEST = 3  # changes shown of each indicator


class DeliveryChange(NamedTuple):
    """A delivery that is new, or of which something else became; `state_before` is None for a new one."""

    receipt_id: str
    dataset: str
    file_name: str
    state_before: str | None
    state: str
    reason: str | None
    received: int
    accepted: int
    rejected: int


class ValueChange(NamedTuple):
    """One published value before and after."""

    period_code: str
    scope_code: str
    before: Decimal | None
    after: Decimal | None


class IndicatorChange(NamedTuple):
    """How many values of an indicator change, appear or disappear, or differ in status or coverage only, and which months."""

    indicator_id: str
    changed: int
    appearing: int
    disappearing: int
    status_only: int
    first_month: str
    last_month: str
    biggest: tuple[ValueChange, ...]


class RejectedChange(NamedTuple):
    """Rows of a dataset rejected for the same reasons: how many are new, and how many are no longer rejected."""

    dataset: str
    reasons: str
    new: int
    solved: int


class CheckChange(NamedTuple):
    """A check that does not pass any more, or passes again; an outcome is None where there was no such check."""

    table: str
    check_id: str
    severity: str
    text: str
    observed: str
    before: str | None
    after: str | None


class TableChange(NamedTuple):
    """A table with other rows, and its digest after; a count is None where there is no such table.

    The one named `__declaration` stands for types, comments and views.
    """

    name: str
    rows_before: int | None
    rows_after: int | None
    digest: str | None


@dataclass(frozen=True)
class Difference:
    """All that differs. Empty lists mean that a reader would see no other row."""

    deliveries: list[DeliveryChange]
    indicators: list[IndicatorChange]
    rejected: list[RejectedChange]
    checks: list[CheckChange]
    tables: list[TableChange]


_DELIVERIES = """
select a.receipt_id, a.dataset, a.file_name, b.state, a.state, a.reason, a.received_rows, a.accepted_rows,
    a.quarantined_rows
from after_rpt_delivery a left join before_rpt_delivery b using (receipt_id)
where b.receipt_id is null or a.state <> b.state or a.quarantined_rows <> b.quarantined_rows
order by a.dataset, a.file_name, a.receipt_id"""

_REJECTED = """
select dataset, reasons, sum(new)::bigint, sum(solved)::bigint from (
    select dataset, reasons, 1 as new, 0 as solved from after_rpt_rejected_row
    anti join before_rpt_rejected_row using (dataset, receipt_id, row_no, record_no, reasons)
    union all
    select dataset, reasons, 0, 1 from before_rpt_rejected_row
    anti join after_rpt_rejected_row using (dataset, receipt_id, row_no, record_no, reasons)
) group by all order by all"""

_CHECKS = """
select table_name, check_id, coalesce(a.severity, b.severity), coalesce(a.en, b.en), coalesce(a.observed, b.observed),
    b.outcome, a.outcome
from after_rpt_check a full join before_rpt_check b using (table_name, check_id, receipt_id)
where coalesce(a.outcome, 'passed') <> 'passed' and coalesce(b.outcome, 'passed') = 'passed'
    or coalesce(a.outcome, 'passed') = 'passed' and coalesce(b.outcome, 'passed') <> 'passed'
order by 1, 2"""

_TABLES = """
select table_name, b.row_count, a.row_count, a.digest
from (from after_publication_digest where publication_id = (select max(publication_id) from after_publication_digest)) a
full join
    (from before_publication_digest where publication_id = (select max(publication_id) from before_publication_digest)) b
using (table_name)
where a.digest is distinct from b.digest or a.row_count is distinct from b.row_count
order by 1"""

_VALUES = f"""
create temp table changed as
select {", ".join(history.VALUE_KEY)}, b.value as before, a.value as after,
    coalesce(a.period_from, b.period_from) as first_day, coalesce(a.period_to, b.period_to) - 1 as last_day
from after_{history.VALUES} a full join before_{history.VALUES} b using ({", ".join(history.VALUE_KEY)})
where a.value is distinct from b.value or a.value_status is distinct from b.value_status
    or a.coverage is distinct from b.coverage"""

_INDICATORS = """
select indicator_id, count(*) filter (before <> after), count(*) filter (before is null and after is not null),
    count(*) filter (before is not null and after is null), count(*) filter (before is not distinct from after),
    strftime(coalesce(min(first_day) filter (period_type = 'month'), min(first_day)), '%Y-%m'),
    strftime(coalesce(max(last_day) filter (period_type = 'month'), max(last_day)), '%Y-%m')
from changed group by 1 order by 1"""

# Months before longer periods, which change because months do; the total before the parts that make it up.
_BIGGEST = f"""
select indicator_id, period_code, scope_code, before, after from (
    select *, row_number() over (partition by indicator_id order by period_type <> 'month',
        abs(coalesce(after, 0) - coalesce(before, 0)) desc, scope_code <> 'total', period_code, scope_code) as place
    from changed where before is distinct from after
) where place <= {BIGGEST} order by indicator_id, place"""

_COMPARED = ("rpt_delivery", "rpt_rejected_row", "rpt_check", "publication_digest", history.VALUES)


def difference(before: Path, after: Path) -> Difference:
    """Compare two published files; where the first does not exist everything appears. Neither is touched."""
    import duckdb

    with (
        duckdb.connect() as connection,
        attached(connection, before, BEFORE) as present,
        attached(connection, after, AFTER),
    ):
        for table in _COMPARED:
            _name_both(connection, table, present)
        return Difference(
            [DeliveryChange(*row) for row in connection.execute(_DELIVERIES).fetchall()],
            _indicators(connection),
            [RejectedChange(*row) for row in connection.execute(_REJECTED).fetchall()],
            [CheckChange(*row) for row in connection.execute(_CHECKS).fetchall()],
            [TableChange(*row) for row in connection.execute(_TABLES).fetchall()],
        )


def _name_both(connection: duckdb.DuckDBPyConnection, table: str, present: bool) -> None:
    """Views `before_` and `after_` of a table with the same columns; what the first file does not have is empty."""
    connection.execute(f"create temp view after_{table} as from {AFTER}.bi.{table}")
    earlier = f"from {AFTER}.bi.{table} limit 0"
    if present and history.columns(connection, BEFORE, table):
        earlier = f"({earlier}) union all by name from {BEFORE}.bi.{table}"
    connection.execute(f"create temp view before_{table} as {earlier}")


def _indicators(connection: duckdb.DuckDBPyConnection) -> list[IndicatorChange]:
    connection.execute(_VALUES)
    biggest: dict[str, list[ValueChange]] = {}
    for indicator, *value in connection.execute(_BIGGEST).fetchall():
        biggest.setdefault(indicator, []).append(ValueChange(*value))
    rows = connection.execute(_INDICATORS).fetchall()
    return [IndicatorChange._make((*row, tuple(biggest.get(row[0], ())))) for row in rows]
