"""What becomes of a delivery: loaded, held, rejected, refused, withdrawn, purged, and rows that wait for master data."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from demo.generate import generate
from tests.deployment import READINGS, WASTE, Deployment, tiny


def test_an_implausible_delivery_is_held_and_everything_else_is_published(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.drop("data/party_20250301.csv", "party_id,party_name,role_code\n")
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\n")
    text = made.keten("run")
    assert "held us__party" in text and "The list of organisations is not empty. (observed value: 0)" in text
    assert made.states()["party_20250301.csv"] == "held"
    assert made.states()["meter_reading_20250301.csv"] == "loaded"
    assert made.rows("select count(*) from bi.dim_party where is_listed") == [(3,)], "core is as it was"
    (told,) = made.rows("select table_name, severity, receipt_id from bi.rpt_check where outcome = 'failed'")
    assert told == ("core.party", "critical", made.receipt("party_20250301.csv").receipt_id)
    assert "held" in made.keten("run"), "a held delivery is never nothing new"


def test_one_bad_delivery_among_many_does_not_keep_the_others_out(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    for day in range(1, 8):
        made.drop(f"data/meter_reading_202503{day:02d}.csv", f"{READINGS}\nE,2025-02-{day:02d},{day}\n")
    long = "\n".join(f"E,2025-02-{day:02d},1" for day in range(9, 12))
    mapping = (made.project / "mappings/us__meter_reading.yml").read_text("utf-8")
    # A meter that says every day twice, under another register: two days of 24 hours are 48 hours on one day.
    made.drop("mappings/other__meter_reading.yml", mapping.replace("interval_minutes: 1440", "interval_minutes: 1400"))
    made.drop("other/meter_reading_20250304.csv", f"{READINGS}\n{long}\n")
    sources = (made.project / "sources.yml").read_text("utf-8")
    made.drop("sources.yml", f"{sources}- {{dataset: meter_reading, origin: other, path: other}}\n")
    made.keten("run")
    states = {name: state for name, state in made.states().items() if name.startswith("meter_reading_202503")}
    held = made.rows("select file_name from bi.rpt_delivery where state = 'held'")
    assert held == [("meter_reading_20250304.csv",)]
    assert sorted(states) == [f"meter_reading_202503{day:02d}.csv" for day in range(1, 8)]
    values = made.rows(
        "select amount from bi.fact_indicator_month where indicator_id = 'energy_intensity' and component = 'energy_kwh'"
        " and month = '2025-02-01'"
    )
    assert values == [(sum(range(1, 8)) + 21 * 10,)]


def test_a_held_delivery_comes_in_by_itself_when_another_mends_it(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    mapping = (made.project / "mappings/us__meter_reading.yml").read_text("utf-8")
    made.drop("mappings/other__meter_reading.yml", mapping.replace("interval_minutes: 1440", "interval_minutes: 1400"))
    sources = (made.project / "sources.yml").read_text("utf-8")
    made.drop("sources.yml", f"{sources}- {{dataset: meter_reading, origin: other, path: other}}\n")
    made.drop("other/meter_reading_20250304.csv", f"{READINGS}\nE,2025-01-05,1\n")
    made.keten("run")
    assert made.states()["meter_reading_20250304.csv"] == "held"
    made.keten("receipt", "withdraw", made.receipt("meter_reading_20250128.csv").receipt_id, "--reason", "double")
    made.keten("run")
    assert made.states()["meter_reading_20250304.csv"] == "loaded"
    assert made.rows("select count(*) from bi.rpt_check where outcome = 'failed'") == [(0,)]


BAD_FILES = {
    "cut off": (
        "meter_reading_20250301.csv.gz",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut",
        "cannot be read to its end",
    ),
    "empty": ("meter_reading_20250302.csv", b"", "is empty"),
    "no header": ("meter_reading_20250303.csv", b"E,2025-01-05,99\nE,2025-01-06,99\n", "the heading 'day'"),
    "a workbook": ("meter_reading_20250304.csv", b"PK\x03\x04\x00\x00", "it is not text but a workbook"),
    "not UTF-8": ("meter_reading_20250305.csv", b"meter,day,kwh\nE,2025-01-05,9\xe9\n\n\n\n", "not UTF-8"),
    "an error page": ("meter_reading_20250306.csv", b'{"error": "token expired"}', "token expired"),
    "another number of cells": (
        "meter_reading_20250307.csv",
        b"meter,day,kwh\nE,2025-01-05\n",
        "Expected Number of Columns",
    ),
    "two equal headings": ("meter_reading_20250308.csv", b"meter,day,kwh,Day\nE,2025-01-05,9,\n", "the same heading"),
}


@pytest.fixture(scope="module")
def spoilt(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, str]:
    """A deployment to which all bad files came, between good ones, and what its run told. To be read, not changed."""
    made = small.copy(tmp_path_factory.mktemp("spoilt"))
    mapping = (made.project / "mappings/us__meter_reading.yml").read_text("utf-8")
    made.drop("mappings/us__meter_reading.yml", mapping.replace("_2*.csv", "_2*.csv*"))
    for name, content, _ in BAD_FILES.values():
        made.drop(f"data/{name}", content)
    made.drop("data/meter_reading_20250309.csv", f"{READINGS}\nE,2025-01-05,11\n")
    made.drop("data/waste_collection_20250301.csv", f"{WASTE}\nW,S,2025-02-03,rest,60\n")
    return made, made.keten("run")


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_file_that_cannot_be_trusted_is_rejected_whole(spoilt: tuple[Deployment, str], fault: str) -> None:
    made, text = spoilt
    name, _, words = BAD_FILES[fault]
    told = made.rows(f"select state, reason from bi.rpt_delivery where file_name = '{name}'")
    assert [state for state, _ in told] == ["rejected"]
    assert words in told[0][1] and words in text


def test_files_that_are_rejected_never_block_the_others(spoilt: tuple[Deployment, str]) -> None:
    made, _ = spoilt
    states = made.states()
    assert states["meter_reading_20250309.csv"] == states["waste_collection_20250301.csv"] == "loaded"
    assert made.rows(
        "select sum(amount) from bi.fact_indicator_month where indicator_id = 'energy_intensity' and component = 'energy_kwh'"
    ) == [(591,)], "what was there, with the one day that a good file restates"


def test_rows_of_an_unknown_site_wait_and_are_released_by_the_list_that_knows_it(
    demo: Deployment, tmp_path: Path
) -> None:
    made = Deployment(tmp_path)
    generate(made.project, sites=3, month_count=4, hold_back=True)
    text = made.keten("run")
    assert "within_tolerance" in text, "so many rows in quarantine are told"
    (waiting,) = made.rows("select count(*) from bi.rpt_rejected_row where reasons like 'unknown_reference:%'")
    assert waiting[0] > 500
    assert made.rows("select count(*) from bi.rpt_indicator_value where scope_code = 'site=BRE'") == [(0,)]
    later = made.project / "later"
    for path in [p for p in later.rglob("*") if p.is_file()]:
        made.drop(f"data/{path.relative_to(later)}", path.read_bytes())
    made.keten("run")
    assert made.rows("select count(*) from bi.rpt_rejected_row where reasons like 'unknown_reference:%'") == [(0,)]
    assert made.values() == demo.values(), "as if the list had been there from the start"


def test_rows_go_back_to_waiting_when_their_site_is_gone(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\nE,2025-01-06,10\n")
    made.keten("run")
    made.drop("data/site_20250301.csv", "site_id,site_name,client_id,m2\nT,Other site,C,365\n")
    made.keten("run")
    reasons = made.rows("select dataset, reasons, count(*) from bi.rpt_rejected_row group by all order by all")
    assert reasons == [
        ("meter", "unknown_reference:site_id", 1),
        ("meter_reading", "unknown_reference:meter_id", 59 + 2),
        ("waste_collection", "unknown_reference:site_id", 8),
    ]
    restating = "select sum(restating_rows), sum(unchanged_rows), min(new_rows) from bi.rpt_delivery"
    assert made.rows(f"{restating} where dataset = 'meter_reading'") == [(0, 0, 0)], "a row that waits restates nothing"
    assert made.rows("select row_text from bi.rpt_rejected_row where dataset = 'meter'") == [("E,S",)]
    assert made.rows("select site_id, is_listed from bi.dim_site where site_key > 0 order by 1") == [
        ("S", False),
        ("T", True),
    ]


def test_a_withdrawn_delivery_leaves_and_what_it_replaced_comes_back(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    before = made.values()
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\n")
    made.keten("run")
    assert made.values() != before
    receipt = made.receipt("meter_reading_20250301.csv")
    assert "is withdrawn" in made.keten("receipt", "withdraw", receipt.receipt_id, "--reason", "sent by mistake")
    made.keten("run")
    assert made.values() == before
    assert made.landing.path(receipt).exists(), "the bytes stay"
    assert made.rows("select state, reason from bi.rpt_delivery where state <> 'loaded'") == [
        ("withdrawn", "sent by mistake")
    ]
    made.keten("rebuild")
    assert made.values() == before


def test_a_purged_delivery_leaves_no_byte_and_cannot_come_back(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    before = made.values()
    secret = f"{WASTE}\nW,S,2025-02-03,Mrs Private of Someplace,60\nW,S,2025-02-04,rest,60\n"
    made.drop("data/waste_collection_20250301.csv", secret)
    made.keten("run")
    assert b"Mrs Private" in everything(made), "or this test would prove nothing"
    receipt = made.receipt("waste_collection_20250301.csv")
    made.keten("receipt", "purge", receipt.receipt_id, "--reason", "a person asked", "--yes")
    assert b"Mrs Private" not in everything(made)
    assert made.values() == before
    assert made.states()["waste_collection_20250301.csv"] == "purged"
    assert "no run was started" in made.keten("run"), (
        "the file still lies in the drop folder; it is known and not taken"
    )
    assert b"Mrs Private" not in everything(made)
    assert made.landing.receipt(receipt.receipt_id).withdrawn_because == "a person asked"


def test_a_name_that_was_accepted_is_purged_from_all_that_was_made_of_it_too(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.drop("data/site_20250301.csv", "site_id,site_name,client_id,m2\nS,Mrs Private,C,365\n")
    made.keten("run")
    assert made.rows("select count(*) from bi.dim_site where site_name = 'Mrs Private'") == [(1,)]
    receipt = made.receipt("site_20250301.csv").receipt_id
    made.keten("receipt", "purge", receipt, "--reason", "a person asked", "--yes")
    assert b"Mrs Private" not in everything(made)


def everything(made: Deployment) -> bytes:
    return b"".join(p.read_bytes() for p in made.home.rglob("*") if p.is_file())


def test_a_purge_that_was_killed_halfway_is_finished_by_the_next_run(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    receipt = made.receipt("waste_collection_20250228.csv")
    content = made.landing.path(receipt).read_bytes()
    made.landing.purge(receipt.receipt_id, "a person asked")
    made.landing.path(receipt).write_bytes(content)
    (made.home / "landing/bytes/.landing-half").write_text("half a file")
    made.keten("run")
    assert not made.landing.path(receipt).exists()
    assert not (made.home / "landing/bytes/.landing-half").exists()


def test_the_states_of_receipts_can_be_listed_and_shown(small: Deployment) -> None:
    listed = small.keten("receipt", "list")
    assert "waste_collection_20250128.csv" in listed and "loaded 4 4 0" in listed
    receipt = small.receipt("waste_collection_20250128.csv").receipt_id
    shown = small.keten("receipt", "show", receipt[:-2])
    assert f"receipt_id {receipt}" in shown and "received_rows 4" in shown
    assert "begin with 'nothing'" in small.keten("receipt", "show", "nothing", code=2)


def test_files_that_are_still_changing_wait_for_the_next_run_and_that_is_told(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    (made.project / "data/meter_reading_20250301.csv").write_text(f"{READINGS}\nE,2025-01-05,99\n", "utf-8")
    made.drop("data/meter_reading_20250302.csv.part", f"{READINGS}\nE,2025-01-05,98\n")
    text = made.keten("run")
    assert "meter_reading_20250301.csv changed less than 30 s ago and wait for the next run" in text
    assert not {"meter_reading_20250301.csv", "meter_reading_20250302.csv.part"} & made.states().keys()


def test_a_mapping_with_several_patterns_takes_each_file_once(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    path = "mappings/us__meter_reading.yml"
    mapping = (made.project / path).read_text("utf-8")
    old = re.search(r"^files: .*$", mapping, re.MULTILINE)
    assert old
    made.drop(path, mapping.replace(old[0], "files: [meter_reading_2*.csv, 'meter_*_2025*.csv', 'extra/*.csv']"))
    made.drop("data/extra/one.csv", f"{READINGS}\nE,2025-01-05,98\n")
    before = len(made.states())
    made.keten("run")
    assert made.states()["extra/one.csv"] == "loaded"
    assert len(made.states()) == before + 1


def test_a_file_that_changed_behind_our_back_is_read_again(tmp_path: Path) -> None:
    """Size and time are as they were, so the digest that was kept is wrong; the copy tells, and the next run is right."""
    made = tiny(tmp_path)
    path = made.project / "data/meter_reading_20250128.csv"
    store = made.landing
    store.digest(path)
    store.remember()
    facts = path.stat()
    path.write_text(path.read_text("utf-8").replace(",10", ",20"), "utf-8")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert "meter_reading_20250128.csv could not be taken: it changed while it was read" in made.keten("run")
    made.keten("run")
    values = made.rows(
        "select amount from bi.fact_indicator_month where indicator_id = 'energy_intensity' and component = 'energy_kwh'"
        " and month = '2025-01-01'"
    )
    assert values == [(31 * 20,)]


def test_a_name_that_a_mapping_reads_is_part_of_what_was_sent(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    mapping = (
        (made.project / "mappings/us__meter_reading.yml").read_text("utf-8").replace("from: meter", "file: '^([EF])/'")
    )
    made.drop("mappings/named__meter_reading.yml", mapping.replace("files: meter_reading_2*.csv", "files: '*/*.csv'"))
    sources = (made.project / "sources.yml").read_text("utf-8")
    made.drop("sources.yml", f"{sources}- {{dataset: meter_reading, origin: named, path: named}}\n")
    made.drop("data/meter_20250301.csv", "meter_id,site_id\nE,S\nF,S\n")
    for meter in ("E", "F", "X"):
        made.drop(f"named/{meter}/zero_20250301.csv", f"{READINGS}\n?,2025-02-05,0\n")
    text = made.keten("run")
    assert "X/zero_20250301.csv: its name does not hold '^([EF])/'" in text
    assert made.states()["E/zero_20250301.csv"] == made.states()["F/zero_20250301.csv"] == "loaded"
    ids = {r.sha256: r for r in made.landing.receipts() if r.origin == "named"}
    assert len(ids) == 1, "the same bytes, stored once"


def test_rows_are_in_balance_as_they_were_sent_and_as_records(small: Deployment, tmp_path: Path) -> None:
    """A wide file: two meters, three days a row, a blank line, one value that is none and one row of an unknown meter."""
    made = small.copy(tmp_path)
    made.declare(
        "mappings/wide__meter_reading.yml",
        {
            "title": "days as columns",
            "files": "*.csv",
            "time": {"zone": "UTC", "site_zone": "UTC", "stamp": "start", "interval_minutes": 1440},
            "unpivot": {"headings": "^2025-", "name": "day", "value": "kwh"},
            "columns": {
                "meter_id": {"from": "meter"},
                "stamp": {"from": "day", "format": "%Y-%m-%d"},
                "quantity": {"from": "kwh", "unit": "kWh"},
                "register_code": {"value": "1.8.0"},
                "kind_code": {"value": "interval"},
            },
        },
    )
    sources = (made.project / "sources.yml").read_text("utf-8")
    made.drop("sources.yml", f"{sources}- {{dataset: meter_reading, origin: wide, path: wide}}\n")
    made.drop("wide/days.csv", "meter,2025-01-05,2025-01-06,2025-01-07\nE,10,11,?\n\nX,1,2,3\n")
    made.keten("run")
    counts = "source_rows, accounted_source_rows, received_rows, accepted_rows, quarantined_rows, ignored_rows"
    kinds = "new_rows, restating_rows, unchanged_rows"
    found = made.rows(f"select {counts}, {kinds} from bi.rpt_delivery where file_name = 'days.csv'")
    assert found == [(3, 3, 7, 2, 4, 1, 0, 1, 1)]
    texts = made.rows("select row_no, record_no, reasons, row_text from bi.rpt_rejected_row order by 1, 2")
    assert texts == [
        (2, 3, "not_a_number:quantity", "E;10;11;?".replace(";", ",")),
        *((4, n, "unknown_reference:meter_id", "X,1,2,3") for n in (1, 2, 3)),
    ]
