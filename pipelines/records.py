"""Dagster's own records as files: put away when they are damaged, because a run can do without them.

Belongs here: telling whether they can be read. Does not belong here: where they lie and how they are used (instance).
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path


def put_away_damaged(dagster: Path, tell: Callable[[str], None]) -> bool:
    """Put Dagster's history or schedules away when a file of it is damaged; whether one was.

    What was landed, computed and published is kept elsewhere: only the list of earlier runs is lost.
    """
    damaged = [part for part in (dagster / "history", dagster / "schedules") if not all(map(_is_whole, _files(part)))]
    for part in damaged:
        kept = part.with_name(f"{part.name}.damaged")
        shutil.rmtree(kept, ignore_errors=True)
        part.replace(kept)
        tell(
            f"Dagster's {part.name} is damaged and was put away as {kept.name}; it starts anew, and the results are not"
            " touched. Restart Dagster's daemon and webserver when they run"
        )
    return bool(damaged)


def _files(part: Path) -> list[Path]:
    return sorted(part.rglob("*.db"))


def _is_whole(path: Path) -> bool:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return bool(connection.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        return True  # it could not be looked at, as on a full disk
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # what it says of damage may hold damaged bytes
        return False
    finally:
        connection.close()
