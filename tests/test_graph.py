"""What Dagster shows: assets by the catalogue, their checks, columns with units, and where values come from."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import pytest

from assets.glimpses import may_be_personal
from assets.graph import KEYS, LEDGER_MONTHS, PAGE, POOL, PUBLICATION, VALUES, build_assets
from assets.presentation import Presentation
from pipelines.definitions import JOB, build_definitions
from pipelines.instance import instance
from pipelines.settings import Place
from resources.catalogue.reading import load_catalogue
from resources.intake.expectations import suite_of
from resources.progress import SILENT
from resources.wording import number
from tests.deployment import AS_OF, READINGS, Deployment

CATALOGUE = load_catalogue()


def specs(code_url: str | None = None) -> dict[dg.AssetKey, dg.AssetSpec]:
    presented = Presentation(CATALOGUE, dg.MetadataValue.path, code_url).of(build_assets(CATALOGUE))
    return {spec.key: spec for asset in presented for spec in asset.specs}


SPECS = specs()


def test_there_is_an_asset_for_every_dataset_model_and_indicator() -> None:
    expected = {dg.AssetKey([layer, name]) for layer in ("landing", "core") for name in CATALOGUE.contracts}
    expected |= {dg.AssetKey(m.name.split(".")) for m in CATALOGUE.models.values() if not m.made_by}
    expected |= {dg.AssetKey(["indicator", name]) for name in CATALOGUE.indicators}
    assert SPECS.keys() == expected | {KEYS, VALUES, PUBLICATION, PAGE}


def test_assets_wait_for_what_they_are_made_of() -> None:
    deps = {key.to_user_string(): {d.asset_key.to_user_string() for d in spec.deps} for key, spec in SPECS.items()}
    assert deps["core/meter"] == {"landing/meter", "core/identifier", "core/party", "core/site"}
    assert deps["indicator/residual_waste_per_fte"] == {"ledger/site_month", "ledger/waste_month"}
    assert deps["register/surrogate_key"] == {
        f"core/{name}" for name in ("chain", "contract", "org_unit", "party", "site")
    }
    assert deps["publish/rpt_indicator_value"] >= {"register/surrogate_key", "indicator/energy_intensity"}
    assert deps["publication/duckdb"] >= {"bi/dim_site", "publish/rpt_indicator_value"}
    assert deps["publication/page"] == {"publication/duckdb"}


def test_a_table_has_two_checks_at_most_and_every_asset_waits_its_turn() -> None:
    for asset in build_assets(CATALOGUE):
        assert {spec.name for spec in asset.check_specs} <= {"critical", "warning"}
        assert asset.op.pool == POOL


def test_columns_are_shown_with_meaning_and_unit() -> None:
    schema = SPECS[dg.AssetKey(["core", "site"])].metadata["dagster/column_schema"]
    column = next(c for c in schema.columns if c.name == "floor_area_go_m2")
    assert (column.type, dict(column.tags)) == ("decimal", {"unit": "m2"})
    assert column.description == "Gebruiksoppervlakte (GO, NEN 2580) / Usable floor area (GO, NEN 2580)"
    for key, spec in SPECS.items():
        if key.path[0] in ("core", "ledger", "indicator", "bi"):
            assert spec.metadata["dagster/column_schema"].columns, key


@pytest.mark.parametrize("key", SPECS, ids=dg.AssetKey.to_user_string)
def test_an_asset_tells_its_owner_its_page_where_it_comes_from_and_what_it_is_in_both_languages(
    key: dg.AssetKey,
) -> None:
    spec = SPECS[key]
    assert spec.owners and spec.kinds and spec.group_name
    assert len((spec.description or "").split("\n\n")) >= 2
    references = spec.metadata["dagster/code_references"].code_references
    assert references
    for reference in references:
        lines = Path(reference.file_path).read_text("utf-8").splitlines()
        name = reference.label.rpartition(".")[2]
        assert reference.line_number is None or f"def {name}(" in lines[reference.line_number - 1]
    assert spec.metadata["page"].path.partition("#")[0] in ("index.html", f"catalogue/{key.path[-1]}.html")


def test_code_is_named_at_the_address_of_the_deployment() -> None:
    spec = specs("https://git.example.nl/keten/tree/main")[dg.AssetKey(["indicator", "energy_intensity"])]
    sql, declared, maker = (r.url for r in spec.metadata["dagster/code_references"].code_references)
    assert (
        sql
        == f"{(base := 'https://git.example.nl/keten/tree/main')}/dbt_like_sql/indicators/planet/energy_intensity.sql"
    )
    assert declared == sql.replace(".sql", ".yml")
    assert maker.startswith(f"{base}/assets/modelling.py#L")


def test_an_indicator_is_told_with_its_formula_pitfall_and_unit() -> None:
    spec = SPECS[dg.AssetKey(["indicator", "energy_intensity"])]
    indicator = CATALOGUE.indicators["energy_intensity"]
    for text in (indicator.title, indicator.description, indicator.pitfall):
        assert text.nl in str(spec.description) and text.en in str(spec.description)
    assert "energie ÷ gebruiksoppervlakte maal tijd" in str(spec.description)
    assert (spec.tags["unit"], spec.tags["pillar"], spec.tags["core"]) == ("kWh_per_m2", "planet", "true")
    assert spec.owners == ["team:energy team"]


def test_a_check_says_in_words_all_that_it_looks_at_and_what_it_holds_back() -> None:
    told = {(c.asset_key, c.name): c.description for asset in build_assets(CATALOGUE) for c in asset.check_specs}
    for name, contract in CATALOGUE.contracts.items():
        for item in suite_of(contract):
            check = "critical" if item["severity"] == "critical" else "warning"
            assert f"{item['nl']} / {item['en']}" in str(told[dg.AssetKey(["core", name]), check])
    assert "Houdt een aanlevering tegen" in str(told[dg.AssetKey(["core", "site"]), "critical"])
    assert "Houdt de publicatie tegen" in str(told[dg.AssetKey(["ledger", "energy_month"]), "critical"])
    assert "holds back the publication" in str(told[VALUES, "critical"])


def test_rows_of_a_table_below_which_there_may_be_personal_data_are_not_shown() -> None:
    contract = CATALOGUE.contracts["supplier_report"].model_copy(update={"personal_data": "possible"})
    risky = replace(CATALOGUE, contracts={**CATALOGUE.contracts, contract.name: contract})
    people, planet = (CATALOGUE.indicators[i].refs for i in ("sickness_absence_share", "energy_intensity"))
    assert may_be_personal(risky, people) and may_be_personal(risky, ["core.supplier_report"])
    assert not may_be_personal(risky, planet) and not may_be_personal(CATALOGUE, people)


@pytest.fixture(autouse=True)
def _as_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the deployments: on a later day more is known, and every month would be computed."""
    monkeypatch.setenv("KETEN_AS_OF", AS_OF)


@pytest.fixture(scope="module")
def seen(small: Deployment) -> dg.DagsterInstance:
    return instance(Place(small.home, small.project))


def told(seen: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, Any]:
    """The metadata of the latest materialisation of an asset."""
    event = seen.get_latest_materialization_event(key)
    assert event is not None and event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_a_run_tells_rows_and_column_lineage(small: Deployment, seen: dg.DagsterInstance) -> None:
    metadata = told(seen, dg.AssetKey(["ledger", "waste_month"]))
    assert metadata["dagster/row_count"] == 8
    deps = metadata["dagster/column_lineage"].deps_by_column["mass_kg"]
    assert ("core/waste_collection", "mass_kg") in {(d.asset_key.to_user_string(), d.column_name) for d in deps}
    assert "core.waste_collection.site_id" in metadata["filter_columns"]


def test_a_check_shows_each_expectation_in_words(small: Deployment, seen: dg.DagsterInstance) -> None:
    key = dg.AssetCheckKey(dg.AssetKey(["core", "site"]), "critical")
    (record,) = seen.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None and record.event.dagster_event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    assert evaluation.passed and "De sleutel site_id is uniek." in str(evaluation.metadata["checks"].value)


def test_a_run_shows_a_few_rows_and_the_course_of_each_indicator(small: Deployment, seen: dg.DagsterInstance) -> None:
    head, _, *rows = told(seen, dg.AssetKey(["indicator", "energy_intensity"]))["preview"].splitlines()
    assert head.startswith("| component | month |") and 0 < len(rows) <= 5
    assert all("| energy_kwh |" in row or "| floor_area_m2_year |" in row for row in rows)
    assert "site_id" not in head, "an id is text of a sender"
    assert "preview" not in told(seen, dg.AssetKey(["ledger", "spend_line"])), "there are no rows"
    courses = told(seen, VALUES)["course_by_month"].splitlines()
    (energy,) = [line for line in courses if line.startswith("| energy_intensity |")]
    ((value,),) = small.rows(
        "select value from bi.rpt_indicator_value where indicator_id = 'energy_intensity' and level_code = 'total'"
        " and period_code = '2025-02'"
    )
    shown = number(value, CATALOGUE.indicators["energy_intensity"].decimals)
    assert f"| 2025-02 | {shown.nl}" in energy
    (image,) = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", energy)
    assert ElementTree.fromstring(base64.b64decode(image)).tag.endswith("svg")


def run(made: Deployment, months: list[str], selection: list[str] | None = None) -> dg.ExecuteInProcessResult:
    """A run as Dagster's own tools start it."""
    where = Place(made.home, made.project)
    job = build_definitions(where, SILENT).resolve_job_def(JOB)
    keys = [dg.AssetKey(key.split("/")) for key in selection or []]
    config = {"resources": {"session": {"config": {"months": months}}}}
    with instance(where) as here:
        return job.execute_in_process(
            instance=here, run_config=config, asset_selection=keys or None, raise_on_error=False
        )


def test_months_can_be_asked_for_in_the_configuration_of_a_run(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    done = run(made, ["2025-02"])
    assert done.success
    computed = [e.partition for e in done.get_asset_materialization_events() if e.asset_key == LEDGER_MONTHS]
    assert computed == ["2025-02"]


def test_a_part_of_the_assets_is_not_published_when_others_are_behind(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\n")
    assert run(made, [], ["landing/meter_reading", "core/meter_reading"]).success
    failed = run(made, [], ["publication/duckdb"])
    assert not failed.success
    assert made.rows("select count(*) from bi.publication") == [(1,)]
    assert run(made, []).success, "the next whole run makes it good"
    values = made.rows(
        "select amount from bi.fact_indicator_month where indicator_id = 'energy_intensity' and component = 'energy_kwh'"
        " and month = '2025-01-01'"
    )
    assert values == [(30 * 10 + 99,)]
