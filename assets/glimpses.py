"""What a run shows in Dagster of what it made: a few rows of a table, and the course of each indicator.

Belongs here: small previews for people who look at an asset. Does not belong here: what an asset is (presentation), and
any figure that is not in a table of the run.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.modelling import VALUES
from assets.page.charts import HEIGHT, WIDTH, line
from resources.wording import quantity

if TYPE_CHECKING:
    from assets.session import Session
    from resources.catalogue import Catalogue, Column

ROWS, COLUMNS = 5, 12
INK = "#4f43dd"


def preview(session: Session, table: str, columns: Iterable[Column], refs: Iterable[str]) -> dict[str, Any]:
    """A few rows of a computed table that stands on these refs; none where one of its contracts may hold personal data.

    Dagster's records outlive a purge. So only numbers, dates and codes of lists are shown: no text that somebody sent.
    """
    shown = [c.name for c in columns if c.type != "text"][:COLUMNS]
    if not shown or may_be_personal(session.catalogue, refs):
        return {}
    rows = session.engine.read(f"select {', '.join(shown)} from {table} limit {ROWS}").read_all().to_pylist()
    if not rows:
        return {}
    lines = [shown, ["--"] * len(shown), *([_short(v) for v in row.values()] for row in rows)]
    return {"preview": dg.MetadataValue.md("\n".join(f"| {' | '.join(cells)} |" for cells in lines))}


def may_be_personal(catalogue: Catalogue, refs: Iterable[str]) -> bool:
    """Whether a dataset below these refs may hold personal data."""
    return any(catalogue.contracts[name].personal_data == "possible" for name in catalogue.datasets_below(refs))


def courses(session: Session) -> dict[str, Any]:
    """The total of each indicator by month: its course drawn, and its last known value in words."""
    rows = session.engine.read(
        f"select indicator_id, period_code, value from {VALUES} where level_code = 'total' and period_type = 'month'"
        " order by pillar, indicator_id, period_from"
    ).read_all()
    found: dict[str, list[tuple[str, Decimal | None]]] = defaultdict(list)
    for row in rows.to_pylist():
        found[row["indicator_id"]].append((row["period_code"], row["value"]))
    lines = [_course(session.catalogue, name, values) for name, values in found.items()]
    head = ["| indicator | course | month | nl | en |", "|--|--|--|--|--|"]
    return {"course_by_month": dg.MetadataValue.md("\n".join([*head, *lines]))} if lines else {}


def _course(catalogue: Catalogue, name: str, values: list[tuple[str, Decimal | None]]) -> str:
    """One row: an indicator without a known value keeps its place, and says that it has none."""
    indicator = catalogue.indicators[name]
    known = [(month, value) for month, value in values if value is not None]
    if not known:
        return f"| {name} | | | ontbreekt | missing |"
    month, value = known[-1]
    unit = catalogue.units[indicator.display_unit or indicator.unit]
    told = quantity(value * catalogue.display_factor(indicator), unit, indicator.decimals).whole()
    return f"| {name} | {_drawn([v for _, v in values])} | {month} | {told.nl} | {told.en} |"


def _drawn(values: list[Decimal | None]) -> str:
    """A line chart as an image that stands in the text itself."""
    chart = line(values)
    if chart is None:
        return ""
    pieces = "".join(f'<polyline points="{points}"/>' for points in chart.pieces)
    (x, y), size = chart.dot, f'width="{WIDTH // 2}" height="{HEIGHT // 2}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><g fill="none" stroke="{INK}" stroke-width="3">{pieces}</g>'
        f'<circle cx="{x}" cy="{y}" r="5" fill="{INK}"/></svg>'
    )
    return f"![](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def _short(value: object) -> str:
    if value is None:
        return ""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
