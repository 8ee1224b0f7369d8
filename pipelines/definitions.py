"""The one `Definitions` of the code location: assets from the catalogue, the job `refresh`, the session resource.

Belongs here: composing. Does not belong here: what an asset does (assets) or a setting means (settings).
"""

from collections.abc import Iterator

import dagster as dg

from assets.graph import LEDGER_MONTHS, PUBLICATION, SESSION, build_assets
from assets.preparing import horizon
from assets.session import Session
from assets.targets import DELIVERY, Delivery, build_target_assets
from pipelines.alert_sensor import alerts
from pipelines.backfill import ledger_months
from pipelines.drop_folder import drop_folder
from pipelines.fingerprint import input_fingerprint
from pipelines.lock import run_lock
from pipelines.month_close import month_close
from pipelines.months import asked_months
from pipelines.rehearsal import clear
from pipelines.retention import retention_job, retention_schedule
from pipelines.running import this_process
from pipelines.schedules import daily
from pipelines.settings import Place, place, today
from resources.catalogue import Catalogue
from resources.catalogue_reading import load_catalogue
from resources.engine import Engine
from resources.landing import Landing
from resources.periods import Periods
from resources.progress import Progress
from resources.receipt_list import prepare

JOB = "refresh"
REFRESHED = dg.AssetSelection.all() - dg.AssetSelection.assets(LEDGER_MONTHS)


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
            landing.sweep()
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
                months=months,
                adopt=adopt,
            )
            made.begin()
            yield made

    return session


def delivery_resource(where: Place, progress: Progress | None = None, adopt: bool = False) -> dg.ResourceDefinition:
    """The resource `delivery`: the lock, and the published file for the targets. It does not open the engine."""

    @dg.resource(description="Het slot en het gepubliceerde bestand / the lock and the published file")
    def delivery(context: dg.InitResourceContext) -> Iterator[Delivery]:
        telling, _ = _begin(context, progress)
        with run_lock(where.home, telling.tell):
            yield Delivery(where.home, where.published, adopt, telling)

    return delivery


def _begin(context: dg.InitResourceContext, progress: Progress | None) -> tuple[Progress, str]:
    """How a run tells what it does, and its id; the run is told in which process it is."""
    log = context.log.info if context.log else print
    run_id = context.run.run_id if context.run else "direct"
    if context.run and context.instance:
        context.instance.add_run_tags(run_id, this_process())
    return progress or Progress(lambda _: None, log), run_id


def build_definitions(
    where: Place | None = None,
    progress: Progress | None = None,
    adopt: bool = False,
    catalogue: Catalogue | None = None,
) -> dg.Definitions:
    """Definitions for a deployment; without one, that of the environment."""
    here = where or place()
    known = catalogue or load_catalogue(here.project)
    return dg.Definitions(
        assets=[*build_assets(known), *build_target_assets(known), ledger_months(here, known.settings)],
        jobs=[dg.define_asset_job(JOB, selection=REFRESHED), retention_job(here)],
        schedules=[
            *daily(here, known.settings, JOB),
            *month_close(here, known.settings, JOB),
            *retention_schedule(known.settings),
        ],
        sensors=[*drop_folder(here, known.settings, JOB), *alerts(here, known)],
        resources={
            SESSION: session_resource(here, known, progress, adopt),
            DELIVERY: delivery_resource(here, progress, adopt),
        },
        executor=dg.in_process_executor,  # one process owns the engine, whatever is chosen in the user interface
    )


def up_to_publication(definitions: dg.Definitions) -> list[dg.AssetKey]:
    """The assets of the job up to the published file, without what is made of it."""
    made_of_it = dg.AssetSelection.assets(PUBLICATION).downstream(include_self=False)
    return sorted((REFRESHED - made_of_it).resolve(definitions.resolve_asset_graph()))


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster's tools load: the deployment of the environment."""
    return build_definitions()
