"""One run: the engine, the landing zone and the catalogue it works with, and what it found so far.

Belongs here: state that the steps of one run share. Does not belong here: the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from assets.preparing import Horizon, horizon, prepare_reference, set_months
from assets.pulling import Pulled, pull
from resources import audit
from resources.catalogue import Catalogue, Indicator, Model
from resources.engine import Engine
from resources.final_values import prepare_states
from resources.intake import DatasetIntake, IntakeResult
from resources.landing import SETTLE_SECONDS, Landing
from resources.periods import Months
from resources.progress import Progress
from resources.reference_tables import known_until
from resources.sql_compiler import Lineage, lineage

SHOWN = 5
# Why a month is computed again, beside the datasets that changed it.
ASKED = "gevraagd / asked for"
ALL_ANEW = (
    "afspraken of programma veranderd, of een run zonder einde / declarations or code changed, or a run without end"
)


@dataclass
class Session:
    """What the steps of a run share.

    `decided` are the states of months as the run began; `months` are computed again beside those that new deliveries
    touch; `fingerprint` is taken when the run publishes.
    """

    engine: Engine
    landing: Landing
    catalogue: Catalogue
    project: Path
    published: Path
    run_id: str
    as_of: date
    progress: Progress
    fingerprint: Callable[[], str]
    decided: Months
    months: frozenset[date] = frozenset()
    adopt: bool = False
    intake: dict[str, IntakeResult] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)
    has_failed_files: bool = False
    _was_current: bool = False

    def begin(self) -> None:
        """Take the mark that all tables are computed: a run that ends early leaves everything to the next."""
        audit.prepare_audit(self.engine)
        if self.engine.columns("run.computed"):
            rows = self.engine.read("select state from run.computed").read_all().to_pylist()
            self._was_current = bool(rows) and rows[0]["state"] == self._state()
        self.engine.replace("run.computed", "select ''::varchar as state limit 0")
        prepare_reference(self.engine, self.catalogue, self.horizon, self.as_of, self.run_id)
        prepare_states(self.engine, self.decided, self.as_of)

    def _state(self) -> str:
        """What the computed tables depend on beside core."""
        known = known_until(self.catalogue, self.as_of)
        return f"{self.catalogue.fingerprint}|{self.horizon.first}|{self.horizon.last}|{known}"

    @property
    def horizon(self) -> Horizon:
        """The reporting months of this run."""
        return horizon(self.catalogue, self.as_of)

    def pull(self, dataset: str, tries_left: bool) -> Pulled:
        """Land what is new for a dataset. With `tries_left`, a fault that may pass is left for the next try to tell."""
        pulled = pull(self.catalogue, self.project, self.landing, dataset)
        if pulled.may_pass and tries_left:
            return pulled
        if pulled.waiting:
            told = ", ".join(pulled.waiting[:SHOWN]) + (", ..." if len(pulled.waiting) > SHOWN else "")
            self.progress.tell(f"{dataset}: {told} changed less than {SETTLE_SECONDS} s ago and wait for the next run")
        for name, reason in list(pulled.failed.items())[:SHOWN]:
            self.progress.tell(f"{dataset}: {name} could not be taken: {reason}")
        self.has_failed_files = self.has_failed_files or bool(pulled.failed)
        return pulled

    def made_of(self) -> str:
        """What the results are made of; empty, so that it equals nothing, when a file is still to be taken."""
        return "" if self.has_failed_files else self.fingerprint()

    def take_in(self, dataset: str) -> IntakeResult:
        """Judge, expect and merge the deliveries of a dataset."""
        result = DatasetIntake(
            self.engine, self.landing, self.catalogue, dataset, self.progress, self.decided
        ).take_in()
        self.intake[dataset] = result
        if result.changed or result.checks:
            audit.record(self.engine, f"core.{dataset}", result.checks)
        return result

    def plan(self, refs: tuple[str, ...]) -> bool:
        """Set `run.month` to what a table on these refs computes again; whether that is every month.

        Those are the months that deliveries of this run touched in the datasets below it. It is every month when the
        declarations changed, a dataset without months did, or the run before did not come to its end; and for what reads
        the clock, which moves without any delivery.
        """
        below = [self.intake[name] for name in self.catalogue.datasets_below(refs) if name in self.intake]
        due = None if self.catalogue.reads_clock(refs) else self._due(below)
        set_months(self.engine, self.horizon.months() if due is None else due)
        return due is None

    def computed_months(self) -> dict[date, str]:
        """The months computed again in this run for another reason than that the clock moved, each with why."""
        months = self.horizon.months()
        if not self._was_current:
            return dict.fromkeys(months, ALL_ANEW)
        return {month: why for month in months if (why := self._why(month))}

    def _why(self, month: date) -> str:
        touched = sorted(
            r.dataset for r in self.intake.values() if (r.changed and r.months is None) or month in (r.months or ())
        )
        return ", ".join([*([ASKED] if month in self.months else []), *touched])

    def _due(self, results: list[IntakeResult]) -> list[date] | None:
        """The reporting months that were asked for or that these deliveries touched; None for every month."""
        if not self._was_current or any(r.changed and r.months is None for r in results):
            return None
        touched = set(self.months).union(*(r.months or () for r in results))
        return [m for m in self.horizon.months() if m in touched]

    def is_complete(self) -> bool:
        """Whether every table is computed from what core holds now."""
        names = {m.name for m in self.catalogue.models.values() if not m.made_by}
        names |= {f"indicator.{i}" for i in self.catalogue.indicators}
        untouched = self._was_current and not any(r.changed for r in self.intake.values())
        return untouched or names <= self.computed

    def models_done(self) -> None:
        """Note that all tables are computed for this catalogue and these reporting months."""
        self.engine.replace("run.computed", f"select '{self._state()}' as state")

    def lineage(self, name: str, item: Model | Indicator) -> Lineage:
        """Column lineage of a table against the tables as they are in the engine; worked out once per declaration."""
        state = self._state()
        known = audit.recorded_lineage(self.engine, name, state)
        if known is None:
            known = lineage(item.sql, {ref: dict(self.engine.columns(ref)) for ref in item.refs})
            audit.record_lineage(self.engine, name, state, known)
        return known
