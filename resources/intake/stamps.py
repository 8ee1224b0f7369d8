"""Dates and times as senders write them: the forms of a text, and the interval that stamps tell, as SQL.

Belongs here: forms, offsets, `24:00`, and start, end and calendar day of an interval. Does not belong here: the offsets of
a zone (zones), which of two equal stamps came first (repeats), what is wrong with a row (row_tests).
"""

from __future__ import annotations

from dataclasses import dataclass

from resources.catalogue.mapping_models import (
    END_STAMP,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    EXCEL_SERIAL,
    ISO,
    STAMP,
    START_STAMP,
    TimeRule,
)
from resources.intake.zones import DOUBLED, SKIPPED, day_expression, offset_expression, zone_expression
from resources.reading.cells import text

# The zones of the world lie between UTC-12:00 and UTC+14:00; `Z` is UTC.
_OFFSET = r"([+-](0\d|1[0-4])(:?[0-5]\d)?|Z)$"
_ISO = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?"
_ISO_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"
_MIDNIGHT = r"(^|[ T])24:00(:00(\.0+)?)?($| )"
# The Dutch names of months that differ from the English ones; `maa` and `mrt` are both in use.
DUTCH_MONTHS = {
    **{"januari": "January", "februari": "February", "maart": "March", "juni": "June", "juli": "July"},
    **{"augustus": "August", "oktober": "October", r"\bmrt": "Mar", r"\bmaa\b": "Mar", r"\bmei\b": "May"},
    r"\bokt\b": "Oct",
}
# Beyond these the offsets of a zone are not known, and no reading was taken.
_FIRST, _LAST = "timestamp '1990-01-02'", "timestamp '2060-12-31'"
_EARLIEST_DAY = "date '1000-01-01'"
_HOUR = 3600


@dataclass(frozen=True)
class Parsed:
    """SQL of what a text says: time on the clock, or an instant in UTC; and whether its forms read it differently."""

    wall: str | None
    instant: str | None
    disagrees: str | None


def parse_stamp(cell: str, forms: tuple[str, ...], shift: str | None) -> Parsed:
    """A stamp in any of some forms; ISO 8601 with or without an offset when there are none."""
    forms = forms or (ISO,)
    walls = [wall for form in forms if (wall := _wall(cell, form))]
    instants = [instant for form in forms if (instant := _instant(cell, form))]
    wall = _first(walls)
    if wall and shift:
        wall = f"({wall} + interval {text(shift)})"
    tests = [f"len(list_distinct([{', '.join(found)}])) > 1" for found in (walls, instants) if len(found) > 1]
    if walls and instants and len(forms) > 1:
        tests.append(f"({_first(walls)} is not null and {_first(instants)} is not null)")
    return Parsed(wall, _first(instants), " or ".join(tests) or None)


def parse_day(cell: str, forms: tuple[str, ...]) -> tuple[str, str | None]:
    """SQL of the day that a text names as it is written, whatever its offset; and whether its forms read it differently.

    `%Y` takes a year of two digits as one of the first century, so a day before the year 1000 is none.
    """
    days = [f"({_written(cell, form)})::date" for form in forms or ("%Y-%m-%d",)]
    known = [f"case when {day} >= {_EARLIEST_DAY} then {day} end" for day in days]
    disagrees = f"len(list_distinct([{', '.join(known)}])) > 1" if len(known) > 1 else None
    return str(_first(known)), disagrees


def is_absolute(form: str) -> bool:
    """Whether a form tells an instant, so that no zone is needed to read it."""
    return form.endswith("%z") or form in (EPOCH_SECONDS, EPOCH_MILLISECONDS)


def _first(found: list[str]) -> str | None:
    return f"coalesce({', '.join(found)})" if len(found) > 1 else found[0] if found else None


def _written(cell: str, form: str) -> str:
    bare = f"regexp_replace({cell}, {text(' ?' + _OFFSET)}, '')"
    if form.endswith("%z"):
        return _strptime(bare, _without_offset(form))
    if form == ISO:
        return f"coalesce({_wall(cell, ISO)}, {_iso(bare, _ISO_TIME)})"
    return _wall(cell, form) or "null"


def _wall(cell: str, form: str) -> str | None:
    if form == ISO:
        return _iso(cell, _ISO)
    if form == EXCEL_SERIAL:
        days = f"try_cast({cell} as double)"
        return (
            f"case when {days} between 1 and 2958465 then"
            f" timestamp '1899-12-30' + to_seconds(round({days} * 86400)::bigint) end"
        )
    return None if is_absolute(form) else _strptime(cell, form)


def _instant(cell: str, form: str) -> str | None:
    if form in (EPOCH_SECONDS, EPOCH_MILLISECONDS):
        # The microseconds of these years are whole numbers that a double holds exactly.
        number, unit = f"try_cast({cell} as double)", 10**6 if form == EPOCH_SECONDS else 10**3
        return f"case when {number} between 0 and {10**16 // unit} then make_timestamp(round({number} * {unit})::bigint) end"
    bare = f"regexp_replace({cell}, {text(' ?' + _OFFSET)}, '')"
    if form == ISO:
        return f"({_iso(bare, _ISO_TIME)} - {_offset(cell)})"
    if form.endswith("%z"):
        return f"({_strptime(bare, _without_offset(form))} - {_offset(cell)})"
    return None


def _without_offset(form: str) -> str:
    return form.removesuffix("%z").rstrip()


def _iso(cell: str, shape: str) -> str:
    return f"case when regexp_full_match({cell}, {text(shape)}) then try_cast({cell} as timestamp) end"


def _strptime(cell: str, form: str) -> str:
    """A time in strptime format; 24:00 is the end of its day, which strptime does not know."""
    parsed = f"try_strptime({cell}, {text(form)})"
    if "%b" in form.lower():
        parsed = f"coalesce({parsed}, try_strptime({_in_english(cell)}, {text(form)}))"
    if "%H" not in form:
        return parsed
    early = f"try_strptime(regexp_replace({cell}, '(^|[ T])24:00', '\\100:00'), {text(form)})"
    return f"coalesce({parsed}, case when regexp_matches({cell}, {text(_MIDNIGHT)}) then {early} + interval 1 day end)"


def _in_english(cell: str) -> str:
    """A date with the name of a month in Dutch, long or short, as strptime knows it."""
    for dutch, english in DUTCH_MONTHS.items():
        cell = f"regexp_replace({cell}, '(?i){dutch}', '{english}')"
    return cell


def _offset(cell: str) -> str:
    """SQL of the offset to UTC at the end of a text, as an interval; NULL when there is none."""
    found = f"regexp_extract({cell}, {text(_OFFSET)}, 1)"
    minutes = f"try_cast(substr({found}, 2, 2) as bigint) * 60 + coalesce(try_cast(right(nullif({found}[4:], ''), 2) as bigint), 0)"
    return (
        f"case {found} when 'Z' then to_minutes(0) when '' then null"
        f" else to_minutes(case when starts_with({found}, '-') then -1 else 1 end * ({minutes})) end"
    )


def stamp_columns(stamp: str, parsed: Parsed) -> list[str]:
    """What the layer of values holds of a stamp: its time on the clock, its instant, whether its forms disagree."""
    columns = [f"{parsed.wall or 'null::timestamp'} as v_{stamp}"]
    if parsed.instant:
        columns.append(f"{parsed.instant} as u_{stamp}")
    if parsed.disagrees:
        columns.append(f"({parsed.disagrees}) as many_{stamp}")
    return columns


def stamp_tests(stamp: str, parsed: Parsed) -> list[tuple[str, str]]:
    """(condition that is bad, reason) of one stamp."""
    unread = f"v_{stamp} is null" + (f" and u_{stamp} is null" if parsed.instant else "")
    tests = [
        (f"c_{stamp} is null", f"missing:{stamp}"),
        (f"c_{stamp} is not null and {unread}", f"not_a_date:{stamp}"),
    ]
    return [*tests, (f"many_{stamp}", f"ambiguous_date:{stamp}")] if parsed.disagrees else tests


def interval_tests(rule: TimeRule) -> list[tuple[str, str]]:
    """(condition that is bad, reason) of the interval that the stamps of a row tell."""
    tests = [
        (f"end_utc not between {_FIRST} and {_LAST}", "implausible_time"),
        ("is_absent", "nonexistent_local_time"),
    ]
    # The start and end of a day, month or year stand apart, so no order of arrival tells which of two hours is meant.
    if rule.ambiguous == "refuse" or rule.interval:
        tests.append(("is_ambiguous", "ambiguous_local_time"))
    return tests


def derived_start(rule: TimeRule) -> str | None:
    """The start of an interval of a fixed length, which follows from its end and need not be stored."""
    return f"end_utc - interval {rule.interval_minutes} minute" if rule.interval_minutes else None


def timed_select(rule: TimeRule, stamps: dict[str, Parsed]) -> str:
    """The layer that gives every row of `valued` its start_utc, end_utc, local_date, is_ambiguous and is_absent."""
    if STAMP not in stamps:
        return _spanned(rule, stamps)
    if rule.stamp == "moment":
        return _moment(rule, stamps[STAMP])
    return _calendar(rule, stamps[STAMP]) if rule.interval else _stepped(rule, stamps[STAMP])


def _is(kind: int, *zoned: str) -> str:
    return " or ".join(f"coalesce({z} % 4 = {kind}, false)" for z in zoned)


def _stepped(rule: TimeRule, parsed: Parsed) -> str:
    """One stamp, and an interval of a fixed length."""
    step = f"interval {rule.interval_minutes} minute"
    shift = f"- {step}" if rule.stamp == "end" else ""
    back = "" if rule.stamp == "end" else f"+ {step}"
    zoned = f"select *, {zone_expression(rule.zone, 'v_stamp')} as zoned from valued"
    instant = "v_stamp - to_seconds(zoned // 4)"
    utc = (
        f"select *, {f'coalesce(u_stamp, {instant})' if parsed.instant else instant} as utc,"
        f" {_is(DOUBLED, 'zoned')} as is_ambiguous, {_is(SKIPPED, 'zoned')} as is_absent from ({zoned})"
    )
    made = f"utc {shift} as start_utc, utc {back} as end_utc"
    if parsed.instant or rule.day_zone != rule.zone:
        return _dated(rule, f"select *, {made} from ({utc})")
    return f"select *, (v_stamp {shift})::date as local_date, {made} from ({utc})"


def _moment(rule: TimeRule, parsed: Parsed) -> str:
    """The moment of a register reading. Models convert no times, so its start is that of its day on the site."""
    zoned = f"select *, {zone_expression(rule.zone, 'v_stamp')} as zoned from valued"
    instant = "v_stamp - to_seconds(zoned // 4)"
    utc = (
        f"select *, {f'coalesce(u_stamp, {instant})' if parsed.instant else instant} as end_utc,"
        f" {_is(DOUBLED, 'zoned')} as is_ambiguous, {_is(SKIPPED, 'zoned')} as is_absent from ({zoned})"
    )
    dated = f"select *, {day_expression(rule.day_zone, 'end_utc')} as local_date from ({utc})"
    begun = f"select *, local_date::timestamp as midnight from ({dated})"
    return f"select *, midnight - to_seconds({zone_expression(rule.day_zone, 'midnight')} // 4) as start_utc from ({begun})"


def _dated(rule: TimeRule, select: str) -> str:
    return f"select *, {day_expression(rule.day_zone, 'start_utc')} as local_date from ({select})"


def _calendar(rule: TimeRule, parsed: Parsed) -> str:
    """One stamp, and a day, month or year of the calendar: its other end is counted on the clock, not in hours."""
    ends = rule.stamp == "end"
    wall, instant = "v_stamp", "wall - to_seconds(zoned // 4)"
    if parsed.instant:
        wall = f"coalesce(v_stamp, u_stamp + to_seconds({offset_expression(rule.zone, 'u_stamp')}))"
        instant = f"coalesce(u_stamp, {instant})"
    placed = f"select *, {wall} as wall from valued"
    other = f"select *, wall {'-' if ends else '+'} interval 1 {rule.interval} as other from ({placed})"
    zoned = (
        f"select *, {zone_expression(rule.zone, 'wall')} as zoned, {zone_expression(rule.zone, 'other')} as other_zoned"
        f" from ({other})"
    )
    this, that = ("end_utc", "start_utc") if ends else ("start_utc", "end_utc")
    known = " and u_stamp is null" if parsed.instant else ""
    made = (
        f"select *, {instant} as {this}, other - to_seconds(other_zoned // 4) as {that},"
        f" ({_is(DOUBLED, 'zoned')}){known} or {_is(DOUBLED, 'other_zoned')} as is_ambiguous,"
        f" ({_is(SKIPPED, 'zoned')}){known} as is_absent from ({zoned})"
    )
    return _dated(rule, made)


def _spanned(rule: TimeRule, stamps: dict[str, Parsed]) -> str:
    """A start and an end. An interval that starts in the doubled hour is as long as the clock says, less than an hour on.

    Its last quarter runs from 02:45 to 02:00 on the clock the first time round, and to 03:00 the second.
    """

    def instant(stamp: str, zoned: str) -> str:
        local = f"v_{stamp} - to_seconds({zoned} // 4)"
        return f"coalesce(u_{stamp}, {local})" if stamps[stamp].instant else local

    zoned = (
        f"select *, {zone_expression(rule.zone, f'v_{START_STAMP}')} as start_zoned,"
        f" {zone_expression(rule.zone, f'v_{END_STAMP}')} as end_zoned,"
        f" epoch(v_{END_STAMP} - v_{START_STAMP})::bigint as seconds from valued"
    )
    begun = (
        f"select *, {instant(START_STAMP, 'start_zoned')} as start_utc, {_is(DOUBLED, 'start_zoned')} as is_ambiguous,"
        f" {_is(SKIPPED, 'start_zoned', 'end_zoned')} as is_absent from ({zoned})"
    )
    within = f"is_ambiguous and seconds between {-_HOUR + 1} and {_HOUR}"
    length = f"to_seconds(case when seconds <= 0 then seconds + {_HOUR} else seconds end)"
    ended = (
        f"select *, case when {within} then start_utc + {length} else {instant(END_STAMP, 'end_zoned')} end as end_utc"
        f" from ({begun})"
    )
    return _dated(rule, ended)
