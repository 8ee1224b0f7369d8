"""Corrections: a declared fault of a sender is mended in its rows, and an entry that is no longer needed says so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from resources.catalogue.correction_models import Correction
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.intake.corrections import check_corrections
from tests.deployment import READINGS, WASTE, Deployment, tiny
from tests.intake_run import IntakeRun
from tests.staged import READING, SITE, staged

SITES = "Code;Naam;GO\nA;Alpha;1200\nB;Beta;?\nC;Gamma;5\n"
FORM = {"format": {"delimiter": ";", "decimal": ","}, "columns": SITE}


def entry(**facts: Any) -> dict[str, Any]:
    told = {"id": "one", "dataset": "site", "reason": "typing error", "reporter": "Anna", "date": "2025-04-01"}
    return {**told, "expect": {"rows_per_delivery": 1}, **facts}


def corrected(folder: Path, *entries: dict[str, Any], text: str = SITES, **mapping: Any) -> dict[str, dict]:
    """Sites by their id, after some corrections; what was noted stands under `notes`."""
    made = [Correction.model_validate({"origin": "o", **e}) for e in entries]
    rows = staged(folder, "site", text, {**FORM, **mapping}, corrections=made)
    return {row["site_id"]: row for row in rows} | {"notes": rows[0]["notes"]}


AREA = {"action": "override", "column": "floor_area_go_m2", "value": "120"}


def test_an_overridden_value_takes_the_place_of_what_was_sent_and_the_first_is_kept(tmp_path: Path) -> None:
    rows = corrected(tmp_path, entry(match={"site_id": "A"}, **AREA))
    assert rows["A"]["floor_area_go_m2"] == Decimal(120)
    assert rows["C"]["floor_area_go_m2"] == Decimal(5)
    assert rows["notes"] == [("one", 2, "floor_area_go_m2", "1200.000000", "120.000000", "applied")]


def test_a_row_that_was_rejected_for_the_value_alone_counts_once_it_is_corrected(tmp_path: Path) -> None:
    rows = corrected(tmp_path, entry(match={"site_id": "B"}, **AREA, expect={"value": "?"}))
    assert (rows["B"]["reasons"], rows["B"]["floor_area_go_m2"]) == ([], Decimal(120))
    assert rows["notes"] == [("one", 3, "floor_area_go_m2", "?", "120.000000", "applied")]


def test_a_correction_cannot_bring_in_what_the_contract_refuses(tmp_path: Path) -> None:
    rows = corrected(tmp_path, entry(match={"site_id": "A"}, **{**AREA, "value": "-1"}))
    assert rows["A"]["reasons"] == ["out_of_range:floor_area_go_m2"]


def test_a_value_is_scaled_and_a_dropped_row_is_ignored_with_the_entry_as_reason(tmp_path: Path) -> None:
    rows = corrected(
        tmp_path,
        entry(where="floor_area_go_m2 > 1000", action="scale", column="floor_area_go_m2", factor="0.1"),
        entry(id="two", match={"Naam": ["Gamma", "Delta"]}, action="drop"),
    )
    assert rows["A"]["floor_area_go_m2"] == Decimal(120)
    assert rows["C"]["ignored_reason"] == "corrected:two"


def test_a_flag_changes_nothing_and_is_remembered(tmp_path: Path) -> None:
    rows = corrected(tmp_path, entry(match={"site_id": "A"}, action="flag", column="floor_area_go_m2"))
    assert rows["A"]["floor_area_go_m2"] == Decimal(1200)
    assert rows["notes"] == [("one", 2, "floor_area_go_m2", "1200.000000", None, "applied")]


def test_a_column_that_stands_in_no_cell_can_be_overridden_for_some_rows(tmp_path: Path) -> None:
    rows = corrected(tmp_path, entry(match={"site_id": "A"}, action="override", column="client_id", value="D"))
    assert (rows["A"]["client_id"], rows["C"]["client_id"]) == ("D", "C")


def test_later_entries_see_what_earlier_ones_left(tmp_path: Path) -> None:
    rows = corrected(
        tmp_path,
        entry(match={"site_id": "A"}, **AREA),
        entry(id="two", match={"floor_area_go_m2": 120}, action="scale", column="floor_area_go_m2", factor=2),
    )
    assert rows["A"]["floor_area_go_m2"] == Decimal(240)


def test_the_first_of_two_conflicting_rows_is_dropped_and_the_other_counts(tmp_path: Path) -> None:
    text = "Code;Naam;GO\nA;Alpha;1\nA;Alpha;2\n"
    dropped = entry(match={"site_id": "A"}, where="floor_area_go_m2 = 1", action="drop")
    made = [Correction.model_validate({"origin": "o", **dropped})]
    first, second = staged(tmp_path, "site", text, FORM, corrections=made)
    assert (first["ignored_reason"], second["reasons"]) == ("corrected:one", [])


@pytest.mark.parametrize(
    ("expect", "outcome"),
    [
        ({"value": "1200"}, "applied"),
        ({"value": ["7", "1200"]}, "applied"),
        ({"value": "12"}, "mended"),
        ({"range": [1000, 2000]}, "applied"),
        ({"range": [0, 1000]}, "mended"),
        ({"rows_per_delivery": 1}, "applied"),
        ({"rows_per_delivery": 2}, "other_count"),
        ({"rows": 3}, "applied"),
    ],
)
def test_a_row_that_is_not_as_expected_is_left_as_it_was_sent(tmp_path: Path, expect: dict, outcome: str) -> None:
    rows = corrected(tmp_path, entry(match={"site_id": "A"}, **AREA, expect=expect))
    assert [note[-1] for note in rows["notes"]] == [outcome]
    assert rows["A"]["floor_area_go_m2"] == (Decimal(120) if outcome == "applied" else Decimal(1200))


def test_an_entry_that_matches_more_rows_than_there_may_be_touches_none_of_them(tmp_path: Path) -> None:
    rows = corrected(tmp_path, entry(where="site_id > 'A'", **AREA, expect={"rows": 1}))
    assert (rows["C"]["floor_area_go_m2"], rows["B"]["reasons"]) == (Decimal(5), ["not_a_number:floor_area_go_m2"])


def test_an_entry_for_other_files_does_not_count(tmp_path: Path) -> None:
    rows = corrected(tmp_path, entry(match={"site_id": "A"}, files="other_*.csv", **AREA))
    assert (rows["A"]["floor_area_go_m2"], rows["notes"]) == (Decimal(1200), [])


def test_a_corrected_reading_says_that_it_is_and_its_other_columns_stay(tmp_path: Path) -> None:
    made = Correction.model_validate(
        entry(
            origin="o",
            dataset="meter_reading",
            match={"EAN": "E"},
            where="start_utc >= timestamp '2025-03-01 00:00:00'",
            action="scale",
            column="quantity",
            factor="0.001",
        )
    )
    mapping = {
        "format": {"delimiter": ";", "decimal": ","},
        "time": {"zone": "UTC", "stamp": "start", "interval_minutes": 60},
        "columns": READING,
    }
    text = "EAN;Tijd;Verbruik\nE;28-02-2025 23:00;5000\nE;01-03-2025 00:00;5000\n"
    first, second = staged(tmp_path, "meter_reading", text, mapping, corrections=[made])
    assert (first["quantity"], first["reading_status_code"]) == (Decimal(5000), None)
    assert (second["quantity"], second["reading_status_code"]) == (Decimal(5), "corrected")
    assert second["register_code"] == "1.8.0"


WASTE_ENTRY = {
    "id": "tonnes_as_kg",
    "dataset": "waste_collection",
    "match": {"period_from": "2025-02-03"},
    "action": "override",
    "column": "mass_kg",
    "value": "45",
    "reason": "weighed with the truck",
    "reporter": "Anna de Wit",
    "date": "2025-04-02",
    "expect": {"rows": 1, "value": "60"},
}

FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"origin": "us"}, "corrections.origin: follows from the file's name or its SQL; remove it"),
    ({"colunm": "mass_kg"}, "is not a known key; did you mean 'column'?"),
    ({"reporter": ""}, "reporter: is empty; fill it in"),
    ({"expect": None}, "expect"),
    ({"expect": {}}, "tonnes_as_kg: expect: is empty; say how many rows it is about"),
    ({"dataset": "waste_colection"}, "did you mean 'waste_collection'?"),
    ({"dataset": "spend"}, "mappings/us__spend.yml is missing"),
    ({"match": {}}, "match: say which rows"),
    ({"match": {"weight": 1}}, "match: column or heading 'weight' does not exist"),
    ({"match": {"mass_kg": "heavy"}}, "match.mass_kg: 'heavy' is no decimal"),
    ({"column": "mass"}, "column 'mass' does not exist; did you mean 'mass_kg'?"),
    ({"value": "much"}, "value: 'much' is no decimal"),
    ({"value": None}, "value: is missing; override needs it"),
    ({"value": "60"}, "value: it is what was sent already"),
    ({"factor": 2}, "factor: override has none; remove it"),
    (
        {"column": "stream_code", "value": "residu", "expect": {"rows": 1}},
        "code of waste_stream 'residu' does not exist",
    ),
    ({"action": "drop"}, "value: drop has none; remove it"),
    (
        {"action": "scale", "value": None, "factor": 2, "column": "site_id"},
        "column: 'site_id' is no number; override it",
    ),
    ({"expect": {"range": [9, 1]}}, "range: it starts above its end; swap them"),
    ({"where": "mass_kg > 'abc'"}, "where: Conversion Error"),
    ({"where": "site_id > 5"}, "where: Binder Error"),
    ({"where": "cast(site_id as int) > 5"}, "where: Conversion Error: Could not convert string 'x'"),
    ({"where": "mass_kg >"}, "where: it is no condition"),
    ({"where": "kilos > 5"}, "where: column 'kilos' does not exist"),
    ({"where": "mass_kg > (select 1)"}, "where: Subquery may not stand in it"),
    ({"where": "mass_kg > 1; drop table x"}, "where: write one condition"),
    ({"where": "mass_kg > random()"}, "where: Rand may not stand in it"),
]


@pytest.mark.parametrize(("change", "told"), FAULTS, ids=[told for _, told in FAULTS])
def test_an_entry_that_cannot_be_right_is_refused_with_file_entry_and_repair(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    made = tiny(tmp_path)
    facts = {k: v for k, v in {**WASTE_ENTRY, **change}.items() if v is not None}
    made.declare("corrections/us.yml", {"corrections": [facts]})
    with pytest.raises(KetenError, match=r"^corrections/us\.yml: ") as caught:
        load_catalogue(made.project)
    assert told in str(caught.value)


def test_an_id_stands_once_in_a_file(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    made.declare("corrections/us.yml", {"corrections": [WASTE_ENTRY, WASTE_ENTRY]})
    with pytest.raises(KetenError, match="correction 'tonnes_as_kg' exists already"):
        load_catalogue(made.project)


RESIDUAL = "select sum(amount) from bi.fact_indicator_month where indicator_id = 'residual_waste_per_fte' and component = 'residual_kg'"
CHECKS = "select outcome, observed from bi.rpt_check where check_id like 'correction_%'"
SHOWN = "select receipt_id <> '', matched_rows, corrected_rows, value_before, value_after, reason, reporter from bi.rpt_correction"


def masses(made: Deployment) -> list[tuple[Any, ...]]:
    return made.rows(
        "select received_rows, accepted_rows, ignored_rows from bi.rpt_delivery where dataset = 'waste_collection' order by file_name"
    )


def test_a_correction_lives_from_its_declaration_to_the_mended_delivery(small: Deployment, tmp_path: Path) -> None:
    """Declared, seen everywhere, failing once the sender has mended the fault, and gone without a trace when removed."""
    made = small.copy(tmp_path)
    before = made.values()
    judged = judged_by(made)
    made.declare("corrections/us.yml", {"corrections": [WASTE_ENTRY]})
    made.keten("run")
    assert made.values() != before
    assert made.rows(CHECKS) == [("passed", "rows: 1; expected: 1")]
    shown = [(True, 1, 1, "60.000000", "45.000000", "weighed with the truck", "Anna de Wit")]
    assert made.rows(SHOWN) == shown
    assert {name for name, by in judged_by(made).items() if by != judged[name]} == {
        "waste_collection_20250128.csv",
        "waste_collection_20250228.csv",
    }, "only what an entry may be about is judged again"
    receipt = made.receipt("waste_collection_20250228.csv").receipt_id
    told = "corrections/us.yml: tonnes_as_kg: override mass_kg 60.000000 -> 45.000000"
    assert f"{told}, 1 of 1 rows: weighed with the truck (Anna de Wit, 2025-04-02)" in made.keten(
        "receipt", "show", receipt
    )
    traced = made.keten("trace", "residual_waste_per_fte", "--period", "2025-02")
    assert f"{told}: 1 rows, waste_collection_20250228.csv: 2" in traced

    made.drop("data/waste_collection_20250301.csv", f"{WASTE}\nW,S,2025-02-03,rest,45\n")
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\n")
    text = made.keten("run")
    assert "corrections/us.yml: tonnes_as_kg" in text and "remove it when the fault is mended" in text
    assert made.rows(CHECKS)[0][0] == "failed"
    assert made.states()["meter_reading_20250301.csv"] == "loaded"

    (made.project / "corrections/us.yml").unlink()
    made.keten("run")
    assert made.rows(CHECKS) == [] and made.rows(SHOWN) == []


def judged_by(made: Deployment) -> dict[str, str]:
    from resources.engine import Engine

    with Engine(made.home / "engine.duckdb", made.home / "t") as engine:
        return dict(engine.connection.execute("select file_name, judged_by from intake.receipt").fetchall())


def declared(run: IntakeRun, *entries: dict[str, Any]) -> list[tuple[str, str]]:
    """Corrections of the sender in force; whether each holds, and what was seen."""
    run.made.declare("corrections/us.yml", {"corrections": list(entries)})
    run.take_in()
    found = check_corrections(run.engine.connection, run.catalogue, "waste_collection")
    return [(check.outcome, check.observed) for check in found]


def test_a_dropped_row_keeps_the_balance_and_comes_back_when_the_entry_goes(tmp_path: Path) -> None:
    run = IntakeRun(tiny(tmp_path), tmp_path / "spill")
    dropped = {k: v for k, v in WASTE_ENTRY.items() if k not in ("value", "column")}
    dropped |= {"action": "drop", "expect": {"rows": 1}}
    assert declared(run, dropped) == [("passed", "rows: 1; expected: 1")]
    assert run.rows("select reason, row_no from core.waste_collection__ignored") == [("corrected:tonnes_as_kg", 2)]
    assert run.rows("select count(*) from core.waste_collection") == [(7,)]
    assert run.unbalanced() == []
    (run.made.project / "corrections/us.yml").unlink()
    run.take_in()
    assert run.rows("select count(*) from core.waste_collection") == [(8,)]
    assert run.rows("select count(*) from intake.correction") == [(0,)]


def test_an_entry_that_meets_nothing_or_too_much_fails_and_says_where_it_stands(tmp_path: Path) -> None:
    run = IntakeRun(tiny(tmp_path), tmp_path / "spill")
    nothing = {**WASTE_ENTRY, "match": {"period_from": "2031-01-01"}}
    twice = {**WASTE_ENTRY, "id": "twice", "match": {"period_from": ["2025-01-03", "2025-02-03"]}}
    assert declared(run, nothing, twice) == [
        ("failed", "rows: 0; expected: 1"),
        ("failed", "rows: 2; expected: 1"),
    ]
    for check in check_corrections(run.engine.connection, run.catalogue, "waste_collection"):
        assert check.severity == "critical" and check.table == "core.waste_collection"
        assert check.en.startswith("corrections/us.yml: ") and "remove it when the fault is mended" in check.en


def test_a_withdrawn_delivery_takes_what_was_corrected_in_it_along(tmp_path: Path) -> None:
    run = IntakeRun(tiny(tmp_path), tmp_path / "spill")
    assert declared(run, WASTE_ENTRY)[0][0] == "passed"
    run.landing.withdraw(run.made.receipt("waste_collection_20250228.csv").receipt_id, "sent by mistake")
    run.take_in()
    assert run.rows("select count(*) from intake.correction") == [(0,)]


def test_other_words_about_an_entry_judge_nothing_again(tmp_path: Path) -> None:
    run = IntakeRun(tiny(tmp_path), tmp_path / "spill")
    declared(run, WASTE_ENTRY)
    assert not declared_again(run, {"reason": "weighed by hand", "reporter": "Bea", "date": "2025-05-01"})
    assert declared_again(run, {"value": "46"})


def declared_again(run: IntakeRun, change: dict[str, Any]) -> list[str]:
    """The deliveries that are judged again for a change of the entry."""
    declared(run, {**WASTE_ENTRY, **change})
    return run.results["waste_collection"].loaded
