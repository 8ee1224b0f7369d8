"""Settings that cannot be right stop before any work, with one sentence that names the place and the repair."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
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
    "address without its beginning": (
        "keten.yml",
        lambda text: text + "interface: {page_url: impact.example.nl}\n",
        "keten.yml: interface.page_url: begin the address with https:// or http://",
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

FORMS = [
    ("site_*.csv", "{sheet: Blad1}", "format.sheet: it is for .xlsx and .xls, not for .csv; remove it"),
    ("site_*.xlsx", "{delimiter: ';'}", "format.delimiter: it is for .csv, not for .xlsx; remove it"),
    ("site_*.csv.gz", "{records: data}", "format.records: it is for .json and .xml, not for .csv; remove it"),
    ("site_*.ndjson", "{records: data}", "format.records: it is for .json and .xml, not for .jsonl; remove it"),
    ("site_*.json*", "{skip_lines: 2}", "format.skip_lines: it is for .csv, .xlsx and .xls, not for .json; remove it"),
    ("site_*.json", "{encoding: cp1252}", "format.encoding: it is for .csv and .xml, not for .json; remove it"),
    (
        "site_*.parquet",
        "{header_rows: 2}",
        "format.header_rows: it is for .csv, .xlsx and .xls, not for .parquet; remove it",
    ),
    ("site_*.csv", "{header_rows: 3}", "format.header_rows: Input should be 1 or 2"),
    ("site_*.csv", "{footer: '(Totaal'}", "format.footer: not a regular expression"),
    ("site_*.csv.gz", "{member: sites}", "format.member: it is for an archive (.zip); remove it"),
    ("site_*.zip", "{member: '[sites'}", "format.member: not a regular expression"),
    ("site_*.csv", "{encoding: latin-1}", "format.encoding: Input should be 'utf-8', 'utf-16' or 'cp1252'"),
    ("site_*", "{sheet: Blad1, records: data}", "format.records: a sheet has none; write one of sheet and records"),
    ("site_*", "{records: 'data..rows'}", "format.records: String should match pattern"),
    ("site_*", "{decimal: ',', thousands: ','}", "format.thousands: it is the mark of decimals too"),
]


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


@pytest.mark.parametrize(("files", "form", "words"), FORMS)
def test_a_format_that_its_files_cannot_have_is_told(tmp_path: Path, files: str, form: str, words: str) -> None:
    made = tiny(tmp_path)
    path = made.project / "mappings/us__site.yml"
    made.drop(
        "mappings/us__site.yml", path.read_text("utf-8").replace("site_2*.csv", f"'{files}'") + f"format: {form}\n"
    )
    with pytest.raises(KetenError) as told:
        load_catalogue(made.project)
    assert f"mappings/us__site.yml: {words}" in str(told.value)


@pytest.mark.parametrize(
    ("files", "form"),
    [
        ("site_*.xlsx", "{sheet: Blad1, skip_lines: 2, decimal: ','}"),
        ("site_*.json.gz", "{records: data.0.rows, thousands: ','}"),
        ("site_*", "{sheet: Blad1, delimiter: ';'}"),
        ("site_*.csv*", "{delimiter: ';', encoding: cp1252}"),
    ],
)
def test_a_format_that_its_files_may_have_is_taken(tmp_path: Path, files: str, form: str) -> None:
    made = tiny(tmp_path)
    path = made.project / "mappings/us__site.yml"
    made.drop(
        "mappings/us__site.yml", path.read_text("utf-8").replace("site_2*.csv", f"'{files}'") + f"format: {form}\n"
    )
    assert load_catalogue(made.project).mappings["us", "site"].files == files


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
    assert "the folder ${env:KETEN_TEST_FOLDER:-data} of us/party does not exist" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--month", "2025-13"), "2025-13 is not a month; write it as 2025-03"),
        (("--month", "March"), "March is not a month"),
        (("--month", "2025-03"), "2025-03 is not one of the reporting months, 2025-01 to 2025-02"),
        (("--from", "2024-12"), "2024-12 is not one of the reporting months"),
        (("--from", "2025-02", "--to", "2025-01"), "--from 2025-02 lies after --to 2025-01; exchange them"),
    ],
)
def test_months_that_cannot_be_computed_are_told(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in tiny(tmp_path).keten("run", *arguments, code=2)
