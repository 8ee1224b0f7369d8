"""What Dagster shows: assets by the catalogue, their checks, columns with units, and where values come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from assets.graph import KEYS, PAGE, POOL, PUBLICATION, VALUES, build_assets
from pipelines.definitions import JOB, build_definitions
from pipelines.instance import instance
from pipelines.settings import Place
from resources.catalogue_reading import load_catalogue
from resources.progress import SILENT
from tests.deployment import AS_OF, READINGS, Deployment

CATALOGUE = load_catalogue()


def specs() -> dict[dg.AssetKey, dg.AssetSpec]:
    return {spec.key: spec for asset in build_assets(CATALOGUE) for spec in asset.specs}


def test_there_is_an_asset_for_every_dataset_model_and_indicator() -> None:
    expected = {dg.AssetKey([layer, name]) for layer in ("landing", "core") for name in CATALOGUE.contracts}
    expected |= {dg.AssetKey(m.name.split(".")) for m in CATALOGUE.models.values() if not m.made_by}
    expected |= {dg.AssetKey(["indicator", name]) for name in CATALOGUE.indicators}
    assert specs().keys() == expected | {KEYS, VALUES, PUBLICATION, PAGE}


def test_assets_wait_for_what_they_are_made_of() -> None:
    deps = {key.to_user_string(): {d.asset_key.to_user_string() for d in spec.deps} for key, spec in specs().items()}
    assert deps["core/meter"] == {"landing/meter", "core/party", "core/site"}
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
    schema = specs()[dg.AssetKey(["core", "site"])].metadata["dagster/column_schema"]
    column = next(c for c in schema.columns if c.name == "floor_area_go_m2")
    assert (column.type, dict(column.tags)) == ("decimal", {"unit": "m2"})
    assert column.description == "Gebruiksoppervlakte (GO, NEN 2580) / Usable floor area (GO, NEN 2580)"
    for key, spec in specs().items():
        if key.path[0] in ("core", "ledger", "indicator", "bi"):
            assert spec.metadata["dagster/column_schema"].columns, key


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


def months_of(made: Deployment) -> list[str]:
    """The months that the table computed last was computed for."""
    with duckdb.connect(str(made.home / "engine.duckdb"), read_only=True) as engine:
        return [str(m)[:7] for (m,) in engine.execute("select month from run.month order by 1").fetchall()]


def test_months_can_be_asked_for_in_the_configuration_of_a_run(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    assert run(made, ["2025-02"]).success
    assert months_of(made) == ["2025-02"]


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
