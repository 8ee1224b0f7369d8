"""The geometry of the small charts: from values to points of an SVG.

Belongs here: coordinates. Does not belong here: what the values mean, and how a chart looks (templates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT, MARGIN = 240, 56, 5


@dataclass(frozen=True)
class Line:
    """A line chart: one piece of points for each run of values, the last value as a dot, and a target as a height."""

    pieces: tuple[str, ...]
    dot: tuple[float, float]
    target: float | None


def line(values: Sequence[Decimal | None], target: Decimal | None = None) -> Line | None:
    """Values in order of time; a gap breaks the line. None when fewer than two are known: that is no course."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return None
    bounds = [*known, *([target] if target is not None else [])]
    low, high = min(bounds), max(bounds)

    def height(value: Decimal) -> float:
        share = float((value - low) / (high - low)) if high > low else 0.5
        return round(HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN), 1)

    step = (WIDTH - 2 * MARGIN) / (len(values) - 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((round(MARGIN + place * step, 1), height(value)))
    filled = [piece for piece in pieces if piece]
    drawn = tuple(" ".join(f"{x},{y}" for x, y in piece) for piece in filled)
    return Line(drawn, filled[-1][-1], None if target is None else height(target))


def widths(values: Sequence[Decimal | None]) -> list[float]:
    """Lengths of bars in hundredths of the longest; what is not known has no length."""
    longest = max((v for v in values if v is not None), default=Decimal(0))
    return [
        round(float(max(v, Decimal(0)) / longest * 100), 1) if v is not None and longest > 0 else 0.0 for v in values
    ]
