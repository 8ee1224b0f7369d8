"""The whole demo: what was planted is recovered or found caught, and its figures come out of the published tables.

Every event is told in two languages by the deployment itself (`planted.yml`), with the counts to expect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import yaml

from demo.generate import generate
from tests.deployment import Deployment


class Chain:
    """The whole demo after one run: its published tables, its engine and what was planted."""

    def __init__(self, made: Deployment) -> None:
        self.made = made
        self.engine = duckdb.connect(str(made.home / "engine.duckdb"), read_only=True)
        self.planted: list[dict[str, Any]] = yaml.safe_load((made.project / "planted.yml").read_text("utf-8"))

    def one(self, select: str, *values: Any) -> Any:
        row = self.engine.execute(select, list(values)).fetchone()
        assert row is not None
        return row[0]

    def ignored(self, dataset: str, reason: str) -> int:
        return int(self.one(f"select count(*) from core.{dataset}__ignored where reason = ?", reason))

    def history(self, dataset: str, state: str, where: str = "true") -> int:
        return int(self.one(f"select count(*) from core.{dataset}__history where state = '{state}' and {where}"))

    def rejected(self, reason: str) -> int:
        return int(self.one("select count(*) from bi.rpt_rejected_row where reasons = ?", reason))

    def value(self, indicator: str, level: str = "total", scope: str = "total") -> Decimal:
        """The value of the last twelve months."""
        return self.one(
            "select value from bi.rpt_indicator_value where indicator_id = ? and level_code = ? and scope_code = ?"
            " and period_type = 'rolling12' and is_complete_period order by period_from desc limit 1",
            indicator, level, scope,
        )  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    made = Deployment(tmp_path_factory.mktemp("chain"))
    generate(made.project)
    made.keten("run")
    found = Chain(made)
    yield found
    found.engine.close()


def quarters(chain: Chain, event: dict[str, Any]) -> bool:
    counts = chain.engine.execute(
        "select count(*) from core.meter_reading join core.meter using (meter_id)"
        " where local_date = ? and interval_minutes = 15 group by meter_id",
        [event["day"]],
    ).fetchall()
    return bool(counts) and {count for (count,) in counts} == {event["rows"]}


def broker_rows(chain: Chain, event: dict[str, Any]) -> bool:
    where = "mass_kg > 0 and receipt_id in (select receipt_id from intake.receipt where origin = 'makelaar')"
    return chain.history("waste_collection", "withdrawn", where) == event["rows"]


def board_figure(chain: Chain, event: dict[str, Any]) -> bool:
    """The months that were told twice, as a part of what the sites of that client really threw away in the quarter."""
    twice = next(e["kg"] for e in chain.planted if e["id"] == "reported_twice")
    real = chain.one(
        "select sum(mass_kg) from ledger.waste_month where client_id = ? and stream_code = 'residual'"
        " and month between date '2026-01-01' and date '2026-03-01'",
        event["client"],
    )
    return round(100 * twice / float(real)) == event["percent"]


def report_state(chain: Chain, event: dict[str, Any]) -> str:
    return str(
        chain.one(
            "select report_state_code from bi.rpt_report_due join bi.dim_contract using (contract_key)"
            " where contract_id = ? and month = ?::date",
            event["contract"],
            f"{event['month']}-01",
        )
    )


def clock(chain: Chain, event: dict[str, Any]) -> tuple[Any, ...]:
    row = chain.engine.execute(
        "select clock_state_code, days_on_clock from bi.rpt_chain_clock join bi.dim_chain using (chain_key) where chain_id = ?",
        [event["chain"]],
    ).fetchone()
    assert row is not None
    return row


def company_wide(chain: Chain, event: dict[str, Any]) -> bool:
    status = chain.one(
        "select value_status from bi.rpt_indicator_value where indicator_id = 'sickness_absence_share'"
        " and scope_code = ? and period_code = ?",
        f"contract={event['contract']}",
        event["month"],
    )
    return status == "proxy_company"


def contract_change(chain: Chain, event: dict[str, Any]) -> bool:
    """Those who went over are reported by another definition, and no published leaver is one of them."""
    told = "select sum(numerator) from core.supplier_report where metric_code = 'leavers' and contract_id = ?"
    whole, left = (
        chain.one(f"{told} and period_from = date '2025-03-01' and definition_code = ?", event["contract"], definition)
        for definition in ("with_contract_change", "without_contract_change")
    )
    counted = chain.one(
        "select sum(amount) from bi.fact_indicator_month join bi.dim_contract using (contract_key)"
        " where indicator_id = 'turnover_share' and component = 'leavers' and contract_id = ? and month = date '2025-03-01'",
        event["contract"],
    )
    return whole - left == event["rows"] and counted == left


def lapsed(chain: Chain, event: dict[str, Any]) -> bool:
    steps = "select count(*) from ledger.spend_line where party_id = ? and invoice_on {} ?::date and pso_step_code {} 'none'"
    after, before = (
        chain.one(steps.format(*marks), event["party"], event["day"]) for marks in ((">=", "="), ("<", "<>"))
    )
    return bool(after == event["rows"] and before > 0)


def no_sub_meter(chain: Chain, event: dict[str, Any]) -> bool:
    parent = chain.one("select parent_meter_id from core.meter where meter_id = ?", event["meter"])
    counted = chain.one("select count(*) from ledger.activity where source_id = ?", event["meter"])
    return bool(parent == event["main"] and counted == 0)


def shared(chain: Chain, event: dict[str, Any]) -> bool:
    """The bill of the building tells 21 % of a GJ per m² and year of the part that is let, not of the whole."""
    gj = chain.one(
        "select sum(quantity) * 0.0036 from ledger.energy_month where meter_id = ? and month >= date '2025-07-01'",
        event["meter"],
    )
    area = chain.one("select floor_area_go_m2 from core.site where site_id = ?", event["site"])
    return abs(float(gj) / (0.21 * float(area)) - 1) < 0.1


def rolled_over(chain: Chain, event: dict[str, Any]) -> bool:
    """The use of the day goes on as if nothing happened."""
    use = "select quantity from ledger.energy_day where meter_id = ? and local_date = ?::date - {}"
    before, rolled = (chain.one(use.format(days), event["meter"], event["day"]) for days in (2, 1))
    noted = "select count(*) from ledger.metered_period where meter_id = ? and period_note_code = 'rollover' and last_on + 1 = ?::date"
    return chain.one(noted, event["meter"], event["day"]) == event["rows"] and 0.5 < rolled / before < 2


def swapped(chain: Chain, event: dict[str, Any]) -> bool:
    """One day is unknown; the days around it, and the month, are known."""
    known = chain.engine.execute(
        "select local_date from ledger.energy_day where meter_id = ? and local_date between ?::date - 2 and ?::date",
        [event["meter"], event["day"], event["day"]],
    ).fetchall()
    noted = "select count(*) from ledger.metered_period where meter_id = ? and period_note_code = 'meter_swap' and quantity is null"
    month = "select status_code from ledger.energy_month where meter_id = ? and month = date_trunc('month', ?::date)"
    return (
        len(known) == 2
        and chain.one(noted, event["meter"]) == event["rows"]
        and chain.one(month, event["meter"], event["day"]) == "measured"
    )


CAUGHT: dict[str, Callable[[Chain, dict[str, Any]], bool]] = {
    "unknown_site": lambda c, e: (
        c.one("select count(*) from core.site_month where site_id = ?", e["site"]) == e["rows"]
        and c.one("select count(*) from core.site_month__quarantine") == 0
    ),
    "site_opens": lambda c, e: (
        str(c.one("select in_use_from from bi.dim_site where site_id = ?", e["site"])) == e["day"]
    ),
    "site_closes": lambda c, e: (
        str(c.one("select in_use_to from bi.dim_site where site_id = ?", e["site"])) == e["day"]
    ),
    "reorganisation": lambda c, e: (
        c.one("select count(*) from ledger.org_unit_today where org_unit_id <> current_org_unit_id") == e["rows"]
    ),
    "duplicate_delivery": lambda c, e: (
        c.one("select count(*) from intake.receipt where file_name like '%kwartierwaarden_2026-03%'") == 1
    ),
    "late_correction": lambda c, e: (
        c.history("meter_reading", "restated", "meter_id in (select meter_id from core.meter where site_id = 'UTR')")
        == e["rows"]
    ),
    "gas_in_two_units": lambda c, e: (
        c.one(
            "select count(*) from core.meter_reading__ignored i join intake.receipt r using (receipt_id)"
            " where i.reason = 'same_gas_in_kwh' and r.file_name like ?",
            f"%{e['file']}%",
        )
        == e["rows"]
    ),
    "estimate_settled": lambda c, e: (
        c.history("meter_reading", "restated", "meter_id in (select meter_id from core.meter where site_id = 'MAA')")
        == e["rows"]
    ),
    "register_rolls_over": rolled_over,
    "meter_swapped": swapped,
    "summer_time_starts": quarters,
    "summer_time_ends": quarters,
    "shared_building": shared,
    "label_changes": lambda c, e: c.history("supplier_label", "restated") == e["rows"],
    "sub_meter_inside": no_sub_meter,
    "three_rows_fewer": lambda c, e: (
        c.history(
            "waste_collection",
            "withdrawn",
            "receipt_id in (select receipt_id from intake.receipt where origin = 'inzamelaar')",
        )
        == e["rows"]
    ),
    "kilograms_as_tonnes": lambda c, e: (
        c.history("waste_collection", "restated") == e["rows"]
        and c.one("select max(mass_kg) from core.waste_collection") < 10_000
    ),
    "equal_liftings": lambda c, e: (
        c.one(
            "select max(n) from (select count(*) as n from core.waste_collection where site_id = 'UTR'"
            " group by collector_id, stream_code, period_from, container_code, mass_kg)"
        )
        >= e["rows"]
    ),
    "unknown_stream": lambda c, e: c.rejected("unknown_code:stream_code") == e["rows"],
    "no_number": lambda c, e: c.rejected("not_a_number:mass_kg") == e["rows"],
    "reported_twice": broker_rows,
    "board_figure": board_figure,
    "personal_data": lambda c, e: (
        [r["headings"] for r in c.made.landing.refusals()] == [["Naam", "BSN", "Geboortedatum"]]
    ),
    "company_wide_absence": company_wide,
    "last_report_missing": lambda c, e: report_state(c, e) == "overdue",
    "report_late": lambda c, e: report_state(c, e) == "late",
    "year_to_date": lambda c, e: c.ignored("supplier_report", "year_to_date") >= e["rows"],
    "contract_change": contract_change,
    "foreign_currency": lambda c, e: (
        c.one("select count(*) from ledger.spend_line where amount_eur is null and currency_code <> 'EUR'") == e["rows"]
    ),
    "certificate_lapsed": lapsed,
    "late_chain": lambda c, e: clock(c, e) == ("ready_late", e["days"]),
    "ended_chain": lambda c, e: clock(c, e) == ("ended", e["days"]),
}


def test_every_planted_event_is_recovered_or_found_caught(chain: Chain) -> None:
    missed = [event for event in chain.planted if not CAUGHT[event["id"]](chain, event)]
    assert not missed


def test_every_event_of_the_list_is_planted_and_told_in_two_languages(chain: Chain) -> None:
    assert {event["id"] for event in chain.planted} == CAUGHT.keys()
    assert {event["number"] for event in chain.planted} == set(range(21))
    assert all(event["nl"] and event["en"] and event["nl"] != event["en"] for event in chain.planted)


# What the demo is made to show, with how far a year of it may be off.
FIGURES = [
    ("energy_intensity", "client", "client=90000011", 122.5, 3),
    ("energy_intensity_lower_value", "client", "client=90000011", 118.2, 3),
    ("energy_intensity_building", "client", "client=90000011", 116.8, 3),
    ("energy_intensity_bvo", "client", "client=90000011", 112.7, 3),
    ("energy_intensity_vvo", "client", "client=90000011", 134.2, 4),
    ("residual_waste_per_fte", "client", "client=90000011", 35, 1.5),
    ("recycling_share", "client", "client=90000011", 0.47, 0.02),
    ("lost_time_accidents", "service", "service=cleaning", 1, 0),
    ("sickness_absence_share", "service", "service=cleaning", 0.068, 0.006),
    ("turnover_share", "service", "service=cleaning", 0.24, 0.04),
    ("removable_barrier_share", "client", "client=90000011", 0.61, 0.02),
    ("chains_ready_within_12_months", "client", "client=90000011", 0.5, 0),
    ("small_supplier_paid_in_30_days_share", "client", "client=90000011", 0.92, 0.03),
]


@pytest.mark.parametrize(("indicator", "level", "scope", "expected", "off"), FIGURES, ids=[f[0] for f in FIGURES])
def test_a_figure_of_the_demo_comes_out(
    chain: Chain, indicator: str, level: str, scope: str, expected: float, off: float
) -> None:
    assert float(chain.value(indicator, level, scope)) == pytest.approx(expected, abs=off)


def test_five_ways_to_say_energy_per_square_metre_stay_in_order(chain: Chain) -> None:
    names = ("bvo", "building", "lower_value", "", "vvo")
    values = [chain.value(f"energy_intensity_{name}".rstrip("_"), "client", "client=90000011") for name in names]
    assert values == sorted(values) and len(set(values)) == 5


def test_electricity_is_never_counted_by_euro_beside_its_meters(chain: Chain) -> None:
    states = chain.engine.execute(
        "select distinct spend_state_code from bi.rpt_spend_treatment where spend_category_code = 'electricity'"
    ).fetchall()
    assert states == [("covered",)]
    excluded = chain.one("select sum(amount_eur) from bi.rpt_spend_treatment where spend_state_code = 'excluded'")
    assert excluded > 0, "what is left out is published"


def test_nothing_that_was_not_planted_is_set_aside(chain: Chain) -> None:
    assert chain.one("select count(*) from bi.rpt_rejected_row") == 2
    assert chain.engine.execute("select distinct state from bi.rpt_delivery").fetchall() == [("loaded",)]
    broken = chain.engine.execute("select table_name, check_id from bi.rpt_check where outcome <> 'passed'").fetchall()
    assert broken == [("ledger.spend_line", "rate_known")]
