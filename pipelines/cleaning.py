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
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.lock import run_lock
from pipelines.running import purge
from pipelines.settings import Place
from resources.engine import Engine
from resources.errors import KetenError
from resources.landing import Landing
from resources.landing.expiry import Expiry, expired, expiry
from resources.periods import Periods
from resources.progress import Progress

if TYPE_CHECKING:
    import dagster as dg

    from resources.catalogue import Catalogue

REASON = "the days that the contract allows are over, so its deliveries are destroyed"
BY = "retention"


@dataclass(frozen=True)
class Old:
    """What goes: ids of runs, files of runs that Dagster no longer knows, and deliveries; `kept` old runs stay.

    They hold what Dagster shows of an asset, or of one of its months, as its last state. `final` are months that are final
    and lose rows.
    """

    runs: tuple[str, ...]
    kept: int
    leftovers: tuple[Path, ...]
    deliveries: Expiry
    final: tuple[date, ...]


def find_old(where: Place, catalogue: Catalogue, dagster: dg.DagsterInstance, now: datetime) -> Old:
    """What is past its time at `now`. Call it under the lock; nothing is changed."""
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import FINISHED_STATUSES

    before = now - timedelta(days=catalogue.settings.retention.runs_days)
    old = [r.run_id for r in dagster.get_runs(RunsFilter(statuses=list(FINISHED_STATUSES), created_before=before))]
    needed = set(_needed(dagster)) if old else set()
    known = {run.run_id for run in dagster.get_runs()}
    orphans = [
        path for path in _files_of_runs(dagster, where) if _run_of(path) not in known and _changed(path) < before
    ]
    deliveries = _old_deliveries(where, catalogue, now)
    states = Periods(where.periods).read() if deliveries.months else {}
    return Old(
        tuple(run_id for run_id in old if run_id not in needed),
        len(needed.intersection(old)),
        tuple(orphans),
        deliveries,
        tuple(month for month in sorted(deliveries.months) if month in states and states[month].is_final),
    )


def _old_deliveries(where: Place, catalogue: Catalogue, now: datetime) -> Expiry:
    if catalogue.settings.retention.receipts == "keep" or not where.engine.exists():
        return Expiry()
    old = expired(Landing(where.landing).receipts(), catalogue, now)
    if not old:
        return Expiry()
    with Engine.open(where.engine, where.home / "engine.tmp", lambda _: None) as engine:
        return expiry(engine, catalogue, old)


def clean(where: Place, catalogue: Catalogue, dagster: dg.DagsterInstance, now: datetime, progress: Progress) -> Old:
    """Destroy what is past its time; what that was.

    Deliveries go as with `keten receipt purge`: their bytes, then by a run their rows and texts. A month that is final is
    restated for it, with retention as the reason: its figures can no longer be made, and readers are told so. Raises
    KetenError when that run fails.
    """
    with run_lock(where.home, progress.tell):
        old = find_old(where, catalogue, dagster, now)
        for line in told(old):
            progress.tell(line)
        for run_id in old.runs:
            dagster.delete_run(run_id)
        gone = set(old.runs)
        for path in (*old.leftovers, *(p for p in _files_of_runs(dagster, where) if _run_of(p) in gone)):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if old.runs or old.leftovers:
            _give_back(where.dagster, progress.tell)
        if old.deliveries.going:
            for month in old.final:
                Periods(where.periods).decide(month, "restated", BY, now.date(), REASON)
            _purge(where, catalogue, [receipt.receipt_id for receipt in old.deliveries.going], progress)
        return old


def told(old: Old) -> Iterator[str]:
    """What goes and what stays, in lines that anyone may read."""
    yield f"runs of Dagster: {len(old.runs)} go, {old.kept} old ones stay as they hold the last state of an asset"
    yield from (f"  run {run_id}" for run_id in old.runs)
    yield f"files of runs that Dagster no longer knows: {len(old.leftovers)} go"
    yield from (f"  {path.name}" for path in old.leftovers)
    going, in_use = old.deliveries.going, old.deliveries.in_use
    yield f"deliveries past the retention_days of their contract: {len(going)} go, {len(in_use)} stay as they are in use"
    yield from (f"  {r.receipt_id}  {r.file_name}  received {r.received_at[:10]}" for r in going)
    if old.deliveries.months:
        yield f"months that lose rows: {_listed(old.deliveries.months)}"
    if old.final:
        yield f"of these, final and to be restated by {BY}: {_listed(old.final)}"


def _listed(months: Iterable[date]) -> str:
    return ", ".join(f"{month:%Y-%m}" for month in sorted(months))


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


def _files_of_runs(dagster: dg.DagsterInstance, where: Place) -> Iterator[Path]:
    """What runs have of their own in DAGSTER_HOME: a file of events, with what SQLite keeps beside it, and logs."""
    events = (where.dagster / "history" / "runs").glob("*.db*")
    logs = Path(dagster.storage_directory())
    yield from (path for path in events if _run_of(path) != "index")
    yield from logs.iterdir() if logs.is_dir() else ()


def _run_of(path: Path) -> str:
    return path.name.partition(".")[0]


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


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


def _purge(where: Place, catalogue: Catalogue, receipt_ids: list[str], progress: Progress) -> None:
    purged, outcome = purge(where, catalogue, receipt_ids, REASON, progress)
    if not outcome.success:
        raise KetenError(
            f"the bytes of {len(purged)} deliveries are destroyed, but the run that takes their rows and texts out of engine"
            f" and results failed: {outcome.failure}; mend it, then `keten receipt purge {purged[0]}` does the rest"
        )
