"""The `bi` models: facts never lose a row for want of a key, totals say so, and every check fires."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import yaml

from assets.keyed import MADE_HERE, keyed_select
from assets.modelling import all_keys
from resources.catalogue.reading import load_catalogue
from resources.engine import TYPES, Engine
from resources.publication.key_register import assign_keys
from resources.publication.pillar_views import pillar_view_sql

MODELS = Path(__file__).parents[1] / "dbt_like_sql" / "bi"
CATALOGUE = load_catalogue()
KEYS = all_keys(CATALOGUE)
NAMES = sorted(
    n.removeprefix("bi.") for n, m in CATALOGUE.models.items() if n.startswith("bi.") and m.made_by in (None, MADE_HERE)
)
GIVEN = {
    "party": "'X'",
    "site": "unnest(['UTR', 'GONE'])",
    "chain": "'CH'",
    "service": "'waste'",
    "carrier": "'gas'",
    "stream": "'residual'",
    "contract": "'C1'",
    "org_unit": "'KP'",
    "pso_step": "'step_1'",
    "activity": "'natural_gas'",
    "emission_category": "'cat_3_5'",
}
SETUP = """
create table core.party as select 'X' as party_id, 'Xeno' as party_name, 'client' as role_code,
    null::varchar as sbi_code, null::varchar as sbi_version, 'large' as size_class_code;
create table core.site as select 'UTR' as site_id, 'Utrecht' as site_name, 'X' as client_id, 'Utrecht' as place_name,
    'owned' as tenure_code, 100::decimal(28,6) as floor_area_go_m2, 90::decimal(28,6) as floor_area_vvo_m2,
    110::decimal(28,6) as floor_area_bvo_m2, date '2009-01-01' as in_use_from, null::date as in_use_to;
create table core.chain as select 'CH' as chain_id, 'Keten' as chain_name, 'X' as client_id, 'X' as contractor_id,
    'waste' as service_code, date '2025-02-01' as start_decision_on, null::date as ended_on;
create table core.contract as select 'C1' as contract_id, 'Contract' as contract_name, 'X' as client_id, 'X' as contractor_id,
    'waste' as service_code, 5::decimal(28,6) as annual_value_eur, date '2025-01-01' as valid_from, null::date as valid_to,
    null::date as ended_on, null::varchar as end_reason_code, null::varchar as successor_contract_id;
create table core.org_unit as select 'KP' as org_unit_id, 'Kostenplaats' as org_unit_name, 'X' as client_id,
    null::varchar as parent_org_unit_id, null::varchar as successor_org_unit_id, date '2025-01-01' as valid_from,
    null::date as valid_to;
create table core.target as select 'X' as client_id, 'energy' as indicator_id, date '2024-01-01' as base_period_from,
    60::decimal(28,6) as base_value, 40::decimal(28,6) as target_value, date '2030-01-01' as due_on, null::date as decided_on;
create table ledger.report_due as select date '2025-03-01' as month, 'X' as client_id, 'X' as contractor_id, 'C1' as contract_id,
    'waste' as service_code, date '2025-04-16' as due_on, null::date as reported_on, false as is_on_time;
create table ledger.chain_clock as select date '2025-03-01' as month, 'X' as client_id, 'CH' as chain_id,
    date '2025-02-01' as start_decision_on, null::date as ready_on, null::date as ended_on, 59::bigint as days_on_clock,
    'running' as clock_state_code;
create table ledger.impact as select date '2025-03-01' as month, 'meter_reading' as source_dataset, 'M' as source_id,
    'X' as client_id, 'UTR' as site_id, null::varchar as party_id, null::varchar as contract_id,
    unnest(['natural_gas', 'unheard_of', 'nor_of_this']) as activity_code, '1' as scope_code,
    'cat_3_5' as emission_category_code, 'direct' as part_code, 'single' as method_code,
    'actual' as impact_kind_code, 'ghg_protocol' as accounting_scheme_code, 'F' as factor_id, '2026' as edition_code,
    'nearest_edition' as factor_reason_code, 10::decimal(28,6) as quantity, 'm3' as unit_code,
    1.779::decimal(18,9) as kg_co2e_per_unit, 17.79::decimal(28,6) as emissions_kg_co2e;
create table ledger.spend_counted as select date '2025-03-01' as month, 'X' as client_id, 'X' as party_id,
    'C1' as contract_id, 'cleaning' as spend_category_code, 'X/X' as source_id, 'counted' as spend_state_code,
    100::decimal(28,6) as amount_eur, 'E' as factor_id, '2019' as edition_code, 'spend_based' as factor_reason_code,
    0.1::decimal(18,9) as kg_co2e_per_unit;
create table run.clock as select date '2025-05-01' as as_of;
create table run.period_status as select '2025-03' as period_code, 'open' as publication_status;
create table run.month as select date '2025-03-01' as month;
create table ledger.degree_day_month as select '260' as station_id, date '2025-03-01' as month, 31::bigint as days,
    31::bigint as measured_days, 370::decimal(28,6) as degree_days, 370::decimal(28,6) as weighted_degree_days,
    360::decimal(28,6) as reference_degree_days, 360::decimal(28,6) as reference_weighted_degree_days, 2::bigint as reference_years;
create table reference.indicator as select 'energy' as indicator_id, 'planet' as pillar, 'E' as title_nl,
    'E' as title_en, 'kWh' as unit_code, 'kWh' as display_unit_code,
    1::decimal(28,6) as display_factor, 1 as decimals, 'lower' as direction, true as is_core, 'ratio' as kind,
    'd' as description_nl, 'd' as description_en, 'f' as formula_nl, 'f' as formula_en, 'm' as method_nl,
    'm' as method_en, 'p' as pitfall_nl, 'p' as pitfall_en, 'PL01' as standards;
create table reference.day as select d::date as local_date, date_trunc('month', d)::date as month, year(d) as year,
    quarter(d) as quarter, isoyear(d) as iso_year, week(d) as iso_week, isodow(d) as iso_weekday,
    null::varchar as holiday_nl, null::varchar as holiday_en
    from generate_series(timestamp '2025-03-01', timestamp '2025-04-30', interval 1 day) t(d);
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """All bi models computed over one site, with a value of an unknown site and a removed site that kept its key."""
    with Engine(None, tmp_path) as made:
        run = made.connection.execute
        run(SETUP)
        for name in sorted(CATALOGUE.code_lists.keys() - {"indicator"}):
            path = MODELS.parent / "reference" / f"{name}.csv"
            run(f"create table reference.{name} as from read_csv('{path}', all_varchar = true)")
        for dimension, value in GIVEN.items():
            assign_keys(made, dimension, f"select {value}")
        stage(made.connection)
        for name in NAMES:
            model = CATALOGUE.models[f"bi.{name}"]
            run(f"create table bi.{name} as {model.sql or keyed_select(CATALOGUE, model.name)}")
        yield made


def stage(connection: duckdb.DuckDBPyConnection) -> None:
    """The two staging tables of the pipeline."""
    texts = ", ".join(f"{key} VARCHAR" for key in KEYS)
    connection.execute(
        f"create table publish.fact_indicator_month (indicator_id VARCHAR, component VARCHAR, month DATE, {texts},"
        " amount DECIMAL(28,6), entity_id VARCHAR, gap_code VARCHAR)"
    )
    connection.execute(
        "create table publish.rpt_indicator_value (indicator_id VARCHAR, pillar VARCHAR, period_type VARCHAR,"
        f" period_code VARCHAR, period_from DATE, period_to DATE, level_code VARCHAR, {texts}, value DECIMAL(28,6),"
        " numerator DECIMAL(28,6), denominator DECIMAL(28,6), coverage DECIMAL(28,6), value_status VARCHAR,"
        " is_complete_period BOOLEAN)"
    )
    for site, carrier, level in (("UTR", "gas", "site+carrier"), ("NEW", "gas", "site+carrier"), ("UTR", None, "site")):
        give = {"site_id": site, "carrier_code": carrier, "month": "2025-03-01", "amount": 5}
        put(connection, "fact_indicator_month", {**give, "indicator_id": "energy", "component": f"c{level}"})
        value(connection, "energy", level, 48, site_id=site, carrier_code=carrier)
    value(connection, "energy", "total", 49)


def put(connection: duckdb.DuckDBPyConnection, table: str, given: dict[str, Any]) -> None:
    """Insert one row by column name."""
    marks = ", ".join("?" * len(given))
    connection.execute(f"insert into publish.{table} ({', '.join(given)}) values ({marks})", list(given.values()))


def value(connection: duckdb.DuckDBPyConnection, name: str, level: str, number: float, **keys: str | None) -> None:
    """Insert one value of March 2025."""
    fixed = {"period_type": "month", "period_code": "2025-03", "period_from": "2025-03-01", "period_to": "2025-04-01"}
    told = {"value": number, "coverage": 1, "value_status": "measured", "is_complete_period": True}
    put(
        connection,
        "rpt_indicator_value",
        {"indicator_id": name, "pillar": "planet", "level_code": level, **fixed, **told, **keys},
    )


def declared(name: str) -> dict[str, Any]:
    """The declaration of a model."""
    return yaml.safe_load((MODELS / f"{name}.yml").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_model_makes_exactly_the_declared_columns_with_a_unique_key(engine, name):
    columns = CATALOGUE.columns_of(CATALOGUE.models[f"bi.{name}"])
    made = engine.connection.execute(f"select column_name, column_type from (describe bi.{name})").fetchall()
    assert made == [(c.name, TYPES[c.type]) for c in columns]
    key = ", ".join(declared(name)["key"])
    assert engine.connection.execute(f"select {key} from bi.{name} group by all having count(*) > 1").fetchall() == []
    assert engine.connection.execute(f"select 1 from bi.{name} where ({key}) is null").fetchall() == []


CHECKS = [(name, check) for name in NAMES for check in declared(name).get("checks", [])]


@pytest.mark.parametrize(("name", "check"), CHECKS, ids=[f"{n}.{c['id']}" for n, c in CHECKS])
def test_check_is_silent_on_good_rows_and_fires_on_bad_ones(engine, name, check):
    table = f"bi.{name}"
    violations = check["sql"].replace("{table}", table)
    assert engine.connection.execute(violations).fetchall() == []
    engine.connection.execute(check["fires_on"].replace("{table}", table))
    assert engine.connection.execute(violations).fetchall() != []


@pytest.mark.parametrize("table", ["fact_indicator_month", "rpt_indicator_value"])
def test_unknown_is_minus_one_and_outside_the_level_is_minus_two(engine, table):
    found = engine.connection.execute(
        f"select level_code, scope_code, site_key, carrier_key, client_key from bi.{table} order by all"
    )
    expected = [
        ("site", "site=UTR", 2, -2, -2),
        ("site+carrier", "site=NEW;carrier=gas", -1, 1, -2),
        ("site+carrier", "site=UTR;carrier=gas", 2, 1, -2),
        ("total", "total", -2, -2, -2),
    ]
    assert found.fetchall() == (expected if table.startswith("rpt") else expected[:3])


def test_removed_site_keeps_its_row(engine):
    found = engine.connection.execute(
        "select site_key, site_name, client_key, is_listed from bi.dim_site order by site_key"
    ).fetchall()
    assert found == [
        (-2, "(niet van toepassing / not applicable)", -2, False),
        (-1, "(onbekend / unknown)", -1, False),
        (1, "GONE", -1, False),
        (2, "Utrecht", 1, True),
    ]


def indicator(name: str, pillar: str, *levels: tuple[str, ...], core: bool = True) -> Any:
    """As much of an indicator as a view needs."""
    return SimpleNamespace(id=name, pillar=pillar, core=core, levels=levels)


def test_pillar_view_has_a_row_per_site_and_month_and_says_the_level(engine):
    client_value = "select * replace ('ready' as indicator_id, 'client' as level_code, 1 as client_key, 0.5 as value)"
    engine.connection.execute(
        f"insert into bi.rpt_indicator_value {client_value} from bi.rpt_indicator_value where level_code = 'total'"
    )
    for table in ("rpt_indicator_value", "dim_site"):
        engine.connection.execute(f"alter table bi.{table} add column publication_id bigint default 3")
    items = [
        indicator("energy", "planet", ("site_id",), ()),
        indicator("ready", "purpose", ("client_id",), ()),
        indicator("hidden", "planet", ("site_id",), core=False),
        indicator("by_chain", "purpose", ("chain_id",)),
    ]
    engine.connection.execute("use bi")
    shown = {
        p: engine.connection.execute(pillar_view_sql(items, p)).fetchall() for p in ("people", "planet", "purpose")
    }
    lead = (2, "UTR", "Utrecht", 1)
    assert [row[:4] for row in shown["people"]] == [lead]
    assert [row[5:] for row in shown["planet"]] == [(Decimal(48), "measured", "site", 3)]
    assert [row[5:] for row in shown["purpose"]] == [(Decimal("0.5"), "measured", "client", 3)]
