"""`make bench`: what the product costs beside the same work by hand, and by pandas with Great Expectations.

Belongs here: running the contenders, each in a process of its own, comparing what they deliver, printing ratios.
Does not belong here: the contenders' own work.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.data import Delivery, generate
from resources.engine import Engine
from resources.publication.digest import table_digest

CONTENDERS = {
    "a": ("floor", "bare typed read"),
    "b": ("by_hand", "hand-written SQL"),
    "c": ("by_pandas", "pandas + Great Expectations"),
    "d": ("by_keten", "the product, through Dagster"),
}
COLUMNS = {
    "accepted": ("meter_id", "start_utc", "end_utc", "local_date", "quantity", "row_no"),
    "quarantine": ("row_no", "reasons", "row_text"),
    "ignored": ("row_no", "reason"),
    "day": ("meter_id", "local_date", "energy_kwh"),
    "month": ("site_id", "month", "energy_kwh"),
    "intensity": ("site_id", "month", "kwh_per_m2"),
}
# What was set out to be reached: name, the ratio's two sides or a figure, and the limit.
GOALS = (("d / b", 2.0), ("d / c", 1.0), ("memory of d, GiB", 2.0))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=__doc__)
    parser.add_argument("--rows", type=int, default=8_000_000, help="readings in the delivery (default 8 million)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of b, c and d in turn (default 3)")
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(_measure(chosen.one, chosen.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="keten-bench-") as folder:
        sys.exit(_compare(Path(folder), chosen.rows, chosen.rounds))


def _compare(folder: Path, rows: int, rounds: int) -> int:
    console = Console(width=130)
    console.print(f"making a delivery of {rows:,} quarter-hours, one in a thousand at fault ...")
    generate(folder / "project", rows)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    digests: dict[str, dict[str, Any]] = {}
    for turn in range(rounds):
        for name, (_, title) in CONTENDERS.items():
            console.print(f"round {turn + 1} of {rounds}: {title}")
            runs[name].append(_in_process(name, folder))
            if name != "a" and turn == 0:
                digests[name] = _digests(name, folder)
    return _report(console, runs, digests)


def _in_process(name: str, folder: Path) -> dict[str, float]:
    shutil.rmtree(folder / f"out-{name}", ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.intake", "--one", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _measure(name: str, folder: Path) -> dict[str, float]:
    """Seconds of start and of work, those of the processor for the work, and the peak of memory in GiB, of this process."""
    contender = importlib.import_module(f"benchmarks.{CONTENDERS[name][0]}")
    project = folder / "project"
    data = project / "data"
    readings, meters = data / "meetbedrijf/kwartierwaarden_2025.csv", data / "meetbedrijf/meters.csv"
    delivery = Delivery(project, readings, data / "klant/locaties.csv", meters)
    start = time.perf_counter()
    contender.prepare(folder / f"out-{name}")
    ready, used = time.perf_counter(), processor_seconds()
    contender.work(delivery, folder / f"out-{name}")
    done = time.perf_counter()
    return {"start": ready - start, "work": done - ready, "cpu": processor_seconds() - used, "memory": peak_gib()}


def processor_seconds() -> float:
    """Processor time of this process so far, of all its threads; other work on the machine hardly changes it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_gib() -> float:
    """Peak of resident memory since this program started; `getrusage` would count what its parent held at the fork."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**3  # macOS counts bytes


def _digests(name: str, folder: Path) -> dict[str, Any]:
    """Rows and digest of each output."""
    contender = importlib.import_module(f"benchmarks.{CONTENDERS[name][0]}")
    selects = dict(contender.outputs(folder / f"out-{name}"))
    with Engine(None, folder / "spill") as engine:
        connection = engine.connection
        for statement in selects.pop("attach", "").split(";"):
            connection.execute(statement)
        return {o: table_digest(connection, f"({select})", COLUMNS[o]) for o, select in selects.items()}


def _report(console: Console, runs: dict[str, list[dict[str, float]]], digests: dict[str, dict[str, Any]]) -> int:
    table = Table(
        "contender", "start s", "work s", "all rounds", "processor s", "GiB", "work / b", "work / c", "proc. / b"
    )
    medians = {n: {k: statistics.median(r[k] for r in mine) for k in mine[0]} for n, mine in runs.items()}
    ratios = {
        (n, other, kind): statistics.median(r[kind] / o[kind] for r, o in zip(runs[n], runs[other], strict=True))
        for n in runs
        for other in "bc"
        for kind in ("work", "cpu")
    }
    for name, (_, title) in CONTENDERS.items():
        figures, every = medians[name], ", ".join(f"{r['work']:.1f}" for r in runs[name])
        table.add_row(
            f"{name}: {title}",
            f"{figures['start']:.1f}",
            f"{figures['work']:.1f}",
            every,
            f"{figures['cpu']:.1f}",
            f"{figures['memory']:.2f}",
            f"{ratios[name, 'b', 'work']:.2f}",
            f"{ratios[name, 'c', 'work']:.2f}",
            f"{ratios[name, 'b', 'cpu']:.2f}",
        )
    console.print(table)
    console.print("start: imports, and for d the databases of Dagster itself, which a deployment makes once")
    reached = {f"d / {other}": ratios["d", other, "work"] for other in "bc"}
    reached["memory of d, GiB"] = medians["d"]["memory"]
    for name, limit in GOALS:
        verdict = "reached" if reached[name] <= limit else "NOT reached"
        console.print(f"goal: {name} at most {limit}: {reached[name]:.2f}, {verdict}")
    different = [o for o in COLUMNS if len({digests[n][o] for n in "bcd"}) > 1]
    for output in COLUMNS:
        told = digests["b"][output] if output not in different else {n: digests[n][output] for n in "bcd"}
        console.print(f"output {output}: {'DIFFERENT' if output in different else 'the same'} {told}")
    return 1 if different else 0


if __name__ == "__main__":
    main()
