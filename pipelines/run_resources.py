"""What a run works with: the session of the job, and the published file for targets. Both hold the lock.

Belongs here: opening and closing them. Does not belong here: what the steps do with them (assets).
"""

from collections.abc import Iterator

import dagster as dg

from assets.preparing import horizon
from assets.session import Session
from assets.targets import Publisher
from pipelines.fingerprint import code_fingerprint, input_fingerprint
from pipelines.lock import run_lock
from pipelines.months import asked_months
from pipelines.rehearsal import clear
from pipelines.running import this_process
from pipelines.settings import Place, today
from resources.catalogue import Catalogue
from resources.engine import Engine
from resources.intake.receipt_list import prepare
from resources.landing import Landing
from resources.landing.repair import make_fit
from resources.periods import Periods
from resources.progress import Progress


def session_resource(
    where: Place, catalogue: Catalogue, progress: Progress | None = None, adopt: bool = False
) -> dg.ResourceDefinition:
    """The resource `session`: lock, engine, landing zone. Without `progress` it tells Dagster's log."""

    @dg.resource(
        config_schema={
            "months": dg.Field(
                [str], default_value=[], description="Months to compute beside those that new deliveries touch: 2025-03"
            )
        },
        description="Het slot, de rekenmachine en de aanleveringen van een run / lock, engine and deliveries of a run",
    )
    def session(context: dg.InitResourceContext) -> Iterator[Session]:
        as_of = today(catalogue.settings.zone)
        months = asked_months(context.resource_config["months"], horizon(catalogue, as_of))
        telling, run_id = _begin(context, progress)
        with (
            run_lock(where.home, telling.tell),
            Engine.open(where.engine, where.home / "engine.tmp", telling.tell) as engine,
        ):
            clear(where)
            landing = Landing(where.landing)
            for told in make_fit(landing, engine):
                telling.tell(told)
            prepare(engine, landing, catalogue)
            decided = Periods(where.periods).read()
            made = Session(
                engine,
                landing,
                catalogue,
                where.project,
                where.published,
                run_id,
                as_of,
                telling,
                fingerprint=lambda: input_fingerprint(where, catalogue, decided),
                decided=decided,
                code=code_fingerprint(),
                months=months,
                adopt=adopt,
            )
            made.begin()
            yield made

    return session


def publisher_resource(where: Place, progress: Progress | None = None, adopt: bool = False) -> dg.ResourceDefinition:
    """The resource `publisher`: the lock, and the published file for the targets. It does not open the engine."""

    @dg.resource(description="Het slot en het gepubliceerde bestand / the lock and the published file")
    def publisher(context: dg.InitResourceContext) -> Iterator[Publisher]:
        telling, _ = _begin(context, progress)
        with run_lock(where.home, telling.tell):
            yield Publisher(where.home, where.published, adopt, telling)

    return publisher


def _begin(context: dg.InitResourceContext, progress: Progress | None) -> tuple[Progress, str]:
    """How a run tells what it does, and its id; the run is told in which process it is."""
    log = context.log.info if context.log else print
    run_id = context.run.run_id if context.run else "direct"
    if context.run and context.instance:
        context.instance.add_run_tags(run_id, this_process())
    return progress or Progress(lambda _: None, log), run_id
