"""Trace: a published value computed again from the landed bytes, with file and line of every row behind it.

Belongs here: replaying the datasets an indicator stands on, narrowed to one scope and period, in an engine in memory.
Does not belong here: the private engine of the pipeline, which a trace never opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from assets.modelling import compute, compute_indicator
from assets.preparing import horizon, prepare_reference, set_months
from assets.rollup import rollup_select
from resources.engine import Engine
from resources.errors import KetenError
from resources.intake import DatasetIntake
from resources.landing import Landing
from resources.published import rows_of
from resources.receipt_list import dataset_order, prepare

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Indicator

_VALUE = "value, numerator, denominator, coverage, value_status"


@dataclass(frozen=True)
class SourceLines:
    """Rows of one delivered file: `lines` as ranges, e.g. 2-97, 101."""

    dataset: str
    file_name: str
    lines: str
    rows: int


@dataclass(frozen=True)
class Trace:
    """A published value beside its recomputation. `equal` compares value, both sides, coverage and status."""

    sentence: str
    published: Decimal | None
    recomputed: Decimal | None
    equal: bool
    sources: tuple[SourceLines, ...]


@dataclass(frozen=True)
class _Row:
    period_code: str
    period_from: date
    period_to: date
    value: tuple[object, ...]


def trace_value(
    catalogue: Catalogue,
    landing: Path,
    published: Path,
    home: Path,
    indicator_id: str,
    site: str | None,
    period: str | None,
) -> Trace:
    """Trace one value at site or total level. Raises KetenError for an indicator, site or period that is not published."""
    indicator = catalogue.indicators.get(indicator_id)
    if indicator is None:
        raise KetenError(f"there is no indicator '{indicator_id}'; `keten catalogue` lists them")
    row = _published_row(published, indicator_id, site, period)
    states = dict(rows_of(published, "select receipt_id, state from bi.rpt_delivery"))
    as_of = rows_of(published, "select as_of from bi.publication order by publication_id desc limit 1")[0][0]
    datasets = _datasets(catalogue, indicator)
    store = Landing(landing)
    with Engine(None, home / "trace.tmp") as engine:
        prepare(engine, store, catalogue)
        loaded = {i for i, state in states.items() if state == "loaded"}
        for name in datasets:
            DatasetIntake(engine, store, catalogue, name, lambda _: None).replay(loaded)
        _narrow(engine, catalogue, datasets, site, row)
        prepare_reference(engine, catalogue, horizon(catalogue, as_of), as_of, "trace")
        set_months(engine, horizon(catalogue, as_of).months())
        again = _recompute(engine, catalogue, indicator, site, row.period_code)
        sources = tuple(line for name in datasets for line in _lines(engine, name))
    where = f"site {site}" if site else "the whole portfolio"
    sentence = f"{indicator.title.en} of {where} in {row.period_code}: {row.value[0]} {indicator.unit}"
    sentence += f" = {row.value[1]} / {row.value[2]}" if row.value[2] is not None else ""
    return Trace(sentence, row.value[0], again[0] if again else None, again == row.value, sources)  # type: ignore[arg-type]


def _published_row(published: Path, indicator_id: str, site: str | None, period: str | None) -> _Row:
    select = (
        f"select v.period_code, v.period_from, v.period_to, {_VALUE} from bi.rpt_indicator_value v"
        + (" join bi.dim_site s on s.site_key = v.site_key and s.site_id = ?" if site else "")
        + f" where v.indicator_id = ? and v.level_code = '{'site' if site else 'total'}'"
        + (" and v.period_code = ?" if period else " and v.period_type = 'month'")
        + " order by v.value is null, v.period_from desc limit 1"
    )
    parameters: list[object] = [*([site] if site else []), indicator_id, *([period] if period else [])]
    rows = rows_of(published, select, parameters)
    if not rows:
        raise KetenError(
            f"nothing is published for {indicator_id} of {site or 'the portfolio'} in {period or 'any month'};"
            " periods are written 2025-03, 2025-Q1, 2025 or 2025-03~12"
        )
    return _Row(rows[0][0], rows[0][1], rows[0][2], tuple(rows[0][3:]))


def _datasets(catalogue: Catalogue, indicator: Indicator) -> list[str]:
    """The datasets an indicator stands on, through models and references, in order of intake."""
    found: set[str] = set()

    def follow(ref: str) -> None:
        schema, name = ref.split(".", 1)
        if schema == "core" and name not in found:
            found.add(name)
            for column in catalogue.contracts[name].columns.values():
                if column.references:
                    follow(f"core.{column.references}")
        elif ref in catalogue.models:
            for below in catalogue.models[ref].refs:
                follow(below)

    for ref in indicator.refs:
        follow(ref)
    return [name for name in dataset_order(catalogue) if name in found]


def _narrow(engine: Engine, catalogue: Catalogue, datasets: list[str], site: str | None, row: _Row) -> None:
    """Keep only the rows of the scope and the period: what is left must give the same value."""
    narrowed: set[str] = set()
    for name in datasets:
        contract = catalogue.contracts[name]
        table = f"core.{name}"
        if site and name == "site":
            engine.delete(table, f"site_id <> '{site.replace(chr(39), chr(39) * 2)}'")
            narrowed.add(name)
        for column, declared in contract.columns.items():
            if declared.references in narrowed:
                key = catalogue.contracts[declared.references].key[0]
                engine.delete(table, f"{column} not in (select {key} from core.{declared.references})")
                narrowed.add(name)
        if contract.period:
            last = "period_to" if "period_to" in contract.columns else f"{contract.period} + 1"
            engine.delete(
                table, f"not ({contract.period} < date '{row.period_to}' and {last} > date '{row.period_from}')"
            )


def _recompute(
    engine: Engine, catalogue: Catalogue, indicator: Indicator, site: str | None, period: str
) -> tuple[object, ...] | None:
    below = _models_below(catalogue, indicator.refs)
    for model in catalogue.model_order():
        if model.name in below:
            compute(engine, model)
    compute_indicator(engine, indicator)
    keys = sorted(n for n, c in catalogue.columns.items() if c.dimension)
    where = f"level_code = '{'site' if site else 'total'}' and period_code = '{period}'"
    if site:
        where += f" and site_id = '{site.replace(chr(39), chr(39) * 2)}'"
    rows = engine.read(f"select {_VALUE} from ({rollup_select(indicator, keys)}) where {where}").read_all().to_pylist()
    return tuple(rows[0].values()) if rows else None


def _models_below(catalogue: Catalogue, refs: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    for ref in refs:
        if ref in catalogue.models and ref not in found:
            found |= {ref} | _models_below(catalogue, catalogue.models[ref].refs)
    return found


def _lines(engine: Engine, name: str) -> list[SourceLines]:
    """The rows left in core, as ranges of lines per file."""
    select = f"""
        with numbered as (
            select distinct receipt_id, row_no from core.{name}
        ),
        islands as (
            select receipt_id, row_no, row_no - row_number() over (partition by receipt_id order by row_no) as island
            from numbered
        ),
        ranges as (
            select receipt_id, min(row_no) as f, max(row_no) as l, count(*) as n from islands group by receipt_id, island
        )
        select r.file_name, sum(n)::bigint as rows,
            string_agg(case when f = l then f::varchar else f || '-' || l end, ', ' order by f) as lines
        from ranges join intake.receipt r using (receipt_id) group by r.file_name, r.position order by r.position"""
    rows = engine.read(select).read_all().to_pylist()
    return [SourceLines(name, r["file_name"], r["lines"], r["rows"]) for r in rows]
