"""Deployments for tests: a folder with its home, and the command `keten` run on it as a process of its own.

Belongs here: making small deployments and running the command. Does not belong here: any assertion.

Processes come from a server that has imported the heavy libraries once, so that a run costs its work and not its imports.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import yaml

from resources.landing import Landing, Receipt
from resources.landing.finished import SETTLE_SECONDS
from resources.publication.published import rows_of

AS_OF = "2026-07-02"
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.preloaded"])


@dataclass(frozen=True)
class Done:
    """How a command ended, with all it printed as words with single blanks between."""

    code: int
    text: str


class Deployment:
    """A deployment folder with its home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.home = folder / "home"
        self.published = self.home / "published" / "bi.duckdb"

    @property
    def landing(self) -> Landing:
        return Landing(self.home / "landing")

    def keten(self, *arguments: str, env: dict[str, str] | None = None, code: int = 0) -> str:
        """Run the command to its end; its words. Fails when it does not end with `code`."""
        done = self.finish(self.start(*arguments, env=env))
        assert done.code == code, done.text
        return done.text

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> ForkServerProcess:
        """Start the command; what it prints goes to a file of its own."""
        place = {"KETEN_HOME": str(self.home), "KETEN_PROJECT": str(self.project), "KETEN_AS_OF": AS_OF}
        out = self.folder / f"out-{time.monotonic_ns()}.txt"
        process = FORKS.Process(target=_call, args=(arguments, {**place, **(env or {})}, out))
        process.out = out  # type: ignore[attr-defined]
        process.start()
        return process

    def finish(self, process: ForkServerProcess, timeout: float = 300) -> Done:
        """Wait for a command that was started."""
        process.join(timeout)
        assert process.exitcode is not None, "the command did not end"
        return Done(process.exitcode, self.said(process))

    def said(self, process: ForkServerProcess) -> str:
        """What a command has printed so far."""
        out: Path = process.out  # type: ignore[attr-defined]
        return " ".join(out.read_text("utf-8").split()) if out.exists() else ""

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        return rows_of(self.published, select)

    def digests(self) -> dict[str, str]:
        """Digest by table of the last publication, but for what checks were counted on."""
        last = "(select max(publication_id) from bi.publication)"
        rows = self.rows(f"select table_name, digest from bi.publication_digest where publication_id = {last}")
        return {name: digest for name, digest in rows if name != "rpt_check"}

    def values(self) -> dict[tuple[str, ...], tuple[Any, ...]]:
        columns = "indicator_id, level_code, scope_code, period_code, value, value_status, coverage"
        return {row[:4]: row[4:] for row in self.rows(f"select {columns} from bi.rpt_indicator_value")}

    def states(self) -> dict[str, str]:
        """State by file name, as published."""
        return dict(self.rows("select file_name, state from bi.rpt_delivery"))

    def receipt(self, file_name: str) -> Receipt:
        return next(r for r in self.landing.receipts() if r.file_name == file_name)

    def drop(self, path: str, text: str | bytes) -> None:
        """Put a finished file into a folder of the project: files that changed a moment ago are left alone."""
        target = self.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        past = time.time() - 2 * SETTLE_SECONDS
        os.utime(target, (past, past))

    def declare(self, path: str, content: object) -> None:
        """Write a declaration of the project."""
        self.drop(path, yaml.safe_dump(content, allow_unicode=True, sort_keys=False))

    def copy(self, folder: Path) -> Deployment:
        """The same project and home in another folder."""
        for part in ("project", "home"):
            if (self.folder / part).exists():
                shutil.copytree(self.folder / part, folder / part)
        return Deployment(folder)


def _call(arguments: tuple[str, ...], env: dict[str, str], out: Path) -> None:
    """In the new process: the command, with its own output and environment."""
    descriptor = os.open(out, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ.pop("DAGSTER_HOME", None)
    os.environ.update(env)
    sys.argv = ["keten", *arguments]
    from pipelines.cli import main

    main()


READINGS = "meter,day,kwh"
WASTE = "collector,site,day,stream,kg"


def tiny(folder: Path) -> Deployment:
    """One site of 365 m² with one meter and one collector, January and February 2025: a few hundred rows."""
    made = Deployment(folder)
    made.declare(
        "keten.yml",
        {"organisation": "Tiny", "zone": "Europe/Amsterdam", "reporting": {"from": "2025-01", "to": "2025-02"}},
    )
    same = {"party": ("party_id", "party_name", "role_code"), "site": ("site_id", "site_name", "client_id")}
    mappings: dict[str, dict[str, Any]] = {
        "party": {name: {"from": name} for name in same["party"]},
        "site": {
            **{name: {"from": name} for name in same["site"]},
            "floor_area_go_m2": {"from": "m2"},
            "in_use_from": {"value": "2010-01-01"},
        },
        "meter": {
            **{name: {"from": name} for name in ("meter_id", "site_id")},
            "carrier_code": {"value": "electricity"},
            "unit_code": {"value": "kWh"},
            "interval_minutes": {"value": "1440"},
            "valid_from": {"value": "2010-01-01"},
        },
        "meter_reading": {
            "meter_id": {"from": "meter"},
            "stamp": {"from": "day", "format": "%Y-%m-%d"},
            "quantity": {"from": "kwh", "unit": "kWh"},
            "register_code": {"value": "1.8.0"},
            "kind_code": {"value": "interval"},
        },
        "waste_collection": {
            "collector_id": {"from": "collector"},
            "site_id": {"from": "site"},
            "period_from": {"from": "day", "format": "%Y-%m-%d"},
            "period_to": {"from": "day", "format": "%Y-%m-%d", "shift": "1 day"},
            "stream_code": {"from": "stream", "codes": {"rest": "residual"}},
            "container_code": {"value": "1100L"},
            "treatment_code": {"value": "energy_recovery"},
            "mass_kg": {"from": "kg", "unit": "kg"},
        },
    }
    sources = []
    for dataset, columns in mappings.items():
        mapping: dict[str, Any] = {"title": dataset, "files": f"{dataset}_2*.csv", "columns": columns}
        mapping["issued_at"] = {"pattern": r"_(\d{8})\.", "format": "%Y%m%d"}
        if dataset == "meter_reading":
            mapping["time"] = {"zone": "UTC", "site_zone": "UTC", "stamp": "start", "interval_minutes": 1440}
        made.declare(f"mappings/us__{dataset}.yml", mapping)
        sources.append({"dataset": dataset, "origin": "us", "path": "data"})
    made.declare("sources.yml", {"sources": sources})
    made.drop(
        "data/party_20250101.csv",
        "party_id,party_name,role_code\nC,Client,client\nW,Collector,contractor\nV,Other,contractor\n",
    )
    made.drop("data/site_20250101.csv", "site_id,site_name,client_id,m2\nS,Site,C,365\n")
    made.drop("data/meter_20250101.csv", "meter_id,site_id\nE,S\n")
    for month, days in ((1, 31), (2, 28)):
        rows = [f"E,2025-{month:02d}-{day:02d},10" for day in range(1, days + 1)]
        made.drop(f"data/meter_reading_2025{month:02d}28.csv", "\n".join([READINGS, *rows]) + "\n")
        waste = [f"W,S,2025-{month:02d}-{day:02d},rest,60" for day in (3, 10, 17, 24)]
        made.drop(f"data/waste_collection_2025{month:02d}28.csv", "\n".join([WASTE, *waste]) + "\n")
    return made
