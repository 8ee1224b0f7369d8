"""Waste of the demo's sites, as the collector, the broker and the shredder of paper send it.

Belongs here: liftings and monthly amounts, and the events in their files. Does not belong here: final treatment, which
the broker sends as it stands (deliveries/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from demo.calendar import blocks, following, nl
from demo.figures import BROKER, CLIENT, COLLECTOR, SHREDDER, Site, figures
from demo.writing import Demo

FEWER, IN_KILOGRAMS, TWICE, FAULTY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
DOUBLED, DOUBLED_AT = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)), ("ENS", "ZWO", "LWD")
# Offices are empty in summer and around Christmas.
_SEASON = np.array([1.03, 1.0, 1.08, 1.02, 1.0, 1.06, 0.82, 0.74, 1.08, 1.1, 1.09, 0.98])


@dataclass(frozen=True)
class Stream:
    """A waste stream with its yearly figures."""

    name: str
    kg_per_fte: float
    kg_per_lifting: float
    container: str
    treatment: str
    waste_code: str
    sender: str


def _streams(sender: str) -> list[Stream]:
    rows = (row for row in figures("streams") if row["sender"] == sender)
    return [
        Stream(
            r["stream"],
            float(r["kg_per_fte"]),
            float(r["kg_per_lifting"]),
            r["container"],
            r["treatment"],
            r["waste_code"],
            sender,
        )
        for r in rows
    ]


def _mass(site: Site, stream: Stream, month: date) -> float:
    """Kilograms of a month; residual waste was five per cent a year more before, as separation grew."""
    years = (date(2026, 7, 1) - following(month)).days // 365
    trend = 1.05**years if stream.name == "Restafval" else 0.98**years
    return float(site.fte * stream.kg_per_fte / 12 * _SEASON[month.month - 1] * trend * site.used(month))


def waste(demo: Demo) -> None:
    """All deliveries of waste."""
    for block in blocks(demo.span, 1, large=True):
        _collected(demo, block)
    for block in blocks(demo.span, 3):
        _shredded(demo, block)
        _brokered(demo, block)


_HEADINGS = (
    *("Inzamelaar", "Locatie", "Datum lediging", "Afvalstroom", "Container", "Euralcode"),
    *("Verwerking", "Gewicht (t)", "Gewogen"),
)


@dataclass(frozen=True)
class Lifting:
    """One container that was emptied."""

    site: Site
    stream: Stream
    day: date
    kg: float
    is_weighed: bool

    def line(self, per_tonne: float = 1000) -> str:
        """As the collector writes it, in tonnes."""
        s = self.stream
        told = (COLLECTOR, self.site.site_id, nl(self.day), s.name, s.container, s.waste_code, s.treatment)
        return ";".join((*told, f"{self.kg / per_tonne:.4f}".replace(".", ","), "ja" if self.is_weighed else "nee"))


def _of(demo: Demo, month: date) -> list[Lifting]:
    """The liftings of a month, spread over the days in use."""
    chance = np.random.default_rng([demo.seed, month.year, month.month, 7])
    found = []
    for site in demo.sites:
        first, end = max(month, site.used_from), min(following(month), site.used_to or following(month))
        for stream in _streams("inzamelaar"):
            mass = _mass(site, stream, month)
            if mass <= 0:
                continue
            count = max(1, round(mass / stream.kg_per_lifting))
            parts = chance.normal(1, 0.13, count).clip(0.4, 1.7)
            weighed = chance.random(count) < 0.78
            kg = np.round(parts * mass / parts.sum(), 1)
            gap = max((end - first).days - 1, 0) / count
            days = [first + timedelta(days=int(gap * i)) for i in range(count)]
            liftings = zip(days, kg.tolist(), weighed.tolist(), strict=True)
            found += [Lifting(site, stream, day, amount, is_weighed) for day, amount, is_weighed in liftings]
    return found


def _collected(demo: Demo, block: list[date]) -> None:
    """The collector's file in tonnes, with a total below it; some months are sent again."""
    mapping, name = "inzamelaar__waste_collection", f"ledigingen_{block[0]:%Y-%m}"
    issued = following(block[-1]) + timedelta(days=4)
    liftings = [lifting for month in block for lifting in _of(demo, month)]
    total = sum(lifting.kg for lifting in liftings) / 1000
    last = f"{COLLECTOR};Totaal;;;;;;{total:.4f};".replace(".", ",")
    lines = _with_faults(demo, block, [lifting.line() for lifting in liftings])
    again = issued + timedelta(days=14)
    if IN_KILOGRAMS in block:
        wrong = [lifting.line(per_tonne=1) for lifting in liftings]
        demo.writer.deliver(mapping, name, _HEADINGS, [*wrong, last], issued)
        demo.writer.deliver(mapping, name, _HEADINGS, [*lines, last], again, room=demo.later)
        demo.plant("kilograms_as_tonnes", len(lines))
        return
    demo.writer.deliver(mapping, name, _HEADINGS, [*lines, last], issued)
    if FEWER in block:
        demo.writer.deliver(mapping, name, _HEADINGS, [*lines[3:], last], again)
        demo.plant("three_rows_fewer", 3)


def _with_faults(demo: Demo, block: list[date], lines: list[str]) -> list[str]:
    """The lines of a file with what is odd in them: real repeats in one month, two faults in another."""
    first, cells = lines[0], lines[0].split(";")
    if TWICE in block:
        demo.plant("equal_liftings", 3)
        return [*lines, first, first]
    if FAULTY in block:
        demo.plant("unknown_stream", 1)
        demo.plant("no_number", 1)
        unknown = ";".join([*cells[:3], "Onbekende stroom", *cells[4:]])
        return [*lines, unknown, ";".join([*cells[:7], "zestig", cells[8]])]
    return lines


def _shredded(demo: Demo, block: list[date]) -> None:
    """Confidential paper by site and month, in kilograms."""
    (stream,) = _streams("papier")
    rows = [
        f"{SHREDDER},{site.site_id},{month:%Y-%m},{_mass(site, stream, month):.1f},WPS-{month:%y%m}-{site.number:02d}"
        for month in block
        for site in demo.sites
        if site.used(month)
    ]
    headings = ("KvK", "Locatie", "Maand", "Kg vernietigd", "Certificaat")
    issued = following(block[-1]) + timedelta(days=8)
    demo.writer.deliver("papier__waste_collection", f"vernietigd_{block[0]:%Y-%m}", headings, rows, issued)


_BROKERED = "Bemiddelaar;Vestiging;Van;Tot en met;Fractie;Inzamelmiddel;Verwerking;Kilogram".split(";")


def _brokered(demo: Demo, block: list[date]) -> None:
    """The broker's workbook of a quarter: other streams by site and month. One quarter first held the collector's too."""
    (stream,) = _streams("makelaar")
    own = [_row(site, stream, month) for month in block for site in demo.sites if site.used(month)]
    mapping, name = "makelaar__waste_collection", f"kwartaaloverzicht_{block[0]:%Y-%m}"
    issued = following(block[-1]) + timedelta(days=11)
    before = ("Kwartaaloverzicht afval", f"{block[0]:%m-%Y} tot en met {block[-1]:%m-%Y}")
    doubled = [m for m in block if m in DOUBLED]
    if not doubled:
        demo.writer.deliver(mapping, name, _BROKERED, own, issued, before=before)
        return
    residual = next(s for s in _streams("inzamelaar") if s.name == "Restafval")
    twice = [_row(site, residual, month) for month in doubled for site in _doubled(demo)]
    demo.writer.deliver(mapping, name, _BROKERED, [*own, *twice], issued, before=before)
    demo.writer.deliver(mapping, name, _BROKERED, own, issued + timedelta(days=38), before=before, room=demo.later)
    kg = round(sum(float(str(row[-1])) for row in twice))
    right = sum(_mass(site, residual, month) for month in doubled for site in demo.sites if site.client_id == CLIENT)
    demo.plant("reported_twice", len(twice), kg=kg, sites=[site.site_id for site in _doubled(demo)])
    demo.plant("board_figure", len(twice), percent=round(100 * kg / right), client=CLIENT)


def _row(site: Site, stream: Stream, month: date) -> list[str | date | float]:
    last = following(month) - timedelta(days=1)
    kg = round(_mass(site, stream, month), 1)
    return [BROKER, site.site_id, month, last, stream.name, stream.container, stream.treatment, kg]


def _doubled(demo: Demo) -> list[Site]:
    """The sites that were reported twice, or the smallest of a demo that holds none of them."""
    own = [site for site in demo.sites if site.client_id == CLIENT]
    return [site for site in own if site.site_id in DOUBLED_AT] or [min(own, key=lambda site: site.fte)]
