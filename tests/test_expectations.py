"""Great Expectations on the engine: what it says of what could not be checked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from resources.engine import Engine
from resources.intake.expectations import check_candidate

CONTRACT = SimpleNamespace(
    name="thing",
    key=["a"],
    repeats="drop",
    columns={"a": SimpleNamespace(required=True)},
    expectations=[
        SimpleNamespace(
            expect="expect_column_values_to_be_between",
            kwargs={"column": column, "max_value": 5},
            severity="critical",
            nl="klein",
            en="small",
            fires_on=None,
        )
        for column in ("a", "not_there")
    ],
)


def test_what_could_not_be_checked_is_not_called_bad_data_but_blocks_as_well(tmp_path: Path) -> None:
    with Engine(None, tmp_path) as engine:
        engine.connection.execute("create table core.thing as select 7 as a")
        unique, filled, small, absent = check_candidate(engine.connection, CONTRACT, "select * from core.thing")  # type: ignore[arg-type]
    assert (unique.outcome, filled.outcome, small.outcome, absent.outcome) == (
        "passed",
        "passed",
        "failed",
        "not_checked",
    )
    assert "unexpected: 1" in small.observed and "could not be checked" in absent.observed
    assert absent.blocks and small.blocks and not filled.blocks


def test_the_check_sees_the_open_transaction_and_leaves_it_open(tmp_path: Path) -> None:
    with Engine(None, tmp_path) as engine:
        run = engine.connection.execute
        run("create table core.thing as select 1 as a")
        run("begin")
        run("insert into core.thing values (1)")
        unique, *_ = check_candidate(engine.connection, CONTRACT, "select * from core.thing")  # type: ignore[arg-type]
        assert unique.outcome == "failed"
        run("rollback")
        assert engine.count("core.thing") == 1
