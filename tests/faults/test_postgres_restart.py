"""PostgreSQL that restarts or stays away while a run publishes: nothing is torn, and it catches up by itself."""

from __future__ import annotations

from pathlib import Path

from tests.deployment import Deployment
from tests.faults.soundness import assert_whole, correction, publication
from tests.faults.victim import Victim
from tests.postgres_server import PostgresServer

RESTARTS = (0.0, 0.15)


def test_a_server_that_restarts_or_stays_away_costs_no_publication(
    small: Deployment, postgres: PostgresServer, tmp_path: Path
) -> None:
    victim = Victim(small.copy(tmp_path), postgres, "restarted")
    made = victim.made
    victim.run()
    for number, moment in enumerate(RESTARTS, start=1):
        made.drop(*correction(number))
        process = victim.start_and_wait(moment, published=True)
        postgres.restart()
        done = made.finish(process)
        assert victim.warehouse() in (number, number + 1), "the publication before or the new one, whole"
        assert done.code == 0 or "it catches up by itself at the next run" in done.text
        victim.run()
        assert victim.warehouse() == assert_whole(made, number + 1)
    last = publication(made)
    made.drop(*correction(len(RESTARTS) + 1))
    process = victim.start_and_wait(0.0, published=True)
    postgres.stop()
    done = made.finish(process)
    postgres.start()
    assert assert_whole(made, last + 1) == last + 1, "the file does not wait for the server"
    assert done.code == 0 or "it catches up by itself at the next run" in done.text
    victim.run()
    assert victim.warehouse() == last + 1
