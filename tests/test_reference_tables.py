"""Typed reference tables: what cannot be right stops the catalogue, and what is right reaches the engine to the last digit."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.preparing import Horizon, prepare_reference
from resources.catalogue import Catalogue
from resources.catalogue.reading import ROOT, load_catalogue
from resources.catalogue.reference_tables import known_until
from resources.engine import TYPES, Engine
from resources.errors import KetenError
from resources.sql_compiler import lineage

DECLARED: dict[str, Any] = {
    "title": {"nl": "t", "en": "t"},
    "description": {"nl": "d", "en": "d"},
    "owner": "o",
    "licence": "own work",
    "source": "s",
    "grain": "carrier × period",
    "key": ["carrier_code", "valid_from"],
    "columns": ["carrier_code", "valid_from", "valid_to", "eur_per_unit", "days", "mass_kg", "is_weighed"],
    "optional": ["valid_to", "mass_kg"],
}
HEAD = "carrier_code,valid_from,valid_to,eur_per_unit,days,mass_kg,is_weighed\n"
ROW = "gas,2025-01-01,2026-01-01,0.123456789,3,,true\n"


def load(folder: Path, rows: str = ROW, head: str = HEAD, **changes: Any) -> Catalogue:
    """The product's catalogue with a table `price` of a deployment."""
    reference = folder / "reference"
    reference.mkdir(exist_ok=True)
    (reference / "price.yml").write_text(yaml.safe_dump({**DECLARED, **changes}), "utf-8")
    (reference / "price.csv").write_text(head + rows, "utf-8")
    return load_catalogue(folder)


def swapped(old: str, new: str) -> str:
    assert old in ROW
    return ROW.replace(old, new)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"columns": ["valid_form"], "head": "valid_form\n", "rows": ""}, "column 'valid_form' does not exist; did you mean 'valid_from'?"),
    ({"key": ["site_id"]}, "price.yml: column 'site_id' does not exist"),
    ({"optional": ["valid_from"]}, "price.yml: optional: 'valid_from' is part of the key and always filled; remove it"),
    ({"licence": ""}, "price.yml: licence: is empty; fill it in"),
    ({"colums": []}, "price.yml: colums: is not a known key; did you mean 'columns'?"),
    ({"name": "x"}, "price.yml: name: follows from the file's name or its SQL; remove it"),
    ({"head": HEAD.replace("days", "day")}, "price.csv: line 1: the header should be carrier_code,valid_from"),
    ({"rows": swapped("gas", "gaz")}, "price.csv: line 2: carrier_code: code 'gaz' of carrier does not exist; did you mean 'gas'?"),
    ({"rows": swapped("gas", "coal")}, "code 'coal' of carrier does not exist; add it to reference/carrier.csv"),
    ({"rows": swapped("gas", "")}, "price.csv: line 2: carrier_code is empty; fill it in"),
    ({"rows": swapped(",3,", ",,")}, "price.csv: line 2: days is empty; fill it in"),
    ({"rows": swapped(",3,", ",3.5,")}, "price.csv: line 2: days: '3.5' cannot be read as integer; write it as 2026"),
    ({"rows": swapped("0.123456789", '"0,12"')}, "eur_per_unit: '0,12' cannot be read as factor; write it with a point"),
    ({"rows": swapped("0.123456789", "0.1234567891")}, "eur_per_unit: '0.1234567891' cannot be read as factor; it may have 9 digits"),
    ({"rows": swapped("0.123456789", "1234567890")}, "eur_per_unit: '1234567890' cannot be read as factor; it may have 9 digits before"),
    ({"rows": swapped("0.123456789", "1e-3")}, "eur_per_unit: '1e-3' cannot be read as factor"),
    ({"rows": swapped("3,,", "3,1.2345678,")}, "mass_kg: '1.2345678' cannot be read as decimal; it may have 22 digits before and 6"),
    ({"rows": swapped("2025-01-01", "01-01-2025")}, "valid_from: '01-01-2025' cannot be read as date; write it as 2026-01-31"),
    ({"rows": swapped("2025-01-01", "20250101")}, "valid_from: '20250101' cannot be read as date; write it as 2026-01-31"),
    ({"rows": swapped("true", "ja")}, "is_weighed: 'ja' cannot be read as boolean; write it as true or false"),
    ({"rows": swapped("2026-01-01", "2025-01-01")}, "valid_to: '2025-01-01' is not after valid_from"),
    ({"rows": ROW + ROW}, "price.csv: line 3: key 'gas, 2025-01-01' stands in reference/price.csv: line 2 already"),
    ({"rows": ROW + swapped("2025-01-01", "2024-06-01")}, "lies within the period of reference/price.csv: line 3"),
    ({"rows": swapped("2026-01-01", "") + swapped("2025-01-01,2026", "2026-01-01,2027")}, "end that one (valid_to) before"),
    ({"rows": swapped(",true", ",true,9")}, "price.csv: line 2: more cells than the header"),
    ({"rows": swapped(",true", "")}, "price.csv: line 2: fewer cells than the header"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), FAULTS, ids=[words[:60] for _, words in FAULTS])
def test_a_table_that_cannot_be_right_is_told(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(KetenError) as told:
        load(tmp_path, **changes)
    assert words in str(told.value)


def test_periods_that_follow_each_other_are_fine(tmp_path: Path) -> None:
    rows = ROW + swapped("2025-01-01,2026-01-01", "2026-01-01,")
    assert len(load(tmp_path, rows).reference_rows["price"]) == 2


def test_every_value_reaches_the_engine_with_its_declared_type(tmp_path: Path) -> None:
    found = load(tmp_path)
    with Engine(None, tmp_path) as engine:
        prepare_reference(engine, found, Horizon(date(2025, 1, 1), date(2025, 1, 1)), date(2025, 2, 1), "r")
        for table in found.reference_tables.values():
            declared = {name: TYPES[found.columns[name].type] for name in table.columns}
            assert dict(engine.columns(f"reference.{table.name}")) == declared
        row = engine.read("select * from reference.price").read_all().to_pylist()[0]
        assert row == {
            "carrier_code": "gas",
            "valid_from": date(2025, 1, 1),
            "valid_to": date(2026, 1, 1),
            "eur_per_unit": Decimal("0.123456789"),
            "days": 3,
            "mass_kg": None,
            "is_weighed": True,
        }
        schema = {"reference.price": dict(engine.columns("reference.price"))}
    shown = lineage("select carrier_code, eur_per_unit * 2 as twice from reference.price where days > 1", schema)
    assert shown.values["twice"] == {"reference.price.eur_per_unit"}
    assert shown.filters == {"reference.price.days"}


@pytest.mark.parametrize(
    ("ref", "words"), [("exchange_rate", None), ("exchange_rates", "did you mean 'reference.exch")]
)
def test_a_model_may_refer_to_a_typed_table(tmp_path: Path, ref: str, words: str | None) -> None:
    root = tmp_path / "dbt_like_sql"
    shutil.copytree(ROOT, root)
    sql = root / "bi" / "dim_chain.sql"
    sql.write_text(sql.read_text("utf-8") + f"-- {{{{ ref('reference.{ref}') }}}}\n", "utf-8")
    if words is None:
        assert f"reference.{ref}" in load_catalogue(root=root).models["bi.dim_chain"].refs
        return
    with pytest.raises(KetenError, match=words):
        load_catalogue(root=root)


def add_rates(
    folder: Path, rows: str, head: str = "currency_code,valid_from,valid_to,eur_per_unit,source"
) -> Catalogue:
    (folder / "reference").mkdir(exist_ok=True)
    (folder / "reference" / "exchange_rate.csv").write_text(f"{head}\n{rows}\n", "utf-8")
    return load_catalogue(folder)


def test_a_deployment_adds_rows_to_a_table_of_the_product(tmp_path: Path) -> None:
    found = add_rates(tmp_path, "USD,2025-01-01,2026-01-01,0.885,own treasury")
    own = [row.cells["currency_code"] for row in found.reference_rows["exchange_rate"]]
    assert own == ["EUR", "USD"]
    assert found.fingerprint != load_catalogue().fingerprint


def test_a_deployment_overrides_no_row_of_the_product(tmp_path: Path) -> None:
    with pytest.raises(
        KetenError, match="key 'EUR, 1999-01-01' stands in .* already and is not overridden; remove one"
    ):
        add_rates(tmp_path, "EUR,1999-01-01,,1.1,own treasury")
    with pytest.raises(KetenError, match="lies within the period of reference/exchange_rate.csv: line 2"):
        add_rates(tmp_path, "EUR,2025-01-01,,1.1,own treasury")


def test_a_deployment_keeps_to_the_columns_of_the_product(tmp_path: Path) -> None:
    with pytest.raises(KetenError, match="exchange_rate.csv: line 1: the header should be currency_code,valid_from"):
        add_rates(tmp_path, "USD,2025-01-01,0.9", "currency_code,valid_from,eur_per_unit")


def test_a_deployment_declares_no_table_of_the_product_again(tmp_path: Path) -> None:
    for name in ("exchange_rate", "unit"):
        reference = tmp_path / name / "reference"
        reference.mkdir(parents=True)
        (reference / f"{name}.yml").write_text(yaml.safe_dump(DECLARED), "utf-8")
        with pytest.raises(KetenError, match=f"table '{name}' exists already and is not overridden"):
            load_catalogue(tmp_path / name)


def test_columns_of_ones_own_need_a_declaration_and_a_declaration_needs_rows(tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    reference.mkdir()
    (reference / "price.csv").write_text(HEAD + ROW, "utf-8")
    with pytest.raises(KetenError, match="a table with columns of its own has a price.yml beside it"):
        load_catalogue(tmp_path)
    (reference / "price.csv").unlink()
    (reference / "price.yml").write_text(yaml.safe_dump(DECLARED), "utf-8")
    with pytest.raises(KetenError, match="there is no price.csv beside it; write its rows there"):
        load_catalogue(tmp_path)


def test_results_are_made_anew_on_the_day_a_row_becomes_known(tmp_path: Path) -> None:
    columns = {"known_from": "date", "known_to": "date"}
    root_columns = yaml.safe_load((ROOT / "columns.yml").read_text("utf-8"))
    assert columns.keys() <= root_columns.keys()
    rows = "gas,2025-01-10,2025-03-01\nheat,2025-02-01,\n"
    declared = {"key": ["carrier_code"], "columns": ["carrier_code", *columns], "optional": ["known_to"]}
    found = load(tmp_path, rows, "carrier_code,known_from,known_to\n", **declared)
    own = Catalogue(columns=found.columns, reference_rows={"price": found.reference_rows["price"]})
    days = [date(2025, 1, 9), date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 1)]
    assert [known_until(own, day) for day in days] == [None, date(2025, 1, 10), date(2025, 2, 1), date(2025, 3, 1)]
