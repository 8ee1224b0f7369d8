"""Dagster's own records: where they are kept, and that a person's own dagster.yaml is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.instance import DATABASE, MARK, prepare
from pipelines.settings import Place
from tests.deployment import Deployment, tiny
from tests.postgres_server import PASSWORD, PostgresServer


def written(where: Place) -> str:
    return (prepare(where) / "dagster.yaml").read_text("utf-8")


def test_the_settings_of_dagster_follow_the_product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Place(tmp_path, tmp_path)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text(f"{MARK}telemetry: {{enabled: true}}\n")
    settings = yaml.safe_load(written(where))
    assert settings["telemetry"] == {"enabled": False}
    assert settings["event_log_storage"]["class"] == "EventLog"
    monkeypatch.setenv(DATABASE, "postgresql+psycopg2://somebody:secret@db/dagster")
    assert yaml.safe_load(written(where))["storage"] == {"postgres": {"postgres_url": {"env": DATABASE}}}
    assert "secret" not in written(where)


def test_settings_of_dagster_that_a_person_keeps_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert written(Place(tmp_path, tmp_path)) == "telemetry: {enabled: false}\n"


def test_only_tools_of_dagster_are_started(small: Deployment) -> None:
    assert "'bash' is none of Dagster's tools" in small.keten("exec", "bash", "-c", "true", code=2)


def test_runs_are_recorded_in_a_database_when_one_is_named(tmp_path: Path, postgres: PostgresServer) -> None:
    made = tiny(tmp_path)
    url = postgres.new_database("dagster_records").replace("+psycopg:", "+psycopg2:")
    made.keten("run", env={DATABASE: url})
    assert made.rows("select publication_id from bi.publication") == [(1,)]
    with postgres.connect(database="dagster_records") as records:
        assert records.execute("select status from runs").fetchall() == [("SUCCESS",)]
        steps = records.execute("select distinct step_key from event_logs where step_key is not null").fetchall()
    assert ("publication__duckdb",) in steps
    assert not list((made.home / "dagster").rglob("*.db")), "nothing is recorded in files beside it"
    assert not [p for p in made.home.rglob("*") if p.is_file() and PASSWORD.encode() in p.read_bytes()]
