"""The figures the demo is made from, and what its senders send as it is.

Belongs here: reading the CSV files beside this module. Does not belong here: what is made of them (the themes).

`figures/` holds what a delivery is computed from. `deliveries/` holds lists in the layout of their sender; themes that
need a fact of such a list (the value of a contract, the start of a chain) read it there, where it stands once.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from demo.calendar import day_of, following

HERE = Path(__file__).resolve().parent
CLIENT, COLLEGE = "90000011", "90000400"
COLLECTOR, BROKER, SHREDDER = "90000028", "90000158", "90000165"
REORGANISED = date(2026, 1, 1)


def figures(name: str) -> list[dict[str, str]]:
    """The rows of figures/<name>.csv."""
    with (HERE / "figures" / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def listed(name: str) -> list[dict[str, str]]:
    """The rows of the last version of deliveries/<origin>/<name>, under the sender's headings."""
    path = max((HERE / "deliveries").glob(f"{name}_issued-*.csv"))
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source, delimiter="," if path.parent.name == "delinde" else ";"))


def _number(text: str) -> float:
    return float(text) if text else 0.0


@dataclass(frozen=True)
class Site:
    """A building, with its figures per year."""

    number: int
    site_id: str
    name: str
    client_id: str
    place: str
    tenure: str
    bvo_m2: float
    fte: float
    kwh: float
    gas_m3: float
    heat_gj: float
    pv_kwh: float
    charging_kwh: float
    presence: float
    used_from: date
    used_to: date | None
    booked_on: str
    cost_centre: str

    @property
    def vvo_m2(self) -> float:
        """Lettable floor area."""
        return round(self.bvo_m2 * 0.84)

    @property
    def go_m2(self) -> float:
        """Usable floor area."""
        return round(self.bvo_m2 * 0.92)

    @property
    def is_metered(self) -> bool:
        """Whether it has connections of its own; Maastricht has only the statement of its landlord."""
        return self.site_id != "MAA"

    def used(self, month: date) -> float:
        """The share of a month in which the site is in use."""
        end = following(month)
        last = min(self.used_to or end, end)
        return max((last - max(self.used_from, month)).days, 0) / (end - month).days


def all_sites() -> list[Site]:
    """The sites in the order in which a smaller demo takes them."""
    return [_site(number, row) for number, row in enumerate(figures("sites"), start=1)]


def _site(number: int, row: dict[str, str]) -> Site:
    area = round(float(row["bvo_m2"]) * 0.92)
    used_to = row["in_use_to"]
    return Site(
        number,
        row["site_id"],
        row["site_name"],
        row["client_id"],
        row["place_name"],
        row["tenure"],
        float(row["bvo_m2"]),
        float(row["fte"]),
        _number(row["kwh_m2"]) * area,
        _number(row["gas_m3_m2"]) * area,
        _number(row["heat_gj_m2"]) * area,
        _number(row["pv_mwh"]) * 1000,
        _number(row["charging_mwh"]) * 1000,
        float(row["presence"]),
        date.fromisoformat(row["in_use_from"]),
        date.fromisoformat(used_to) if used_to else None,
        row["booked_on"],
        row["cost_centre"],
    )


@dataclass(frozen=True)
class Contract:
    """What the lists of procurement say about a contract."""

    contract_id: str
    client_id: str
    contractor_id: str
    service: str
    annual_eur: float
    valid_from: date
    ended_on: date | None
    due_days: int | None

    def runs(self, month: date) -> bool:
        """Whether it is in force during the whole of a month."""
        return self.valid_from <= month and (self.ended_on is None or self.ended_on > month)


def contracts() -> dict[str, Contract]:
    """All contracts of both clients by id."""
    return {contract.contract_id: contract for contract in _contracts()}


def _contracts() -> Iterator[Contract]:
    for row in listed("inkoop/contracten"):
        end = row["Beëindigd"] or row["Einddatum"]
        yield Contract(
            row["Contract"],
            row["Opdrachtgever"],
            row["Opdrachtnemer"],
            row["Dienst"],
            float(row["Jaarwaarde"].replace(".", "").replace(",", ".")),
            day_of(row["Ingangsdatum"]),
            day_of(end) if end else None,
            int(row["Aanlevertermijn dagen"]) if row["Aanlevertermijn dagen"] else None,
        )
    for row in listed("delinde/contracten"):
        yield Contract(
            row["contract"],
            COLLEGE,
            row["contractor"],
            row["service"],
            float(row["annual_value"]),
            date.fromisoformat(row["start"]),
            date.fromisoformat(row["end"]),
            int(row["report_days"]) if row["report_days"] else None,
        )
