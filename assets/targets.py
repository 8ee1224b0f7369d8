"""One asset for each publication target: it lets the target show what the published file shows.

Belongs here: the assets, and which targets are behind. Does not belong here: any target (resources.targets), and what
is told when one fails (pipelines).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from assets.graph import POOL, PUBLICATION
from resources.catalogue import Catalogue
from resources.catalogue.deployment_models import TargetSetting
from resources.errors import KetenError
from resources.progress import Progress
from resources.targets import make_target
from resources.targets.port import Unreachable

PUBLISHER = "publisher"
# A server that restarts is back within seconds; one that does not is tried again by the next run.
RETRY = dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@dataclass(frozen=True)
class Publisher:
    """What the steps of one run bring to the targets: the published file. The run holds the lock."""

    home: Path
    published: Path
    adopt: bool
    progress: Progress


def target_key(name: str) -> dg.AssetKey:
    """The asset of a target."""
    return dg.AssetKey(["publication", name])


def build_target_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """An asset for every target of the deployment, each by itself: one that fails holds up no other."""
    return [_target_asset(setting) for setting in catalogue.targets]


def behind(settings: Iterable[TargetSetting], home: Path, number: int) -> list[str]:
    """The names of the targets that do not show this publication, or do not answer."""
    return [setting.name for setting in settings if shown_by(setting, home) != number]


def shown_by(setting: TargetSetting, home: Path) -> int | None:
    """The number that a target shows; None when it shows none or does not answer."""
    try:
        return make_target(setting, home).applied()
    except KetenError:
        return None  # its own step tells why


def _target_asset(setting: TargetSetting) -> dg.AssetsDefinition:
    @dg.asset(
        key=target_key(setting.name),
        deps=[PUBLICATION],
        required_resource_keys={PUBLISHER},
        pool=POOL,
        retry_policy=RETRY,
        # After the page, which waits for no server.
        op_tags={"dagster/priority": "-1"},
        group_name="publication",
        kinds={setting.kind},
        description="Dezelfde publicatie als het bestand, met hetzelfde nummer.\n\n"
        "The same publication as the file, with the same number.",
    )
    def made(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        publisher: Publisher = context.resources.publisher
        publisher.progress.step(f"publication/{setting.name}")
        target = make_target(setting, publisher.home)
        try:
            applied = target.apply(publisher.published, publisher.adopt)
        except Unreachable:
            raise
        except KetenError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        for note in applied.notes:
            publisher.progress.tell(f"target {setting.name}: {note}")
        return dg.MaterializeResult(
            metadata={
                "publication": applied.number,
                "changed": applied.changed,
                "rows_changed": applied.rows_changed,
                "where": target.shown(),
            }
        )

    return made
