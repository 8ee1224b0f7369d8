"""Publication: readers see the whole old file or the whole new one, numbers stay theirs, and changes are remembered."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.engine import Engine
from resources.errors import KetenError
from resources.publication import publishing
from resources.publication.history import VALUE_KEY
from resources.publication.key_register import assign_keys, restore_keys
from resources.publication.published_file import wal_of
from resources.publication.publishing import ColumnFacts, TableSpec, publish, published_state

ROOT = Path(__file__).parents[1]
VALUE_TYPES = {
    **dict.fromkeys(VALUE_KEY, "VARCHAR"),
    "period_from": "DATE",
    "site_key": "BIGINT",
    "client_key": "BIGINT",
    "value": "DECIMAL(28,6)",
    "value_status": "VARCHAR",
}
SITE_TYPES = {"site_key": "BIGINT", "site_id": "VARCHAR", "site_name": "VARCHAR", "client_key": "BIGINT"}
TABLES = {
    "rpt_indicator_value": TableSpec(
        [(n, t, f"about {n}") for n, t in VALUE_TYPES.items()], VALUE_KEY, comment="values"
    ),
    "dim_site": TableSpec([(n, t, f"it's {n}") for n, t in SITE_TYPES.items()], ("site_key",), comment="sites"),
}
VIEWS = {
    "site_values": "-- Grain: value.\nselect site_name, value from rpt_indicator_value join dim_site using (site_key)"
}


def run_of(name: str) -> dict[str, Any]:
    """What a run says of itself."""
    return {
        "run_id": name,
        "published_at": datetime(2026, 4, 1, 6),
        "as_of": date(2026, 4, 1),
        "input_fingerprint": f"f-{name}",
    }


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine with one site and two monthly values, its keys given out."""
    with Engine(tmp_path / "engine.duckdb", tmp_path / "spill") as made:
        fill(made)
        yield made


def fill(engine: Engine) -> None:
    """The smallest publishable engine."""
    assign_keys(engine, "site", "select 'UTR'")
    for name, types in (("rpt_indicator_value", VALUE_TYPES), ("dim_site", SITE_TYPES)):
        engine.connection.execute(f"create table bi.{name} ({', '.join(f'{n} {t}' for n, t in types.items())})")
    engine.connection.execute("insert into bi.dim_site values (1, 'UTR', 'Utrecht', 7)")
    for month, value in (("2025-03", 48), ("2025-04", 50)):
        engine.connection.execute(
            "insert into bi.rpt_indicator_value"
            f" values ('energy', 'month', '{month}', 'site', 'site=UTR', '{month}-01', 1, -2, {value}, 'measured')"
        )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where readers are."""
    return tmp_path / "published" / "keten.duckdb"


def state(target: Path) -> dict[str, Any]:
    """What the published file says of itself."""
    found = published_state(target)
    assert found is not None
    return found


def rows(target: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a reader that opens the file now sees."""
    code = f"import duckdb; print(repr(duckdb.connect({str(target)!r}, read_only=True).execute({sql!r}).fetchall()))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return eval(told, {"Decimal": Decimal})


def restate(engine: Engine, value: int) -> None:
    """A late reading changes March."""
    engine.connection.execute(f"update bi.rpt_indicator_value set value = {value} where period_code = '2025-03'")


def leftovers(target: Path) -> list[str]:
    """Everything beside the target."""
    return sorted(p.name for p in target.parent.iterdir() if p != target)


def test_file_has_only_schema_bi_with_comments_and_can_be_read_by_old_duckdb(engine, target):
    made = publish(engine, target, TABLES, VIEWS, run_of("r1"))
    assert (made.number, made.changed, made.value_changes) == (1, True, 0)
    assert target.stat().st_mode & 0o777 == 0o444
    assert {s for (s,) in rows(target, "select schema_name from duckdb_tables()")} == {"bi"}
    silent = "select column_name from duckdb_columns() where not internal and comment is null"
    assert rows(target, f"{silent} and table_name not like '%values'") == [], "views have no column comments"
    assert rows(target, "select comment from duckdb_views() where not internal") == [("Grain: value.",)]
    numbered = "select table_name from duckdb_columns() where column_name = 'publication_id'"
    assert rows(target, f"select table_name from duckdb_tables() except {numbered}") == []
    assert rows(target, "select sum(value) from bi.site_values") == [(Decimal(98),)]
    assert int.from_bytes(target.read_bytes()[12:20], "little") == 64, "the storage version of DuckDB 1.0"
    assert leftovers(target) == []


def test_same_rows_publish_nothing_and_keep_the_number(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    before = target.read_bytes()
    again = publish(engine, target, TABLES, VIEWS, run_of("r2"))
    assert (again.number, again.changed) == (1, False)
    assert target.read_bytes() == before


def test_a_new_label_is_published_although_no_row_changed(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    told = {**TABLES, "dim_site": TableSpec(TABLES["dim_site"].columns, ("site_key",), comment="buildings")}
    assert publish(engine, target, told, VIEWS, run_of("r2")).number == 2


def test_what_a_column_refers_to_is_published_and_a_new_reference_is_a_publication(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    facts = {"site_key": ColumnFacts(refers_to="dim_site"), "value": ColumnFacts(unit="kWh")}
    values = TABLES["rpt_indicator_value"]
    told = {**TABLES, "rpt_indicator_value": TableSpec(values.columns, values.key, values.comment, facts)}
    assert publish(engine, target, told, VIEWS, run_of("r2")).number == 2
    assert rows(target, "select * from bi.publication_column") == [
        ("rpt_indicator_value", "site_key", None, None, "dim_site", 2),
        ("rpt_indicator_value", "value", "kWh", None, None, 2),
    ]


def test_changed_value_is_recorded_once_and_kept(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    restate(engine, 47)
    assert publish(engine, target, TABLES, VIEWS, run_of("r2")).value_changes == 1
    first = "select * replace ('2025-05' as period_code) from bi.rpt_indicator_value limit 1"
    engine.connection.execute(f"insert into bi.rpt_indicator_value {first}")
    assert publish(engine, target, TABLES, VIEWS, run_of("r3")).value_changes == 0, "a first value is no change"
    expected = [(2, "2025-03", "site=UTR", Decimal(48), Decimal(47), "measured", "measured")]
    shown = "publication_id, period_code, scope_code, old_value, new_value, old_status, new_status"
    assert rows(target, f"select {shown} from bi.publication_value_change") == expected
    assert rows(target, "select run_id from bi.publication order by publication_id") == [("r1",), ("r2",), ("r3",)]


def test_value_that_disappears_is_a_change(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    engine.connection.execute("delete from bi.rpt_indicator_value where period_code = '2025-04'")
    publish(engine, target, TABLES, VIEWS, run_of("r2"))
    assert rows(target, "select period_code, new_value, new_status from bi.publication_value_change") == [
        ("2025-04", None, None)
    ]


def stale_wal(folder: Path) -> bytes:
    """A write-ahead log as a killed DuckDB process leaves it."""
    code = textwrap.dedent(f"""
        import duckdb, os
        c = duckdb.connect({str(folder / "other.duckdb")!r})
        c.execute("create schema bi; create table bi.ghost (a int); insert into bi.ghost values (1)")
        os._exit(1)
    """)
    subprocess.run([sys.executable, "-c", code], check=False)
    return wal_of(folder / "other.duckdb").read_bytes()


def test_stale_wal_is_neither_replayed_nor_in_the_way(engine, target, tmp_path):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    log = stale_wal(tmp_path)
    wal_of(target).write_bytes(log)
    assert state(target)["number"] == 1
    assert wal_of(target).read_bytes() == log, "reading the state leaves it alone"
    restate(engine, 47)
    publish(engine, target, TABLES, VIEWS, run_of("r2"))
    assert leftovers(target) == []
    assert rows(target, "select count(*) from duckdb_tables() where table_name = 'ghost'") == [(0,)]


def test_state_of_a_folder_that_allows_no_links(engine, target, tmp_path, monkeypatch):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    monkeypatch.setattr(os, "link", raiser(PermissionError("no links here")))
    assert state(target)["fingerprint"] == "f-r1"
    wal_of(target).write_bytes(stale_wal(tmp_path))
    assert state(target)["number"] == 1


def test_reader_of_the_old_file_is_undisturbed(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    with duckdb.connect(str(target), read_only=True) as reader:
        restate(engine, 47)
        publish(engine, target, TABLES, VIEWS, run_of("r2"))
        old = "select value from bi.rpt_indicator_value where period_code = '2025-03'"
        assert reader.execute(old).fetchall() == [(Decimal(48),)]
        assert rows(target, old) == [(Decimal(47),)]


def raiser(error: Exception) -> Callable[..., None]:
    """A function that fails."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


STEPS = {
    "tables": (publishing, "_write_tables"),
    "history": (publishing, "_write_history"),
    "views": (publishing, "_write_views"),
    "in place": (publishing, "put_in_place"),
    "rename": (os, "replace"),
    "fsync": (os, "fsync"),
}


@pytest.mark.parametrize("step", STEPS)
def test_failure_between_steps_leaves_the_old_file_whole(engine, target, monkeypatch, step):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    before = target.read_bytes()
    restate(engine, 47)
    with monkeypatch.context() as broken:
        broken.setattr(*STEPS[step], raiser(OSError("disk gone")))
        with pytest.raises(OSError, match="disk gone"):
            publish(engine, target, TABLES, VIEWS, run_of("r2"))
    assert target.read_bytes() == before
    assert leftovers(target) == []
    assert publish(engine, target, TABLES, VIEWS, run_of("r3")).number == 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_process_around_the_rename_is_recovered(tmp_path, target, moment):
    """A kill leaves no chance to clean up, and just after the rename the engine does not know yet that it happened."""
    code = textwrap.dedent(f"""
        import os, sys
        from pathlib import Path
        sys.path[:0] = {[str(ROOT), str(ROOT / "tests")]!r}
        import test_publishing as t
        rename = os.replace
        def kill(*names):
            if {moment!r} == "after":
                rename(*names)
            os._exit(9)
        with t.Engine(Path({str(tmp_path / "engine.duckdb")!r}), Path({str(tmp_path / "spill")!r})) as made:
            t.fill(made)
            t.publish(made, {str(target)!r}, t.TABLES, t.VIEWS, t.run_of("r1"))
            t.restate(made, 47)
            os.replace = kill
            t.publish(made, {str(target)!r}, t.TABLES, t.VIEWS, t.run_of("r2"))
    """)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert state(target)["number"] == (2 if moment == "after" else 1)
    with Engine(tmp_path / "engine.duckdb", tmp_path / "spill") as made:
        again = publish(made, target, TABLES, VIEWS, run_of("r3"))
    assert (again.number, again.changed) == ((2, False) if moment == "after" else (2, True))
    assert leftovers(target) == []


def test_changes_that_an_older_version_published_are_kept_and_new_ones_tell_their_reason(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    restate(engine, 47)
    publish(engine, target, TABLES, VIEWS, run_of("r2"))
    target.chmod(0o644)
    with duckdb.connect(str(target)) as older:
        for column in ("reason", "decided_by"):
            older.execute(f"alter table {target.stem}.bi.publication_value_change drop column {column}")
    restate(engine, 46)
    why = "select '2025-03' as period_code, 'meter read twice' as reason, 'Anna' as decided_by"
    publish(engine, target, TABLES, VIEWS, run_of("r3"), explanations=why)
    told = "select new_value, reason, decided_by from bi.publication_value_change order by publication_id"
    assert rows(target, told) == [(Decimal(47), None, None), (Decimal(46), "meter read twice", "Anna")]


def test_target_ahead_of_the_engine_is_refused_unless_adopted(engine, target, tmp_path):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    with Engine(tmp_path / "other.duckdb", tmp_path / "spill") as other:
        fill(other)
        for value in (40, 41, 42):
            restate(other, value)
            publish(other, target, TABLES, VIEWS, run_of(f"o{value}"), adopt=True)
    with pytest.raises(KetenError, match="is at publication 4, but this engine knows only 1"):
        publish(engine, target, TABLES, VIEWS, run_of("r2"))
    assert publish(engine, target, TABLES, VIEWS, run_of("r2"), adopt=True).number == 5


def test_number_is_not_given_out_again_after_an_old_copy_came_back(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    old = target.read_bytes()
    restate(engine, 47)
    publish(engine, target, TABLES, VIEWS, run_of("r2"))
    target.unlink()
    target.write_bytes(old)
    restate(engine, 48)
    assert publish(engine, target, TABLES, VIEWS, run_of("r3")).number == 1, "the copy shows these rows already"
    restate(engine, 46)
    assert publish(engine, target, TABLES, VIEWS, run_of("r4")).number == 3


def test_rebuilt_engine_goes_on_from_the_published_file(engine, target):
    publish(engine, target, TABLES, VIEWS, run_of("r1"))
    with Engine(None, target.parent) as rebuilt:
        restore_keys(rebuilt, target)
        fill(rebuilt)
        again = publish(rebuilt, target, TABLES, VIEWS, run_of("r2"))
    assert (again.number, again.changed) == (1, False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("alter table bi.dim_site drop column site_name", "bi.dim_site does not fit its declaration"),
        ("update bi.dim_site set site_key = null", "bi.dim_site has rows without a key"),
        ("drop table bi.dim_site", "bi.dim_site does not fit its declaration"),
    ],
)
def test_table_that_breaks_its_declaration_is_told(engine, target, change, message):
    engine.connection.execute(change)
    with pytest.raises(KetenError, match=message):
        publish(engine, target, TABLES, VIEWS, run_of("r1"))
    assert not target.exists()
