"""Electricity, gas and heat of the demo's sites, as the companies that measure them send it.

Belongs here: the layouts of these senders and the events in their files. Does not belong here: what a meter measured
(meters), the list of meters (master), a register that is read as it stands (stands).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from demo.calendar import (
    RECENT,
    Days,
    blocks,
    comma,
    day_text,
    days,
    following,
    grouped,
    intervals,
    local_time,
    midnights,
    weekday,
)
from demo.figures import Site
from demo.meters import charged, daily, even, measured, meter, power, sun, used, warmth, wide
from demo.stands import READ_AS_IT_STANDS, stands
from demo.writing import Demo

CORRECTED, DUPLICATED = date(2026, 4, 1), date(2026, 3, 1)
GAS_BY_THE_HOUR, HOURLY_FROM = "AMF", RECENT
SHARED, SHARE = "DHG", 0.63
STATED = "MAA"


def quarter_hour_sites(demo: Demo) -> list[Site]:
    """The sites whose electricity comes by the quarter-hour: a share of all, at least one."""
    metered = [site for site in demo.sites if site.is_metered]
    return metered[: max(1, round(demo.interval_share * len(demo.sites)))]


def energy(demo: Demo) -> None:
    """All deliveries of readings."""
    for block in blocks(demo.span, 1, large=True):
        _quarter_hours(demo, block)
    for block in blocks(demo.span, 3):
        day = days(block[0], following(block[-1]))
        _power_by_day(demo, block, day)
        _gas_by_day(demo, block, day)
        _gas_by_hour(demo, block)
        _heat(demo, block, day)
        _panels(demo, block, day)
        _charging(demo, block, day)
    _statements(demo)
    stands(demo)
    _plant(demo)


def _quarter_hours(demo: Demo, block: list[date]) -> None:
    """One file with all sites, stamped at the END of each quarter in local time without offset."""
    lines = [line for month in block for line in _quarters_of(demo, month)]
    name, issued = f"kwartierwaarden_{block[0]:%Y-%m}", _after(block, 3)
    mapping, headings = "meetbedrijf__meter_reading", ("EAN", "Tijdstip", "Verbruik", "Status")
    demo.writer.deliver(mapping, name, headings, lines, issued, hour="0600", packed=True)
    if CORRECTED in block:
        late = [line.rsplit(";", 2)[0] + ";99,500;Gecorrigeerd" for line in lines[100:104]]
        on = issued + timedelta(days=17)
        demo.writer.deliver(mapping, f"{name}-correctie", headings, late, on, hour="0600")
        demo.plant("late_correction", 4)
    if DUPLICATED in block:
        demo.writer.deliver(mapping, f"kopie_{name}", headings, lines, issued, hour="0600", packed=True)
        demo.plant("duplicate_delivery", 0)


def _quarters_of(demo: Demo, month: date) -> list[str]:
    starts = intervals(month, 15)
    local = local_time(starts)
    day = local.astype("datetime64[D]")
    minute = (local - day).astype(np.int64)
    works = weekday(day) < 5
    within = np.where(works & ((minute < 7 * 60) | (minute >= 19 * 60)), 0.17, 1.0)
    _, place = np.unique(day, return_inverse=True)
    within /= np.bincount(place, within)[place]
    ends = [f"{t:%d-%m-%Y %H:%M}" for t in local_time(starts + np.timedelta64(15, "m")).astype(object)]
    lines: list[str] = []
    for site in quarter_hour_sites(demo):
        chance = np.random.default_rng([demo.seed, site.number, month.year, month.month])
        kwh = daily(site.kwh, power, day) * within * chance.uniform(0.9, 1.1, len(day))
        told = zip(ends, comma(kwh, 3), used(site, day).tolist(), strict=True)
        number = meter(site, "electricity")
        lines += [f"{number};{end};{quantity};Gemeten" for end, quantity, is_used in told if is_used]
    return lines


def _after(block: Sequence[date], number: int) -> date:
    """So many days into the month after a block."""
    return following(block[-1]) + timedelta(days=number - 1)


def _power_by_day(demo: Demo, block: list[date], day: Days) -> None:
    """All other sites by day; what solar panels give back stands on a register of its own."""
    others = [s for s in demo.sites if s.is_metered and s not in quarter_hour_sites(demo)]
    lines: list[str] = []
    for site in others:
        use, texts = used(site, day), day_text(day)
        net = measured(demo.seed, site, "electricity", site.kwh, power, day)
        sent_back = np.where(weekday(day) >= 5, daily(site.pv_kwh, sun, day) * 0.3, 0.0)
        registers = [("1.8.0", net + sent_back), *([("2.8.0", sent_back)] if site.pv_kwh else [])]
        for register, kwh in registers:
            rows = zip(texts, comma(kwh, 2), use.tolist(), strict=True)
            lines += [
                f"{meter(site, 'electricity')};{t};{register};{quantity}" for t, quantity, is_used in rows if is_used
            ]
    if lines:
        name = f"dagstanden_stroom_{block[0]:%Y-%m}"
        headings = ("EAN", "Dag", "Telwerk", "kWh")
        demo.writer.deliver("netportaal__meter_reading", name, headings, lines, _after(block, 4))


def _gas_by_day(demo: Demo, block: list[date], day: Days) -> None:
    """One column per connection, its EAN in the header."""
    elsewhere = (READ_AS_IT_STANDS, *([GAS_BY_THE_HOUR] if block[0] >= HOURLY_FROM else []))
    sites = [s for s in demo.sites if s.gas_m3 and s.is_metered and s.site_id not in elsewhere]
    columns = [(s, measured(demo.seed, s, "gas", s.gas_m3, warmth, day)) for s in sites if used(s, day).any()]
    if columns:
        headings = ["Datum", *(meter(site, "gas") for site, _ in columns)]
        name = f"gas_per_dag_{block[0]:%Y-%m}"
        demo.writer.deliver("gasportaal__meter_reading", name, headings, wide(day, columns), _after(block, 5))


def _gas_by_hour(demo: Demo, block: list[date]) -> None:
    """Gas by the hour, stamped at the START, every hour twice: in m³, and in the kWh of the invoice."""
    site = demo.site(GAS_BY_THE_HOUR)
    if site is None or block[0] < HOURLY_FROM:
        return
    lines: list[str] = []
    for month in block:
        local = local_time(intervals(month, 60))
        day, place = np.unique(local.astype("datetime64[D]"), return_inverse=True)
        hour = (local - local.astype("datetime64[D]")).astype("timedelta64[h]").astype(np.int64)
        within = 1 + 0.6 * np.cos(2 * np.pi * (hour - 8) / 24)
        within /= np.bincount(place, within)[place]
        cubic = measured(demo.seed, site, "gas", site.gas_m3, warmth, day)[place] * within
        for start, m3, kwh in zip(local.astype(object), comma(cubic, 3), comma(cubic * 9.769, 3), strict=True):
            stamp = f"{meter(site, 'gas')};{start:%d-%m-%Y %H:%M}"
            lines += [f"{stamp};{m3};m3", f"{stamp};{kwh};kWh"]
    name = f"gas_per_uur_{block[0]:%Y-%m}"
    headings = ("EAN", "Begin", "Hoeveelheid", "Eenheid")
    demo.writer.deliver("gasmeter__meter_reading", name, headings, lines, _after(block, 5), packed=True)
    demo.plant("gas_in_two_units", len(lines) // 2, file=f"gas_per_uur_{block[0]:%Y-%m}")


def _heat(demo: Demo, block: list[date], day: Days) -> None:
    """District heat in GJ, as the bill splits it: the meter of a building, and the share of who rents in it."""
    lines: list[str] = []
    for site in (s for s in demo.sites if s.heat_gj):
        share = SHARE if site.site_id == SHARED else 1.0
        building = np.round(measured(demo.seed, site, "heat", site.heat_gj / share, warmth, day), 3)
        rows = zip(day_text(day), comma(building, 3), comma(building * share, 3), strict=True)
        told = f"{share:.2f}".replace(".", ",")
        lines += [f"{meter(site, 'heat')};{t};{whole};{told};{part}" for t, whole, part in rows]
    if lines:
        headings = ("Aansluiting", "Dag", "GJ gebouw", "Aandeel", "GJ toegerekend")
        name = f"warmtenota_{block[0]:%Y-%m}"
        demo.writer.deliver("warmtebedrijf__meter_reading", name, headings, lines, _after(block, 9))


def _panels(demo: Demo, block: list[date], day: Days) -> None:
    """Solar panels, by day in UTC, as their makers' website writes it."""
    rows: list[list[str | float]] = []
    for site in (s for s in demo.sites if s.pv_kwh):
        use = used(site, day)
        kwh = np.round(measured(demo.seed, site, "pv", site.pv_kwh, sun, day), 3).tolist()
        starts = [f"{t:%Y-%m-%dT%H:%M:%S}" for t in midnights(np.append(day, day[-1:] + 1)).astype(object)]
        told = zip(day.astype(object), starts, starts[1:], kwh, use.tolist(), strict=False)
        rows += [[meter(site, "pv"), f"{d}", f"{a}", f"{b}", q] for d, a, b, q, is_used in told if is_used]
    if rows:
        headings = ("device.ean", "day", "from_utc", "to_utc", "energy_kwh")
        name = f"pv_{block[0]:%Y-%m}"
        demo.writer.deliver("zonnepanelen__meter_reading", name, headings, rows, _after(block, 2))


def _charging(demo: Demo, block: list[date], day: Days) -> None:
    """Charging points behind the main meter, one column each."""
    sites = [s for s in demo.sites if s.charging_kwh and used(s, day).any()]
    columns = [(s, measured(demo.seed, s, "charging", s.charging_kwh, charged, day)) for s in sites]
    headings = ["Dag", *(meter(site, "charging") for site in sites)]
    name = f"laadsessies_{block[0]:%Y-%m}"
    demo.writer.deliver("laadpunten__meter_reading", name, headings, wide(day, columns), _after(block, 3))


def _statements(demo: Demo) -> None:
    """Maastricht: its landlord estimates a year in January, and settles it in May of the next."""
    site = demo.site(STATED)
    if site is None:
        return
    settled = 0
    for block in grouped(demo.span, 12):
        day = days(block[0], following(block[-1]))
        year = block[0].year
        for word, share, issued in (("raming", 0.94, date(year, 1, 20)), ("afrekening", 1.0, date(year + 1, 5, 12))):
            if issued >= _after(demo.span, 1):
                continue
            lines: list[str] = []
            for what, unit, yearly in (("electricity", "kWh", site.kwh), ("gas", "m3", site.gas_m3)):
                told = zip(day_text(day), comma(daily(yearly * share, even, day), 3), strict=True)
                lines += [f"{meter(site, what)};{t};{quantity};{unit};{word}" for t, quantity in told]
            headings = ("Aansluiting", "Dag", "Verbruik", "Eenheid", "Soort")
            name = f"servicekosten_{year}_{word}"
            demo.writer.deliver("verhuurder__meter_reading", name, headings, lines, issued)
            settled += len(lines) if word == "afrekening" else 0
    if settled:
        demo.plant("estimate_settled", settled)


def _plant(demo: Demo) -> None:
    """What the meters show by themselves."""
    for event, month, day, rows in (
        ("summer_time_starts", date(2026, 3, 1), "2026-03-29", 92),
        ("summer_time_ends", date(2025, 10, 1), "2025-10-26", 100),
    ):
        if demo.holds(month):
            demo.plant(event, rows, day=day)
    if (site := demo.site(SHARED)) is not None:
        demo.plant("shared_building", 0, site=site.site_id, share=SHARE, meter=meter(site, "heat"))
    demo.plant("label_changes", 1)
    sub = next(site for site in demo.sites if site.charging_kwh)
    demo.plant("sub_meter_inside", 0, meter=meter(sub, "charging"), main=meter(sub, "electricity"))
