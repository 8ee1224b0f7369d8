"""What one delivery says twice: the doubled hour, and repeats of a key.

Belongs here: steps over the judged rows of one delivery together, in the table `stage`; `rows` is a relation of the same
rows with id, row_no and record_no. Does not belong here: judging one row, or merging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from resources.catalogue import Mapping

_GOOD = "ignored_reason is null and reasons is null"


def resolve_ambiguous(
    connection: duckdb.DuckDBPyConnection,
    stage: str,
    rows: str,
    key: Sequence[str],
    mapping: Mapping,
    stored: Sequence[str],
) -> None:
    """Local time runs twice through one hour; order of arrival tells which came first. The later gets one hour more.

    Sender newest-first: `first_is_winter`. Rows were given summer time by the judge. `stored` are the columns of the stage.
    """
    if not connection.execute(f"select 1 from {stage} where is_ambiguous limit 1").fetchone():
        return
    order = "desc" if mapping.time and mapping.time.ambiguous == "first_is_winter" else "asc"
    moved = ["end_utc"] if mapping.time and mapping.time.stamp == "moment" else ["start_utc", "end_utc"]
    later = ", ".join(f"{c} = {c} + interval 1 hour" for c in moved if c in stored)
    connection.execute(
        f"update {stage} set {later} from (select id, row_number() over"
        f" (partition by {', '.join(key)} order by row_no {order}, record_no {order}) as turn from {rows} where is_ambiguous)"
        f" where {stage}.rowid = id and turn = 2"
    )


def number_repeats(
    connection: duckdb.DuckDBPyConnection, stage: str, rows: str, key: Sequence[str], others: Sequence[str]
) -> None:
    """Equal rows are all real: they are told apart by `repeat_no`, in an order that does not depend on the file."""
    order = ", ".join([*others, "row_no", "record_no"])
    connection.execute(
        f"update {stage} set repeat_no = turn from (select id, row_number() over (partition by {', '.join(key)}"
        f" order by {order}) as turn from {rows} where {_GOOD}) where {stage}.rowid = id"
    )


def drop_repeats(
    connection: duckdb.DuckDBPyConnection, stage: str, rows: str, key: Sequence[str], others: Sequence[str]
) -> None:
    """Equal rows are one, the others are ignored; rows of one key that differ are quarantined as a whole."""
    listed, values = ", ".join(key), ", ".join(others) or "1"
    # Keys are compared by their hash first, which takes a quarter of the memory; what has the same hash is compared whole.
    connection.execute(
        f"create or replace temp table suspect as select h from (select hash({listed}) as h from {stage} where {_GOOD})"
        " group by h having count(*) > 1"
    )
    if not connection.execute("select 1 from suspect limit 1").fetchone():
        return
    connection.execute(
        f"create or replace temp table verdict as select id, count(distinct row({values})) over (partition by {listed}) as kinds,"
        f" row_number() over (partition by {listed} order by row_no, record_no) as turn"
        f" from {rows} where {_GOOD} and hash({listed}) in (select h from suspect)"
    )
    connection.execute(
        f"update {stage} set ignored_reason = 'exact_repeat' from verdict where {stage}.rowid = id and kinds = 1 and turn > 1"
    )
    connection.execute(
        f"update {stage} set reasons = 'conflicting_repeat' from verdict where {stage}.rowid = id and kinds > 1"
    )
