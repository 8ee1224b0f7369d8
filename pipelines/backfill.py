"""Months in Dagster's user interface: which are computed, when and by which run, and computing some of them again.

Belongs here: the one partitioned asset. Does not belong here: how months are computed (assets), the job (definitions).
"""

import warnings
from datetime import date

import dagster as dg

from assets.graph import LEDGER_MONTHS, POOL
from pipelines.running import refresh
from pipelines.settings import Place
from resources.catalogue import Settings
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.progress import Progress


def ledger_months(where: Place, settings: Settings) -> dg.AssetsDefinition:
    """The asset `ledger_months`: materialising a span of its months is one run of the job with these months.

    Every publication tells of its own accord which months it computed, so the asset stands on nothing and nothing waits
    for it. Its run ends with the run of the job inside it: a backfill is done when the months are published.
    """
    first, last = settings.reporting.first, settings.reporting.last
    months = dg.MonthlyPartitionsDefinition(
        start_date=first, end_date=_following(last) if last else None, timezone=settings.zone, fmt="%Y-%m"
    )

    def made(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        catalogue = load_catalogue(where.project)
        telling = Progress(lambda _: None, context.log.info)
        outcome = refresh(where, catalogue, tuple(context.partition_keys), False, telling)
        if not outcome.success:
            raise KetenError(outcome.told())
        return dg.MaterializeResult(metadata={"run": dg.MetadataValue.dagster_run(outcome.run_id)})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of the policy; a change of it would be seen by the tests
        return dg.asset(
            made,
            key=LEDGER_MONTHS,
            partitions_def=months,
            backfill_policy=dg.BackfillPolicy.single_run(),
            pool=POOL,
            group_name="ledger",
            description="Maanden die berekend zijn. Maanden kiezen en materialiseren berekent ze opnieuw, in één run."
            "\n\nMonths that are computed. Choosing months and materialising them computes them again, in one run.",
        )


def _following(month: str) -> str:
    """The month after, which Dagster wants as the end of a span."""
    given = date.fromisoformat(f"{month}-01")
    return f"{given.year + given.month // 12}-{given.month % 12 + 1:02d}"
