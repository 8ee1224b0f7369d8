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
from resources.catalogue import Catalogue
from resources.engine import Engine
from resources.intake import DatasetIntake, IntakeResult
from resources.landing import SETTLE_SECONDS, Landing
from resources.progress import Progress
from resources.sql_compiler import Lineage, lineage


@dataclass
class Session:
    """What the steps of a run share.

    `fingerprint` gives what the run was made of, for the publication to note; `whole` tells whether every month is
    computed again, so that tables are replaced and nothing of older declarations stays in them.
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
    adopt: bool = False
    intake: dict[str, IntakeResult] = field(default_factory=dict)
    computed_state: str = ""
    whole: bool = True

    def begin(self) -> None:
        """Take the mark that all models are computed: a run that is killed from here on computes everything again."""
        audit.prepare_audit(self.engine)
        if self.engine.columns("run.computed"):
            rows = self.engine.read("select state from run.computed").read_all().to_pylist()
            self.computed_state = rows[0]["state"] if rows else ""
        self.engine.replace("run.computed", "select ''::varchar as state limit 0")

    def models_done(self) -> None:
        """Note that all models are computed for this catalogue and these reporting months."""
        self.engine.replace("run.computed", f"select '{self._model_state()}' as state")

    def _model_state(self) -> str:
        """What the models depend on beside core."""
        return f"{self.catalogue.fingerprint}|{self.horizon.first}|{self.horizon.last}"

    @property
    def horizon(self) -> Horizon:
        """The reporting months of this run."""
        return horizon(self.catalogue, self.as_of)

    def pull(self, dataset: str) -> Pulled:
        """Land what is new for a dataset."""
        pulled = pull(self.catalogue, self.project, self.landing, dataset)
        if pulled.waiting:
            told = ", ".join(pulled.waiting[:5]) + (", ..." if len(pulled.waiting) > 5 else "")
            self.progress.tell(f"{dataset}: {told} changed less than {SETTLE_SECONDS} s ago and wait for the next run")
        return pulled

    def take_in(self, dataset: str) -> IntakeResult:
        """Judge, expect and merge the deliveries of a dataset."""
        result = DatasetIntake(self.engine, self.landing, self.catalogue, dataset, self.progress).take_in()
        self.intake[dataset] = result
        if result.changed or result.checks:
            audit.record(self.engine, f"core.{dataset}", result.checks)
        return result

    def plan_months(self, forced: set[date]) -> list[date]:
        """Decide which months are computed again: forced and touched ones, or all when that cannot be told apart."""
        engine, span = self.engine, self.horizon
        prepare_reference(engine, self.catalogue, span, self.as_of, self.run_id)
        touched = set(forced)
        timeless = any(r.changed and r.months is None for r in self.intake.values())
        self.whole = timeless or self.computed_state != self._model_state()
        for result in self.intake.values():
            touched |= result.months or set()
        months = [m for m in span.months() if self.whole or m in touched]
        set_months(engine, months)
        return months

    def lineage(self, name: str, sql: str, refs: tuple[str, ...]) -> Lineage:
        """Column lineage of a model against the tables as they are in the engine; worked out once per declaration."""
        state = self._model_state()
        known = audit.recorded_lineage(self.engine, name, state)
        if known is None:
            known = lineage(sql, {ref: dict(self.engine.columns(ref)) for ref in refs})
            audit.record_lineage(self.engine, name, state, known)
        return known
