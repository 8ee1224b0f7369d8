"""PostgreSQL that restarts or stays away while a run publishes: nothing is torn, and it catches up by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deployment import Deployment
from tests.faults.soundness import assert_whole, correction
from tests.faults.victim import Victim
from tests.postgres_server import PostgresServer


@pytest.mark.parametrize("comes_back", [True, False], ids=["restarts", "stays away"])
def test_a_server_that_goes_away_on_the_way_costs_no_publication(
    small: Deployment, postgres: PostgresServer, tmp_path: Path, comes_back: bool
) -> None:
    victim = Victim(small.copy(tmp_path), postgres, f"gone_{comes_back}".lower())
    made = victim.made
    victim.run()
    made.drop(*correction(1))
    process = victim.start_and_wait(0.0, published=True)
    postgres.restart() if comes_back else postgres.stop()
    done = made.finish(process)
    if not comes_back:
        postgres.start()
    assert assert_whole(made, 2) == 2, "the file does not wait for the server"
    assert victim.warehouse() in (1, 2), "the publication before or the new one, whole"
    assert done.code == 0 or "it catches up by itself at the next run" in done.text
    victim.run()
    assert victim.warehouse() == 2
