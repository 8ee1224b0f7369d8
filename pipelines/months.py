"""Months that a person asks to compute again: as text, checked against the reporting months.

Belongs here: reading and refusing them. Does not belong here: the months that deliveries touch (assets).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from assets.preparing import Horizon
from resources.errors import KetenError


def asked_months(
    texts: Iterable[str], span: Horizon, first: str | None = None, last: str | None = None
) -> frozenset[date]:
    """Months by name, and those from `first` to `last` inclusive; one of these two alone runs to the end of the reporting months.

    Raises KetenError for what is not a month, lies outside the reporting months, or ends before it begins.
    """
    asked = {_month(text, span) for text in texts}
    if first or last:
        begin = _month(first, span) if first else span.first
        end = _month(last, span) if last else span.last
        if begin > end:
            raise KetenError(f"--from {first} lies after --to {last}; exchange them")
        asked |= set(Horizon(begin, end).months())
    return frozenset(asked)


def _month(text: str, span: Horizon) -> date:
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise KetenError(f"{text} is not a month; write it as 2025-03") from None
    if not span.first <= month <= span.last:
        raise KetenError(
            f"{text} is not one of the reporting months, {span.first:%Y-%m} to {span.last:%Y-%m};"
            " choose one of them, or change `reporting` in keten.yml"
        )
    return month
