"""Local time to UTC: the days of a time zone as a table, so that no row needs a calendar of its own.

Belongs here: offsets and clock changes. Does not belong here: what a sender's stamps mean (judging).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from resources.errors import KetenError

if TYPE_CHECKING:
    import duckdb

_FIRST, _LAST = date(1990, 1, 1), date(2061, 1, 1)


def zone_table(zone: str) -> str:
    """Name of the temporary table of local days of a zone."""
    return "zone_day_" + "".join(c if c.isalnum() else "_" for c in zone.lower())


def zone_day_table(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    """Local days of a zone: the offset before and after its clock change, and the local hours that are doubled or absent.

    Made from the tz database once per connection; offsets in seconds. Changes are sought per quarter-hour.
    """
    import pyarrow as pa

    table = zone_table(zone)
    if connection.execute("select 1 from duckdb_tables() where table_name = ?", [table]).fetchone():
        return
    try:
        info = ZoneInfo(zone)
    except (KeyError, ValueError):
        raise KetenError(f"'{zone}' is not a time zone; write for instance Europe/Amsterdam") from None
    rows = []
    day = _FIRST
    while day < _LAST:
        rows.append(_zone_day(info, day))
        day += timedelta(days=1)
    names = ("local_day", "offset_before", "offset_after", "switch_from", "switch_to")
    connection.register(
        "zone_rows", pa.table(dict(zip(names, (list(c) for c in zip(*rows, strict=True)), strict=True)))
    )
    connection.execute(f"create temp table {table} as select * from zone_rows")
    connection.unregister("zone_rows")


def _zone_day(info: ZoneInfo, day: date) -> tuple[date, int, int, datetime | None, datetime | None]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=info)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=info)
    before, after = _seconds(midnight), _seconds(end)
    if before == after:
        return day, before, after, None, None
    first = datetime(day.year, day.month, day.day)
    for quarter in range(96):
        local = first + timedelta(minutes=15 * quarter)
        changed = _seconds(local.replace(tzinfo=info, fold=1)) != before
        if changed:
            return day, before, after, local, local + timedelta(seconds=abs(after - before))
    return day, before, after, None, None


def _seconds(moment: datetime) -> int:
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset else 0
