"""One published number followed down to file and line: residual waste per FTE of one site in the last complete month.

Belongs here: finding the source rows in core and proving that they add up to what is published. Does not belong here:
tracing any value from the landed bytes (assets.trace). What does not add up is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from resources.wording import Quantity, Words, counted, day, month, number, quantity

if TYPE_CHECKING:
    from datetime import date

    from resources.catalogue import Catalogue, Indicator
    from resources.publication.published import Read

INDICATOR = "residual_waste_per_fte"
SHOWN = 12
_STORED = Decimal("0.000001")


@dataclass(frozen=True)
class Source:
    """One row of a delivered file and what it brings."""

    file_name: str
    row_no: str
    day: Words
    amount: Words


@dataclass(frozen=True)
class Example:
    """A number, its formula with the figures filled in, and the rows that it is made of."""

    indicator: Indicator
    site: str
    month: Words
    value: Quantity
    numerator: Words
    denominator: Words
    scale: Words | None
    sources: tuple[Source, ...]
    more: Words | None
    total: Words
    people: Words
    people_source: Source
    command: str


def example(catalogue: Catalogue, read: Read, engine: Read) -> Example | None:
    """The site of which the fewest rows are needed, so that all of them can be seen; None when there is none to prove."""
    indicator = catalogue.indicators.get(INDICATOR)
    if indicator is None:
        return None
    values = read(_VALUES)
    if not values:
        return None
    rows = engine(_SOURCES.format(month=values[0]["period_from"]))
    people = {row["site_id"]: row for row in engine(_PEOPLE.format(month=values[0]["period_from"]))}
    found = []
    for value in values:
        mine = [row for row in rows if row["site_id"] == value["site_id"]]
        if mine and value["site_id"] in people and _adds_up(indicator, value, mine, people[value["site_id"]]):
            found.append((len(mine), value["site_id"], value, mine))
    if not found:
        return None
    _, site_id, value, mine = min(found, key=lambda f: f[:2])
    return _told(catalogue, indicator, value, mine, people[site_id])


# The last complete month of which a site has a value made of something.
_VALUES = f"""
select v.period_from, v.period_code, site.site_id, site.site_name, v.value, v.numerator, v.denominator
from bi.rpt_indicator_value v join bi.dim_site site using (site_key)
where v.indicator_id = '{INDICATOR}' and v.level_code = 'site' and v.period_type = 'month' and v.is_complete_period
    and v.value is not null and v.numerator > 0
qualify v.period_from = max(v.period_from) over ()
order by site.site_id"""

_SOURCES = """
select part.site_id, receipt.file_name, source.row_no, source.record_no, source.period_from, part.mass_kg
from ledger.waste_month part
join core.waste_collection source using (
    collector_id, site_id, period_from, period_to, stream_code, container_code, treatment_code, repeat_no)
join intake.receipt receipt using (receipt_id)
where part.stream_code = 'residual' and part.month = date '{month}'
order by part.site_id, receipt.position, source.row_no, source.record_no"""

_PEOPLE = """
select source.site_id, receipt.file_name, source.row_no, source.month, source.fte, used.days_in_use, used.fte_year,
    calendar.days_in_year
from core.site_month source
join ledger.site_month used using (site_id, month)
join reference.month calendar using (month)
join intake.receipt receipt using (receipt_id)
where source.fte is not null and month = date '{month}'"""


def _adds_up(indicator: Indicator, value: dict[str, Any], rows: list[dict[str, Any]], people: dict[str, Any]) -> bool:
    """Whether rows and people give the published numerator, denominator and value again."""
    again = (value["numerator"] * indicator.scale / value["denominator"]).quantize(_STORED, ROUND_HALF_UP)
    by_days = people["fte"] * people["days_in_use"] / people["days_in_year"]
    return bool(
        sum(row["mass_kg"] for row in rows) == value["numerator"]
        and people["fte_year"] == value["denominator"]
        # Months are differences of rounded totals, so that they add up to the year.
        and abs(by_days - people["fte_year"]) <= 2 * _STORED
        and abs(again - value["value"]) <= _STORED
    )


def _told(
    catalogue: Catalogue,
    indicator: Indicator,
    value: dict[str, Any],
    rows: list[dict[str, Any]],
    people: dict[str, Any],
) -> Example:
    # As many decimals as the rows need, so that whoever adds them up finds the sum that stands below them.
    shown = max(1, *(-int(row["mass_kg"].normalize().as_tuple().exponent) for row in rows))
    sources = tuple(_source(row, row["period_from"], number(row["mass_kg"], shown)) for row in rows[:SHOWN])
    rest = rows[SHOWN:]
    more = None
    if rest:
        left = counted(len(rest), ("regel", "regels"), ("row", "rows"))
        sum_left = number(sum((row["mass_kg"] for row in rest), Decimal(0)), shown)
        more = Words(f"en nog {left.nl}, samen {sum_left.nl} kg", f"and {left.en} more, {sum_left.en} kg together")
    unit = catalogue.units[indicator.display_unit or indicator.unit]
    return Example(
        indicator,
        value["site_name"],
        month(value["period_from"]),
        quantity(value["value"] * catalogue.display_factor(indicator), unit, indicator.decimals),
        number(value["numerator"], shown),
        number(value["denominator"], 2),
        number(indicator.scale) if indicator.scale != 1 else None,
        sources,
        more,
        number(value["numerator"], shown),
        _people(people),
        _source(people, people["month"], number(people["fte"], 1)),
        f"keten trace {indicator.id} --site {value['site_id']} --period {value['period_code']}",
    )


def _people(row: dict[str, Any]) -> Words:
    """How full-time equivalents of a month become a part of a year."""
    fte, days, year, part = (
        number(row["fte"], 1),
        number(row["days_in_use"]),
        number(row["days_in_year"]),
        number(row["fte_year"], 2),
    )
    return Words(
        f"{fte.nl} fte × {days.nl} dagen in gebruik ÷ {year.nl} dagen = {part.nl} fte·jaar",
        f"{fte.en} FTE × {days.en} days in use ÷ {year.en} days = {part.en} FTE·year",
    )


def _source(row: dict[str, Any], on: date, amount: Words) -> Source:
    return Source(row["file_name"], str(row["row_no"]), day(on), amount)
