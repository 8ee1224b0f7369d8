"""Retention: records of old runs, and deliveries past the days of their contract, destroyed as keten.yml says.

Belongs here: what is old enough, and destroying it. Does not belong here: when that is done (retention, the command line),
and destroying one delivery by hand (running).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.lock import run_lock
from pipelines.running import purge
from pipelines.settings import Place
from resources.errors import KetenError
from resources.landing import Landing, Receipt
from resources.progress import Progress

if TYPE_CHECKING:
    import dagster as dg

    from resources.catalogue import Catalogue

REASON = "retention_days of the contract are over"


@dataclass(frozen=True)
class Old:
    """What goes: ids of runs, files of runs that Dagster no longer knows, and deliveries; `kept` old runs stay.

    They hold what Dagster shows of an asset, or of one of its months, as its last state.
    """

    runs: tuple[str, ...]
    kept: int
    leftovers: tuple[Path, ...]
    receipts: tuple[Receipt, ...]

    def __bool__(self) -> bool:
        return bool(self.runs or self.leftovers or self.receipts)


def find_old(where: Place, catalogue: Catalogue, dagster: dg.DagsterInstance, now: datetime) -> Old:
    """What is past its time at `now`. Nothing is changed."""
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import FINISHED_STATUSES

    before = now - timedelta(days=catalogue.settings.retention.runs_days)
    old = [r.run_id for r in dagster.get_runs(RunsFilter(statuses=list(FINISHED_STATUSES), created_before=before))]
    needed = set(_needed(dagster)) if old else set()
    known = {run.run_id for run in dagster.get_runs()}
    leftovers = [
        p for p in _files_of_runs(dagster, where) if p.name.partition(".")[0] not in known and _changed(p) < before
    ]
    receipts = _expired(Landing(where.landing), catalogue, now)
    return Old(
        tuple(run_id for run_id in old if run_id not in needed),
        len(needed.intersection(old)),
        tuple(leftovers),
        tuple(receipts) if catalogue.settings.retention.receipts == "contract" else (),
    )


def clean(where: Place, catalogue: Catalogue, dagster: dg.DagsterInstance, now: datetime, progress: Progress) -> Old:
    """Destroy what is past its time, under the lock; what that was.

    Deliveries go as with `keten receipt purge`: their bytes, then by a run their rows and texts. Raises KetenError when that
    run fails.
    """
    with run_lock(where.home, progress.tell):
        old = find_old(where, catalogue, dagster, now)
        for line in told(old):
            progress.tell(line)
        for run_id in old.runs:
            dagster.delete_run(run_id)
        for path in (*old.leftovers, *_files_of_runs(dagster, where, set(old.runs))):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if old.runs or old.leftovers:
            _give_back(where.dagster, progress.tell)
        if old.receipts:
            _purge(where, catalogue, old.receipts, progress)
        return old


def told(old: Old) -> Iterator[str]:
    """What goes, in lines that anyone may read."""
    yield f"runs of Dagster: {len(old.runs)} go, {old.kept} old ones stay as they hold the last state of an asset"
    yield from (f"  run {run_id}" for run_id in old.runs)
    if old.leftovers:
        yield f"files of runs that Dagster no longer knows: {len(old.leftovers)}"
        yield from (f"  {path.name}" for path in old.leftovers)
    yield f"deliveries past the retention_days of their contract: {len(old.receipts)}"
    yield from (f"  {r.receipt_id}  {r.file_name}  received {r.received_at[:10]}" for r in old.receipts)


def size(where: Place) -> int:
    """Bytes of Dagster's records and of the deliveries."""
    files = (path for folder in (where.dagster, where.landing) for path in folder.rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file())


def _needed(dagster: dg.DagsterInstance) -> Iterator[str]:
    """The runs that made what Dagster shows as the last state of each asset and of each of its partitions."""
    from dagster import AssetRecordsFilter, DagsterEventType

    for record in dagster.get_asset_records():
        entry = record.asset_entry
        if entry.last_materialization:
            yield entry.last_materialization.run_id
        if entry.last_observation:
            yield entry.last_observation.run_id
        latest = dagster.get_latest_storage_id_by_partition(entry.asset_key, DagsterEventType.ASSET_MATERIALIZATION)
        if latest:
            wanted = AssetRecordsFilter(asset_key=entry.asset_key, storage_ids=list(latest.values()))
            yield from (made.run_id for made in dagster.fetch_materializations(wanted, limit=len(latest)).records)


def _files_of_runs(dagster: dg.DagsterInstance, where: Place, runs: Iterable[str] | None = None) -> Iterator[Path]:
    """What each run has of its own in DAGSTER_HOME: the file of its events, with what SQLite keeps beside it, and its logs."""
    wanted = None if runs is None else set(runs)
    events = (p for p in (where.dagster / "history" / "runs").glob("*.db*") if not p.name.startswith("index."))
    logs = Path(dagster.storage_directory())
    for path in (*events, *(logs.iterdir() if logs.is_dir() else ())):
        if wanted is None or path.name.partition(".")[0] in wanted:
            yield path


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _expired(landing: Landing, catalogue: Catalogue, now: datetime) -> Iterator[Receipt]:
    """Deliveries whose bytes are still here and that came longer ago than their contract allows."""
    for receipt in landing.receipts():
        contract = catalogue.contracts.get(receipt.dataset)
        if contract is None or receipt.purged_at:
            continue
        received = datetime.fromisoformat(receipt.received_at).replace(tzinfo=UTC)
        if now - received > timedelta(days=contract.retention_days):
            yield receipt


def _give_back(folder: Path, tell: Callable[[str], None]) -> None:
    """Let SQLite give the room of deleted rows back to the disk; a file that is in use waits for the next time."""
    for path in (folder / "history" / "runs.db", folder / "history" / "runs" / "index.db"):
        if not path.exists():
            continue
        try:
            with closing(sqlite3.connect(path, timeout=10)) as connection:
                connection.execute("vacuum")
        except sqlite3.OperationalError as error:
            tell(f"{path.name} keeps its size for now ({error})")


def _purge(where: Place, catalogue: Catalogue, receipts: Iterable[Receipt], progress: Progress) -> None:
    ids = [receipt.receipt_id for receipt in receipts]
    purged, outcome = purge(where, catalogue, ids, REASON, progress)
    if not outcome.success:
        raise KetenError(
            f"the bytes of {len(purged)} deliveries are destroyed, but the run that takes their rows and texts out of engine"
            f" and results failed: {outcome.failure}; mend it, then `keten receipt purge {purged[0]}` does the rest"
        )
