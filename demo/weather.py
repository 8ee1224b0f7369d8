"""The weather of the demo: a series of its own that looks like Dutch weather, and the degree days gas and heat follow.

Belongs here: temperatures by day and the station's file. Does not belong here: what was used on a cold day (energy).
"""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np

from demo.calendar import LAST, Days, Floats, days, following, month_of
from demo.writing import Demo

FIRST = date(2013, 1, 1)
STATION = "900"
BASE_C = 18.0
# Weights of the Dutch degree day: a cold day in winter asks for more than the same in summer, which has more sun.
_WEIGHTS = np.array([0, 1.1, 1.1, 1.0, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 1.0, 1.1, 1.1])
_NOTES = (
    "# Synthetische reeks in de vorm van een KNMI-dagbestand; dit zijn geen metingen.",
    "# STN      = meetstation (900 bestaat niet)",
    "# TG       = etmaalgemiddelde temperatuur (in 0.1 graden Celsius)",
    "# TN en TX = laagste en hoogste temperatuur (in 0.1 graden Celsius)",
)


@cache
def temperatures() -> tuple[Days, Floats]:
    """Mean temperature by day from 2013 until the end of the demo: a season, and warm and cold spells of some days."""
    when = days(FIRST, following(LAST))
    day_of_year = (when - when.astype("datetime64[Y]")).astype(np.int64)
    season = 10.6 - 7.5 * np.cos(2 * np.pi * (day_of_year - 25) / 365.25)
    steps = np.random.default_rng(900).normal(0, 1.9, len(when))
    spell = np.empty(len(when))
    level = 0.0
    for number, step in enumerate(steps):
        level = 0.8 * level + step
        spell[number] = level
    return when, np.round(season + spell, 1)


def degree_days(day: Days) -> Floats:
    """Weighted degree days above nothing and below 18 °C."""
    when, mean = temperatures()
    chosen = mean[(day - when[0]).astype(np.int64)]
    return np.maximum(BASE_C - chosen, 0) * _WEIGHTS[month_of(day)]


def weather(demo: Demo) -> None:
    """The station's file: all years before the demo at once, then a file with each year."""
    when, mean = temperatures()
    swing = np.random.default_rng(901).uniform(2.0, 5.5, len(when))
    tenths = [np.round(values * 10).astype(int).tolist() for values in (mean, mean - swing, mean + swing)]
    rows = [
        f"{STATION},{day:%Y%m%d},{tg:5d},{tn:5d},{tx:5d}"
        for day, tg, tn, tx in zip(when.astype(object), *tenths, strict=True)
    ]
    start = (date(demo.span[0].year, 1, 1) - FIRST).days
    cuts = [0, *((date(year, 1, 1) - FIRST).days for year in range(demo.span[0].year, LAST.year + 1)), len(rows)]
    for first, end in zip(cuts, cuts[1:], strict=False):
        if end > first:
            name = f"etmgeg_{STATION}_{'tot' if end <= start else when[first].astype(object).year}"
            last = when[end - 1].astype(object)
            headings = ("# STN", "YYYYMMDD", "   TG", "   TN", "   TX")
            demo.writer.deliver("weer__weather_day", name, headings, rows[first:end], last, before=_NOTES)
