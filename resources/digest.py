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
from typing import TYPE_CHECKING

from resources.errors import KetenError

if TYPE_CHECKING:
    import duckdb

_PLAIN = ("VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "BOOLEAN", "DATE")


def table_digest(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> tuple[int, str]:
    """Number of rows and digest of the columns of a table (or of a select in brackets).

    Raises KetenError when a column has a type without a canonical text.
    """
    listed = ", ".join(f'"{c}"' for c in columns)
    described = connection.execute(f"describe select {listed} from {table}").fetchall()
    line = " || ".join(_canonical(table, name, kind) for name, kind, *_ in described)
    row = connection.execute(
        "select count(*), coalesce(sum(cast('0x' || substr(md5(line), 1, 15) as bigint)), 0)"
        f" from (select {line} as line from {table})"
    ).fetchone()
    assert row is not None  # an aggregate without group by has one row
    return int(row[0]), format(int(row[1]), "x")


def _canonical(table: str, name: str, kind: str) -> str:
    if kind == "TIMESTAMP":
        text = f"strftime(\"{name}\", '%Y-%m-%dT%H:%M:%S.%f')"
    elif kind.split("(")[0] in _PLAIN:
        text = f'cast("{name}" as varchar)'
    else:
        raise KetenError(f"{table}: column {name} is {kind}, without a canonical text; publish it as a decimal or text")
    return f"case when \"{name}\" is null then '~' else length({text}) || ':' || {text} end"
