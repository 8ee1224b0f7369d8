"""The twelve-month programme of the demo's chains, and what else has an impact: water, refrigerant, fuel, kilometres.

Belongs here: milestones and other quantities. Does not belong here: chains, barriers and targets, which are sent as they
stand (deliveries/).
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from demo.calendar import blocks, day_of, following, grouped, nl
from demo.figures import Site, figures, listed
from demo.writing import Demo, Row

REQUIREMENTS = 12
_TECHNICIAN, _WATER = "90000110", "90000332"
_REFILLED = {"UTR": 11.0, "DHG": 4.5, "RTM": 2.5}


def programme(demo: Demo) -> None:
    """Milestones twice, and other quantities by quarter."""
    for issued in (date(2025, 12, 31), date(2026, 6, 30)):
        _milestones(demo, issued)
    demo.plant("late_chain", 1, chain="CH-GRO", days=412)
    demo.plant("ended_chain", 1, chain="CH-GLA", days=180)
    for block in blocks(demo.span, 3):
        _water(demo, block)
        _technician(demo, block)


def _milestones(demo: Demo, issued: date) -> None:
    """Requirements are met at an even pace until the last one so far."""
    starts = {row["Keten"]: day_of(row["Start"]) for row in listed("programmabureau/ketens")}
    rows = []
    for chain in figures("programme"):
        begin, count = starts[chain["chain_id"]], int(chain["met_count"])
        for number in range(1, REQUIREMENTS + 1):
            planned = begin + timedelta(days=round(365 * number / REQUIREMENTS))
            met = begin + timedelta(days=round(int(chain["last_day"]) * number / count))
            known = number <= count and met < issued
            done = (nl(met), f"verslag-{number:02d}.pdf") if known else ("", "")
            if begin < issued:
                rows.append([chain["chain_id"], f"R{number:02d}", nl(planned), *done, "contractmanager"])
    headings = ("Keten", "Eis", "Gepland", "Gehaald", "Bewijs", "Rol")
    demo.writer.deliver("programmabureau__milestone", "mijlpalen", headings, rows, issued)


def _water(demo: Demo, block: list[date]) -> None:
    """Drinking water by site and month: 4.5 m³ per FTE in a year."""
    rows: list[Row] = []
    for month in block:
        chance = np.random.default_rng([demo.seed, month.year, month.month, 11])
        for site in demo.sites:
            amount = site.fte * 4.5 / 12 * chance.uniform(0.9, 1.1) * site.used(month)
            if amount:
                rows.append([_WATER, site.site_id, nl(month), nl(following(month)), round(amount, 1), "ja"])
    headings = ("Waterbedrijf", "Locatie", "Van", "Tot", "m3", "Gemeten")
    issued = following(block[-1]) + timedelta(days=20)
    demo.writer.deliver("waterbedrijf__activity", f"water_{block[0]:%Y-%m}", headings, rows, issued)


def _technician(demo: Demo, block: list[date]) -> None:
    """The log of the technical contractor: refrigerant topped up, diesel of the emergency power, kilometres driven."""
    rows: list[Row] = []
    for quarter in grouped(block, 3):
        ends = (nl(quarter[0]), nl(following(quarter[-1])))
        for site in demo.sites:
            share = sum(site.used(month) for month in quarter) / 12
            rows += [
                [site.site_id, what, *ends, round(yearly * share, 2), unit]
                for what, unit, yearly in _logged(site)
                if share
            ]
    headings = ("Locatie", "Soort", "Vanaf", "Tot", "Hoeveelheid", "Eenheid")
    issued = following(block[-1]) + timedelta(days=10)
    demo.writer.deliver("techniek__activity", f"logboek_{block[0]:%Y-%m}", headings, rows, issued)


def _logged(site: Site) -> list[tuple[str, str, float]]:
    found = [("kilometers", "km", site.bvo_m2 * 0.9)] if site.is_metered else []
    if site.site_id in _REFILLED:
        found.append(("R410A", "kg", _REFILLED[site.site_id]))
    if site.site_id == "UTR":
        found.append(("diesel", "l", 420.0))
    return found
