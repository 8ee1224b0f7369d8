"""One run: the engine, the landing zone and the catalogue it works with, and what it found so far.

Belongs here: state that the steps of one run share. Does not belong here: the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from assets.inbox import Routing, route
from assets.preparing import Horizon, horizon, prepare_reference, set_months
from assets.pulling import Pulled, pull
from resources import audit
from resources.catalogue import MONTHS, Catalogue, Indicator, Model
from resources.catalogue.reference_tables import known_until
from resources.engine import Engine
from resources.intake.corrections import CHECK, check_corrections
from resources.intake.dataset_intake import DatasetIntake, IntakeResult
from resources.landing import Landing
from resources.landing.finished import SETTLE_SECONDS
from resources.months import both, widened
from resources.periods import Months, fingerprint
from resources.progress import Progress
from resources.publication.final_values import prepare_states
from resources.sql_compiler import Lineage, lineage

SHOWN = 5
# What follows from the reporting months alone.
CALENDAR = ("reference.month", "reference.day", "reference.period")
# Why a month is computed again, beside the datasets that changed it.
ASKED = "gevraagd / asked for"
ALL_ANEW = (
    "afspraken of programma veranderd, of een run zonder einde / declarations or code changed, or a run without end"
)
NEW = "nieuwe maand / new month"


@dataclass
class Session:
    """What the steps of a run share.

    `decided` are the states of months as the run began; `months` are computed again beside those that new deliveries
    touch; `fingerprint` is taken when the run publishes. `code` is a digest of the code that computes. `touched` tells of
    each table that this run went through in which months its rows may differ from those of the last publication; None
    stands for every month.
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
    code: str
    months: frozenset[date] = frozenset()
    adopt: bool = False
    intake: dict[str, IntakeResult] = field(default_factory=dict)
    touched: dict[str, set[date] | None] = field(default_factory=dict)
    has_failed_files: bool = False
    was_current: bool = False
    are_states_new: bool = True
    new_months: set[date] = field(default_factory=set)
    routing: Routing | None = None

    def begin(self) -> None:
        """Take the mark that all tables are computed: a run that ends early leaves everything to the next."""
        audit.prepare_audit(self.engine)
        if "decided" in self.engine.columns("run.computed"):
            for row in self.engine.read("from run.computed").read_all().to_pylist():
                self.was_current = row["state"] == self._state() and row["last_month"] <= self.horizon.last
                self.new_months = {m for m in self.horizon.months() if m > row["last_month"]}
                self.are_states_new = row["decided"] != fingerprint(self.decided)
        self.engine.replace("run.computed", f"{self._computed()} limit 0")
        prepare_reference(self.engine, self.catalogue, self.horizon, self.as_of, self.run_id)
        prepare_states(self.engine, self.decided, self.as_of)

    def _state(self) -> str:
        """What the computed tables depend on beside core and the last reporting month."""
        known = known_until(self.catalogue, self.as_of)
        return f"{self.catalogue.fingerprint}|{self.code}|{self.horizon.first}|{known}"

    @property
    def horizon(self) -> Horizon:
        """The reporting months of this run."""
        return horizon(self.catalogue, self.as_of)

    def pull(self, dataset: str, tries_left: bool) -> Pulled:
        """Land what is new for a dataset. With `tries_left`, a fault that may pass is left for the next try to tell."""
        if self.routing is None:
            self.routing = route(self.catalogue, self.project, self.landing)
            self._tell_unrouted(self.routing)
        pulled = pull(self.catalogue, self.project, self.landing, dataset, self.routing)
        if pulled.may_pass and tries_left:
            return pulled
        if pulled.waiting:
            told = ", ".join(pulled.waiting[:SHOWN]) + (", ..." if len(pulled.waiting) > SHOWN else "")
            self.progress.tell(f"{dataset}: {told} changed less than {SETTLE_SECONDS} s ago and wait for the next run")
        for name, reason in list(pulled.failed.items())[:SHOWN]:
            self.progress.tell(f"{dataset}: {name} could not be taken: {reason}")
        self.has_failed_files = self.has_failed_files or bool(pulled.failed)
        return pulled

    def _tell_unrouted(self, routing: Routing) -> None:
        for one in routing.unrouted[:SHOWN]:
            self.progress.tell(f"inbox/{one.origin}/{one.name} waits for a mapping: {one.told()}")
        if len(routing.unrouted) > SHOWN:
            self.progress.tell(
                f"and {len(routing.unrouted) - SHOWN} more files of the inbox; `keten unrouted` lists them"
            )

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
        # A correction may cease to hold without a delivery that is judged again: it may be about none.
        kept = check_corrections(self.engine.connection, self.catalogue, dataset)
        audit.record(self.engine, f"core.{dataset}", kept, f"{CHECK}%")
        return result

    def plan(self, refs: tuple[str, ...], reach: int = 0) -> set[date] | None:
        """The months that a table on these refs computes again, in `run.month` too; None for every month.

        Those are the months touched in what it refers to, and as many before and after them as it reaches. It is every
        month when the declarations changed or the run before did not come to its end.
        """
        months: set[date] | None = set() if self.was_current else None
        for ref in refs:
            months = both(months, self._touched_in(ref))
        wanted = widened(months, reach)
        chosen = [m for m in self.horizon.months() if wanted is None or m in wanted]
        set_months(self.engine, chosen)
        return None if months is None else set(chosen)

    def _touched_in(self, ref: str) -> set[date] | None:
        if ref == MONTHS:
            return {*self.months, *self.new_months}
        if ref in CALENDAR:
            return self.new_months
        dataset = ref.removeprefix("core.")
        return self.intake[dataset].months if dataset in self.intake else self.touched.get(ref, set())

    def computed_months(self) -> dict[date, str]:
        """The months computed again in this run for another reason than that the clock moved, each with why."""
        months = self.horizon.months()
        if not self.was_current:
            return dict.fromkeys(months, ALL_ANEW)
        return {month: why for month in months if (why := self._why(month))}

    def _why(self, month: date) -> str:
        touched = sorted(
            r.dataset for r in self.intake.values() if (r.changed and r.months is None) or month in (r.months or ())
        )
        reasons = [(ASKED, self.months), (NEW, self.new_months)]
        return ", ".join([*(why for why, months in reasons if month in months), *touched])

    def is_complete(self) -> bool:
        """Whether every table is computed from what core holds now."""
        names = {m.name for m in self.catalogue.models.values() if not m.made_by}
        names |= {f"indicator.{i}" for i in self.catalogue.indicators}
        untouched = self.was_current and not self.new_months and not any(r.changed for r in self.intake.values())
        return untouched or names <= self.touched.keys()

    def models_done(self) -> None:
        """Note that all tables are computed for this catalogue and these reporting months."""
        self.engine.replace("run.computed", self._computed())

    def _computed(self) -> str:
        decided = fingerprint(self.decided)
        return f"select '{self._state()}' as state, date '{self.horizon.last}' as last_month, '{decided}' as decided"

    def lineage(self, name: str, item: Model | Indicator) -> Lineage:
        """Column lineage of a table against the tables as they are in the engine; worked out once per declaration."""
        state = self._state()
        known = audit.recorded_lineage(self.engine, name, state)
        if known is None:
            known = lineage(item.sql, {ref: dict(self.engine.columns(ref)) for ref in item.refs})
            audit.record_lineage(self.engine, name, state, known)
        return known
