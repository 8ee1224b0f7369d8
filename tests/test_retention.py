"""What is past its time goes, and nothing else: records of runs, and deliveries by their contract."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.cleaning import clean, find_old
from pipelines.definitions import build_definitions
from pipelines.instance import instance
from pipelines.retention import retention_job, retention_schedule
from pipelines.settings import Place
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.periods import Periods
from resources.progress import SILENT
from tests.deployment import Deployment

LATER = timedelta(days=100)


def empty_run(dagster: dg.DagsterInstance) -> str:
    """A run that makes nothing."""

    @dg.op
    def step() -> None:
        pass

    @dg.job(name="refresh")
    def job() -> None:
        step()

    return job.execute_in_process(instance=dagster).run_id


def files_of(home: Path) -> dict[str, str]:
    """Digest by name of all files, but for what SQLite keeps beside a file that is open."""
    found = (p for p in home.rglob("*") if p.is_file() and not p.name.endswith(("-wal", "-shm")))
    return {p.relative_to(home).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def test_old_runs_go_with_their_files_and_what_assets_show_stays(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    place, now = Place(made.home, made.project), datetime.now(UTC)
    catalogue = load_catalogue(made.project)
    with instance(place) as dagster:
        (kept,) = [run.run_id for run in dagster.get_runs()]
        gone = {empty_run(dagster) for _ in range(2)}
        shown = {r.asset_entry.asset_key: r.asset_entry.last_materialization for r in dagster.get_asset_records()}
        assert not find_old(place, catalogue, dagster, now).runs, "they are of today"
        before = files_of(made.home)
        old = find_old(place, catalogue, dagster, now + LATER)
        assert set(old.runs) == gone and old.kept == 1 and not old.deliveries.going
        assert files_of(made.home) == before, "looking changes nothing"
        assert clean(place, catalogue, dagster, now + LATER, SILENT) == old
        assert [run.run_id for run in dagster.get_runs()] == [kept]
        assert {
            r.asset_entry.asset_key: r.asset_entry.last_materialization for r in dagster.get_asset_records()
        } == shown
        opened = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        assert not [name for name in opened if any(run_id in name for run_id in gone)], "no file is kept open"
    left = [name for name in files_of(made.home / "dagster") if any(run_id in name for run_id in gone)]
    assert not left and [name for name in files_of(made.home / "dagster") if kept in name]


def test_files_of_a_run_that_dagster_forgot_go_when_they_are_old(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    place = Place(made.home, made.project)
    orphan = made.home / "dagster" / "history" / "runs" / "0000.db"
    orphan.write_bytes(b"")
    with instance(place) as dagster:
        catalogue = load_catalogue(made.project)
        assert not find_old(place, catalogue, dagster, datetime.now(UTC)).leftovers, "a run may just have begun"
        assert find_old(place, catalogue, dagster, datetime.now(UTC) + LATER).leftovers == (orphan,)


def age(made: Deployment, years: int) -> None:
    """Let all deliveries but the last of waste have come so many years ago."""
    for path in (made.home / "landing" / "receipts").glob("*.json"):
        facts = json.loads(path.read_text("utf-8"))
        if facts["file_name"] == "waste_collection_20250228.csv":
            continue
        received = datetime.fromisoformat(facts["received_at"]) - timedelta(days=366 * years)
        path.write_text(json.dumps({**facts, "received_at": received.isoformat(timespec="microseconds")}), "utf-8")


def test_deliveries_past_their_contract_go_and_a_final_month_is_restated_for_it(
    small: Deployment, tmp_path: Path
) -> None:
    made = small.copy(tmp_path)
    for kind in ("provisional", "final"):
        Periods(made.home / "periods").decide(date(2025, 1, 1), kind, "controller", date(2026, 7, 2))
    age(made, 11)
    kept = {name: text for name, text in files_of(made.home).items() if not name.startswith("dagster/")}
    text = made.keten("clean", "--dry-run")
    assert "3 go, 3 stay as they are in use" in text and "meter_reading_20250128.csv" in text
    assert "months that lose rows: 2025-01, 2025-02" in text and "restated by retention: 2025-01" in text
    now = {name: digest for name, digest in files_of(made.home).items() if not name.startswith("dagster/")}
    assert {n: d for n, d in now.items() if n in kept and n != "run.holder"} == {
        n: d for n, d in kept.items() if n != "run.holder"
    }, "a dry run changes nothing"
    made.keten("clean", "--yes")
    bytes_left = {path.read_bytes()[:5] for path in (made.home / "landing" / "bytes").iterdir()}
    assert bytes_left == {b"party", b"site_", b"meter", b"colle"}, "what describes what there is, is still in use"
    assert not made.rows("select 1 from bi.fact_indicator_month where component = 'energy_kwh' and amount > 0")
    states = dict(made.rows("select file_name, state from bi.rpt_delivery"))
    assert states["meter_reading_20250128.csv"] == "purged" and states["site_20250101.csv"] == "loaded"
    told = made.rows("select decided_by, reason from bi.publication_value_change where period_code = '2025-01' limit 1")
    assert told and told[0][0] == "retention" and "contract" in told[0][1]
    assert "0 go, 3 stay" in made.keten("clean", "--dry-run")


def test_nothing_is_destroyed_by_a_clock_that_is_years_ahead(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    place = Place(made.home, made.project)
    before = files_of(made.home / "landing")
    with instance(place) as dagster, pytest.raises(KetenError, match="set the clock right"):
        clean(place, load_catalogue(made.project), dagster, datetime.now(UTC) + timedelta(days=5000), SILENT)
    assert files_of(made.home / "landing") == before
    assert [path.name for path in (made.home / "dagster" / "history" / "runs").glob("*-*.db")], "nor records of runs"


def test_deliveries_stay_when_the_settings_say_so(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    age(made, 11)
    made.drop("keten.yml", (made.project / "keten.yml").read_text("utf-8") + "retention: {receipts: keep}\n")
    place = Place(made.home, made.project)
    with instance(place) as dagster:
        assert not find_old(place, load_catalogue(made.project), dagster, datetime.now(UTC)).deliveries.going


def test_the_weekly_job_tells_what_went(small: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small.copy(tmp_path)
    place = Place(made.home, made.project)
    with instance(place) as dagster:
        done = retention_job(place).execute_in_process(instance=dagster)
    told = next(e for e in done.all_node_events if e.event_type is dg.DagsterEventType.STEP_OUTPUT)
    assert told.step_output_data.metadata["runs"].value == 0
    build_definitions(place).get_repository_def().load_all_definitions()  # beside all other jobs
    (schedule,) = retention_schedule(load_catalogue(made.project).settings)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * 0", "Europe/Amsterdam")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_no_schedule_when_it_is_set_off(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.drop("keten.yml", (made.project / "keten.yml").read_text("utf-8") + "retention: {sunday: null}\n")
    assert not retention_schedule(load_catalogue(made.project).settings)


def test_runs_that_hang_and_more_than_one_at_a_time_are_seen_to_by_dagster(tmp_path: Path) -> None:
    with instance(Place(tmp_path / "home", tmp_path)) as dagster:
        assert dagster.run_monitoring_enabled
        assert dagster.run_monitoring_start_timeout_seconds == 300
        assert dagster.run_monitoring_max_runtime_seconds == 6 * 60 * 60
        queue = dagster.get_concurrency_config().run_queue_config
        assert queue is not None and queue.max_concurrent_runs == 1
