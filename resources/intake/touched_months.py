"""Which months of a dataset some deliveries touch, and in which of them they change rows.

Belongs here: asking the tables of core. Does not belong here: what follows from it (intake, final_months).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Contract


def touched_months(
    connection: duckdb.DuckDBPyConnection, contract: Contract, receipt_ids: Collection[str]
) -> set[date] | None:
    """Months that hold a current, ended or unmatched row of these receipts; None for a dataset without a period."""
    if not contract.period:
        return None
    listed, name = _listed(receipt_ids), f"core.{contract.name}"
    return _months(
        connection,
        contract,
        f"{name} where receipt_id in ({listed})",
        f"{name}__history where receipt_id in ({listed}) or ended_by in ({listed})",
        f"{name}__unmatched where receipt_id in ({listed})",
    )


def changed_months(
    connection: duckdb.DuckDBPyConnection, contract: Contract, receipt_ids: Collection[str]
) -> set[date]:
    """Months with a row that would be another, or not there, without these receipts; a row sent again as it was is none.

    A dataset without a period has none: what it changes is seen in the values.
    """
    if not contract.period:
        return set()
    listed, name = _listed(receipt_ids), f"core.{contract.name}"
    ended = f"ended_by in ({listed}) and receipt_id not in ({listed}) and state in ('restated', 'withdrawn')"
    return _months(connection, contract, f"{name} where receipt_id in ({listed})", f"{name}__history where {ended}")


def _listed(receipt_ids: Collection[str]) -> str:
    return ", ".join(f"'{i}'" for i in receipt_ids) or "''"


def _months(connection: duckdb.DuckDBPyConnection, contract: Contract, *rows: str) -> set[date]:
    """Every month that the rows of some tables lie in, from the first to the last of a row that spans several."""
    period = contract.period
    last = "period_to - 1" if "period_to" in contract.columns else period
    spans = " union ".join(f"select distinct {period} as f, {last} as l from {table}" for table in rows)
    found = connection.execute(
        "select distinct unnest(generate_series(date_trunc('month', f), date_trunc('month', l), interval 1 month))::date"
        f" from ({spans})"
    ).fetchall()
    return {row[0] for row in found}
