"""Real data of others, and the figures that were published about them.

The deployment in `real/` is taken in by the same job as any other. Every row of the two files with published figures is
either met here, from published or core tables, or named in LEFT_OUT with the reason.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.published import rows_of
from tests.staged import READING, staged

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("KETEN_TEST_DATA") or ROOT.parent / "shared" / "data").resolve()
CAMBRIDGE, SCOTLAND = "cambridge-estates-a", "scotland-household-waste"
LEFT_OUT = {
    "scotland-hou-09": "the carbon impact is a published total per council; no dataset holds stated emissions yet",
    "scotland-hou-10": "the carbon impact is a published total per council; no dataset holds stated emissions yet",
}


def oracle(name: str) -> list[dict[str, str]]:
    path = DATA / name / "oracle.csv"
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} does not exist; set KETEN_TEST_DATA to the folder of the real data", pytrace=False)
        return []
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


class Real:
    """The deployment after one run."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        project = folder / "real"
        shutil.copytree(ROOT / "tests" / "real", project)
        past = time.time() - 3600  # a fresh checkout is younger than the half minute in which files are left alone
        for path in project.rglob("*"):
            os.utime(path, (past, past))
        env = {**os.environ, "KETEN_TEST_DATA": str(DATA), "KETEN_HOME": str(self.home), "KETEN_AS_OF": "2024-02-01"}
        command = [sys.executable, "-m", "pipelines.cli", "run", "--project", str(project)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        self.core = duckdb.connect(str(self.home / "engine.duckdb"), read_only=True)

    def published(self, select: str) -> list[tuple[Any, ...]]:
        return rows_of(self.home / "published" / "bi.duckdb", select)

    def one(self, select: str) -> tuple[Any, ...]:
        row = self.core.execute(select).fetchone()
        assert row is not None
        return row


def require_data() -> None:
    if not DATA.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{DATA} does not exist; set KETEN_TEST_DATA to the folder of the real data", pytrace=False)
        pytest.skip("the real data are not here; KETEN_TEST_DATA names their folder")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    require_data()
    made = Real(tmp_path_factory.mktemp("real"))
    yield made
    made.core.close()


def mean_load(real: Real, meter: str) -> list[float]:
    """kWh by the hours of the months that are measured, from the published leaves."""
    building, carrier = meter.split("/")
    rows = real.published(
        "select sum(f.amount), sum(24 * date_diff('day', f.month, f.month + interval 1 month))"
        " from bi.fact_indicator_month f join bi.dim_site s using (site_key) join bi.dim_carrier c using (carrier_key)"
        f" where f.indicator_id = 'energy_intensity' and f.component = 'energy_kwh' and f.amount is not null"
        f" and s.site_id = 'UCam_Building_{building}' and c.carrier_code = '{carrier}'"
    )
    return [float(rows[0][0] / rows[0][1])]


def intensity(real: Real, building: str) -> list[float]:
    """kWh per m² and year over the years with electricity, from the published values of these years."""
    rows = real.published(
        "select sum(numerator) / sum(denominator) from bi.rpt_indicator_value"
        f" where indicator_id = 'energy_intensity' and scope_code = 'site=UCam_Building_{building};carrier=electricity'"
        " and period_type = 'year' and coverage = 1"
    )
    return [float(rows[0][0])]


def annual(real: Real, file: str) -> list[float]:
    """The published sum of a year; the hours of zero and the rows of its file, from core."""
    building, carrier, name = file.split("/")
    year = name[:4]
    scope = f"site=UCam_Building_{building};carrier={carrier}"
    rows = real.published(
        "select numerator from bi.rpt_indicator_value where indicator_id = 'energy_intensity'"
        f" and scope_code = '{scope}' and period_code = '{year}'"
    )
    counts = real.one(
        f"select count(*) filter (quantity = 0), count(*) from core.meter_reading where meter_id = '{building}/{carrier}'"
        f" and year(local_date) = {year}"
    )
    return [float(rows[0][0]), *map(float, counts)]


def cambridge(real: Real, row: dict[str, str]) -> list[float]:
    metric = row["metric"]
    if metric.startswith("mean load"):
        return mean_load(real, row["file"])
    if metric.startswith("electricity use intensity"):
        return intensity(real, row["file"])
    assert metric == "annual sum; zero hours; rows"
    return annual(real, row["file"])


def kg(real: Real, year: int, what: str, where: str = "true") -> float:
    condition = {"all": "true"}.get(what, f"treatment_code = '{what}'")
    (mass,) = real.one(
        f"select sum(mass_kg) from core.waste_collection where year(period_from) = {year} and {condition} and {where}"
    )
    return float(mass)


def recycled_share(real: Real, year: int, where: str = "true") -> float:
    return 100 * kg(real, year, "recycling", where) / kg(real, year, "all", where)


def per_person(real: Real, year: int) -> list[float]:
    (persons,) = real.one(f"select sum(person_count) from core.site_month where year(month) = {year}")
    kinds = ("all", "recycling", "landfill", "other_diversion")
    return [kg(real, year, kind) / 1000 / float(persons) for kind in kinds]


SCOTTISH: dict[str, Callable[[Real], list[float]]] = {
    "scotland-hou-01": lambda real: [recycled_share(real, 2018)],
    "scotland-hou-02": lambda real: [recycled_share(real, 2019)],
    "scotland-hou-03": lambda real: [recycled_share(real, 2014)],
    "scotland-hou-04": lambda real: [kg(real, 2017, "all") / 1e9],
    "scotland-hou-05": lambda real: [kg(real, 2019, kind) / 1e9 for kind in ("all", "landfill", "other_diversion")],
    "scotland-hou-06": lambda real: [
        (kg(real, year, "landfill") - kg(real, 2019, "landfill")) / 1e6 for year in (2018, 2011)
    ],
    "scotland-hou-07": lambda real: per_person(real, 2019),
    "scotland-hou-08": lambda real: [
        recycled_share(real, 2017, f"site_id = '{site}'")
        for site in ("West Lothian", "Shetland Islands", "East Renfrewshire")
    ],
}


def figures(text: str) -> list[float]:
    return [float(part) for part in text.split(";")]


def assert_met(row: dict[str, str], found: list[float]) -> None:
    expected, tolerances = figures(row["expected"]), figures(row["tolerance"])
    assert len(found) == len(expected)
    for got, want, tolerance in zip(found, expected, tolerances * len(expected), strict=False):
        assert got == pytest.approx(want, abs=tolerance), f"{row['id']} {row['metric']}, {row['scope']}"


@pytest.mark.parametrize("row", oracle(CAMBRIDGE), ids=lambda row: row["id"])
def test_the_buildings_use_what_was_published(real: Real, row: dict[str, str]) -> None:
    assert_met(row, cambridge(real, row))


@pytest.mark.parametrize("row", [r for r in oracle(SCOTLAND) if r["id"] not in LEFT_OUT], ids=lambda row: row["id"])
def test_the_councils_threw_away_what_was_published(real: Real, row: dict[str, str]) -> None:
    assert_met(row, SCOTTISH[row["id"]](real))


def test_every_published_figure_is_met_or_named(real: Real) -> None:
    assert {row["id"] for row in oracle(SCOTLAND)} == SCOTTISH.keys() | LEFT_OUT.keys()


def test_every_row_of_the_files_arrived(real: Real) -> None:
    counts = dict(
        real.core.execute("select dataset, sum(accepted_rows)::bigint from bi.rpt_delivery group by 1").fetchall()
    )
    assert counts["meter_reading"] == 701_280
    assert counts["waste_collection"] == 19_008
    assert real.one("select count(*) from bi.rpt_rejected_row") == (0,)


@pytest.mark.parametrize(("heading", "total"), [("Laag", "217.55"), ("Normaal", "869.64"), ("Verbruik", "610.8")])
def test_a_workbook_of_a_meter_reader_gives_its_days_and_nothing_else(tmp_path: Path, heading: str, total: str) -> None:
    """Titles, a header of two rows, a first sheet without data, hidden sheets, numbers as text, totals never calculated."""
    require_data()
    mapping = {
        "format": {"sheet": "Verbruik", "skip_lines": 4, "decimal": ","},
        "time": {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 1440},
        "ignore_rows": [{"heading": "Datum", "matches": "^(Totaal|Aan deze)", "reason": "total"}],
        "columns": {
            **READING,
            "meter_id": {"value": "E"},
            "stamp": {"from": "Datum", "format": "%d-%m-%Y"},
            "quantity": {"from": heading, "unit": "kWh"},
        },
    }
    content = (DATA / "dirty" / "19_excel_merged_title_hidden_sheets_formulas.xlsx").read_bytes()
    rows = staged(tmp_path, "meter_reading", content, mapping, "file.xlsx")
    assert [row["row_no"] for row in rows if row["ignored_reason"]] == [37, 39]
    days = [row for row in rows if not row["ignored_reason"]]
    assert [row["local_date"].day for row in days] == list(range(1, 32))
    assert sum(row["quantity"] for row in days) == Decimal(total)
    assert not any(reason.startswith(("not_a", "missing")) for row in days for reason in row["reasons"])
