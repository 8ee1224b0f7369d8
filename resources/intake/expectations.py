"""Great Expectations on a candidate: the dataset expectations of a contract, run on the engine's own connection.

Belongs here: building the suite from a contract and reading its results. Does not belong here: row rules (judging) and
invariants of computed tables (plain SQL in the models' own files).

Great Expectations is imported inside functions, once per process: the import takes seconds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Contract

CANDIDATE = "candidate"


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check on one table. `outcome` is passed, failed or not_checked.

    `receipt_id` names the delivery that a check of a candidate held back; empty for a check of the table as it stands.
    """

    table: str
    check_id: str
    severity: str
    outcome: str
    observed: str
    nl: str
    en: str
    receipt_id: str = ""

    @property
    def blocks(self) -> bool:
        """A critical check that did not pass holds the delivery: what could not be checked is not known to be right."""
        return self.severity == "critical" and self.outcome != "passed"


def suite_of(contract: Contract) -> list[dict[str, Any]]:
    """The expectations of a contract as data: its key and required columns first, then those it lists."""
    key = ", ".join([*contract.key, *(["repeat_no"] if contract.repeats == "number" else [])])
    # Great Expectations' own test of several unique columns counts over a window, which takes three times as long. Keys
    # are compared by their hash first, and whole only where that repeats.
    twice = f"select h from (select hash({key}) as h from {{batch}}) as hashed group by h having count(*) > 1"
    repeated = f"select {key} from {{batch}} where hash({key}) in ({twice}) group by {key} having count(*) > 1"
    implied = [
        (
            "UnexpectedRowsExpectation",
            {"unexpected_rows_query": repeated},
            f"De sleutel {key} is uniek.",
            f"The key {key} is unique.",
            "insert into {table} select * from {table} limit 1",
        )
    ]
    implied += [
        (
            "expect_column_values_to_not_be_null",
            {"column": name},
            f"{name} is overal gevuld.",
            f"{name} is filled everywhere.",
            f"update {{table}} set {name} = null",
        )
        for name, column in contract.columns.items()
        if column.required
    ]
    listed = [
        {
            "expect": e.expect,
            "kwargs": dict(e.kwargs),
            "severity": e.severity,
            "nl": e.nl,
            "en": e.en,
            "fires_on": e.fires_on,
        }
        for e in contract.expectations
    ]
    return [
        {"expect": e, "kwargs": k, "severity": "critical", "nl": nl, "en": en, "fires_on": fires}
        for e, k, nl, en, fires in implied
    ] + listed


def check_candidate(connection: duckdb.DuckDBPyConnection, contract: Contract, select: str) -> list[CheckResult]:
    """Run the suite of a contract on a select, within the transaction that is open on the connection."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    import great_expectations as gx

    connection.execute(f"create or replace temp view {CANDIDATE} as {select}")
    suite = suite_of(contract)
    table = f"core.{contract.name}"
    batch = _batch(connection)
    gx_suite = gx.ExpectationSuite(
        name=contract.name,
        expectations=[
            _class_of(item["expect"])(**item["kwargs"], meta={"number": number}) for number, item in enumerate(suite)
        ],
    )
    outcomes = _validate(batch, gx_suite)
    return [
        CheckResult(
            table,
            check_id(number, item),
            item["severity"],
            _outcome(outcomes[number]),
            _observed(outcomes[number]),
            item["nl"],
            item["en"],
        )
        for number, item in enumerate(suite)
    ]


def _validate(batch: Any, suite: Any) -> dict[int, Any]:
    """Results by number of the expectation. Only what fails is asked again for what it saw, at one scan each."""
    found = {
        o.expectation_config.meta["number"]: o for o in batch.validate(suite, result_format="BOOLEAN_ONLY").results
    }
    failed = [e for e in suite.expectations if not found[e.meta["number"]].success]
    if failed:
        suite.expectations = failed
        again = batch.validate(suite, result_format="BASIC").results
        found |= {o.expectation_config.meta["number"]: o for o in again}
    return found


def check_id(number: int, item: dict[str, Any]) -> str:
    """The stable name of one expectation of a suite: its place, its type and its column."""
    column = item["kwargs"].get("column")
    return f"{number:02d}_{item['expect']}" + (f"_{column}" if column else "")


def _class_of(expectation: str) -> Any:
    """The class behind a name of Great Expectations."""
    import great_expectations.expectations as gxe

    if expectation == "UnexpectedRowsExpectation":
        return _unexpected_rows()
    return getattr(gxe, "".join(part.title() for part in expectation.split("_")))


@cache
def _unexpected_rows() -> Any:
    """Great Expectations' own expectation on a query, which runs the query twice: to count its rows and to fetch them."""
    import great_expectations.expectations as gxe

    class UnexpectedRows(gxe.UnexpectedRowsExpectation):  # type: ignore[misc]
        metric_dependencies = ("unexpected_rows_query.row_count",)

        def _validate(
            self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
        ) -> dict[str, Any]:
            found = metrics["unexpected_rows_query.row_count"]
            return {"success": found == 0, "result": {"observed_value": found}}

    return UnexpectedRows


def _outcome(result: Any) -> str:
    infos = result.exception_info or {}
    raised = infos.get("raised_exception", False) or any(
        isinstance(i, dict) and i.get("raised_exception") for i in infos.values()
    )
    if raised:
        return "not_checked"
    return "passed" if result.success else "failed"


def _observed(result: Any) -> str:
    facts = result.result or {}
    parts = [
        f"{name.removesuffix('_count').replace('_', ' ')}: {facts[name]}"
        for name in ("observed_value", "element_count", "unexpected_count")
        if facts.get(name) is not None
    ]
    if _outcome(result) == "not_checked":
        parts.append("could not be checked: " + str(result.exception_info)[:300])
    return "; ".join(parts)


def _batch(connection: duckdb.DuckDBPyConnection) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    # A configuration of our own: the default one makes a folder for a site that nobody looks at.
    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults())
    context = gx.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_sql(
        name="engine",
        connection_string="duckdb://",
        create_temp_table=False,
        kwargs={"creator": lambda: _shared(connection)},
    )
    asset = source.add_table_asset(name=CANDIDATE, table_name=CANDIDATE)
    return asset.add_batch_definition_whole_table("whole").get_batch()


def _shared(connection: duckdb.DuckDBPyConnection) -> Any:
    """The engine's connection as SQLAlchemy sees it: it sees the open transaction, and may not end it."""
    from duckdb_sqlalchemy import ConnectionWrapper

    class Shared(ConnectionWrapper):  # type: ignore[misc]
        def begin(self) -> None:
            """A transaction is open already."""

        def close(self) -> None:
            """Stay open: the engine owns the connection, and Great Expectations closes it before it has fetched."""

        def commit(self) -> None:
            """Leave the transaction to the engine."""

        def rollback(self) -> None:
            """Leave the transaction to the engine."""

    return Shared(connection)
