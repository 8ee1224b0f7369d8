"""Emission factors: what the product ships hangs together, and the one that is chosen can be told why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from assets.modelling import check_model, compute
from assets.preparing import Horizon, prepare_reference, set_months
from resources.catalogue import Catalogue, Settings
from resources.catalogue.reading import load_catalogue
from resources.catalogue.reference_tables import ReferenceRow, typed_rows
from resources.engine import Engine
from resources.errors import KetenError
from resources.sql_compiler import lineage

CATALOGUE = load_catalogue()
MODEL = CATALOGUE.models["ledger.factor_choice"]
KNOWN = date(2026, 12, 1)


def table(name: str) -> list[dict[str, Any]]:
    return typed_rows(CATALOGUE, CATALOGUE.reference_tables[name])


def test_every_activity_is_used_and_every_use_finds_a_factor() -> None:
    uses, factors = table("factor_use"), table("emission_factor")
    by_euro = {"spend"}  # its factors are those of the sectors
    assert {use["activity_code"] for use in uses} | by_euro == CATALOGUE.code_lists["activity"].keys()
    known = {(f["factor_activity_code"], f["part_code"]) for f in factors}
    assert {(u["factor_activity_code"], u["part_code"]) for u in uses} <= known


def test_a_factor_is_whole_or_in_parts_and_never_both() -> None:
    parts = defaultdict(set)
    for factor in table("emission_factor"):
        parts[factor["geography_code"], factor["factor_activity_code"], factor["valid_from"]].add(factor["part_code"])
    assert all(not ("total" in found and found & {"direct", "chain"}) for found in parts.values())
    assert all(f["kg_co2e_per_unit"] <= 0 for f in table("emission_factor") if f["part_code"] == "avoided")


def test_scope_and_category_go_together_and_only_energy_has_two_methods() -> None:
    scopes = {"scope_1": "1", "scope_2": "2", "cat_3": "3", "outside": "outside"}
    for use in table("factor_use"):
        category = use["emission_category_code"]
        assert use["scope_code"] == next(scope for start, scope in scopes.items() if category.startswith(start))
        assert (use["method_code"] == "single") == (use["scope_code"] != "2")
        assert (use["impact_kind_code"] == "actual") == (use["part_code"] in ("direct", "chain", "total"))


def test_both_methods_of_scope_2_count_the_same_activities() -> None:
    counted = defaultdict(set)
    for use in table("factor_use"):
        counted[use["method_code"]].add(use["activity_code"])
    assert counted["location"] == counted["market"] == {"electricity", "district_heat", "residual_heat"}


def test_waste_is_named_by_stream_and_treatment() -> None:
    lists = CATALOGUE.code_lists
    known = {f"waste_{stream}_{treatment}" for stream in lists["waste_stream"] for treatment in lists["treatment"]}
    waste = {code for code in lists["activity"] if code.startswith("waste_")}
    assert waste - known == {"waste_water"}


def test_spend_is_counted_with_a_sector_or_left_out_with_a_reason() -> None:
    uses = table("spend_category_use")
    assert {use["spend_category_code"] for use in uses} == CATALOGUE.code_lists["spend_category"].keys()
    sectors = {kind: {f["sector_code"] for f in table(f"spend_factor_{kind}")} for kind in ("exiobase", "us")}
    for use in uses:
        is_excluded = use["spend_treatment_code"] == "excluded"
        assert is_excluded == (use["exiobase_sector_code"] is None) == (use["reason_nl"] is not None)
        assert use["exiobase_sector_code"] in {None, *sectors["exiobase"]}
        assert use["us_sector_code"] in {None, *sectors["us"]}


def test_every_carrier_has_both_heating_values_in_each_of_its_units() -> None:
    counts = Counter((row["carrier_code"], row["unit_code"]) for row in table("energy_content"))
    assert {carrier for carrier, _ in counts} == CATALOGUE.code_lists["carrier"].keys()
    assert set(counts.values()) == {2}
    gas = {r["heating_value_code"]: r["kwh_per_unit"] for r in table("energy_content") if r["unit_code"] == "m3"}
    assert gas == {"upper": Decimal("9.769"), "lower": Decimal("8.792")}


def test_the_published_numbers_are_met() -> None:
    found = {
        (f["geography_code"], f["factor_activity_code"], f["edition_code"], f["part_code"]): f["kg_co2e_per_unit"]
        for f in table("emission_factor")
    }
    published = {
        ("NL", "gas.natural", "2026", "direct"): "1.779",
        ("NL", "gas.natural", "2026", "chain"): "0.355",
        ("NL", "electricity.unknown_mix", "2026", "direct"): "0.200",
        ("NL", "electricity.unknown_mix", "2026", "chain"): "0.044",
        ("NL", "heat.district.average", "2026", "direct"): "0.123516",  # 34.31 kg/GJ * 0.0036 GJ/kWh
        ("NL", "heat.district.average", "2026", "chain"): "0.022104",  # 6.14 kg/GJ * 0.0036 GJ/kWh
        ("NL", "waste.residual.energy_recovery", "2026", "total"): "0.038",
        ("NL", "waste.residual.energy_recovery", "2026", "process"): "0.575",
        ("NL", "waste.residual.energy_recovery", "2026", "avoided"): "-0.252",
        ("NL", "water.wastewater", "2026", "total"): "0.60421",  # 26.27 kg/VE * 0.023 VE/m3
        ("GB", "electricity.grid", "2026", "direct"): "0.13096",
        ("GB", "electricity.grid", "2025", "direct"): "0.177",
    }
    assert {key: found[key] for key in published} == {key: Decimal(text) for key, text in published.items()}
    assert found["NL", "electricity.residual_mix", "2024", "direct"] is None


class Choice:
    """The choices of 2019 to 2027 as known on a day, with rows that a deployment adds."""

    def __init__(self, folder: Path, as_of: date = KNOWN, geography: str = "NL", *added: dict[str, str]) -> None:
        settings = {"organisation": "t", "geography": geography, "reporting": {"from": "2019-01"}}
        example = CATALOGUE.reference_rows["emission_factor"][0].cells
        rows = [ReferenceRow(f"added: line {i}", {**example, **row}) for i, row in enumerate(added)]
        own = {"emission_factor": [*CATALOGUE.reference_rows["emission_factor"], *rows]}
        made = Catalogue(
            **{
                **vars(CATALOGUE),
                "deployment": Settings.model_validate(settings),
                "reference_rows": {**CATALOGUE.reference_rows, **own},
            }
        )
        with Engine(None, folder) as engine:
            span = Horizon(date(2019, 1, 1), date(2027, 12, 1))
            prepare_reference(engine, made, span, as_of, "r")
            set_months(engine, span.months())
            compute(engine, MODEL)
            self.checks = {check.check_id: check.outcome for check in check_model(engine, made, MODEL)}
            self.rows = engine.read("select * from ledger.factor_choice").read_all().to_pylist()
            schema = {ref: dict(engine.columns(ref)) for ref in MODEL.refs}
        self.lineage = lineage(MODEL.sql, schema)

    def row(self, activity: str, category: str, year: int, part: str = "direct", **keys: str) -> dict[str, Any]:
        wanted = {
            **{"activity_code": activity, "emission_category_code": category, "part_code": part},
            **{"impact_kind_code": "actual", "month": date(year, 3, 1), **keys},
        }
        (found,) = [row for row in self.rows if all(row[name] == value for name, value in wanted.items())]
        return found

    def told(
        self, activity: str, category: str, year: int, part: str = "direct", **keys: str
    ) -> tuple[str, str, str, int]:
        """Factor, edition, reason and years between."""
        row = self.row(activity, category, year, part, **keys)
        number = str(row["kg_co2e_per_unit"].normalize()) if row["kg_co2e_per_unit"] is not None else ""
        return number, row["edition_code"], row["factor_reason_code"], row["edition_gap_years"]


@pytest.fixture(scope="module")
def choice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Choice]:
    yield Choice(tmp_path_factory.mktemp("choice"))


EEA_2024 = "2024 (indicator 2025-11, modified 2026-07-10)"


def test_its_invariants_hold(choice: Choice) -> None:
    assert set(choice.checks.values()) == {"passed"}


def test_the_edition_of_the_year_comes_first(choice: Choice) -> None:
    gas = ("natural_gas", "scope_1_stationary", 2026)
    assert choice.told(*gas) == ("1.779", "2026", "edition_of_year", 0)
    assert choice.told("natural_gas", "cat_3_3", 2026, "chain") == ("0.355", "2026", "edition_of_year", 0)
    power = ("electricity", "scope_2_electricity", 2026)
    assert choice.told(*power, method_code="location") == ("0.2", "2026", "edition_of_year", 0)


@pytest.mark.parametrize(("year", "gap"), [(2024, 2), (2025, 1), (2027, 1)])
def test_a_year_without_an_edition_takes_the_nearest_and_says_so(choice: Choice, year: int, gap: int) -> None:
    assert choice.told("natural_gas", "scope_1_stationary", year) == ("1.779", "2026", "nearest_edition", gap)


@pytest.mark.parametrize(
    ("year", "told"),
    [
        (2022, ("0.255", EEA_2024.replace("2024 (", "2023 ("), "nearest_edition", 1)),
        (2024, ("0.245", EEA_2024, "edition_of_year", 0)),
        (2025, ("0.2", "2026", "nearest_edition", 1)),
    ],
)
def test_a_grid_factor_of_the_year_goes_before_a_list_of_another_year(choice: Choice, year: int, told: tuple) -> None:
    assert choice.told("electricity", "scope_2_electricity", year, method_code="location") == told


def test_what_is_published_as_not_available_is_never_chosen_and_never_zero(choice: Choice) -> None:
    market = choice.row("electricity", "scope_2_electricity", 2024, method_code="market")
    assert market["factor_activity_code"] != "electricity.residual_mix"
    assert market["kg_co2e_per_unit"] == Decimal("0.245")
    assert all(row["kg_co2e_per_unit"] is not None for row in choice.rows if row["factor_reason_code"] != "none")


def test_what_has_no_factor_at_home_comes_from_elsewhere_and_says_so(choice: Choice) -> None:
    water = choice.row("water_supply", "cat_3_1", 2026, "total")
    assert (water["geography_code"], water["factor_reason_code"]) == ("GB", "other_geography")
    coffee = choice.row("food_coffee", "cat_3_1", 2026, "total")
    assert (coffee["geography_code"], coffee["factor_reason_code"]) == ("GLO", "other_geography")


def test_where_nothing_is_known_the_factor_is_empty(tmp_path: Path) -> None:
    american = Choice(tmp_path, KNOWN, "US")
    assert american.told("natural_gas", "scope_1_stationary", 2026) == ("0.181234197", "2025", "edition_of_year", 0)
    assert american.told("natural_gas", "cat_3_3", 2026, "chain") == ("", None, "none", None)


def test_only_what_was_known_on_the_day_counts(tmp_path: Path) -> None:
    before = Choice(tmp_path, date(2026, 7, 9))
    power = ("electricity", "scope_2_electricity", 2024)
    assert before.told(*power, method_code="location") == ("0.2", "2026", "nearest_edition", 2)
    assert Choice(tmp_path, date(2026, 7, 10)).told(*power, method_code="location")[0] == "0.245"


GAS = {
    **{"factor_id": "NL.OWN.gas", "edition_code": "2024", "factor_activity_code": "gas.natural", "part_code": "direct"},
    **{"unit_code": "m3", "kg_co2e_per_unit": "1.8", "geography_code": "NL", "valid_from": "2024-01-01"},
    **{"valid_to": "2025-01-01", "known_from": "2024-01-01", "known_to": "", "is_verified": "true"},
}


def test_a_deployment_adds_an_edition(tmp_path: Path) -> None:
    found = Choice(tmp_path, KNOWN, "NL", GAS)
    assert found.told("natural_gas", "scope_1_stationary", 2024) == ("1.8", "2024", "edition_of_year", 0)
    assert found.told("natural_gas", "scope_1_stationary", 2022) == ("1.8", "2024", "nearest_edition", 2)
    assert found.told("natural_gas", "scope_1_stationary", 2025) == ("1.779", "2026", "nearest_edition", 1)


def test_a_factor_that_nobody_verified_is_not_chosen(tmp_path: Path) -> None:
    found = Choice(tmp_path, KNOWN, "NL", {**GAS, "is_verified": "false"})
    assert found.told("natural_gas", "scope_1_stationary", 2024)[1] == "2026"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kg_co2e_per_unit": "1.9"}, ("1.9", "2024")),
        ({"kg_co2e_per_unit": ""}, ("1.779", "2026")),
        ({"kg_co2e_per_unit": "1.9", "is_verified": "false"}, ("1.8", "2024")),
        ({"kg_co2e_per_unit": "1.9", "known_from": "2027-01-01"}, ("1.8", "2024")),
        ({"kg_co2e_per_unit": "1.9", "known_to": "2026-11-01"}, ("1.8", "2024")),
    ],
)
def test_a_correction_takes_the_place_of_what_it_corrects(
    tmp_path: Path, change: dict[str, str], told: tuple[str, str]
) -> None:
    correction = {**GAS, "known_from": "2025-06-01", "is_erratum": "true", **change}
    found = Choice(tmp_path, KNOWN, "NL", GAS, correction)
    assert found.told("natural_gas", "scope_1_stationary", 2024)[:2] == told


def test_lineage_leads_to_the_columns_of_the_factors(choice: Choice) -> None:
    assert choice.lineage.values["kg_co2e_per_unit"] == {"reference.emission_factor.kg_co2e_per_unit"}
    assert "reference.emission_factor.is_verified" in choice.lineage.filters
    assert "run.knowledge.known_on" in choice.lineage.filters


def test_a_geography_that_is_not_known_is_told(tmp_path: Path) -> None:
    (tmp_path / "keten.yml").write_text("organisation: t\ngeography: XX\nreporting: {from: 2025-01}\n", "utf-8")
    with pytest.raises(KetenError, match="keten.yml: geography 'XX' does not exist"):
        load_catalogue(tmp_path)
