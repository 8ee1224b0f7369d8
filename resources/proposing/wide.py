"""Columns that are one measure spread over many headings: quarter-hours of a day, meters, registers.

Belongs here: recognising such headings. Does not belong here: what their values mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from resources.proposing.evidence import Values
from resources.proposing.registers import is_reading, register_of

_LEAST_TIMES, _LEAST = 12, 2
_TIME = re.compile(r"\d{1,2}:\d{2}(:00)?")


@dataclass(frozen=True)
class Wide:
    """Headings that become records. `column` is the column that the heading itself tells, with its `codes`, if it is no time."""

    headings: tuple[str, ...]
    pattern: str
    name: str
    value: str
    told: str
    column: str = ""
    why: str = ""
    check: str = ""
    format: str = ""
    minutes: int = 0
    starts_at_midnight: bool = True
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_time(self) -> bool:
        """Whether the headings are times of the day."""
        return bool(self.format)


def find_wide(headings: Sequence[str], values: Mapping[str, Values]) -> Wide | None:
    """The wide headings of a file with stamps; None when it is long."""
    times = [h for h in headings if _TIME.fullmatch(h)]
    if len(times) >= _LEAST_TIMES:
        form = "%H:%M:%S" if times[0].count(":") == 2 else "%H:%M"
        return Wide(
            tuple(times),
            r"^\d{1,2}:\d{2}(?::00)?$",
            "slot",
            "cell",
            "times of the day",
            format=form,
            minutes=24 * 60 // len(times),
            starts_at_midnight=times[0].startswith(("00:00", "0:00")),
        )
    meters = [h for h in headings if re.fullmatch(r"\d{18}", h)]
    if len(meters) >= _LEAST:
        why = "each such heading is an EAN code of 18 digits"
        return Wide(tuple(meters), r"^\d{18}$", "meter", "cell", "EAN codes", "meter_id", why)
    return _registers([h for h in headings if h in values and values[h].numeric > 0.9])


def looks_wide(heading: str) -> bool:
    """Whether a heading is a time or a meter: such a column needs no look at its values to be told."""
    return bool(_TIME.fullmatch(heading) or re.fullmatch(r"\d{18}", heading))


def _registers(headings: list[str]) -> Wide | None:
    """Several registers of one meter side by side: those of use over an interval, or else those of readings."""
    found = {h: code for h in headings if (code := register_of(h))}
    of_use = {h: code for h, code in found.items() if not is_reading(h)}
    is_both = len(set(found.values())) < len(found)  # readings and the use between them stand side by side
    chosen = of_use if is_both else found
    if len(chosen) < _LEAST or len(set(chosen.values())) < len(chosen):
        return None
    pattern = f"^({'|'.join(re.escape(h) for h in chosen)})$"
    why = "the headings name tariff and direction"
    look = "" if not any(re.search(r"\d$", h) for h in chosen) else "which register is which number?"
    return Wide(
        tuple(chosen), pattern, "register", "cell", "registers of one meter", "register_code", why, look, codes=chosen
    )
