"""What contractors report about the people on a contract: sickness, turnover, accidents, contracts, training, placements.

Belongs here: these figures and their events. Does not belong here: the layouts of the senders (reports), nor anything about
one person, but for the sheet that must be refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from demo.calendar import blocks, following
from demo.figures import Contract, contracts, figures
from demo.reports import Figure, send
from demo.writing import Demo, Row

COMPANY_WIDE = ("C-CAT", date(2026, 5, 1))
MISSING = ("C-GLA-1", date(2025, 5, 1))
LATE = ("C-SCH-B", date(2026, 2, 1))
TRANSFER = ("C-SCH-A", date(2025, 3, 1), 41)
# Colds make January and February a fifth worse than the year, and summer as much better.
_SEASON = np.array([1.22, 1.18, 1.06, 0.98, 0.92, 0.86, 0.82, 0.84, 0.95, 1.02, 1.05, 1.10])


@dataclass(frozen=True)
class Crew:
    """The team of a contract with its yearly figures."""

    contract: Contract
    sender: str
    persons: int
    hours: float
    absence: float
    leavers: float
    permanent: float
    training: float
    daytime: tuple[float, float] | None


def crews() -> list[Crew]:
    """The teams that are reported on."""
    known = contracts()
    return [
        Crew(
            known[r["contract_id"]],
            r["sender"],
            int(r["persons"]),
            float(r["hours_month"]),
            float(r["absence_share"]),
            float(r["leavers_year"]),
            float(r["permanent_share"]),
            float(r["training_hours_fte"]),
            (float(r["daytime_first"]), float(r["daytime_last"])) if r["daytime_first"] else None,
        )
        for r in figures("crews")
    ]


def people(demo: Demo) -> None:
    """All reports, quarterly but for those that must come each month, and the placements."""
    teams = crews()
    for sender in dict.fromkeys(crew.sender for crew in teams):
        own = [crew for crew in teams if crew.sender == sender]
        size = 1 if min(crew.contract.due_days or 99 for crew in own) < 31 else 3
        _reports(demo, sender, own, size)
    _placements(demo)
    _refused(demo)
    _plant(demo)


def _reports(demo: Demo, sender: str, own: list[Crew], size: int) -> None:
    """The files of a sender. Figures carry the day on which they were first reported, those of the history too."""
    told: dict[date, list[Figure]] = {}
    for month in demo.span:
        on = following(month if size == 1 else date(month.year, (month.month + 2) // 3 * 3, 1)) + timedelta(
            days=9 + len(sender) % 4
        )
        if (own[0].contract.contract_id, month) == LATE:
            on += timedelta(days=16)
        told[month] = _of(demo, own, month, on)
    for block in blocks(demo.span, size):
        found = [figure for month in block for figure in told[month]]
        if found:
            january = date(block[0].year, 1, 1)
            earlier = [f for month, figures_of in told.items() if january <= month < block[0] for f in figures_of]
            send(demo, sender, block, found, earlier, found[-1].reported_on)


def _of(demo: Demo, own: list[Crew], month: date, on: date) -> list[Figure]:
    return [
        figure
        for crew in own
        if crew.contract.runs(month) and (crew.contract.contract_id, month) != MISSING
        for figure in _figures(demo, crew, month, on)
    ]


def _figures(demo: Demo, crew: Crew, month: date, on: date) -> list[Figure]:
    contract = crew.contract.contract_id
    chance = np.random.default_rng([demo.seed, *contract.encode(), month.year, month.month])
    hours, persons = round(crew.hours * chance.uniform(0.98, 1.02)), crew.persons
    absent = hours * crew.absence * _SEASON[month.month - 1] * chance.uniform(0.93, 1.07)
    left = _leavers(crew, month)
    happened = [
        r["is_lost_time"]
        for r in figures("accidents")
        if (r["contract_id"], r["month"]) == (contract, f"{month:%Y-%m}")
    ]
    found: list[tuple[str, str, float, float]] = [
        ("sickness_absence_hours", "cbs", round(absent, 1), hours),
        ("leavers", "without_contract_change", left, persons),
        ("lost_time_accidents", "vca", happened.count("1"), hours),
        ("recordable_accidents", "esrs", len(happened), hours),
    ]
    if (contract, month) == TRANSFER[:2]:
        found.append(("leavers", "with_contract_change", left + TRANSFER[2], persons))
    if month.month % 3 == 0:
        found += _quarterly(crew, month, hours)
    told = [Figure(contract, month, *figure, persons, on) for figure in found]
    if (contract, month) == COMPANY_WIDE:
        told[0] = replace(told[0], numerator=17420.5, denominator=311900, persons=2310, scope="company_nl")
    return told


def _leavers(crew: Crew, month: date) -> int:
    """Whole persons that leave a team at an even pace, each team on days of its own."""
    pace, number = crew.persons * crew.leavers / 12, month.year * 12 + month.month + crew.persons / 7
    return int((number + 1) * pace) - int(number * pace)


def _quarterly(crew: Crew, month: date, hours: int) -> list[tuple[str, str, float, float]]:
    fte = round(crew.persons * 0.7, 1)
    found = [
        ("permanent_contracts", "contract", float(round(crew.persons * crew.permanent)), float(crew.persons)),
        ("training_hours", "contract", float(round(fte * crew.training / 4)), fte),
    ]
    if crew.daytime:
        first, last = crew.daytime
        done = min(1.0, (month - crew.contract.valid_from).days / 450)
        found.append(("daytime_hours", "contract", round(hours * (first + (last - first) * done), 1), float(hours)))
    return found


def _placements(demo: Demo) -> None:
    """People placed by contract and building block, with the effort value that the scheme gives them, by quarter."""
    known = contracts()
    for block in blocks(demo.span, 3):
        rows: list[Row] = [
            [
                *(known[r["contract_id"]].contractor_id, r["contract_id"], r["block"], f"{month:%m-%Y}", r["persons"]),
                *(float(r["fte"]), round(float(r["value_year"]) * int(r["persons"]) / 12, 2)),
            ]
            for month in block
            for r in figures("placements")
            if r["from"] <= f"{month:%Y-%m}" <= (r["to"] or "9999")
        ]
        if rows:
            headings = "Opdrachtnemer;Contract;Bouwblok;Maand;Aantal;FTE;Inspanningswaarde €".split(";")
            name = f"plaatsingen_{block[0]:%Y-%m}"
            demo.writer.deliver(
                "socialreturn__placement", name, headings, rows, following(block[-1]) + timedelta(days=13)
            )


def _refused(demo: Demo) -> None:
    """A sheet with names and citizen numbers, which must be refused before a byte of it is kept."""
    headings = "Contract;Maand;Verzuimuren;Beschikbare uren;Personen;Naam;BSN;Geboortedatum".split(";")
    rows = [["C-SCH-B", "2026-04", "8,0", "160", "48", "J. Voorbeeld", "111222333", "01-01-1980"]]
    name = "verzuim_per_medewerker"
    demo.writer.deliver("verzuimbureau__supplier_report", name, headings, rows, date(2026, 5, 12), hour="1200")
    demo.plant("personal_data", 0)


def _plant(demo: Demo) -> None:
    if demo.holds(COMPANY_WIDE[1]):
        demo.plant("company_wide_absence", 1, contract=COMPANY_WIDE[0], month=f"{COMPANY_WIDE[1]:%Y-%m}")
    if demo.holds(MISSING[1]):
        demo.plant("last_report_missing", 0, contract=MISSING[0], month=f"{MISSING[1]:%Y-%m}")
    if demo.holds(LATE[1]):
        demo.plant("report_late", 1, contract=LATE[0], month=f"{LATE[1]:%Y-%m}")
    if demo.holds(date(2026, 1, 1)):
        demo.plant("year_to_date", sum(2 for month in demo.span if month >= date(2026, 1, 1)), since="2026-01")
    if demo.holds(TRANSFER[1], following(TRANSFER[1])):
        demo.plant("contract_change", TRANSFER[2], contract=TRANSFER[0], successor="C-SCH-B")
