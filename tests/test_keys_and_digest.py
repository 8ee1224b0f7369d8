"""Surrogate keys that keep their meaning, and digests that another database could compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import md5
from pathlib import Path

import duckdb
import pytest

from resources.engine import Engine
from resources.errors import KetenError
from resources.publication.digest import PARTS, digest_by_part, table_digest
from resources.publication.key_register import assign_keys, restore_keys
from resources.publication.publishing import publish


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty engine."""
    with Engine(None, tmp_path) as made:
        yield made


def test_keys_follow_the_natural_order_and_are_never_reused(engine):
    assert assign_keys(engine, "party", "select * from (values ('C'), ('A'), (null), ('A'))") == 2
    assert assign_keys(engine, "party", "select * from (values ('B'), ('C'))") == 1
    assert assign_keys(engine, "party", "select 'B'") == 0
    known = engine.connection.execute(
        "select natural_key, key from register.surrogate_key where dimension = 'party' order by key"
    ).fetchall()
    assert known == [("A", 1), ("C", 2), ("B", 3)]


def test_restored_keys_win_over_order(tmp_path):
    target = tmp_path / "published.duckdb"
    with duckdb.connect(str(target)) as file:
        file.execute("create schema bi")
        file.execute(
            "create table bi.surrogate_key as select * from (values ('site', 'UTR', 1::bigint), ('site', 'AMS', 2))"
            " known(dimension, natural_key, key)"
        )
    with Engine(None, target.parent) as rebuilt:
        assert restore_keys(rebuilt, target) == 2
        assert restore_keys(rebuilt, target) == 0
        assign_keys(rebuilt, "site", "select * from (values ('AMS'), ('UTR'), ('AAA'))")
        known = rebuilt.connection.execute("select natural_key from register.surrogate_key order by key").fetchall()
    assert known == [("UTR",), ("AMS",), ("AAA",)]
    with Engine(None, target.parent) as hasty:
        assign_keys(hasty, "site", "select 'AMS'")
        with pytest.raises(KetenError, match="has another key"):
            restore_keys(hasty, target)


def test_engine_without_the_published_keys_may_not_publish(engine, tmp_path):
    run = {"run_id": "r", "published_at": None, "as_of": None, "input_fingerprint": "f"}
    assign_keys(engine, "site", "select 'AMS'")
    publish(engine, tmp_path / "keten.duckdb", {}, {}, run)
    with (
        Engine(None, tmp_path) as rebuilt,
        pytest.raises(KetenError, match="1 surrogate keys that this engine does not"),
    ):
        publish(rebuilt, tmp_path / "keten.duckdb", {}, {}, run)


ROWS = [("a", "1.5", None), ("b", None, "2025-01-01"), ("b", None, "2025-01-01")]


def digest_of(engine: Engine, lines: Sequence[tuple[object, ...]]) -> tuple[int, str]:
    """Digest of rows of text, decimal and date."""
    engine.connection.execute("create or replace table run.d (t VARCHAR, n DECIMAL(28,6), d DATE)")
    engine.connection.executemany("insert into run.d values (?, ?, ?)", lines)
    return table_digest(engine.connection, "run.d", ("t", "n", "d"))


def test_digest_ignores_row_order_and_counts_repeats(engine):
    assert digest_of(engine, ROWS) == digest_of(engine, ROWS[::-1])
    assert digest_of(engine, ROWS) != digest_of(engine, ROWS[:2])


@pytest.mark.parametrize(
    "other", [("", "1.5", None), (None, "1.5", None), ("a", "1.500001", None), ("a", None, "2025-01-01")]
)
def test_digest_tells_values_apart(engine, other):
    assert digest_of(engine, [("a", "1.5", None)]) != digest_of(engine, [other])


def test_digest_can_be_computed_elsewhere(engine):
    engine.connection.execute(
        "create table run.e as select 'é|' as t, null::varchar as u, '' as e, 1.5::decimal(28,6) as n,"
        " timestamp '2025-03-31 10:15:00.5' as s, true as b, date '2025-03-31' as d, 12::bigint as i"
    )
    line = "2:é|~0:8:1.50000026:2025-03-31T10:15:00.5000004:true10:2025-03-312:12"
    expected = format(int(md5(line.encode()).hexdigest()[:15], 16), "x")
    assert table_digest(engine.connection, "run.e", ("t", "u", "e", "n", "s", "b", "d", "i")) == (1, expected)


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        ("select 1", set()),
        ("update run.d set n = 7 where t = 'b'", {"b"}),
        ("delete from run.d where t = 'b'", set()),
        ("insert into run.d values ('c', 1, null), ('c', null, null)", {"c"}),
        ("alter table run.d alter n type DECIMAL(28,3)", {"a", "b"}),
    ],
)
def test_a_digest_by_part_is_that_of_the_whole_and_only_parts_that_changed_are_computed(engine, change, anew):
    digest_of(engine, ROWS)
    by_part = partial(digest_by_part, engine.connection, "d", "run.d", ("t", "n", "d"), "t")
    assert by_part() == table_digest(engine.connection, "run.d", ("t", "n", "d"))
    kept = set(engine.connection.execute(f"select rowid from {PARTS}").fetchall())
    engine.connection.execute(change)
    assert by_part() == table_digest(engine.connection, "run.d", ("t", "n", "d"))
    now = engine.connection.execute(f"select rowid, part from {PARTS}").fetchall()
    assert {part for place, part in now if (place,) not in kept} == anew


def test_a_table_without_rows_has_a_digest_by_part(engine):
    digest_of(engine, ROWS[:1])
    engine.connection.execute("delete from run.d")
    assert digest_by_part(engine.connection, "d", "run.d", ("t", "n", "d"), "t") == (0, "0")


def test_doubles_have_no_digest(engine):
    with pytest.raises(KetenError, match="publish it as a decimal"):
        table_digest(engine.connection, "(select 1.5::double as x)", ("x",))
