"""A plan tells what the next run does, and does nothing itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import running
from pipelines.rehearsal import make_plan
from pipelines.settings import Place
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.progress import SILENT
from resources.publication.difference import Difference, RejectedChange, difference
from tests.deployment import AS_OF, READINGS, Deployment, tiny

WASTE = "collector,site,day,stream,kg"


def digests(folder: Path) -> dict[str, str]:
    """Digest of every file, but for those of the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("run.")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def exactly(found: Difference) -> dict[str, Any]:
    """All of a difference but for the moment at which deliveries were received, which a run has of its own."""
    tables = [t if t.name != "rpt_delivery" else t._replace(digest="") for t in found.tables]
    return {**vars(found), "tables": tables}


def test_a_run_does_what_its_plan_said_and_the_plan_changed_nothing(
    small: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETEN_AS_OF", AS_OF)
    made = small.copy(tmp_path)
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\nE,x,1\n")
    made.drop("data/waste_collection_20250301.csv", f"{WASTE}\nW,S,2025-02-03,rest,60\nW,S,2025-02-10,rest,61\n")
    made.drop("data/party_20250301.csv", "party_id,party_name,role_code\n")
    made.keten("period", "close", "2025-01", "--by", "Anna")
    before, published = (
        digests(tmp_path),
        shutil.copy(made.published, tmp_path.parent / f"{tmp_path.name}-before.duckdb"),
    )

    plan = make_plan(Place(made.home, made.project), load_catalogue(made.project), (), SILENT)

    assert digests(tmp_path) == before and not (made.home / "plan.tmp").exists()
    assert plan.publishes and plan.changes
    assert {d.file_name: d.state for d in plan.changes.deliveries} == {
        "meter_reading_20250301.csv": "loaded",
        "waste_collection_20250301.csv": "loaded",
        "party_20250301.csv": "held",
    }
    assert plan.months == {"2025-01": "meter_reading", "2025-02": "waste_collection"}
    assert plan.changes.rejected == [RejectedChange("meter_reading", "not_a_date:stamp", 1, 0)]

    made.keten("run")
    assert exactly(difference(Path(published), made.published)) == exactly(plan.changes)
    assert made.rows("select publication_status from bi.rpt_period where month = '2025-01-01'") == [("provisional",)]


def test_a_plan_is_told_like_a_diff_and_by_how_it_ends(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    text = made.keten("plan", "--from", "2025-02", code=0)
    assert "2025-02: gevraagd / asked for" in text and "every published row would stay what it is" in text
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\n")
    made.drop("data/meter_reading_20250302.csv", "meter,day,kwh,BSN\nE,2025-01-06,9,111222333\n")
    text = made.keten("plan", code=3)
    for line in (
        "Deliveries + meter_reading meter_reading_20250301.csv (us__meter_reading-",
        "! meter_reading_20250302.csv refused: personal data in BSN",
        "Months computed again ~ 2025-01: meter_reading",
        "2025-01 total: 10.0 -> 12.9 kWh/m² per year",
        "~ rpt_delivery: 7 -> 8 rows",
        "nothing has been changed yet",
    ):
        assert line in text


def test_a_run_that_would_fail_is_told(small: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small.copy(tmp_path)
    monkeypatch.setattr(running, "execute", lambda *_, **__: running.Outcome(True, False, "the total is not its parts"))
    with pytest.raises(KetenError, match="a run would fail and publish nothing: the total is not its parts"):
        make_plan(Place(made.home, made.project), load_catalogue(made.project), ("2025-01",), SILENT)
    assert not (made.home / "plan.tmp").exists()


def test_a_plan_that_was_killed_is_swept_away_by_the_next(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    process = made.start("plan")
    while not (made.home / "plan.tmp").exists():
        assert process.is_alive(), made.said(process)
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert (made.home / "plan.tmp").exists()
    made.keten("run")
    assert not (made.home / "plan.tmp").exists()
    assert "would start no run" in made.keten("plan"), "nothing is new, so there is nothing to rehearse"


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        (
            "update bi.rpt_check set outcome = 'failed' where check_id = 'conservation'",
            {"checks": [("rpt_delivery", "conservation", "failed", "passed")]},
        ),
        (
            "update bi.rpt_delivery set state = 'held' where dataset = 'site'",
            {"deliveries": [("site", "held", "loaded")]},
        ),
        (
            "insert into bi.rpt_rejected_row values ('site', 'r', 1, 1, 'unknown_code:x', 'Vraag.', 'Ask.', 'text', 1)",
            {"rejected": [("site", "unknown_code:x", 0, 1)]},
        ),
        (
            "update bi.rpt_indicator_value set value = 1 where indicator_id = 'energy_intensity' and scope_code = 'total'"
            " and period_code = '2025-02'",
            {"indicators": [("energy_intensity", 1, 0, 0, 0, "2025-02")]},
        ),
        (
            "delete from bi.rpt_indicator_value where indicator_id = 'energy_intensity' and scope_code = 'total'"
            " and period_code = '2025-02'",
            {"indicators": [("energy_intensity", 0, 1, 0, 0, "2025-02")]},
        ),
    ],
)
def test_each_kind_of_difference_is_found(
    small: Deployment, tmp_path: Path, earlier: str, expected: dict[str, Any]
) -> None:
    before = tmp_path / "before.duckdb"
    before.write_bytes(small.published.read_bytes())
    with duckdb.connect(str(before)) as connection:
        connection.execute("use before")
        connection.execute(earlier)
    found = difference(before, small.published)
    told = {
        "checks": [(c.table.removeprefix("bi."), c.check_id, c.before, c.after) for c in found.checks],
        "deliveries": [(d.dataset, d.state_before, d.state) for d in found.deliveries],
        "rejected": [tuple(r) for r in found.rejected],
        "indicators": [tuple(i)[:6] for i in found.indicators],
    }
    assert {name: rows for name, rows in told.items() if rows} == expected


def test_a_file_of_an_earlier_version_is_compared_by_what_it_has(small: Deployment, tmp_path: Path) -> None:
    before = tmp_path / "before.duckdb"
    before.write_bytes(small.published.read_bytes())
    with duckdb.connect(str(before)) as connection:
        connection.execute("use before; alter table bi.rpt_indicator_value drop coverage; drop table bi.rpt_check")
    found = difference(before, small.published)
    assert found.indicators and {item.changed for item in found.indicators} == {0}
    assert found.checks == [], "a check that is new and passes is no news"
