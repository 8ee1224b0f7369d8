"""One delivery on its way: its file read, judged and freed of repeats, before core is touched.

Belongs here: the temporary table of one delivery and what can be asked of it. Does not belong here: how a row is judged
(judging, repeats), and where its rows go (intake, merging).

Judging needs nothing but the file, its contract and its mapping, so it happens outside the transaction that changes core.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from resources import reading
from resources.errors import KetenError
from resources.intake import corrections, judging, repeats
from resources.intake.corrections import Correcting
from resources.intake.identifiers import translate
from resources.intake.judged_rows import JudgedRows
from resources.intake.merging import DatasetTables
from resources.intake.number_cells import AUTO, Marks, decide_marks
from resources.intake.year_to_date import cumulative_columns, take_apart
from resources.reading.cells import FileFacts

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Catalogue, Contract, Mapping
    from resources.landing import Receipt

GOOD = "ignored_reason is null and reasons is null"


def original_text(connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, wanted: str, table: str) -> None:
    """Make a temporary table of row_no and row_text of some rows of a file; `wanted` is a select of row_no."""
    facts = reading.inspect_file(path, mapping)
    cells = reading.read_cells(connection, path, mapping, facts, f"{table}_cell")
    _text_of(connection, mapping, facts, cells.relation, wanted, table)
    connection.execute(f"drop table {table}_cell")


def _text_of(
    connection: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    facts: FileFacts,
    cells: str,
    wanted: str,
    table: str,
) -> None:
    connection.execute(f"create or replace temp table wanted as {wanted}")
    found = f"(select * from {cells} where row_no in (select row_no from wanted))"
    text = reading.row_text(mapping, facts)
    connection.execute(f"create or replace temp table {table} as select row_no, {text} as row_text from {found}")


class Stage:
    """The judged records of one delivery.

    `delivered` is a relation with every record: the columns of the contract, receipt_id, row_no, record_no, known_from,
    ignored_reason and reasons (joined by commas, NULL when accepted). `source_rows` are the rows of the file that hold
    them, `blank_rows` the others; `number_evidence` says how its decimal mark was decided. Raises KetenError or a DuckDB
    error when the file cannot be trusted.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        catalogue: Catalogue,
        contract: Contract,
        receipt: Receipt,
        path: Path,
        number: int,
    ) -> None:
        mapping = catalogue.mapping_at(receipt.origin, receipt.dataset, receipt.order[0])
        if mapping is None:
            raise KetenError(f"mappings/{receipt.origin}__{receipt.dataset}.yml is missing")
        self.receipt = receipt
        self._connection = connection
        self._mapping = mapping
        self._table = f"stage_{number}"
        self.is_corrected = False
        facts = reading.inspect_file(path, mapping)
        cells = reading.read_cells(connection, path, mapping, facts, f"{self._table}_cell")
        facts = replace(facts, has_faults=cells.has_faults)
        self.source_rows, self.blank_rows = cells.rows + len(facts.set_aside), cells.blank_rows
        self._set_aside = facts.set_aside
        self.delivered = self._judge(catalogue, contract, facts, cells.relation)
        self._keep_text(catalogue, contract, facts, cells.relation)

    def _judge(self, catalogue: Catalogue, contract: Contract, facts: FileFacts, cells: str) -> str:
        """Judge the rows, and let what is known beside them have its say: corrections, other numbers, repeats."""
        connection, stage, mapping = self._connection, self._table, self._mapping
        marks = self._marks(catalogue, facts, cells)
        self.number_evidence = marks.evidence if marks else None
        judgement = judging.judge(contract, mapping, catalogue, facts, cells, self.receipt.file_name, marks)
        judged = JudgedRows.of(connection, stage, judgement, bool(mapping.unpivot))
        if mapping.time:
            key = [c for c in contract.key if c in judged.stored] or ["1"]
            repeats.resolve_ambiguous(connection, stage, judged.rows, key, mapping, judged.stored)
        if entries := catalogue.corrections_of(self.receipt.origin, contract.name, self.receipt.file_name):
            Correcting(judged, catalogue, contract, mapping).apply(entries, self.receipt.receipt_id, facts, cells)
            self.is_corrected = True
        translate(judged, contract, self.receipt.origin)
        key = [c for c in contract.key if c in judged.stored] or ["1"]
        others = [c for c in judged.stored if c not in key]
        if columns := cumulative_columns(mapping):
            repeats.drop_repeats(connection, stage, judged.rows, key, others)
            take_apart(connection, stage, judged.whole, contract, catalogue.columns, columns, judgement)
        resolve = repeats.number_repeats if contract.repeats == "number" else repeats.drop_repeats
        resolve(connection, stage, judged.rows, key, others)
        known = f"'{self.receipt.receipt_id}' as receipt_id, timestamp '{self.receipt.received_at}' as known_from"
        return f"(select *, {known} from {judged.whole})"

    def _marks(self, catalogue: Catalogue, facts: FileFacts, cells: str) -> Marks | None:
        """The marks in the numbers of the file, when the mapping leaves them to it."""
        found = judging.number_cells(self._mapping, catalogue, facts.headings)
        if self._mapping.format.decimal != AUTO or not found:
            return None
        return decide_marks(self._connection, cells, found)

    def _keep_text(self, catalogue: Catalogue, contract: Contract, facts: FileFacts, cells: str) -> None:
        """Keep the original text of the rows that may be set aside, and let go of all other cells."""
        run = self._connection.execute
        tables = DatasetTables(self._connection, catalogue, contract)
        lost = tables.unmatched(f"(select * from {self.delivered} where {GOOD})")
        wanted = f"select row_no from {self.delivered} e where ignored_reason is null and reasons is not null"
        if lost:
            wanted += f" union select row_no from {self.delivered} e where {GOOD} and ({lost.condition})"
        _text_of(self._connection, self._mapping, facts, cells, wanted, f"{self._table}_text")
        run(f"drop table {self._table}_cell")

    def insert(self, tables: DatasetTables) -> None:
        """Send every record to exactly one table: ignored, rejected, unmatched or merged."""
        run, name = self._connection.execute, tables.name
        source = "receipt_id, row_no, record_no"
        columns = ", ".join(tables.types)
        text = f"{self._table}_text"
        run(
            f"insert into {name}__ignored select {source}, ignored_reason from {self.delivered}"
            " where ignored_reason is not null"
        )
        if self._set_aside:
            values = [(self.receipt.receipt_id, row_no, 1, reason) for row_no, reason in self._set_aside]
            self._connection.executemany(f"insert into {name}__ignored values (?, ?, ?, ?)", values)
        run(
            f"insert into {name}__rejected select {source}, string_split(reasons, ','), row_text from {self.delivered}"
            f" join {text} using (row_no) where ignored_reason is null and reasons is not null"
        )
        run(f"create or replace temp view incoming as select {columns} from {self.delivered} where {GOOD}")
        incoming = "incoming"
        if lost := tables.unmatched("incoming"):
            run(
                f"insert into {name}__unmatched by name select e.*, {lost.reasons} as reasons, row_text"
                f" from incoming e join {text} using (row_no) where {lost.condition}"
            )
            run(f"create or replace temp view matched as from incoming e where not ({lost.condition})")
            incoming = "matched"
        tables.insert_settled(incoming, self.receipt.receipt_id)
        corrections.forget(self._connection, self.receipt.receipt_id)
        if self.is_corrected:
            run(f"insert into {corrections.TABLE} from {self._table}_corrected")

    def count(self) -> int:
        """How many records the delivery holds."""
        row = self._connection.execute(f"select count(*) from {self._table}").fetchone()
        return len(self._set_aside) + (int(row[0]) if row else 0)

    def drop(self) -> None:
        """Free its memory."""
        for table in (self._table, f"{self._table}_text", f"{self._table}_corrected"):
            self._connection.execute(f"drop table if exists {table}")
