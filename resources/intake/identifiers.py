"""Our ids in the place of the numbers under which a sender knows a site, a meter, an organisation.

Belongs here: what the dataset `identifier` says of one sender, and putting our ids into the judged rows of its deliveries.
Does not belong here: rows whose reference stays unknown (merging), and what to suggest for them (assets).

An entry of the sender goes before an equal id of our own: it says what this sender means by it. It counts on the days on
which it holds; rows of a dataset without a period of its own, such as a list of meters, take the entry that began last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Contract
    from resources.intake.judged_rows import JudgedRows

IDENTIFIER = "identifier"
_KNOWN = (
    "select external_id, entity_id as own, valid_from as begins, valid_to as ends from core.identifier"
    " where origin_code = ? and entity_code = ?"
)


def entries_of(connection: duckdb.DuckDBPyConnection, contract: Contract, origin: str) -> str:
    """What is known of the numbers of a sender that a dataset may hold, as one text: when it changes, rows may change."""
    entities = sorted({c.references for c in contract.columns.values() if c.references})
    if not entities:
        return ""
    rows = connection.execute(
        "select entity_code, external_id, entity_id, valid_from, valid_to from core.identifier"
        " where origin_code = ? and list_contains(?, entity_code) order by all",
        [origin, entities],
    ).fetchall()
    return repr(rows) if rows else ""


def translate(judged: JudgedRows, contract: Contract, origin: str) -> None:
    """Put our id where a row holds a number that is known of its sender. Rows are looked at only where one may occur."""
    run = judged.connection.execute
    day = contract.period
    for column, declared in contract.columns.items():
        if not declared.references:
            continue
        run(f"create or replace temp table own_id as {_KNOWN}", [origin, declared.references])
        if not run("select 1 from own_id limit 1").fetchone():
            continue
        values = f"select distinct {column} as value from {judged.whole}"
        if not run(f"select 1 from ({values}) where value in (select external_id from own_id) limit 1").fetchone():
            continue
        judged.store(column, "VARCHAR")
        holds = f"begins <= r.{day} and coalesce(ends > r.{day}, true)" if day else "true"
        last = "qualify row_number() over (partition by id order by begins desc) = 1"
        found = f"select id, own from {judged.whole} r join own_id o on o.external_id = r.{column} where {holds} {last}"
        run(f"update {judged.table} set {column} = own from ({found}) where {judged.table}.rowid = id")
