"""What is a fact: runs, daemons and schedules that failed, checks, reports, targets and deliveries, and when it is over."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from filelock import FileLock

from pipelines import run_facts
from pipelines.alert_sensor import alerts
from pipelines.fact_kinds import KINDS
from pipelines.facts import Found, failed_checks, find, late_targets, overdue_reports
from pipelines.instance import instance
from pipelines.running import PID
from pipelines.settings import Place
from resources.catalogue.reading import load_catalogue
from tests.deployment import Deployment

SECRET = "geheim-woord-17"
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("process", "is_locked", "status"),
    [
        (f"{2**22 + 1}@{socket.gethostname()}", True, dg.DagsterRunStatus.FAILURE),
        ("7@another", True, dg.DagsterRunStatus.STARTED),
        ("7@another", False, dg.DagsterRunStatus.FAILURE),
        ("", False, dg.DagsterRunStatus.STARTED),
    ],
    ids=["killed here", "elsewhere and at work", "elsewhere and gone", "not yet in a process"],
)
def test_a_run_whose_process_was_killed_is_told_failed(
    place: Place, process: str, is_locked: bool, status: dg.DagsterRunStatus
) -> None:
    @dg.job(name="refresh")
    def job() -> None:
        pass

    (sensor,) = alerts(place, load_catalogue(place.project))
    with instance(place) as dagster, ExitStack() as held:
        if is_locked:
            held.enter_context(FileLock(place.home / "run.lock").acquire())
        run = dagster.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags={PID: process})
        sensor(dg.build_sensor_context(dagster))
        assert dagster.get_run_by_id(run.run_id).status is status  # type: ignore[union-attr]
        told = [fact.what.en for fact in run_facts.failed_runs(dagster)]
    assert told == (["refresh: the process of this run was ended"] if status is dg.DagsterRunStatus.FAILURE else [])


def test_a_daemon_that_fell_silent_is_told_and_one_that_never_was_is_not(place: Place) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    now = datetime.now(UTC)
    with instance(place) as dagster:
        assert not list(run_facts.silent_daemon(dagster, now))
        dagster.add_daemon_heartbeat(DaemonHeartbeat(now.timestamp(), "SENSOR", None, None))
        assert not list(run_facts.silent_daemon(dagster, now + timedelta(minutes=5)))
        assert [fact.kind for fact in run_facts.silent_daemon(dagster, now + timedelta(hours=1))] == ["daemon_silent"]


def test_a_schedule_of_which_the_last_tick_failed_is_told_until_a_tick_succeeds(place: Place) -> None:
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.remote_origin import (
        InProcessCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.scheduler.instigation import (
        InstigatorState,
        InstigatorStatus,
        ScheduleInstigatorData,
        TickData,
        TickStatus,
    )
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
    from dagster._utils.error import SerializableErrorInfo

    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="pipelines.definitions"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), "daily")
    state = InstigatorState(
        origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, ScheduleInstigatorData("30 5 * * *")
    )
    error = SerializableErrorInfo(
        "resources.errors.KetenError: sources.yml is not valid YAML (line 3)\n", [], "KetenError"
    )

    def tick(status: TickStatus, seconds: float) -> TickData:
        told = error if status is TickStatus.FAILURE else None
        facts = (state.instigator_origin_id, "daily", InstigatorType.SCHEDULE, status, seconds)
        return TickData(*facts, error=told, selector_id=state.selector_id)

    with instance(place) as dagster:
        dagster.add_instigator_state(state)
        dagster.create_tick(tick(TickStatus.FAILURE, 1.0))
        assert not list(run_facts.failed_ticks(dagster, {"another"})), "a schedule that is no more is no fact"
        (fact,) = run_facts.failed_ticks(dagster, {"daily"})
        assert fact.what.en == "daily: sources.yml is not valid YAML"
        dagster.create_tick(tick(TickStatus.SKIPPED, 2.0))
        assert not list(run_facts.failed_ticks(dagster, {"daily"}))


def publish(place: Place, *tables: str) -> None:
    """A published file with just the tables that a test looks at."""
    place.published.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{place.published}' as made; create schema made.bi")
        for table in tables:
            connection.execute(f"create table made.bi.{table}")


PUBLISHED = (
    "publication as select 1::bigint as publication_id, timestamp '2026-01-02' as published_at"
    " union all select 2, timestamp '2026-01-03'"
)


def test_checks_that_do_not_pass_are_told_but_for_what_only_informs_or_holds_a_delivery(place: Place) -> None:
    rows = [
        ("core.site", "a", "critical", "failed", ""),
        ("bi.dim_site", "b", "warning", "not_checked", ""),
        ("core.site", "c", "info", "failed", ""),
        ("core.site", "d", "critical", "failed", "us__site-1"),
        ("core.site", "e", "critical", "passed", ""),
    ]
    values = ", ".join(
        f"('{t}', '{c}', '{s}', '{o}', '{r}', 'Jansen', 'zegt {c}', 'says {c}', 2)" for t, c, s, o, r in rows
    )
    names = "table_name, check_id, severity, outcome, receipt_id, observed, nl, en, publication_id"
    publish(place, PUBLISHED, f"rpt_check as select * from (values {values}) v({names})")
    facts = list(failed_checks(place.published, load_catalogue(place.project)))
    assert [(f.kind, f.what.en) for f in facts] == [
        ("check_failed", "Sites (core.site): says a"),
        ("check_warned", "Sites (bi.dim_site): says b (could not be checked)"),
    ]
    assert facts[0].what.nl == "Locaties (core.site): zegt a" and facts[0].since == datetime(2026, 1, 3)


def test_a_report_that_is_overdue_is_told_by_contract_and_month(place: Place) -> None:
    due = "date '2026-03-01' as month, date '2026-04-10' as due_on, 1 as contract_key, 7 as contractor_key"
    publish(
        place,
        f"rpt_report_due as select {due}, 'overdue' as report_state_code union all select {due}, 'late'",
        "dim_contract as select 1 as contract_key, 'K1' as contract_id, 'Schoonmaak' as contract_name",
        "dim_party as select 7 as party_key, 'Helder BV' as party_name",
    )
    (fact,) = overdue_reports(place.published)
    assert fact.key == "report_overdue:K1|2026-03" and fact.since == datetime(2026, 4, 10)
    assert fact.what.nl == "Helder BV, Schoonmaak: mrt\u00a02026, uiterlijk 10-04-2026"
    assert fact.what.en == "Helder BV, Schoonmaak: Mar\u00a02026, due 10 Apr 2026"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("{kind: parquet}", "parquet: shows publication 0, the file 2"),
        ("{kind: postgresql, url: '${env:KETEN_TEST_URL}', connect_seconds: 1}", "postgresql: "),
    ],
)
def test_a_target_that_shows_an_older_publication_or_does_not_answer_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, setting: str, told: str
) -> None:
    monkeypatch.setenv("KETEN_TEST_URL", f"postgresql+psycopg://anna:{SECRET}@127.0.0.1:1/x")
    publish(place, PUBLISHED)
    path = place.project / "keten.yml"
    path.write_text(f"{path.read_text('utf-8')}targets: [{setting}]\n", "utf-8")
    (fact,) = late_targets(place, load_catalogue(place.project))
    assert fact.what.en.startswith(told) and SECRET not in fact.what.en


def unlock(made: Deployment) -> None:
    """Let the deployment report on months that go on, so that something may be overdue."""
    text = (made.project / "keten.yml").read_text("utf-8")
    made.drop("keten.yml", text.replace("to: 2025-02", "").replace("to: '2025-02'", ""))


@pytest.fixture(scope="module")
def troubled(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Found]:
    """A deployment in which a file is rejected, one refused, one held, and a source is down; and its facts."""
    made = small.copy(tmp_path_factory.mktemp("troubled"))
    made.drop("data/waste_collection_20250301.csv", "collector;site\nW,S,Jansen\n")
    made.drop("data/meter_20250301.csv", "meter_id,site_id,bsn\nE,S,123456782\n")
    made.drop(
        "data/meter_reading_20250301.csv",
        "meter,day,kwh\n" + "\n".join(f"E,2025-01-{day:02d},{10**6 - 1}" for day in range(1, 32)) + "\n",
    )
    made.drop(
        "sources.yml", (made.project / "sources.yml").read_text("utf-8").replace("path: data", "path: parties", 1)
    )
    (made.project / "parties").mkdir()
    (made.project / "data" / "party_20250101.csv").rename(made.project / "parties" / "party_20250101.csv")
    (made.project / "parties").rename(made.project / "gone")
    made.keten("run")
    place = Place(made.home, made.project)
    with instance(place) as dagster:
        return made, find(place, load_catalogue(made.project), dagster, ())


def test_what_came_of_the_deliveries_is_told_in_both_languages_without_a_row(
    troubled: tuple[Deployment, Found],
) -> None:
    _, found = troubled
    assert not found.unseen
    by_kind = {fact.kind: fact for fact in found.facts}
    assert {"delivery_rejected", "file_refused", "source_failed"} <= set(by_kind)
    assert "waste_collection_20250301.csv" in by_kind["delivery_rejected"].what.en
    assert "bsn" in by_kind["file_refused"].what.nl
    for fact in found.facts:
        assert fact.what.nl and fact.what.en
        assert not any(text in part for text in ("Jansen", "123456782") for part in fact.what), fact


def test_a_source_that_is_down_delays_only_itself(troubled: tuple[Deployment, Found]) -> None:
    made, _ = troubled
    assert made.states()["waste_collection_20250301.csv"] == "rejected", "the other sources were taken in that run"
    assert made.states()["party_20250101.csv"] == "loaded", "what it brought before still counts"


def test_a_source_that_is_back_is_taken_and_no_fact_any_more(
    troubled: tuple[Deployment, Found], tmp_path: Path
) -> None:
    made = troubled[0].copy(tmp_path)
    (made.project / "gone").rename(made.project / "parties")
    rows = "C,Client,client\nW,Collector,contractor\nV,Other,contractor\nN,New,contractor\n"
    made.drop("parties/party_20250301.csv", f"party_id,party_name,role_code\n{rows}")
    made.keten("run")
    assert made.states()["party_20250301.csv"] == "loaded"
    assert not made.landing.failures()


def test_a_sender_that_is_silent_for_longer_than_agreed_is_told(
    small: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = small.copy(tmp_path)
    unlock(made)
    place = Place(made.home, made.project)
    now = datetime.now(UTC).date()
    with instance(place) as dagster:
        for days, silent in ((1, set()), (20, {"us/meter_reading"}), (60, {"us/meter_reading", "us/waste_collection"})):
            monkeypatch.setenv("KETEN_AS_OF", f"{now + timedelta(days=days)}")
            found = find(place, load_catalogue(place.project), dagster, ())
            assert {fact.about for fact in found.facts if fact.kind == "dataset_overdue"} == silent
        text = (made.project / "sources.yml").read_text("utf-8")
        made.drop("sources.yml", text.replace("dataset: meter_reading", "dataset: meter_reading\n  update: yearly"))
        found = find(place, load_catalogue(place.project), dagster, ())
        assert {fact.about for fact in found.facts if fact.kind == "dataset_overdue"} == {"us/waste_collection"}


def test_every_kind_is_explained_for_the_operator() -> None:
    page = " ".join((ROOT / "docs" / "alerts.md").read_text("utf-8").split())
    for kind, known in KINDS.items():
        for text in (f"`{kind}`", known.title.en, known.title.nl, known.means.en, known.repair.en, known.severity):
            assert text in page, f"docs/alerts.md: {kind}: does not say '{text}'"


def test_every_kind_speaks_both_languages() -> None:
    for known in KINDS.values():
        for words in (known.title, known.means, known.repair):
            assert words.nl and words.en and words.nl != words.en
