"""From landed bytes to core: judge, expect, merge, one dataset at a time, each delivery within a transaction.

Belongs here: the order of the steps, holding a delivery back, the state of every receipt in the engine.
Does not belong here: how a cell is read (judging), which row version wins (merging), what the data mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from resources import judging, reading, repeats, zones
from resources.engine import roll_back
from resources.errors import KetenError
from resources.expectations import CheckResult, check_candidate
from resources.merging import DatasetTables
from resources.receipt_list import code_fingerprint, list_receipts

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Mapping
    from resources.engine import Engine
    from resources.landing import Landing, Receipt

Progress = Callable[[str], None]


@dataclass
class IntakeResult:
    """What taking in one dataset did. `months` is None when every month may have changed."""

    dataset: str
    checks: list[CheckResult] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)
    months: set[date] | None = field(default_factory=set)
    changed: bool = False


class DatasetIntake:
    """Taking in the deliveries of one dataset."""

    def __init__(
        self, engine: Engine, landing: Landing, catalogue: Catalogue, dataset: str, progress: Progress
    ) -> None:
        self.engine = engine
        self.run = engine.connection.execute
        self.landing = landing
        self.catalogue = catalogue
        self.contract: Contract = catalogue.contracts[dataset]
        self.tables = DatasetTables(engine.connection, catalogue, self.contract)
        self.result = IntakeResult(dataset)
        self.progress = progress
        self._code = code_fingerprint()

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
                self._within(partial(self._unload, receipt_id, receipt))
        self._within(self._match_references)
        due = [
            receipts[i]
            for i, (state, judged_by) in states.items()
            if i in receipts and receipts[i].active and (state != "loaded" or judged_by != self._judged_by(receipts[i]))
        ]
        self._load_all(due)
        return self.result

    def replay(self, receipt_ids: set[str]) -> None:
        """Judge and merge just these receipts, in order, without expectations: they passed when they were loaded."""
        for receipt in self.landing.receipts():
            if receipt.dataset == self.contract.name and receipt.receipt_id in receipt_ids:
                self._load(receipt)

    def _within(self, step: Callable[[], None]) -> None:
        self.run("begin")
        try:
            step()
            self.run("commit")
        except BaseException:
            roll_back(self.engine.connection)
            raise

    def _judged_by(self, receipt: Receipt) -> str:
        mapping = self.catalogue.mappings.get((receipt.origin, receipt.dataset))
        facts = [self._code, self.contract.model_dump_json(), mapping.model_dump_json() if mapping else ""]
        facts += [json.dumps(sorted(v), ensure_ascii=False) for v in self.catalogue.code_lists.values()]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def _load_all(self, due: list[Receipt]) -> None:
        """All deliveries together; when that fails, one by one, so that one bad delivery never blocks the others."""
        if not due:
            return
        if self._try(due):
            return
        for receipt in due if len(due) > 1 else []:
            self._try([receipt])

    def _try(self, due: list[Receipt]) -> bool:
        """Load deliveries in one transaction; False when a critical expectation failed and all was taken back."""
        ids = tuple(r.receipt_id for r in due)
        self.run("begin")
        try:
            rejected = {r.receipt_id: reason for r in due if (reason := self._load(r)) is not None}
            loaded = [i for i in ids if i not in rejected]
            months = self._months_of(loaded)
            checks = self._expect(months, tuple(loaded)) if loaded else []
            blocking = [c for c in checks if c.blocks]
            if blocking:
                self.run("rollback")
            else:
                self.run("commit")
        except BaseException:
            roll_back(self.engine.connection)
            raise
        if blocking and len(due) > 1:
            return False
        self.result.checks += checks
        if blocking:
            self._hold(ids[0], blocking)
            return False
        self.result.rejected |= rejected
        self.result.loaded += loaded
        self._note(months, bool(loaded))
        return True

    def _hold(self, receipt_id: str, blocking: list[CheckResult]) -> None:
        reason = "; ".join(f"{c.en} ({c.observed})" for c in blocking)
        self.run("update intake.receipt set state = 'held', reason = ? where receipt_id = ?", [reason, receipt_id])
        self.result.held[receipt_id] = reason

    def _load(self, receipt: Receipt) -> str | None:
        """Judge and merge one delivery; returns why the file was rejected whole, or None."""
        self.progress(f"{receipt.dataset}: {receipt.file_name}")
        self.tables.remove(receipt.receipt_id)
        mapping = self.catalogue.mappings.get((receipt.origin, receipt.dataset))
        try:
            if mapping is None:
                raise KetenError(f"mappings/{receipt.origin}__{receipt.dataset}.yml is missing")
            path = self.landing.path(receipt)
            facts = reading.inspect_file(path, mapping)
            self._judge(receipt, path, mapping, facts)
        except (KetenError, duckdb.InvalidInputException, duckdb.ConversionException) as error:
            state = "rejected"
            self.run(
                "update intake.receipt set state = ?, reason = ?, judged_by = null where receipt_id = ?",
                [state, str(error).splitlines()[0], receipt.receipt_id],
            )
            return str(error).splitlines()[0]
        self._distribute(receipt, facts)
        return None

    def _judge(self, receipt: Receipt, path: Path, mapping: Mapping, facts: reading.FileFacts) -> None:
        connection = self.engine.connection
        zone = mapping.time.zone if mapping.time else None
        if zone and zone != "UTC":
            zones.zone_day_table(connection, zone)
        select = judging.judge_select(self.contract, mapping, self.catalogue, facts, path, receipt.receipt_id)
        self.run("drop table if exists stage")
        self.run(f"create temp table stage as {select}")
        if zone and zone != "UTC":
            repeats.resolve_ambiguous(connection, "stage", self.contract.key, mapping)
        repeats.resolve_repeats(connection, "stage", self.contract)
        repeats.fill_row_text(connection, "stage", reading.raw_select(path, mapping, facts), facts, mapping)

    def _distribute(self, receipt: Receipt, facts: reading.FileFacts) -> None:
        """Send every record of `stage` to exactly one table: ignored, rejected, unmatched or merged."""
        name, rid = self.tables.name, receipt.receipt_id
        source = f"'{rid}', row_no, record_no"
        run = self.run
        run(f"insert into {name}__ignored select {source}, ignored_reason from stage where ignored_reason is not null")
        run(
            f"insert into {name}__rejected select {source}, reasons, row_text from stage"
            " where ignored_reason is null and reasons is not null and len(reasons) > 0"
        )
        known = f"timestamp '{receipt.received_at}'"
        values = ", ".join(c for c in self.tables.types if c not in ("receipt_id", "row_no", "record_no", "known_from"))
        good = (
            f"select {values}, '{rid}' as receipt_id, row_no, record_no, {known} as known_from from stage"
            " where ignored_reason is null and (reasons is null or len(reasons) = 0)"
        )
        if self.tables.has_references():
            reasons = self.tables.unmatched_reasons("g")
            run(
                f"create or replace temp table unmatched as select g.*, {reasons} as reasons, null::varchar as row_text"
                f" from ({good}) g where len({reasons}) > 0"
            )
            mapping = self.catalogue.mappings[(receipt.origin, receipt.dataset)]
            raw = reading.raw_select(self.landing.path(receipt), mapping, facts)
            repeats.fill_row_text(self.engine.connection, "unmatched", raw, facts, mapping)
            run(f"insert into {name}__unmatched by name select * from unmatched")
            good = f"{good} and (row_no, record_no) not in (select row_no, record_no from unmatched)"
        run(f"create or replace temp view incoming as {good}")
        self.tables.insert_settled("incoming", rid)
        run(
            "update intake.receipt set state = 'loaded', reason = null, judged_by = ?, blank_rows = ?,"
            " received_rows = (select count(*) from stage) + ? where receipt_id = ?",
            [self._judged_by(receipt), facts.blank_lines, facts.blank_lines, rid],
        )

    def _unload(self, receipt_id: str, receipt: Receipt | None) -> None:
        months = self._months_of([receipt_id])
        self.tables.remove(receipt_id)
        if receipt is None:
            self.run("delete from intake.receipt where receipt_id = ?", [receipt_id])
        else:
            state = "purged" if receipt.purged_at else "withdrawn"
            self.run(
                "update intake.receipt set state = ?, reason = ? where receipt_id = ?",
                [state, receipt.withdrawn_because, receipt_id],
            )
        self._note(months, True)

    def _match_references(self) -> None:
        """Release rows whose site, meter or party is known now; set apart those whose reference is gone."""
        if not self.tables.has_references():
            return
        expelled = self.tables.expel_unmatched()
        released = self.tables.release_matched()
        receipts = sorted({r for r, _ in expelled} | set(released))
        if receipts:
            self._note(self._months_of(receipts), True)

    def _expect(self, months: set[date] | None, receipt_ids: tuple[str, ...]) -> list[CheckResult]:
        select = f"select * from {self.tables.name}"
        if months and self.contract.period:
            listed = ", ".join(f"date '{m}'" for m in sorted(months))
            select += f" where date_trunc('month', {self.contract.period}) in ({listed})"
        return check_candidate(self.engine.connection, self.contract, select, receipt_ids)

    def _months_of(self, receipt_ids: list[str]) -> set[date] | None:
        """Months that hold a current, ended or unmatched row of these receipts; None for a dataset without a period."""
        period = self.contract.period
        if not period:
            return None
        last = "period_to - 1" if "period_to" in self.contract.columns else period
        listed = ", ".join(f"'{i}'" for i in receipt_ids) or "''"
        name = self.tables.name
        spans = (
            f"select distinct date_trunc('month', {period}) as f, date_trunc('month', {last}) as l from {name}"
            f" where receipt_id in ({listed})"
            f" union select distinct date_trunc('month', {period}), date_trunc('month', {last}) from {name}__history"
            f" where receipt_id in ({listed}) or ended_by in ({listed})"
            f" union select distinct date_trunc('month', {period}), date_trunc('month', {last}) from {name}__unmatched"
            f" where receipt_id in ({listed})"
        )
        rows = self.run(
            f"select distinct unnest(generate_series(f, l, interval 1 month))::date from ({spans})"
        ).fetchall()
        return {row[0] for row in rows}

    def _note(self, months: set[date] | None, changed: bool) -> None:
        self.result.changed = self.result.changed or changed
        if not changed:
            return
        if months is None or self.result.months is None:
            self.result.months = None
        else:
            self.result.months |= months
