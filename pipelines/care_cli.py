"""The commands that look after a deployment: `keten alerts`, `keten clean`, `keten doctor`.

Belongs here: arguments, help and what is printed. Does not belong here: what the commands do.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from pipelines.options import Home, Project, opened
from resources.errors import KetenError


def alerts(
    send: Annotated[bool, typer.Option("--send", help="Tell every channel what it has not heard; for cron.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Send a test message to every channel.")] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """List what needs a person now; with --send also tell it, as the sensor does for those who run Dagster's daemon."""
    from pipelines.alert_sensor import SENSOR, automations
    from pipelines.alerting import tell, try_channels
    from pipelines.definitions import build_definitions
    from pipelines.facts import find
    from pipelines.instance import instance
    from pipelines.report import show_facts

    where, catalogue = opened(home, project)
    if test:
        _told(try_channels(where, catalogue.settings))
        return
    names = automations(build_definitions(where, catalogue=catalogue).get_repository_def()) - {SENSOR}
    with instance(where) as dagster:
        found = find(where, catalogue, dagster, names)
    show_facts(found, catalogue.settings)
    if send:
        outcome = tell(where, catalogue, found)
        typer.echo(f"messages sent: {outcome.sent}")
        _told(outcome.failed)


def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """Destroy records of old runs and deliveries past the days of their contract, as keten.yml says. No way back."""
    from datetime import UTC, datetime

    from pipelines import cleaning
    from pipelines.instance import instance
    from pipelines.lock import run_lock
    from pipelines.report import progress_display

    where, catalogue = opened(home, project)
    now = datetime.now(UTC)
    before = cleaning.size(where)
    with progress_display() as progress, instance(where) as dagster:
        if dry_run:
            with run_lock(where.home, progress.tell):
                for line in cleaning.told(cleaning.find_old(where, catalogue, dagster, now)):
                    progress.tell(line)
            return
        if not yes:
            typer.confirm("Destroy what is past its time? `keten clean --dry-run` shows it", abort=True)
        cleaning.clean(where, catalogue, dagster, now, progress)
    typer.echo(f"Dagster's records and the deliveries took {before:,} bytes and now take {cleaning.size(where):,}")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For a program: a list of findings.")] = False,
    project: Project = None,
    home: Home = None,
) -> None:
    """Examine a deployment, also a broken one: what is in order, what is not and what to do. Exit code 1 for a fault."""
    from pipelines.doctor.examining import examine
    from pipelines.report import show_findings
    from pipelines.settings import folders

    findings = examine(folders(home, project))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False))
    else:
        show_findings(findings)
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)


def _told(channels: dict[str, str]) -> None:
    """Say of each channel what happened. Raises KetenError when one could not be told."""
    for name, failure in channels.items():
        typer.echo(f"{name}: {failure or 'sent'}")
    if any(channels.values()):
        raise KetenError("not every channel could be told; mend its URL, then `keten alerts --test`")
