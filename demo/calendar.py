"""The calendar of the demo: months that end in June 2026, quarter-hours of local time, and how a Dutch file writes them.

Belongs here: dates, and the text of a date or a number. Does not belong here: what happened on a day (the themes).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

# The latest whole months for which the list of emission factors is known in full.
LAST = date(2026, 6, 1)
RECENT = date(2025, 7, 1)
Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


def months(count: int) -> list[date]:
    """The first days of the `count` months that end in June 2026."""
    return [shifted(LAST, i + 1 - count) for i in range(count)]


def shifted(month: date, by: int) -> date:
    """The first day of the month that many months later."""
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def following(month: date) -> date:
    """The first day of the next month."""
    return shifted(month, 1)


def grouped(span: Sequence[date], size: int) -> list[list[date]]:
    """Months in order by calendar quarter (3), half year (6) or year (12)."""
    found: dict[tuple[int, int], list[date]] = {}
    for month in span:
        found.setdefault((month.year, (month.month - 1) // size), []).append(month)
    return list(found.values())


def blocks(span: Sequence[date], size: int, large: bool = False) -> list[list[date]]:
    """Months as a sender puts them together in files: the history at once, or by year where it is large, then by `size`.

    A deployment begins with its history, and goes on with what comes each month or quarter.
    """
    past, recent = ([m for m in span if (m >= RECENT) is new] for new in (False, True))
    history = grouped(past, 12) if large else [past] if past else []
    return history + grouped(recent, size)


def days(first: date, end: date) -> Days:
    """The days from the first until the end, which is not among them."""
    return np.arange(np.datetime64(first), np.datetime64(end))


def weekday(day: Days) -> npt.NDArray[np.int64]:
    """0 on Monday."""
    return (day.astype("datetime64[D]").astype(np.int64) + 3) % 7


def month_of(day: Days) -> npt.NDArray[np.int64]:
    """1 in January."""
    return day.astype("datetime64[M]").astype(np.int64) % 12 + 1


def day_text(day: Days) -> list[str]:
    """Days as 31-12-2025."""
    return [f"{d:%d-%m-%Y}" for d in day.astype(object)]


def nl(day: date | None) -> str:
    """A day as 31-12-2025; nothing for no day."""
    return f"{day:%d-%m-%Y}" if day else ""


def day_of(text: str) -> date:
    """The day behind 31-12-2025."""
    return datetime.strptime(text, "%d-%m-%Y").date()


def comma(values: Floats, decimals: int) -> list[str]:
    """Numbers with a decimal comma."""
    return [text.replace(".", ",") for text in point(values, decimals)]


def point(values: Floats, decimals: int) -> list[str]:
    """Numbers with a decimal point."""
    form = f"%.{decimals}f"
    return [form % value for value in values.tolist()]


@cache
def _change(year: int, month: int) -> np.datetime64:
    """When the clock changes: the last Sunday of March and October, at 1:00 UTC."""
    last = date(year, month, 31)
    return np.datetime64(last - timedelta(days=(last.weekday() + 1) % 7), "m") + np.timedelta64(60, "m")


def local_time(utc: Days) -> Days:
    """Dutch local time of instants in order, in minutes."""
    instants = utc.astype("datetime64[m]")
    summer = np.zeros(len(instants), dtype=bool)
    for year in range(instants[0].astype(object).year, instants[-1].astype(object).year + 1):
        summer |= (instants >= _change(year, 3)) & (instants < _change(year, 10))
    return instants + np.where(summer, np.timedelta64(120, "m"), np.timedelta64(60, "m"))


def midnights(day: Days) -> Days:
    """The instants on which local days begin. Where the clock changes, it does so later in the night."""
    local = day.astype("datetime64[m]")
    evening: Days = np.subtract(local, np.timedelta64(90, "m"))
    return np.subtract(local, np.subtract(local_time(evening), evening))


def intervals(month: date, minutes: int) -> Days:
    """The instants on which the intervals of a local month begin: a day of 23 or 25 hours where the clock changes."""
    first, end = midnights(np.array([month, following(month)], dtype="datetime64[D]"))
    return np.arange(first, end, np.timedelta64(minutes, "m"))
