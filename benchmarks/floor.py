"""The floor: DuckDB's bare typed read of the same file. It delivers none of the outputs; nothing can be faster."""

from __future__ import annotations

from pathlib import Path

from benchmarks.data import Delivery


def prepare(out: Path) -> None:
    """Import what the work needs."""
    import duckdb  # noqa: F401


def work(delivery: Delivery, out: Path) -> None:
    """Read text, stamps and numbers, and keep nothing but their number."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(
            "select count(e), count(try_strptime(t, '%d-%m-%Y %H:%M')),"
            " count(try_cast(replace(v, ',', '.') as decimal(18, 6)))"
            f" from read_csv('{delivery.readings}', delim = ';', header = false, skip = 1, auto_detect = false,"
            " columns = {'e': 'VARCHAR', 't': 'VARCHAR', 'v': 'VARCHAR', 's': 'VARCHAR'})"
        ).fetchall()
