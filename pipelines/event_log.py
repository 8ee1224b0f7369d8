"""Dagster's event log in SQLite, for the one process that runs the job.

Belongs here: how its files are kept open. Does not belong here: what is written into it (Dagster's own storage).
"""

from __future__ import annotations

import sqlite3
from typing import Any

_kept: dict[str, sqlite3.Connection] = {}


def keep_open() -> None:
    """Keep every SQLite file that this process opens open until it ends.

    Dagster opens and closes the file for every event, a thousand times a run; the last one to close a file in WAL mode
    brings it up to date and waits for the disk. Kept open, that happens once. A killed process loses nothing of it, as
    SQLite reads the log when the file is next opened; only a machine that loses power may lose its last events.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    if not event.contains(Engine, "connect", _on_connect):
        event.listen(Engine, "connect", _on_connect)


def _on_connect(connection: Any, _: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.execute("pragma synchronous = normal")
    path = connection.execute("pragma database_list").fetchone()[2]
    if not path:
        return
    if path not in _kept:
        _kept[path] = sqlite3.connect(path, check_same_thread=False)
    # A read makes the kept connection a user of the file as it is now: Dagster turns WAL mode on after it opened it.
    _kept[path].execute("select count(*) from sqlite_master").fetchall()
