"""The one `Definitions` of the code location: assets from the catalogue, the job `refresh`, the session resource.

Belongs here: composing. Does not belong here: what an asset does (assets) or a setting means (settings).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from assets.graph import build_assets
from assets.presentation import Presentation
from assets.session import Session
from pipelines.fingerprint import input_fingerprint
from pipelines.lock import run_lock
from pipelines.settings import Place, place, today
from resources.catalogue import Catalogue
from resources.catalogue_reading import load_catalogue
from resources.engine import Engine
from resources.landing import Landing
from resources.progress import Progress
from resources.receipt_list import prepare

JOB = "refresh"


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
        months = frozenset(date.fromisoformat(f"{m}-01") for m in context.resource_config["months"])
        log = context.log.info if context.log else print
        telling = progress or Progress(lambda _: None, log)
        run_id = context.run.run_id if context.run else "direct"
        with (
            run_lock(where.home, telling.tell),
            Engine.open(where.engine, where.home / "engine.tmp", telling.tell) as engine,
        ):
            landing = Landing(where.landing)
            landing.sweep()
            prepare(engine, landing, catalogue)
            made = Session(
                engine,
                landing,
                catalogue,
                where.project,
                where.published,
                run_id,
                today(catalogue.settings.zone),
                telling,
                fingerprint=lambda: input_fingerprint(where, catalogue),
                months=months,
                adopt=adopt,
            )
            made.begin()
            yield made

    return session


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
        assets=presentation(here, known, for_readers).of(build_assets(known)),
        jobs=[
            dg.define_asset_job(
                JOB,
                selection=dg.AssetSelection.all(),
                executor_def=dg.in_process_executor,
                description="Ophalen, toetsen, berekenen en publiceren / pull, validate, compute and publish",
            )
        ],
        resources={"session": session_resource(here, known, progress, adopt)},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster's tools load: the deployment of the environment."""
    return build_definitions()
