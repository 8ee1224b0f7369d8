"""What one delivery says twice: the doubled hour, repeats of a key, and the original text of what is set aside.

Belongs here: steps over the judged rows of one delivery together. Does not belong here: judging one row, or merging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.reading import FileFacts, name, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from resources.catalogue import Contract, Mapping


def row_text(headings: tuple[str, ...], mapping: Mapping) -> str:
    """SQL of the original cells of a row, joined by the sender's delimiter."""
    cells = ", ".join(f"coalesce({name(h)}, '')" for h in headings)
    return f"concat_ws({text(mapping.format.delimiter)}, {cells})"


def resolve_ambiguous(connection: duckdb.DuckDBPyConnection, stage: str, key: Iterable[str], mapping: Mapping) -> None:
    """Local time runs twice through one hour; order of arrival tells which came first. The later gets one hour more.

    Sender newest-first: `first_is_winter`. Rows were given summer time by the judge.
    """
    first = mapping.time is not None and mapping.time.ambiguous == "first_is_summer"
    if not connection.execute(f"select 1 from {stage} where is_ambiguous limit 1").fetchone():
        return
    order = "row_no" if first else "row_no desc"
    listed = ", ".join(key)
    connection.execute(
        f"update {stage} set start_utc = start_utc + interval 1 hour, end_utc = end_utc + interval 1 hour"
        f" from (select row_no as r, record_no as n, row_number() over (partition by {listed} order by {order}, record_no) as turn"
        f" from {stage} where is_ambiguous) where row_no = r and record_no = n and turn = 2"
    )


def resolve_repeats(connection: duckdb.DuckDBPyConnection, stage: str, contract: Contract) -> None:
    """Repeats inside one delivery: numbered, or dropped when equal; a conflict is quarantined as a whole."""
    good = "ignored_reason is null and reasons is null"
    key = ", ".join(contract.key)
    others = ", ".join(c for c in contract.columns if c not in contract.key) or "1"
    if contract.repeats == "number":
        connection.execute(
            f"update {stage} set repeat_no = turn from (select row_no as r, record_no as n, row_number() over (partition by {key}"
            f" order by {others}, row_no, record_no) as turn from {stage} where {good}) where row_no = r and record_no = n"
        )
        return
    connection.execute(
        f"create or replace temp table repeated as select {key} from {stage} where {good} group by all having count(*) > 1"
    )
    if not connection.execute("select 1 from repeated limit 1").fetchone():
        return
    same = " and ".join(f"s.{c} is not distinct from p.{c}" for c in contract.key)
    connection.execute(
        f"create or replace temp table verdict as select row_no as r, record_no as n,"
        f" count(distinct row({others})) over (partition by {key}) as kinds,"
        f" row_number() over (partition by {key} order by row_no, record_no) as turn"
        f" from {stage} s where {good} and exists (select 1 from repeated p where {same})"
    )
    connection.execute(
        f"update {stage} set ignored_reason = 'exact_repeat' from verdict"
        " where row_no = r and record_no = n and kinds = 1 and turn > 1"
    )
    connection.execute(
        f"update {stage} set reasons = ['conflicting_repeat'] from verdict where row_no = r and record_no = n and kinds > 1"
    )


def fill_row_text(
    connection: duckdb.DuckDBPyConnection, table: str, raw: str, facts: FileFacts, mapping: Mapping
) -> None:
    """Give quarantined rows that lack it their original text; the file is read again only when there are any."""
    if not connection.execute(f"select 1 from {table} where len(reasons) > 0 and row_text is null limit 1").fetchone():
        return
    whole = row_text(facts.headings, mapping)
    connection.execute(
        f"update {table} set row_text = t from (select row_no as r, {whole} as t from ({raw}) where row_no in"
        f" (select row_no from {table} where len(reasons) > 0 and row_text is null)) where row_no = r and row_text is null"
        " and len(reasons) > 0"
    )
