"""`make bench-growth`: what one more month costs after ten years beside after one, and how a full refresh grows.

Belongs here: loading the demo with more and less history, adding the newest month or correcting the oldest one to each in
turn, each in a process of its own, and printing ratios. Does not belong here: what the demo's senders send (demo).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks import by_keten
from benchmarks.data import Delivery
from benchmarks.intake import peak_gib
from demo.generate import SITES, generate

SPANS = (12, 60, 120)
# The demo ends in June 2026, whose deliveries its senders send in July.
LOADED_ON, NEXT_ON, NEWEST = "2026-06-30", "2026-07-31", "issued-202607"
# What was set out to be reached: the cost of one more month on 120 months, in that on 12.
GOAL = 1.3


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of one more month on each in turn (default 5)")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(_measure(chosen.one)))
        return
    with tempfile.TemporaryDirectory(prefix="keten-growth-") as folder:
        sys.exit(_report(Console(width=110), Path(folder), chosen.rounds))


class Grown:
    """The demo with some months of history loaded, its next month held back."""

    def __init__(self, folder: Path, months: int) -> None:
        self.folder = folder / f"{months}-months"
        self.project = self.folder / "project"
        self.months = months
        generate(self.project, month_count=months + 1)
        self._let_the_end_follow_the_day()
        self.newest = [path.relative_to(self.project) for path in sorted(self.project.glob(f"data/*/*{NEWEST}*"))]
        self._move(self.project, self.folder / "held")
        self.loading = _in_process(self.folder, LOADED_ON)
        shutil.copytree(self.folder / "home", self.folder / "loaded")

    def _let_the_end_follow_the_day(self) -> None:
        """Reporting months without a last one, as in a deployment that goes on."""
        settings = self.project / "keten.yml"
        content = yaml.safe_load(settings.read_text("utf-8"))
        del content["reporting"]["to"]
        settings.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")

    def _move(self, source: Path, target: Path) -> None:
        for path in self.newest:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source / path, target / path)

    def newest_month(self) -> dict[str, float]:
        """The cost of the newest month, the reporting months growing with it."""
        self._move(self.folder / "held", self.project)
        try:
            return self._again(NEXT_ON)
        finally:
            self._move(self.project, self.folder / "held")

    def late_correction(self) -> dict[str, float]:
        """The cost of one corrected meter reading in the oldest month."""
        corrected = self._corrected()
        try:
            return self._again(LOADED_ON)
        finally:
            corrected.unlink()

    def _again(self, as_of: str) -> dict[str, float]:
        shutil.rmtree(self.folder / "home")
        shutil.copytree(self.folder / "loaded", self.folder / "home")
        return _in_process(self.folder, as_of)

    def _corrected(self) -> Path:
        """A delivery with the first reading of the oldest file of gas by the day, a digit more."""
        oldest = min((self.project / "data" / "gasportaal").glob("gas_per_dag_*"))
        with oldest.open(encoding="utf-8", newline="") as source:
            (day, meter), (on, quantity) = (row[:2] for row in islice(csv.reader(source, delimiter=";"), 2))
        made = oldest.with_name("gas_per_dag_correctie_issued-20260620T0800.csv")
        made.write_text(f"{day};{meter}\n{on};1{quantity}\n", "utf-8")
        os.utime(made, (oldest.stat().st_mtime, oldest.stat().st_mtime))
        return made


def _in_process(folder: Path, as_of: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", "--one", str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "KETEN_AS_OF": as_of}
    )
    if done.returncode:
        raise SystemExit(f"a run failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _measure(folder: Path) -> dict[str, float]:
    """Seconds by the clock and of the processor of one run, imports left out, and the peak of memory in GiB."""
    nothing = Path()
    by_keten.prepare(folder / "home")
    used, start = _processor(), time.perf_counter()
    by_keten.work(Delivery(folder / "project", nothing, nothing, nothing), folder / "home")
    return {"wall": time.perf_counter() - start, "cpu": _processor() - used, "memory": peak_gib()}


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
