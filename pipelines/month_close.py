"""The month close: on a working day after the month it becomes provisional, by itself.

Belongs here: when that is, and the schedule that does it. Does not belong here: making a month final, which is a
person's act (period_cli), and the rules of the states (periods).
"""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg

from assets.preparing import horizon
from pipelines.news import BECAUSE, both
from pipelines.schedules import every_day
from pipelines.settings import Place, today
from resources.catalogue import Catalogue, Settings
from resources.catalogue.reading import load_catalogue
from resources.months import after
from resources.periods import Periods
from resources.publication.final_values import published_states
from resources.wording import Words, day, month

BY = "schedule"


def month_close(where: Place, settings: Settings, job: str) -> list[dg.ScheduleDefinition]:
    """The schedule `month_close`.

    It looks every day: a daemon that was down on the day itself closes all months that were missed on its first tick.
    """
    closing = settings.month_close

    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        assert closing is not None  # or there would be no schedule
        return close_due(where, load_catalogue(where.project), closing.working_day)

    told = Words(
        "Elke maand voorlopig afsluiten op een vaste werkdag erna, en dat publiceren.",
        "Close every month as provisional on a set working day after it, and publish that.",
    )
    return every_day("month_close", job, closing.at if closing else None, settings.zone, told, tick)


def close_due(where: Place, catalogue: Catalogue, working_day: int) -> dg.RunRequest | dg.SkipReason:
    """Make the months that are due provisional; asks for a run until readers see the states as they are."""
    as_of = today(catalogue.settings.zone)
    periods, span = Periods(where.periods), horizon(catalogue, as_of)
    decided = periods.read()
    for due in [m for m in span.months() if m not in decided and cut_off(m, working_day) <= as_of]:
        periods.decide(due, "provisional", BY, as_of)
    decided, shown = periods.read(), published_states(where.published)
    unseen = [f"{m:%Y-%m}" for m in span.months() if m in decided and shown.get(m) != decided[m].status]
    if unseen:
        listed = ", ".join(unseen)
        told = Words(f"maandafsluiting van {listed}", f"month close of {listed}")
        return dg.RunRequest(run_key=f"month_close {listed}", tags={BECAUSE: both([told])})
    waiting = [m for m in span.months() if m not in decided]
    if not waiting and catalogue.settings.reporting.last:
        return dg.SkipReason(both([Words("Elke rapportagemaand is afgesloten", "Every reporting month is closed")]))
    following = waiting[0] if waiting else max(span.first, after(span.last))
    return dg.SkipReason(both([_closed_on(following, working_day)]))


def cut_off(closing: date, working_day: int) -> date:
    """The n-th working day after a month: no weekend and no Dutch public holiday."""
    import holidays

    first = after(closing)
    free = holidays.NL(years=(first.year, first.year + 1))
    days = (first + timedelta(days=n) for n in range(100))
    working = [d for d in days if d.weekday() < 5 and d not in free]
    return working[working_day - 1]


def _closed_on(closing: date, working_day: int) -> Words:
    """When a month is closed."""
    on, named = day(cut_off(closing, working_day)), month(closing)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(working_day, "th")
    return Words(
        f"{named.nl} wordt voorlopig afgesloten op {on.nl}, de {working_day}e werkdag na de maand",
        f"{named.en} is closed as provisional on {on.en}, the {working_day}{ending} working day after it",
    )
