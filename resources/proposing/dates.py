"""In which form texts tell a date or time, and what proves it.

Belongs here: the forms that are tried, and why one is chosen. Does not belong here: what a stamp means (time_rule).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import product

from resources.intake.stamps import DUTCH_MONTHS

_DAYS = (
    "%Y-%m-%d",
    "%d-%m-%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d-%m-%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%Y%m%d",
)
_TIMES = ("%H:%M", "%H:%M:%S")
# Whole texts, the more common forms first: a text that two forms fit is read by the first.
FORMS = (
    *_DAYS,
    *(f"{day}{gap}{time}{zone}" for gap, zone, time, day in product((" ", "T"), ("", "Z", "%z", " %z"), _TIMES, _DAYS)),
    *_TIMES,
    "%Y-%m",
    "%m-%Y",
    *(f"{month}{gap}{year}" for month, year, gap in product(("%b", "%B"), ("%y", "%Y"), ("-", " ", "/", "", "."))),
    "%Y",
)
_SHOWN = {
    "%b": "mmm",
    "%B": "mmmm",
    "%Y": "yyyy",
    "%m": "mm",
    "%d": "dd",
    "%y": "yy",
    "%H": "hh",
    "%M": "mm",
    "%S": "ss",
    "%z": "offset",
}
_SHAPE = re.compile(r"\d+")
_LEAST = 0.8


@dataclass(frozen=True)
class DateForm:
    """The form of a column, the share of its texts that have it, and why it is this one. `other` fits all of them too."""

    format: str
    share: float
    why: str
    other: str = ""

    @property
    def has_day(self) -> bool:
        """Whether it tells a day."""
        return "%d" in self.format

    @property
    def has_month(self) -> bool:
        """Whether it tells a month, as a number or by its name."""
        return any(part in self.format for part in ("%m", "%b", "%B"))

    @property
    def has_time(self) -> bool:
        """Whether it tells a time of day."""
        return "%H" in self.format


def parsed(told: str, form: str) -> datetime | None:
    """A text in a form; None when it does not have that form."""
    if "%b" in form.lower():
        told = _in_english(told)
    try:
        return datetime.strptime(told, form)
    except ValueError:
        return None


@lru_cache(maxsize=20_000)
def _in_english(told: str) -> str:
    """A text with the name of a month in Dutch as strptime knows it."""
    for dutch, english in DUTCH_MONTHS.items():
        told = re.sub(dutch, english, told, flags=re.IGNORECASE)
    return told


def shown(form: str) -> str:
    """A form as people write it: dd-mm-yyyy."""
    for code, word in _SHOWN.items():
        form = form.replace(code, word)
    return form


def date_form(counted: Mapping[str, int]) -> DateForm | None:
    """The form of the texts of a column, which are counted; None when most of them are no dates."""
    total = sum(counted.values())
    shapes = {_SHAPE.sub(lambda m: "9" * len(m.group()), t): t for t in counted}
    if not total or len(shapes) > 40:
        return None
    likely = [f for f in FORMS if any(parsed(t, f) for t in shapes.values())]
    likely += [f for f in FORMS if f not in likely and any(parsed(t, f) for t in list(counted)[:50])]
    shares = {f: sum(n for t, n in counted.items() if _fits(t, f)) / total for f in likely}
    best = max(shares.values(), default=0.0)
    if best < _LEAST:
        return None
    chosen, *others = [f for f in likely if shares[f] == best]
    rows = f"{round(best * total)} of {total} values look like {shown(chosen)}"
    swapped = _swapped(chosen)
    if swapped in others:
        return DateForm(chosen, best, f"{rows}; all of them could be {shown(swapped)} too", swapped)
    proof = next((t for t in counted if _fits(t, chosen) and not parsed(t, swapped)), "")
    tail = f"; {proof} cannot be the other way round" if proof and swapped != chosen else ""
    return DateForm(chosen, best, rows + tail)


def _fits(told: str, form: str) -> bool:
    """Whether a text has a form, in a year that data can be of: %Y alone takes any number of four digits."""
    moment = parsed(told, form)
    return moment is not None and ("%Y" not in form and "%y" not in form or 1900 <= moment.year <= 2100)


def _swapped(form: str) -> str:
    """The form with day and month the other way round."""
    if form.startswith("%Y"):
        return form
    return form.translate(str.maketrans("dm", "md"))
