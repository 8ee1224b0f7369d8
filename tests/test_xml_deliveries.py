"""XML from the drop folder to core, with the mappings that the documentation gives: every line stands in one place."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from resources.reading.xml_files import PROFILES
from tests.deployment import Deployment
from tests.real_run import DATA, ROOT, require_data
from tests.xml_files import LINES, ubl, xaf

PAGE = (ROOT / "docs" / "sources-and-mappings.md").read_text("utf-8")
EXAMPLES = {
    found["format"]["profile"]: found
    for found in map(yaml.safe_load, re.findall(r"```yaml\n(title: .*?)```", PAGE, re.DOTALL))
    if "profile" in found.get("format", {})
}
GREEN_BUTTON = (
    "example-GreenButton-data.xml",
    "greenbutton-gas-therms--3.xml",
    "greenbutton-invalid-electricity-cf.xml",
)
OVERLAPPING = "example-GreenButton-data-1-overlapping.xml"
GAS_KWH = Decimal("52.459722") + Decimal("52.518336")  # 1.790 and 1.792 therm of 29.307107017 kWh


@pytest.mark.parametrize("profile", PROFILES)
def test_every_heading_of_a_profile_is_documented(profile: str) -> None:
    part = PAGE.partition({"xaf": "##### Audit", "ubl": "##### Invoices", "espi": "##### Green"}[profile])[2].partition(
        "```"
    )[0]
    told = {
        word
        for row in part.splitlines()
        if row.startswith("| `")
        for word in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert told == set(PROFILES[profile].HEADINGS)


@pytest.fixture(scope="module")
def taken(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The tiny deployment with senders of all three standards."""
    require_data()
    made = small.copy(tmp_path_factory.mktemp("xml"))
    sources = (made.project / "sources.yml").read_text("utf-8")
    for profile, mapping in EXAMPLES.items():
        dataset = "meter_reading" if profile == "espi" else "spend"
        made.declare(f"mappings/{profile}__{dataset}.yml", mapping)
        sources += f"- {{dataset: {dataset}, origin: {profile}, path: {profile}}}\n"
    made.drop("sources.yml", sources)
    parties = (
        "C,Client,client\nW,Collector,contractor\nV,Other,contractor\n12345678,Wij,client\n87654321,Schoon,contractor\n"
    )
    made.drop("data/party_20250102.csv", f"party_id,party_name,role_code\n{parties}76543210,Groen,contractor\n")
    made.drop("data/meter_20250102.csv", "meter_id,site_id\nE,S\nelectricity 409483,S\ngas 409483,S\n")
    made.drop("xaf/boeken.xaf", xaf())
    made.drop("xaf/afgekapt.xaf", xaf()[:-200])
    made.drop("xaf/onvolledig.xaf", xaf(LINES, ("6", "171.61", "171.61")))
    made.drop("xaf/contact.xaf", xaf(relation="<v:contact>Jan</v:contact>"))
    made.drop("ubl/factuur.xml", ubl())
    made.drop("ubl/credit.xml", ubl("CreditNote", charges=(), number="C-1"))
    for name in GREEN_BUTTON:
        made.drop(f"espi/{name}", (DATA / "portfolio-manager-seed-a" / name).read_bytes())
    made.keten("run")
    return made


def core(made: Deployment, select: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(made.home / "engine.duckdb"), read_only=True) as connection:
        return connection.execute(select).fetchall()


def test_lines_of_an_audit_file_become_spend(taken: Deployment) -> None:
    rows = core(
        taken,
        "select party_id, invoice_id, spend_category_code, amount, currency_code, strftime(invoice_on, '%Y-%m-%d')"
        " from core.spend where receipt_id in (select receipt_id from intake.receipt where file_name = 'boeken.xaf') order by 1",
    )
    assert rows == [
        ("76543210", "F-2", "cleaning", Decimal("-50"), "EUR", "2025-03-02"),
        ("87654321", "F-1", "cleaning", Decimal("100.5"), "EUR", "2025-03-01"),
    ]  # fmt: skip


def test_invoices_become_spend_that_adds_up(taken: Deployment) -> None:
    totals = core(
        taken,
        "select invoice_id, count(*), sum(amount), max(due_on)::varchar from core.spend"
        " where invoice_id in ('F-2025-7', 'C-1') group by 1 order by 1",
    )
    assert totals == [("C-1", 2, Decimal("-250"), None), ("F-2025-7", 4, Decimal("225.5"), "2025-04-09")]  # fmt: skip


def test_every_line_is_accounted_for_and_what_does_not_hold_is_rejected(taken: Deployment) -> None:
    told = taken.rows(
        "select file_name, state, received_rows, accepted_rows, quarantined_rows, ignored_rows from bi.rpt_delivery"
    )
    found = {name: rest for name, *rest in told if name.endswith((".xml", ".xaf"))}
    assert found == {
        "boeken.xaf": ["loaded", 5, 2, 0, 3],
        "afgekapt.xaf": ["rejected", 0, 0, 0, 0],
        "onvolledig.xaf": ["rejected", 0, 0, 0, 0],
        "factuur.xml": ["loaded", 4, 4, 0, 0],
        "credit.xml": ["loaded", 2, 2, 0, 0],
        "example-GreenButton-data.xml": ["loaded", 2, 2, 0, 0],
        "greenbutton-gas-therms--3.xml": ["loaded", 2, 2, 0, 0],
        "greenbutton-invalid-electricity-cf.xml": ["rejected", 0, 0, 0, 0],
    }


def test_an_audit_file_with_contacts_is_refused_and_not_a_byte_of_it_is_kept(taken: Deployment) -> None:
    (refused,) = [facts for facts in taken.landing.refusals() if facts["file_name"] == "contact.xaf"]
    assert refused["headings"] == ["customerSupplier.contact"]
    assert not list((taken.home / "landing").rglob(f"*{refused['sha256']}*"))


def test_real_readings_become_kilowatt_hours_and_a_later_feed_restates_them(taken: Deployment, tmp_path: Path) -> None:
    select = (
        "select strftime(start_utc, '%H:%M'), quantity, unit_code from core.meter_reading"
        " where meter_id = 'electricity 409483' order by 1"
    )
    assert core(taken, select) == [("05:00", Decimal("1.79"), "kWh"), ("05:15", Decimal("1.791"), "kWh")]
    gas = core(taken, "select sum(quantity), min(unit_code) from core.meter_reading where meter_id = 'gas 409483'")
    assert gas == [(GAS_KWH, "kWh")]
    days = core(
        taken, "select distinct local_date::varchar from core.meter_reading where meter_id = 'electricity 409483'"
    )
    assert days == [("2011-03-06",)], "five in the morning in UTC is midnight in New York"
    later = taken.copy(tmp_path)
    later.drop(f"espi/{OVERLAPPING}", (DATA / "portfolio-manager-seed-a" / OVERLAPPING).read_bytes())
    later.keten("run")
    assert core(later, select) == [
        ("05:00", Decimal("1.79"), "kWh"),
        ("05:15", Decimal("0.1"), "kWh"),
        ("05:30", Decimal("0.2"), "kWh"),
    ]
    assert core(
        later,
        "select count(*) from core.meter_reading__history where state = 'restated' and meter_id = 'electricity 409483'",
    ) == [(1,)]
