"""Runs that are killed at any moment, also while they publish to PostgreSQL: the next run makes them good."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.deployment import Deployment
from tests.faults.soundness import (
    HISTORY,
    assert_accounted,
    assert_unlocked,
    assert_whole,
    correction,
    publication,
    results,
)
from tests.postgres_server import PostgresServer

SIDES = 2
KILLS = 25
AIMED = 6
LEFT_ALONE = 8


class Victim:
    """A deployment that publishes to a file and to PostgreSQL, and its runs."""

    def __init__(self, made: Deployment, server: PostgresServer, database: str) -> None:
        self.made, self._server, self._database = made, server, database
        self._env = {"KETEN_WAREHOUSE_URL": server.new_database(database)}
        settings = yaml.safe_load((made.project / "keten.yml").read_text("utf-8"))
        targets = [{"kind": "postgresql", "url": "${env:KETEN_WAREHOUSE_URL}"}]
        made.declare("keten.yml", {**settings, "targets": targets})

    def run(self) -> None:
        self.made.keten("run", env=self._env)

    def kill(self, after: float, published: bool = False) -> bool:
        """Start a run and kill it so many seconds after its start, or after it published the file; whether it still ran."""
        before = publication(self.made)
        process = self.made.start("run", env=self._env)
        while published and process.is_alive() and publication(self.made) == before:
            process.join(0.02)
        process.join(after)
        still_ran = process.is_alive()
        if still_ran:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        return still_ran

    def warehouse(self) -> int | None:
        """The number that readers of PostgreSQL see, the same in every table with rows; None before the first."""
        with self._server.connect(database=self._database) as reader:
            reader.execute("begin isolation level repeatable read")
            found = reader.execute(
                "select table_name from information_schema.tables where table_schema = 'bi'"
            ).fetchall()
            if not found:
                return None
            numbers = " union ".join(f'select publication_id from bi."{t}"' for (t,) in found if t not in HISTORY)
            shown = [n for (n,) in reader.execute(numbers).fetchall()]  # type: ignore[arg-type]
            assert shown == [reader.execute("select max(publication_id) from bi.publication").fetchone()[0]]  # type: ignore[index]
        return int(shown[0])


def moments(whole: float, seed: int) -> list[float]:
    """Moments spread over the duration of a run, one in each equal part of it, in any order."""
    chance = random.Random(seed)
    spread = [whole * (part + chance.random()) / (KILLS - AIMED) for part in range(KILLS - AIMED)]
    chance.shuffle(spread)
    return spread


@pytest.mark.parametrize("side", range(SIDES))
def test_a_run_that_is_killed_is_made_good_by_the_next(
    small: Deployment, postgres: PostgresServer, tmp_path: Path, side: int
) -> None:
    victim, twin = (Victim(small.copy(tmp_path / name), postgres, f"{name}_{side}") for name in ("victim", "twin"))
    made = victim.made
    victim.run()
    made.drop(*correction(0))
    start = time.monotonic()
    victim.run()
    whole = time.monotonic() - start
    trials = [(moment, False) for moment in moments(whole, side)]
    trials += [(random.Random(f"{side}-{n}").uniform(0, whole / 8), True) for n in range(AIMED)]
    killed = behind = 0
    for number, (moment, published) in enumerate(trials, start=1):
        made.drop(*correction(number))
        before, there = publication(made), victim.warehouse()
        killed += victim.kill(moment, published)
        shown = assert_whole(made, before, before + 1)
        assert victim.warehouse() in (there, shown), "PostgreSQL shows the publication before or the one of the file"
        behind += victim.warehouse() != shown
        assert_unlocked(made)
        if number % LEFT_ALONE == 0:
            victim.run()
            assert victim.warehouse() == publication(made)
            assert_accounted(made)
    victim.run()
    for number in range(len(trials) + 1):
        twin.made.drop(*correction(number))
    twin.run()
    assert_accounted(made)
    assert results(made) == results(twin.made)
    assert victim.warehouse() == assert_whole(made, publication(made))
    print(f"side {side}: {killed} of {len(trials)} runs killed, {behind} of them between file and PostgreSQL")
    assert killed > len(trials) // 2, "most runs were over before they could be killed"
