"""The command line `keten`.

Belongs here: arguments, help and what is printed. Does not belong here: what the commands do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import care_cli, map_cli
from pipelines.options import Home, Project, opened
from pipelines.period_cli import periods
from pipelines.receipt_cli import receipts
from pipelines.reference_cli import references
from pipelines.settings import today
from resources.errors import KetenError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Chain impact metrics: run, trace and look after a deployment.",
)
app.add_typer(receipts, name="receipt")
app.add_typer(periods, name="period")
app.add_typer(references, name="reference")
app.command("alerts")(care_cli.alerts)
app.command("clean")(care_cli.clean)
app.command("doctor")(care_cli.doctor)
app.command("map")(map_cli.map_command)
app.command("unrouted")(map_cli.unrouted)

Months = Annotated[
    list[str] | None, typer.Option("--month", help="Compute this month again (YYYY-MM); may be repeated.")
]
First = Annotated[
    str | None, typer.Option("--from", help="Compute the months from this one on again (YYYY-MM), up to --to.")
]
Last = Annotated[
    str | None, typer.Option("--to", help="The last month of that span, itself too. Default: the last reporting month.")
]


@app.command()
def run(
    project: Project = None,
    home: Home = None,
    month: Months = None,
    first: First = None,
    last: Last = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Accept a published file that is ahead of the engine.")
    ] = False,
) -> None:
    """Pull, validate, compute and publish. Starts no run when nothing is new."""
    from pipelines.report import progress_display, results, show_summary, show_unrouted
    from pipelines.running import refresh

    where, catalogue = opened(home, project)
    months = _months(catalogue, month, first, last)
    with progress_display() as progress:
        outcome = refresh(where, catalogue, months, adopt, progress)
    if not outcome.started:
        typer.echo(f"Nothing new since the last publication; no run was started. {results(where)}")
        show_unrouted(where)
        return
    if not outcome.success:
        raise KetenError(outcome.told())
    show_summary(where, catalogue)


@app.command("plan")
def plan_command(
    project: Project = None,
    home: Home = None,
    month: Months = None,
    first: First = None,
    last: Last = None,
) -> None:
    """Show what a run would change and why, without changing anything.

    Ends with 0 when nothing would be published, 3 when something would, 2 when a run would fail.
    """
    from pipelines.plan_report import show_plan
    from pipelines.rehearsal import make_plan
    from pipelines.report import progress_display

    where, catalogue = opened(home, project)
    with progress_display() as progress:
        plan = make_plan(where, catalogue, _months(catalogue, month, first, last), progress)
    show_plan(plan, catalogue)
    if plan.publishes:
        raise typer.Exit(3)


@app.command()
def rebuild(project: Project = None, home: Home = None) -> None:
    """Make engine.duckdb again from the landing zone; published numbers and keys stay what they were."""
    from pipelines.report import progress_display, show_summary
    from pipelines.running import rebuild as rebuild_engine

    where, catalogue = opened(home, project)
    with progress_display() as progress:
        outcome = rebuild_engine(where, catalogue, progress)
    if not outcome.success:
        raise KetenError(f"the rebuild did not come to its end; {outcome.told()}")
    show_summary(where, catalogue)


@app.command("exec", context_settings={"allow_interspersed_args": False})
def exec_command(
    command: Annotated[
        list[str], typer.Argument(help="dagster-daemon run, dagster-webserver -p 3000, dagster dev ...")
    ],
    project: Project = None,
    home: Home = None,
) -> None:
    """Run a tool of Dagster on this deployment: with its dagster.yaml, home and project. Options of keten come first."""
    from pipelines.instance import become

    where, _ = opened(home, project)
    become(where, command)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 3333,
    host: Annotated[str, typer.Option(help="Address to listen on; others than this machine need --behind-proxy.")] = (
        "127.0.0.1"
    ),
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front asks for a log-in: there is none here.")
    ] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """Show the published page, and Dagster read-only, in a browser on this machine. Starts no run; Ctrl-C ends it."""
    from pipelines.serving import serve as serve_until_interrupted

    where, _ = opened(home, project)
    serve_until_interrupted(where, host, port, behind_proxy, typer.echo)


@app.command()
def trace(
    indicator: Annotated[str, typer.Argument(help="Indicator id, e.g. energy_intensity.")],
    site: Annotated[str | None, typer.Option(help="Site id; short for --scope site=ID.")] = None,
    scope: Annotated[
        str, typer.Option(help="Scope as published, e.g. 'contractor=90000035' or 'site=UTR;carrier=electricity'.")
    ] = "total",
    period: Annotated[
        str | None, typer.Option(help="2025-03, 2025-Q1, 2025 or 2025-03~12; default the last month.")
    ] = None,
    project: Project = None,
    home: Home = None,
) -> None:
    """Compute a published value again from the landed files and show file and line of every row behind it."""
    from assets.trace import trace_value
    from pipelines.report import progress_display, show_trace
    from pipelines.running import changed_since_publication

    where, catalogue = opened(home, project)
    wanted = f"site={site}" if site else scope
    folder = where.home / "trace.tmp"
    with progress_display() as progress:
        found = trace_value(catalogue, where.landing, where.published, folder, indicator, wanted, period, progress)
    show_trace(found)
    if not found.equal:
        if changed_since_publication(where, catalogue):
            typer.echo(
                "Deliveries, declarations or code changed since the publication: run `keten run`, then trace again."
            )
        raise typer.Exit(1)


@app.command()
def unknown(project: Project = None, home: Home = None) -> None:
    """The numbers of senders that nobody knows: what waits for them, a suggestion, and the line that releases it."""
    from pipelines.receipt_report import IDENTIFIER_COLUMNS, show_unknown

    where, _ = opened(home, project)
    if show_unknown(where):
        typer.echo(
            f"Lines are as the dataset identifier has them: {IDENTIFIER_COLUMNS}. Master data releases rows as well."
        )
    else:
        typer.echo("No row waits for a number that is not known.")


@app.command("catalogue")
def catalogue_command(
    check: Annotated[
        bool, typer.Option("--check", help="Also parse all SQL: portability, lineage, leftovers.")
    ] = False,
    schemas: Annotated[
        Path | None,
        typer.Option(help="Also write JSON Schemas of the declarations, for your editor, into this folder."),
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(help="Also write a page for each indicator, in HTML, into this folder."),
    ] = None,
    project: Project = None,
    home: Home = None,
) -> None:
    """List what the catalogue declares; with --check, prove it."""
    _, known = opened(home, project)
    titled: dict[str, dict[str, Any]] = {
        "reference": known.reference_tables,
        "source": known.contracts,
        "model": known.models,
    }
    for kind, declared in titled.items():
        for name, entry in sorted(declared.items()):
            typer.echo(f"{kind:10} {name:32} {entry.title.en}")
    for (layout, dataset), mapping in sorted(known.layouts.items()):
        typer.echo(f"layout     {layout:32} {dataset}: {mapping.title}")
    for name, item in sorted(known.indicators.items()):
        typer.echo(f"indicator  {name:32} {item.title.en} [{item.unit}]")
    if check:
        _check_sql(known)
    for path in (*_schemas(schemas), *_pages(known, pages)):
        typer.echo(f"written: {path}")


def _check_sql(known: Any) -> None:
    """Parse all SQL of the catalogue. Raises KetenError for the first that is not in order."""
    from resources.sql_compiler import check_portable

    for model in known.models.values():
        if not model.made_by:
            check_portable(model.sql, f"{model.name.replace('.', '/')}.sql")
    for item in known.indicators.values():
        check_portable(item.sql, f"indicators/{item.pillar}/{item.id}.sql")
    typer.echo("catalogue is sound")


def _schemas(folder: Path | None) -> list[Path]:
    """Write the JSON Schemas of the declarations; the files."""
    from resources.catalogue.schemas import json_schemas

    if folder is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in json_schemas().items():
        written.append(folder / f"{name}.schema.json")
        written[-1].write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return written


def _pages(known: Any, folder: Path | None) -> list[Path]:
    """Write the pages of the catalogue; the files."""
    from assets.page.making import write_catalogue

    return write_catalogue(known, folder) if folder else []


@app.command("new-indicator")
def new_indicator(
    pillar: Annotated[str, typer.Argument(help="people, planet or purpose.")],
    indicator_id: Annotated[str, typer.Argument(help="snake_case id; becomes the table's name.")],
) -> None:
    """Write the three files of a new indicator: its declaration, its SQL and its golden case."""
    from assets.scaffold import write_indicator

    for path in write_indicator(pillar, indicator_id):
        typer.echo(f"written: {path}")


def _months(catalogue: Any, month: list[str] | None, first: str | None, last: str | None) -> tuple[str, ...]:
    from assets.preparing import horizon
    from pipelines.months import asked_months

    span = horizon(catalogue, today(catalogue.settings.zone))
    return tuple(f"{m:%Y-%m}" for m in sorted(asked_months(month or (), span, first, last)))


def main() -> None:
    """Entry point: a KetenError is one clear sentence, not a traceback."""
    try:
        app()
    except KetenError as error:
        typer.secho(f"keten: {error}", err=True, fg="red")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
