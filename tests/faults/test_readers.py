"""Thirty-two readers while publications follow each other: none sees a mix, none fails, none holds up the writer."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest

from resources.catalogue.deployment_models import PostgresqlSetting
from resources.engine import Engine
from resources.publication.publishing import TableSpec, publish
from resources.targets.postgresql.target import PostgresqlTarget
from tests.faults.reading import STOP, Seen, look, read_database, read_file
from tests.postgres_server import PostgresServer

READERS = 32
SECONDS = 8.0
ITEMS = 500
PASSWORD = "of-the-reader"
COLUMNS = [("item_no", "BIGINT", "item"), ("amount", "DECIMAL(28,6)", "amount")]
TABLES = {
    "fact_item": TableSpec(COLUMNS, ("item_no",), comment="amounts"),
    "rpt_total": TableSpec(COLUMNS, ("item_no",), comment="their sum, with the number of items"),
}
VIEWS = {"item_view": "-- Grain: item.\nselect item_no, amount, publication_id from fact_item"}


@dataclass
class Publisher:
    """An engine whose every amount changes with each publication, as does the number of items."""

    engine: Engine
    path: Path
    count: int = 0

    def publish(self) -> int:
        self.count += 1
        items = f"select i as item_no, i + {self.count}::decimal(28,6) as amount from range({ITEMS + self.count}) t(i)"
        self.engine.replace("bi.fact_item", items)
        self.engine.replace("bi.rpt_total", "select count(*) as item_no, sum(amount) as amount from bi.fact_item")
        told = {"published_at": datetime(2026, 4, 1, 6), "as_of": date(2026, 4, 1), "input_fingerprint": "f"}
        return publish(self.engine, self.path, TABLES, VIEWS, {"run_id": f"r{self.count}", **told}).number


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    with Engine(tmp_path / "engine.duckdb", tmp_path / "spill") as engine:
        made = Publisher(engine, tmp_path / "published" / "keten.duckdb")
        made.publish()
        yield made


def hold(
    readers: Executor, read: Callable[[int], Seen], write: Callable[[], int], folder: Path
) -> tuple[list[Seen], int]:
    """Let all readers read while publications follow each other for a time; what they saw, and how many were made."""
    reading = [readers.submit(read, reader) for reader in range(READERS)]
    try:
        while len(list(folder.glob("came-*"))) < READERS and not any(future.done() for future in reading):
            time.sleep(0.05)
        until, last = time.monotonic() + SECONDS, 0
        while time.monotonic() < until or last < 3:
            last = write()
    finally:
        (folder / STOP).touch()
    return [future.result(60) for future in reading], last


def assert_undisturbed(kind: str, seen: list[Seen], made: int) -> None:
    reads, numbers = sum(s.reads for s in seen), set().union(*(s.numbers for s in seen))
    print(f"{kind}: {len(seen)} readers, {reads} looks at {len(numbers)} of {made} publications")
    assert [fault for s in seen for fault in s.faults] == []
    assert len(numbers) > 1, "the readers saw no change"


def test_readers_of_the_file_see_one_publication_each_time(publisher: Publisher, tmp_path: Path) -> None:
    with ProcessPoolExecutor(READERS, multiprocessing.get_context("forkserver")) as readers:
        read = partial(read_file, publisher.path, tmp_path)
        assert_undisturbed("file", *hold(readers, read, publisher.publish, tmp_path))


def test_readers_of_postgresql_see_one_publication_in_each_transaction(
    publisher: Publisher, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETEN_WAREHOUSE_URL", postgres.new_database("readers"))
    setting = PostgresqlSetting(kind="postgresql", url="${env:KETEN_WAREHOUSE_URL}", lock_seconds=10)
    target = PostgresqlTarget(setting)
    target.apply(publisher.path, adopt=False)
    with postgres.connect() as administrator:
        administrator.execute(f"alter role {setting.reader} password '{PASSWORD}'")
    place = f"host=127.0.0.1 port={postgres.port} dbname=readers user={setting.reader} password={PASSWORD}"

    def write() -> int:
        publisher.publish()
        return target.apply(publisher.path, adopt=False).number

    with psycopg.connect(place) as slow, ThreadPoolExecutor(READERS) as readers:
        before, after = Seen(), Seen()
        look(slow, before)
        seen, made = hold(readers, partial(read_database, place, tmp_path), write, tmp_path)
        look(slow, after)
        assert_undisturbed("PostgreSQL", seen, made)
        assert (before.numbers, after.numbers, after.faults) == ({1}, {1}, []), "a long transaction keeps what it saw"
