"""What a person reads in the terminal: progress, the summary of a run, receipts, a trace.

Belongs here: rich tables over published data. Does not belong here: computing any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.settings import Place
from resources.published import rows_of

console = Console()


@contextmanager
def progress_display() -> Iterator[Callable[[str], None]]:
    """A single line that tells what is happening; plain lines when the output is not a terminal."""
    if not console.is_terminal:
        yield lambda text: None if ":" in text else console.print(text)
        return
    with console.status("starting") as status:
        yield lambda text: status.update(text)


def show_summary(where: Place, catalogue: Any) -> None:
    """Rows per dataset, checks, indicator values per pillar, and where the results lie."""
    deliveries = rows_of(
        where.published,
        "select dataset, count(*), sum(received), sum(accepted), sum(quarantined), sum(ignored),"
        " count(*) filter (state = 'held'), count(*) filter (state = 'rejected') from bi.rpt_delivery"
        " where state not in ('withdrawn', 'purged') group by 1 order by 1",
    )
    table = Table(
        "dataset", "deliveries", "received", "accepted", "quarantined", "ignored", "held", "rejected", title="Rows"
    )
    for row in deliveries:
        table.add_row(row[0], *(f"{int(v or 0):,}" for v in row[1:]))
    console.print(table)
    checks = rows_of(
        where.published,
        "select count(*) filter (outcome = 'passed'), count(*) filter (outcome <> 'passed' and severity <> 'critical'),"
        " count(*) filter (outcome <> 'passed' and severity = 'critical') from bi.rpt_check",
    )[0]
    console.print(f"Checks: {checks[0]} passed, {checks[1]} warned, {checks[2]} failed")
    for pillar in ("people", "planet", "purpose"):
        console.print(f"[bold]{pillar.capitalize():8}[/] {_pillar_line(where, catalogue, pillar)}")
    for row in rows_of(
        where.published, "select receipt_id, state, reason from bi.rpt_delivery where state in ('held', 'rejected')"
    ):
        console.print(f"[yellow]{row[1]}[/] {row[0]}: {row[2]}")
    for refusal in _refusals(where):
        console.print(f"[yellow]refused[/] {refusal['file_name']}: personal data in {', '.join(refusal['headings'])}")
    console.print(f"Results: {where.published}")


def _refusals(where: Place) -> list[dict[str, Any]]:
    from resources.landing import Landing

    return Landing(where.landing).refusals()


def _pillar_line(where: Place, catalogue: Any, pillar: str) -> str:
    parts = []
    for item in sorted(catalogue.indicators.values(), key=lambda i: i.id):
        if item.pillar != pillar:
            continue
        rows = rows_of(
            where.published,
            "select period_code, value, value_status, coverage from bi.rpt_indicator_value where indicator_id = ?"
            " and level_code = 'total' and period_type = 'rolling12' and is_complete_period order by period_from desc limit 1",
            [item.id],
        )
        if rows and rows[0][1] is not None:
            parts.append(
                f"{item.title.en} {rows[0][1]:,.{item.decimals}f} {item.unit} ({rows[0][0]}, coverage {rows[0][3]:.0%})"
            )
        else:
            parts.append(f"{item.title.en}: {rows[0][2] if rows else 'no complete twelve months'}")
    return "; ".join(parts) or "no indicators"


def show_receipts(where: Place) -> None:
    """All receipts with their state as last published."""
    from resources.landing import Landing

    known = {}
    if where.published.exists():
        known = {
            r[0]: r[1:]
            for r in rows_of(
                where.published, "select receipt_id, state, received, accepted, quarantined from bi.rpt_delivery"
            )
        }
    table = Table("receipt", "file", "received (UTC)", "state", "rows", "accepted", "quarantined")
    for r in Landing(where.landing).receipts():
        state = known.get(r.receipt_id, ("landed", "", "", ""))
        shown = "purged" if r.purged_at else "withdrawn" if r.withdrawn_at else state[0]
        table.add_row(r.receipt_id, r.file_name, r.received_at[:19], shown, *(str(v) for v in state[1:]))
    console.print(table)


def show_receipt(where: Place, receipt_id: str) -> None:
    """Facts, counts and rejected rows of one receipt."""
    from dataclasses import asdict

    from resources.landing import Landing

    receipt = Landing(where.landing).receipt(receipt_id)
    for name, value in asdict(receipt).items():
        console.print(f"{name:18} {value}")
    if not where.published.exists():
        return
    rejected = rows_of(
        where.published,
        "select row_no, reasons, row_text from bi.rpt_rejected_row where receipt_id = ? order by row_no limit 50",
        [receipt.receipt_id],
    )
    for row in rejected:
        console.print(f"line {row[0]}: {row[1]}  {row[2]}", markup=False)


def show_trace(found: Any) -> None:
    """A value, its recomputation and the rows behind it."""
    console.print(found.sentence)
    table = Table("dataset", "file", "lines", "rows")
    for line in found.sources:
        table.add_row(line.dataset, line.file_name, line.lines, str(line.rows))
    console.print(table)
    verdict = "[green]equal[/]" if found.equal else "[red]NOT EQUAL[/]"
    console.print(f"published {found.published}  recomputed {found.recomputed}  {verdict}")
