"""What the numbers of a file look like: their decimal mark and the mark between thousands.

Belongs here: the evidence for both marks. Does not belong here: units (words), ranges (matching).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

NUMBER = re.compile(r"[-+(]?[.,]?\d[\d.,  ]*([eE][-+]?\d+)?\)?-?")
# More than three digits before a mark, or a zero there, are no group of thousands: 12345,678.
_COMMA = re.compile(r"\d,\d{1,2}$|\d,\d{4,}$|\d\.\d{3},\d+$|^\D*0,\d+$|^\D*\d{4,},\d+$")
_POINT = re.compile(r"\d\.\d{1,2}$|\d\.\d{4,}$|\d,\d{3}\.\d+$|^\D*0\.\d+$|^\D*\d{4,}\.\d+$")
_EITHER = re.compile(r"^-?[1-9]\d{0,2}([.,]\d{3})+$")


@dataclass(frozen=True)
class Marks:
    """The decimal mark and that between thousands, with the reason; `sure` when texts prove it."""

    decimal: str
    thousands: str
    why: str
    sure: bool


def is_number(told: str) -> bool:
    """Whether a text is written as a number, with whatever marks."""
    return NUMBER.fullmatch(told.lstrip("€£$ ")) is not None


def marks_of(texts: Iterable[str]) -> Marks | None:
    """The marks in the numbers of a file; None when no number has one."""
    numbers = [t for t in texts if is_number(t) and ("," in t or "." in t)]
    comma = [t for t in numbers if _COMMA.search(t)]
    point = [t for t in numbers if _POINT.search(t)]
    either = [t for t in numbers if _EITHER.search(t)]
    if not comma and not point:
        if not either:
            return None
        mark = "," if "," in either[0] else "."
        why = f"numbers such as {either[0]} are read with '{mark}' as the decimal mark; they could be thousands"
        return Marks(mark, "", why, False)
    decimal, proof, against = (",", comma, point) if len(comma) > len(point) else (".", point, comma)
    thousands = "." if decimal == "," else ","
    grouped = [t for t in numbers if re.search(rf"\d{re.escape(thousands)}\d{{3}}(\D|$)", t)]
    why = f"{len(proof)} numbers such as {proof[0]} have '{decimal}' as the decimal mark"
    if against:
        why += f", but {len(against)} such as {against[0]} do not"
    elif grouped:
        why += f"; {grouped[0]} has '{thousands}' between thousands"
    return Marks(decimal, thousands if grouped and not against else "", why, not against)
