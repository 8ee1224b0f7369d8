"""The sensor that watches the source folders: files that are finished lead to one run for all of them.

Belongs here: when it asks for a run, and why it does not. Does not belong here: taking the files (assets).
"""

from __future__ import annotations

import dagster as dg

from assets.pulling import files_fingerprint, files_to_pull
from pipelines.news import BECAUSE, both, names
from pipelines.running import is_dead
from pipelines.settings import Place
from resources.catalogue import Settings
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.landing import Landing
from resources.landing.finished import SETTLE_SECONDS
from resources.wording import Words, counted

FILE = (("bestand", "bestanden"), ("file", "files"))
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def drop_folder(where: Place, settings: Settings, job: str) -> list[dg.SensorDefinition]:
    """The sensor `drop_folder`, on from the start; none when keten.yml sets it off.

    Its cursor is the digest of the files it last asked a run for: no batch is asked for twice. What that run could not
    take waits for the run of the day. The declarations are read at every tick: what is wrong with them, or with a source
    while the others have nothing new, is the error of that tick, and once it is mended the next one goes on.
    """
    if settings.schedule.drop_folder_seconds is None:
        return []

    @dg.sensor(
        name="drop_folder",
        job_name=job,
        minimum_interval_seconds=settings.schedule.drop_folder_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Kijkt of er nieuwe bestanden klaarstaan, en vraagt dan een run."
        "\n\nLooks for new files that are finished, and asks for a run.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        found = files_to_pull(load_catalogue(where.project), where.project, Landing(where.landing))
        files = found.new
        if not files:
            if found.down:
                raise KetenError("; ".join(found.down))
            return dg.SkipReason(both([_no_files(len(found.young))]))
        if busy := _unfinished(context.instance, job):
            return dg.SkipReason(both([_busy(len(files), busy)]))
        batch = files_fingerprint(files)
        if batch == context.cursor:
            return dg.SkipReason(both([_asked_before(names(files))]))
        because = Words(f"nieuwe bestanden: {names(files)}", f"new files: {names(files)}")
        return dg.SensorResult([dg.RunRequest(run_key=batch, tags={BECAUSE: both([because])})], cursor=batch)

    return [sensor]


def _unfinished(dagster: dg.DagsterInstance, job: str) -> str | None:
    """A run of the job that is queued or running, by its id; one whose process was killed is neither."""
    runs = dagster.get_runs(dg.RunsFilter(job_name=job, statuses=UNFINISHED))
    return next((run.run_id for run in runs if not is_dead(run)), None)


def _no_files(young: int) -> Words:
    if not young:
        return Words("Geen nieuwe bestanden", "No new files")
    nl, en = counted(young, *FILE)
    return Words(
        f"Wacht op {nl}: minder dan {SETTLE_SECONDS} s geleden veranderd",
        f"Waiting for {en}: changed less than {SETTLE_SECONDS} s ago",
    )


def _busy(count: int, run_id: str) -> Words:
    nl, en = counted(count, *FILE)
    return Words(f"Wacht met {nl} op het einde van run {run_id}", f"Waiting with {en} for the end of run {run_id}")


def _asked_before(told: str) -> Words:
    return Words(
        f"Een run is al gevraagd en kon dit niet meenemen: {told}. De run van elke dag probeert het opnieuw;"
        " de run zelf zegt waarom",
        f"A run was asked for already and could not take this: {told}. The run of the day tries again;"
        " the run itself says why",
    )
