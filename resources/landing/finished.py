"""Which files of a sender are finished, and which may still be written.

Belongs here: telling it by name and time. Does not belong here: where files lie on a server (sources), and what becomes of them.
"""

from __future__ import annotations

from pathlib import Path

SETTLE_SECONDS = 30
# The clock of another machine may be ahead by hours; a file dated later than that was dated wrong and is no longer written.
AHEAD_SECONDS = 24 * 3600
_UNFINISHED = (".part", ".tmp", ".crdownload")


def finished_files(folder: Path, patterns: tuple[str, ...], now: float) -> tuple[list[Path], list[Path]]:
    """Files of a drop folder that match a pattern, by name: those that are finished, and those that changed just now.

    Links that leave the folder are not followed. Raises OSError when the folder cannot be read.
    """
    next(folder.iterdir(), None)  # a pattern would find nothing in a folder that cannot be read, and not say so
    root = folder.resolve()
    found = sorted(
        path
        for path in {path for pattern in patterns for path in folder.glob(pattern)}
        if path.is_file() and not is_unfinished(path.name) and path.resolve().is_relative_to(root)
    )
    finished: list[Path] = []
    young: list[Path] = []
    for path in found:
        (young if is_left_alone(now - path.stat().st_mtime) else finished).append(path)
    return finished, young


def is_unfinished(name: str) -> bool:
    """Whether a name says that the file is still written, or hidden."""
    return name.endswith(_UNFINISHED) or name.startswith(".")


def is_left_alone(age: float) -> bool:
    """Whether a file that changed so many seconds ago may still be written."""
    return -AHEAD_SECONDS < age < SETTLE_SECONDS
