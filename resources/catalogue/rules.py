"""What must hold between declarations: units, code lists, columns, references and refs that exist.

Belongs here: rules that need two declarations, and the wording of their errors. Does not belong here: mappings
(mapping_rules), reading files (catalogue.reading), the shape of one declaration (catalogue.models).
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from resources.catalogue import MONTHS
from resources.catalogue.deployment_models import ENV_VARIABLE
from resources.catalogue.models import (
    DIMENSION_KEYS,
    Column,
    Contract,
    Declared,
    Indicator,
    Model,
)
from resources.catalogue.reference_tables import ReferenceTable, typed_rows
from resources.environment import named
from resources.errors import KetenError, meant

if TYPE_CHECKING:
    from resources.catalogue import Catalogue

# The expectations of Great Expectations a contract may list; importing the library to look takes seconds.
EXPECTATIONS = frozenset(
    """
    UnexpectedRowsExpectation
    expect_column_values_to_be_between expect_column_values_to_not_be_null
    expect_column_values_to_be_in_set expect_column_values_to_be_unique
    expect_column_values_to_match_regex expect_compound_columns_to_be_unique
    expect_column_pair_values_a_to_be_greater_than_b
    expect_column_sum_to_be_between expect_column_mean_to_be_between
    expect_table_row_count_to_be_between
    """.split()
)
# So many names an error lists.
_MOST_TOLD = 40
# Tables the engine makes beside the code lists; a code list cannot take their names.
ENGINE_TABLES = {
    "reference": ("month", "day", "holiday", "period", "indicator"),
    "run": ("clock", "knowledge", "month"),
}
_PROVIDED = ("publish", "register", "intake", "audit")


def explain(kind: type[Declared], error: ValidationError) -> str:
    """The first thing pydantic found, as field and repair; an unknown key goes first, as it is why another is missing."""
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    loc = first["loc"]
    place = ".".join(str(p) for p in loc)
    words = {
        "extra_forbidden": f"is not a known key{meant(str(loc[-1]), _keys_at(kind, loc)) or '; remove it'}",
        "missing": "is missing; add it",
        "string_too_short": "is empty; fill it in",
        "string_type": "should be text; put it between quotes",
        "union_tag_not_found": "has no kind; add it",
    }
    return f"{place}: {words.get(first['type'], first['msg'].removeprefix('Value error, '))}"


def _keys_at(kind: type[Declared], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a place inside a declaration."""
    for part in loc[:-1]:
        fields = {f.alias or name: f for name, f in kind.model_fields.items()}
        if part in fields:
            kind = _declared_in(fields[str(part)].annotation) or kind
    return [f.alias or name for name, f in kind.model_fields.items()]


def _declared_in(annotation: Any) -> type[Declared] | None:
    if isinstance(annotation, type) and issubclass(annotation, Declared):
        return annotation
    return next((found for a in get_args(annotation) if (found := _declared_in(a))), None)


class Rules:
    """Holds the declarations of a catalogue against each other."""

    def __init__(self, found: Catalogue) -> None:
        self.found = found

    def hold(self) -> None:
        """Raise KetenError at the first declaration that contradicts another."""
        found = self.found
        for unit in found.units.values():
            self._one_of("reference/unit.csv", f"{unit.code}: canonical_code", unit.canonical_code, found.units)
        for column in found.columns.values():
            self._column("columns.yml", column)
        for table in found.reference_tables.values():
            self._reference(table)
        for contract in found.contracts.values():
            self._contract(contract)
        for model in found.models.values():
            self._model(model)
        for indicator in found.indicators.values():
            self._indicator(indicator)
        found.model_order()
        self._deployment()

    def _one_of(self, place: str, what: str, word: str, known: Collection[str]) -> None:
        if word not in known:
            all_known = (
                f"; choose one of {', '.join(sorted(known))}" if len(known) <= _MOST_TOLD else "; correct the name"
            )
            raise KetenError(f"{place}: {what} '{word}' does not exist{meant(word, known) or all_known}")

    def _once(self, place: str, what: str, ids: list[str]) -> None:
        for word in ids:
            if ids.count(word) > 1:
                raise KetenError(f"{place}: {what} '{word}' stands twice; give each its own id")

    def _range(self, place: str, span: tuple[Decimal, Decimal] | None) -> None:
        if span and span[0] > span[1]:
            raise KetenError(f"{place}: range: it starts above its end; swap them")

    def _column(self, place: str, column: Column) -> None:
        if column.unit:
            self._one_of(place, f"{column.name}: unit", column.unit, self.found.units)
        if column.unit_in:
            self._one_of(place, f"{column.name}: unit_in: column", column.unit_in, self.found.columns)
        if (column.type == "code") != (column.codes is not None):
            raise KetenError(f"{place}: {column.name}: codes: write it for type 'code', and only there")
        if column.codes:
            self._one_of(place, f"{column.name}: code list", column.codes, self.found.code_lists)

    def _reference(self, table: ReferenceTable) -> None:
        place = f"reference/{table.name}.yml"
        for name in table.columns:
            self._one_of(place, "column", name, self.found.columns)
        self._once(place, "column", list(table.columns))
        for name in [*table.key, *table.optional]:
            self._one_of(place, "column", name, table.columns)
        for name in table.key:
            if name in table.optional:
                raise KetenError(f"{place}: optional: '{name}' is part of the key and always filled; remove it")
        typed_rows(self.found, table)

    def _contract(self, contract: Contract) -> None:
        place = f"sources/{contract.name}.yml"
        for name, column in contract.columns.items():
            self._one_of(place, "column", name, self.found.columns)
            if column.references:
                self._one_of(place, f"{name}: dataset", column.references, self.found.contracts)
            self._range(f"{place}: columns.{name}", column.range)
        window = [*contract.window.scope, contract.window.period] if contract.window else []
        if (contract.delivery == "window") != bool(window):
            raise KetenError(f"{place}: window: write it for delivery 'window', and only there")
        period = [contract.period] if contract.period else []
        for name in [*contract.key, *period, *window, *(c for rule in contract.rules for c in rule.fails_on)]:
            self._one_of(place, "column", name, contract.columns)
        self._once(place, "rule", [r.id for r in contract.rules])
        self._expectations(place, contract)

    def _expectations(self, place: str, contract: Contract) -> None:
        known = [*contract.columns, *(["repeat_no"] if contract.repeats == "number" else [])]
        for expectation in contract.expectations:
            self._one_of(place, "expectation", expectation.expect, EXPECTATIONS)
            kwargs = expectation.kwargs
            named = [kwargs[k] for k in ("column", "column_A", "column_B") if k in kwargs]
            for name in [*named, *(kwargs.get("column_list") or ())]:
                self._one_of(place, f"{expectation.expect}: column", str(name), known)
            low, high = kwargs.get("min_value"), kwargs.get("max_value")
            if low is None or high is None:
                continue
            if isinstance(low, str) != isinstance(high, str):
                raise KetenError(
                    f"{place}: {expectation.expect}: min_value and max_value differ in kind; write both alike"
                )
            if low > high:
                raise KetenError(f"{place}: {expectation.expect}: min_value is above max_value; swap them")

    def _model(self, model: Model) -> None:
        place = f"{model.name.replace('.', '/')}.yml"
        self._refs(f"{model.name.replace('.', '/')}.sql", model.refs)
        if model.months:
            self._keeps_to_months(f"{model.name.replace('.', '/')}.sql", model.refs)
        for entry in model.columns:
            if isinstance(entry, str):
                self._one_of(place, "column", entry, [*self.found.columns, DIMENSION_KEYS])
            else:
                self._column(place, entry)
        names = [column.name for column in self.found.columns_of(model)]
        self._once(place, "column", names)
        for name in [*model.key, *([model.months] if model.months else [])]:
            self._one_of(place, "column", name, names)
        self._once(place, "check", [c.id for c in model.checks])
        for check in model.checks:
            if "{table}" not in check.sql or "{table}" not in check.fires_on:
                raise KetenError(f"{place}: checks.{check.id}: write {{table}} for the table in sql and fires_on")

    def _refs(self, place: str, refs: tuple[str, ...]) -> None:
        known = [f"core.{c}" for c in self.found.contracts] + list(self.found.models)
        known += [f"indicator.{i}" for i in self.found.indicators] + [f"reference.{c}" for c in self.found.code_lists]
        known += [f"reference.{t}" for t in self.found.reference_tables]
        known += [f"{schema}.{table}" for schema, tables in ENGINE_TABLES.items() for table in tables]
        for ref in refs:
            if ref.split(".")[0] not in _PROVIDED:
                self._one_of(place, "ref", ref, known)

    def _keeps_to_months(self, place: str, refs: tuple[str, ...]) -> None:
        if MONTHS not in refs:
            raise KetenError(f"{place}: a run computes some months of it; join {{{{ ref('{MONTHS}') }}}} on its month")

    def _indicator(self, indicator: Indicator) -> None:
        stem = f"indicators/{indicator.pillar}/{indicator.id}"
        place = f"{stem}.yml"
        self._refs(f"{stem}.sql", indicator.refs)
        self._keeps_to_months(f"{stem}.sql", indicator.refs)
        self._one_of(place, "unit", indicator.unit, self.found.units)
        for side in [indicator.numerator, *([indicator.denominator] if indicator.denominator else [])]:
            self._one_of(place, "component", side, indicator.components)
        if (indicator.kind == "ratio") != (indicator.denominator is not None):
            raise KetenError(f"{place}: denominator: write it for kind 'ratio', and only there")
        if indicator.minimum_denominator is not None and indicator.denominator is None:
            raise KetenError(f"{place}: minimum_denominator: only a ratio has a denominator; remove it")
        if indicator.display_unit:
            self._shown(place, indicator.unit, indicator.display_unit)
        self._range(place, indicator.range)
        dimensions = [n for n, c in self.found.columns.items() if c.dimension]
        for component in indicator.components.values():
            self._one_of(place, "unit", component.unit, self.found.units)
            for key in component.keys:
                self._one_of(place, "key", key, dimensions)
        for key in [k for level in indicator.levels for k in level]:
            self._one_of(place, "level key", key, indicator.components[indicator.numerator].keys)

    def _shown(self, place: str, unit: str, display_unit: str) -> None:
        """People read a value in another unit of the same kind."""
        units = self.found.units
        self._one_of(place, "display_unit", display_unit, units)
        if units[display_unit].canonical_code != units[unit].canonical_code:
            raise KetenError(
                f"{place}: display_unit '{display_unit}' is not of the same kind as '{unit}'; choose another"
            )

    def _deployment(self) -> None:
        if settings := self.found.deployment:
            self._zone("keten.yml: zone", settings.zone)
            self._one_of("keten.yml", "geography", settings.geography, self.found.code_lists["geography"])
            if settings.reporting.last and settings.reporting.last < settings.reporting.first:
                raise KetenError("keten.yml: reporting: 'to' is before 'from'; swap them")
            channels = [channel.url for channel in settings.alerts.to]
            if not all(map(named, channels)):
                raise KetenError(
                    "keten.yml: alerts.to: a url holds a key or an address; set it in an environment variable and write"
                    " url: ${env:KETEN_ALERT_URL}"
                )
            self._once("keten.yml", "alerts.to", channels)
            names = [target.name for target in settings.targets]
            self._once("keten.yml", "target", names)
            if taken := {"duckdb", "page"}.intersection(names):
                raise KetenError(f"keten.yml: target '{taken.pop()}' is a name of the product; choose another")
        inbox = self.found.inbox
        if inbox and "${" in ENV_VARIABLE.sub("", inbox.path):
            raise KetenError(
                f"sources.yml: inbox: path: '{inbox.path}' holds a bad variable; write ${{env:NAME}} or ${{env:NAME:-default}}"
            )
        for source in self.found.sources:
            self._one_of("sources.yml", "dataset", source.dataset, self.found.contracts)
            if source.path and "${" in ENV_VARIABLE.sub("", source.path):
                place = f"sources.yml: {source.origin}/{source.dataset}: path"
                raise KetenError(
                    f"{place}: '{source.path}' holds a bad variable; write ${{env:NAME}} or ${{env:NAME:-default}}"
                )

    def _zone(self, place: str, zone: str) -> None:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise KetenError(f"{place}: '{zone}' is not a time zone; write one such as Europe/Amsterdam") from None
