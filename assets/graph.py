"""Dagster assets and checks made from the catalogue: one asset per dataset, model and indicator.

Belongs here: the factories that turn declarations into assets. Does not belong here: when they run (pipelines), what
they compute (the other modules of this room), what they say of themselves
(presentation), and the form of what they show (graph_metadata, glimpses).
"""

from collections.abc import Callable, Iterable
from typing import Any

import dagster as dg

from assets.glimpses import courses, preview
from assets.graph_metadata import (
    DELIVERY,
    RESULTS,
    check_results,
    check_specs,
    column_lineage,
    contract_sentences,
    key_of,
    model_sentences,
    value_sentences,
)
from assets.modelling import VALUES as VALUES_TABLE
from assets.modelling import all_keys, component_columns
from assets.page.making import make_pages
from assets.publication import publish_session, register_keys
from assets.renewing import renew_indicator, renew_model, renew_values
from assets.session import Session
from resources import audit
from resources.catalogue import Catalogue, Indicator, Model
from resources.intake.receipt_list import dataset_order, needed_by

SESSION = "session"
# One run at a time, whoever starts it: the pool holds it in Dagster's queue, the lock of the session anywhere else.
POOL = "engine"
# A network folder may be away for a moment; all others go on meanwhile. What is still away then, waits for the next run.
AGAIN = dg.RetryPolicy(max_retries=3, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
PUBLICATION = dg.AssetKey(["publication", "duckdb"])
PAGE = dg.AssetKey(["publication", "page"])
KEYS = dg.AssetKey(["register", "surrogate_key"])
VALUES = key_of(VALUES_TABLE)
# The months as Dagster shows them: each publication tells which of them it computed again.
LEDGER_MONTHS = dg.AssetKey("ledger_months")
MADE_OF = "made_of"
WHY = "why"
Step = Callable[[dg.AssetExecutionContext, Session], dg.MaterializeResult]


def build_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Every asset of the job, in no particular order; Dagster orders them by their dependencies."""
    datasets = dataset_order(catalogue)
    models = [m for m in catalogue.model_order() if not m.made_by]
    return [
        *(_landing_asset(name) for name in datasets),
        *(_core_asset(catalogue, name) for name in datasets),
        *(_model_asset(catalogue, m) for m in models),
        *(_indicator_asset(catalogue, i) for i in catalogue.indicators.values()),
        _values_asset(catalogue),
        _keys_asset(catalogue),
        _publication_asset(catalogue),
        _page_asset(),
    ]


def _asset(
    key: dg.AssetKey, step: Step, checks: list[dg.AssetCheckSpec] | None = None, **facts: Any
) -> dg.AssetsDefinition:
    """An asset whose step works with the session of the run."""

    @dg.asset(
        key=key,
        check_specs=checks,
        required_resource_keys={SESSION},
        pool=POOL,
        **facts,
    )
    def made(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        session: Session = context.resources.session
        session.progress.step(key.to_user_string())
        with session.engine.guarded():
            return step(context, session)

    return made


def _landing_asset(name: str) -> dg.AssetsDefinition:
    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        tries_left = context.retry_number < AGAIN.max_retries
        pulled = session.pull(name, tries_left)
        if pulled.may_pass and tries_left:
            raise dg.RetryRequested(AGAIN.max_retries, AGAIN.calculate_delay(context.retry_number + 1))
        for file_name, headings in pulled.refused.items():
            context.log.warning(f"{file_name} is refused: personal data in {', '.join(headings)}")
        receipts = [r for r in session.landing.receipts() if r.dataset == name]
        return dg.MaterializeResult(
            metadata={
                "landed": len(pulled.landed),
                "refused": len(pulled.refused),
                "receipts": len(receipts),
                "bytes": sum(r.byte_count for r in receipts),
            }
        )

    return _asset(
        dg.AssetKey(["landing", name]),
        step,
        group_name="landing",
        kinds={"file"},
    )


def _core_asset(catalogue: Catalogue, name: str) -> dg.AssetsDefinition:
    contract = catalogue.contracts[name]
    key = dg.AssetKey(["core", name])
    warns = any(e.severity != "critical" for e in contract.expectations)

    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        result = session.take_in(name)
        for receipt_id, reason in {**result.held, **result.rejected}.items():
            context.log.warning(f"{receipt_id}: {reason}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": session.engine.count(f"core.{name}"),
                "quarantined": session.engine.count(f"core.{name}__quarantine"),
                "loaded": len(result.loaded),
                "held": len(result.held),
                "rejected": len(result.rejected),
            },
            check_results=list(check_results(key, audit.recorded(session.engine, f"core.{name}"), warns)),
        )

    return _asset(
        key,
        step,
        checks=check_specs(key, DELIVERY, contract_sentences(contract)),
        deps=[dg.AssetKey(["landing", name]), *(dg.AssetKey(["core", n]) for n in needed_by(catalogue, name))],
        group_name="core",
        kinds={"duckdb", "table"},
    )


def _dependencies(refs: Iterable[str]) -> list[dg.AssetKey]:
    """The assets behind the refs of a model; code lists, calendar and clock are there before anything else."""
    keys = {key_of(r) for r in refs if r.split(".")[0] in ("core", "ledger", "bi", "indicator", "register")}
    if any(r.startswith("publish.") for r in refs):
        keys.add(VALUES)
    return sorted(keys, key=lambda k: k.to_user_string())


def _model_asset(catalogue: Catalogue, model: Model) -> dg.AssetsDefinition:
    key = key_of(model.name)
    warns = any(c.severity != "critical" for c in model.checks)

    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        found = renew_model(session, model)
        rows = session.engine.count(model.name)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                **column_lineage(session.lineage(model.name, model)),
                **preview(session, model.name, catalogue.columns_of(model), model.refs),
            },
            check_results=list(check_results(key, found, warns)),
        )

    return _asset(
        key,
        step,
        checks=check_specs(key, RESULTS, model_sentences(model)),
        deps=_dependencies(model.refs),
        group_name=model.name.split(".")[0],
        kinds={"sql", "duckdb"},
    )


def _indicator_asset(catalogue: Catalogue, indicator: Indicator) -> dg.AssetsDefinition:
    key = dg.AssetKey(["indicator", indicator.id])

    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        renew_indicator(session, indicator)
        table = f"indicator.{indicator.id}"
        rows = session.engine.count(table)
        shown = {
            **column_lineage(session.lineage(table, indicator)),
            **preview(session, table, component_columns(catalogue, indicator), indicator.refs),
        }
        return dg.MaterializeResult(metadata={"dagster/row_count": rows, **shown})

    return _asset(
        key,
        step,
        deps=_dependencies(indicator.refs),
        group_name=indicator.pillar,
        kinds={"sql", "duckdb"},
    )


def _values_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    indicators = list(catalogue.indicators.values())

    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        found = renew_values(session)
        rows = session.engine.count(VALUES_TABLE)
        return dg.MaterializeResult(
            metadata={"dagster/row_count": rows, "keys": ", ".join(all_keys(catalogue)), **courses(session)},
            check_results=list(check_results(VALUES, found, warns=True)),
        )

    return _asset(
        VALUES,
        step,
        checks=check_specs(VALUES, RESULTS, value_sentences(catalogue)),
        deps=[KEYS, *(dg.AssetKey(["indicator", i.id]) for i in indicators)],
        group_name="rollup",
        kinds={"sql", "duckdb"},
        description="Waarden per periode en niveau: onderdelen apart opgeteld, het laatst en één keer gedeeld."
        "\n\nValues by period and level: components added up apart, divided once, last.",
    )


def _keys_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"new_keys": register_keys(session)})

    return _asset(
        KEYS,
        step,
        deps=_dependencies(table for table, _ in catalogue.dimensions().values()),
        group_name="rollup",
        kinds={"duckdb"},
        description="Sleutels die eens gegeven nooit van betekenis veranderen.\n\nKeys that never change their meaning.",
    )


def _publication_asset(catalogue: Catalogue) -> dg.AssetsDefinition:
    tables = [m.name for m in catalogue.model_order() if m.name.startswith("bi.")]
    made = [key_of(name) for name in tables if not catalogue.models[name].made_by]

    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        made_of = session.made_of()
        publication = publish_session(session, made_of)
        for month, why in session.computed_months().items():
            told: dict[str, Any] = {"publication": publication.number, WHY: why}
            context.log_event(dg.AssetMaterialization(LEDGER_MONTHS, partition=f"{month:%Y-%m}", metadata=told))
        return dg.MaterializeResult(
            metadata={
                "publication": publication.number,
                MADE_OF: made_of,
                "changed": publication.changed,
                "value_changes": publication.value_changes,
                "dagster/uri": session.published.as_uri(),
            }
        )

    return _asset(
        PUBLICATION,
        step,
        deps=[*made, VALUES],
        group_name="publication",
        kinds={"duckdb"},
        description="Wat BI-tools lezen: het hele bestand of niets.\n\nWhat BI tools read: the whole file or nothing.",
        metadata={"tables": ", ".join(tables)},
    )


def _page_asset() -> dg.AssetsDefinition:
    """The page comes after the publication: when it cannot be made, what BI tools read is there all the same."""

    def step(context: dg.AssetExecutionContext, session: Session) -> dg.MaterializeResult:
        made = make_pages(session)
        return dg.MaterializeResult(
            metadata={"pages": made.pages, "changed": made.changed, "dagster/uri": made.page.as_uri()}
        )

    return _asset(
        PAGE,
        step,
        deps=[PUBLICATION],
        group_name="publication",
        kinds={"file"},
        description="De pagina voor mensen naast wat BI-tools lezen, en een pagina per indicator.\n\n"
        "The page for people beside what BI tools read, and a page for each indicator.",
    )
