"""The main job on a demo: what is published, what a change touches, and what survives a kill.

Runs are whole processes, as a user starts them, on one small demo that the tests of this module share or copy.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from demo.generate import generate
from resources.published import rows_of

ROOT = Path(__file__).resolve().parent.parent


class Deployment:
    """A deployment folder with its home."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.home = folder / "home"
        self.published = self.home / "published" / "bi.duckdb"

    def keten(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            self._command(arguments), env=self._env(), cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        text = done.stdout + done.stderr
        assert not check or done.returncode == 0, text
        return " ".join(text.split())

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            self._command(arguments),
            env=self._env(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def rows(self, select: str) -> list:
        return rows_of(self.published, select)

    def digests(self) -> dict:
        last = "(select max(publication_id) from bi.publication)"
        rows = self.rows(f"select table_name, digest from bi.publication_digest where publication_id = {last}")
        told = {"rpt_delivery", "rpt_check"}  # they name the run's own times
        return {name: digest for name, digest in rows if name not in told}

    def values(self) -> dict:
        rows = self.rows(
            "select indicator_id, level_code, scope_code, period_code, value, value_status, coverage from bi.rpt_indicator_value"
        )
        return {row[:4]: row[4:] for row in rows}

    def _command(self, arguments: tuple) -> list:
        return [sys.executable, "-m", "pipelines.cli", *arguments]

    def _env(self) -> dict:
        return {
            **os.environ,
            "KETEN_HOME": str(self.home),
            "KETEN_PROJECT": str(self.project),
            "KETEN_AS_OF": "2026-04-02",
        }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    made = Deployment(tmp_path_factory.mktemp("first"))
    generate(made.project, month_count=4)
    made.keten("run")
    return made


def copy(made: Deployment, folder: Path) -> Deployment:
    shutil.copytree(made.project, folder / "project")
    shutil.copytree(made.home, folder / "home")
    return Deployment(folder)


def drop(made: Deployment, path: str, text: str) -> None:
    """Put a finished file into the drop folder: files changed in the last half minute are left alone."""
    target = made.project / "data" / path
    target.write_text(text, "utf-8")
    past = time.time() - 60
    os.utime(target, (past, past))


def test_every_row_is_accounted_for_and_the_planted_events_are_found(first: Deployment) -> None:
    counts = {
        row[0]: row[1:]
        for row in first.rows(
            "select dataset, sum(received_rows), sum(accepted_rows), sum(quarantined_rows), sum(ignored_rows),"
            " sum(restating_rows), sum(withdrawing_rows) from bi.rpt_delivery group by 1"
        )
    }
    for received, accepted, quarantined, ignored, *_ in counts.values():
        assert received == accepted + quarantined + ignored > 0
    planted = {p["id"]: p for p in yaml.safe_load((first.project / "planted.yml").read_text("utf-8"))}
    assert counts["meter_reading"][4] == planted["late_correction"]["rows"]
    assert counts["waste_collection"][5] == planted["three_rows_fewer"]["rows"]
    reasons = sorted(r[0] for r in first.rows("select reasons from bi.rpt_rejected_row"))
    assert reasons == ["not_a_number:mass_kg", "unknown_code:stream_code"]
    files = [r[0] for r in first.rows("select file_name from bi.rpt_delivery")]
    assert not any("per_medewerker" in f for f in files), "a list with names was kept"
    assert len([f for f in files if "UTR_2025-03" in f]) == 1, "the same bytes twice are one receipt"
    kept = b"".join(p.read_bytes() for p in (first.home / "landing").rglob("*") if p.is_file())
    assert b"111222333" not in kept and b"J. Voorbeeld" not in kept


def test_nothing_new_starts_no_run(first: Deployment) -> None:
    before = first.rows("select max(publication_id) from bi.publication")
    assert "no run was started" in first.keten("run")
    assert first.rows("select max(publication_id) from bi.publication") == before


def test_rebuild_gives_the_same_digests(first: Deployment, tmp_path: Path) -> None:
    made = copy(first, tmp_path)
    (made.home / "engine.duckdb").unlink()
    before = made.digests()
    made.keten("rebuild")
    assert made.digests() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("energy_intensity", "--site", "UTR", "--period", "2025-03"),
        ("residual_waste_per_fte", "--site", "AMF", "--period", "2025-Q2"),
        ("sickness_absence_share", "--period", "2025-04"),
        ("twelve_month_programme_progress", "--period", "2025-06"),
    ],
)
def test_trace_recomputes_what_is_published(first: Deployment, arguments: tuple) -> None:
    engine = (first.home / "engine.duckdb").read_bytes()
    text = first.keten("trace", *arguments)
    assert text.endswith("equal") and "NOT EQUAL" not in text
    assert (first.home / "engine.duckdb").read_bytes() == engine, "a trace opened the engine"


def test_one_changed_reading_changes_exactly_its_closure(first: Deployment, tmp_path: Path) -> None:
    made = copy(first, tmp_path)
    before = made.values()
    source = next((made.project / "data/meetbedrijf").glob("kwartierwaarden_AMF_2025-04_*"))
    lines = gzip.decompress(source.read_bytes()).decode().splitlines()
    ean, stamp, *_ = lines[500].split(";")
    drop(
        made,
        "meetbedrijf/kwartierwaarden_AMF_correctie_issued-20260101T0600.csv",
        f"{lines[0]}\n{ean};{stamp};77,000;Gecorrigeerd\n",
    )
    made.keten("run")
    after = made.values()
    changed = {key for key in before if before[key] != after[key]}
    assert after.keys() == before.keys()
    assert {k[0] for k in changed} == {"energy_intensity"}
    assert {k[3] for k in changed} == {"2025-04", "2025-Q2", "2025"} | {f"2025-{m:02d}~12" for m in (4, 5, 6)}
    assert {k[2] for k in changed} >= {"total"} and not any("UTR" in k[2] for k in changed)
    told = made.rows("select count(*) from bi.publication_value_change where publication_id = 2")
    assert told == [(len(changed),)]
