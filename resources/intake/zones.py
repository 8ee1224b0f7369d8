"""Local time to UTC: the offsets of a time zone as one expression, so that judging a row needs no other table.

Belongs here: offsets and clock changes. Does not belong here: what a sender's stamps mean (judging).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2061, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=10)
PLAIN, DOUBLED, SKIPPED = 0, 1, 2


class Segment(NamedTuple):
    """Wall-clock time from `start` on: its offset to UTC, and whether it is the doubled or the skipped hour."""

    start: datetime
    offset: timedelta
    kind: int


@cache
def zone_expression(zone: str, stamp: str) -> str:
    """SQL of an integer that tells all about the wall-clock time `stamp`: offset in seconds × 4 + kind.

    A tree of comparisons: nine of them find one of the 285 segments of 71 years, and rows in order of time all go the
    same way. In the doubled hour the offset is that of the first time round (summer time); outside 1990-2060 that of
    the nearest year.
    """
    return _tree(segments(zone), stamp)


@cache
def offset_expression(zone: str, instant: str) -> str:
    """SQL of the offset in seconds of a zone at an instant in UTC."""
    parts = [Segment(_FIRST.replace(tzinfo=None), _offset(ZoneInfo(zone), _FIRST), PLAIN)]
    parts += [Segment(change, after, PLAIN) for change, _, after in _changes(zone)]
    return f"(({_tree(parts, instant)}) // 4)"


def day_expression(zone: str, instant: str) -> str:
    """SQL of the calendar day of a zone at an instant in UTC."""
    return f"({instant} + to_seconds({offset_expression(zone, instant)}))::date"


def segments(zone: str) -> list[Segment]:
    """The wall-clock time of a zone cut where its offset changes, in order."""
    found = [Segment(_FIRST.replace(tzinfo=None), _offset(ZoneInfo(zone), _FIRST), PLAIN)]
    for change, before, after in _changes(zone):
        earlier, later = sorted((change + before, change + after))
        kind = DOUBLED if after < before else SKIPPED
        found += [Segment(earlier, before, kind), Segment(later, after, PLAIN)]
    return found


def _changes(zone: str) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """The instants (naive UTC) at which the offset of a zone changes, with the offsets before and after."""
    info, moment = ZoneInfo(zone), _FIRST
    while moment < _LAST:
        following = moment + _STEP
        before, after = _offset(info, moment), _offset(info, following)
        if before != after:
            yield _change(info, moment, following).replace(tzinfo=None), before, after
        moment = following


def _change(info: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second with the offset of `high`."""
    before = _offset(info, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        if _offset(info, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(info: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(info).utcoffset() or timedelta()


def _tree(parts: list[Segment], stamp: str) -> str:
    if len(parts) == 1:
        return str(int(parts[0].offset.total_seconds()) * 4 + parts[0].kind)
    middle = len(parts) // 2
    left, right = _tree(parts[:middle], stamp), _tree(parts[middle:], stamp)
    return f"case when {stamp} < timestamp '{parts[middle].start}' then {left} else {right} end"
