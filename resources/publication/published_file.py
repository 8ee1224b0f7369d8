"""The published DuckDB file as a file, and the pages beside it: reading without side effects, and replacing whole.

Belongs here: names, links, fsync and rename. Does not belong here: what is inside the files.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from resources.disk import Damaged, fsync, is_damage, put_whole

if TYPE_CHECKING:
    import duckdb

_COUNTER = itertools.count()


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def temporary_name(target: Path, suffix: str = "") -> Path:
    """A name beside the target that tells which process made it."""
    return target.with_name(f"{target.name}.tmp-{os.getpid()}{suffix}")


def wal_of(path: Path) -> Path:
    """The name under which DuckDB would look for a write-ahead log of this file."""
    return path.with_name(f"{path.name}.wal")


def remove_leftovers(target: Path) -> None:
    """Remove what this process, or processes that are no longer alive, left beside the target."""
    pattern = re.compile(re.escape(target.name) + r"\.tmp-(\d+)")
    for path in target.parent.iterdir():
        found = pattern.match(path.name)
        if found and (int(found[1]) == os.getpid() or not _is_alive(int(found[1]))):
            remove(path)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it; nothing when it is gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, target: Path, alias: str) -> Iterator[bool]:
    """Attach the published file read-only for the time of the block; yields False when there is no such file.

    Raises Damaged when the file cannot be read.
    """
    import duckdb

    if not target.exists():
        yield False
        return
    with _without_wal(target) as path:
        try:
            connection.execute(f"attach {literal(str(path))} as {alias} (read_only)")
        except duckdb.Error as error:
            raise _damaged(target, error) from error
        try:
            yield True
        except duckdb.Error as error:
            if is_damage(error) and not _is_whole(path):
                raise _damaged(target, error) from error
            raise
        finally:
            connection.execute(f"detach {alias}")


def _damaged(target: Path, error: Exception) -> Damaged:
    return Damaged(
        f"{target} cannot be read as a published file; put a copy of it back, or move it away and run `keten run`: it is"
        f" published anew then, without the history of changed values ({' '.join(str(error).split())})"
    )


def _is_whole(path: Path) -> bool:
    """Whether every block of a published file can be read."""
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'bi'"
            ).fetchall():
                connection.execute(f'select bit_xor(hash(t)) from bi."{name}" t').fetchall()
    except duckdb.Error:
        return False
    return True


def put_in_place(temporary: Path, target: Path) -> None:
    """Make the file durable and read-only and let it take the place of the target in one step.

    Who has the old file open keeps reading the old file. A stale `.wal` goes first: DuckDB would replay it into the
    new file.
    """
    fsync(temporary)
    temporary.chmod(0o444)
    wal_of(target).unlink(missing_ok=True)
    os.replace(temporary, target)
    fsync(target.parent)


def page_beside(target: Path) -> Path:
    """The page about the published file."""
    return target.with_name("index.html")


def replace_text(target: Path, text: str) -> bool:
    """Let a text take the place of a file in one step; whether it was another text. The same text is not written again."""
    content = text.encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target)
    if target.exists() and target.read_bytes() == content:
        return False
    with put_whole(target, f"{temporary_name(target).name}-", for_others=True) as temporary:
        temporary.write_bytes(content)
    return True


@contextmanager
def _without_wal(target: Path) -> Iterator[Path]:
    """A name of the same bytes beside which there is no `.wal`: a hard link, or a copy where links are not allowed."""
    link = temporary_name(target, f"-read{next(_COUNTER)}")
    try:
        os.link(target, link)
    except OSError:
        if not wal_of(target).exists():
            yield target
            return
        with tempfile.TemporaryDirectory() as folder:
            yield Path(shutil.copyfile(target, Path(folder) / target.name))
        return
    try:
        yield link
    finally:
        link.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
