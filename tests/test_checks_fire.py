"""Every check is seen to fire: it is silent on good rows, and speaks on a copy that was made wrong on purpose.

Which checks there are follows from the catalogue; none is listed here by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.modelling import VALUES, check_indicator, check_model
from resources import reading
from resources.catalogue import Catalogue, Contract
from resources.catalogue.mapping_models import Mapping
from resources.catalogue.models import DIMENSION_KEYS, Model
from resources.catalogue.reading import load_catalogue
from resources.engine import Engine
from resources.intake import judging
from resources.intake.expectations import check_candidate, check_id, suite_of
from resources.intake.merging import DatasetTables
from tests.deployment import Deployment

CATALOGUE = load_catalogue()
CONTRACTS = list(CATALOGUE.contracts.values())


def example(contract: Contract) -> dict[str, str]:
    return {name: column.example for name, column in contract.columns.items()}


def judged(contract: Contract, row: dict[str, str], folder: Path) -> list[str]:
    """The reasons to quarantine one row, sent as the contract names its columns."""
    path = folder / "row.csv"
    path.write_text(";".join(row) + "\n" + ";".join(row.values()) + "\n", "utf-8")
    columns = {name: {"from": name} for name in row}
    form = {"title": "t", "files": "*", "format": {"delimiter": ";"}, "origin": "o", "dataset": contract.name}
    mapping = Mapping.model_validate({**form, "columns": columns})
    with Engine(None, folder) as engine:
        facts = reading.inspect_file(path, mapping)
        cells = reading.read_cells(engine.connection, path, mapping, facts, "cell")
        select = judging.judge(contract, mapping, CATALOGUE, facts, cells.relation).select
        (row_judged,) = engine.read(select).read_all().to_pylist()
    return (row_judged["reasons"] or "").split(",") if row_judged["reasons"] else []


def column_faults() -> Iterator[tuple[str, str, str, str]]:
    """Contract, column, a cell that is wrong, and the reason it must give."""
    words = {"decimal": "number", "ratio": "number", "factor": "number", "integer": "number", "boolean": "yes_or_no"}
    for contract in CONTRACTS:
        for name, column in contract.columns.items():
            kind = CATALOGUE.columns[name].type
            if column.required:
                yield contract.name, name, "", f"missing:{name}"
            if kind == "code":
                yield contract.name, name, "no such code", f"unknown_code:{name}"
            elif kind != "text":
                yield contract.name, name, "?", f"not_a_{words.get(kind, 'date')}:{name}"
            if column.range:
                yield contract.name, name, str(column.range[1] + 1), f"out_of_range:{name}"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_the_example_of_a_contract_is_accepted(contract: Contract, tmp_path: Path) -> None:
    assert judged(contract, example(contract), tmp_path) == []


@pytest.mark.parametrize(("name", "column", "cell", "reason"), list(column_faults()))
def test_a_wrong_cell_is_quarantined(name: str, column: str, cell: str, reason: str, tmp_path: Path) -> None:
    contract = CATALOGUE.contracts[name]
    assert reason in judged(contract, {**example(contract), column: cell}, tmp_path)


@pytest.mark.parametrize(
    ("contract", "rule"),
    [pytest.param(c, rule, id=f"{c.name}.{rule.id}") for c in CONTRACTS for rule in c.rules],
)
def test_a_row_rule_fires(contract: Contract, rule: Any, tmp_path: Path) -> None:
    assert f"rule:{rule.id}" in judged(contract, {**example(contract), **rule.fails_on}, tmp_path)


EXPECTATIONS = [
    pytest.param(contract, number, id=f"{contract.name}.{check_id(number, item)}")
    for contract in CONTRACTS
    for number, item in enumerate(suite_of(contract))
]


def damage(item: dict[str, Any]) -> str:
    """SQL that breaks an expectation: its own, or what its kind asks for."""
    kwargs = item["kwargs"]
    if item["fires_on"]:
        return str(item["fires_on"])
    if item["expect"] == "expect_table_row_count_to_be_between":
        return "delete from {table}"
    if item["expect"] == "expect_column_values_to_not_be_null":
        return f"update {{table}} set {kwargs['column']} = null"
    assert item["expect"] == "expect_column_values_to_be_between", "give this expectation a fires_on"
    value = kwargs["max_value"] + 1 if "max_value" in kwargs else kwargs["min_value"] - 1
    return f"update {{table}} set {kwargs['column']} = {value}"


@pytest.mark.parametrize(("contract", "number"), EXPECTATIONS)
def test_an_expectation_fires(contract: Contract, number: int, tmp_path: Path) -> None:
    with Engine(None, tmp_path) as engine:
        tables = DatasetTables(engine.connection, CATALOGUE, contract)
        row = {name: value or None for name, value in example(contract).items()}
        if contract.repeats == "number":
            row["repeat_no"] = "1"
        marks = ", ".join("?" for _ in row)
        engine.connection.execute(f"insert into {tables.name} ({', '.join(row)}) values ({marks})", list(row.values()))
        select = f"select * from {tables.name}"
        assert check_candidate(engine.connection, contract, select)[number].outcome == "passed"
        engine.connection.execute(damage(suite_of(contract)[number]).replace("{table}", tables.name))
        result = check_candidate(engine.connection, contract, select)[number]
        assert result.outcome == "failed" and result.observed, "what failed says what it saw"


# What the demo has nothing of: no correction is needed in it, and no number waits.
PLANTED = {
    "bi.rpt_correction": "'o' as origin, 'c' as correction_id, '' as receipt_id, 1 as matched_rows, 1 as corrected_rows,"
    " 'r' as reason, 'p' as reporter",
    "bi.rpt_unknown_reference": "'d' as dataset, 'c' as column_name, 'o' as origin, 'x' as external_id, 1 as waiting_rows",
}


@pytest.fixture(scope="module")
def copy(demo: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """All computed tables of the demo and what their checks compare them with, in memory."""
    with Engine(None, tmp_path_factory.mktemp("copy")) as engine:
        run = engine.connection.execute
        run(f"attach '{demo.home / 'engine.duckdb'}' as made (read_only)")
        tables = run(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'made'"
            " and schema_name in ('reference', 'ledger', 'indicator', 'bi', 'publish')"
        ).fetchall()
        for (table,) in tables:
            run(f"create table {table} as from made.{table}")
        for table, row in PLANTED.items():
            run(f"insert into {table} by name select {row}")
        yield engine


def model_damage(model: Model) -> dict[str, str]:
    """What makes each check of a computed table fire."""
    return {
        "declared_columns": "alter table {table} add column undeclared integer",
        "key_unique": "insert into {table} from {table} limit 1",
        "key_filled": f"update {{table}} set {model.key[0]} = null",
        **({"keys_known": "update {table} set site_key = -1"} if DIMENSION_KEYS in model.columns else {}),
        **{check.id: check.fires_on for check in model.checks},
    }


MODEL_CHECKS = [
    pytest.param(model, name, sql, id=f"{model.name}.{name}")
    for model in CATALOGUE.models.values()
    for name, sql in model_damage(model).items()
]


@pytest.mark.parametrize(("model", "name", "fires_on"), MODEL_CHECKS)
def test_a_check_of_a_computed_table_fires(copy: Engine, model: Model, name: str, fires_on: str) -> None:
    silent = outcomes(check_model(copy, CATALOGUE, model))
    assert silent[name] == "passed" and silent.keys() == model_damage(model).keys()
    with broken(copy, model.name, fires_on):
        assert outcomes(check_model(copy, CATALOGUE, model))[name] == "failed"


INDICATOR_DAMAGE = {
    "declared_columns": "alter table {table} add column undeclared integer",
    "key_unique": "insert into {table} from {table} limit 1",
    "key_filled": "update {table} set month = null",
    "known_component": "update {table} set component = 'unheard_of'",
    "amount_or_gap": "update {table} set amount = null, gap_code = null",
    "plausible_value": f"update {VALUES} set value = 1e12",
}


@pytest.mark.parametrize("name", CATALOGUE.indicators)
def test_the_checks_of_an_indicator_fire(copy: Engine, name: str) -> None:
    indicator = CATALOGUE.indicators[name]
    silent = outcomes(check_indicator(copy, CATALOGUE, indicator))
    assert set(silent.values()) == {"passed"}
    assert silent.keys() == INDICATOR_DAMAGE.keys()
    for check, sql in INDICATOR_DAMAGE.items():
        table = VALUES if check == "plausible_value" else f"indicator.{name}"
        with broken(copy, table, sql.replace("{table}", table)):
            assert outcomes(check_indicator(copy, CATALOGUE, indicator))[check] == "failed"


def outcomes(results: list[Any]) -> dict[str, str]:
    return {result.check_id: result.outcome for result in results}


class broken:
    """A table made wrong for the time of a block."""

    def __init__(self, engine: Engine, table: str, sql: str) -> None:
        self.run = engine.connection.execute
        self.table = table
        self.sql = sql.replace("{table}", table)

    def __enter__(self) -> None:
        self.run(f"create or replace table main.good as from {self.table}")
        self.run(self.sql)

    def __exit__(self, *_: object) -> None:
        self.run(f"create or replace table {self.table} as from main.good")


def test_the_catalogue_has_checks_of_every_kind() -> None:
    """Or the tests above would pass by having nothing to do."""
    assert isinstance(CATALOGUE, Catalogue)
    for found in (CONTRACTS, EXPECTATIONS, MODEL_CHECKS, list(column_faults()), list(CATALOGUE.indicators)):
        assert len(found) > 3
