"""What must hold whenever a run was cut off: one whole publication for readers, every delivery accounted for.

Belongs here: the invariants that several faults are held against. Does not belong here: making the faults.
"""

from __future__ import annotations

from typing import Any

import duckdb
from filelock import FileLock

from tests.deployment import READINGS, Deployment

# Tables of the publication itself: their rows are of many publications, or of none.
HISTORY = {"publication", "publication_digest", "publication_value_change"}
# What tells when deliveries came and which checks a run made is not the same for two runs with the same results.
OF_A_RUN = {"rpt_delivery", "rpt_check"}


def correction(number: int) -> tuple[str, str]:
    """A delivery that corrects one day of February, issued later for every number, with a row that cannot be read."""
    month, day = divmod(number, 28)
    return (
        f"data/meter_reading_2025{3 + month:02d}{day + 1:02d}.csv",
        f"{READINGS}\nE,2025-02-{day + 1:02d},{number}\nE,x,1\n",
    )


def publication(made: Deployment) -> int:
    """The number that readers of the file see."""
    return int(made.rows("select max(publication_id) from bi.publication")[0][0])


def assert_whole(made: Deployment, *numbers: int) -> int:
    """Every table of the file is of one publication, one of these, with the rows that were told of it; its number."""
    number = publication(made)
    assert number in numbers
    tables = {r[0] for r in made.rows("select table_name from duckdb_tables() where schema_name = 'bi'")} - HISTORY
    counted = " union all ".join(
        f"select '{t}', count(*), count(*) filter (publication_id <> {number}) from bi.{t}" for t in sorted(tables)
    )
    told = dict(made.rows(f"select table_name, row_count from bi.publication_digest where publication_id = {number}"))
    for table, rows, foreign in made.rows(counted):
        assert (rows, foreign) == (told.get(table, rows), 0), f"{table} is torn"
    return number


def assert_unlocked(made: Deployment) -> None:
    """Nothing keeps the lock: the operating system frees it with the process."""
    FileLock(made.home / "run.lock").acquire(timeout=0).lock.release()


def assert_accounted(made: Deployment) -> None:
    """No receipt is half loaded: each is loaded and in balance, by the engine itself and not as published."""
    with duckdb.connect(str(made.home / "engine.duckdb"), read_only=True) as engine:
        states = engine.execute("select distinct state from intake.receipt").fetchall()
        unbalanced = engine.execute(
            "select receipt_id from bi.rpt_delivery where received_rows <> accepted_rows + quarantined_rows + ignored_rows"
        ).fetchall()
    assert (states, unbalanced) == ([("loaded",)], [])


def results(made: Deployment) -> dict[str, Any]:
    """Digest by table of what was computed."""
    return {table: digest for table, digest in made.digests().items() if table not in OF_A_RUN}
