"""Which headings hold the stamp of an interval, and what that stamp means.

Belongs here: finding the stamp, its interval, whether it is start or end, and the zone, each with its evidence.
Does not belong here: forms of dates (dates), the quantity that goes with a stamp (choosing).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from resources.proposing.dates import DateForm, parsed, shown
from resources.proposing.evidence import Values
from resources.proposing.words import words_of

_STARTS = frozenset("van from start begin vanaf starttijd begintijd startdatum".split())
_ENDS = frozenset("tot to end eind einde until eindtijd einddatum".split())
_DAY = 24 * 60


@dataclass(frozen=True)
class Stamps:
    """Where a stamp comes from and what it means. `why` and `check` are by key of `time`, and `from` for the headings."""

    headings: tuple[str, ...]
    format: str
    zone: str
    stamp: str
    minutes: int
    newest_first: bool
    why: dict[str, str]
    check: dict[str, str]
    others: tuple[str, ...] = ()


def find_stamps(
    values: Mapping[str, Values], columns: Mapping[str, list[str]], zone: str, whole: bool
) -> Stamps | None:
    """The stamp of a file, in the zone of the deployment unless it tells another; None when it has no day."""
    found = _candidates(values)
    if not found:
        return None
    ends = [headings for headings in found if _side(headings) == "end"]
    starts = [headings for headings in found if _side(headings) == "start"]
    timed = [h for h in found if len(h) > 1 or _form(values, h[0]).has_time]
    chosen = next(iter(starts or ends or timed or found))
    form = " ".join(_form(values, h).format for h in chosen)
    told = [m for cells in zip(*(columns[h] for h in chosen), strict=True) if (m := parsed(" ".join(cells), form))]
    why = {"from": _form(values, chosen[0]).why}
    check: dict[str, str] = {}
    if other := _form(values, chosen[0]).other:
        check["from"] = f"day and month could be the other way round ({shown(other)})"
    moments = sorted({m.replace(tzinfo=None) for m in told})
    if not moments:
        return None
    minutes = _interval(moments, why, check)
    stamp = _meaning(chosen, moments, minutes, whole, why, check)
    zone = _zone(form, zone, why)
    newest = len(told) > 1 and told[0].replace(tzinfo=None) > told[-1].replace(tzinfo=None)
    rest = tuple(h for headings in found if headings != chosen for h in headings)
    return Stamps(chosen, form, zone, stamp, minutes, newest, why, check, rest)


def _form(values: Mapping[str, Values], heading: str) -> DateForm:
    form = values[heading].date
    assert form is not None
    return form


def _candidates(values: Mapping[str, Values]) -> list[tuple[str, ...]]:
    """Headings that tell a moment or a day: one, or a day with the time that stands beside it."""
    dated = {h: v.date for h, v in values.items() if v.date}
    times = [h for h, form in dated.items() if not form.has_day and form.has_time]
    found: list[tuple[str, ...]] = []
    for heading, form in dated.items():
        if not form.has_day:
            continue
        beside = [] if form.has_time else [t for t in times if _side((t,)) == _side((heading,))]
        if beside:
            times.remove(beside[0])
        found.append((heading, *beside[:1]))
    return found


def _side(headings: tuple[str, ...]) -> str:
    words = {word for heading in headings for word in words_of(heading)} | {
        part for heading in headings for part in heading.lower().replace("_", " ").split()
    }
    return "start" if words & _STARTS else "end" if words & _ENDS else ""


def _interval(moments: list[datetime], why: dict[str, str], check: dict[str, str]) -> int:
    steps = Counter(round((b - a) / timedelta(minutes=1)) for a, b in zip(moments, moments[1:], strict=False))
    minutes, count = steps.most_common(1)[0] if steps else (_DAY, 0)
    if not 0 < minutes <= _DAY:
        check["interval_minutes"] = "the stamps lie more than a day apart, so a day is written; ask how long each is"
        return _DAY
    why["interval_minutes"] = f"{count} of {sum(steps.values())} steps between stamps are {minutes} minutes"
    if count < 0.5 * sum(steps.values()) or not count:
        check["interval_minutes"] = "the steps between stamps differ"
    return minutes


def _meaning(
    chosen: tuple[str, ...],
    moments: list[datetime],
    minutes: int,
    whole: bool,
    why: dict[str, str],
    check: dict[str, str],
) -> str:
    """Whether a stamp is the start or the end of its interval."""
    if side := _side(chosen):
        why["stamp"] = f"'{chosen[0]}' says {side}"
        return side
    if minutes == _DAY:
        why["stamp"] = "a day begins at its midnight"
        return "start"
    step = timedelta(minutes=minutes)
    first, last, midnight = moments[0], moments[-1], time()
    if (first - step).time() == midnight and first.time() != midnight:
        why["stamp"] = f"the first is {first:%H:%M}, one interval after midnight"
        return "end"
    if first.time() == midnight and (last + step).time() == midnight and whole:
        why["stamp"] = f"the first is 00:00 and the last {last:%H:%M}, so they fill whole days as starts"
        return "start"
    check["stamp"] = (
        f"the first is {first:%H:%M} and the last {last:%H:%M}; ask whether a stamp is the start or the end"
    )
    return "start"


def _zone(form: str, zone: str, why: dict[str, str]) -> str:
    if form.endswith("Z"):
        why["zone"] = "the stamps end in Z, which is UTC"
        return "UTC"
    if form.endswith("%z"):
        why["zone"] = "each stamp holds its own offset; the zone tells the calendar day"
        return zone
    why["zone"] = "the stamps hold no offset, so they are read as clock time of the deployment"
    return zone
