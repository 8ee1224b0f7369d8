"""Master data of the demo that depends on its size: sites, meters, people at a site, cost centres, other identifiers.

Belongs here: lists, and what the client itself reports by month. Does not belong here: lists that are sent as they stand
(deliveries/).
"""

from __future__ import annotations

from datetime import date, timedelta

from demo.calendar import blocks, following, nl
from demo.energy import GAS_BY_THE_HOUR, quarter_hour_sites
from demo.figures import CLIENT, COLLEGE, REORGANISED, Site, listed
from demo.meters import meter
from demo.writing import Demo

LATER = "BRE"  # the site that the first list of sites forgot
_FIRST_LIST, _NEXT_LIST = date(2023, 7, 1), date(2023, 10, 1)
_SUPPLIERS = {"electricity": "90000301", "gas": "90000318", "heat": "90000325"}


def master(demo: Demo) -> None:
    """All lists, and the people of each month."""
    demo.writer.send_lists()
    _sites(demo)
    _buildings(demo)
    _meters(demo)
    _people(demo)
    _cost_centres(demo)
    _identifiers(demo)
    if demo.holds(date(2025, 9, 1), date(2025, 10, 1)):
        for event, site_id in (("site_opens", "ENS"), ("site_closes", "GRO")):
            if site := demo.site(site_id):
                demo.plant(event, 0, site=site_id, day=f"{site.used_to or site.used_from}")
    demo.plant("reorganisation", sum(1 for row in listed("financien/kostenplaatsen") if row["Opgegaan in"]))


def _sites(demo: Demo) -> None:
    """Meander sends its list twice: one site was forgotten at first."""
    headings = "Locatie;Naam;Opdrachtgever;Plaats;Eigendom;GO m2;VVO m2;BVO m2;In gebruik vanaf;In gebruik tot".split(
        ";"
    )
    rows = {s.site_id: _row(s) for s in demo.sites if s.client_id == CLIENT}
    first = [row for site_id, row in rows.items() if site_id != LATER]
    demo.writer.deliver("klant__site", "locaties", headings, first, _FIRST_LIST)
    demo.writer.deliver("klant__site", "locaties", headings, rows.values(), _NEXT_LIST, room=demo.later)
    if LATER in rows:
        demo.plant("unknown_site", len(demo.span), site=LATER)


def _buildings(demo: Demo) -> None:
    """De Linde has a layout of its own."""
    college = [s for s in demo.sites if s.client_id == COLLEGE]
    if college:
        headings = "code;building;town;owned;gross_m2;lettable_m2;usable_m2;since".split(";")
        lines = [
            f'"{s.site_id}","{s.name}","{s.place}","{"yes" if s.tenure == "eigendom" else "no"}",'
            f"{s.bvo_m2:.0f},{s.vvo_m2:.0f},{s.go_m2:.0f},{s.used_from}"
            for s in college
        ]
        demo.writer.deliver("delinde__site", "buildings", headings, lines, date(2023, 9, 1))


def _row(site: Site) -> list[str]:
    areas = [f"{area:.0f}" for area in (site.go_m2, site.vvo_m2, site.bvo_m2)]
    days = [nl(site.used_from), nl(site.used_to)]
    return [site.site_id, site.name, site.client_id, site.place, site.tenure, *areas, *days]


def _meters(demo: Demo) -> None:
    """Every connection with its sub-meters; a sub-meter names the main meter it sits behind."""
    headings = "EAN;Locatie;Energiedrager;Eenheid;Leverancier;Hoofdmeter;Gebruik;Interval;Vanaf;Tot".split(";")
    rows = []
    for site in demo.sites:
        days = [nl(site.used_from), nl(site.used_to)]
        for what, unit, amount in (
            ("electricity", "kWh", site.kwh),
            ("gas", "m3", site.gas_m3),
            ("heat", "GJ", site.heat_gj),
        ):
            if amount:
                supplier = _SUPPLIERS[what] if site.is_metered else ""
                row = [meter(site, what), site.site_id, what, unit, supplier, "", "gebouw"]
                rows.append([*row, _interval(demo, site, what), *days])
        for what, use, amount in (("pv", "zonnepanelen", site.pv_kwh), ("charging", "laadplein", site.charging_kwh)):
            if amount:
                row = [meter(site, what), site.site_id, "electricity", "kWh", "", meter(site, "electricity"), use]
                rows.append([*row, "1440", *days])
    words = {"electricity": "elektriciteit", "gas": "aardgas", "heat": "stadswarmte"}
    rows = [[row[0], row[1], words[row[2]], *row[3:]] for row in rows]
    demo.writer.deliver("meetbedrijf__meter", "meters", headings, rows, _FIRST_LIST)


def _interval(demo: Demo, site: Site, what: str) -> str:
    if what == "electricity" and site in quarter_hour_sites(demo):
        return "15"
    return "60" if what == "gas" and site.site_id == GAS_BY_THE_HOUR else "1440"


def _people(demo: Demo) -> None:
    """FTE, persons, presence and meals by site and month; a site that opens halfway has people for as many days."""
    for client, mapping, size in ((CLIENT, "klant__site_month", 3), (COLLEGE, "delinde__site_month", 6)):
        for block in blocks(demo.span, size):
            rows = [
                _present(site, month)
                for month in block
                for site in demo.sites
                if site.client_id == client and site.used(month)
            ]
            if not rows:
                continue
            issued = following(block[-1]) + timedelta(days=1)
            if client == CLIENT:
                headings = "Locatie;Maand;FTE;Personen;Aanwezigheidsdagen;Maaltijden;Schoongemaakt m2".split(";")
                demo.writer.deliver(mapping, f"bezetting_{block[0]:%Y-%m}", headings, rows, issued)
            else:
                headings = "code;month;fte;heads;presence_days;meals;cleaned_m2".split(";")
                demo.writer.deliver(mapping, f"occupancy_{block[0]:%Y-%m}", headings, rows, issued)


def _present(site: Site, month: date) -> list[str]:
    days = site.fte * site.presence * 225 / 12 * (0.75 if month.month in (7, 8, 12) else 1.08) * site.used(month)
    meals = round(days * 0.45)
    counts = (round(site.fte), round(site.fte * 1.15), round(days), meals, round(site.vvo_m2))
    return [site.site_id, f"{month:%Y-%m}", *(str(count) for count in counts)]


def _cost_centres(demo: Demo) -> None:
    """Which cost centre carries a site, before and after the reorganisation of 1 January 2026."""
    rows, college = [], []
    for site in demo.sites:
        if site.client_id == COLLEGE:
            college.append([site.site_id, site.cost_centre, f"{site.used_from}", "1"])
            continue
        shares = {"KP-110": "0,85", "KP-140": "0,15"} if site.booked_on == "KP-110" else {site.booked_on: "1"}
        if site.used_from < REORGANISED:
            end = min(site.used_to or REORGANISED, REORGANISED)
            rows += [[site.site_id, unit, nl(site.used_from), nl(end), share] for unit, share in shares.items()]
        if site.used_to is None:
            rows.append([site.site_id, site.cost_centre, nl(REORGANISED), "", "1"])
    headings = ("Locatie", "Kostenplaats", "Geldig vanaf", "Geldig tot", "Aandeel")
    demo.writer.deliver("financien__site_org_unit", "verdeling", headings, rows, date(2026, 1, 5))
    if college:
        demo.writer.deliver(
            "delinde__site_org_unit", "split", ("code", "unit", "start", "share"), college, date(2023, 9, 1)
        )


def _identifiers(demo: Demo) -> None:
    """Under which numbers the metering company and the waste collector know the sites, and finance the suppliers."""
    start = "01-01-2016"
    rows = [["meetbedrijf", "locatie", f"GEBOUW-{s.number:02d}", s.site_id, start, ""] for s in demo.sites]
    rows += [["inzamelaar", "locatie", f"ADRES{7000 + 13 * s.number}", s.site_id, start, ""] for s in demo.sites]
    suppliers = ("90000035", "90000042", "90000059", "90000110", "90000301")
    rows += [["financien", "organisatie", f"CR{20100 + n}", party, start, ""] for n, party in enumerate(suppliers)]
    rows += [["financien", "organisatie", "CR20099", "90000073", start, "01-04-2025"]]
    headings = "Bron;Soort;Extern nummer;Eigen nummer;Geldig vanaf;Geldig tot".split(";")
    demo.writer.deliver("klant__identifier", "nummers", headings, rows, _FIRST_LIST)
