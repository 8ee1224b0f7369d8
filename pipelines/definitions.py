"""The one `Definitions` of the code location: assets from the catalogue, jobs, schedules and sensors.

Belongs here: composing. Does not belong here: what a run works with (run_resources), what an asset does (assets) or a
setting means (settings).
"""

from typing import Any

import dagster as dg

from assets.graph import LEDGER_MONTHS, PUBLICATION, SESSION, build_assets
from assets.presentation import Presentation
from assets.targets import PUBLISHER, build_target_assets
from pipelines.alert_sensor import alerts
from pipelines.backfill import ledger_months
from pipelines.drop_folder import drop_folder
from pipelines.month_close import month_close
from pipelines.retention import retention_job, retention_schedule
from pipelines.run_resources import publisher_resource, session_resource
from pipelines.schedules import daily
from pipelines.settings import Place, place
from resources.catalogue import Catalogue
from resources.catalogue.reading import load_catalogue
from resources.progress import Progress

JOB = "refresh"
DESCRIPTION = "Ophalen, toetsen, berekenen en publiceren / pull, validate, compute and publish"
REFRESHED = dg.AssetSelection.all() - dg.AssetSelection.assets(LEDGER_MONTHS)


def presentation(where: Place, catalogue: Catalogue, for_readers: bool) -> Presentation:
    """How assets present themselves: to readers with links to pages at the same address, to others as keten.yml says."""
    settings = catalogue.settings.interface
    base = "" if for_readers else settings.page_url

    def page(name: str) -> dg.MetadataValue[Any]:
        if base is None:
            return dg.MetadataValue.path(where.page.parent / name)
        return dg.MetadataValue.url(f"{base}/{name}")

    return Presentation(catalogue, page, settings.code_url, for_readers)


def build_definitions(
    where: Place | None = None,
    progress: Progress | None = None,
    adopt: bool = False,
    catalogue: Catalogue | None = None,
    for_readers: bool = False,
) -> dg.Definitions:
    """Definitions for a deployment; without one, that of the environment."""
    here = where or place()
    known = catalogue or load_catalogue(here.project)
    return dg.Definitions(
        assets=presentation(here, known, for_readers).of(
            [*build_assets(known), *build_target_assets(known), ledger_months(here, known.settings)]
        ),
        jobs=[dg.define_asset_job(JOB, selection=REFRESHED, description=DESCRIPTION), retention_job(here)],
        schedules=[
            *daily(here, known.settings, JOB),
            *month_close(here, known.settings, JOB),
            *retention_schedule(known.settings),
        ],
        sensors=[*drop_folder(here, known.settings, JOB), *alerts(here, known)],
        resources={
            SESSION: session_resource(here, known, progress, adopt),
            PUBLISHER: publisher_resource(here, progress, adopt),
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
