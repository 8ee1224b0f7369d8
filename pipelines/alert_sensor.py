"""The sensor that tells people what needs them.

Belongs here: when it is done by Dagster's daemon. Does not belong here: what is told and to whom (alerting), finding the
facts (facts).
"""

from __future__ import annotations

from contextlib import suppress

import dagster as dg

from pipelines.alerting import tell
from pipelines.facts import find
from pipelines.lock import is_held
from pipelines.news import both
from pipelines.running import close_dead_runs
from pipelines.settings import Place
from resources.catalogue import Catalogue
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.wording import Words, counted

SENSOR = "alerts"


def alerts(where: Place, known: Catalogue) -> list[dg.SensorDefinition]:
    """The sensor `alerts`, on from the start. It also notes that a run failed whose process was killed.

    When the declarations cannot be read any more, people are told by those `known` before: the ticks of the others failed.

    A tick of which a message could not be sent is an error, for Dagster's interface shows it; the facts are told in a later
    tick. So its own ticks are no fact: the other channels hear of the channel.
    """

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=known.settings.alerts.every_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Meldt wat een mens nodig heeft, en wat is opgelost; elk feit één keer."
        "\n\nTells what needs a person, and what is solved; each fact once.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        close_dead_runs(context.instance, is_held(where.home))
        catalogue = known
        with suppress(KetenError):
            catalogue = load_catalogue(where.project)
        if not catalogue.settings.alerts.to:
            return dg.SkipReason(both([_NOBODY]))
        others = automations(context.repository_def) - {SENSOR} if context.repository_def else set()
        found = find(where, catalogue, context.instance, others)
        outcome = tell(where, catalogue, found)
        if outcome.failed:
            raise KetenError("; ".join(f"{name} could not be told: {why}" for name, why in outcome.failed.items()))
        messages = counted(outcome.sent, ("bericht", "berichten"), ("message", "messages"))
        facts = counted(len(found.facts), ("melding speelt", "meldingen spelen"), ("alert is open", "alerts are open"))
        return dg.SkipReason(both([Words(f"{messages.nl} gestuurd; {facts.nl}", f"{messages.en} sent; {facts.en}")]))

    return [sensor]


def automations(repository: dg.RepositoryDefinition) -> set[str]:
    """The names of the schedules and sensors there are."""
    schedules = {schedule.name for schedule in repository.schedule_defs}
    return schedules | {sensor.name for sensor in repository.sensor_defs}


_NOBODY = Words(
    "keten.yml noemt niemand onder `alerts: to:`, dus er wordt niets gemeld",
    "keten.yml names nobody under `alerts: to:`, so nothing is told",
)
