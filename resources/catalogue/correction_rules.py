"""What must hold between a correction and the contract, the mapping and the code lists it is about.

Belongs here: rules on corrections, the safe form of their conditions, and the wording of their errors. Does not belong
here: the shape of an entry (correction_models), correcting rows (corrections).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.catalogue.correction_models import Correction, listed
from resources.catalogue.rules import Rules
from resources.engine import TYPES
from resources.errors import KetenError, meant
from resources.reading.cells import text

if TYPE_CHECKING:
    from resources.catalogue import Contract, Mapping

NUMBERS = ("decimal", "ratio", "factor", "integer")
_TIMED = ("start_utc", "end_utc", "local_date")
# A condition compares columns with constants. Nothing in it can fail on a row, read a table or know the moment.
_SAFE = frozenset(
    "And Or Not Paren EQ NEQ GT GTE LT LTE In Between Like Is Null Boolean Literal Column Identifier Neg Cast DataType"
    " DataTypeParam Lower Upper Length".split()
)
_SAFE_WORDS = "columns, constants, comparisons, and, or, not, in, between, like, is null, lower, upper, length"


class CorrectionRules(Rules):
    """Holds the corrections of a deployment against the other declarations."""

    def hold(self) -> None:
        """Raise KetenError at the first correction that cannot be right."""
        for correction in self.found.corrections:
            self.hold_one(correction)

    def hold_one(self, entry: Correction) -> None:
        """Raise KetenError when a correction cannot be right."""
        self._one_of(entry.place, "dataset", entry.dataset, self.found.contracts)
        mapping = self.found.mappings.get((entry.origin, entry.dataset))
        if mapping is None:
            raise KetenError(
                f"{entry.place}: dataset: mappings/{entry.origin}__{entry.dataset}.yml is missing; correct the name"
            )
        contract = self.found.contracts[entry.dataset]
        if not (entry.files or entry.match or entry.where):
            raise KetenError(f"{entry.place}: match: say which rows, with files, match or where")
        self._match(entry, contract, mapping)
        self._action(entry, contract, mapping)
        self._expect(entry)
        if entry.where:
            self._bound(entry, contract)

    def _match(self, entry: Correction, contract: Contract, mapping: Mapping) -> None:
        headings = {h for column in mapping.columns.values() for h in column.headings()}
        headings |= {rule.heading for rule in mapping.ignore_rows} | set(mapping.ignore)
        for name, values in entry.match.items():
            if name in contract.columns:
                for value in listed(values):
                    self._holds(entry, f"match.{name}", name, value)
            elif "*" not in mapping.ignore:
                self._one_of(entry.place, "match: column or heading", name, [*contract.columns, *headings])

    def _action(self, entry: Correction, contract: Contract, mapping: Mapping) -> None:
        given = {"column": entry.column, "value": entry.value, "factor": entry.factor}
        needed = {"override": ("column", "value"), "scale": ("column", "factor")}.get(entry.action, ())
        for key in needed:
            if given[key] is None:
                raise KetenError(f"{entry.place}: {key}: is missing; {entry.action} needs it")
        for key in ("value", "factor"):
            if given[key] is not None and key not in needed:
                raise KetenError(f"{entry.place}: {key}: {entry.action} has none; remove it")
        if entry.column is None:
            return
        self._one_of(entry.place, "column", entry.column, contract.columns)
        if entry.changes and mapping.time and entry.column in _TIMED:
            raise KetenError(
                f"{entry.place}: column: '{entry.column}' is made from the stamp; drop the row and ask for it again"
            )
        if entry.action == "scale" and self.found.columns[entry.column].type not in NUMBERS:
            raise KetenError(f"{entry.place}: column: '{entry.column}' is no number; override it")
        if entry.value is not None:
            self._holds(entry, "value", entry.column, entry.value)

    def _expect(self, entry: Correction) -> None:
        expected = entry.expect
        if not expected.model_dump(exclude_none=True):
            raise KetenError(
                f"{entry.place}: expect: is empty; say how many rows it is about, or what was sent, so that it fails"
                " once the sender has mended the fault"
            )
        looks = expected.value is not None or expected.range is not None
        if looks and entry.column is None:
            raise KetenError(f"{entry.place}: column: is missing; say of which column expect tells what was sent")
        if expected.range and self.found.columns[str(entry.column)].type not in NUMBERS:
            raise KetenError(f"{entry.place}: expect.range: '{entry.column}' is no number; write value")
        self._range(f"{entry.place}: expect", expected.range)
        if entry.value is not None and entry.value in listed(expected.value):
            raise KetenError(f"{entry.place}: value: it is what was sent already; write what it should be")

    def _holds(self, entry: Correction, key: str, column: str, value: str) -> None:
        """A value that its column can hold."""
        declared = self.found.columns[column]
        if declared.codes:
            self._one_of(entry.place, f"{key}: code of {declared.codes}", value, self.found.code_lists[declared.codes])
        elif not _is_castable(value, TYPES[declared.type]):
            raise KetenError(
                f"{entry.place}: {key}: '{value}' is no {declared.type}; write it as it is stored, such as 12.5 or 2025-03-01"
            )

    def _bound(self, entry: Correction, contract: Contract) -> None:
        """The condition fits its columns: it is tried on a row of texts and empty values."""
        import duckdb

        kinds = {name: TYPES[self.found.columns[name].type] for name in contract.columns}
        row = ", ".join(f"{'$$x$$' if kind == 'VARCHAR' else 'null'}::{kind} as {name}" for name, kind in kinds.items())
        condition = safe_condition(entry, contract)
        with duckdb.connect() as connection:
            try:
                connection.execute(f"create table tried as select {row}")
                connection.execute(f"select count(*) from tried where {condition}").fetchall()
            except duckdb.Error as error:
                told = str(error).splitlines()[0]
                raise KetenError(
                    f"{entry.place}: where: {told}; compare a column with a constant of its kind, such as"
                    " mass_kg > 1000 or site_id = 'UTR'"
                ) from None


def safe_condition(entry: Correction, contract: Contract) -> str:
    """SQL of the condition of a correction, made again from what it was parsed to. Raises KetenError for what is not safe."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    place = f"{entry.place}: where"
    try:
        parsed = [part for part in sqlglot.parse(str(entry.where), dialect="duckdb") if part is not None]
    except SqlglotError as error:
        raise KetenError(f"{place}: it is no condition ({str(error).splitlines()[0]}); correct it") from None
    if len(parsed) != 1:
        raise KetenError(f"{place}: write one condition")
    for node in parsed[0].walk():
        kind = type(node).__name__
        if kind not in _SAFE:
            raise KetenError(f"{place}: {kind} may not stand in it; use {_SAFE_WORDS}")
        if kind == "Column" and (node.args.get("table") or node.name not in contract.columns):
            raise KetenError(
                f"{place}: column '{node.sql('duckdb')}' does not exist{meant(node.name, contract.columns) or '; correct it'}"
            )
    return str(parsed[0].sql("duckdb", comments=False))


def _is_castable(value: str, kind: str) -> bool:
    import duckdb

    with duckdb.connect() as connection:
        row = connection.execute(f"select try_cast({text(value)} as {kind}) is not null").fetchone()
    return bool(row and row[0])
