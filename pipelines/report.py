"""What a person reads in the terminal: progress, the summary of a run, receipts, a trace.

Belongs here: rich tables over published data. Does not belong here: computing any of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from pipelines.console import console
from pipelines.receipt_report import show_corrections, show_rejected, values_told
from pipelines.settings import Place
from resources.landing import Landing
from resources.landing.unrouted import read_unrouted
from resources.periods import Month, Months
from resources.progress import Progress
from resources.publication.published import frame_of, rows_of
from resources.reason_words import repair_of_file
from resources.targets import make_target

if TYPE_CHECKING:
    from assets.trace import Trace
    from pipelines.doctor.examining import Finding
    from pipelines.facts import Found
    from resources.catalogue import Catalogue, Indicator, Settings

PILLARS = ("people", "planet", "purpose")
SHOWN_UNROUTED = 5


@contextmanager
def progress_display() -> Iterator[Progress]:
    """One line that tells what is happening now; where the output is no terminal, only what must be seen."""

    def tell(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    if not console.is_terminal:
        yield Progress(lambda _: None, tell)
        return
    with console.status("starting") as status:
        yield Progress(lambda text: status.update(escape(text)), tell)


def show_summary(where: Place, catalogue: Catalogue) -> None:
    """Rows per dataset, checks, indicator values per pillar, what needs attention, and where the results lie."""
    _show_rows(where)
    _show_checks(where)
    for pillar in PILLARS:
        items = sorted((i for i in catalogue.indicators.values() if i.pillar == pillar), key=lambda i: i.id)
        told = "; ".join(_latest(where, catalogue, item) for item in items if item.core) or "no core indicators"
        others = sum(not item.core for item in items)
        more = f"; and {others} more" if others else ""
        console.print(f"[bold]{pillar.capitalize():8}[/] {escape(told)}{more}", soft_wrap=True)
    _show_attention(where)
    show_unrouted(where)
    for setting in catalogue.targets:
        target = make_target(setting, where.home)
        console.print(
            f"Target {setting.name}: publication {target.applied()}, {target.shown()}", markup=False, soft_wrap=True
        )
    console.print(results(where), markup=False, soft_wrap=True, highlight=False)


def results(where: Place) -> str:
    """Where the results lie: the file for BI tools and the page for people."""
    return f"Results: {where.published}, and for people {where.page}"


def _show_rows(where: Place) -> None:
    """What became of the rows, by dataset; a delivery that is held or rejected brought none."""
    counts = ["received_rows", "accepted_rows", "quarantined_rows", "ignored_rows"]
    deliveries = frame_of(
        where.published,
        f"select dataset, state, {', '.join(counts)} from bi.rpt_delivery where state not in ('withdrawn', 'purged')",
    )
    shown = deliveries.groupby("dataset")[counts].sum()
    shown.insert(0, "deliveries", deliveries.groupby("dataset").size())
    for state in ("held", "rejected"):
        shown[state] = deliveries["state"].eq(state).groupby(deliveries["dataset"]).sum()
    table = new_table("dataset")
    for name in shown.columns:
        table.add_column(str(name).removesuffix("_rows"), justify="right", no_wrap=True)
    for dataset, figures in shown.iterrows():
        table.add_row(str(dataset), *(f"{int(figure):,}" for figure in figures))
    console.print(table)


def new_table(*names: str) -> Table:
    """A table without lines, with columns of text; what does not fit goes on in the next line."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _show_checks(where: Place) -> None:
    passed, warned, failed = rows_of(
        where.published,
        "select count(*) filter (outcome = 'passed'), count(*) filter (outcome <> 'passed' and severity <> 'critical'),"
        " count(*) filter (outcome <> 'passed' and severity = 'critical') from bi.rpt_check",
    )[0]
    console.print(f"Checks: {passed} passed, {warned} warned, {failed} failed")


def _latest(where: Place, catalogue: Catalogue, item: Indicator) -> str:
    """The total of the last complete twelve months, or why there is none."""
    rows = rows_of(
        where.published,
        "select period_code, value, value_status, coverage from bi.rpt_indicator_value where indicator_id = ?"
        " and level_code = 'total' and period_type = 'rolling12' and is_complete_period order by period_from desc limit 1",
        [item.id],
    )
    if not rows:
        return f"{item.title.en}: no complete twelve months yet"
    period, value, status, coverage = rows[0]
    if value is None:
        return f"{item.title.en}: {status} ({period})"
    shown = value * catalogue.display_factor(item)
    unit = catalogue.units[item.display_unit or item.unit].en
    return f"{item.title.en} {shown:,.{item.decimals}f} {unit} ({period}, coverage {coverage:.0%})"


def _show_attention(where: Place) -> None:
    """Checks that did not pass, deliveries that are not in the results, and files that were refused."""
    lines = rows_of(
        where.published,
        "select 'check', table_name || ' ' || check_id || ': ' || en || ' (' || observed || ')'"
        " || case when receipt_id = '' then '' else ', ' || receipt_id end from bi.rpt_check"
        " where outcome <> 'passed' union all"
        " select state, receipt_id || ' (' || file_name || '): ' || reason from bi.rpt_delivery where state in ('held', 'rejected')",
    )
    for refusal in Landing(where.landing).refusals():
        lines.append(("refused", f"{refusal['file_name']}: personal data in {', '.join(refusal['headings'])}"))
    for word, told in lines:
        console.print(f"[yellow]{word}[/] {escape(told)}", soft_wrap=True)


def show_unrouted(where: Place) -> None:
    """Files of the inbox that wait for a mapping."""
    waiting = read_unrouted(where.landing)
    for one in waiting[:SHOWN_UNROUTED]:
        console.print(f"[yellow]unrouted[/] {escape(f'{one.origin}/{one.name}: {one.told()}')}", soft_wrap=True)
    if len(waiting) > SHOWN_UNROUTED:
        more = len(waiting) - SHOWN_UNROUTED
        console.print(
            f"[yellow]unrouted[/] {more} more files of the inbox; `keten unrouted` lists them", soft_wrap=True
        )


def show_facts(found: Found, settings: Settings) -> None:
    """What needs a person, by kind, with its meaning and repair, in the language of the alerts."""
    from pipelines.alerting import blocks

    told = blocks(found.facts, settings, all_of_them=True)
    console.print("\n\n".join(told) if told else "Nothing needs a person now.", markup=False, soft_wrap=True)


def show_findings(findings: Iterable[Finding]) -> None:
    """What a deployment was found to be: a line for each, and what to do under those that are not in order."""
    colours = {"ok": "green", "warning": "yellow", "fault": "red"}
    for found in findings:
        state = f"[{colours[found.state]}]{found.state:8}[/]"
        console.print(f"{state} {found.check:12} {escape(found.told)}", soft_wrap=True)
        if found.repair:
            console.print(f"{'':8} {'':12} -> {found.repair}", markup=False, soft_wrap=True)


def show_months(months: Iterable[date], decided: Months) -> None:
    """The state of every month, by the last decision about it."""
    table = new_table("month", "state", "by", "at (UTC)", "reason")
    for day in months:
        month = decided.get(day, Month())
        last = month.last
        told = (last.by, last.at[:16].replace("T", " "), last.reason) if last else ("", "", "")
        table.add_row(f"{day:%Y-%m}", month.words, *(escape(text) for text in told))
    console.print(table)


def show_receipts(where: Place) -> None:
    """All receipts with their state as last published."""
    known = {}
    if where.published.exists():
        columns = "receipt_id, state, received_rows, accepted_rows, quarantined_rows"
        known = {r[0]: r[1:] for r in rows_of(where.published, f"select {columns} from bi.rpt_delivery")}
    table = new_table("receipt", "file", "received (UTC)", "state")
    for name in ("rows", "accepted", "quarantined"):
        table.add_column(name, justify="right")
    for r in Landing(where.landing).receipts():
        state = known.get(r.receipt_id, ("landed", "", "", ""))
        shown = "purged" if r.purged_at else "withdrawn" if r.withdrawn_at else state[0]
        table.add_row(r.receipt_id, escape(r.file_name), r.received_at[:19], shown, *(str(v) for v in state[1:]))
    console.print(table)


def show_receipt(where: Place, receipt_id: str, catalogue: Catalogue) -> None:
    """Facts, counts, corrections and rejected rows of one receipt, and what is to be done about each reason."""
    receipt = Landing(where.landing).receipt(receipt_id)
    facts: dict[str, Any] = asdict(receipt)
    if where.published.exists():
        frame = frame_of(where.published, "select * from bi.rpt_delivery where receipt_id = ?", [receipt.receipt_id])
        for row in frame.drop(columns=["publication_id", *(set(facts) & set(frame.columns))]).to_dict("records"):
            facts |= row
    for name, value in facts.items():
        console.print(f"{name:26} {'' if value is None else value}", markup=False, soft_wrap=True)
    if where.published.exists():
        show_corrections(where, receipt.receipt_id)
        show_rejected(where, receipt, catalogue)
    if facts.get("state") == "rejected" and (repair := repair_of_file(catalogue, str(facts["reason"]))):
        console.print(f"repair: {repair.en}", markup=False, soft_wrap=True)


def show_trace(found: Trace) -> None:
    """A value, its recomputation and the rows behind it."""
    console.print(found.sentence, markup=False, soft_wrap=True)
    table = new_table("dataset", "file", "lines")
    table.add_column("rows", justify="right")
    for line in found.sources:
        table.add_row(line.dataset, escape(line.file_name), line.lines, f"{line.rows:,}")
    console.print(table)
    for mark in found.marks:
        told = f"{mark.place}: {mark.action} {mark.column} {values_told(mark.was, mark.became)}".rstrip()
        console.print(f"{told}: {mark.rows:,} rows, {mark.file_name}: {mark.lines}", markup=False, soft_wrap=True)
    verdict = "[green]equal[/]" if found.equal else "[red]NOT EQUAL[/]"
    console.print(f"published {found.published}  recomputed {found.recomputed}  {verdict}", soft_wrap=True)
