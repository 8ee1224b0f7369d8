"""What a person reads of a plan, like a diff: deliveries, months, values, rejected rows, checks and tables.

Belongs here: the words and tables. Does not belong here: making the plan (rehearsal).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.console import console
from pipelines.report import new_table

if TYPE_CHECKING:
    from pipelines.rehearsal import Plan
    from resources.catalogue import Catalogue
    from resources.publication.difference import DeliveryChange, Difference, IndicatorChange, ValueChange

Line = tuple[str, str]  # a sign and what it is about: + comes, - goes, ~ changes, ! needs a person
SHOWN = 30
MOST_DECIMALS = 9
STYLES = {"+": "green", "-": "red", "~": "yellow", "!": "bold red"}


def show_plan(plan: Plan, catalogue: Catalogue) -> None:
    """Print all of a plan."""
    if plan.changes is None:
        console.print("Nothing new since the last publication; `keten run` would start no run.")
        return
    _section("Deliveries", [*map(_delivery, plan.changes.deliveries), *_refusals(plan)])
    _section("Months computed again", _months(plan.months))
    _show_values(plan.changes, catalogue)
    _section("Rejected rows", _rejected(plan.changes))
    _section("Checks", _checks(plan.changes))
    _section("Published tables", _tables(plan.changes))
    if plan.changes.tables:
        console.print("`keten run` makes this the next publication; nothing has been changed yet.")
    else:
        console.print("`keten run` would run, and every published row would stay what it is.")


def _section(title: str, lines: Iterable[Line]) -> None:
    listed = list(lines)
    if not listed:
        return
    console.print(f"[bold]{title}[/]")
    for sign, text in listed[:SHOWN]:
        console.print(f"  [{STYLES[sign]}]{sign}[/] {escape(text)}", soft_wrap=True)
    if len(listed) > SHOWN:
        console.print(f"    ... and {len(listed) - SHOWN:,} more")


def _delivery(change: DeliveryChange) -> Line:
    sign = "!" if change.state in ("held", "rejected") else "~" if change.state_before else "+"
    state = f"{change.state_before} -> {change.state}" if change.state_before else change.state
    rows = f", {change.received:,} rows, {change.rejected:,} rejected" if change.state == "loaded" else ""
    why = f": {change.reason}" if change.reason else ""
    return sign, f"{change.dataset} {change.file_name} ({change.receipt_id}) {state}{rows}{why}"


def _refusals(plan: Plan) -> Iterator[Line]:
    for refusal in plan.refused:
        yield "!", f"{refusal['file_name']} refused: personal data in {', '.join(refusal['headings'])}"


def _months(months: dict[str, str]) -> Iterator[Line]:
    """Months that follow each other for the same reason in one line."""
    for why, group in groupby(sorted(months.items()), key=lambda item: item[1]):
        listed = [month for month, _ in group]
        span = listed[0] if len(listed) == 1 else f"{listed[0]} to {listed[-1]} ({len(listed)} months)"
        yield "~", f"{span}: {why}"


def _show_values(changes: Difference, catalogue: Catalogue) -> None:
    if not changes.indicators:
        return
    table = new_table("[bold]Values[/]")
    for name in ("changed", "appear", "disappear", "status only"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("months", no_wrap=True)
    table.add_column("biggest changes", overflow="fold")
    for item in changes.indicators:
        counts = (item.changed, item.appearing, item.disappearing, item.status_only)
        span = item.first_month if item.first_month == item.last_month else f"{item.first_month} to {item.last_month}"
        table.add_row(f"  {item.indicator_id}", *(f"{n:,}" for n in counts), span, escape(_biggest(item, catalogue)))
    console.print(table)


def _biggest(change: IndicatorChange, catalogue: Catalogue) -> str:
    """The biggest changes, in the unit that people see; an indicator that is no longer declared in its own figures."""
    item = catalogue.indicators.get(change.indicator_id)
    factor = catalogue.display_factor(item) if item else Decimal(1)
    unit = f" {catalogue.units[item.display_unit or item.unit].en}" if item else ""
    return "\n".join(
        f"{value.period_code} {value.scope_code}: {_both(value, factor, item.decimals if item else 0)}{unit}"
        for value in change.biggest
    )


def _both(change: ValueChange, factor: Decimal, decimals: int) -> str:
    """The value before and after, with as many decimals as it takes to see that they differ."""
    for places in range(decimals, MOST_DECIMALS + 1):
        old, new = (
            "-" if value is None else f"{value * factor:,.{places}f}" for value in (change.before, change.after)
        )
        if old != new:
            break
    return f"{old} -> {new}"


def _rejected(changes: Difference) -> Iterator[Line]:
    for change in changes.rejected:
        if change.new:
            yield "+", f"{change.dataset}: {change.new:,} more, {change.reasons}"
        if change.solved:
            yield "-", f"{change.dataset}: {change.solved:,} fewer, {change.reasons}"


def _checks(changes: Difference) -> Iterator[Line]:
    for check in changes.checks:
        if check.after in (None, "passed"):
            yield "-", f"{check.table} {check.check_id} passes again"
        else:
            yield (
                "!",
                f"{check.table} {check.check_id} ({check.severity}) would start to fail: {check.text} ({check.observed})",
            )


def _tables(changes: Difference) -> Iterator[Line]:
    for table in changes.tables:
        if table.rows_before is None:
            yield "+", f"{table.name}: {table.rows_after or 0:,} rows"
        elif table.rows_after is None:
            yield "-", table.name
        elif table.name.startswith("__"):
            yield "~", "types, comments or views"
        else:
            yield "~", f"{table.name}: {table.rows_before:,} -> {table.rows_after:,} rows"
