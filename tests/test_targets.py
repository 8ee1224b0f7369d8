"""Targets in a run: each follows by itself, and what could not follow is told and catches up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from pipelines.definitions import build_definitions
from pipelines.instance import instance
from pipelines.settings import Place
from resources.targets.parquet import ParquetTarget
from tests.deployment import AS_OF, READINGS, Deployment
from tests.postgres_server import PASSWORD, PostgresServer

URL = "KETEN_TEST_WAREHOUSE_URL"
TARGETS = [{"kind": "postgresql", "name": "warehouse", "url": f"${{env:{URL}}}"}, {"kind": "parquet"}]


def declare(made: Deployment, targets: list[dict[str, str]]) -> None:
    """Give a deployment targets."""
    settings = yaml.safe_load((made.project / "keten.yml").read_text("utf-8"))
    made.declare("keten.yml", {**settings, "targets": targets})


class Followed:
    """A deployment with a warehouse and a folder of Parquet files that follow it."""

    def __init__(self, made: Deployment, server: PostgresServer, url: str) -> None:
        self.deployment, self.server, self.url = made, server, url

    def keten(self, *arguments: str, code: int = 0, url: str = "") -> str:
        return self.deployment.keten(*arguments, env={URL: url or self.url}, code=code)

    def drop(self, day: int) -> None:
        """A new reading."""
        self.deployment.drop(f"data/meter_reading_202503{day:02d}.csv", f"{READINGS}\nE,2025-01-{day:02d},99\n")

    def numbers(self) -> tuple[Any, ...]:
        """What file, warehouse and folder show."""
        (file,) = self.deployment.rows("select max(publication_id) from bi.publication")[0]
        with self.server.connect(database=self.url.rpartition("/")[2]) as pg:
            shown = pg.execute("select distinct publication_id from bi.rpt_indicator_value").fetchall()
        folder = ParquetTarget("parquet", self.deployment.home / "published" / "parquet").applied()
        return file, *(number for (number,) in shown), folder

    def last_steps(self) -> set[str]:
        """The assets that the last run made."""
        with instance(Place(self.deployment.home, self.deployment.project)) as dagster:
            (run,) = dagster.get_runs(limit=1)
            events = dagster.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return {
            e.dagster_event.asset_key.to_user_string() for e in events if e.dagster_event and e.dagster_event.asset_key
        }


@pytest.fixture(scope="module")
def followed(
    small: Deployment, tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Followed]:
    """The tiny deployment, at first followed by both; each test leaves it so."""
    made = Followed(small.copy(tmp_path_factory.mktemp("followed")), postgres, postgres.new_database("followed"))
    declare(made.deployment, TARGETS)
    told = made.keten("run")
    assert (
        f"Target warehouse: publication 1, postgresql+psycopg://postgres:***@127.0.0.1:{postgres.port}/followed" in told
    )
    assert "Target parquet: publication 1, " in told
    yield made


def test_a_target_that_is_down_holds_up_nothing_and_catches_up_by_itself(followed: Followed) -> None:
    before, *_ = followed.numbers()
    assert followed.numbers() == (before, before, before)
    followed.server.stop()
    try:
        followed.drop(5)
        told = followed.keten("run", code=2)
        assert told.startswith(
            "keten: the results are published, but target warehouse (postgresql+psycopg://postgres:***@"
        )
        assert "could not be reached: connection failed" in told
        assert told.endswith("it catches up by itself at the next run")
        assert followed.last_steps() >= {"publication/duckdb", "publication/page", "publication/parquet"}
        page = (followed.deployment.home / "published" / "index.html").read_text("utf-8")
        assert f'content="{before + 1}"' in page
        assert "could not be reached" in followed.keten("run", code=2), "told until it is there again"
    finally:
        followed.server.start()
    assert followed.numbers() == (before + 1, before, before + 1)
    followed.keten("run")
    assert followed.last_steps() == {"publication/warehouse"}
    assert followed.numbers() == (before + 1, before + 1, before + 1)
    assert "no run was started" in followed.keten("run")


def test_a_target_that_is_ahead_is_refused_until_it_is_adopted(followed: Followed) -> None:
    before, *_ = followed.numbers()
    with followed.server.connect(database="followed") as pg:
        pg.execute("update bi_store.keten_shown set publication_id = 77")
    told = followed.keten("run", code=2)
    assert f"target warehouse shows publication 77, but the published file is at {before}" in told
    assert "Failure" not in told and "KetenError" not in told
    followed.keten("run", "--adopt")
    assert followed.numbers() == (before, before, before)


def test_the_password_is_in_no_file_and_no_text(followed: Followed) -> None:
    secret = "another-s3cret"
    told = followed.keten("run", "--month", "2025-01", url=followed.url.replace(PASSWORD, secret), code=2)
    assert 'password authentication failed for user "postgres"' in told
    assert secret not in told and PASSWORD not in told
    for path in followed.deployment.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret.encode() not in content and PASSWORD.encode() not in content, path


FAULTS = {
    "no kind": ({"url": "x"}, "keten.yml: targets.0: has no kind; add it"),
    "unknown kind": ({"kind": "oracle"}, "does not match any of the expected tags: 'postgresql', 'parquet', 'excel'"),
    "a password": (
        {"kind": "postgresql", "url": f"postgresql+psycopg://anna:{PASSWORD}@host/bi"},
        "targets.0.postgresql.url: holds a password; put the URL in an environment variable and write ${env:NAME}",
    ),
    "no driver": (
        {"kind": "postgresql", "url": "postgresql://host/bi"},
        "keten.yml: target postgresql: url: 'postgresql' does not name the driver that is used here; write it as",
    ),
    "not set": (
        {"kind": "postgresql", "url": "${env:KETEN_TEST_ABSENT}"},
        "keten.yml: set the environment variable KETEN_TEST_ABSENT for target postgresql",
    ),
    "outside": ({"kind": "parquet", "path": "../elsewhere"}, "targets.0.parquet.path: lies outside KETEN_HOME"),
    "absolute": ({"kind": "parquet", "path": "/elsewhere"}, "targets.0.parquet.path: lies outside KETEN_HOME"),
    "taken": ({"kind": "parquet", "name": "page"}, "target 'page' is a name of the product; choose another"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_setting_of_a_target_that_cannot_be_right_is_told_before_any_work(
    small: Deployment, tmp_path: Path, fault: str
) -> None:
    made = small.copy(tmp_path)
    setting, words = FAULTS[fault]
    declare(made, [setting])
    told = made.keten("receipt", "list", code=2)
    assert words in told and PASSWORD not in told


def test_two_targets_have_two_names(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    declare(made, [{"kind": "parquet"}, {"kind": "parquet", "path": "published/more"}])
    assert "keten.yml: target 'parquet' stands twice; give each its own id" in made.keten("receipt", "list", code=2)


def test_the_run_of_the_day_is_of_the_targets_that_are_behind_when_nothing_else_is_new(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETEN_AS_OF", AS_OF)
    monkeypatch.setenv(URL, followed.url)
    followed.keten("run")
    where = Place(followed.deployment.home, followed.deployment.project)
    definitions = build_definitions(where)
    schedule = definitions.resolve_schedule_def("daily")
    with instance(where) as dagster:
        asked = dg.build_schedule_context(dagster, repository_def=definitions.get_repository_def())
        assert isinstance(schedule.evaluate_tick(asked).skip_message, str)
        with followed.server.connect(database="followed") as pg:
            pg.execute("update bi_store.keten_shown set publication_id = 0")
        (request,) = schedule.evaluate_tick(asked).run_requests or []
    assert request.asset_selection == [dg.AssetKey(["publication", "warehouse"])]
    followed.keten("run")


def test_a_purge_destroys_here_what_a_target_that_is_down_shows_until_it_catches_up(followed: Followed) -> None:
    receipt = followed.deployment.receipt("waste_collection_20250128.csv").receipt_id
    before, *_ = followed.numbers()
    followed.server.stop()
    try:
        told = followed.keten("receipt", "purge", receipt, "--reason", "asked", "--yes", code=2)
        assert (
            f"{receipt} is purged from the engine and the published file; the results are published, but target" in told
        )
    finally:
        followed.server.start()
    followed.keten("run")
    assert followed.numbers() == (before + 1, before + 1, before + 1)
    with followed.server.connect(database="followed") as pg:
        state = pg.execute("select state from bi.rpt_delivery where receipt_id = %s", [receipt]).fetchall()
    assert state == [("purged",)]
