"""Merging: one rule decides which row version is current, in whatever order deliveries arrive or leave.

The oracle is a plain Python reading of the rule, row by row; it shares no code with the SQL.
"""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.engine import SCHEMAS
from resources.intake.merging import DatasetTables

COLUMN = SimpleNamespace(references=None)
CATALOGUE: Any = SimpleNamespace(
    columns={
        "site_id": SimpleNamespace(type="text"),
        "month": SimpleNamespace(type="month"),
        "fte": SimpleNamespace(type="decimal"),
    },
    mappings={},
)
ADDING: Any = SimpleNamespace(
    columns=CATALOGUE.columns,
    mappings={("o", "thing"): SimpleNamespace(origin="o", dataset="thing", delivery="increment")},
)


def contract(delivery: str) -> Any:
    window = SimpleNamespace(scope=["site_id"], period="month") if delivery == "window" else None
    return SimpleNamespace(
        name="thing",
        columns={"site_id": COLUMN, "month": COLUMN, "fte": COLUMN},
        key=["site_id", "month"],
        repeats="drop",
        delivery=delivery,
        window=window,
    )


def tables(delivery: str, deliveries: list, catalogue: Any = CATALOGUE) -> DatasetTables:
    connection = duckdb.connect(":memory:")
    for schema in SCHEMAS:
        connection.execute(f"create schema {schema}")
    connection.execute(
        "create table intake.receipt (receipt_id VARCHAR, origin VARCHAR, dataset VARCHAR, position BIGINT, known_from TIMESTAMP)"
    )
    connection.execute("create table intake.receipt_window (receipt_id VARCHAR, scope VARCHAR, month DATE)")
    for position in range(len(deliveries)):
        connection.execute(
            "insert into intake.receipt values (?, 'o', 'thing', ?, ?)",
            [f"r{position}", position + 1, f"2025-01-{position + 1:02d} 00:00:00"],
        )
    return DatasetTables(connection, catalogue, contract(delivery))


def merge(made: DatasetTables, position: int, rows: dict) -> None:
    values = ", ".join(f"('{s}', date '{m}', {v}, {n})" for n, ((s, m), v) in enumerate(sorted(rows.items()), start=2))
    made.connection.execute(
        "create or replace temp table incoming as select a as site_id, b as month, c::decimal(28, 6) as fte,"
        f" 'r{position}' as receipt_id, d::bigint as row_no, 1::bigint as record_no,"
        f" timestamp '2025-01-{position + 1:02d} 00:00:00' as known_from from (values {values}) t(a, b, c, d)"
    )
    made.insert_settled("incoming", f"r{position}")


def current(made: DatasetTables) -> dict:
    rows = made.connection.execute("select site_id, month, fte, receipt_id from core.thing").fetchall()
    found = {(s, str(m)): (int(v), r) for s, m, v, r in rows}
    assert len(found) == len(rows), "two current rows for one key"
    return found


def oracle(delivery: str, deliveries: list) -> dict:
    held: dict = {}
    for position, rows in enumerate(deliveries):
        if delivery == "full":
            held = {k: v for k, v in held.items() if k in rows}
        if delivery == "window":
            months = sorted(m for _, m in rows)
            sites = {s for s, _ in rows}
            held = {
                (s, m): v
                for (s, m), v in held.items()
                if (s, m) in rows or s not in sites or not months[0] <= m <= months[-1]
            }
        for key, value in rows.items():
            if key not in held or held[key][0] != value:
                held[key] = (value, f"r{position}")
    return held


KEYS = st.tuples(st.sampled_from(["A", "B"]), st.sampled_from(["2025-01-01", "2025-02-01", "2025-03-01"]))
DELIVERY = st.dictionaries(KEYS, st.integers(1, 3), min_size=1, max_size=5)


@pytest.mark.parametrize("delivery", ["increment", "window", "full"])
@settings(max_examples=10, deadline=None)
@given(deliveries=st.lists(DELIVERY, min_size=1, max_size=3))
def test_any_order_of_arrival_gives_what_the_rule_says(delivery: str, deliveries: list) -> None:
    expected = oracle(delivery, deliveries)
    for order in permutations(range(len(deliveries))):
        made = tables(delivery, deliveries)
        for position in order:
            merge(made, position, deliveries[position])
        assert current(made) == expected
        stored = made.connection.execute(
            "select count(*) from (select 1 from core.thing union all select 1 from core.thing__history)"
        ).fetchone()
        assert stored == (sum(len(d) for d in deliveries),), "a row version was lost or doubled"


@pytest.mark.parametrize("delivery", ["window", "full"])
@settings(max_examples=10, deadline=None)
@given(deliveries=st.lists(DELIVERY, min_size=1, max_size=3))
def test_a_sender_whose_files_add_to_each_other_takes_nothing_away(delivery: str, deliveries: list) -> None:
    """Whatever the contract says: its mapping knows that no file of this sender is a complete list."""
    expected = oracle("increment", deliveries)
    for order in permutations(range(len(deliveries))):
        made = tables(delivery, deliveries, ADDING)
        for position in order:
            merge(made, position, deliveries[position])
        assert current(made) == expected


@pytest.mark.parametrize("delivery", ["increment", "window", "full"])
@settings(max_examples=10, deadline=None)
@given(deliveries=st.lists(DELIVERY, min_size=2, max_size=3), gone=st.integers(0, 1))
def test_a_withdrawn_delivery_leaves_no_mark(delivery: str, deliveries: list, gone: int) -> None:
    made = tables(delivery, deliveries)
    for position, rows in enumerate(deliveries):
        merge(made, position, rows)
    made.remove(f"r{gone}")
    without = tables(delivery, deliveries)
    for position, rows in enumerate(deliveries):
        if position != gone:
            merge(without, position, rows)
    assert current(made) == current(without)


def test_history_tells_when_a_value_was_known_and_what_ended_it() -> None:
    deliveries = [{("A", "2025-01-01"): 1}, {("A", "2025-01-01"): 1}, {("A", "2025-01-01"): 2}]
    made = tables("increment", deliveries)
    for position, rows in enumerate(deliveries):
        merge(made, position, rows)
    history = made.connection.execute(
        "select fte, state, receipt_id, ended_by, known_to::date::varchar from core.thing__history order by receipt_id"
    ).fetchall()
    assert [(int(r[0]), *r[1:]) for r in history] == [
        (1, "restated", "r0", "r2", "2025-01-03"),
        (1, "unchanged", "r1", "r1", "2025-01-02"),
    ]
