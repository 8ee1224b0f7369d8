"""Generate the demo deployment: `python -m demo.generate --out DIR`.

Belongs here: the command line, and putting the themes together. Does not belong here: anything the product needs to run,
and what a sender sends (the themes). The same seed and size give the same bytes. All names are fictional.
"""

from __future__ import annotations

import argparse
import os
import shutil
from datetime import datetime
from pathlib import Path

from demo.calendar import months
from demo.energy import energy
from demo.figures import all_sites
from demo.master import master
from demo.money import money
from demo.people import people
from demo.programme import programme
from demo.waste import waste
from demo.weather import weather
from demo.writing import Demo, Writer

THEMES = (master, weather, energy, waste, people, money, programme)
SITES = len(all_sites())


def generate(
    out: Path,
    seed: int = 2026,
    sites: int = SITES,
    month_count: int = 36,
    interval_share: float = 0.35,
    hold_back: bool = False,
) -> None:
    """Write the deployment folder as a whole, or not at all."""
    building = out.with_name(f".{out.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    span = months(month_count)
    demo = Demo(Writer(building), span, all_sites()[:sites], seed, interval_share, hold_back)
    demo.writer.declare()
    demo.writer.yaml(
        "keten.yml",
        {
            "organisation": "Meander Verzekeringen en Hogeschool De Linde (fictief)",
            "languages": ["nl", "en"],
            "zone": "Europe/Amsterdam",
            "reporting": {"from": f"{span[0]:%Y-%m}", "to": f"{span[-1]:%Y-%m}"},
        },
    )
    for theme in THEMES:
        theme(demo)
    demo.writer.yaml("planted.yml", demo.planted)
    past = datetime(2026, 4, 1).timestamp()
    for path in building.rglob("*"):
        os.utime(path, (past, past))
    os.replace(building, out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.generate", description="Generate the synthetic demo deployment, which ends in June 2026."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to make; must not exist")
    parser.add_argument("--seed", type=int, default=2026, help="same seed, same bytes (default 2026)")
    parser.add_argument(
        "--sites", type=int, default=SITES, choices=range(1, SITES + 1), help=f"number (default {SITES})"
    )
    parser.add_argument(
        "--months", type=int, default=36, help="number of months until June 2026 (default 36, at least 4)"
    )
    parser.add_argument(
        "--interval-share", type=float, default=0.35, help="share of sites with quarter-hours (default 0.35)"
    )
    parser.add_argument("--hold-back", action="store_true", help="keep what mends earlier deliveries in OUT/later")
    chosen = parser.parse_args()
    if chosen.out.exists():
        parser.error(f"{chosen.out} exists; remove it or choose another folder")
    if chosen.months < 4:
        parser.error("--months is at least 4: the planted events need them")
    if not 0 <= chosen.interval_share <= 1:
        parser.error("--interval-share lies between 0 and 1")
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    generate(chosen.out, chosen.seed, chosen.sites, chosen.months, chosen.interval_share, chosen.hold_back)


if __name__ == "__main__":
    main()
