"""The deployment over real data of others, run once, and the figures that were published about them.

Belongs here: running it, and reading the files with figures. Does not belong here: how a figure is read (real_figures),
any assertion about one.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.landing import Landing
from resources.publication.published import rows_of
from tests.real.prepare import prepare

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("KETEN_TEST_DATA") or ROOT.parent / "shared" / "data").resolve()


def require_data() -> None:
    """Leave a test out where the data are not; fail where they should be."""
    if not DATA.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{DATA} does not exist; set KETEN_TEST_DATA to the folder of the real data", pytrace=False)
        pytest.skip("the real data are not here; KETEN_TEST_DATA names their folder")


def oracle(name: str) -> list[dict[str, str]]:
    """The figures that were published about one collection of data; none where the data are not here."""
    path = DATA / name / "oracle.csv"
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} does not exist; set KETEN_TEST_DATA to the folder of the real data", pytrace=False)
        return []
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


class Real:
    """The deployment after one run."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        project, prepared = folder / "real", folder / "prepared"
        shutil.copytree(ROOT / "tests" / "real", project)
        prepare(DATA, prepared)
        past = time.time() - 3600  # a fresh checkout is younger than the half minute in which files are left alone
        for path in [*project.rglob("*"), *prepared.iterdir()]:
            os.utime(path, (past, past))
        places = {"KETEN_TEST_DATA": DATA, "KETEN_TEST_PREPARED": prepared, "KETEN_HOME": self.home}
        env = {**os.environ, **{k: str(v) for k, v in places.items()}, "KETEN_AS_OF": "2024-02-01"}
        command = [sys.executable, "-m", "pipelines.cli", "run", "--project", str(project)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        self.core = duckdb.connect(str(self.home / "engine.duckdb"), read_only=True)

    @property
    def landing(self) -> Landing:
        return Landing(self.home / "landing")

    def published(self, select: str) -> list[tuple[Any, ...]]:
        return rows_of(self.home / "published" / "bi.duckdb", select)

    def one(self, select: str) -> tuple[Any, ...]:
        """The only row of a select from core."""
        row = self.core.execute(select).fetchone()
        assert row is not None
        return row
