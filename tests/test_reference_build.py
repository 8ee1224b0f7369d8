"""Reference tables made from their sources: a bad row is refused, and the committed tables are just what comes out."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from assets.reference_build import build_reference
from pipelines.cli import app
from resources.catalogue.reading import ROOT, load_catalogue
from resources.errors import KetenError

DATA = Path(os.environ.get("KETEN_TEST_DATA") or ROOT.parents[1] / "shared" / "data").resolve()
SOURCES = DATA.parent / "reference"
FACTOR = {
    "factor_id": "NL.CO2EF.gas",
    "version": "2026",
    "activity_code": "gas.natural",
    "unit": "Nm3",
    "kg_co2e_per_unit": "2.134",
    "ttw": "1.779",
    "wtt": "0.355",
    "biogenic": "0",
    "geography": "NL",
    "valid_from": "2026-01-01",
    "valid_to": "2026-12-31",
    "source_value": "2.134",
    "source_unit": "kg CO2e/Nm3",
    "evidence": "primary_copy",
    "verified": "yes",
    "source": "the list",
    "source_url_or_repo": "the page",
    "publication_year": "2026",
    "licence": "free",
    "notes": "",
}
SPEND = {
    **{"factor_id": "X.i74", "version": "1", "sector_code": "i74", "sector_name": "Business services", "unit": "EUR"},
    **{"kg_co2e_per_unit": "0.0870460001", "price_basis": "basic price", "currency": "EUR", "price_year": "2019"},
    **{"data_year": "2019", "geography": "NL", "verified": "yes", "source": "s", "source_url_or_repo": "r"},
    **{"publication_year": "2021", "licence": "CC BY-SA 4.0", "notes": ""},
}
CONSTANT = {"constant_id": "gj", "quantity": "GJ in kWh", "value": "277.777777778", "unit": "kWh", "verified": "yes"}
WASTE = {"ewc_code": "200101", "description_nl": "papier", "description_en": "paper", "hazardous": "no"}
METHOD = {"code_system": "R", "code": "R3", "description_nl": "x", "description_en": "x", "is_final_treatment": "yes"}
SOURCED = {"source": "s", "licence": "l"}
SELECTION: dict[str, Any] = {
    "units": {"Nm3": {"unit": "m3"}, "GJ": {"unit": "kWh", "times": "0.0036", "remark": "1 kWh is 0.0036 GJ"}},
    "publishers": {"NL.CO2EF.": {"gwp_set": "AR6"}},
    "emission_factors": [
        {
            **{"title": "gas", "ids": "NL.", "editions": ["2026"], "activities": {"gas.natural": None}},
            "parts": {"direct": "ttw", "chain": "wtt", "biogenic": "biogenic"},
        }
    ],
    "spend_factors": {
        "spend_factor_exiobase": {
            **{"file": "spend.csv", "gwp_set": "AR5", "price_bases": {"basic price": "basic"}, "sectors": ["i74"]},
        }
    },
    "energy_content": [{"carrier": "heat", "unit": "GJ", "values": {"upper": {"constant": "gj"}}}],
    "waste_streams": {"paper": ["paper"]},
    "hazardous_streams_that_stay": [],
    "treatments": {"R": {"recycling": ["R3"]}},
}


def built(folder: Path, *factors: dict[str, str], spend: dict[str, str] | None = None, **selection: Any) -> Path:
    """The folder of tables that are made of these factors, with one row in each of the other sources."""
    files = {
        "emission_factors.csv": list(factors) or [FACTOR],
        "spend.csv": [{**SPEND, **(spend or {})}],
        "units_constants.csv": [{**CONSTANT, **SOURCED}],
        "waste_codes.csv": [{**WASTE, **SOURCED, "fm_relevant": "yes", "fm_stream": "paper"}],
        "treatment_codes.csv": [{**METHOD, **SOURCED}],
    }
    for name, rows in files.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    chosen = folder / "reference_selection.yml"
    chosen.write_text(yaml.safe_dump({**SELECTION, **selection}, sort_keys=False), "utf-8")
    out = folder / "out"
    out.mkdir(exist_ok=True)
    build_reference(folder, out, chosen)
    return out


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / f"{name}.csv").read_text("utf-8").splitlines()))


def group(**changes: Any) -> list[dict[str, Any]]:
    return [{**SELECTION["emission_factors"][0], **changes}]


def test_a_factor_becomes_one_row_for_each_part_and_its_validity_ends_on_the_day_after(tmp_path: Path) -> None:
    found = rows(built(tmp_path), "emission_factor")
    assert [(r["part_code"], r["kg_co2e_per_unit"], r["unit_code"]) for r in found] == [
        ("direct", "1.779", "m3"),
        ("chain", "0.355", "m3"),
    ]
    assert {(r["valid_from"], r["valid_to"], r["known_from"], r["known_to"]) for r in found} == {
        ("2026-01-01", "2027-01-01", "2026-01-01", "")
    }


def test_a_unit_is_brought_to_ours_and_the_published_number_is_kept(tmp_path: Path) -> None:
    heat = {**FACTOR, "unit": "GJ", "ttw": "34.31", "wtt": "6.14", "kg_co2e_per_unit": "40.45"}
    direct, chain = rows(built(tmp_path, heat), "emission_factor")
    assert (direct["kg_co2e_per_unit"], direct["unit_code"], direct["source_value"]) == ("0.123516", "kWh", "34.31")
    assert (chain["kg_co2e_per_unit"], chain["remark"]) == ("0.022104", "1 kWh is 0.0036 GJ")


def test_what_is_not_available_stays_empty_and_biogenic_of_nothing_is_no_row(tmp_path: Path) -> None:
    label = {**FACTOR, "kg_co2e_per_unit": "", "ttw": "", "biogenic": ""}
    found = rows(built(tmp_path, label), "emission_factor")
    assert [(r["part_code"], r["kg_co2e_per_unit"]) for r in found] == [("direct", ""), ("chain", "0.355")]


def test_more_than_nine_decimals_are_rounded(tmp_path: Path) -> None:
    assert rows(built(tmp_path), "spend_factor_exiobase")[0]["kg_co2e_per_unit"] == "0.087046"


@pytest.mark.parametrize("column", ["source", "licence", "unit"])
def test_a_factor_without_source_licence_or_unit_is_refused(tmp_path: Path, column: str) -> None:
    with pytest.raises(KetenError, match=f"emission_factors.csv: line 3: {column} is empty"):
        built(tmp_path, FACTOR, {**FACTOR, column: ""})
    with pytest.raises(KetenError, match=f"spend.csv: line 2: {column} is empty"):
        built(tmp_path, spend={column: ""})


FAULTS: list[tuple[dict[str, str], dict[str, Any], str]] = [
    ({"evidence": "memory"}, {}, "line 2: from memory is no source; leave 'gas.natural' out of reference_selection.yml"),
    ({"ttw": "1.879"}, {}, "line 2: ttw \\+ wtt differs by 0.100 from kg_co2e_per_unit; correct the source"),
    ({"unit": "VE"}, {}, "line 2: the unit 'VE' is not known; add it to reference_selection.yml"),
    ({"factor_id": "NL.OTHER.gas"}, {}, "line 2: the publisher of 'NL.OTHER.gas' is not known; add it to"),
    ({"version": "2025"}, {}, "gas: 'gas.natural' is in no row; correct or remove it"),
    ({}, {"emission_factors": group(holds=1)}, "reference_selection.yml: emission_factors.0.holds: is not a known key"),
    ({}, {"waste_streams": {}}, "waste_codes.csv: line 2: fm_stream 'paper' is not known"),
    ({}, {"treatments": {}}, "treatment_codes.csv: line 2: code 'R3' is not known"),
    ({}, {"energy_content": [{"carrier": "heat", "unit": "GJ", "values": {"upper": {"constant": "x"}}}]}, "constant 'x' is in no row"),
    ({}, {"energy_content": [{"carrier": "heat", "unit": "GJ", "values": {"upper": {}}}]}, "heat in GJ: write constant or value"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "selection", "words"), FAULTS, ids=[words[:50] for *_, words in FAULTS])
def test_what_cannot_be_right_is_told(
    tmp_path: Path, change: dict[str, str], selection: dict[str, Any], words: str
) -> None:
    with pytest.raises(KetenError, match=words):
        built(tmp_path, {**FACTOR, **change}, **selection)


def test_an_activity_of_a_geography_comes_in_one_unit(tmp_path: Path) -> None:
    other = {**FACTOR, "unit": "GJ", "factor_id": "NL.CO2EF.heat"}
    with pytest.raises(KetenError, match="gas.natural of NL comes in m3 and in kWh; choose one unit"):
        built(tmp_path, FACTOR, other)


def test_a_folder_without_the_sources_is_told(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["reference", "build", "--from", str(tmp_path), "--out", str(tmp_path)])
    assert isinstance(outcome.exception, KetenError)
    assert "emission_factors.csv cannot be read" in str(outcome.exception)


def test_the_committed_tables_are_what_the_sources_give(tmp_path: Path) -> None:
    if not SOURCES.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SOURCES} does not exist; set KETEN_TEST_DATA to the folder beside it", pytrace=False)
        pytest.skip("the sources are not here; KETEN_TEST_DATA names the folder beside them")
    outcome = CliRunner().invoke(app, ["reference", "build", "--from", str(SOURCES), "--out", str(tmp_path)])
    assert outcome.exit_code == 0, outcome.output
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")}
    declared = load_catalogue().reference_tables.values()
    assert made.keys() == {f"{table.name}.csv" for table in declared if "keten reference build" in table.source}
    for name, content in made.items():
        assert content == (ROOT / "reference" / name).read_bytes(), f"{name} is another; run keten reference build"
