"""Killed runs, and two runs at once: nothing lost, nothing torn, no help needed."""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from tests.deployment import READINGS, Deployment

KILLS = 20
SIDES = 2


def delivery(number: int) -> tuple[str, str]:
    """A correction of one day, another each time, and a row that cannot be read."""
    day = number % 28 + 1
    return (
        f"data/meter_reading_2025{3 + number // 28:02d}{day:02d}.csv",
        f"{READINGS}\nE,2025-02-{day:02d},{number}\nE,x,1\n",
    )


def kill_at(made: Deployment, moment: float) -> bool:
    """Start a run and kill it after so many seconds; whether it was still running."""
    process = made.start("run")
    process.join(moment)
    was_running = process.is_alive()
    if was_running:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    return was_running


def assert_sound(made: Deployment, before: int) -> None:
    """What readers see is one whole publication, the last or the next, and nothing keeps the lock."""
    (number,) = made.rows("select max(publication_id) from bi.publication")[0]
    assert number in (before, before + 1)
    tables = [row[0] for row in made.rows("select table_name from duckdb_tables() where schema_name = 'bi'")]
    history = {"publication", "publication_digest", "publication_value_change"}
    for table in set(tables) - history:
        assert made.rows(f"select count(*) from bi.{table} where publication_id <> {number}") == [(0,)], table
    told = dict(made.rows(f"select table_name, row_count from bi.publication_digest where publication_id = {number}"))
    for table in set(tables) - history:
        assert made.rows(f"select count(*) from bi.{table}") == [(told[table],)], f"{table} is torn"
    FileLock(made.home / "run.lock").acquire(timeout=0).lock.release()


def assert_accounted(made: Deployment) -> None:
    """No receipt is half loaded: every one is loaded and in balance, by the engine itself and not as published."""
    with duckdb.connect(str(made.home / "engine.duckdb"), read_only=True) as engine:
        rows = engine.execute("select state, count(*) from intake.receipt group by 1").fetchall()
        assert [state for state, _ in rows] == ["loaded"]
        balance = engine.execute(
            "select count(*) from bi.rpt_delivery where received_rows <> accepted_rows + quarantined_rows + ignored_rows"
        ).fetchone()
    assert balance == (0,)


def kills(made: Deployment, whole: float, seed: int) -> int:
    """Kill runs at random moments, each followed by a run that is left alone; how many were really killed."""
    chance = random.Random(seed)
    killed = 0
    for number in range(KILLS // SIDES):
        path, text = delivery(number)
        made.drop(path, text)
        (before,) = made.rows("select max(publication_id) from bi.publication")[0]
        killed += kill_at(made, chance.uniform(0.0, whole))
        assert_sound(made, before)
        made.keten("run")
        assert_sound(made, before)
        assert_accounted(made)
        assert made.states()[Path(path).name] == "loaded"
        values = (
            "select amount from bi.fact_indicator_month where indicator_id = 'energy_intensity'"
            " and component = 'energy_kwh' and month = '2025-02-01'"
        )
        assert made.rows(values) == [(sum(range(number + 1)) + (27 - number) * 10,)]
    return killed


def test_a_run_that_is_killed_is_made_good_by_the_next(small: Deployment, tmp_path: Path) -> None:
    sides = []
    for side in range(SIDES):
        (tmp_path / str(side)).mkdir()
        sides.append(small.copy(tmp_path / str(side)))
    start = time.monotonic()
    with ThreadPoolExecutor(SIDES) as both:
        list(both.map(lambda made: made.keten("run", "--month", "2025-01"), sides))
        whole = time.monotonic() - start
        killed = list(both.map(kills, sides, [whole] * SIDES, range(SIDES)))
    assert sum(killed) > KILLS // 2, "most runs were over before they could be killed"
    assert sides[0].values() == sides[1].values()


def test_a_second_run_waits_for_the_first_and_names_it(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    path, text = delivery(1)
    made.drop(path, text)
    first = made.start("run")
    while not (made.home / "run.holder").exists() or str(first.pid) not in (made.home / "run.holder").read_text(
        "utf-8"
    ):
        assert first.is_alive()
        time.sleep(0.05)
    second = made.start("run")
    done = [made.finish(process) for process in (first, second)]
    assert [d.code for d in done] == [0, 0]
    assert f"waiting for another run: process {first.pid} on " in done[1].text
    assert "no run was started" in done[1].text, "the first had done all there was to do"
    assert made.rows("select count(*) from bi.publication") == [(2,)]


@pytest.mark.parametrize("arguments", [("receipt", "list"), ("trace", "energy_intensity"), ("catalogue",)])
def test_looking_does_not_wait_for_a_run(small: Deployment, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    made = small.copy(tmp_path)
    with FileLock(made.home / "run.lock").acquire(), duckdb.connect(str(made.home / "engine.duckdb")):
        assert "waiting" not in made.keten(*arguments)
