"""The catalogue is strict: what cannot be right stops it, with file, field and repair."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from resources.catalogue.reading import ROOT, load_catalogue
from resources.catalogue.schemas import json_schemas
from resources.errors import KetenError


def damaged(folder: Path, path: str, change: Callable[[str], str]) -> Path:
    """A copy of the product's declarations with one file changed."""
    root = folder / "dbt_like_sql"
    shutil.copytree(ROOT, root)
    target = root / path
    target.write_text(change(target.read_text("utf-8") if target.exists() else ""), "utf-8")
    return root


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


ENERGY = "indicators/planet/energy_intensity.yml"
FAULTS = [
    (ENERGY, swap("decimals:", "decimal:"), "energy_intensity.yml: decimal: is not a known key; did you mean 'decimals'?"),
    (ENERGY, swap("unit: kWh/m2\n", "unit: kWh/m²\n"), "unit 'kWh/m²' does not exist; did you mean 'kWh/m2'?"),
    (ENERGY, swap("owner: energy team\n", ""), "energy_intensity.yml: owner: is missing; add it"),
    (ENERGY, swap("nl: Energie per m² GO, en", "en"), "energy_intensity.yml: title.nl: is missing; add it"),
    (ENERGY, swap("numerator: energy_kwh", "numerator: energy"), "component 'energy' does not exist; did you mean 'energy_kwh'?"),
    (ENERGY, swap("denominator: floor_area_m2_year\n", ""), "denominator: write it for kind 'ratio', and only there"),
    (ENERGY, swap("range: [0, 1000]", "range: [1000, 0]"), "range: it starts above its end; swap them"),
    (ENERGY, swap("levels: [[site_id]", "levels: [[place_name]"), "level key 'place_name' does not exist"),
    (ENERGY, swap("over_keys: sum", "over_keys: mean"), "components.energy_kwh.over_keys"),
    ("ledger/energy_month.sql", swap("core.meter'", "core.metre'"), "ref 'core.metre' does not exist; did you mean"),
    ("indicators/planet/energy_intensity.sql", lambda text: text + "{{ today() }}", "'{{ today() }}' is left over"),
    ("columns.yml", swap("unit: kg", "unit: kgs"), "unit 'kgs' does not exist; did you mean 'kg'?"),
    ("columns.yml", swap("codes: party_role, ", ""), "role_code: codes: write it for type 'code', and only there"),
    ("sources/site.yml", swap("references: party", "references: partij"), "client_id: dataset 'partij' does not exist"),
    ("sources/site.yml", swap("delivery: full", "delivery: window"), "window: write it for delivery 'window', and only there"),
    ("sources/site.yml", swap("key: [site_id]", "key: [site]"), "column 'site' does not exist; did you mean 'site_id'?"),
    ("sources/site.yml", swap("expect_table_row_count_to_be_between", "expect_table_rows"), "expectation 'expect_table_rows' does"),
    ("sources/site.yml", swap("min_value: 1", "min_value: 5, max_value: 1"), "min_value is above max_value; swap them"),
    ("sources/site.yml", swap("range: [1, 1000000]", "range: [1000000, 1]"), "range: it starts above its end; swap them"),
    ("sources/site.yml", swap("id: in_use_order", "id: in_use_order, x: y"), "not valid YAML"),
    ("reference/unit.csv", swap("Wh,Wh,Wh,kWh,0.001", 'Wh,Wh,Wh,kWh,"0,001"'), "factor: '0,001' is not a number between"),
    ("reference/unit.csv", swap("g,g,g,kg", "g,g,g,kilo"), "canonical_code 'kilo' does not exist"),
    ("reference/tenure.csv", swap("owned,eigendom,owned", "owned,eigendom,"), "line 2: en is empty; fill it in"),
    ("reference/tenure.csv", swap("rented,huur,rented", "owned,huur,rented"), "code 'owned' exists already"),
    ("reference/tenure.csv", swap("code,nl,en", "code,en"), "line 1: the header should be code,nl,en"),
    ("reference/month.csv", lambda _: "code,nl,en\nx,x,x\n", "a code list cannot be called 'month'"),
    ("ledger/site_month.yml", swap("key: [site_id, month]", "key: [site, month]"), "column 'site' does not exist"),
    ("ledger/site_month.sql", swap("run.month", "reference.month"), "a run computes some months of it; join {{ ref('run.month') }}"),
    ("indicators/planet/emissions_scope_1.sql", swap("run.month", "reference.month"), "a run computes some months of it"),
    ("ledger/site_month.yml", swap("from {table}", "from ledger"), "write {table} for the table in sql and fires_on"),
    ("bi/rpt_check.sql", lambda _: "select 1", "made_by: there is SQL beside it; keep one of the two"),
    ("bi/dim_date.sql", swap("reference.day", "bi.dim_date"), "refer to each other in a circle"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "change", "words"), FAULTS, ids=[f"{p}: {w[:40]}" for p, _, w in FAULTS])
def test_a_declaration_that_cannot_be_right_is_told(tmp_path: Path, path: str, change: Callable, words: str) -> None:
    with pytest.raises(KetenError) as told:
        load_catalogue(root=damaged(tmp_path, path, change))
    assert words in str(told.value)


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    root = damaged(tmp_path, "reference/tenure.csv", lambda text: text)
    (root / "reference/tenure.csv").write_bytes(b"code,nl,en\nx,\xe9,y\n")
    with pytest.raises(KetenError, match="byte 13 is not UTF-8; save the file as UTF-8"):
        load_catalogue(root=root)


def deployment(folder: Path, **files: object) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/", 1).replace("_yml", ".yml").replace("_csv", ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), "utf-8")
    return folder


def test_a_deployment_adds_code_lists_and_overrides_none(tmp_path: Path) -> None:
    project = deployment(tmp_path, reference__waste_stream_csv="code,nl,en\ncork,kurk,cork\n")
    assert load_catalogue(project).code_lists["waste_stream"]["cork"] == {"nl": "kurk", "en": "cork"}
    project = deployment(tmp_path, reference__waste_stream_csv="code,nl,en\npaper,papier,paper\n")
    with pytest.raises(KetenError, match="code 'paper' exists already and is not overridden; rename it"):
        load_catalogue(project)


def mapped(**changes: object) -> dict:
    columns = {"party_id": {"from": "a"}, "party_name": {"from": "b"}, "role_code": {"value": "client"}}
    return {"title": "t", "files": "*", "columns": columns, **changes}


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("site", {}, "us__site.yml: column 'party_id' does not exist"),
        ("party", {"columns": {"party_id": {"from": "a", "any_of": ["b", "c"]}}}, "write one of from, any_of, value and file"),
        ("party", {"columns": {"party_id": {"any_of": ["b"]}}}, "columns.party_id.any_of"),
        ("party", {"columns": {"party_id": {"from": "a"}}}, "'party_name' is required by the contract; map it with from, any_of"),
        ("spend", {"delivery": "increment"}, "us__spend.yml: delivery: the contract says 'increment' already; remove it"),
        ("party", {"delivery": "full"}, "us__party.yml: delivery"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_right_is_told(tmp_path: Path, name: str, changes: dict, words: str) -> None:
    with pytest.raises(KetenError) as told:
        load_catalogue(deployment(tmp_path, **{f"mappings__us__{name}_yml": mapped(**changes)}))
    assert words in str(told.value)


def test_a_mapping_may_name_several_patterns_and_say_that_files_add_to_each_other(tmp_path: Path) -> None:
    text = mapped(files=["a_*.csv", "b_*.csv"], delivery="increment")
    (found,) = load_catalogue(deployment(tmp_path, mappings__us__party_yml=text)).mappings.values()
    assert (found.patterns, found.delivery) == (("a_*.csv", "b_*.csv"), "increment")


def test_any_changed_byte_changes_the_fingerprint(tmp_path: Path) -> None:
    before = load_catalogue().fingerprint
    assert load_catalogue().fingerprint == before
    assert load_catalogue(root=damaged(tmp_path, "columns.yml", lambda text: text + "\n")).fingerprint != before


def test_models_come_after_what_they_refer_to() -> None:
    found = load_catalogue()
    seen: set[str] = set()
    for model in found.model_order():
        assert {r for r in model.refs if r in found.models} <= seen
        seen.add(model.name)
    assert seen == found.models.keys()


def test_the_schemas_for_editors_ask_for_what_people_write_and_not_for_what_follows_from_names() -> None:
    schemas = json_schemas()
    assert schemas.keys() == {
        *("contract", "corrections", "reference", "mapping", "model", "indicator", "sources", "keten")
    }
    assert "origin" not in schemas["mapping"]["properties"] and "sql" not in schemas["indicator"]["required"]
    for name, schema in schemas.items():
        assert schema["additionalProperties"] is False, name


def test_dimensions_follow_from_the_columns_and_contracts() -> None:
    assert load_catalogue().dimensions() == {
        "party": ("core.party", "party_id"),
        "site": ("core.site", "site_id"),
        "chain": ("core.chain", "chain_id"),
        "service": ("reference.service", "code"),
        "carrier": ("reference.carrier", "code"),
        "stream": ("reference.waste_stream", "code"),
        "contract": ("core.contract", "contract_id"),
        "org_unit": ("core.org_unit", "org_unit_id"),
        "pso_step": ("reference.pso_step", "code"),
        "activity": ("reference.activity", "code"),
        "emission_category": ("reference.emission_category", "code"),
    }
