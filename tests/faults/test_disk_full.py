"""A disk that runs full: the run says which and what to do, readers keep what they had, and space is all it takes to go on.

The disks are small file systems in memory. Mounting one needs root, or else a namespace of one's own
(`unshare --map-root-user --mount`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import made_once
from tests.deployment import READINGS, Deployment
from tests.faults.soundness import assert_accounted, assert_unlocked, assert_whole, results

KB = 1024
ROOMY = 400 * KB * KB
LATE = "data/meter_reading_20250401.csv"
# Many lines of one day, the last of which is right: more bytes than a nearly full disk takes.
MANY = "\n".join([READINGS, *("E,2025-02-03,not yet known" for _ in range(20_000)), "E,2025-02-03,77"]) + "\n"


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A file system of its own under the contents of a folder."""
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "keten", folder], check=True)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Leave so many bytes of a disk; what takes the others."""
    facts = os.statvfs(folder)
    ballast = folder / "ballast"
    with ballast.open("wb") as out:
        out.truncate(0)
        os.posix_fallocate(out.fileno(), 0, facts.f_bavail * facts.f_frsize - leave)
    return ballast


@pytest.fixture(scope="module")
def twin(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The same deliveries, with room."""

    def make(folder: Path) -> Deployment:
        made = small.copy(folder)
        made.drop(LATE, MANY)
        return made

    return made_once(tmp_path_factory.getbasetemp(), "disk_full-twin", make)


@pytest.mark.parametrize(
    ("full", "leave", "named"),
    [
        pytest.param("landing", 100 * KB, "landing/bytes", id="landing"),
        pytest.param(".", 1500 * KB, "", id="engine"),
        pytest.param("published", 1000 * KB, "published", id="publication"),
        pytest.param("dagster", 0, "dagster", id="records of Dagster"),
    ],
)
def test_a_full_disk_is_named_and_costs_nothing_but_the_run(
    small: Deployment, twin: Deployment, tmp_path: Path, full: str, leave: int, named: str
) -> None:
    made = small.copy(tmp_path)
    made.drop(LATE, MANY)
    with ExitStack() as disks:
        place = disks.enter_context(disk(made.home / full))
        if full == ".":
            disks.enter_context(disk(made.home / "dagster"))  # so that the engine is what finds no room
        ballast = fill(place, leave)
        told = made.keten("run", code=2)
        assert (
            f"the disk of {made.home / named} is full" in told and "make room on it and run `keten run` again" in told
        )
        assert "Traceback" not in told
        assert assert_whole(made, 1) == 1
        assert results(made) == results(small)
        assert_unlocked(made)
        ballast.unlink()
        made.keten("run")
        assert assert_whole(made, 2) == 2
        assert_accounted(made)
        assert results(made) == results(twin)
