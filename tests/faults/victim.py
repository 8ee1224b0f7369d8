"""A deployment that publishes to a file and to PostgreSQL, to be hurt while it does.

Belongs here: its runs, cutting them off, and what readers of PostgreSQL see. Does not belong here: what must hold then.
"""

from __future__ import annotations

import os
import signal
from multiprocessing.context import ForkServerProcess

import yaml

from tests.deployment import Deployment
from tests.faults.soundness import HISTORY, publication
from tests.postgres_server import PostgresServer

URL = "KETEN_WAREHOUSE_URL"


class Victim:
    """A deployment with a target in a new database; `url` is that of its owner, by default the superuser."""

    def __init__(self, made: Deployment, server: PostgresServer, database: str, url: str = "") -> None:
        self.made, self._server, self._database = made, server, database
        self.env = {URL: url or server.new_database(database)}
        settings = yaml.safe_load((made.project / "keten.yml").read_text("utf-8"))
        targets = [{"kind": "postgresql", "url": f"${{env:{URL}}}"}]
        made.declare("keten.yml", {**settings, "targets": targets})

    def run(self) -> None:
        self.made.keten("run", env=self.env)

    def kill(self, after: float, published: bool = False) -> bool:
        """Start a run and kill it so many seconds after its start, or after it published the file; whether it still ran."""
        process = self.start_and_wait(after, published)
        still_ran = process.is_alive()
        if still_ran:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        return still_ran

    def start_and_wait(self, after: float, published: bool) -> ForkServerProcess:
        """Start a run and wait so many seconds after its start, or after it published the file, or until it ends."""
        before = publication(self.made)
        process = self.made.start("run", env=self.env)
        while published and process.is_alive() and publication(self.made) == before:
            process.join(0.02)
        process.join(after)
        return process

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
