"""What the meters of the demo's sites measured: yearly figures spread over days by shapes.

Belongs here: numbers of meters, and quantities by day. Does not belong here: the files of those who measure (energy).

Each figure of a site is that of the twelve months that end in June 2026; every year before it was two per cent higher.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from demo.calendar import LAST, Days, Floats, comma, day_text, days, following, month_of, shifted, weekday
from demo.figures import Site
from demo.weather import degree_days

_YEAR = (shifted(LAST, -11), following(LAST))
Shape = Callable[[Days], Floats]


def ean(number: int) -> str:
    """An 18-digit EAN with its GS1 check digit (weights 3 and 1 from the right)."""
    body = f"87168740{number:09d}"
    total = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(body)))
    return body + str((10 - total % 10) % 10)


def meter(site: Site, what: str) -> str:
    """The number of a meter: electricity, gas, heat, pv or charging. Maastricht has a statement instead of connections."""
    if not site.is_metered and what in ("electricity", "gas"):
        return f"SK-{site.site_id}-{what[0].upper()}"
    return ean(site.number * 10 + ["electricity", "gas", "heat", "pv", "charging"].index(what))


def daily(yearly: float, shape: Shape, day: Days) -> Floats:
    """A yearly quantity spread over days by a shape."""
    before = (np.datetime64(_YEAR[1]) - day.astype("datetime64[D]")).astype(np.int64) - 1
    return yearly * shape(day) / shape(days(*_YEAR)).sum() * 1.02 ** (before * 4 // 1461)


def power(day: Days) -> Floats:
    """Electricity: offices that work five days, and a little more light in winter."""
    winter = 1 + 0.08 * np.cos(2 * np.pi * (month_of(day) - 1) / 12)
    return winter * np.where(weekday(day) < 5, 1.0, 0.33)


def warmth(day: Days) -> Floats:
    """Gas and heat: by degree days, less at weekends, and hot water all year."""
    return 0.8 + degree_days(day) * np.where(weekday(day) < 5, 1.0, 0.7)


def sun(day: Days) -> Floats:
    """Solar panels: the season, and clouds that are the same for all sites."""
    clouds = 0.35 + 0.65 * np.abs(np.sin(day.astype("datetime64[D]").astype(np.int64) * 1.7))
    return clouds * (1.15 - np.cos(2 * np.pi * (month_of(day) + 0.2) / 12))


def even(day: Days) -> Floats:
    """A landlord who does not know divides the year by its days."""
    return np.ones(len(day))


def used(site: Site, day: Days) -> npt.NDArray[np.bool_]:
    """On which days a site is in use."""
    end = np.datetime64(site.used_to) if site.used_to else np.datetime64("2100-01-01")
    return (day >= np.datetime64(site.used_from)) & (day < end)


def measured(seed: int, site: Site, what: str, yearly: float, shape: Shape, day: Days) -> Floats:
    """What a meter told by day, one in twenty more or less than the shape."""
    chance = np.random.default_rng([seed, site.number, *what.encode(), int(day[0].astype(np.int64))])
    return daily(yearly, shape, day) * chance.uniform(0.95, 1.05, len(day))


def charged(day: Days) -> Floats:
    """Charging points: on weekends hardly anyone charges."""
    return np.where(weekday(day) < 5, 1.0, 0.08)


def wide(day: Days, columns: list[tuple[Site, Floats]]) -> list[str]:
    """One line per day and one cell per meter; a hyphen where the site is not in use."""
    cells = [np.where(used(site, day), np.array(comma(values, 2)), "-").tolist() for site, values in columns]
    return [";".join(row) for row in zip(day_text(day), *cells, strict=True)]
