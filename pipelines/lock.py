"""One run at a time: `KETEN_HOME/run.lock`, held by the operating system and freed by it after a kill.

Belongs here: taking the lock and naming its holder. Does not belong here: what is done under it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from resources.disk import full_disk_told


@contextmanager
def run_lock(home: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a deployment; waits for another holder and tells once who that is. Re-entrant in a process."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "run.lock", is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(f"waiting for another run: {holder(home)}")
        lock.acquire()
    note = home / "run.holder"
    try:
        with full_disk_told(home):
            note.write_text(
                f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
            )
        yield
    finally:
        lock.release()


def is_held(home: Path) -> bool:
    """Whether a run holds the lock of a deployment now; nothing is made by looking."""
    if not (home / "run.lock").exists():
        return False
    try:
        FileLock(home / "run.lock").acquire(timeout=0).lock.release()
    except Timeout:
        return True
    return False


def holder(home: Path) -> str:
    """Who holds the lock, in words."""
    try:
        return (home / "run.holder").read_text("utf-8")
    except FileNotFoundError:
        return "a process that has just started"
