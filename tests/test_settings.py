"""Settings that cannot be right stop before any work, with one sentence that names the place and the repair."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.deployment import Deployment, tiny

FAULTS = {
    "unknown dataset": (
        "sources.yml",
        lambda text: text.replace("dataset: waste_collection", "dataset: waste_colection"),
        "sources.yml: dataset 'waste_colection' does not exist; did you mean 'waste_collection'?",
    ),
    "missing secret": (
        "sources.yml",
        lambda text: text.replace("path: data", "path: '${env:KETEN_TEST_FOLDER}'"),
        "set the environment variable KETEN_TEST_FOLDER for us/party",
    ),
    "missing folder": (
        "sources.yml",
        lambda text: text.replace("path: data", "path: elsewhere", 1),
        "elsewhere of us/party does not exist",
    ),
    "no mapping": (
        "sources.yml",
        lambda text: text.replace("origin: us", "origin: them", 1),
        "write mappings/them__party.yml for this source",
    ),
    "unknown key": (
        "keten.yml",
        lambda text: text + "organization: x\n",
        "organization: is not a known key; did you mean",
    ),
    "unknown zone": ("keten.yml", lambda text: text.replace("Amsterdam", "Amsterdaam"), "is not a time zone"),
    "no YAML": ("keten.yml", lambda text: text + "a: [", "keten.yml is not valid YAML"),
    "unknown column": (
        "mappings/us__site.yml",
        lambda text: text.replace("site_name:", "site_nam:"),
        "mappings/us__site.yml: column 'site_nam' does not exist; did you mean 'site_name'?",
    ),
    "unknown unit": (
        "mappings/us__waste_collection.yml",
        lambda text: text.replace("unit: kg", "unit: kgs"),
        "unit 'kgs' does not exist; did you mean 'kg'?",
    ),
    "wrong unit": (
        "mappings/us__waste_collection.yml",
        lambda text: text.replace("unit: kg", "unit: kWh"),
        "unit 'kWh' cannot become 'kg'; choose one of kg, g, t",
    ),
}


def assert_no_work(made: Deployment) -> None:
    assert not made.published.exists() and not (made.home / "engine.duckdb").exists()
    assert not (made.home / "landing").exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_setting_is_told_before_any_work(tmp_path: Path, fault: str) -> None:
    made = tiny(tmp_path)
    path, damage, words = FAULTS[fault]
    made.drop(path, damage((made.project / path).read_text("utf-8")))
    text = made.keten("run", code=2)
    assert text.startswith("keten: ") and words in text
    assert "Traceback" not in text
    assert_no_work(made)


def test_a_folder_that_is_no_deployment_is_told(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    shutil.rmtree(made.project)
    assert "holds no keten.yml; set KETEN_PROJECT" in made.keten("run", code=2)
    assert_no_work(made)


def test_a_declaration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    path = made.project / "mappings/us__site.yml"
    path.unlink()
    path.mkdir()
    assert "us__site.yml cannot be read (Is a directory)" in made.keten("run", code=2)
    assert_no_work(made)


def test_a_default_of_an_environment_variable_is_used_and_the_variable_goes_before_it(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    text = (
        (made.project / "sources.yml")
        .read_text("utf-8")
        .replace("path: data", "path: '${env:KETEN_TEST_FOLDER:-data}'")
    )
    made.drop("sources.yml", text)
    assert "KETEN_TEST_FOLDER" not in made.keten("receipt", "list")
    told = made.keten("receipt", "list", env={"KETEN_TEST_FOLDER": "nowhere"}, code=2)
    assert "nowhere of us/party does not exist" in told


@pytest.mark.parametrize("month", ["2025-13", "March"])
def test_a_month_that_is_none_is_told(tmp_path: Path, month: str) -> None:
    assert f"--month {month} is not a month; write it as 2025-03" in tiny(tmp_path).keten(
        "run", "--month", month, code=2
    )
