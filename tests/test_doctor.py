"""`keten doctor` on broken deployments: each fault is told with its repair, and does not hide the others."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from pipelines.doctor import automation, settings, state
from pipelines.doctor.examining import Check, Finding, Patient, examine, examined
from pipelines.instance import instance
from pipelines.settings import Place
from tests.deployment import Deployment

SECRET = "geheim-woord-17"


@dataclass
class Case:
    """A deployment that a test breaks; what stays open as long as the test lasts is entered into `held`."""

    made: Deployment
    monkeypatch: pytest.MonkeyPatch
    held: ExitStack

    @property
    def place(self) -> Place:
        return Place(self.made.home, self.made.project)

    def add(self, text: str, path: str = "keten.yml") -> None:
        """Add a line to a file of the project."""
        self.made.drop(path, (self.made.project / path).read_text("utf-8") + text)


@pytest.fixture
def case(small: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with ExitStack() as held:
        yield Case(small.copy(tmp_path), monkeypatch, held)


def no_settings(case: Case) -> None:
    (case.made.project / "keten.yml").unlink()


def no_yaml(case: Case) -> None:
    case.add("a: [")


def no_variable(case: Case) -> None:
    case.add("alerts: {to: [{url: '${env:KETEN_TEST_URL}'}]}\n")


def no_source(case: Case) -> None:
    (case.made.project / "data").rename(case.made.project / "gone")


def other_versions(case: Case) -> None:
    (case.made.folder / "requirements.lock").write_text(
        "duckdb==0.1 \\\n    --hash=sha256:0\nnot-installed==1\n", "utf-8"
    )
    case.monkeypatch.setattr(settings, "ROOT", case.made.folder)


def today_is_set(case: Case) -> None:
    case.monkeypatch.setenv("KETEN_AS_OF", "2026-01-01")


def clock_put_back(case: Case) -> None:
    receipt = next((case.made.home / "landing" / "receipts").glob("*.json"))
    os.utime(receipt, (time.time() + 3600, time.time() + 3600))


def no_folder(case: Case) -> None:
    shutil.rmtree(case.made.home / "landing")
    (case.made.home / "landing").write_text("", "utf-8")


def full_disk(case: Case) -> None:
    used = shutil.disk_usage(case.made.home)
    case.monkeypatch.setattr(shutil, "disk_usage", lambda _: used._replace(free=10**6))


def other_run(case: Case) -> None:
    case.held.enter_context(FileLock(case.made.home / "run.lock").acquire())
    (case.made.home / "run.holder").write_text("process 7 on server since yesterday", "utf-8")


def damaged_engine(case: Case) -> None:
    (case.made.home / "engine.duckdb").write_bytes(b"x" * 10_000)


def damaged_publication(case: Case) -> None:
    case.made.published.unlink()
    case.made.published.write_bytes(b"x" * 10_000)


def no_page(case: Case) -> None:
    (case.made.home / "published" / "index.html").unlink()


def target_down(case: Case) -> None:
    case.monkeypatch.setenv("KETEN_TEST_URL", f"postgresql+psycopg://anna:{SECRET}@127.0.0.1:1/x")
    case.add("targets: [{kind: postgresql, url: '${env:KETEN_TEST_URL}', connect_seconds: 1}]\n")


def target_behind(case: Case) -> None:
    case.add("targets: [{kind: parquet}]\n")


def killed_run(case: Case) -> None:
    (case.made.home / "engine.tmp").mkdir()


def put_away(case: Case) -> None:
    (case.made.home / "engine.damaged").write_text("", "utf-8")


def silent_daemon(case: Case) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    with instance(case.place) as dagster:
        long_ago = datetime.now(UTC) - timedelta(days=1)
        dagster.add_daemon_heartbeat(DaemonHeartbeat(long_ago.timestamp(), "SENSOR", None, None))


def damaged_records(case: Case) -> None:
    (case.made.home / "dagster" / "history" / "runs.db").write_bytes(b"x" * 10_000)


def channel_down(case: Case) -> None:
    case.add("alerts: {to: [{url: '${env:KETEN_TEST_URL}'}]}\n")
    told = {"${env:KETEN_TEST_URL}": {"facts": {}, "failed": "no answer", "failed_since": "2026-01-01T00:00:00"}}
    (case.made.home / "alerts").mkdir()
    (case.made.home / "alerts" / "told.json").write_text(json.dumps(told), "utf-8")


def nothing(case: Case) -> None:
    """Leave the deployment as it is."""


BROKEN: list[tuple[Callable[[Case], None], Check, str, str, str]] = [
    (no_settings, settings.settings, "fault", "holds no keten.yml", "set KETEN_PROJECT"),
    (no_yaml, settings.settings, "fault", "keten.yml is not valid YAML", "correct that file"),
    (
        no_variable,
        settings.environment,
        "fault",
        "KETEN_TEST_URL is named in the settings and not set",
        "set it for the",
    ),
    (no_source, settings.sources, "fault", "data of us/party does not exist", "the other sources go on"),
    (other_versions, settings.versions, "warning", "installed and not as locked: duckdb 1", "make install"),
    (today_is_set, settings.clock, "warning", "KETEN_AS_OF is set to 2026-01-01", "unset KETEN_AS_OF"),
    (clock_put_back, settings.clock, "fault", "the clock was put back", "set the clock right"),
    (no_folder, state.folders, "fault", "landing cannot be written", "the right to write"),
    (full_disk, state.disk, "fault", "0 MB free; a run may need 5", "keten clean --dry-run"),
    (other_run, state.lock, "ok", "held by process 7 on server", ""),
    (other_run, state.engine, "ok", "a run has it open", ""),
    (damaged_engine, state.engine, "fault", "engine.duckdb cannot be read", "keten rebuild"),
    (damaged_publication, state.published, "fault", "bi.duckdb", "put back the file of your backup"),
    (no_page, state.published, "warning", "index.html is not of this publication", "keten run"),
    (target_down, state.targets, "fault", "postgresql: ", "catches up at the next run"),
    (target_behind, state.targets, "warning", "publication None, the file 1", "keten run"),
    (killed_run, state.leftovers, "warning", "engine.tmp", "runs remove what is in their way"),
    (put_away, state.leftovers, "warning", "engine.damaged was put away as damaged", "then delete it"),
    (nothing, automation.daemon, "warning", "was never heard", "dagster-daemon run"),
    (silent_daemon, automation.daemon, "fault", "was last heard at", "dagster-daemon run"),
    (damaged_records, automation.daemon, "fault", "could not be examined", "mend this"),
    (nothing, automation.alerts, "warning", "nobody is told", "docs/alerts.md"),
    (channel_down, automation.alerts, "fault", "no answer (since 2026-01-01T00:00 UTC)", "keten alerts --test"),
]


@pytest.mark.parametrize(
    ("damage", "check", "of_state", "told", "repair"), BROKEN, ids=[f"{b[0].__name__}-{b[1].__name__}" for b in BROKEN]
)
def test_what_is_broken_is_told_with_its_repair(
    case: Case, damage: Callable[[Case], None], check: Check, of_state: str, told: str, repair: str
) -> None:
    damage(case)
    found = examined(check, Patient(case.place))
    assert [f for f in found if f.state == of_state and told in f.told and repair in f.repair], found
    assert all(f.repair for f in found if f.state != "ok"), found
    assert SECRET not in str(found)


def test_a_deployment_without_settings_is_examined_to_the_end(case: Case) -> None:
    no_settings(case)
    damaged_engine(case)
    found = examine(case.place)
    states = {finding.check: finding.state for finding in found}
    assert states["settings"] == states["engine"] == "fault" and states["published"] == "ok"
    assert Finding("sources", "warning", "not examined: the settings cannot be read") in [
        Finding(f.check, f.state, f.told) for f in found
    ]


def test_looking_at_nothing_makes_nothing(tmp_path: Path) -> None:
    found = examine(Place(tmp_path / "home", tmp_path / "project"))
    assert {f.check for f in found} >= {"settings", "folders", "daemon"}
    assert not list(tmp_path.iterdir())


def test_the_command_ends_with_one_for_a_fault_and_tells_programs_too(case: Case) -> None:
    healthy = json.loads(case.made.keten("doctor", "--json"))
    assert {finding["state"] for finding in healthy} == {"ok", "warning"}
    assert "alerts, daily, drop_folder, month_close, retention" in str(healthy), "what is on"
    damaged_engine(case)
    told = case.made.keten("doctor", code=1)
    assert "fault engine" in told and "-> `keten rebuild`" in told


def test_every_check_is_in_the_docs(case: Case) -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "doctor-and-retention.md").read_text("utf-8")
    assert all(f"| `{finding.check}` |" in page for finding in examine(case.place))
