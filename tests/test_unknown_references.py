"""Numbers of senders: ours where the list of identifiers knows them, an inbox with a suggestion where nobody does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from resources.catalogue.reading import load_catalogue
from resources.intake.receipt_list import dataset_order
from tests.deployment import READINGS, WASTE, Deployment, tiny
from tests.intake_run import IntakeRun

IDENTIFIERS = "origin_code,entity_code,external_id,entity_id,valid_from,valid_to"
EAN = "871687400000000014"  # the check digit of 87168740000000001 is 4


def knowing(folder: Path) -> Deployment:
    """The tiny deployment with a list of identifiers, and a second meter with an EAN."""
    made = tiny(folder)
    columns = {name: {"from": name} for name in IDENTIFIERS.split(",")}
    made.declare("mappings/us__identifier.yml", {"title": "numbers", "files": "identifier_2*.csv", "columns": columns})
    sources = (made.project / "sources.yml").read_text("utf-8")
    made.drop("sources.yml", f"{sources}- {{dataset: identifier, origin: us, path: data}}\n")
    made.drop("data/meter_20250301.csv", f"meter_id,site_id\nE,S\n{EAN},S\n")
    return made


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IntakeRun]:
    """Readings and liftings under numbers that are not ours."""
    made = knowing(tmp_path_factory.mktemp("waiting"))
    short, wrong = EAN[:-1], EAN[:-1] + "9"
    numbers = ["e", f" 00{EAN[:6]} {EAN[6:]}", short, wrong, "site", "NOBODY", "ELSEWHERE", "ENDED"]
    rows = [f"{number},2025-01-05,1" for number in numbers]
    made.drop("data/meter_reading_20250301.csv", "\n".join([READINGS, *rows, "NOBODY,2025-02-05,2"]) + "\n")
    made.drop(
        "data/waste_collection_20250301.csv", f"{WASTE}\nW,site,2025-02-05,rest,1\nCOLLECTOR,S,2025-02-05,rest,1\n"
    )
    made.drop(
        "data/identifier_20250101.csv",
        f"{IDENTIFIERS}\nother,meter,ELSEWHERE,E,2020-01-01,\nus,meter,ENDED,E,2020-01-01,2024-01-01\n",
    )
    run = IntakeRun(made, made.folder / "spill")
    run.take_in()
    yield run
    run.engine.connection.close()


def test_the_inbox_lists_each_number_once_with_what_waits_for_it(waiting: IntakeRun) -> None:
    told = {(row["dataset"], row["external_id"]): row for row in waiting.inbox()}
    nobody = told["meter_reading", "NOBODY"]
    assert (nobody["origin"], nobody["column_name"], nobody["entity_code"]) == ("us", "meter_id", "meter")
    assert (nobody["waiting_rows"], nobody["month_count"]) == (2, 2)
    assert (nobody["first_day"], nobody["last_day"]) == (date(2025, 1, 5), date(2025, 2, 5))
    assert nobody["first_seen"] == nobody["last_seen"]
    assert len(told) == 10


@pytest.mark.parametrize(
    ("dataset", "external_id", "suggested", "why"),
    [
        ("meter_reading", "e", "E", "same_characters"),
        ("meter_reading", f"00{EAN[:6]} {EAN[6:]}", EAN, "same_characters"),
        ("meter_reading", EAN[:-1], EAN, "check_digit"),
        ("meter_reading", EAN[:-1] + "9", EAN, "check_digit"),
        ("meter_reading", "ELSEWHERE", "E", "other_origin"),
        ("meter_reading", "ENDED", "E", "other_day"),
        ("meter_reading", "NOBODY", None, None),
        ("meter_reading", "site", None, None),  # two meters stand at the site of that name
        ("waste_collection", "site", "S", "only_name"),
        ("waste_collection", "COLLECTOR", "W", "only_name"),
    ],
)
def test_a_suggestion_says_by_which_rule_and_is_not_applied(
    waiting: IntakeRun, dataset: str, external_id: str, suggested: str | None, why: str | None
) -> None:
    (row,) = (r for r in waiting.inbox() if (r["dataset"], r["external_id"]) == (dataset, external_id))
    assert (row["suggested_id"], row["suggestion_code"]) == (suggested, why)
    assert row["waiting_rows"] > 0


def test_the_only_meter_of_a_site_is_suggested_for_the_name_of_the_site(tmp_path: Path) -> None:
    made = knowing(tmp_path)
    (made.project / "data/meter_20250301.csv").unlink()
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nSite,2025-01-05,1\n")
    run = IntakeRun(made, tmp_path / "spill")
    run.take_in()
    assert [(row["suggested_id"], row["suggestion_code"]) for row in run.inbox()] == [("E", "only_meter")]


WAITS = "select count(*) from core.meter_reading__unmatched"
KNOWN = (
    "select meter_id, quantity::int, file_name from core.meter_reading join intake.receipt using (receipt_id)"
    " where local_date = '2025-01-05'"
)


def test_rows_are_released_by_an_entry_in_the_list_of_identifiers_on_the_days_it_holds(tmp_path: Path) -> None:
    made = knowing(tmp_path)
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nBUILDING,2025-01-05,7\nBUILDING,2025-02-05,8\n")
    run = IntakeRun(made, tmp_path / "spill")
    run.take_in()
    assert run.rows(WAITS) == [(2,)] and len(run.inbox()) == 1
    made.drop("data/identifier_20250101.csv", f"{IDENTIFIERS}\nus,meter,BUILDING,{EAN},2025-01-01,2025-02-01\n")
    results = run.take_in()
    assert run.rows(WAITS) == [(1,)], "the day in February is not covered by the entry"
    assert (EAN, 7, "meter_reading_20250301.csv") in run.rows(KNOWN)
    assert results["meter_reading"].months is not None and date(2025, 1, 1) in results["meter_reading"].months
    (row,) = run.inbox()
    assert (row["suggested_id"], row["suggestion_code"], row["waiting_rows"]) == (EAN, "other_day", 1)
    assert run.unbalanced() == []
    assert not run.take_in()["meter_reading"].changed, "nothing is judged again without a reason"


def test_rows_are_released_by_master_data_and_go_back_when_an_entry_goes(tmp_path: Path) -> None:
    made = knowing(tmp_path)
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nBUILDING,2025-01-05,7\nNEW,2025-01-05,9\n")
    made.drop("data/identifier_20250101.csv", f"{IDENTIFIERS}\nus,meter,BUILDING,{EAN},2025-01-01,\n")
    run = IntakeRun(made, tmp_path / "spill")
    run.take_in()
    assert run.rows(WAITS) == [(1,)]
    made.drop("data/meter_20250401.csv", f"meter_id,site_id\nE,S\nNEW,S\n{EAN},S\n")
    run.take_in()
    assert run.rows(WAITS) == [(0,)] and run.inbox() == []
    assert {meter for meter, *_ in run.rows(KNOWN)} == {"E", "NEW", EAN}
    made.drop("data/identifier_20250401.csv", f"{IDENTIFIERS}\nus,meter,OTHER,{EAN},2025-01-01,\n")
    run.take_in()
    assert run.rows(WAITS) == [(1,)], "the list is complete: what it no longer holds is no longer known"
    assert run.unbalanced() == []


def test_an_entry_of_another_sender_counts_for_that_sender_only(tmp_path: Path) -> None:
    made = knowing(tmp_path)
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nBUILDING,2025-01-05,7\n")
    made.drop("data/identifier_20250101.csv", f"{IDENTIFIERS}\nother,meter,BUILDING,{EAN},2025-01-01,\n")
    run = IntakeRun(made, tmp_path / "spill")
    run.take_in()
    assert run.rows(WAITS) == [(1,)]


def test_two_numbers_of_one_meter_that_differ_in_a_delivery_are_in_conflict(tmp_path: Path) -> None:
    """Our ids are put in before repeats are told, or the last of the two would quietly win."""
    made = knowing(tmp_path)
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nBUILDING,2025-01-05,7\n{EAN},2025-01-05,8\n")
    made.drop("data/identifier_20250101.csv", f"{IDENTIFIERS}\nus,meter,BUILDING,{EAN},2025-01-01,\n")
    run = IntakeRun(made, tmp_path / "spill")
    run.take_in()
    reasons = run.rows("select reasons from core.meter_reading__rejected")
    assert reasons == [(["conflicting_repeat"],)] * 2


def test_every_dataset_that_is_referred_to_is_a_kind_of_entity_and_is_taken_in_after_the_identifiers() -> None:
    """Or its numbers could not be put on the list, or would be looked up before the list is there."""
    catalogue = load_catalogue()
    order: list[Any] = dataset_order(catalogue)
    referred = {c.references for contract in catalogue.contracts.values() for c in contract.columns.values()} - {None}
    assert referred == set(catalogue.code_lists["entity"])
    first = min(
        order.index(name)
        for name in catalogue.contracts
        if any(c.references for c in catalogue.contracts[name].columns.values())
    )
    assert order.index("identifier") < first
