"""Invoices of the demo's clients, as their ledgers export them.

Belongs here: amounts, dates of payment, cost centres and currencies. Does not belong here: contracts (deliveries/).

An invoice stands in the export of its month, with its payment when that is known by then; a later payment comes with the
export in which it is first known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from demo.calendar import LAST, blocks, following, nl
from demo.figures import CLIENT, COLLEGE, REORGANISED, all_sites, contracts, figures
from demo.writing import Demo

ABROAD = (
    (date(2025, 11, 14), "GB-TALLOW", "C-MET", "metering", "4391", 1840.0, "GBP"),
    (date(2025, 12, 2), "SE-SKOGS", "C-MEU", "furniture", "4372", 96500.0, "SEK"),
)
LAPSED, LAPSED_ON = "90000103", date(2026, 5, 14)


@dataclass(frozen=True)
class Line:
    """A line of an invoice."""

    client_id: str
    party_id: str
    invoice_id: str
    contract_id: str
    category: str
    cost_centre: str
    account: str
    amount: float
    currency: str
    invoice_on: date
    paid_on: date | None

    @property
    def due_on(self) -> date:
        """Thirty days, for everyone."""
        return self.invoice_on + timedelta(days=30)


def money(demo: Demo) -> None:
    """All exports of both ledgers."""
    lines = list(_lines(demo))
    _export(demo, CLIENT, [line for line in lines if line.client_id == CLIENT], 1)
    _export(demo, COLLEGE, [line for line in lines if line.client_id == COLLEGE], 6)
    demo.plant("foreign_currency", sum(day.replace(day=1) in demo.span for day, *_ in ABROAD))
    late = [line for line in lines if line.party_id == LAPSED and line.invoice_on >= LAPSED_ON]
    demo.plant("certificate_lapsed", len(late), day=f"{LAPSED_ON}", party=LAPSED)


def _size(demo: Demo) -> dict[str, float]:
    """The share of each client's floor that this demo holds: a smaller demo has smaller invoices."""
    whole = all_sites()
    return {
        client: sum(s.vvo_m2 for s in demo.sites if s.client_id == client)
        / sum(s.vvo_m2 for s in whole if s.client_id == client)
        for client in (CLIENT, COLLEGE)
    }


def _lines(demo: Demo) -> Iterator[Line]:
    chance = demo.chance("money")
    for turn, (head, units) in enumerate(_invoices(demo, chance)):
        yield from _split(head, units, _paid(head.invoice_on, turn, chance))
    for day, party, contract_id, category, account, amount, currency in ABROAD:
        if day.replace(day=1) in demo.span:
            unit, paid = "KP-110" if category == "furniture" else "KP-300", day + timedelta(days=24)
            yield Line(CLIENT, party, f"{party}-1", contract_id, category, unit, account, amount, currency, day, paid)


def _invoices(demo: Demo, chance: np.random.Generator) -> Iterator[tuple[Line, str]]:
    """Invoices of contracts and of what has none, such as rent, with who bears them."""
    known, size = contracts(), _size(demo)
    for row in figures("spending"):
        contract, per_year = known.get(row["contract_id"]), int(row["per_year"])
        client, party = (contract.client_id, contract.contractor_id) if contract else (CLIENT, row["party_id"])
        yearly = (contract.annual_eur if contract else float(row["annual_eur"])) * size[client]
        for month in demo.span if yearly else ():
            if month.month % (12 // per_year) or (contract and not contract.runs(month)):
                continue
            on = month + timedelta(days=int(chance.integers(4, 27)))
            amount = yearly / per_year * 1.03 ** (month.year - 2026) * chance.uniform(0.94, 1.06)
            told = (row["contract_id"], row["category"], "", row["account"])
            yield Line(client, party, "", *told, amount, "EUR", on, None), row["units"]


def _split(head: Line, units: str, paid: date | None) -> Iterator[Line]:
    """The lines of an invoice: one for each cost centre that bears it, of the structure of its day."""
    when = "until_2026" if head.invoice_on < REORGANISED else "cost_centre"
    number = f"{(head.contract_id or head.party_id[-3:]).replace('-', '')}-{head.invoice_on:%y%m}"
    for row in figures("units"):
        if row["units"] == units:
            amount = round(head.amount * float(row["share"]), 2)
            yield replace(head, invoice_id=number, cost_centre=row[when], amount=amount, paid_on=paid)


def _paid(on: date, turn: int, chance: np.random.Generator) -> date | None:
    """One in thirteen invoices is paid late. What is paid after the demo's last day is still open."""
    late = turn % 13 == 6
    paid = on + timedelta(days=int(chance.integers(36, 62) if late else chance.integers(24, 31)))
    return paid if paid < following(LAST) else None


def _known(line: Line, on: date) -> Line:
    return line if line.paid_on and line.paid_on < on else replace(line, paid_on=None)


def _export(demo: Demo, client: str, lines: list[Line], size: int) -> None:
    """One file per block of months: its invoices, and earlier ones of which the payment became known."""
    before = date(2000, 1, 1)
    for block in blocks(demo.span, size):
        on = following(block[-1]) + timedelta(days=5)
        new = [_known(line, on) for line in lines if line.invoice_on.replace(day=1) in block]
        paid = [x for x in lines if x.invoice_on < block[0] and x.paid_on and before <= x.paid_on < on]
        if new:
            (_meander if client == CLIENT else _college)(demo, block, [*paid, *new], on)
        before = on


_HEADINGS = "Crediteur;Factuurnummer;Contract;Categorie;Kostenplaats;Grootboek;Bedrag €;Valuta;Factuurdatum;Vervaldatum;Betaald op".split(
    ";"
)


def _money(amount: float) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def _meander(demo: Demo, block: list[date], lines: list[Line], on: date) -> None:
    """The export of a Windows program: lines above the header, points in thousands, a total below."""
    rows = [
        ";".join(
            (
                *(x.party_id, x.invoice_id, x.contract_id, x.category, x.cost_centre, x.account, _money(x.amount)),
                *(x.currency, nl(x.invoice_on), nl(x.due_on), nl(x.paid_on)),
            )
        )
        for x in lines
    ]
    total = f"Totaal;;;;;;{_money(sum(x.amount for x in lines))};;;;"
    before = (
        "Meander Verzekeringen (fictief) – crediteuren",
        f"Boekperiode {block[0]:%m-%Y}; bedragen in € zonder btw",
    )
    name = f"facturen_{block[0]:%Y-%m}"
    demo.writer.deliver("financien__spend", name, _HEADINGS, [*rows, total], on, before=before)


def _college(demo: Demo, block: list[date], lines: list[Line], on: date) -> None:
    """An export with points, commas between cells, and dates that sort."""
    headings = "supplier;invoice;contract;category;unit;account;amount;invoice_date;due;paid".split(";")
    rows = [
        f'"{x.party_id}","{x.invoice_id}","{x.contract_id}","{x.category}","{x.cost_centre}","{x.account}",{x.amount:.2f},'
        f"{x.invoice_on},{x.due_on},{x.paid_on or ''}"
        for x in lines
    ]
    demo.writer.deliver("delinde__spend", f"ledger_{block[0]:%Y-%m}", headings, rows, on)
