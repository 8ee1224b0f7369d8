"""One run: the engine, the landing zone and the catalogue it works with, and what it found so far.

Belongs here: state that the steps of one run share. Does not belong here: the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from assets.preparing import Horizon, horizon, prepare_reference, set_months
from assets.pulling import Pulled, pull
from resources.catalogue import Catalogue
from resources.engine import Engine
from resources.expectations import CheckResult
from resources.intake import DatasetIntake, IntakeResult
from resources.landing import Landing
from resources.sql_compiler import Lineage


@dataclass
class Session:
    """What the steps of a run share. `months` forces months beside the touched ones."""

    engine: Engine
    landing: Landing
    catalogue: Catalogue
    project: Path
    published: Path
    run_id: str
    as_of: date
    months: tuple[date, ...] = ()
    adopt: bool = False
    progress: Callable[[str], None] = print
    pulled: dict[str, Pulled] = field(default_factory=dict)
    intake: dict[str, IntakeResult] = field(default_factory=dict)

    fingerprint: Callable[[], str] = lambda: ""
    computed_state: str = ""

    def begin(self) -> None:
        """Take the mark that all models are computed: a run that is killed from here on computes everything again."""
        run = self.engine.connection.execute
        run("create table if not exists run.computed (state VARCHAR)")
        row = run("select max(state) from run.computed").fetchone()
        self.computed_state = (row[0] if row else None) or ""
        run("delete from run.computed")
        self.ensure_audit()

    def model_state(self) -> str:
        """What the models depend on beside core: the catalogue and the reporting months."""
        return f"{self.catalogue.fingerprint}|{self.horizon.first}|{self.horizon.last}"

    @property
    def horizon(self) -> Horizon:
        """The reporting months of this run."""
        return horizon(self.catalogue, self.as_of)

    def pull(self, dataset: str) -> Pulled:
        """Land what is new for a dataset."""
        self.pulled[dataset] = pull(self.catalogue, self.project, self.landing, dataset)
        return self.pulled[dataset]

    def take_in(self, dataset: str) -> IntakeResult:
        """Judge, expect and merge the deliveries of a dataset."""
        result = DatasetIntake(self.engine, self.landing, self.catalogue, dataset, self.progress).take_in()
        self.intake[dataset] = result
        if result.checks:
            self.record(f"core.{dataset}", result.checks)
        return result

    def plan_months(self) -> list[date]:
        """Decide which months are computed again: the touched ones, or all when that cannot be told apart."""
        engine, span = self.engine, self.horizon
        prepare_reference(engine, self.catalogue, span, self.as_of, self.run_id)
        touched: set[date] = set(self.months)
        everything = self.computed_state != self.model_state()
        for result in self.intake.values():
            if result.changed and result.months is None:
                everything = True
            touched |= result.months or set()
        months = [m for m in span.months() if everything or m in touched]
        set_months(engine, months)
        return months

    def models_done(self) -> None:
        """Note that all models are computed for this catalogue and horizon."""
        self.engine.connection.execute("insert into run.computed values (?)", [self.model_state()])

    def record(self, table: str, checks: Iterable[CheckResult]) -> None:
        """Replace what is known of the checks of one table."""
        run = self.engine.connection.execute
        run("delete from audit.check_result where table_name = ?", [table])
        for c in checks:
            run(
                "insert into audit.check_result values (?, ?, ?, ?, ?, ?, ?)",
                [c.table, c.check_id, c.severity, c.outcome, c.observed, c.nl, c.en],
            )

    def recorded(self, table: str) -> list[CheckResult]:
        """The last known check results of one table."""
        rows = self.engine.connection.execute(
            "select * from audit.check_result where table_name = ? order by check_id", [table]
        ).fetchall()
        return [CheckResult(*row) for row in rows]

    def ensure_audit(self) -> None:
        """Create the table of check results."""
        self.engine.connection.execute(
            "create table if not exists audit.check_result (table_name VARCHAR, check_id VARCHAR, severity VARCHAR,"
            " outcome VARCHAR, observed VARCHAR, nl VARCHAR, en VARCHAR)"
        )

    def input_fingerprint(self) -> str:
        """What this run was made of, as the publication notes it; the caller of the run supplies it."""
        return self.fingerprint()

    def lineage(self, sql: str, refs: tuple[str, ...]) -> Lineage:
        """Column lineage of a model against the tables as they are in the engine."""
        from resources.sql_compiler import lineage

        schema = {ref: dict(self.engine.columns(ref)) for ref in refs}
        return lineage(sql, schema)
