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

from assets.modelling import all_keys, compute, compute_indicator
from assets.preparing import horizon, prepare_reference, set_months
from assets.rollup import rollup_select
from resources.engine import Engine
from resources.errors import KetenError
from resources.intake.corrections import TABLE as CORRECTED
from resources.intake.dataset_intake import DatasetIntake
from resources.intake.identifiers import IDENTIFIER
from resources.intake.receipt_list import dataset_order, needed_by, prepare
from resources.landing import Landing
from resources.progress import Progress
from resources.publication.published import rows_of
from resources.reading.cells import text

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Indicator

TOTAL = "total"
_VALUE = "value, numerator, denominator, coverage, value_status"


@dataclass(frozen=True)
class SourceLines:
    """Rows of one delivered file: `lines` as ranges, e.g. 2-97, 101."""

    dataset: str
    file_name: str
    lines: str
    rows: int


@dataclass(frozen=True)
class Mark:
    """What a correction did to rows of one delivered file; `was` and `became` where they are the same in all of these."""

    place: str
    action: str
    column: str
    was: str
    became: str
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
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class _Row:
    """A published value: `value` holds what _VALUE lists."""

    scope: str
    period_code: str
    period_from: date
    period_to: date
    value: tuple[object, ...]


def trace_value(
    catalogue: Catalogue,
    landing: Path,
    published: Path,
    temp_folder: Path,
    indicator_id: str,
    scope: str,
    period: str | None,
    progress: Progress,
) -> Trace:
    """Trace one value; `scope` as published (`site=UTR;carrier=electricity`, `total`), `period` as 2025-03 or the last month.

    Raises KetenError for an indicator, scope or period that is not published.
    """
    indicator = catalogue.indicators.get(indicator_id)
    if indicator is None:
        raise KetenError(f"there is no indicator '{indicator_id}'; `keten catalogue` lists them")
    row = _published_row(published, indicator_id, scope, period)
    replay = _Replay(catalogue, Landing(landing), published, temp_folder, indicator, row, progress)
    again, sources, marks = replay.run(narrow=True)
    if again != row.value:
        # Some indicators look beyond their own scope, such as a share of a total: then every row counts.
        again, sources, marks = replay.run(narrow=False)
    sentence = f"{indicator.title.en}, {row.scope}, {row.period_code}: {row.value[0]} {indicator.unit}"
    sentence += f" = {row.value[1]} / {row.value[2]}" if row.value[2] is not None else ""
    found: Decimal | None = again[0] if again else None  # type: ignore[assignment]
    return Trace(sentence, row.value[0], found, again == row.value, sources, marks)  # type: ignore[arg-type]


def _published_row(published: Path, indicator_id: str, scope: str, period: str | None) -> _Row:
    known = "from bi.rpt_indicator_value where indicator_id = ?"
    rows = rows_of(
        published,
        f"select scope_code, period_code, period_from, period_to, {_VALUE} {known} and scope_code = ?"
        + (" and period_code = ?" if period else " and period_type = 'month'")
        + " order by value is null, period_from desc limit 1",
        [indicator_id, scope, *([period] if period else [])],
    )
    if rows:
        found, code, first, last, *value = rows[0]
        return _Row(found, code, first, last, tuple(value))
    scopes = [r[0] for r in rows_of(published, f"select distinct scope_code {known} order by 1", [indicator_id])]
    if scope in scopes:
        raise KetenError(
            f"{indicator_id} of {scope} is not published for {period or 'any month'};"
            " periods are written 2025-03, 2025-Q1, 2025 or 2025-03~12"
        )
    raise KetenError(f"{indicator_id} is not published for '{scope}'; choose one of {', '.join(scopes[:20])}")


class _Replay:
    """The datasets under one indicator, judged and merged again from the landed bytes, in an engine in memory."""

    def __init__(
        self,
        catalogue: Catalogue,
        landing: Landing,
        published: Path,
        temp_folder: Path,
        indicator: Indicator,
        row: _Row,
        progress: Progress,
    ) -> None:
        self.catalogue = catalogue
        self.landing = landing
        self.temp_folder = temp_folder
        self.indicator = indicator
        self.row = row
        self.progress = progress
        self.loaded = {
            r[0] for r in rows_of(published, "select receipt_id from bi.rpt_delivery where state = 'loaded'")
        }
        self.as_of = rows_of(published, "select as_of from bi.publication order by publication_id desc limit 1")[0][0]
        named = {k.removesuffix("_id").removesuffix("_code"): k for k in all_keys(catalogue)}
        parts = [part.partition("=") for part in row.scope.split(";")] if row.scope != TOTAL else []
        self.keys = {named[name]: value for name, _, value in parts}

    def run(self, narrow: bool) -> tuple[tuple[object, ...] | None, tuple[SourceLines, ...], tuple[Mark, ...]]:
        """The value computed again, the rows behind it and what was corrected in these.

        `narrow` keeps only rows of the scope and the period.
        """
        span = horizon(self.catalogue, self.as_of)
        datasets = self._datasets()
        with Engine(None, self.temp_folder) as engine:
            prepare(engine, self.landing, self.catalogue)
            for name in datasets:
                DatasetIntake(engine, self.landing, self.catalogue, name, self.progress).replay(self.loaded)
            if narrow:
                self._narrow(engine, datasets)
            prepare_reference(engine, self.catalogue, span, self.as_of, "trace")
            set_months(engine, span.months())
            again = self._recompute(engine)
            told = [name for name in datasets if name != IDENTIFIER]
            lines = tuple(line for name in told for line in _lines(engine, name))
            return again, lines, tuple(mark for name in told for mark in _marks(engine, name))

    def _datasets(self) -> list[str]:
        """The datasets the indicator stands on, and those that they refer to, in order of intake."""
        found: set[str] = set()

        def add(name: str) -> None:
            if name not in found:
                found.add(name)
                for needed in needed_by(self.catalogue, name):
                    add(needed)

        for name in self.catalogue.datasets_below(self.indicator.refs):
            add(name)
        return [name for name in dataset_order(self.catalogue) if name in found]

    def _narrow(self, engine: Engine, datasets: list[str]) -> None:
        """Keep only the rows of the scope and the period, and of those that refer to them."""
        narrowed: set[str] = set()
        for name in datasets:
            contract, table = self.catalogue.contracts[name], f"core.{name}"
            for column, value in self.keys.items():
                if column in contract.columns:
                    engine.delete(table, f"{column} <> {text(value)}")
                    narrowed.add(name)
            for column, declared in contract.columns.items():
                if declared.references in narrowed:
                    key = self.catalogue.contracts[declared.references].key[0]
                    engine.delete(table, f"{column} not in (select {key} from core.{declared.references})")
                    narrowed.add(name)
            if contract.period:
                last = "period_to" if "period_to" in contract.columns else f"{contract.period} + 1"
                inside = f"{contract.period} < date '{self.row.period_to}' and {last} > date '{self.row.period_from}'"
                engine.delete(table, f"not ({inside})")

    def _recompute(self, engine: Engine) -> tuple[object, ...] | None:
        for model in self.catalogue.models_below(self.indicator.refs):
            compute(engine, model)
        compute_indicator(engine, self.indicator)
        keys = all_keys(self.catalogue)
        tests = [f"{k} = {text(self.keys[k])}" if k in self.keys else f"{k} is null" for k in keys]
        where = " and ".join([f"period_code = {text(self.row.period_code)}", *tests])
        select = f"select {_VALUE} from ({rollup_select(self.indicator, keys)}) where {where}"
        rows = engine.read(select).read_all().to_pylist()
        return tuple(rows[0].values()) if rows else None


def _lines(engine: Engine, name: str) -> list[SourceLines]:
    """The rows left in core, as ranges of lines per file."""
    rows = engine.read(_ranges(f"select distinct receipt_id, row_no from core.{name}")).read_all().to_pylist()
    return [SourceLines(name, r["file_name"], r["lines"], r["rows"]) for r in rows]


def _marks(engine: Engine, name: str) -> list[Mark]:
    """What corrections did to the rows left in core, and the marks they set on them."""
    same = "case when min({0}) is not distinct from max({0}) then coalesce(min({0}), '') else '' end as {0}"
    entry = "origin, correction_id, action, coalesce(column_name, '') as column_name"
    left = f"(from {CORRECTED} join core.{name} using (receipt_id, row_no, record_no) where outcome = 'applied')"
    select = (
        f"select {entry}, {same.format('value_was')}, {same.format('value_is')} from {left} group by all order by all"
    )
    marks = []
    for made in engine.read(select).read_all().to_pylist():
        mine = f"origin = {text(made['origin'])} and correction_id = {text(made['correction_id'])}"
        numbered = f"select distinct receipt_id, row_no from {left} where {mine}"
        marks += [
            Mark(
                f"corrections/{made['origin']}.yml: {made['correction_id']}",
                made["action"],
                made["column_name"],
                made["value_was"],
                made["value_is"],
                row["file_name"],
                row["lines"],
                row["rows"],
            )
            for row in engine.read(_ranges(numbered)).read_all().to_pylist()
        ]
    return marks


def _ranges(numbered: str) -> str:
    """SQL of the rows of a select of receipt_id and row_no, as ranges of lines per file in order of delivery."""
    return f"""
        with numbered as ({numbered}),
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
