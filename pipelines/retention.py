"""The job `retention` and its schedule: once a week, on Sunday.

Belongs here: when Dagster's daemon does it. Does not belong here: what is destroyed (cleaning).
"""

from datetime import UTC, datetime

import dagster as dg

from pipelines.cleaning import clean, size
from pipelines.settings import Place
from resources.catalogue import Settings
from resources.catalogue.reading import load_catalogue
from resources.progress import Progress

JOB = "retention"


def retention_job(where: Place) -> dg.JobDefinition:
    """Destroy records of old runs and deliveries past their time; the log of the run says what went."""

    @dg.op(
        name="destroy_what_is_past_its_time",
        description="Verwijdert wat volgens keten.yml en de contracten weg moet."
        "\n\nDestroys what keten.yml and the contracts say must go.",
    )
    def step(context: dg.OpExecutionContext) -> None:
        before = size(where)
        progress = Progress(context.log.debug, context.log.info)
        old = clean(where, load_catalogue(where.project), context.instance, datetime.now(UTC), progress)
        context.add_output_metadata(
            {
                "runs": len(old.runs),
                "deliveries": len(old.deliveries.going),
                "bytes_before": before,
                "bytes_after": size(where),
            }
        )

    @dg.job(name=JOB, executor_def=dg.in_process_executor)
    def job() -> None:
        step()

    return job


def retention_schedule(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedule `retention`, on from the start; none when keten.yml sets it off."""
    if settings.retention.sunday is None:
        return []
    hour, minute = map(int, settings.retention.sunday.split(":"))
    return [
        dg.ScheduleDefinition(
            name=JOB,
            job_name=JOB,
            cron_schedule=f"{minute} {hour} * * 0",
            execution_timezone=settings.zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Elke zondag opruimen.\n\nClean up every Sunday.",
        )
    ]
