"""Who owes what: reports that contractors have not sent or sent late, and the clock of each chain.

Belongs here: reading these published tables and telling them in words. Does not belong here: when a report is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.wording import Words, counted, day, month, number

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.publication.published import Read

SHOWN = 12
YEAR = 365
# The bar of a chain ends at one and a half year.
LONGEST = 548
_DAYS = ("dag", "dagen"), ("day", "days")


@dataclass(frozen=True)
class Owed:
    """The reports of one contract that are not in, or came late."""

    contractor: str
    contract: str
    service: Words
    overdue: int
    late: int
    on_time: int
    since: Words


@dataclass(frozen=True)
class Reports:
    """What is owed, the most first; `more` contracts are left out."""

    summary: Words
    contracts: tuple[Owed, ...]
    more: int


@dataclass(frozen=True)
class Clock:
    """One chain: how long it has been under way. `width` is the length of its bar, `year` the place of 365 days."""

    name: str
    client: str
    state: Words
    code: str
    days: Words
    dates: Words
    width: float
    year: float


@dataclass(frozen=True)
class Clocks:
    """The chains, those that run longest first; `more` are left out."""

    summary: Words
    chains: tuple[Clock, ...]
    more: int


def reports(read: Read) -> Reports:
    """The reports due, by contract."""
    rows = read(_REPORTS)
    overdue, late, on_time = (sum(row[name] for row in rows) for name in ("overdue", "late", "on_time"))
    owing = [row for row in rows if row["overdue"] or row["late"]]
    if not rows:
        return Reports(_NOTHING_DUE, (), 0)
    total = number(overdue + late + on_time)
    in_time, tardy, open_ones = number(on_time), number(late), number(overdue)
    summary = Words(
        f"Van de {total.nl} rapportages die nu binnen hadden moeten zijn: {in_time.nl} op tijd, {tardy.nl} te laat,"
        f" {open_ones.nl} nog niet ontvangen.",
        f"Of the {total.en} reports that should be in by now: {in_time.en} in time, {tardy.en} late,"
        f" {open_ones.en} not received yet.",
    )
    return Reports(summary, tuple(_owed(row) for row in owing[:SHOWN]), max(0, len(owing) - SHOWN))


def clocks(catalogue: Catalogue, read: Read) -> Clocks:
    """The clock of every chain."""
    rows = read(_CLOCKS)
    if not rows:
        return Clocks(_NO_CHAINS, (), 0)
    states = catalogue.code_lists["clock_state"]
    found = {code: sum(row["clock_state_code"] == code for row in rows) for code in states}
    told = [(number(count), states[code]) for code, count in found.items() if count]
    summary = Words(
        "; ".join(f"{count.nl} {state['nl']}" for count, state in told) + ".",
        "; ".join(f"{count.en} {state['en']}" for count, state in told) + ".",
    )
    chains = []
    for row in rows[:SHOWN]:
        state = states[row["clock_state_code"]]
        dates = _since(day(row["start_decision_on"]))
        for name, word in (("ready_on", _READY), ("ended_on", _ENDED)):
            if row[name]:
                until = day(row[name])
                dates += Words(word.nl.format(until.nl), word.en.format(until.en))
        days = row["days_on_clock"]
        chains.append(
            Clock(
                row["chain_name"],
                row["client"],
                Words(state["nl"], state["en"]),
                row["clock_state_code"],
                counted(days, *_DAYS),
                dates,
                round(min(max(days, 0), LONGEST) / LONGEST * 100, 1),
                round(YEAR / LONGEST * 100, 1),
            )
        )
    return Clocks(summary, tuple(chains), max(0, len(rows) - SHOWN))


_REPORTS = """
select contractor.party_name as contractor, contract.contract_name as contract, service.service_nl, service.service_en,
    count(*) filter (due.report_state_code = 'overdue') as overdue,
    count(*) filter (due.report_state_code = 'late') as late,
    count(*) filter (due.report_state_code = 'on_time') as on_time,
    min(due.month) filter (due.report_state_code = 'overdue') as overdue_from,
    max(due.days_late) filter (due.report_state_code = 'overdue') as days_open,
    max(due.days_late) filter (due.report_state_code = 'late') as days_late
from bi.rpt_report_due due
join bi.dim_contract contract using (contract_key)
join bi.dim_party contractor on contractor.party_key = due.contractor_key
join bi.dim_service service on service.service_key = contract.service_key
group by all order by overdue desc, late desc, contractor, contract"""

_CLOCKS = """
select chain.chain_name, client.party_name as client, clock.* exclude (client_key)
from bi.rpt_chain_clock clock
join bi.dim_chain chain using (chain_key)
join bi.dim_party client on client.party_key = clock.client_key
order by clock.clock_state_code in ('late', 'running') desc, clock.days_on_clock desc, chain.chain_name"""

_NOTHING_DUE = Words(
    "Nog niets: geen contract met een aanlevertermijn heeft een maand achter de rug.",
    "Nothing yet: no contract with a reporting term has a month behind it.",
)
_NO_CHAINS = Words("Er zijn nog geen ketens aangeleverd.", "No chains are delivered yet.")
_READY = Words(", gereed op {}", ", ready on {}")
_ENDED = Words(", geëindigd op {}", ", ended on {}")


def _since(start: Words) -> Words:
    return Words(f"gestart op {start.nl}", f"started on {start.en}")


def _owed(row: dict[str, Any]) -> Owed:
    since = Words("", "")
    if row["overdue_from"]:
        first, days = month(row["overdue_from"]), counted(row["days_open"], *_DAYS)
        since = Words(f"open vanaf {first.nl}, tot {days.nl} te laat", f"open from {first.en}, up to {days.en} late")
    elif row["days_late"]:
        days = counted(row["days_late"], *_DAYS)
        since = Words(f"alles is binnen, tot {days.nl} te laat", f"all is in, up to {days.en} late")
    return Owed(
        str(row["contractor"]),
        str(row["contract"]),
        Words(str(row["service_nl"]), str(row["service_en"])),
        int(row["overdue"]),
        int(row["late"]),
        int(row["on_time"]),
        since,
    )
