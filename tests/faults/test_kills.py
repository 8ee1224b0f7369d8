"""Runs that are killed at any moment, also while they publish to PostgreSQL: the next run makes them good."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.deployment import Deployment
from tests.faults.soundness import (
    assert_accounted,
    assert_unlocked,
    assert_whole,
    correction,
    publication,
    results,
)
from tests.faults.victim import Victim
from tests.postgres_server import PostgresServer

SIDES = 2
KILLS = 25
AIMED = 6
LEFT_ALONE = 12


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
    trials = [(moment, False) for moment in moments(whole, side)] + [(0.0, True)] * AIMED
    chance = random.Random(f"{side}-aimed")
    killed = behind = delivered = 0
    for number, (moment, aimed) in enumerate(trials, start=1):
        before, there = publication(made), victim.warehouse()
        catching_up = aimed and there != before
        if not catching_up:
            delivered += 1
            made.drop(*correction(delivered))
        if aimed:
            # A run with nothing else to do than to follow is short, so that many can be cut off in PostgreSQL.
            moment = chance.uniform(0, whole / 3 if catching_up else whole / 8)
        killed += victim.kill(moment, published=aimed and not catching_up)
        shown = assert_whole(made, before, before + 1)
        assert victim.warehouse() in (there, shown), "PostgreSQL shows the publication before or the one of the file"
        behind += victim.warehouse() != shown
        assert_unlocked(made)
        if number % LEFT_ALONE == 0:
            victim.run()
            assert victim.warehouse() == publication(made)
            assert_accounted(made)
    victim.run()
    for number in range(delivered + 1):
        twin.made.drop(*correction(number))
    twin.run()
    assert_accounted(made)
    assert results(made) == results(twin.made)
    assert victim.warehouse() == assert_whole(made, publication(made))
    print(f"side {side}: {killed} of {len(trials)} runs killed, {behind} of them between file and PostgreSQL")
    assert killed > len(trials) // 2, "most runs were over before they could be killed"
