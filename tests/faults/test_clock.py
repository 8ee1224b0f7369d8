"""Clocks that jump: the order of deliveries is that of their coming, and a file dated in the future is taken all the same."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assets.pulling import pull
from resources import landing as landing_zone
from resources.catalogue.reading import load_catalogue
from resources.landing import Delivery, Landing, sha256_of
from resources.landing.finished import AHEAD_SECONDS, SETTLE_SECONDS, finished_files
from tests.deployment import READINGS, Deployment
from tests.faults.soundness import results

FEBRUARY = (
    "select amount from bi.fact_indicator_month where indicator_id = 'energy_intensity' and component = 'energy_kwh'"
    " and month = '2025-02-01'"
)


def set_clock(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    moment = (datetime.now(UTC) + timedelta(days=days)).replace(tzinfo=None).isoformat(timespec="microseconds")
    monkeypatch.setattr(landing_zone, "now_utc", lambda: moment)


@pytest.mark.parametrize("jumps", [(0, -1), (0, 365, 0), (0, -3650, 1), (0, 0, 0)], ids=str)
def test_deliveries_keep_the_order_of_their_coming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jumps: tuple[int, ...]
) -> None:
    for number, days in enumerate(jumps):
        source = tmp_path / f"{number}.csv"
        source.write_text(str(number), "utf-8")
        set_clock(monkeypatch, days)
        landing = Landing(tmp_path / "landing")  # another process each time
        landing.land(Delivery(source, source.name, "us", "site", sha256_of(source), False), None, landing.moment())
    received = Landing(tmp_path / "landing").receipts()
    assert [r.file_name for r in received] == [f"{number}.csv" for number in range(len(jumps))]
    assert len({r.received_at for r in received}) == len(jumps)


def test_a_correction_counts_though_the_clock_was_a_year_ahead_when_the_first_one_came(
    small: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = small.copy(tmp_path)
    made.drop("data/meter_reading_2a.csv", f"{READINGS}\nE,2025-02-03,50\n")
    set_clock(monkeypatch, 365)
    pull(load_catalogue(made.project), made.project, made.landing, "meter_reading")
    assert made.receipt("meter_reading_2a.csv").issued_at is None, "nothing but the clock tells when it came"
    made.drop("data/meter_reading_2b.csv", f"{READINGS}\nE,2025-02-03,70\n")
    told = made.keten("run")
    assert "before the last delivery was received" in told and "set the clock right" in told
    assert made.rows(FEBRUARY) == [(27 * 10 + 70,)]


def test_a_reference_day_a_year_ahead_leaves_nothing_behind(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.declare("keten.yml", {"organisation": "Tiny", "zone": "Europe/Amsterdam", "reporting": {"from": "2025-01"}})
    made.keten("run", env={"KETEN_AS_OF": "2025-04-02"})
    before = results(made)
    made.keten("run", env={"KETEN_AS_OF": "2026-04-02"})
    assert results(made) != before
    made.keten("run", env={"KETEN_AS_OF": "2025-04-02"})
    assert results(made) == before


def test_a_day_that_is_none_is_told(small: Deployment) -> None:
    told = small.keten("run", env={"KETEN_AS_OF": "2026-13-01"}, code=2)
    assert "KETEN_AS_OF '2026-13-01' is not a day; write it as 2026-07-02, or unset it" in told


@pytest.mark.parametrize(
    ("age", "is_finished"),
    [
        pytest.param(SETTLE_SECONDS + 5, True, id="settled"),
        pytest.param(SETTLE_SECONDS - 5, False, id="being written"),
        pytest.param(-3600, False, id="being written on a server whose clock is an hour ahead"),
        pytest.param(-AHEAD_SECONDS - 5, True, id="dated wrong"),
        pytest.param(-365 * 86400, True, id="dated a year ahead"),
    ],
)
def test_a_file_is_taken_once_nobody_can_be_writing_it(tmp_path: Path, age: float, is_finished: bool) -> None:
    path, now = tmp_path / "file.csv", time.time()
    path.touch()
    os.utime(path, (now - age, now - age))
    finished, young = finished_files(tmp_path, ("*.csv",), now)
    assert (finished, young) == (([path], []) if is_finished else ([], [path]))
