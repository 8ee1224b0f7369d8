"""Rows of a query in a database of the sender: with all their digits, on from the last one, and nothing written there."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import tiny
from tests.postgres_server import PASSWORD, PostgresServer
from tests.sources import Pulling

NAME = "meter_reading.jsonl"
SQLITE = "select meter, day, kwh, changed_at from reading where changed_at > :since order by changed_at, meter"
SINCE = {"column": "changed_at", "start": "2025-02-01 00:00:00"}


@pytest.fixture
def pulling(tmp_path: Path) -> Pulling:
    return Pulling(tiny(tmp_path))


def landed(pulling: Pulling) -> list[Any]:
    return [json.loads(line) for line in pulling.bytes()[NAME].splitlines()]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "sender.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table reading (meter, day, kwh, changed_at)")
        made.execute("insert into reading values ('E', '2025-02-01', 11, '2025-02-01 12:00:00')")
        made.execute("insert into reading values ('E', '2025-02-02', 12.5, '2025-02-02 12:00:00')")
        made.execute("insert into reading values ('E', '2025-01-01', 1, '2025-01-31 12:00:00')")
        made.commit()
    return path


def add(database: Path, *values: Any) -> None:
    with closing(sqlite3.connect(database)) as made:
        made.execute("insert into reading values (?, ?, ?, ?)", values)
        made.commit()


def test_rows_are_fetched_on_from_where_the_last_pull_ended(pulling: Pulling, database: Path) -> None:
    pulling.declare(sql={"url": f"sqlite:///{database}", "query": SQLITE, "since": SINCE})
    assert pulling.pull().failed == {}
    assert [(row["day"], row["kwh"]) for row in landed(pulling)] == [("2025-02-01", 11), ("2025-02-02", 12.5)]
    assert (pulling.pull().landed, pulling.count()) == ([], 1)
    add(database, "E", "2025-02-03", 13, "2025-02-03 12:00:00")
    pulling.pull()
    assert [row["day"] for row in landed(pulling)] == ["2025-02-03"]


def test_another_query_begins_anew(pulling: Pulling, database: Path) -> None:
    pulling.declare(sql={"url": f"sqlite:///{database}", "query": SQLITE, "since": SINCE})
    pulling.pull()
    pulling.declare(sql={"url": f"sqlite:///{database}", "query": f"{SQLITE} limit 9", "since": SINCE})
    assert pulling.pull().landed == [], "the same rows are one receipt"
    pulling.declare(sql={"url": f"sqlite:///{database}", "query": SQLITE, "since": {**SINCE, "start": "2025-01-01"}})
    pulling.pull()
    assert len(landed(pulling)) == 3


def test_a_query_without_since_gives_all_rows_and_equal_ones_are_one_receipt(pulling: Pulling, database: Path) -> None:
    pulling.declare(sql={"url": f"sqlite:///{database}", "query": "select * from reading order by day"})
    pulling.pull()
    assert (pulling.pull().landed, len(landed(pulling))) == ([], 3)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no table": ({"query": "select * from gone"}, "it refuses (no such table: gone)"),
    "a query that writes": ({"query": "delete from reading"}, "it refuses (attempt to write"),
    "no such file": ({"url": "sqlite:////gone/sender.db"}, "there is no such database file"),
    "two columns of one name": ({"query": "select day, day from reading"}, "two columns of the query are called 'day'"),
    "no driver": ({"url": "nodb://h/d"}, "its driver is not installed"),
    "no url": ({"url": "nothing"}, "the URL cannot be used"),
    "no column": (
        {"query": "select day from reading where day > :since", "since": SINCE},
        "the query has no column 'changed_at' of since.column",
    ),
    "numbers for moments": (
        {"query": "select kwh from reading where day > :since", "since": {**SINCE, "column": "kwh"}},
        "'kwh' holds a number and before that a moment",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_and_nothing_is_landed(pulling: Pulling, database: Path, case: str) -> None:
    changes, words = WRONG[case]
    pulling.declare(sql={"url": f"sqlite:///{database}", "query": "select 1", **changes})
    (told,) = pulling.pull().failed.values()
    assert words in told and told.startswith("sources.yml: us/meter_reading: ")
    assert (pulling.count(), pulling.pauses) == (0, []), "asking again would not help"
    with closing(sqlite3.connect(database)) as there:
        assert there.execute("select count(*) from reading").fetchone() == (3,)


KINDS = """select 1234567890123456789.123456789012::numeric(31,12) as amount, 0.10::numeric as tenth, 0.1::float8 as real,
9007199254740993::bigint as big, date '2025-03-01' as day, timestamp '2025-03-30 01:59:59.5' as moment,
timestamptz '2025-03-30 01:59:59+00' as there, true as is_known, null as gone, E'a"b\\né' as text, '\\x00ff'::bytea as bytes,
'NaN'::numeric as nan, '{"a": [1]}'::jsonb as document"""


def test_numbers_keep_their_digits_and_dates_are_iso(
    pulling: Pulling, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KETEN_TEST_SQL", postgres.url)
    pulling.declare(sql={"url": "${env:KETEN_TEST_SQL}", "query": KINDS})
    assert pulling.pull().failed == {}
    text = pulling.bytes()[NAME].decode()
    assert '"amount": 1234567890123456789.123456789012, "tenth": 0.10, "real": 0.1, "big": 9007199254740993,' in text
    row = json.loads(text)
    assert (row["day"], row["moment"], row["is_known"]) == ("2025-03-01", "2025-03-30T01:59:59.500000", True)
    assert row["there"].startswith("2025-03-30T0")
    assert (row["gone"], row["text"], row["bytes"], row["nan"]) == (None, 'a"b\né', "AP8=", None)
    assert row["document"] == {"a": [1]}


@pytest.fixture
def sender(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    monkeypatch.setenv("KETEN_TEST_SQL", postgres.url)
    with postgres.connect() as connection:
        connection.execute("drop table if exists reading")
        connection.execute("create table reading (meter text, day date, kwh numeric(9,3), changed_at timestamptz)")
        connection.execute("insert into reading values ('E', '2025-02-01', 1.500, '2025-10-26 02:30+02')")
    return postgres


def test_moments_of_a_database_are_gone_on_from(pulling: Pulling, sender: PostgresServer) -> None:
    query = "select * from reading where changed_at > :since order by changed_at"
    pulling.declare(sql={"url": "${env:KETEN_TEST_SQL}", "query": query, "since": {**SINCE, "start": "2025-01-01"}})
    assert pulling.pull().failed == {}
    assert (pulling.pull().landed, pulling.count()) == ([], 1)
    with sender.connect() as connection:
        connection.execute("insert into reading values ('E', '2025-02-02', 2.250, '2025-10-26 02:10+01')")
    pulling.pull()
    assert [row["kwh"] for row in landed(pulling)] == [2.25]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"query": "insert into reading select * from reading returning *"}, "it refuses ("),
        ({"query": "select pg_sleep(600)", "total_seconds": 0.3}, "the 0.3 s for one pull are over"),
        ({"query": "select * from gone"}, 'relation "gone" does not exist'),
    ],
    ids=["writes", "never ends", "no table"],
)
def test_a_query_that_may_not_be_asked_ends(
    pulling: Pulling, sender: PostgresServer, changes: dict[str, Any], words: str
) -> None:
    pulling.declare(sql={"url": "${env:KETEN_TEST_SQL}", **changes})
    (told,) = pulling.pull().failed.values()
    assert words in told and PASSWORD not in told
    with sender.connect() as connection:
        assert connection.execute("select count(*) from reading").fetchone() == (1,)


@pytest.mark.parametrize(("port", "pauses"), [(None, 0), (1, 2)], ids=["another password", "no server"])
def test_a_database_that_does_not_let_in_is_told_without_the_password(
    pulling: Pulling, sender: PostgresServer, monkeypatch: pytest.MonkeyPatch, port: int | None, pauses: int
) -> None:
    url = sender.url_of("postgres", "s3cret-of-another").replace(f":{sender.port}/", f":{port or sender.port}/")
    monkeypatch.setenv("KETEN_TEST_SQL", url)
    pulling.declare(sql={"url": "${env:KETEN_TEST_SQL}", "query": "select 1"})
    (told,) = pulling.pull().failed.values()
    assert "s3cret" not in told and told.startswith("sources.yml: us/meter_reading: ${env:KETEN_TEST_SQL}: ")
    assert len(pulling.pauses) == pauses
