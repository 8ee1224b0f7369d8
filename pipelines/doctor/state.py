"""Checks of what runs work with and leave behind: folders, disk, lock, engine, publication, targets, leftovers.

Belongs here: looking, without changing anything but a test file. Does not belong here: what makes it right again (the
next run, or a person).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.doctor.examining import Finding, Patient
from pipelines.lock import holder
from resources.errors import KetenError

MB = 1024**2
SPARE = 500 * MB
# What killed processes leave beside the files they were writing; a run or the next write removes them.
_LEFT = re.compile(r"\.tmp-\d+|^\.(receipt|landing|writing|doctor)-|\.fresh$|^(engine|trace|plan)\.tmp$")


def folders(patient: Patient) -> Iterator[Finding]:
    """Whether KETEN_HOME and what is in it can be written, on one file system as files are put in place by renaming."""
    home = patient.where.home
    if not home.is_dir():
        yield Finding(
            "folders", "warning", f"{home} is not there yet", "`keten run` makes it; check KETEN_HOME if it should be"
        )
        return
    parts = [
        home,
        *(p for p in (patient.where.landing, patient.where.published.parent, patient.where.dagster) if p.exists()),
    ]
    for part in parts:
        try:
            with tempfile.NamedTemporaryFile(dir=part, prefix=".doctor-"):
                pass
        except OSError as error:
            repair = "give the user that runs keten the right to write there, or mount it writable"
            yield Finding("folders", "fault", f"{part} cannot be written ({error.strerror})", repair)
            continue
        if part.stat().st_dev != home.stat().st_dev:
            repair = "put it on the same file system: a file is put in place by renaming"
            yield Finding("folders", "fault", f"{part} lies on another file system than {home}", repair)
    yield Finding("folders", "ok", f"KETEN_HOME {home}, KETEN_PROJECT {patient.where.project}")


def disk(patient: Patient) -> Iterator[Finding]:
    """Whether there is room for a run: the engine once more, and the published file twice, with some to spare."""
    where = patient.where
    folder = next(part for part in (where.home, *where.home.parents) if part.exists())
    free = shutil.disk_usage(folder).free
    needed = _size(where.engine) + 2 * _size(where.published) + SPARE
    told = f"{free // MB:,} MB free; a run may need {needed // MB:,} MB (engine, publication twice, {SPARE // MB} MB to spare)"
    repair = "make room: `keten clean --dry-run` shows what is past its time"
    yield Finding(
        "disk",
        "fault" if free < needed else "warning" if free < 2 * needed else "ok",
        told,
        repair if free < 2 * needed else "",
    )


def lock(patient: Patient) -> Iterator[Finding]:
    """Who holds the lock."""
    told = f"held by {holder(patient.where.home)}" if patient.is_running else "free: no run is going on"
    yield Finding("lock", "ok", told)


def engine(patient: Patient) -> Iterator[Finding]:
    """Whether the engine can be opened; not while a run has it."""
    from resources.engine import trouble

    path = patient.where.engine
    if patient.is_running:
        yield Finding("engine", "ok", "not examined: a run has it open")
    elif not path.exists():
        yield Finding("engine", "ok", "not there; the next run makes it from the landing zone")
    elif told := trouble(path):
        repair = "`keten rebuild` makes it again from the landing zone; published numbers and keys stay"
        yield Finding("engine", "fault", f"{path.name} cannot be read: {told}", repair)
    else:
        yield Finding("engine", "ok", f"{path.name}, {_size(path) // MB:,} MB")


def published(patient: Patient) -> Iterator[Finding]:
    """Whether readers have a whole publication, and people its page."""
    from assets.page.making import is_page_of
    from resources.publication.publishing import published_state

    where = patient.where
    try:
        state = published_state(where.published)
    except KetenError as error:
        repair = "move the file away and run `keten rebuild`, or put back the file of your backup to keep its number"
        yield Finding("published", "fault", str(error), repair)
        return
    if state is None:
        yield Finding("published", "warning", "nothing is published yet", "run `keten run`")
        return
    yield Finding("published", "ok", f"publication {state['number']} of {state['published_at']:%Y-%m-%d %H:%M} UTC")
    if not is_page_of(where.page, state["number"]):
        yield Finding("published", "warning", f"{where.page.name} is not of this publication", "run `keten run`")


def targets(patient: Patient) -> Iterator[Finding]:
    """Whether every further target is reached, and shows the publication of the file."""
    from resources.publication.publishing import published_state
    from resources.targets import make_target

    wanted = patient.catalogue.settings.targets
    if not wanted:
        yield Finding("targets", "ok", "none beside the published file")
        return
    state = published_state(patient.where.published)
    for setting in wanted:
        try:
            target = make_target(setting, patient.where.home)
            number = target.applied()
        except KetenError as error:
            yield Finding(
                "targets", "fault", f"{setting.name}: {error}", "the others go on; it catches up at the next run"
            )
            continue
        told = f"{setting.name} ({target.shown()}): publication {number}"
        if state and number == state["number"]:
            yield Finding("targets", "ok", told)
        else:
            yield Finding(
                "targets", "warning", f"{told}, the file {state['number'] if state else None}", "run `keten run`"
            )


def leftovers(patient: Patient) -> Iterator[Finding]:
    """What killed processes left; during a run it may be at work on them."""
    where = patient.where
    if patient.is_running:
        yield Finding("leftovers", "ok", "not examined: a run is going on")
        return
    places = (where.home, where.published.parent, where.landing, *where.landing.glob("*/"))
    left = [path for place in places if place.is_dir() for path in place.iterdir() if _LEFT.search(path.name)]
    put_away = [path for path in (*where.home.glob("*.damaged"), *where.dagster.glob("*.damaged"))]
    if left:
        names = ", ".join(sorted(path.name for path in left)[:5])
        repair = "nothing: runs remove what is in their way. They may also be deleted by hand now"
        yield Finding("leftovers", "warning", f"{len(left)} left by processes that were ended: {names}", repair)
    for path in put_away:
        repair = "look why it was damaged (disk, memory), then delete it; what it held was made again"
        yield Finding("leftovers", "warning", f"{path.name} was put away as damaged", repair)
    if not left and not put_away:
        yield Finding("leftovers", "ok", "none")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
