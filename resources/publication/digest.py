"""Order-free digests of tables: two tables with the same rows have the same digest, in any order, in any database.

Belongs here: the canonical text of a row and its digest. Does not belong here: which tables are published.

Canonical text of a row: the texts of its columns in the order given, one after the other, each as
`<length in characters>:<text>`, and `~` for NULL, so that NULL, an empty text and a shifted border all differ.
Text is taken as it is (UTF-8), whole numbers in base 10, decimals with all digits of their declared scale,
booleans `true` or `false`, dates `2025-03-31`, timestamps `2025-03-31T10:15:00.000000` (six digits, no zone).
Doubles are refused: their text differs by database.

Digest: the sum over the rows of the first 15 hexadecimal digits of md5(canonical text), read as a number, in lower
case hexadecimal; beside it the number of rows. PostgreSQL computes the same with
`sum(('x0' || substr(md5(line), 1, 15))::bit(64)::bigint)` over numeric(28,6), `to_char` and `length`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resources.errors import KetenError

if TYPE_CHECKING:
    import duckdb

PARTS = "run.digest_part"
_SUM = "coalesce(sum(cast('0x' || substr(md5(line), 1, 15) as bigint)), 0)"
_SAME = "(k.name, k.shape, k.part, k.rows, k.hash) = (n.name, n.shape, n.part, n.rows, n.hash)"
_PLAIN = ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "BOOLEAN", "DATE")


def table_digest(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> tuple[int, str]:
    """Number of rows and digest of the columns of a table (or of a select in brackets).

    Raises KetenError when a column has a type without a canonical text.
    """
    line = _line(table, _shape(connection, table, columns))
    row = connection.execute(f"select count(*), {_SUM} from (select {line} as line from {table})").fetchone()
    return _told(row)


def digest_by_part(
    connection: duckdb.DuckDBPyConnection, name: str, table: str, columns: Sequence[str], part: str
) -> tuple[int, str]:
    """As `table_digest`, added up from parts of the table: the rows of each value of the column `part`.

    `run.digest_part` keeps the digest of each part under `name`. Only of parts that changed it is computed: DuckDB's own
    hash of a row, which differs by version and so serves nobody else, takes a fortieth of the time.
    """
    shape = _shape(connection, table, columns)
    listed = ", ".join(f'"{c}"' for c in columns)
    run = connection.execute
    run(
        f"create table if not exists {PARTS} (name VARCHAR, shape VARCHAR, part VARCHAR, rows BIGINT, hash HUGEINT, digest HUGEINT)"
    )
    run(
        f"create or replace temp table part_now as select '{name}' as name, $shape as shape, cast(\"{part}\" as varchar) as part,"
        f" count(*) as rows, sum(hash({listed})) as hash from {table} group by all",
        {"shape": str(shape)},
    )
    run(f"delete from {PARTS} k where name = $name and not exists (from part_now n where {_SAME})", {"name": name})
    run(f"create or replace temp table part_new as from part_now n where not exists (from {PARTS} k where {_SAME})")
    run(
        f"insert into {PARTS} select n.*, digest from part_new n join (select part, {_SUM} as digest from"
        f' (select cast("{part}" as varchar) as part, {_line(table, shape)} as line from {table}'
        f' where cast("{part}" as varchar) in (select part from part_new)) group by part) using (part)'
    )
    return _told(run(f"select sum(rows), sum(digest) from {PARTS} where name = $name", {"name": name}).fetchone())


def _shape(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Names and types of columns, in their order."""
    listed = ", ".join(f'"{c}"' for c in columns)
    return [(name, kind) for name, kind, *_ in connection.execute(f"describe select {listed} from {table}").fetchall()]


def _line(table: str, shape: list[tuple[str, str]]) -> str:
    """SQL of the canonical text of a row."""
    return " || ".join(_canonical(table, name, kind) for name, kind in shape)


def _told(row: tuple[Any, ...] | None) -> tuple[int, str]:
    count, total = row or (0, 0)
    return int(count or 0), format(int(total or 0), "x")


def _canonical(table: str, name: str, kind: str) -> str:
    if kind == "TIMESTAMP":
        text = f"strftime(\"{name}\", '%Y-%m-%dT%H:%M:%S.%f')"
    elif kind.split("(")[0] in _PLAIN:
        text = f'cast("{name}" as varchar)'
    else:
        raise KetenError(f"{table}: column {name} is {kind}, without a canonical text; publish it as a decimal or text")
    return f"case when \"{name}\" is null then '~' else length({text}) || ':' || {text} end"
