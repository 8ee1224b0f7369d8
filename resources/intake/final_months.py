"""Deliveries and final months: a delivery that would change one waits until a restatement lets it in.

Belongs here: telling which deliveries those are. Does not belong here: holding them (intake), the rules of the states
(periods), and changes that do not come with a delivery (final_values).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from resources.intake.expectations import CheckResult
from resources.intake.touched_months import changed_months

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Contract
    from resources.landing import Receipt
    from resources.periods import Months

CHECK = "final_period"
_NL = "Zij zou regels van definitieve maanden wijzigen; `keten period restate MAAND --by NAAM --reason REDEN` laat haar toe"
_EN = "It would change rows of final months; `keten period restate MONTH --by NAME --reason REASON` lets it in"


def final_check(
    connection: duckdb.DuckDBPyConnection, contract: Contract, months: Months, merged: Iterable[Receipt]
) -> list[CheckResult]:
    """A failed check when deliveries, as just merged, change a month that is closed to them; else nothing.

    Core is asked only about deliveries that some month is closed to: without a final month it costs nothing.
    """
    closed = {r.receipt_id: {m for m, month in months.items() if month.is_closed_to(r)} for r in merged}
    late = [receipt_id for receipt_id, shut in closed.items() if shut]
    if not late:
        return []
    hit = changed_months(connection, contract, late) & set().union(*closed.values())
    if not hit:
        return []
    told = ", ".join(f"{month:%Y-%m}" for month in sorted(hit))
    return [CheckResult(f"core.{contract.name}", CHECK, "critical", "failed", told, _NL, _EN)]
