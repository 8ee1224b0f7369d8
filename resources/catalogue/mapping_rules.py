"""What must hold between a mapping and the contract, columns, units and code lists it writes to.

Belongs here: rules on mappings, and the wording of their errors. Does not belong here: rules between other declarations
(catalogue.rules), the shape of a mapping (mapping_models).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from resources.catalogue.mapping_models import (
    END_STAMP,
    FORM_WORDS,
    STAMP,
    STAMPS,
    START_STAMP,
    MappedColumn,
    Mapping,
    NegateRows,
    TimeRule,
)
from resources.catalogue.models import Column, Contract, FileFormat
from resources.catalogue.rules import Rules
from resources.errors import KetenError
from resources.intake.number_cells import AUTO, NUMBERS
from resources.intake.stamps import is_absolute
from resources.intake.year_to_date import series_key
from resources.reading.files import packing, told_kind

_TIMED = ("start_utc", "end_utc", "local_date")
_DAYS = ("date", "month")
_FRACTIONS = tuple(kind for kind in NUMBERS if kind != "integer")
# Keys of a column and the types that take them.
_KEYS = {
    **dict.fromkeys(("unit_from", "units", "factor", "factor_from", "sign"), _FRACTIONS),
    "range": NUMBERS,
    "cumulative": _FRACTIONS,
    "shift": (*_DAYS, "stamp"),
    "format": (*_DAYS, "timestamp", "stamp"),
    **dict.fromkeys(("code_fixes", "codes", "ignored_codes", "default"), ("text", "code")),
}
# Which files a key of `format` is for; the marks in numbers are for all.
_FORMS = {
    **dict.fromkeys(("delimiter", "quote"), ("csv",)),
    "encoding": ("csv", "xml"),
    **dict.fromkeys(("skip_lines", "header_rows", "footer"), ("csv", "xlsx", "xls")),
    "sheet": ("xlsx", "xls"),
    "records": ("json", "xml"),
    "fields": ("json",),
    "profile": ("xml",),
}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_MOST_FACTOR, _FACTOR_DECIMALS = Decimal(10**6), 9


class MappingRules(Rules):
    """Holds the mappings of a catalogue against its other declarations."""

    def hold(self) -> None:
        """Raise KetenError at the first mapping that cannot be right."""
        for mapping in (*self.found.layouts.values(), *self.found.mappings.values()):
            self.hold_one(mapping)
        for later in self.found.later_mappings.values():
            for mapping in later:
                self.hold_one(mapping)

    def _same_delivery(self, later: Mapping, first: Mapping | None) -> None:
        """What a later version may not change: by what a delivery is known, ordered and merged."""
        if first is None:
            name = f"mappings/{later.origin}__{later.dataset}.yml"
            raise KetenError(f"{later.file}: there is no {name} for what came before that day; write it")
        for field in ("issued_at", "delivery"):
            if getattr(later, field) != getattr(first, field):
                raise KetenError(f"{later.file}: {field}: it must be as in {first.file}; write the same")
        if later.reads_name != first.reads_name:
            raise KetenError(f"{later.file}: columns: a value from the name of the file must be so in {first.file} too")

    def hold_one(self, mapping: Mapping) -> None:
        """Raise KetenError when a mapping cannot be right, or is not complete."""
        place, contract, made = self.hold_shape(mapping)
        for name, declared in contract.columns.items():
            if declared.required and name not in made:
                raise KetenError(
                    f"{place}: columns: '{name}' is required by the contract; map it with from, any_of, value or file"
                )
        if mapping.valid_from:
            self._same_delivery(mapping, self.found.mappings.get((mapping.origin, mapping.dataset)))

    def hold_shape(self, mapping: Mapping) -> tuple[str, Contract, set[str]]:
        """Hold all but whether it is complete; the name of its file, its contract, and the columns it makes."""
        place = mapping.file
        self._one_of(place, "dataset", mapping.dataset, self.found.contracts)
        contract = self.found.contracts[mapping.dataset]
        if mapping.delivery == contract.delivery:
            raise KetenError(f"{place}: delivery: the contract says '{contract.delivery}' already; remove it")
        self._form(place, mapping)
        self._patterns(place, mapping)
        made = {*mapping.columns, *self._given(place, mapping, contract)}
        if mapping.time:
            for name in _TIMED:
                self._one_of(place, "time: column", name, contract.columns)
                if name in made:
                    raise KetenError(f"{place}: columns: '{name}' is made from the stamps; remove it")
            made |= set(_TIMED)
        self._time(place, mapping)
        for name, column in mapping.columns.items():
            self._one_of(place, "column", name, [*contract.columns, *(STAMPS if mapping.time else [])])
            given = (column.from_ is not None, bool(column.any_of), column.value is not None, column.file is not None)
            if given.count(True) != 1:
                raise KetenError(f"{place}: columns.{name}: write one of from, any_of, value and file")
            made |= self._mapped(f"{place}: columns.{name}", name, column, contract)
        return place, contract, made

    def _given(self, place: str, mapping: Mapping, contract: Contract) -> tuple[str, ...]:
        """The columns of a layout that the line which uses it gives."""
        for name in mapping.given:
            self._one_of(place, "given: column", name, contract.columns)
            if name in mapping.columns:
                raise KetenError(f"{place}: given: '{name}' is mapped already; write it in one of the two")
        return mapping.given

    def _form(self, place: str, mapping: Mapping) -> None:
        """The keys of `format` fit the files, as far as the patterns for their names tell what they are."""
        form = mapping.format
        for kind in filter(None, map(told_kind, mapping.patterns)):
            for key, kinds in _FORMS.items():
                if key in form.model_fields_set and kind not in kinds:
                    fit = " and ".join(filter(None, (", ".join(f".{k}" for k in kinds[:-1]), f".{kinds[-1]}")))
                    raise KetenError(f"{place}: format.{key}: it is for {fit}, not for .{kind}; remove it")
            if kind == "xml" and not (form.records or form.profile):
                raise KetenError(
                    f"{place}: format: write the path of the record in XML, or a profile; as records: Order/Line"
                )
        if form.profile and form.model_fields_set & {"records", "decimal", "thousands"}:
            raise KetenError(f"{place}: format.profile: it knows the records and their numbers; remove the other keys")
        if form.member and all(told_kind(p) and packing(p.rstrip("*")) != ".zip" for p in mapping.patterns):
            raise KetenError(f"{place}: format.member: it is for an archive (.zip); remove it")
        if form.sheet and form.records:
            raise KetenError(f"{place}: format.records: a sheet has none; write one of sheet and records")
        self._marks(place, form)

    def _marks(self, place: str, form: FileFormat) -> None:
        """The marks in numbers are two, and the file decides both or none."""
        if form.decimal == form.thousands:
            raise KetenError(f"{place}: format.thousands: it is the mark of decimals too; write what the sender does")
        if form.decimal not in (".", ",", AUTO):
            raise KetenError(f"{place}: format.decimal: write '.', ',' or auto")
        if form.decimal == AUTO and form.thousands:
            raise KetenError(f"{place}: format.thousands: with decimal auto the file decides both; remove it")

    def _patterns(self, place: str, mapping: Mapping) -> None:
        """Its regular expressions can be read, and those that seek a value say which part of it is wanted."""
        patterns = {f"ignore_rows.{i}.matches": r.matches for i, r in enumerate(mapping.ignore_rows)}
        form = {"format.footer": mapping.format.footer, "format.member": mapping.format.member}
        patterns |= {field: pattern for field, pattern in form.items() if pattern}
        if mapping.unpivot:
            patterns["unpivot.headings"] = mapping.unpivot.headings
        for name, column in mapping.columns.items():
            if isinstance(column.sign, NegateRows):
                patterns[f"columns.{name}.sign.matches"] = column.sign.matches
            patterns |= {f"columns.{name}.code_fixes.{i}.matches": f.matches for i, f in enumerate(column.code_fixes)}
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
            if field == "unpivot.headings" and groups > 1:
                raise KetenError(f"{place}: {field}: one group at most is the name; write (?:...) for the others")

    def _time(self, place: str, mapping: Mapping) -> None:
        """The time rule and its stamps go together."""
        rule, stamps = mapping.time, mapping.stamps
        if rule is None:
            if stamps:
                raise KetenError(f"{place}: time: it goes with a column '{stamps[0]}'; write both or neither")
            return
        if stamps not in ((STAMP,), (START_STAMP, END_STAMP)):
            raise KetenError(
                f"{place}: time: it goes with a column '{STAMP}', or with '{START_STAMP}' and '{END_STAMP}';"
                f" found: {', '.join(stamps) or 'none'}"
            )
        self._zone(f"{place}: time.zone", rule.zone)
        if rule.site_zone:
            self._zone(f"{place}: time.site_zone", rule.site_zone)
        for fault in _time_faults(rule, stamps):
            raise KetenError(f"{place}: {fault}")

    def _mapped(self, place: str, name: str, mapped: MappedColumn, contract: Contract) -> set[str]:
        """Check a mapped column; the columns its unit fills besides."""
        column = self.found.columns.get(name) or Column(name=name, type="timestamp", nl=name, en=name)
        kind = "stamp" if name in STAMPS else column.type
        for key, kinds in _KEYS.items():
            if key in mapped.model_fields_set and kind not in kinds:
                raise KetenError(f"{place}: {key}: a column of type {kind} has none; remove it")
        for fault in (*_form_faults(kind, mapped), *_number_faults(kind, mapped)):
            raise KetenError(f"{place}: {fault}")
        if mapped.cumulative and not series_key(contract, self.found.columns)[1]:
            raise KetenError(f"{place}: cumulative: the key of {contract.name} holds no period; remove it")
        self._codes(place, column, mapped)
        return self._units(place, column, mapped)

    def _units(self, place: str, column: Column, mapped: MappedColumn) -> set[str]:
        """The units of a column can become its own; the columns they fill besides."""
        units = self.found.units
        if not mapped.unit and not mapped.unit_from:
            return set()
        for key, code in (("unit", mapped.unit), *((f"units.{word}", code) for word, code in mapped.units.items())):
            if code:
                self._one_of(place, key, code, units)
        if column.unit_in and self.found.columns[column.unit_in].codes == "unit":
            kind = mapped.unit
            filled = {column.unit_in}
        elif column.unit is None:
            raise KetenError(f"{place}: unit: this column has no unit of measure; remove it")
        else:
            kind, filled = column.unit, set()
        for code in filter(None, (mapped.unit, *mapped.units.values())):
            if kind and units[code].canonical_code != units[kind].canonical_code:
                fit = ", ".join(c for c, u in units.items() if u.canonical_code == units[kind].canonical_code)
                raise KetenError(f"{place}: unit '{code}' cannot become '{kind}'; choose one of {fit}")
        largest = max((units[c].factor for c in (mapped.unit, *mapped.units.values()) if c), default=Decimal(1))
        self._scale(place, mapped, largest)
        return filled

    def _scale(self, place: str, mapped: MappedColumn, unit: Decimal) -> None:
        factor = unit * (mapped.factor if mapped.factor is not None else 1)
        if abs(factor) >= _MOST_FACTOR or factor != round(factor, _FACTOR_DECIMALS):
            raise KetenError(
                f"{place}: factor: with its unit it is {factor:f}; it has nine decimals and six digits at most"
            )

    def _codes(self, place: str, column: Column, mapped: MappedColumn) -> None:
        if column.codes is None:
            return
        for code in [*mapped.codes.values(), *(c for c in (mapped.default, mapped.value) if c is not None)]:
            self._one_of(place, f"code of {column.codes}", code, self.found.code_lists[column.codes])


def _time_faults(rule: TimeRule, stamps: tuple[str, ...]) -> Iterator[str]:
    intervals = (rule.interval_minutes is not None, rule.interval is not None).count(True)
    if stamps == (STAMP,):
        if rule.stamp is None:
            yield "time.stamp: say whether the stamp is the start or the end of an interval, or a moment"
        if rule.stamp == "moment" and intervals:
            yield "time.interval_minutes: a moment has no length; remove interval_minutes and interval"
        if rule.stamp != "moment" and intervals != 1:
            yield "time.interval_minutes: write it, or interval: day, month or year"
    elif rule.stamp or intervals:
        yield "time: the interval follows from the start and the end; remove stamp, interval_minutes and interval"
    if rule.zone == "UTC" and rule.site_zone is None:
        yield "time.site_zone: the stamps are in UTC; say in which zone the sites lie, such as Europe/Amsterdam"


def _form_faults(kind: str, mapped: MappedColumn) -> Iterator[str]:
    for form in mapped.forms:
        if "%" not in form and form not in FORM_WORDS:
            yield f"format: '{form}' is no form of a date; write one such as '%d-%m-%Y', or {', '.join(FORM_WORDS)}"
        if "%z" in form.removesuffix("%z") or "%Z" in form:
            yield f"format: '{form}': an offset is read at the end of a text only, as %z"
        if kind in _DAYS and form.startswith("epoch_"):
            yield f"format: {form} tells an instant, of which the day depends on a zone; use it for a stamp"
        if kind == "stamp" and mapped.shift and (form == "iso" or is_absolute(form)):
            yield f"shift: a stamp with an offset cannot be shifted; remove it, or '{form}'"
    if kind == "stamp" and mapped.shift and not mapped.forms:
        yield "shift: give the format of the stamp, without an offset"


def _number_faults(kind: str, mapped: MappedColumn) -> Iterator[str]:
    if kind in NUMBERS and mapped.value is not None and not _NUMBER.fullmatch(mapped.value):
        yield f"value: '{mapped.value}' is no number; write it with a decimal point"
    if mapped.units and not mapped.unit_from:
        yield "units: they are the words under the heading of unit_from; write that too"
    if mapped.factor is not None and mapped.factor == 0:
        yield "factor: it is 0; nothing would be left"
    if mapped.range and mapped.range[0] > mapped.range[1]:
        yield "range: its first number is above its second"
    if mapped.value is not None and mapped.beside:
        yield "value: a constant has no unit_from, factor_from or sign by row"
