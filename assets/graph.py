"""Dagster assets and checks made from the catalogue: one asset per dataset, model and indicator.

Belongs here: the factories that turn declarations into assets, and the metadata they show.
Does not belong here: when they run (pipelines) and what they compute (the other modules of this room).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from assets.modelling import all_keys, check_indicator, check_model, compute, compute_indicator, roll_up
from assets.publication import TABLES_FROM_ENGINE, publish_session, register_keys
from assets.session import Session
from resources.catalogue import Catalogue, Indicator, Model
from resources.expectations import CheckResult
from resources.receipt_list import dataset_order

SESSION = "session"
PUBLICATION = dg.AssetKey(["publication", "duckdb"])
_MONTHS = dg.AssetKey(["run", "month"])
_VALUES = dg.AssetKey(["publish", "rpt_indicator_value"])


def build_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Every asset of the job, in no particular order; Dagster orders them by their dependencies."""
    datasets = dataset_order(catalogue)
    found = [_landing_asset(catalogue, name) for name in datasets]
    found += [_core_asset(catalogue, name) for name in datasets]
    found.append(_months_asset(datasets))
    found += [_model_asset(m) for m in catalogue.model_order() if not m.name.startswith("bi.")]
    found += [_indicator_asset(i) for i in catalogue.indicators.values()]
    found.append(_values_asset(catalogue))
    found += [_model_asset(m) for m in catalogue.model_order() if m.name.startswith("bi.")]
    found.append(_publication_asset(catalogue))
    return found


def key_of(table: str) -> dg.AssetKey:
    """The asset that makes a table: its path is its name."""
    schema, name = table.split(".", 1)
    return dg.AssetKey([schema, name])


def _dependencies(refs: Iterable[str]) -> list[dg.AssetKey]:
    keys = {key_of(r) for r in refs if r.split(".")[0] in ("core", "ledger", "bi", "indicator")}
    if any(r.startswith(("publish.", "register.")) for r in refs):
        keys.add(_VALUES)
    return sorted(keys | {_MONTHS}, key=lambda k: k.to_user_string())


def _checks(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec("critical", asset=key, description="Kritieke controles / critical checks"),
        dg.AssetCheckSpec("warning", asset=key, description="Waarschuwingen / warnings"),
    ]


def check_results(key: dg.AssetKey, found: list[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    """At most two Dagster checks per table; each expectation is a line of their metadata."""
    for name, severity in (("critical", dg.AssetCheckSeverity.ERROR), ("warning", dg.AssetCheckSeverity.WARN)):
        mine = [c for c in found if (c.severity == "critical") == (name == "critical")]
        lines = [f"| {c.check_id} | {c.outcome} | {c.observed} | {c.nl} | {c.en} |" for c in mine]
        table = "\n".join(["| check | outcome | observed | nl | en |", "|--|--|--|--|--|", *lines])
        passed = all(c.outcome == "passed" for c in mine if c.severity != "info")
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=name,
            passed=passed,
            severity=severity,
            metadata={"checks": dg.MetadataValue.md(table), "failed": sum(c.outcome == "failed" for c in mine)},
        )


def _landing_asset(catalogue: Catalogue, name: str) -> dg.AssetsDefinition:
    contract = catalogue.contracts[name]

    @dg.asset(
        key=["landing", name],
        group_name="landing",
        kinds={"file"},
        required_resource_keys={SESSION},
        description=f"{contract.title.nl} / {contract.title.en}: bytes as received",
        owners=[],
    )
    def landing(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        pulled = session.pull(name)
        receipts = [r for r in session.landing.receipts() if r.dataset == name]
        return dg.MaterializeResult(
            metadata={
                "landed": len(pulled.landed),
                "refused": len(pulled.refused),
                "receipts": len(receipts),
                "bytes": sum(r.byte_count for r in receipts),
            }
        )

    return landing


def _core_asset(catalogue: Catalogue, name: str) -> dg.AssetsDefinition:
    contract = catalogue.contracts[name]
    key = dg.AssetKey(["core", name])
    upstream = [dg.AssetKey(["landing", name])] + sorted(
        {
            dg.AssetKey(["core", c.references])
            for c in contract.columns.values()
            if c.references and c.references != name
        },
        key=lambda k: k.to_user_string(),
    )

    @dg.asset(
        key=key,
        deps=upstream,
        group_name="core",
        kinds={"duckdb", "table"},
        check_specs=_checks(key),
        required_resource_keys={SESSION},
        description=f"{contract.description.nl}\n\n{contract.description.en}",
        metadata={"dagster/column_schema": _contract_schema(catalogue, name), "dagster/table_name": f"core.{name}"},
    )
    def core(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        result = session.take_in(name)
        for receipt_id, reason in {**result.held, **result.rejected}.items():
            context.log.warning(f"{receipt_id}: {reason}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": session.engine.count(f"core.{name}"),
                "loaded": len(result.loaded),
                "held": len(result.held),
                "rejected": len(result.rejected),
            },
            check_results=list(check_results(key, session.recorded(f"core.{name}"))),
        )

    return core


def _contract_schema(catalogue: Catalogue, name: str) -> dg.TableSchema:
    return dg.TableSchema(columns=[_column(catalogue, c) for c in catalogue.contracts[name].columns])


def _column(catalogue: Catalogue, name: str) -> dg.TableColumn:
    column = catalogue.columns[name]
    tags = {"unit": column.unit.replace("/", "_per_")} if column.unit else {}
    return dg.TableColumn(name=name, type=column.type, description=f"{column.nl} / {column.en}", tags=tags)


def _months_asset(datasets: list[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=_MONTHS,
        deps=[dg.AssetKey(["core", d]) for d in datasets],
        group_name="run",
        required_resource_keys={SESSION},
        description="Maanden die deze run opnieuw berekent / months computed again",
    )
    def months(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        found = session.plan_months()
        return dg.MaterializeResult(metadata={"months": ", ".join(f"{m:%Y-%m}" for m in found), "count": len(found)})

    return months


def _model_asset(model: Model) -> dg.AssetsDefinition:
    key = key_of(model.name)

    @dg.asset(
        key=key,
        deps=_dependencies(model.refs),
        group_name=model.name.split(".")[0],
        kinds={"sql", "duckdb"},
        check_specs=_checks(key),
        required_resource_keys={SESSION},
        description=f"{model.description.nl}\n\n{model.description.en}\n\n```sql\n{model.sql}\n```",
        metadata={"dagster/table_name": model.name},
    )
    def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        rows = compute(session.engine, model)
        found = check_model(session.engine, model.name, model.key, model.checks)
        session.record(model.name, found)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": rows, **_lineage(session, model)},
            check_results=list(check_results(key, found)),
        )

    return table


def _lineage(session: Session, item: Model | Indicator) -> dict[str, Any]:
    """Column lineage as Dagster shows it; filter and join columns apart, as they carry no value."""
    lineage = session.lineage(item.sql, item.refs)
    deps = {
        out: [
            dg.TableColumnDep(asset_key=key_of(ref.rsplit(".", 1)[0]), column_name=ref.rsplit(".", 1)[1])
            for ref in sorted(refs)
        ]
        for out, refs in lineage.values.items()
    }
    return {
        "dagster/column_lineage": dg.TableColumnLineage(deps),
        "filter_columns": ", ".join(sorted(lineage.filters)) or "-",
    }


def _indicator_asset(indicator: Indicator) -> dg.AssetsDefinition:
    key = dg.AssetKey(["indicator", indicator.id])

    @dg.asset(
        key=key,
        deps=_dependencies(indicator.refs),
        group_name=indicator.pillar,
        kinds={"sql", "duckdb"},
        required_resource_keys={SESSION},
        description=f"{indicator.title.nl} / {indicator.title.en} ({indicator.unit})\n\n{indicator.description.nl}\n\n"
        f"{indicator.description.en}\n\n```sql\n{indicator.sql}\n```",
        metadata={"dagster/table_name": f"indicator.{indicator.id}", "unit": indicator.unit},
    )
    def component_rows(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        rows = compute_indicator(session.engine, indicator)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows, **_lineage(session, indicator)})

    return component_rows


def _values_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    indicators = list(catalogue.indicators.values())
    keys = [dg.AssetKey(["indicator", i.id]) for i in indicators]

    @dg.asset(
        key=_VALUES,
        deps=keys,
        group_name="rollup",
        kinds={"sql", "duckdb"},
        required_resource_keys={SESSION},
        check_specs=_checks(_VALUES),
        description="Waarden per periode en niveau / values by period and level. Components apart, divided once, last.",
    )
    def values(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        rows = roll_up(session.engine, catalogue)
        register_keys(session)
        found = [c for i in indicators for c in check_indicator(session.engine, i)]
        for i in indicators:
            session.record(f"indicator.{i.id}", [c for c in found if c.table == f"indicator.{i.id}"])
        return dg.MaterializeResult(
            metadata={"dagster/row_count": rows["publish.rpt_indicator_value"], "keys": ", ".join(all_keys(catalogue))},
            check_results=list(check_results(_VALUES, found)),
        )

    return values


def _publication_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    deps = [key_of(m.name) for m in catalogue.model_order() if m.name.startswith("bi.")] + [_VALUES]

    @dg.asset(
        key=PUBLICATION,
        deps=deps,
        group_name="publication",
        kinds={"duckdb"},
        required_resource_keys={SESSION},
        description="Wat BI-tools lezen: het hele bestand of niets / what BI tools read: the whole file or nothing",
        metadata={"tables": ", ".join(TABLES_FROM_ENGINE)},
    )
    def publication(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        made = publish_session(session)
        return dg.MaterializeResult(metadata={"publication": made.number, "changed": made.changed})

    return publication
