"""Checks of what is set: settings, environment, sources, versions, the clock.

Belongs here: what a person writes or installs. Does not belong here: what runs left behind (state, automation).
"""

from __future__ import annotations

import os
import platform
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from pipelines.doctor.examining import Finding, Patient
from pipelines.settings import AS_OF, ROOT
from resources.environment import named
from resources.errors import KetenError

SHOWN = 5
# A clock that is off by more puts deliveries in the wrong order.
MOST_SECONDS_OFF = 5
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def settings(patient: Patient) -> Iterator[Finding]:
    """Whether keten.yml, sources.yml and the mappings can be used."""
    from resources.catalogue.reading import load_catalogue

    project = patient.where.project
    if not (project / "keten.yml").is_file():
        repair = "set KETEN_PROJECT (or --project) to a deployment folder"
        yield Finding("settings", "fault", f"{project} holds no keten.yml", repair)
        return
    try:
        known = load_catalogue(project)
    except KetenError as error:
        yield Finding("settings", "fault", str(error), "correct that file; nothing runs until it is right")
        return
    yield Finding("settings", "ok", f"keten.yml and {len(known.sources)} sources of {known.settings.organisation}")


def environment(patient: Patient) -> Iterator[Finding]:
    """Whether every variable that the settings name is set; values are never shown."""
    wanted: dict[str, bool] = {}
    for name in ("keten.yml", "sources.yml"):
        path = patient.where.project / name
        if path.is_file():
            wanted |= named(path.read_text("utf-8", errors="replace"))
    missing = sorted(name for name, has_default in wanted.items() if not has_default and not os.environ.get(name))
    for name in missing:
        repair = "set it for the service or the shell that runs keten (deploy/.env), and start that again"
        yield Finding("environment", "fault", f"{name} is named in the settings and not set", repair)
    if not missing:
        yield Finding("environment", "ok", f"variables named and set or with a default: {len(wanted)}")


def sources(patient: Patient) -> Iterator[Finding]:
    """Whether the folder of every source can be read, and every server reached."""
    from assets.fetching import unreachable
    from assets.pulling import folders, source_files

    catalogue, project = patient.catalogue, patient.where.project
    faults = []
    for source in folders(catalogue):
        try:
            source_files(catalogue, project, source)
        except KetenError as error:
            faults.append(str(error))
    faults += unreachable(catalogue, project)
    for fault in faults:
        yield Finding("sources", "fault", fault, "the other sources go on without it")
    count = len(catalogue.sources)
    yield Finding("sources", "ok", f"{count - len(faults)} of {count} can be read")


def inbox(patient: Patient) -> Iterator[Finding]:
    """Whether the inbox can be read, every sender in it has a mapping, and no file of it waits for one."""
    from assets.inbox import inbox_files, senders_without_mapping
    from resources.landing.unrouted import read_unrouted

    catalogue, project = patient.catalogue, patient.where.project
    if catalogue.inbox is None:
        return
    finished, _ = inbox_files(catalogue, project)
    for sender in senders_without_mapping(catalogue, project):
        told = f"the folder {sender} of the inbox has no mapping: no mappings/{sender}__<dataset>.yml"
        yield Finding("inbox", "warning", told, f"write one; `keten map FILE --origin {sender}` proposes it")
    waiting = read_unrouted(patient.where.landing)
    for one in waiting[:SHOWN]:
        yield Finding("inbox", "warning", f"{one.origin}/{one.name}: {one.told()}", "keten unrouted")
    yield Finding("inbox", "ok", f"files: {len(finished)}, of which {len(waiting)} wait for a mapping")


def versions(_: Patient) -> Iterator[Finding]:
    """Whether what is installed is what requirements.lock says."""
    shown = ", ".join(f"{name} {_installed(name)}" for name in ("dagster", "duckdb", "great-expectations"))
    yield Finding("versions", "ok", f"Python {platform.python_version()}, {shown}")
    lock = ROOT / "requirements.lock"
    if not lock.exists():
        yield Finding("versions", "warning", "requirements.lock is not there", "put it back from the release")
        return
    locked: dict[str, set[str]] = {}
    for name, number in _PINNED.findall(lock.read_text("utf-8")):
        locked.setdefault(name, set()).add(number)  # more than one where it depends on the system or on Python
    other = [f"{n} {found}" for n in sorted(locked) if (found := _installed(n)) and found not in locked[n]]
    if other:
        told = ", ".join(other[:SHOWN]) + (f" and {len(other) - SHOWN} more" if len(other) > SHOWN else "")
        yield Finding("versions", "warning", f"installed and not as locked: {told}", "run `make install`")


def _installed(name: str) -> str:
    """The version that is installed; empty for a package that is not, such as one for another system."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def clock(patient: Patient) -> Iterator[Finding]:
    """Whether the clock can be trusted: against the file system, and against what was received."""
    yield Finding("clock", "ok", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    if os.environ.get(AS_OF):
        repair = f"it is meant for tests; unset {AS_OF}, or months and due dates stand still"
        yield Finding("clock", "warning", f"{AS_OF} is set to {os.environ[AS_OF]}", repair)
    if not patient.where.home.is_dir():
        return
    with tempfile.NamedTemporaryFile(dir=patient.where.home, prefix=".doctor-") as file:
        off = abs(os.fstat(file.fileno()).st_mtime - time.time())
    if off > MOST_SECONDS_OFF:
        repair = "let both machines keep time with NTP: files would seem finished too early or too late"
        yield Finding("clock", "warning", f"the file system of KETEN_HOME is {off:.0f} s off", repair)
    newest = max((path.stat().st_mtime for path in (patient.where.landing / "receipts").glob("*.json")), default=0.0)
    if newest > time.time() + MOST_SECONDS_OFF:
        repair = "set the clock right (NTP) before the next run: deliveries count in the order they came"
        yield Finding("clock", "fault", "deliveries were received later than now, so the clock was put back", repair)
