"""Numbers, dates and periods as people read them, in Dutch and in English side by side.

Belongs here: how a value is written. Does not belong here: which value, and any sentence about it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from resources.catalogue.models import Unit

_MONTHS = (
    "jan feb mrt apr mei jun jul aug sep okt nov dec".split(),
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
)
_SPACE = "\u00a0"  # a number and its unit stay on one line
_MINUS = "\u2212"
_MILLION = 1_000_000
# What is counted stands in the title of the figure; "3 case" would only repeat it.
_COUNTED = frozenset({"count", "case", "piece", "point"})


class Words(NamedTuple):
    """One text in Dutch and in English."""

    nl: str
    en: str

    def __add__(self, other: object) -> Words:
        """This text followed by another, or by a text that is the same in both languages."""
        if isinstance(other, str):
            return Words(self.nl + other, self.en + other)
        assert isinstance(other, Words)
        return Words(self.nl + other.nl, self.en + other.en)


class Quantity(NamedTuple):
    """A number and the unit that stands behind it; the unit is empty where the number already says it (%, €) or counts."""

    figure: Words
    unit: Words

    def whole(self) -> Words:
        """Both in one text."""
        return self.figure + Words(*(f"{_SPACE}{text}" if text else "" for text in self.unit))


def number(value: Decimal | int, decimals: int = 0, sign: bool = False) -> Words:
    """A number rounded half up: `1.234,5` and `1,234.5`. With `sign` a plus stands before what is above zero."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    english = f"{abs(rounded):,.{decimals}f}"
    before = _MINUS if rounded < 0 else "+" if sign and rounded > 0 else ""
    dutch = english.translate(str.maketrans(",.", ".,"))
    return Words(before + dutch, before + english)


def percent(share: Decimal, decimals: int = 0, sign: bool = False) -> Words:
    """A share of one in hundredths: `12,5 %` and `12.5%`."""
    told = number(share * 100, decimals, sign)
    return Words(f"{told.nl}{_SPACE}%", f"{told.en}%")


def quantity(value: Decimal, unit: Unit, decimals: int, sign: bool = False) -> Quantity:
    """A value that is already in the unit it is shown in: a percentage as percent, euros above a million in millions."""
    if unit.code == "percent":
        return Quantity(percent(value / 100, decimals, sign), Words("", ""))
    if unit.code == "eur":
        return Quantity(_euro(value, decimals, sign), Words("", ""))
    shown = Words("", "") if unit.code in _COUNTED else Words(unit.nl, unit.en)
    return Quantity(number(value, decimals, sign), shown)


def _euro(value: Decimal, decimals: int, sign: bool) -> Words:
    if abs(value) < _MILLION:
        told = number(abs(value), decimals)
        tail = Words("", "")
    else:
        told = number(abs(value) / _MILLION, 2)
        tail = Words(f"{_SPACE}mln", f"{_SPACE}million")
    before = _MINUS if value < 0 else "+" if sign and value > 0 else ""
    return Words(f"{before}€{_SPACE}{told.nl}", f"{before}€{told.en}") + tail


def counted(count: int, nl: tuple[str, str], en: tuple[str, str]) -> Words:
    """A count with its noun in the singular or the plural."""
    told = number(count)
    return Words(f"{told.nl}{_SPACE}{nl[count != 1]}", f"{told.en}{_SPACE}{en[count != 1]}")


def day(value: date) -> Words:
    """A day: `31-12-2025` and `31 Dec 2025`."""
    return Words(f"{value:%d-%m-%Y}", f"{value.day} {_MONTHS[1][value.month - 1]} {value.year}")


def moment(value: datetime, zone: str) -> Words:
    """A moment, given as naive UTC, on the clock of a zone: `31-12-2025 14:05` and `31 Dec 2025 14:05`."""
    local = value.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    return day(local.date()) + f" {local:%H:%M}"


def month(value: date) -> Words:
    """The month of a day: `mrt 2025` and `Mar 2025`."""
    return Words(*(f"{names[value.month - 1]}{_SPACE}{value.year}" for names in _MONTHS))


def period(first: date, end: date) -> Words:
    """The months from a day until, and without, another: `apr 2024 t/m mrt 2025`, or one month by itself."""
    begin, last = month(first), month(end - timedelta(days=1))
    if begin == last:
        return begin
    return Words(f"{begin.nl} t/m {last.nl}", f"{begin.en} \u2013 {last.en}")
