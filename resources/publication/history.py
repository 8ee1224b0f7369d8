"""What a published file remembers of its publications, and what the engine remembers of its targets.

Belongs here: `bi.publication`, `bi.publication_column`, `bi.publication_digest`, `bi.publication_value_change` and `run.publication_state`.
Does not belong here: building and replacing the file (`publishing`, `published_file`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.errors import KetenError

if TYPE_CHECKING:
    import duckdb

VALUES = "rpt_indicator_value"
VALUE_KEY = ("indicator_id", "period_type", "period_code", "level_code", "scope_code")
UNEXPLAINED = "select '' as period_code, '' as reason, '' as decided_by limit 0"
VALUE_COLUMNS = (*VALUE_KEY, "value", "value_status")
STATE = "run.publication_state"
CARRIED_OVER = ("publication", "publication_digest", "publication_value_change")

# Tables of the file itself: key, comment, columns. `publication_id` is added to each as the last column.
TABLES: dict[str, tuple[tuple[str, ...], str, tuple[tuple[str, str, str], ...]]] = {
    "publication": (
        ("run_id",),
        "Publicaties, de eerste tot en met deze / Publications, from the first to this one. Grain: publication",
        (
            ("run_id", "VARCHAR", "Run die publiceerde / Run that published"),
            ("published_at", "TIMESTAMP", "Gepubliceerd op (UTC) / Published at (UTC)"),
            ("as_of", "DATE", "Peildatum / Reference date"),
            ("input_fingerprint", "VARCHAR", "Vingerafdruk van de invoer / Fingerprint of the input"),
            ("status", "VARCHAR", "Voorlopig, definitief of herzien / Provisional, final or restated"),
        ),
    ),
    "publication_digest": (
        ("table_name",),
        "Aantal regels en controlegetal per tabel / Rows and digest by table. Grain: publication, table",
        (
            ("table_name", "VARCHAR", "Tabel; __declaration: typen en views / Table; __declaration: types and views"),
            ("row_count", "BIGINT", "Aantal regels / Number of rows"),
            ("digest", "VARCHAR", "Controlegetal, ongeacht volgorde / Digest, whatever the order"),
        ),
    ),
    "publication_column": (
        ("table_name", "column_name"),
        "Eenheid, codelijst en dimensie van kolommen / Unit, code list and dimension of columns. Grain: table, column",
        (
            ("table_name", "VARCHAR", "Tabel / Table"),
            ("column_name", "VARCHAR", "Kolom / Column"),
            ("unit_code", "VARCHAR", "Eenheid / Unit"),
            ("code_list", "VARCHAR", "Codelijst in dim_code / Code list in dim_code"),
            (
                "refers_to",
                "VARCHAR",
                "Dimensietabel waarvan dit de sleutel is / Dimension table of which this is the key",
            ),
        ),
    ),
    "publication_value_change": (
        VALUE_KEY,
        "Gepubliceerde waarden die veranderden / Published values that changed. Grain: publication, value",
        (
            ("indicator_id", "VARCHAR", "Indicator / Indicator"),
            ("period_type", "VARCHAR", "Soort periode / Kind of period"),
            ("period_code", "VARCHAR", "Periode / Period"),
            ("level_code", "VARCHAR", "Niveau / Level"),
            ("scope_code", "VARCHAR", "Waarop de waarde slaat / What the value is about, in natural keys"),
            ("old_value", "DECIMAL(28,6)", "Waarde in de vorige publicatie / Value in the publication before"),
            ("new_value", "DECIMAL(28,6)", "Waarde vanaf deze publicatie / Value from this publication on"),
            ("old_status", "VARCHAR", "Status daarvoor / Status before"),
            ("new_status", "VARCHAR", "Status daarna; leeg: vervallen / Status after; empty: no longer published"),
            ("reason", "VARCHAR", "Reden, van een periode die definitief was / Reason, of a period that was final"),
            ("decided_by", "VARCHAR", "Wie de wijziging toeliet / Who let the change in"),
        ),
    ),
    "surrogate_key": (
        ("dimension", "natural_key", "key"),
        "Register van sleutels / Register of keys. Grain: dimension, natural key",
        (
            ("dimension", "VARCHAR", "Dimensie / Dimension"),
            ("natural_key", "VARCHAR", "Eigen code / Natural key"),
            ("key", "BIGINT", "Sleutel, nooit hergebruikt / Key, never reused"),
        ),
    ),
}


def last_publication(connection: duckdb.DuckDBPyConnection, alias: str, target: Path) -> dict[str, Any]:
    """The latest publication in an attached file; KetenError when it is not a published file."""
    if not columns(connection, alias, "publication"):
        raise KetenError(f"{target} is not a file that was published here; move it away or choose another target")
    row = connection.execute(
        "select publication_id, input_fingerprint, run_id, published_at, as_of, status"
        f" from {alias}.bi.publication order by publication_id desc limit 1"
    ).fetchone()
    if row is None:
        raise KetenError(f"{target} holds no publication; move it away and run again")
    return dict(zip(("number", "fingerprint", "run_id", "published_at", "as_of", "status"), row, strict=True))


def last_digests(connection: duckdb.DuckDBPyConnection, alias: str, number: int) -> dict[str, tuple[int, str]]:
    """Rows and digest by table of one publication in an attached file."""
    rows = connection.execute(
        f"select table_name, row_count, digest from {alias}.bi.publication_digest where publication_id = ?", [number]
    ).fetchall()
    return {name: (count, digest) for name, count, digest in rows}


def carry_over(connection: duckdb.DuckDBPyConnection, previous: str, following: str, table: str) -> None:
    """Copy the earlier rows of a history table."""
    if columns(connection, previous, table):
        order = ", ".join(("publication_id", *TABLES[table][0]))
        connection.execute(
            f"insert into {following}.bi.{table} by name select * from {previous}.bi.{table} order by {order}"
        )


def write_publication(connection: duckdb.DuckDBPyConnection, alias: str, number: int, run: Mapping[str, Any]) -> None:
    """Add the line of this publication."""
    told = [run[name] for name in ("run_id", "published_at", "as_of", "input_fingerprint")]
    status = run.get("status", "provisional")
    connection.execute(f"insert into {alias}.bi.publication values (?, ?, ?, ?, ?, ?)", [*told, status, number])


def write_digests(
    connection: duckdb.DuckDBPyConnection, alias: str, number: int, digests: Mapping[str, tuple[int, str]]
) -> None:
    """Add the digests of this publication."""
    rows = [[name, count, digest, number] for name, (count, digest) in sorted(digests.items())]
    connection.executemany(f"insert into {alias}.bi.publication_digest values (?, ?, ?, ?)", rows)


def write_columns(
    connection: duckdb.DuckDBPyConnection, alias: str, number: int, rows: Sequence[Sequence[str | None]]
) -> None:
    """Add what neither type nor comment says of the columns of this publication."""
    if rows:
        connection.executemany(
            f"insert into {alias}.bi.publication_column values (?, ?, ?, ?, ?, ?)", [[*row, number] for row in rows]
        )


def write_value_changes(
    connection: duckdb.DuckDBPyConnection, previous: str, following: str, number: int, explanations: str
) -> int:
    """Add the values that differ from the file before or are gone; a value published first is no change.

    `explanations` is SQL of period_code, reason and decided_by of the periods whose values were final.
    """
    if not has_values(connection, previous):
        return 0
    changes = changes_select(f"{previous}.bi.{VALUES}", f"{following}.bi.{VALUES}")
    key = ", ".join(VALUE_KEY)
    row = connection.execute(
        f"insert into {following}.bi.publication_value_change by name"
        f" select c.*, e.reason, e.decided_by, {number} as publication_id"
        f" from ({changes}) c left join ({explanations}) e using (period_code) order by {key}"
    ).fetchone()
    return int(row[0]) if row else 0


def has_values(connection: duckdb.DuckDBPyConnection, alias: str) -> bool:
    """Whether an attached file shows values that can be compared."""
    return set(VALUE_COLUMNS) <= columns(connection, alias, VALUES)


def changes_select(previous: str, following: str) -> str:
    """SQL of the values of one table that another shows otherwise or not at all."""
    key = ", ".join(f"o.{c}" for c in VALUE_KEY)
    return (
        f"select {key}, o.value as old_value, n.value as new_value, o.value_status as old_status,"
        f" n.value_status as new_status from {previous} o left join {following} n using ({', '.join(VALUE_KEY)})"
        " where o.value is distinct from n.value or o.value_status is distinct from n.value_status"
    )


def ensure_state(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the engine's memory of its targets when it is not there."""
    connection.execute("create schema if not exists run")
    connection.execute(
        f"create table if not exists {STATE} (target VARCHAR, publication_id BIGINT, reserved_id BIGINT,"
        " run_id VARCHAR, input_fingerprint VARCHAR, published_at TIMESTAMP)"
    )


def highest_number(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The highest number this engine gave out or reserved; None for an engine that never published."""
    row = connection.execute(f"select max(greatest(publication_id, reserved_id)) from {STATE}").fetchone()
    return row[0] if row else None


def applied_number(connection: duckdb.DuckDBPyConnection) -> int:
    """The highest number that reached a target; 0 when none did."""
    row = connection.execute(f"select coalesce(max(publication_id), 0) from {STATE}").fetchone()
    return int(row[0]) if row else 0


def reserve(connection: duckdb.DuckDBPyConnection, target: Path, number: int) -> None:
    """Note, before the file is replaced, the number it is about to have."""
    known = connection.execute(f"select 1 from {STATE} where target = ?", [str(target)]).fetchone()
    if known:
        connection.execute(
            f"update {STATE} set reserved_id = greatest(reserved_id, ?) where target = ?", [number, str(target)]
        )
    else:
        columns = "target, publication_id, reserved_id"
        connection.execute(f"insert into {STATE} ({columns}) values (?, 0, ?)", [str(target), number])


def note_applied(connection: duckdb.DuckDBPyConnection, target: Path, number: int, run: Mapping[str, Any]) -> None:
    """Note that the target shows this number for this input."""
    reserve(connection, target, number)
    connection.execute(
        f"update {STATE} set publication_id = greatest(publication_id, ?), run_id = ?, input_fingerprint = ?,"
        " published_at = ? where target = ?",
        [number, run["run_id"], run["input_fingerprint"], run["published_at"], str(target)],
    )


def columns(connection: duckdb.DuckDBPyConnection, alias: str, table: str) -> set[str]:
    """The columns of a table in an attached file; empty when there is no such table."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = 'bi' and table_name = ?",
        [alias, table],
    ).fetchall()
    return {name for (name,) in rows}


def tells_reasons(connection: duckdb.DuckDBPyConnection, alias: str) -> bool:
    """Whether the changed values of an attached file carry reasons; those of an older version do not."""
    return "decided_by" in columns(connection, alias, "publication_value_change")


def applied_input(connection: duckdb.DuckDBPyConnection, target: Path) -> str | None:
    """The fingerprint of the input a target shows; None when this engine never published there."""
    ensure_state(connection)
    row = connection.execute(f"select input_fingerprint from {STATE} where target = ?", [str(target)]).fetchone()
    return row[0] if row else None
