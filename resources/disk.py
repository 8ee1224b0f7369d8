"""What a disk can do to a run: be full, or give back other bytes than were written.

Belongs here: telling these from other errors, saying them in a sentence, and writing a small file so that it is there
whole or not at all. Does not belong here: what is in the files, or what is done about damage (engine, landing, records).
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.errors import KetenError

UNFINISHED = ".writing-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# DuckDB and SQLite tell it in words; the last is DuckDB when the disk cannot take what does not fit in memory.
_FULL_WORDS = (
    *("No space left on device", "Disk quota exceeded", "File too large", "database or disk is full"),
    "'max_temp_directory_size' setting",
)
_DAMAGED_WORDS = (
    *("Corrupt database file", "not a valid DuckDB database file", "Could not read enough bytes"),
    *("Is a directory", "we can only read versions", "Failed to deserialize", "while replaying WAL"),
)
_LEAST_BYTES = 64 * 1024
_NAMED = re.compile(r'file "([^"]+)"')


class DiskFull(KetenError):
    """A disk on which a deployment writes has no room left; no fault of what was being written."""


class Damaged(KetenError):
    """A file does not hold what was written into it."""


def is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error."""
    while error is not None:
        if getattr(error, "errno", None) in _FULL or any(word in str(error) for word in _FULL_WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB says that a file cannot be what was written."""
    return not is_full(error) and any(word in str(error) for word in _DAMAGED_WORDS)


def disk_full(folder: Path, error: BaseException) -> DiskFull:
    """The sentence about a full disk: the folder that the error names, or else this one, and the repair."""
    named = _NAMED.search(str(error))
    place = Path(named[1]).parent if named else folder
    return DiskFull(
        f"the disk of {place} is full ({_free(place) / 1024**2:,.1f} MB free); make room on it and run `keten run` again:"
        " nothing is lost, and what was published stays as it was"
    )


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Tell a full disk in the block as one sentence. Raises DiskFull; other errors pass."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, KetenError) and (is_full(error) or _has_no_room(folder)):
            raise disk_full(folder, error) from error
        raise


def _has_no_room(folder: Path) -> bool:
    """Whether a disk takes nothing at all: SQLite calls that an error of input or output."""
    return _free(folder) < _LEAST_BYTES


def _free(folder: Path) -> int:
    """Free bytes on the disk of a folder, which may still have to be made."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


@contextmanager
def put_whole(target: Path, prefix: str, for_others: bool = False) -> Iterator[Path]:
    """A file beside the target to write into; after the block it takes the target's place, safe from a loss of power.

    Its name begins with `prefix`, by which it is found when the process is killed. Only the user of this process can read
    it, unless it is `for_others`. When the block fails nothing of it stays. Raises DiskFull.
    """
    with full_disk_told(target.parent):
        temporary = target.with_name(f"{prefix}{secrets.token_hex(8)}")
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if for_others else 0o600))
        try:
            yield temporary
            fsync(temporary)
            os.replace(temporary, target)
            fsync(target.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_durably(target: Path, text: str) -> None:
    """Let a text take the place of a file in one step, and be on the disk before anyone sees it. Raises DiskFull."""
    with put_whole(target, UNFINISHED) as temporary:
        temporary.write_text(text, "utf-8")


def fsync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder, before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
