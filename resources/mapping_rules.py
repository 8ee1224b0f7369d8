"""What must hold between a mapping and the contract, columns, units and code lists it writes to.

Belongs here: rules on mappings, and the wording of their errors. Does not belong here: rules between other declarations
(catalogue_rules), the shape of a mapping (catalogue_models).
"""

from __future__ import annotations

import re

from resources.catalogue_models import Column, MappedColumn, Mapping
from resources.catalogue_rules import Rules
from resources.errors import KetenError
from resources.files import told_kind

_TIMED = ("start_utc", "end_utc", "local_date")
# Which files a key of `format` is for; the marks in numbers are for all.
_FORMS = {
    **dict.fromkeys(("delimiter", "quote", "encoding"), ("csv",)),
    "skip_lines": ("csv", "xlsx"),
    "sheet": ("xlsx",),
    "records": ("json",),
}


class MappingRules(Rules):
    """Holds the mappings of a catalogue against its other declarations."""

    def hold(self) -> None:
        """Raise KetenError at the first mapping that cannot be right."""
        for mapping in self.found.mappings.values():
            self._mapping(mapping)

    def _mapping(self, mapping: Mapping) -> None:
        place = f"mappings/{mapping.origin}__{mapping.dataset}.yml"
        self._one_of(place, "dataset", mapping.dataset, self.found.contracts)
        contract = self.found.contracts[mapping.dataset]
        if mapping.delivery == contract.delivery:
            raise KetenError(f"{place}: delivery: the contract says '{contract.delivery}' already; remove it")
        self._form(place, mapping)
        self._shape(place, mapping)
        made = set(mapping.columns)
        if mapping.time:
            for name in _TIMED:
                self._one_of(place, "time: column", name, contract.columns)
                if name in made:
                    raise KetenError(f"{place}: columns: '{name}' is made from 'stamp'; remove it")
            made |= set(_TIMED)
        for name, column in mapping.columns.items():
            self._one_of(place, "column", name, [*contract.columns, *(["stamp"] if mapping.time else [])])
            given = (column.from_ is not None, bool(column.any_of), column.value is not None, column.file is not None)
            if given.count(True) != 1:
                raise KetenError(f"{place}: columns.{name}: write one of from, any_of, value and file")
            made |= self._converted(place, name, column)
        for name, declared in contract.columns.items():
            if declared.required and name not in made:
                raise KetenError(
                    f"{place}: columns: '{name}' is required by the contract; map it with from, any_of, value or file"
                )

    def _form(self, place: str, mapping: Mapping) -> None:
        """The keys of `format` fit the files, as far as the patterns for their names tell what they are."""
        form = mapping.format
        for kind in filter(None, map(told_kind, mapping.patterns)):
            for key, kinds in _FORMS.items():
                if key in form.model_fields_set and kind not in kinds:
                    raise KetenError(
                        f"{place}: format.{key}: it is for .{' and .'.join(kinds)}, not for .{kind}; remove it"
                    )
        if form.sheet and form.records:
            raise KetenError(f"{place}: format.records: a sheet has none; write one of sheet and records")
        if form.decimal == form.thousands:
            raise KetenError(f"{place}: format.thousands: it is the mark of decimals too; write what the sender does")

    def _shape(self, place: str, mapping: Mapping) -> None:
        """Time rule and regular expressions of a mapping."""
        if (mapping.time is not None) != ("stamp" in mapping.columns):
            raise KetenError(f"{place}: time: it goes with a column 'stamp'; write both or neither")
        if mapping.time:
            self._zone(f"{place}: time.zone", mapping.time.zone)
            if (mapping.time.stamp == "moment") != (mapping.time.interval_minutes == 0):
                raise KetenError(
                    f"{place}: time.interval_minutes: an interval has a length and a moment has none;"
                    " write it with stamp start or end, and leave it out with moment"
                )
        patterns = {f"ignore_rows.{i}.matches": r.matches for i, r in enumerate(mapping.ignore_rows)}
        if mapping.unpivot:
            patterns["unpivot.headings"] = mapping.unpivot.headings
        grouped = {f"columns.{name}.file": c.file for name, c in mapping.columns.items() if c.file}
        if mapping.issued_at:
            grouped["issued_at.pattern"] = mapping.issued_at.pattern
        patterns |= grouped
        for field, pattern in patterns.items():
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                raise KetenError(f"{place}: {field}: not a regular expression ({error}); correct it") from None
            if field in grouped and groups != 1:
                raise KetenError(
                    f"{place}: {field}: put what is wanted, and only that, between parentheses: '_(\\d{{8}})'"
                )

    def _converted(self, place: str, name: str, mapped: MappedColumn) -> set[str]:
        """Check unit, codes and shift of a mapped column; the columns its unit fills besides."""
        place = f"{place}: columns.{name}"
        column = self.found.columns.get(name) or Column(name=name, type="timestamp", nl=name, en=name)
        if mapped.shift and column.type not in ("date", "month"):
            raise KetenError(f"{place}: shift: only a date can be shifted; remove it")
        self._codes(place, column, mapped)
        if not mapped.unit:
            return set()
        self._one_of(place, "unit", mapped.unit, self.found.units)
        if column.unit_in and self.found.columns[column.unit_in].codes == "unit":
            return {column.unit_in}
        if column.unit is None:
            raise KetenError(f"{place}: unit: this column has no unit of measure; remove it")
        units = self.found.units
        if units[mapped.unit].canonical_code != units[column.unit].canonical_code:
            fit = ", ".join(c for c, u in units.items() if u.canonical_code == units[column.unit].canonical_code)
            raise KetenError(f"{place}: unit '{mapped.unit}' cannot become '{column.unit}'; choose one of {fit}")
        return set()

    def _codes(self, place: str, column: Column, mapped: MappedColumn) -> None:
        if column.codes is None:
            if mapped.codes or mapped.default is not None:
                raise KetenError(f"{place}: codes: this column has no code list; remove codes and default")
            return
        for code in [*mapped.codes.values(), *(c for c in (mapped.default, mapped.value) if c is not None)]:
            self._one_of(place, f"code of {column.codes}", code, self.found.code_lists[column.codes])
