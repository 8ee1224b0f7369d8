"""The landing zone before a run: restored where a kill or a loss of power left it, and held against the clock.

Belongs here: what is mended without help, and the sentences about it. Does not belong here: taking deliveries (landing).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resources.disk import Damaged
from resources.landing import Landing, Receipt, now_utc, read_receipt

if TYPE_CHECKING:
    from resources.engine import Engine


def make_fit(landing: Landing, engine: Engine) -> list[str]:
    """Mend what is damaged and remove what a kill left; what an operator should know of it, in sentences."""
    told = [_mend(landing, engine, path) for path in landing.receipt_files() if not _is_receipt(path)]
    told += [_forget(path) for path in landing.refusal_files() if not _is_json(path)]
    landing.sweep()
    if landing.last_received > (now := now_utc()):
        told.append(
            f"the clock says {now[:19]} UTC, before the last delivery was received ({landing.last_received[:19]});"
            " deliveries keep the order in which they come; set the clock right"
        )
    return told


def _is_receipt(path: Path) -> bool:
    try:
        read_receipt(path)
    except Damaged:
        return False
    return True


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text("utf-8"))
    except ValueError:
        return False
    return True


def _mend(landing: Landing, engine: Engine, path: Path) -> str:
    """Write a receipt again from what the engine knows of it, or else put it away."""
    receipt = _as_engine_knows(landing, engine, path.stem)
    if receipt:
        landing.write(receipt)
        return f"the receipt {path.stem} was damaged and is restored from the engine"
    path.replace(path.with_suffix(".damaged"))
    return (
        f"the receipt {path.stem} is damaged and was put away as {path.stem}.damaged; its file is taken again from its"
        f" source, and its bytes are kept in {path.parent.with_name('bytes')} until you delete {path.stem}.damaged"
    )


def _as_engine_knows(landing: Landing, engine: Engine, receipt_id: str) -> Receipt | None:
    if not engine.columns("intake.receipt"):
        return None
    rows = engine.read(
        "select origin, dataset, file_name, strftime(received_at, '%Y-%m-%dT%H:%M:%S.%f') as received_at,"
        " strftime(issued_at, '%Y-%m-%dT%H:%M:%S.%f') as issued_at, sha256, state, reason"
        " from intake.receipt where receipt_id = ?",
        [receipt_id],
    )
    for row in rows.read_all().to_pylist():
        state, reason = row.pop("state"), row.pop("reason")
        ended = now_utc() if state in ("withdrawn", "purged") else None
        receipt = Receipt(
            receipt_id,
            **row,
            byte_count=0,
            withdrawn_at=ended,
            withdrawn_because=reason if ended else None,
            purged_at=ended if state == "purged" else None,
        )
        path = landing.path(receipt)
        return replace(receipt, byte_count=path.stat().st_size if path.exists() else 0)
    return None


def _forget(path: Path) -> str:
    """A refusal only saves looking at a file again."""
    path.unlink()
    return f"the note of a refused file, {path.stem}, was damaged; the file is looked at again"
