"""The run of every day, at the time that keten.yml says.

Belongs here: how a schedule of every day is declared, when that run is asked for, and why it is not. Does not belong here:
the drop folders (drop_folder), the month close (month_close), what a run does (definitions).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg

from assets.targets import target_key
from pipelines.news import BECAUSE, both, nothing_new, reasons_to_run
from pipelines.running import targets_behind
from pipelines.settings import Place
from resources.catalogue import Settings
from resources.catalogue.reading import load_catalogue
from resources.wording import Words

# What a schedule does when its time has come.
Tick = Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]
BEGUN = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS,
]


def every_day(
    name: str, job: str, at: str | None, zone: str, description: Words, tick: Tick
) -> list[dg.ScheduleDefinition]:
    """A schedule that does `tick` at a time of the day, on from the start; none when keten.yml sets it off.

    On the day that clocks go forward a time in the skipped hour comes at 03:00; when they go back, a time in the doubled
    hour comes once.
    """
    if at is None:
        return []
    hour, minute = map(int, at.split(":"))
    made = dg.schedule(
        name=name,
        job_name=job,
        cron_schedule=f"{minute} {hour} * * *",
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{description.nl}\n\n{description.en}",
    )
    return [made(tick)]


def daily(where: Place, settings: Settings, job: str) -> list[dg.ScheduleDefinition]:
    """The schedule `daily`: a run when something is new, or of the targets that are behind."""

    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if run_id := _takes_all(context.instance, job, context.scheduled_execution_time):
            told = Words(f"Run {run_id} neemt alles al mee", f"Run {run_id} takes everything along already")
            return dg.SkipReason(both([told]))
        catalogue = load_catalogue(where.project)
        if reasons := reasons_to_run(where, catalogue, context.instance):
            return dg.RunRequest(tags={BECAUSE: both(reasons)})
        if late := targets_behind(where, catalogue):
            told = Words(f"achter: {', '.join(late)}", f"behind: {', '.join(late)}")
            return dg.RunRequest(asset_selection=[target_key(name) for name in late], tags={BECAUSE: both([told])})
        return dg.SkipReason(both([nothing_new(where, settings.zone)]))

    told = Words(
        "Elke dag ophalen, toetsen, berekenen en publiceren, als er iets nieuws is.",
        "Pull, validate, compute and publish every day, when something is new.",
    )
    return every_day("daily", job, settings.schedule.daily, settings.zone, told, tick)


def _takes_all(dagster: dg.DagsterInstance, job: str, moment: datetime) -> str | None:
    """A run that is yet to begin, or was asked for after the moment at which this one is due, by its id.

    A daemon that was down asks for every day it missed, one right after the other.
    """
    queued = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.QUEUED])
    later = dg.RunsFilter(job_name=job, statuses=BEGUN, created_after=moment.astimezone(UTC))
    return next((run.run_id for runs in (queued, later) for run in dagster.get_runs(runs, limit=1)), None)
