"""`make bench-growth`: what one more month costs after ten years beside after one, and how a full refresh grows.

Belongs here: loading the demo with more and less history, adding the newest month or correcting the oldest one to each in
turn, each in a process of its own, and printing ratios. Does not belong here: what the demo's senders send (demo).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks import by_keten
from benchmarks.data import Delivery
from benchmarks.intake import peak_gib, processor_seconds
from demo.generate import SITES, generate

SPANS = (12, 60, 120)
# The demo ends in June 2026, whose deliveries its senders send in July. On the 10th of July a list of emission factors
# becomes known, and then all months are computed again: that is another cost than that of a month.
LOADED_ON, NEXT_ON, NEWEST = "2026-06-30", "2026-07-05", "issued-202607"
Figures = dict[str, float]
# What was set out to be reached: the cost of the newest month on 120 months, in that on 12. It was set for that alone; a
# correction in the oldest month is measured beside it, to be seen when it changes.
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

    def newest_month(self) -> Figures:
        """The cost of the newest month, the reporting months growing with it."""
        self._move(self.folder / "held", self.project)
        try:
            return self._again(NEXT_ON)
        finally:
            self._move(self.project, self.folder / "held")

    def late_correction(self) -> Figures:
        """The cost of one corrected meter reading in the oldest month."""
        corrected = self._corrected()
        try:
            return self._again(LOADED_ON)
        finally:
            corrected.unlink()

    def _again(self, as_of: str) -> Figures:
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


def _report(console: Console, folder: Path, rounds: int) -> int:
    """Load, measure in turn and print; 1 when the goal is not reached."""
    grown: dict[int, Grown] = {}
    for months in SPANS:
        console.print(f"loading {months} months of {SITES} sites in one run ...")
        grown[months] = Grown(folder, months)
    _print_loading(console, {months: one.loading for months, one in grown.items()})
    kinds: dict[str, tuple[Callable[[Grown], Figures], float | None]] = {
        "the newest month": (Grown.newest_month, GOAL),
        "a correction in the oldest month": (Grown.late_correction, None),
    }
    found: dict[str, dict[int, list[Figures]]] = {kind: {months: [] for months in SPANS} for kind in kinds}
    for turn in range(rounds):
        console.print(f"round {turn + 1} of {rounds}")
        for kind, (measure, _) in kinds.items():
            for months in SPANS:
                found[kind][months].append(measure(grown[months]))
    reached = [_print_one_more(console, kind, measured, kinds[kind][1]) for kind, measured in found.items()]
    return 0 if all(reached) else 1


def _print_loading(console: Console, loading: dict[int, Figures]) -> None:
    table = Table("full refresh, months", "seconds", "processor s", "processor s per month", "memory GiB")
    for months, figures in loading.items():
        told = (figures["wall"], figures["cpu"], figures["cpu"] / months, figures["memory"])
        table.add_row(str(months), *(f"{figure:.2f}" for figure in told))
    console.print(table)
    middle, most = SPANS[1:]
    steps = {months: loading[months]["cpu"] - loading[SPANS[0]]["cpu"] for months in (middle, most)}
    pace = {months: step / (months - SPANS[0]) for months, step in steps.items()}
    console.print(
        f"processor s for each month beyond {SPANS[0]}: {pace[middle]:.3f} up to {middle}, {pace[most]:.3f} up to {most};"
        f" in a ratio of {pace[most] / pace[middle]:.2f}, and 1 is linear"
    )


def _print_one_more(console: Console, kind: str, measured: dict[int, list[Figures]], goal: float | None) -> bool:
    """Print the cost of one kind of change; whether its goal is reached, which holds too when it has none."""
    table = Table(f"{kind}, months loaded", "seconds", "processor s", "processor s, all rounds", "memory GiB")
    medians = {m: {key: median(turn[key] for turn in turns) for key in turns[0]} for m, turns in measured.items()}
    for months, figures in medians.items():
        every = ", ".join(f"{turn['cpu']:.1f}" for turn in measured[months])
        told = [f"{figures[key]:.2f}" for key in ("wall", "cpu", "memory")]
        table.add_row(str(months), *told[:2], every, told[2])
    console.print(table)
    # In turn, so that what else the machine does weighs on both; the processor's time feels it least.
    few, many = SPANS[0], SPANS[-1]
    ratio = median(m["cpu"] / f["cpu"] for f, m in zip(measured[few], measured[many], strict=True))
    if goal is None:
        console.print(f"on {many} months {ratio:.2f} times that on {few}; no goal was set for it")
        return True
    verdict = "reached" if ratio <= goal else "NOT reached"
    console.print(f"goal: on {many} months at most {goal} times that on {few}: {ratio:.2f}, {verdict}")
    return ratio <= goal


def _in_process(folder: Path, as_of: str) -> Figures:
    command = [sys.executable, "-m", "benchmarks.growth", "--one", str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "KETEN_AS_OF": as_of}
    )
    if done.returncode:
        raise SystemExit(f"a run failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _measure(folder: Path) -> Figures:
    """Seconds by the clock and of the processor of one run, imports left out, and the peak of memory in GiB."""
    nothing = Path()
    by_keten.prepare(folder / "home")
    used, start = processor_seconds(), time.perf_counter()
    by_keten.work(Delivery(folder / "project", nothing, nothing, nothing), folder / "home")
    return {"wall": time.perf_counter() - start, "cpu": processor_seconds() - used, "memory": peak_gib()}


if __name__ == "__main__":
    main()
