"""A rehearsal: the real job in a scratch copy of the home, and how its published file differs from the real one.

Belongs here: the copy, and removing it. Does not belong here: the run itself (running), the comparison
(resources.publication.difference), and how a plan is shown (plan_report).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.lock import run_lock
from pipelines.settings import Place
from resources.catalogue import Catalogue
from resources.errors import KetenError
from resources.landing import Landing
from resources.progress import Progress
from resources.publication.difference import Difference, difference
from resources.publication.published_file import wal_of

# Folders that a run reads and of which no file is ever written in place.
REPLACED_WHOLE = ("landing", "periods")


@dataclass(frozen=True)
class Plan:
    """What the next run would do. `months` each with why; `changes` is None when no run would start."""

    months: dict[str, str] = field(default_factory=dict)
    refused: tuple[dict[str, Any], ...] = ()
    changes: Difference | None = None

    @property
    def publishes(self) -> bool:
        """Whether there would be a new publication, or a file is refused."""
        return bool(self.refused) or (self.changes is not None and bool(self.changes.tables))


def make_plan(where: Place, catalogue: Catalogue, months: tuple[str, ...], progress: Progress) -> Plan:
    """Run the job in a copy of the home and compare what it publishes; the home stays as it is.

    Raises KetenError when the run would fail.
    """
    from pipelines.running import execute, nothing_new

    with run_lock(where.home, progress.tell), _scratch(where) as scratch:
        if not months and nothing_new(where, catalogue, progress, scratch.engine):
            return Plan()
        outcome = execute(scratch, catalogue, months, False, progress, only_publish=True)
        if not outcome.success:
            raise KetenError(f"a run would fail and publish nothing: {outcome.failure}")
        known = {refusal["receipt_id"] for refusal in Landing(where.landing).refusals()}
        refused = [r for r in Landing(scratch.landing).refusals() if r["receipt_id"] not in known]
        return Plan(outcome.months, tuple(refused), difference(where.published, scratch.published))


def clear(where: Place) -> None:
    """Remove what a rehearsal left behind that was killed. Call it under the lock, which a rehearsal holds to its end."""
    shutil.rmtree(_folder(where), ignore_errors=True)


def _folder(where: Place) -> Path:
    return where.home / "plan.tmp"


@contextmanager
def _scratch(where: Place) -> Iterator[Place]:
    """A home with the same engine, receipts, bytes and published file, removed at the end.

    The engine is copied, as it is written in place. The rest is only ever replaced whole, so a second name of the same
    bytes does.
    """
    clear(where)
    scratch = Place(_folder(where), where.project)
    try:
        _fill(scratch, where)
        yield scratch
    finally:
        clear(where)


def _fill(scratch: Place, where: Place) -> None:
    try:
        scratch.published.parent.mkdir(parents=True)
        for path in (where.engine, wal_of(where.engine)):
            if path.exists():
                shutil.copyfile(path, scratch.home / path.name)
        for name in REPLACED_WHOLE:
            if (where.home / name).exists():
                shutil.copytree(where.home / name, scratch.home / name, copy_function=_second_name)
        if where.published.exists():
            _second_name(where.published, scratch.published)
    except OSError as error:
        raise KetenError(
            f"a plan is made in a copy of the engine in {scratch.home}, and that cannot be written ({error});"
            " make room there, or check its permissions"
        ) from error


def _second_name(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
