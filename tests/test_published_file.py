"""The published file as a file: what lies beside it, and what it is when it is not ours."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from resources.engine import Engine
from resources.errors import KetenError
from resources.publication.published_file import remove_leftovers, temporary_name
from resources.publication.publishing import publish, published_state


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path):
    target = tmp_path / "keten.duckdb"
    alive = tmp_path / f"keten.duckdb.tmp-{os.getppid()}"
    for path in (
        target,
        alive,
        temporary_name(target),
        tmp_path / "keten.duckdb.tmp-99999999.wal",
        tmp_path / "notes.txt",
    ):
        path.write_text("half a file")
    remove_leftovers(target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["keten.duckdb", alive.name, "notes.txt"]


def test_nothing_published_has_no_state(tmp_path: Path):
    assert published_state(tmp_path / "keten.duckdb") is None


def test_file_that_is_no_database_is_told(tmp_path: Path):
    (tmp_path / "keten.duckdb").write_text("no database")
    with pytest.raises(KetenError, match="cannot be read"):
        published_state(tmp_path / "keten.duckdb")
    assert [p.name for p in tmp_path.iterdir()] == ["keten.duckdb"]


def test_database_of_someone_else_is_not_overwritten(tmp_path: Path):
    target = tmp_path / "keten.duckdb"
    with duckdb.connect(str(target)) as other:
        other.execute("create table mine (a int)")
    before = target.read_bytes()
    with Engine(None, tmp_path) as engine, pytest.raises(KetenError, match="not a file that was published here"):
        publish(engine, target, {}, {}, {})
    assert target.read_bytes() == before
