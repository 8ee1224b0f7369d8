"""From landed bytes to core: judge, expect, merge, one dataset at a time, each delivery within a transaction.

Belongs here: the order of the steps, holding a delivery back, the state of every receipt in the engine.
Does not belong here: how a cell is read (judging), which row version wins (merging), what the data mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import duckdb

from resources.engine import roll_back
from resources.errors import KetenError
from resources.intake.corrections import forget
from resources.intake.expectations import CheckResult, check_candidate
from resources.intake.final_months import final_check
from resources.intake.identifiers import entries_of
from resources.intake.judged_by import judged_by
from resources.intake.merging import DatasetTables
from resources.intake.receipt_list import code_fingerprint, list_receipts
from resources.intake.staging import Stage, original_text
from resources.intake.touched_months import touched_months
from resources.months import both, spans_of
from resources.reading.files import kind_of, packing

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Mapping
    from resources.engine import Engine
    from resources.landing import Landing, Receipt
    from resources.periods import Months
    from resources.progress import Progress

BATCH_BYTES = 64 * 1024**2


@dataclass
class IntakeResult:
    """What taking in one dataset did. `months` is None when every month may have changed.

    `checks` are the expectations as core stands now; of a delivery that is held, those it failed, with its receipt.
    """

    dataset: str
    checks: list[CheckResult] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    months: set[date] | None = field(default_factory=set)
    changed: bool = False


class _Implausible(Exception):
    """A critical expectation failed; its message names which."""

    def __init__(self, failed: list[CheckResult]) -> None:
        super().__init__("; ".join(f"{c.en} ({c.observed})" for c in failed))
        self.failed = failed


class DatasetIntake:
    """Taking in the deliveries of one dataset."""

    def __init__(
        self,
        engine: Engine,
        landing: Landing,
        catalogue: Catalogue,
        dataset: str,
        progress: Progress,
        decided: Months | None = None,
    ) -> None:
        self.engine = engine
        self.run = engine.connection.execute
        self.landing = landing
        self.catalogue = catalogue
        self.contract: Contract = catalogue.contracts[dataset]
        self.tables = DatasetTables(engine.connection, catalogue, self.contract)
        self.result = IntakeResult(dataset)
        self.progress = progress
        self.decided = decided or {}
        self._code = code_fingerprint()
        self._numbers: dict[str, str] = {}
        self._groups = 0

    def take_in(self) -> IntakeResult:
        """Bring core in line with the receipts, the contract and the mappings; returns what changed and was checked."""
        list_receipts(self.engine, self.landing)
        receipts = {r.receipt_id: r for r in self.landing.receipts() if r.dataset == self.contract.name}
        states = {
            row[0]: (row[1], row[2])
            for row in self.run(
                "select receipt_id, state, judged_by from intake.receipt where dataset = ? order by position",
                [self.contract.name],
            ).fetchall()
        }
        for receipt_id, (state, _) in states.items():
            receipt = receipts.get(receipt_id)
            if (receipt is None or not receipt.active) and state not in ("withdrawn", "purged"):
                self._within(partial(self._end, receipt_id, receipt))
        self._within(self._match_references)
        moved = self.result.changed
        due = [
            receipts[i]
            for i, (state, judged_by) in states.items()
            if i in receipts and receipts[i].active and (state != "loaded" or judged_by != self._judged_by(receipts[i]))
        ]
        self._load_all(due)
        self._read_texts(receipts)
        if self.result.changed and (moved or self._groups > 1):
            held = [c for c in self.result.checks if c.receipt_id]
            self.result.checks = held + self._expect(self.result.months)
        return self.result

    def replay(self, receipt_ids: set[str]) -> None:
        """Judge and merge just these receipts, in order, without expectations: they passed when they were loaded."""
        for receipt in self.landing.receipts():
            if receipt.dataset != self.contract.name or receipt.receipt_id not in receipt_ids:
                continue
            if stage := self._stage(receipt, 0):
                self._merge(stage)
                stage.drop()

    def _within(self, step: Callable[[], None]) -> None:
        self.run("begin")
        try:
            step()
            self.run("commit")
        except BaseException:
            roll_back(self.engine.connection)
            raise

    def _mapping_of(self, receipt: Receipt) -> Mapping | None:
        return self.catalogue.mapping_at(receipt.origin, receipt.dataset, receipt.order[0])

    def _judged_by(self, receipt: Receipt) -> str:
        if receipt.origin not in self._numbers:
            self._numbers[receipt.origin] = entries_of(self.engine.connection, self.contract, receipt.origin)
        known = [self._code, self._numbers[receipt.origin]]
        return judged_by(self.catalogue, self.contract, self._mapping_of(receipt), receipt, known)

    def _load_all(self, due: list[Receipt]) -> None:
        """Load deliveries in order, again those that were held as long as others came in: what they bring may mend them."""
        while due:
            self.result.held, self.result.checks = {}, [c for c in self.result.checks if not c.receipt_id]
            held = [receipt for batch in _batches(due) for receipt in self._load_batch(batch)]
            if len(held) == len(due):
                return
            due = held

    def _load_batch(self, batch: list[Receipt]) -> list[Receipt]:
        """Judge some deliveries, then load them; returns those that are held back."""
        stages: list[Stage] = []
        try:
            for number, receipt in enumerate(batch):
                if stage := self._stage(receipt, number):
                    stages.append(stage)
            return [stage.receipt for stage in self._load_group(stages)] if stages else []
        finally:
            for stage in stages:
                stage.drop()

    def _stage(self, receipt: Receipt, number: int) -> Stage | None:
        """Judge one delivery; None when its rows cannot be trusted and it is rejected whole."""
        self.progress.step(f"{receipt.dataset}: {receipt.file_name}")
        try:
            return Stage(
                self.engine.connection, self.catalogue, self.contract, receipt, self.landing.path(receipt), number
            )
        except (KetenError, duckdb.InvalidInputException, duckdb.ConversionException) as error:
            reason = _told(error)
            self._within(partial(self._set_aside, receipt, "rejected", reason))
            self.result.rejected[receipt.receipt_id] = reason
            return None

    def _load_group(self, stages: list[Stage]) -> list[Stage]:
        """Load deliveries together; a group that fails is halved, so that one bad delivery never blocks the others.

        Returns those that a critical expectation holds back.
        """
        self._groups += 1
        try:
            self._within(partial(self._load_together, stages))
        except _Implausible as failure:
            if len(stages) > 1:
                half = len(stages) // 2
                return self._load_group(stages[:half]) + self._load_group(stages[half:])
            receipt = stages[0].receipt
            self._within(partial(self._set_aside, receipt, "held", str(failure)))
            self.result.checks += [replace(c, receipt_id=receipt.receipt_id) for c in failure.failed]
            self.result.held[receipt.receipt_id] = str(failure)
            return stages
        return []

    def _load_together(self, stages: list[Stage]) -> None:
        """Merge and check deliveries. Raises _Implausible, and then nothing of them may stay."""
        ids = [stage.receipt.receipt_id for stage in stages]
        before = self._months_of(ids)
        for stage in stages:
            self.tables.remove(stage.receipt.receipt_id)
            self._merge(stage)
        months = both(before, self._months_of(ids))
        receipts = [stage.receipt for stage in stages]
        checks = self._expect(months) + final_check(self.engine.connection, self.contract, self.decided, receipts)
        if failed := [c for c in checks if c.blocks]:
            raise _Implausible(failed)
        self.result.checks = [c for c in self.result.checks if c.receipt_id] + checks
        self.result.loaded += ids
        self._note(months)

    def _merge(self, stage: Stage) -> None:
        stage.insert(self.tables)
        self.run(
            "update intake.receipt set state = 'loaded', reason = null, judged_by = ?, source_rows = ?, received_rows = ?,"
            " blank_rows = ?, number_evidence = ? where receipt_id = ?",
            [
                self._judged_by(stage.receipt),
                stage.source_rows,
                stage.count(),
                stage.blank_rows,
                stage.number_evidence,
                stage.receipt.receipt_id,
            ],
        )

    def _set_aside(self, receipt: Receipt, state: str, reason: str) -> None:
        """A delivery that is not loaded: core is as if it had not come, also when an older mapping once let it in."""
        self._take_out(receipt.receipt_id)
        self.run(
            "update intake.receipt set state = ?, reason = ?, judged_by = null where receipt_id = ?",
            [state, reason, receipt.receipt_id],
        )

    def _end(self, receipt_id: str, receipt: Receipt | None) -> None:
        """Take out a delivery that was withdrawn or purged, or whose receipt is gone."""
        self._take_out(receipt_id)
        if receipt is None:
            self.run("delete from intake.receipt where receipt_id = ?", [receipt_id])
            return
        state = "purged" if receipt.purged_at else "withdrawn"
        self.run(
            "update intake.receipt set state = ?, reason = ? where receipt_id = ?",
            [state, receipt.withdrawn_because, receipt_id],
        )

    def _take_out(self, receipt_id: str) -> None:
        months = self._months_of([receipt_id])
        forget(self.engine.connection, receipt_id)
        if self.tables.remove(receipt_id):
            self._note(months)

    def _match_references(self) -> None:
        """Release rows whose site, meter or party is known now; set apart those whose reference is gone."""
        if not self.tables.has_references():
            return
        expelled = self.tables.expel_unmatched()
        released = self.tables.release_matched()
        receipts = sorted({*expelled, *released})
        if receipts:
            self._note(self._months_of(receipts))

    def _read_texts(self, receipts: dict[str, Receipt]) -> None:
        """Give rows that were set apart only now their original text; their files are read again for it."""
        waiting = f"{self.tables.name}__unmatched"
        rows = self.run(f"select distinct receipt_id from {waiting} where row_text is null").fetchall()
        for (receipt_id,) in rows:
            receipt = receipts[receipt_id]
            mapping = self._mapping_of(receipt)
            assert mapping is not None  # its rows were judged by it in this run
            wanted = f"select row_no from {waiting} where receipt_id = '{receipt_id}' and row_text is null"
            path = self.landing.path(receipt)
            original_text(self.engine.connection, path, mapping, wanted, "late_text")
            self.run(
                f"update {waiting} w set row_text = t.row_text from late_text t"
                f" where w.receipt_id = '{receipt_id}' and w.row_no = t.row_no"
            )

    def _expect(self, months: set[date] | None) -> list[CheckResult]:
        """The expectations of the contract on core as it stands, in some months only; none when no month is touched."""
        select = f"select * from {self.tables.name}"
        if months is not None:
            if not months:
                return []
            # Spans, not months one by one: whole blocks of core are then left unread.
            period = self.contract.period
            spans = [f"({period} >= date '{first}' and {period} < date '{end}')" for first, end in spans_of(months)]
            select += f" where {' or '.join(spans)}"
        return check_candidate(self.engine.connection, self.contract, select)

    def _months_of(self, receipt_ids: list[str]) -> set[date] | None:
        return touched_months(self.engine.connection, self.contract, receipt_ids)

    def _note(self, months: set[date] | None) -> None:
        self.result.changed = True
        self.result.months = both(self.result.months, months)


def _told(error: Exception) -> str:
    """An error in one line, without the row of the file that DuckDB quotes in its own."""
    lines = str(error).split("Possible fixes")[0].splitlines()
    return "; ".join(line.strip() for line in lines if line.strip() and not line.startswith("Original Line"))[:300]


def _batches(due: list[Receipt]) -> list[list[Receipt]]:
    """Deliveries in order, as many together as fit in memory as judged rows and are worth one round of expectations."""
    batches: list[list[Receipt]] = []
    room = 0
    for receipt in due:
        packed = packing(receipt.file_name) or kind_of(receipt.file_name) in ("xlsx", "parquet")
        size = receipt.byte_count * (8 if packed else 1)
        if not batches or size > room:
            batches.append([])
            room = BATCH_BYTES
        batches[-1].append(receipt)
        room -= size
    return batches
