"""The tables every model may refer to: clock, months, days, code lists, typed tables, the catalogue's own indicators.

Belongs here: `run.*` and `reference.*`. Does not belong here: anything read from a delivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from assets.page.catalogue import formula
from assets.rollup import period_select
from resources.catalogue.reference_tables import arrow_table, known_until

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.engine import Engine


@dataclass(frozen=True)
class Horizon:
    """The reporting months of a deployment: first and last month (first days), inclusive."""

    first: date
    last: date

    def months(self) -> list[date]:
        """Every month, in order."""
        count = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        start = self.first.year * 12 + self.first.month - 1
        return [date((start + i) // 12, (start + i) % 12 + 1, 1) for i in range(count)]


def horizon(catalogue: Catalogue, as_of: date) -> Horizon:
    """The reporting months by keten.yml; without an end, up to the last whole month before `as_of`."""
    reporting = catalogue.settings.reporting
    first = date.fromisoformat(f"{reporting.first}-01")
    if reporting.last:
        return Horizon(first, date.fromisoformat(f"{reporting.last}-01"))
    previous = as_of.year * 12 + as_of.month - 2
    return Horizon(first, date(previous // 12, previous % 12 + 1, 1))


def prepare_reference(engine: Engine, catalogue: Catalogue, span: Horizon, as_of: date, run_id: str) -> None:
    """Write `run.clock`, `run.knowledge`, `reference.month`, `reference.day`, `reference.period`, code lists, tables, indicators."""
    import pyarrow as pa

    engine.replace("run.clock", f"select date '{as_of}' as as_of, '{run_id}' as run_id")
    # The day up to which facts are known moves only when one appears, so what reads it is not computed again every day.
    known_on = known_until(catalogue, as_of) or as_of
    engine.replace("run.knowledge", f"select date '{known_on}' as known_on, '{catalogue.geography}' as geography_code")
    engine.replace(
        "reference.month",
        "select m::date as month, (m + interval 1 month)::date as month_to,"
        " date_diff('day', m, m + interval 1 month) as days,"
        " date_diff('day', date_trunc('year', m), date_trunc('year', m) + interval 1 year) as days_in_year"
        f" from generate_series(timestamp '{span.first}', timestamp '{span.last}', interval 1 month) t(m)",
    )
    engine.load("reference.holiday", pa.table(_holidays(span)))
    engine.replace(
        "reference.day",
        "select d::date as local_date, date_trunc('month', d)::date as month, year(d) as year, quarter(d) as quarter,"
        " isoyear(d) as iso_year, week(d) as iso_week, isodow(d) as iso_weekday, h.nl as holiday_nl, h.en as holiday_en"
        f" from generate_series(timestamp '{span.first}', timestamp '{span.last}' + interval 1 month - interval 1 day,"
        " interval 1 day) t(d) left join reference.holiday h on h.local_date = d::date",
    )
    engine.replace("reference.period", period_select())
    for name, codes in catalogue.code_lists.items():
        if name == "indicator":
            continue  # its table below says more than a code list
        columns = {
            "code": list(codes),
            "nl": [c["nl"] for c in codes.values()],
            "en": [c["en"] for c in codes.values()],
        }
        engine.load(f"reference.{name}", pa.table(columns))
    for table in catalogue.reference_tables.values():
        engine.load(f"reference.{table.name}", arrow_table(catalogue, table))
    engine.load("reference.indicator", pa.table(_indicators(catalogue)))


def set_months(engine: Engine, months: list[date]) -> None:
    """The months this run computes again."""
    values = ", ".join(f"(date '{m}')" for m in months) or "(null::date)"
    engine.replace("run.month", f"select month from (values {values}) t(month) where month is not null")


def _holidays(span: Horizon) -> dict[str, list[object]]:
    import holidays

    years = range(span.first.year, span.last.year + 1)
    dutch, english = holidays.NL(years=years, language="nl"), holidays.NL(years=years, language="en_US")
    days = sorted(dutch)
    import pyarrow as pa

    return {
        "local_date": pa.array(days, pa.date32()),
        "nl": pa.array([dutch[d] for d in days], pa.string()),
        "en": pa.array([english[d] for d in days], pa.string()),
    }  # type: ignore[dict-item]


def _indicators(catalogue: Catalogue) -> dict[str, list[object]]:
    import pyarrow as pa

    items = [catalogue.indicators[k] for k in sorted(catalogue.indicators)]
    formulas = [formula(i) for i in items]
    return {
        "indicator_id": [i.id for i in items],
        "pillar": [i.pillar for i in items],
        "title_nl": [i.title.nl for i in items],
        "title_en": [i.title.en for i in items],
        "description_nl": [i.description.nl for i in items],
        "description_en": [i.description.en for i in items],
        "formula_nl": [f.nl for f in formulas],
        "formula_en": [f.en for f in formulas],
        "method_nl": [i.method.nl for i in items],
        "method_en": [i.method.en for i in items],
        "pitfall_nl": [i.pitfall.nl for i in items],
        "pitfall_en": [i.pitfall.en for i in items],
        "standards": [", ".join(i.standards) or None for i in items],
        "unit_code": [i.unit for i in items],
        "display_unit_code": [i.display_unit or i.unit for i in items],
        "display_factor": pa.array([catalogue.display_factor(i) for i in items], pa.decimal128(28, 6)),
        "decimals": [i.decimals for i in items],
        "direction": [i.direction for i in items],
        "is_core": [i.core for i in items],
        "kind": [i.kind for i in items],
    }
