"""The commands `keten period`: states of months, closing them, and letting changes in after that.

Belongs here: arguments, help, what is asked and printed. Does not belong here: the rules (periods), and what is still
missing of a month (month_review).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import Home, Project, opened
from pipelines.settings import Place, today

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.periods import Kind

periods = typer.Typer(no_args_is_help=True, help="States of months: open, provisional, final, restated.")

Asked = Annotated[list[str], typer.Argument(metavar="YYYY-MM...", help="One or more reporting months.")]
By = Annotated[str, typer.Option("--by", help="Who decides; it is published.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is published.")]


@periods.command("list")
def listing(project: Project = None, home: Home = None) -> None:
    """Every reporting month with its state, who decided so, when and why."""
    from assets.preparing import horizon
    from pipelines.report import show_months
    from resources.periods import Periods

    where, catalogue = opened(home, project)
    show_months(horizon(catalogue, today(catalogue.settings.zone)).months(), Periods(where.periods).read())


@periods.command("close")
def close(
    months: Asked,
    by: By,
    final: Annotated[bool, typer.Option("--final", help="From provisional to final; ends a restatement.")] = False,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, whatever is missing.")] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """Make months provisional; with --final, final: from then on a change needs a reason. Tells first what is missing."""
    where, catalogue = opened(home, project)
    if final:
        _show_missing(where, _reporting(catalogue, months), yes)
    _decide(where, catalogue, months, "final" if final else "provisional", by, reason)


@periods.command("reopen")
def reopen(months: Asked, by: By, reason: Reason, project: Project = None, home: Home = None) -> None:
    """Make final months provisional again."""
    _decide(*opened(home, project), months, "reopened", by, reason)


@periods.command("restate")
def restate(months: Asked, by: By, reason: Reason, project: Project = None, home: Home = None) -> None:
    """Let changes of final months in, for 31 days or until they are closed as final again; they are published as restated."""
    _decide(*opened(home, project), months, "restated", by, reason)


def _decide(where: Place, catalogue: Catalogue, asked: list[str], kind: Kind, by: str, reason: str) -> None:
    """Record one decision about some months, or about none; under the lock, so that no run changes them meanwhile."""
    from pipelines.lock import run_lock
    from pipelines.month_review import left_out
    from resources.periods import Periods

    periods, months = Periods(where.periods), _reporting(catalogue, asked)
    as_of = today(catalogue.settings.zone)
    with run_lock(where.home, typer.echo):
        for month in months:
            periods.require(month, kind, by, as_of, reason)
        absent = left_out(where) if kind == "final" else ()
        for month in months:
            periods.decide(month, kind, by, as_of, reason, absent)
            typer.echo(f"{month:%Y-%m} is {kind}")
    typer.echo("`keten run` publishes it")


def _reporting(catalogue: Catalogue, asked: list[str]) -> list[date]:
    from assets.preparing import horizon
    from pipelines.months import asked_months

    return sorted(asked_months(asked, horizon(catalogue, today(catalogue.settings.zone))))


def _show_missing(where: Place, months: list[date], yes: bool) -> None:
    """Tell what is missing of some months, and ask."""
    from pipelines.month_review import missing

    for month in months:
        found = missing(where, month)
        for text in found:
            typer.echo(f"{month:%Y-%m} misses: {text}")
        if not yes:
            typer.confirm(f"Make {month:%Y-%m} final{' with that missing' if found else ''}?", abort=True)
