"""The append-only register of surrogate keys: (dimension, natural key) -> integer, never reused.

Belongs here: giving out keys and reading them back. Does not belong here: what a dimension shows.
-1 stands for unknown and -2 for not applicable; both are never given out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.publication.published_file import attached

if TYPE_CHECKING:
    import duckdb

    from resources.engine import Engine

UNKNOWN = -1
NOT_APPLICABLE = -2
REGISTER = "register.surrogate_key"
_SOURCE = "keten_restore"


def ensure_register(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the register when it is not there."""
    connection.execute("create schema if not exists register")
    connection.execute(f"create table if not exists {REGISTER} (dimension VARCHAR, natural_key VARCHAR, key BIGINT)")


def assign_keys(engine: Engine, dimension: str, select_sql: str) -> int:
    """Give the natural keys of a select with one column the next keys of the dimension; returns how many were new.

    New keys follow the highest key ever given out, in the order of the natural keys; NULL gets none.
    """
    ensure_register(engine.connection)
    row = engine.connection.execute(
        f"""
        insert into {REGISTER}
        with known as (select natural_key, key from {REGISTER} where dimension = $dimension),
        found as (
            select distinct cast(natural_key as varchar) as natural_key from ({select_sql}) as wanted(natural_key)
            where natural_key is not null
        )
        select $dimension, found.natural_key,
            (select coalesce(max(key), 0) from known) + row_number() over (order by found.natural_key)
        from found anti join known on known.natural_key = found.natural_key
        """,
        {"dimension": dimension},
    ).fetchone()
    return int(row[0]) if row else 0


def restore_keys(engine: Engine, published_path: Path | str) -> int:
    """Take over the keys of a published file, before the first `assign_keys` of a rebuilt engine; returns how many.

    Raises KetenError when the engine has already given out other keys.
    """
    connection = engine.connection
    ensure_register(connection)
    with attached(connection, Path(published_path), _SOURCE) as present:
        if not present or not has_register(connection, _SOURCE):
            return 0
        clash = connection.execute(
            f"select p.dimension, p.natural_key from {_SOURCE}.bi.surrogate_key p join {REGISTER} r"
            " on r.dimension = p.dimension and (r.natural_key = p.natural_key) <> (r.key = p.key) limit 1"
        ).fetchone()
        if clash:
            raise KetenError(
                f"{published_path}: {clash[0]} '{clash[1]}' has another key than in this engine;"
                " delete the engine file and run again, so that it is rebuilt with the published keys"
            )
        row = connection.execute(f"insert into {REGISTER} {_not_registered(_SOURCE)}").fetchone()
    return int(row[0]) if row else 0


def unregistered_keys(connection: duckdb.DuckDBPyConnection, alias: str) -> int:
    """How many keys of an attached published file the engine's register does not hold."""
    if not has_register(connection, alias):
        return 0
    row = connection.execute(f"select count(*) from ({_not_registered(alias)})").fetchone()
    return int(row[0]) if row else 0


def has_register(connection: duckdb.DuckDBPyConnection, alias: str) -> bool:
    """Whether an attached file has published keys."""
    found = connection.execute(
        "select 1 from duckdb_tables() where database_name = ? and schema_name = 'bi' and table_name = 'surrogate_key'",
        [alias],
    ).fetchone()
    return found is not None


def _not_registered(alias: str) -> str:
    return f"select dimension, natural_key, key from {alias}.bi.surrogate_key except select * from {REGISTER}"
