"""Sets of months as a run touches them; None stands for every month.

Belongs here: joining them, and turning them into spans of days. Does not belong here: which months a delivery touches.
"""

from __future__ import annotations

from datetime import date


def both(some: set[date] | None, others: set[date] | None) -> set[date] | None:
    """Months of either; None stands for every month."""
    return None if some is None or others is None else some | others


def after(month: date) -> date:
    """The first day of the month after a month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def widened(months: set[date] | None, reach: int) -> set[date] | None:
    """Months with as many before and after each of them; None stands for every month."""
    if months is None or not reach:
        return months
    places = {m.year * 12 + m.month - 1 + step for m in months for step in range(-reach, reach + 1)}
    return {date(place // 12, place % 12 + 1, 1) for place in places}


def spans_of(months: set[date]) -> list[tuple[date, date]]:
    """Months that follow each other as half-open spans of days, in order."""
    spans: list[tuple[date, date]] = []
    for month in sorted(months):
        end = after(month)
        if spans and spans[-1][1] == month:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((month, end))
    return spans
