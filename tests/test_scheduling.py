"""What starts a run by itself, and what does not: the schedule of every day, the drop folders, months from the interface."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test, create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._utils.schedules import schedule_execution_time_iterator

from assets.graph import LEDGER_MONTHS
from pipelines.definitions import JOB, build_definitions
from pipelines.drop_folder import drop_folder
from pipelines.instance import instance
from pipelines.news import BECAUSE
from pipelines.running import PID
from pipelines.schedules import daily
from pipelines.settings import Place
from resources import landing
from resources.catalogue.deployment_models import Schedule, Settings
from resources.errors import KetenError
from tests.deployment import AS_OF, READINGS, Deployment, tiny

NEW = "data/meter_reading_20250301.csv"
CORRECTION = f"{READINGS}\nE,2025-01-05,99\n"
SETTINGS = Settings.model_validate({"organisation": "Tiny", "reporting": {"from": "2025-01", "to": "2025-03"}})
LOCATION = InProcessCodeLocationOrigin(
    LoadableTargetOrigin(module_name="pipelines.definitions", executable_path=sys.executable),
    location_name="ketenimpact",
)
NO_FILES = "Geen nieuwe bestanden / No new files"
GONE = 2**22 + 1  # above the highest id a process can have


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A deployment of three months after its first run, at the place where it ran."""
    made = tiny(tmp_path_factory.mktemp("scheduling"))
    made.declare(
        "keten.yml",
        {"organisation": "Tiny", "zone": "Europe/Amsterdam", "reporting": {"from": "2025-01", "to": "2025-03"}},
    )
    made.keten("run")
    return made


@pytest.fixture
def made(published: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """The same deployment; what a test changes in its project, or takes from its home, is undone."""
    monkeypatch.setenv("KETEN_AS_OF", AS_OF)
    before = {path: path.read_bytes() for path in published.project.rglob("*") if path.is_file()}
    yield published
    for path in [path for path in published.project.rglob("*") if path.is_file()]:
        if path not in before:
            path.unlink()
        elif path.read_bytes() != before[path]:
            path.write_bytes(before[path])


@pytest.fixture
def dagster(made: Deployment) -> Iterator[dg.DagsterInstance]:
    with instance(place_of(made)) as opened:
        yield opened
        for run in opened.get_runs(dg.RunsFilter(tags={"test": "yes"})):
            opened.delete_run(run.run_id)


def place_of(made: Deployment) -> Place:
    return Place(made.home, made.project)


@dataclass(frozen=True)
class Tick:
    """What one look led to: the key of the run it asks for, if any, and why or why not."""

    run_key: str | None
    asks: bool
    told: str


def look(made: Deployment, dagster: dg.DagsterInstance, cursor: str | None = None) -> Tick:
    """One tick of the drop folder."""
    (sensor,) = drop_folder(place_of(made), SETTINGS, JOB)
    found = sensor.evaluate_tick(dg.build_sensor_context(instance=dagster, cursor=cursor))
    assert not found.run_requests or found.cursor == found.run_requests[0].run_key
    return tick(found.run_requests, found.skip_message)


def now() -> datetime:
    return datetime.now(ZoneInfo(SETTINGS.zone))


def morning(made: Deployment, dagster: dg.DagsterInstance, due: datetime | None = None) -> Tick:
    """One tick of the day, which was due at a moment."""
    (schedule,) = daily(place_of(made), SETTINGS, JOB)
    context = dg.build_schedule_context(instance=dagster, scheduled_execution_time=due or now())
    found = schedule.evaluate_tick(context)
    return tick(found.run_requests, found.skip_message)


def tick(requests: Sequence[dg.RunRequest] | None, skipped: str | None) -> Tick:
    if not requests:
        return Tick(None, False, str(skipped))
    (request,) = requests
    return Tick(request.run_key, True, request.tags[BECAUSE])


def add_run(dagster: dg.DagsterInstance, status: dg.DagsterRunStatus, pid: int | None = None) -> str:
    """A run of the job in Dagster's records, with nobody at work on it."""
    tags = {"test": "yes", **({PID: str(pid)} if pid else {})}
    origin = RemoteRepositoryOrigin(LOCATION, "__repository__").get_job_origin(JOB)
    return create_run_for_test(dagster, JOB, status=status, tags=tags, remote_job_origin=origin).run_id


def test_no_new_file_starts_no_run(made: Deployment, dagster: dg.DagsterInstance) -> None:
    assert look(made, dagster).told == NO_FILES


def test_a_file_that_is_still_written_is_waited_for(made: Deployment, dagster: dg.DagsterInstance) -> None:
    made.drop(NEW, CORRECTION)
    os.utime(made.project / NEW)
    assert "Waiting for 1\N{NO-BREAK SPACE}file: changed less than 30 s ago" in look(made, dagster).told


def test_a_batch_of_files_is_asked_for_once(made: Deployment, dagster: dg.DagsterInstance) -> None:
    made.drop(NEW, CORRECTION)
    made.drop("data/waste_collection_20250301.csv", "collector,site,day,stream,kg\nW,S,2025-02-03,rest,60\n")
    first = look(made, dagster)
    assert first.told.endswith("new files: meter_reading_20250301.csv, waste_collection_20250301.csv")
    again = look(made, dagster, first.run_key)
    assert not again.asks and "A run was asked for already and could not take this" in again.told
    made.drop("data/meter_reading_20250302.csv", CORRECTION)
    assert look(made, dagster, first.run_key).run_key not in (None, first.run_key)


@pytest.mark.parametrize(
    ("status", "pid", "blocks"),
    [
        (dg.DagsterRunStatus.QUEUED, None, True),
        (dg.DagsterRunStatus.STARTED, None, True),
        (dg.DagsterRunStatus.STARTED, os.getppid(), True),
        (dg.DagsterRunStatus.STARTED, GONE, False),
        (dg.DagsterRunStatus.FAILURE, None, False),
    ],
)
def test_no_run_is_asked_for_while_another_is_queued_or_running(
    made: Deployment, dagster: dg.DagsterInstance, status: dg.DagsterRunStatus, pid: int | None, blocks: bool
) -> None:
    made.drop(NEW, CORRECTION)
    run_id = add_run(dagster, status, pid)
    found = look(made, dagster)
    assert found.asks != blocks
    assert (f"for the end of run {run_id}" in found.told) == blocks


@pytest.mark.parametrize(
    ("path", "damage", "words"),
    [
        ("sources.yml", lambda text: text + "  - [", "sources.yml is not valid YAML"),
        (
            "sources.yml",
            lambda text: text.replace("path: data", "path: elsewhere", 1),
            "elsewhere of us/party does not",
        ),
        ("mappings/us__site.yml", lambda text: text.replace("site_name:", "site_nam:"), "did you mean 'site_name'?"),
    ],
)
def test_what_is_wrong_with_the_declarations_is_the_error_of_one_tick(
    made: Deployment, dagster: dg.DagsterInstance, path: str, damage, words: str
) -> None:
    before = (made.project / path).read_text("utf-8")
    made.drop(path, damage(before))
    with pytest.raises(KetenError, match=words.replace("?", r"\?")):
        look(made, dagster)
    made.drop(path, before)
    assert look(made, dagster).told == NO_FILES


def test_a_source_that_is_down_does_not_hold_up_the_others(made: Deployment, dagster: dg.DagsterInstance) -> None:
    text = (made.project / "sources.yml").read_text("utf-8")
    made.drop("sources.yml", text.replace("path: data", "path: elsewhere", 1))
    made.drop(NEW, CORRECTION)
    assert look(made, dagster).told.endswith("new files: meter_reading_20250301.csv")


def test_ten_thousand_files_are_not_opened(
    made: Deployment, dagster: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    past = time.time() - 3600
    for number in range(10_000):
        path = folder / f"meter_reading_2025{number}.csv"
        path.touch()
        if number % 2:
            os.utime(path, (past, past))
    monkeypatch.setattr(landing, "sha256_of", lambda path: pytest.fail(f"{path} is read"))
    text = (made.project / "sources.yml").read_text("utf-8")
    made.drop("sources.yml", text + f"- {{dataset: meter_reading, origin: us, path: {json.dumps(str(folder))}}}\n")
    assert "(+ 4995)" in look(made, dagster).told


def test_the_run_of_the_day_is_skipped_when_nothing_is_new(made: Deployment, dagster: dg.DagsterInstance) -> None:
    found = morning(made, dagster)
    assert not found.asks and found.told.startswith("Niets nieuws sinds publicatie 1 van ")
    assert " / Nothing new since publication 1 of " in found.told


def test_the_run_of_the_day_tells_why(made: Deployment, dagster: dg.DagsterInstance, monkeypatch) -> None:
    made.drop(NEW, CORRECTION)
    assert morning(made, dagster).told.endswith("/ new files: meter_reading_20250301.csv")
    (made.project / NEW).unlink()
    monkeypatch.setenv("KETEN_AS_OF", "2026-07-03")
    found = morning(made, dagster)
    assert found.asks and "the state of a month or the reference date changed" in found.told


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("engine.duckdb", "the engine is to be made again"),
        ("published/index.html", "the page is of another publication"),
        ("published/bi.duckdb", "nothing is published yet"),
    ],
)
def test_what_is_lost_is_a_reason_to_run(
    made: Deployment, dagster: dg.DagsterInstance, tmp_path: Path, lost: str, words: str
) -> None:
    (made.home / lost).rename(tmp_path / "put away")
    try:
        found = morning(made, dagster)
        assert found.asks and words in found.told
    finally:
        (tmp_path / "put away").rename(made.home / lost)


@pytest.mark.parametrize(
    ("status", "since", "takes_all"),
    [
        (dg.DagsterRunStatus.QUEUED, timedelta(hours=1), True),
        (dg.DagsterRunStatus.STARTED, timedelta(hours=1), False),
        (dg.DagsterRunStatus.STARTED, timedelta(), True),
        (dg.DagsterRunStatus.FAILURE, timedelta(), False),
    ],
)
def test_a_run_that_takes_all_stands_in_for_the_run_of_the_day(
    made: Deployment, dagster: dg.DagsterInstance, status: dg.DagsterRunStatus, since: timedelta, takes_all: bool
) -> None:
    due = now() + since
    run_id = add_run(dagster, status)
    made.drop(NEW, CORRECTION)
    found = morning(made, dagster, due)
    assert found.asks != takes_all
    assert (f"Run {run_id} takes everything along already" in found.told) == takes_all


@pytest.mark.parametrize("ask", [look, morning])
def test_looking_does_not_open_the_engine(made: Deployment, dagster: dg.DagsterInstance, ask) -> None:
    made.drop(NEW, CORRECTION)
    engine = made.home / "engine.duckdb"
    before = engine.read_bytes()
    engine.write_bytes(b"no database at all")
    try:
        ask(made, dagster)
        assert engine.read_bytes() == b"no database at all"
    finally:
        engine.write_bytes(before)


@pytest.mark.parametrize(
    ("at", "day", "comes"),
    [
        ("05:30", "2026-03-29", "2026-03-29T05:30:00+02:00"),
        ("05:30", "2026-10-25", "2026-10-25T05:30:00+01:00"),
        ("02:30", "2026-03-29", "2026-03-29T03:00:00+02:00"),
        ("02:30", "2026-10-25", "2026-10-25T02:30:00+01:00"),
    ],
)
def test_the_run_of_the_day_comes_once_on_the_days_that_clocks_change(at: str, day: str, comes: str) -> None:
    settings = SETTINGS.model_copy(update={"schedule": Schedule(daily=at)})
    (schedule,) = daily(Place(Path(), Path()), settings, JOB)
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
    times = schedule_execution_time_iterator(
        start.timestamp(), schedule.cron_schedule, schedule.execution_timezone or "", ascending=True
    )
    first, second = next(times), next(times)
    assert first.isoformat() == comes
    assert second.isoformat()[:16] == f"{start + timedelta(days=1):%Y-%m-%d}T{at}"


def test_without_times_in_keten_yml_nothing_starts_by_itself(made: Deployment) -> None:
    assert Schedule.model_validate({"daily": 930}).daily == "15:30", "YAML reads 15:30 as so many minutes"
    settings = SETTINGS.model_copy(update={"schedule": Schedule(daily=None, drop_folder_seconds=None)})
    assert daily(place_of(made), settings, JOB) == drop_folder(place_of(made), settings, JOB) == []


def test_a_run_of_the_daemon_waits_for_another_and_names_it(published: Deployment, tmp_path: Path) -> None:
    made = published.copy(tmp_path)
    code = textwrap.dedent(f"""
        from pathlib import Path
        from pipelines.lock import run_lock
        with run_lock(Path({str(made.home)!r}), print):
            print("held", flush=True)
            input()
    """)
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    job = build_definitions(place_of(made)).resolve_job_def(JOB)
    with instance(place_of(made)) as dagster, ThreadPoolExecutor(1) as thread:
        running = thread.submit(
            job.execute_in_process, instance=dagster, asset_selection=[dg.AssetKey(["landing", "party"])]
        )
        try:
            while not (told := _log(dagster, "waiting for another run")):
                assert not running.done()
                time.sleep(0.05)
        finally:
            holder.communicate("\n")
        assert running.result().success
    assert f"waiting for another run: process {holder.pid} on " in told


def _log(dagster: dg.DagsterInstance, words: str) -> str:
    """The first line of Dagster's log of its latest run that holds some words."""
    run = next(iter(dagster.get_runs(limit=1)), None)
    lines = [line.user_message for line in dagster.all_logs(run.run_id)] if run else []
    return next((line for line in lines if words in line), "")


# The launcher of Dagster's own tests starts a run in the process that asks for it, and waits for its end.
AT_ONCE = """
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
run_launcher: {module: dagster._core.launcher.sync_in_memory_run_launcher, class: SyncInMemoryRunLauncher}
"""


def test_the_daemon_takes_a_dropped_file_and_months_from_the_interface(
    published: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Last of this module, as the deployment is another after it."""
    for name, value in (("HOME", published.home), ("PROJECT", published.project), ("AS_OF", AS_OF)):
        monkeypatch.setenv(f"KETEN_{name}", str(value))
    config = published.home / "dagster" / "dagster.yaml"
    config.write_text(config.read_text("utf-8").split("\n", 1)[1] + AT_ONCE, "utf-8")
    logger = logging.getLogger("daemon")
    with (
        instance(place_of(published)) as dagster,
        create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget(LOCATION), dagster) as workspace,
    ):
        published.drop(NEW, CORRECTION)
        for minute in range(3):
            with freeze_time(datetime.now(UTC) + timedelta(minutes=minute)):
                list(execute_sensor_iteration(workspace, logger, None, None))
        assert [run.tags["dagster/sensor_name"] for run in dagster.get_runs(limit=1)] == ["drop_folder"]
        assert published.rows("select count(*) from bi.publication") == [(2,)], "one run for one batch"
        assert computed(dagster) == {"2025-01": 2, "2025-02": 1, "2025-03": 1}

        published.drop("data/meter_reading_20250302.csv", CORRECTION)  # the same bytes: a run finds nothing in it
        assert "new files: meter_reading_20250302.csv" in morning(published, dagster).told
        months = [f"2025-0{number}" for number in (1, 2, 3)]
        backfill = PartitionBackfill.from_asset_partitions(
            backfill_id="months",
            asset_graph=workspace.create_request_context().asset_graph,
            partition_names=months,
            asset_selection=[LEDGER_MONTHS],
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=dagster,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
        dagster.add_backfill(backfill)
        before = dagster.get_runs_count(dg.RunsFilter(job_name=JOB))
        for _ in range(2):
            list(execute_backfill_iteration(workspace, logger))
        state = dagster.get_backfill("months")
        assert state is not None and state.status is BulkActionStatus.COMPLETED_SUCCESS
        assert dagster.get_runs_count(dg.RunsFilter(job_name=JOB)) == before + 1
        (run,) = dagster.get_runs(dg.RunsFilter(job_name=JOB), limit=1)
        assert run.is_success
        assert months_of(run) == months
        assert published.rows("select count(*) from bi.publication") == [(2,)]
        assert "Nothing new since publication 2" in morning(published, dagster).told, "what was looked at is not new"


def months_of(run: dg.DagsterRun) -> list[str]:
    config: dict[str, Any] = dict(run.run_config)
    return config["resources"]["session"]["config"]["months"]


def computed(dagster: dg.DagsterInstance) -> dict[str, int]:
    """How often each month is told to be computed."""
    return Counter(
        str(record.partition_key) for record in dagster.fetch_materializations(LEDGER_MONTHS, limit=50).records
    )
