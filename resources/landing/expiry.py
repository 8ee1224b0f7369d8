"""Deliveries past the days that their contract allows: which may go, and which months change when they do.

Belongs here: reading the landing zone and the engine for it. Does not belong here: destroying anything (cleaning).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.intake.touched_months import changed_months

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.engine import Engine
    from resources.landing import Receipt


# When nothing came for longer than this, a clock that is wrong is likelier than that all deliveries are past their time.
LONGEST_SILENCE = timedelta(days=366)


@dataclass(frozen=True)
class Expiry:
    """What may go, the months that lose rows by it, and what stays though it is old, as it still describes something."""

    going: tuple[Receipt, ...] = ()
    in_use: tuple[Receipt, ...] = ()
    months: frozenset[date] = frozenset()


def expired(receipts: Iterable[Receipt], catalogue: Catalogue, now: datetime) -> list[Receipt]:
    """Deliveries whose bytes are still here and that came longer ago than their contract allows.

    Raises KetenError when there are any and the clock cannot be trusted: there is no way back.
    """
    found, newest = [], datetime.min.replace(tzinfo=UTC)
    for receipt in receipts:
        contract = catalogue.contracts.get(receipt.dataset)
        received = datetime.fromisoformat(receipt.received_at).replace(tzinfo=UTC)
        newest = max(newest, received)
        if contract and not receipt.purged_at and now - received > timedelta(days=contract.retention_days):
            found.append(receipt)
    if found and now - newest > LONGEST_SILENCE:
        raise KetenError(
            f"{len(found)} deliveries seem past their time, but nothing came since {newest:%Y-%m-%d}: set the clock right, or"
            " destroy them with `keten receipt purge` when it is; nothing was destroyed"
        )
    return found


def expiry(engine: Engine, catalogue: Catalogue, old: Iterable[Receipt]) -> Expiry:
    """What becomes of old deliveries.

    A dataset without a period describes what is (sites, meters, contracts): as long as a row of a delivery is the current
    one, the delivery is in use and its time has not begun.
    """
    going: dict[str, list[Receipt]] = {}
    in_use = []
    for receipt in old:
        if catalogue.contracts[receipt.dataset].period is None and _has_current_rows(engine, receipt):
            in_use.append(receipt)
        else:
            going.setdefault(receipt.dataset, []).append(receipt)
    months: set[date] = set()
    for dataset, receipts in going.items():
        ids = [receipt.receipt_id for receipt in receipts]
        if engine.columns(f"core.{dataset}"):
            months |= changed_months(engine.connection, catalogue.contracts[dataset], ids)
    return Expiry(tuple(r for receipts in going.values() for r in receipts), tuple(in_use), frozenset(months))


def _has_current_rows(engine: Engine, receipt: Receipt) -> bool:
    table = f"core.{receipt.dataset}"
    if not engine.columns(table):
        return False
    rows = engine.read(f"select 1 as found from {table} where receipt_id = ? limit 1", [receipt.receipt_id])
    return bool(rows.read_all().num_rows)
