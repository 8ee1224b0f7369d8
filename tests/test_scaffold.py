"""Adding an indicator touches three new files and no existing one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assets.scaffold import write_indicator
from resources.errors import KetenError
from tests.deployment import AS_OF, tiny

ROOT = Path(__file__).resolve().parent.parent


def files(folder: Path) -> dict[str, bytes]:
    kept = (
        p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts and ".pytest_cache" not in p.parts
    )
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in kept}


def test_a_new_indicator_is_published_checked_and_traced_with_three_files(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for room in ("assets", "dbt_like_sql", "demo", "pipelines", "resources", "tests"):
        shutil.copytree(ROOT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", checkout)
    before = files(checkout)
    made = tiny(tmp_path)
    env = {**os.environ, "KETEN_HOME": str(made.home), "KETEN_PROJECT": str(made.project), "KETEN_AS_OF": AS_OF}
    env["PYTHONPATH"] = str(checkout)

    def here(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=checkout, env=env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    here("pipelines.cli", "new-indicator", "planet", "waste_of_a_site")
    after = files(checkout)
    assert {path: after[path] for path in before} == before
    assert sorted(after.keys() - before.keys()) == [
        "dbt_like_sql/indicators/planet/waste_of_a_site.sql",
        "dbt_like_sql/indicators/planet/waste_of_a_site.yml",
        "tests/golden/waste_of_a_site.yml",
    ]
    assert "catalogue is sound" in here("pipelines.cli", "catalogue", "--check")
    assert "4 passed" in here(
        "pytest", "-q", "-p", "no:cacheprovider", "-n0", "tests/test_golden.py", "-k", "waste_of_a_site"
    )
    here("pipelines.cli", "run")
    value = "select value from bi.rpt_indicator_value where indicator_id = 'waste_of_a_site' and scope_code = 'site=S'"
    assert made.rows(f"{value} and period_code = '2025-01'") == [(240,)]
    assert made.rows("select title_en from bi.dim_indicator where indicator_id = 'waste_of_a_site'") == [
        ("Waste of a site",)
    ]
    outcomes = made.rows("select distinct outcome from bi.rpt_check where table_name = 'indicator.waste_of_a_site'")
    assert outcomes == [("passed",)]
    traced = here("pipelines.cli", "trace", "waste_of_a_site", "--site", "S", "--period", "2025-01")
    assert traced.endswith("equal") and "waste_collection_20250128.csv 2-5 4" in traced


@pytest.mark.parametrize(
    ("pillar", "name", "words"),
    [
        ("profit", "my_indicator", "'profit' is not a pillar"),
        ("planet", "My-Indicator", "is not a name; use snake_case"),
        ("planet", "energy_intensity", "exists; choose another name"),
    ],
)
def test_a_name_that_will_not_do_is_told(pillar: str, name: str, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        write_indicator(pillar, name)
