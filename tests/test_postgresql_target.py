"""PostgreSQL as a target: readers see one publication, exactly that of the file, whatever happens on the way."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from resources.catalogue.deployment_models import PostgresqlSetting
from resources.errors import KetenError
from resources.targets.port import Unreachable
from resources.targets.postgresql import layout, rows, target
from tests.postgres_server import PASSWORD, PostgresServer
from tests.warehouse import KINDS, SITES, URL, VALUES, Warehouse


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """The URL of a database for these tests; each leaves it empty."""
    return postgres.new_database("warehouse")


@pytest.fixture
def made(
    tmp_path: Path, postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Warehouse]:
    """A publication that the database does not show yet."""
    monkeypatch.setenv(URL, database)
    warehouse = Warehouse(tmp_path, postgres, "warehouse")
    yield warehouse
    warehouse.close()


def assert_same(made: Warehouse) -> None:
    """The database shows just what the file shows."""
    assert made.of_database() == made.of_file()


def restate(made: Warehouse, value: int = 99) -> None:
    made.run(f"update bi.rpt_indicator_value set value = {value} where period_code = '2025-03' and site_key = 1")


def test_it_shows_number_rows_and_comments_of_the_file_after_every_publication(made: Warehouse) -> None:
    assert made.target().applied() is None
    first = made.apply()
    assert (first.number, first.changed, first.notes) == (1, True, ())
    assert_same(made)
    restate(made)
    made.run("delete from bi.rpt_kinds where row_no = 3")
    made.run("insert into bi.rpt_kinds (row_no) values (77)")
    made.apply()
    assert_same(made)
    assert made.target().applied() == 2
    assert made.seen("select distinct publication_id from bi.dim_site") == [(2,)]


def test_it_computes_the_digests_that_the_file_tells(made: Warehouse) -> None:
    made.apply()
    told = made.seen(
        "select table_name, row_count, digest from bi.publication_digest where table_name not like '\\_\\_%'"
    )
    assert {name for name, *_ in told} == {*made.tables, "surrogate_key"}
    kinds = {"surrogate_key": {"dimension": "VARCHAR", "natural_key": "VARCHAR", "key": "BIGINT"}}
    kinds |= {"rpt_indicator_value": VALUES, "dim_site": SITES, "rpt_kinds": KINDS}
    for name, count, digest in told:
        assert rows.digest(made.pg, f"bi.{name}", kinds[name].items()) == (count, digest), name


def test_a_row_that_says_the_same_is_not_written_again(made: Warehouse) -> None:
    made.apply()
    where = "select scope_code, period_code, ctid::text, xmin::text from bi_store.rpt_indicator_value"
    before = set(made.seen(where))
    restate(made)
    applied = made.apply()
    after = set(made.seen(where))
    assert {row[:2] for row in after - before} == {("site=1", "2025-03")}
    history = {"publication", "publication_digest", "publication_value_change"}
    told = sum(len(made.seen(f"select from bi.{name} where publication_id = 2")) for name in history)
    assert applied.rows_changed == 1 + told, "one value, and what the history says of it"


def test_the_same_publication_changes_nothing(made: Warehouse) -> None:
    made.apply()
    again = made.target().apply(made.file, adopt=False)
    assert (again.number, again.changed, again.rows_changed) == (1, False, 0)


def test_rows_that_someone_changed_are_put_right_by_the_next_publication(made: Warehouse) -> None:
    made.apply()
    made.pg.execute("delete from bi_store.rpt_kinds where row_no > 5")
    restate(made)
    made.apply()
    assert_same(made)


def add_column(made: Warehouse) -> None:
    made.run("alter table bi.dim_site add column place_name varchar default 'Eem'")
    made.declare("dim_site", {"site_key": "BIGINT", "place_name": "VARCHAR", **SITES})


def take_column(made: Warehouse) -> None:
    made.views["the_known"] = "select row_no from rpt_kinds where is_known"
    made.declare("rpt_kinds", {name: kind for name, kind in KINDS.items() if name != "moment"})


def other_type(made: Warehouse) -> None:
    made.declare("rpt_kinds", {**KINDS, "factor": "DECIMAL(28,6)"})


def other_key(made: Warehouse) -> None:
    made.run("update bi.rpt_kinds set text = 'none' where text is null")
    made.declare("rpt_kinds", KINDS, key=("text", "row_no"))


def other_words(made: Warehouse) -> None:
    made.declare("dim_site", SITES, comment="buildings")


def other_view(made: Warehouse) -> None:
    made.views["site_values"] = "-- Grain: value.\nselect site_key, value from rpt_indicator_value"


def new_table(made: Warehouse) -> None:
    made.run("create table bi.rpt_more as select site_key, site_name from bi.dim_site")
    made.tables["rpt_more"] = made.tables["dim_site"]
    made.declare("rpt_more", {"site_key": "BIGINT", "site_name": "VARCHAR"})


def table_gone(made: Warehouse) -> None:
    del made.tables["rpt_kinds"]
    made.views["the_known"] = "select site_key, site_id from dim_site"


CHANGES = [add_column, take_column, other_type, other_key, other_words, other_view, new_table, table_gone]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_another_declaration_is_followed_in_the_same_transaction(
    made: Warehouse, change: Callable[[Warehouse], None]
) -> None:
    made.apply()
    change(made)
    restate(made)
    made.apply()
    assert_same(made)
    restate(made, 98)
    made.apply()
    assert_same(made)


def test_what_others_have_in_the_schema_is_left_alone(made: Warehouse) -> None:
    made.apply()
    made.pg.execute("create table bi.budget as select 1 as amount")
    made.pg.execute("create schema mine; create view mine.sites as select * from bi.dim_site")
    restate(made)
    made.apply()
    assert made.seen("select amount from bi.budget") == [(1,)]
    made.pg.execute("drop table bi.budget")
    add_column(made)
    before = made.of_database()
    with pytest.raises(KetenError, match=r"bi.dim_site has another form now.*view mine.sites depends on view"):
        made.apply()
    assert made.of_database() == before
    made.pg.execute("drop view mine.sites")
    made.target().apply(made.file, adopt=False)
    assert_same(made)


def test_a_table_of_another_under_one_of_our_names_is_not_touched(made: Warehouse) -> None:
    made.pg.execute("create schema bi; create table bi.dim_site as select 1 as mine")
    with pytest.raises(KetenError, match=r"bi.dim_site is there already and was not made here"):
        made.apply()
    assert made.seen("select * from bi.dim_site") == [(1,)]
    assert made.target().applied() is None


def ahead(made: Warehouse) -> str:
    made.pg.execute("update bi_store.keten_shown set publication_id = 7")
    return "shows publication 7, but the published file is at 2"


def of_another_engine(made: Warehouse) -> str:
    made.pg.execute("update bi_store.keten_shown set publication_id = 2, run_id = 'x'")
    return "shows another publication 2 than the published file, of run x"


def key_lost(made: Warehouse) -> str:
    made.run("delete from bi.rpt_indicator_value where site_key = 2")
    made.run("delete from bi.dim_site where site_key = 2")
    return "bi.dim_site of the published file lacks 1 keys that readers have"


@pytest.mark.parametrize("history", [ahead, of_another_engine, key_lost], ids=lambda history: history.__name__)
def test_another_history_is_refused_unless_adopted(made: Warehouse, history: Callable[[Warehouse], str]) -> None:
    made.apply()
    restate(made)
    words = history(made)
    with pytest.raises(KetenError, match=f"{re.escape(words)}.*--adopt"):
        made.apply()
    adopted = made.target().apply(made.file, adopt=True)
    assert (adopted.number, adopted.changed) == (2, True)
    assert_same(made)


def stranger(made: Warehouse) -> str:
    made.run("update bi.rpt_indicator_value set site_key = 33 where period_code = '2025-05'")
    made.views.clear()
    return r"2 rows have a site_key \(such as 33\) that bi.dim_site does not have"


def repeated(made: Warehouse) -> str:
    made.run("insert into bi.rpt_kinds select * from bi.rpt_kinds where row_no = 1")
    return r"bi.rpt_kinds: row_no tell no single row apart \(Key \(row_no\)=\(1\)"


def with_nul(made: Warehouse) -> str:
    made.run("update bi.rpt_kinds set text = 'a' || chr(0) || 'b' where row_no = 1")
    return "bi.rpt_kinds holds a NUL character, which PostgreSQL cannot store; take it out of text"


def view_of_duckdb_alone(made: Warehouse) -> str:
    made.views["site_values"] = "select site_key, value / 3 as part from rpt_indicator_value"
    return "column part is DOUBLE"


@pytest.mark.parametrize("fault", [stranger, repeated, with_nul, view_of_duckdb_alone], ids=lambda f: f.__name__)
def test_a_publication_that_cannot_be_proved_changes_nothing(
    made: Warehouse, fault: Callable[[Warehouse], str]
) -> None:
    made.apply()
    before = made.of_database()
    words = fault(made)
    with pytest.raises(KetenError, match=words):
        made.apply()
    assert made.of_database() == before


def test_rows_that_are_not_those_published_are_not_applied(made: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    made.apply()
    before = made.of_database()
    restate(made)
    monkeypatch.setattr(rows, "expected", lambda *_: (24, "abc"))
    with pytest.raises(KetenError, match=r"came over as .* published are 24 rows with abc"):
        made.apply()
    assert made.of_database() == before


STEPS: dict[str, tuple[Any, str]] = {
    "before the first row": (rows, "stage"),
    "before the difference": (layout.Layout, "change_tables"),
    "between two tables": (rows, "prove_references"),
    "before the commit": (target, "let_read"),
}


def die_at(step: str, url: str, file: Path) -> None:
    """In a process of its own: apply a file, and be killed at this step."""
    os.environ[URL] = url
    setattr(*STEPS[step], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    setting = PostgresqlSetting(kind="postgresql", name="warehouse", url=f"${{env:{URL}}}")
    target.PostgresqlTarget(setting).apply(file, adopt=False)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_is_killed_leaves_the_old_publication_whole(made: Warehouse, step: str) -> None:
    made.apply()
    restate(made)
    add_column(made)
    made.publish()
    before = made.of_database()
    process = multiprocessing.get_context("forkserver").Process(target=die_at, args=(step, os.environ[URL], made.file))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert made.of_database() == before
    assert made.target().apply(made.file, adopt=False).changed, "the next run waits for nothing and applies it"
    assert_same(made)


@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_restarts_on_the_way_leaves_the_old_publication_whole(
    made: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made.apply()
    restate(made)
    made.publish()
    before = made.of_database()
    owner, name = STEPS[step]
    whole = getattr(owner, name)

    def restarted(*arguments: Any) -> Any:
        made.server.restart()
        return whole(*arguments)

    monkeypatch.setattr(owner, name, restarted)
    with pytest.raises(Unreachable, match="could not be reached.*it catches up by itself at the next run"):
        made.target().apply(made.file, adopt=False)
    monkeypatch.setattr(owner, name, whole)
    made.pg = made.server.connect(database=made.database)
    assert made.of_database() == before
    made.target().apply(made.file, adopt=False)
    assert_same(made)


def test_a_reader_sees_one_publication_in_a_transaction_and_writes_nothing(made: Warehouse) -> None:
    made.apply()
    made.pg.execute(f"alter role bi_reader password '{PASSWORD}'")
    place = f"host=127.0.0.1 port={made.server.port} dbname={made.database} user=bi_reader"
    with psycopg.connect(place, password=PASSWORD) as reader:
        first = reader.execute("select sum(value), min(publication_id) from bi.rpt_indicator_value").fetchall()
        restate(made)
        new_table(made)
        made.apply()
        again = reader.execute("select sum(value), min(publication_id) from bi.rpt_indicator_value").fetchall()
        assert again == first
        assert reader.execute("select distinct publication_id from bi.dim_site").fetchall() == [(1,)]
        reader.rollback()
        assert reader.execute("select count(*) from bi.rpt_more where publication_id = 2").fetchall() == [(2,)]
        reader.rollback()
        for statement in (
            "delete from bi.dim_site",
            "create table bi.mine (a int)",
            "set transaction read write; delete from bi.dim_site",
            "set transaction read write; create table bi.mine (a int)",
            "select * from bi_store.dim_site",
        ):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                reader.execute(statement)
            reader.rollback()


def test_a_user_without_rights_is_told_which_and_what_an_administrator_is_to_run(
    made: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.pg.execute(f"create role writer login password '{PASSWORD}'")
    monkeypatch.setenv(URL, made.server.url_of("writer", PASSWORD, made.database))
    with pytest.raises(KetenError, match=r"permission denied for database .*; docs/targets.md lists the rights"):
        made.apply()
    made.pg.execute(f"grant create on database {made.database} to writer")
    ours = made.target(reader="reader_of_writer")
    (note,) = ours.apply(made.file, adopt=False).notes
    for statement in note.partition("let an administrator run: ")[2].partition(". ")[0].split("; "):
        made.pg.execute(statement)
    assert ours.apply(made.file, adopt=False).notes == ()
    assert made.seen("select has_table_privilege('reader_of_writer', 'bi.dim_site', 'select')") == [(True,)]
    assert_same(made)
    made.pg.execute("drop owned by writer; drop role writer")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            f"postgresql://anna:{PASSWORD}@host/bi",
            "'postgresql' does not name the driver that is used here; write it as postgresql+psycopg://",
        ),
        (f"postgresql+psycopg2://anna:{PASSWORD}@host/bi", "'postgresql+psycopg2' does not name the driver"),
        (f"postgresql+psycopg://anna:{PASSWORD}@x@host/bi", "holds more than one @; write an @ in the password as %40"),
        (f"host=x password={PASSWORD}", "is not a URL"),
        (f"postgresql+psycopg://anna:{PASSWORD}@host:port/bi", "is not a URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv(URL, url)
    setting = PostgresqlSetting(kind="postgresql", name="warehouse", url=f"${{env:{URL}}}")
    with pytest.raises(KetenError, match="keten.yml: target warehouse: url: ") as told:
        target.PostgresqlTarget(setting)
    assert words in str(told.value) and PASSWORD not in str(told.value)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_does_not_answer_delays_no_longer_than_its_limit(
    made: Warehouse, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, f"postgresql+psycopg://anna:{PASSWORD}@127.0.0.1:{silent}/bi")
    with pytest.raises(Unreachable, match="could not be reached: connection timeout expired") as told:
        made.target(connect_seconds=1).applied()
    assert PASSWORD not in str(told.value) and "anna:***@" in str(told.value)


def test_a_server_that_stands_still_is_left_after_the_whole_time(
    made: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.publish()
    stopped = []

    def stand_still(pg: psycopg.Connection, *_: Any) -> None:
        stopped.append(pg.info.backend_pid)
        os.kill(stopped[0], signal.SIGSTOP)
        pg.execute("select 1")

    monkeypatch.setattr(layout, "prepare", stand_still)
    try:
        with pytest.raises(Unreachable, match="could not be reached"):
            made.target(total_seconds=1).apply(made.file, adopt=False)
    finally:
        os.kill(stopped[0], signal.SIGCONT)


def test_who_holds_a_table_is_waited_for_and_told(made: Warehouse) -> None:
    made.apply()
    restate(made)
    made.publish()
    with made.server.connect(database=made.database) as other:
        other.execute("begin; lock table bi_store.rpt_indicator_value in share mode")
        with pytest.raises(Unreachable, match="is held by others for more than 1 s"):
            made.target(lock_seconds=1).apply(made.file, adopt=False)
    made.target().apply(made.file, adopt=False)
    assert_same(made)
