"""The catalogue: every declaration of `dbt_like_sql/` and of a deployment, read strictly.

Belongs here: reading the files and the rules that hold between declarations; every error names file, field and repair.
Does not belong here: running anything, parsing SQL beyond its refs.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from resources.catalogue_models import (
    Column,
    Contract,
    Declared,
    Indicator,
    Mapping,
    Model,
    Settings,
    Source,
    Unit,
)
from resources.errors import KetenError
from resources.sql_compiler import compile_sql

__all__ = ["Catalogue", "Column", "Contract", "Indicator", "Mapping", "Model", "Settings", "Source", "load_catalogue"]

ROOT = Path(__file__).resolve().parent.parent / "dbt_like_sql"
T = TypeVar("T", bound=Declared)
PILLARS = ("people", "planet", "purpose")
EXPECTATIONS = (
    "UnexpectedRowsExpectation",
    "expect_column_values_to_be_between",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
    "expect_column_values_to_match_regex",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_sum_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_table_row_count_to_be_between",
)
_PROVIDED = ("reference", "run", "publish", "register", "intake", "audit")


@dataclass
class Catalogue:
    """All declarations of the product and of one deployment. `fingerprint` is the sha256 of every byte read."""

    columns: dict[str, Column] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    code_lists: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    mappings: dict[tuple[str, str], Mapping] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    deployment: Settings | None = None
    sources: list[Source] = field(default_factory=list)
    fingerprint: str = ""

    @property
    def settings(self) -> Settings:
        """keten.yml of the deployment. Raises KetenError when the catalogue was loaded without one."""
        if self.deployment is None:
            raise KetenError("the deployment folder holds no keten.yml; docs/sources-and-mappings.md shows one")
        return self.deployment

    def model_order(self) -> list[Model]:
        """Models with the ones they refer to first. Raises KetenError for a circle."""
        order: list[Model] = []

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise KetenError(f"models refer to each other in a circle: {' -> '.join((*path, name))}")
            for ref in self.models[name].refs:
                if ref in self.models:
                    visit(ref, (*path, name))
            if self.models[name] not in order:
                order.append(self.models[name])

        for name in sorted(self.models):
            visit(name, ())
        return order


def load_catalogue(project: Path | None = None, root: Path = ROOT) -> Catalogue:
    """Read all declarations. Raises KetenError at the first one that cannot be right."""
    reader = _Reader(root, project)
    reader.read()
    return reader.found


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas of the declarations people write, for their editors."""
    kinds: dict[str, type[Declared]] = {
        "contract": Contract,
        "mapping": Mapping,
        "model": Model,
        "indicator": Indicator,
        "keten": Settings,
        "source": Source,
    }
    return {name: kind.model_json_schema(by_alias=True) for name, kind in kinds.items()}


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean '{close[0]}'?" if close else ""


class _Reader:
    def __init__(self, root: Path, project: Path | None) -> None:
        self.root = root
        self.project = project
        self.found = Catalogue()
        self._digest = hashlib.sha256()

    def read(self) -> None:
        """Read in order of dependence, then hold the declarations against each other."""
        found = self.found
        for name, facts in self._yaml(self.root / "columns.yml").items():
            found.columns[name] = self._make(Column, self.root / "columns.yml", {"name": name, **facts})
        self._codes(self.root / "reference")
        for path in sorted((self.root / "sources").glob("*.yml")):
            facts = self._yaml(path)
            facts["columns"] = {n: {"name": n, **(c or {})} for n, c in (facts.get("columns") or {}).items()}
            found.contracts[path.stem] = self._make(Contract, path, {"name": path.stem, **facts})
        self._mappings(self.root / "mappings")
        for schema in ("ledger", "bi"):
            for path in sorted((self.root / schema).glob("*.yml")):
                found.models[f"{schema}.{path.stem}"] = self._model(path, schema)
        for pillar in PILLARS:
            for path in sorted((self.root / "indicators" / pillar).glob("*.yml")):
                found.indicators[path.stem] = self._indicator(path, pillar)
        if self.project:
            self._deployment(self.project)
        _Rules(self.found).hold()
        found.fingerprint = self._digest.hexdigest()

    def _deployment(self, project: Path) -> None:
        self._mappings(project / "mappings")
        if (project / "keten.yml").exists():
            path = project / "keten.yml"
            self.found.deployment = self._make(Settings, path, self._yaml(path))
        if (project / "sources.yml").exists():
            path = project / "sources.yml"
            for facts in self._yaml(path).get("sources") or []:
                source = self._make(Source, path, facts)
                if source.dataset not in self.found.contracts:
                    hint = _meant(source.dataset, self.found.contracts)
                    raise KetenError(f"sources.yml: there is no dataset '{source.dataset}'{hint}")
                self.found.sources.append(source)

    def _bytes(self, path: Path) -> bytes:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise KetenError(
                f"{path} cannot be read ({error.strerror}); check that it exists and its permissions"
            ) from None
        self._digest.update(path.name.encode() + data)
        return data

    def _yaml(self, path: Path) -> dict[str, Any]:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            data = yaml.load(self._bytes(path), loader)
        except yaml.YAMLError as error:
            raise KetenError(f"{self._name(path)} is not valid YAML: {' '.join(str(error).split())}") from None
        if not isinstance(data, dict):
            raise KetenError(f"{self._name(path)} should hold keys and values")
        return data

    def _name(self, path: Path) -> str:
        for base in (self.root, self.project):
            if base and path.is_relative_to(base):
                return str(path.relative_to(base))
        return path.name

    def _make(self, kind: type[T], path: Path, facts: dict[str, Any]) -> T:
        try:
            return kind.model_validate(facts)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(p) for p in first["loc"])
            hint = _meant(str(first["loc"][-1]), kind.model_fields) if first["type"] == "extra_forbidden" else ""
            words = "is not a known key" if first["type"] == "extra_forbidden" else first["msg"]
            raise KetenError(f"{self._name(path)}: {place}: {words}{hint}") from None

    def _codes(self, folder: Path) -> None:
        for path in sorted(folder.glob("*.csv")):
            rows = list(csv.DictReader(self._bytes(path).decode("utf-8").splitlines()))
            self.found.code_lists[path.stem] = {r["code"]: {"nl": r["nl"], "en": r["en"]} for r in rows}
            if path.stem == "unit":
                self.found.units = {
                    r["code"]: Unit(
                        code=r["code"],
                        nl=r["nl"],
                        en=r["en"],
                        canonical_code=r["canonical_code"],
                        factor=Decimal(r["factor"]),
                    )
                    for r in rows
                }

    def _mappings(self, folder: Path) -> None:
        for path in sorted(folder.glob("*.yml")):
            origin, separator, dataset = path.stem.partition("__")
            if not separator:
                raise KetenError(f"{self._name(path)}: name it <origin>__<dataset>.yml")
            facts = {"origin": origin, "dataset": dataset, **self._yaml(path)}
            self.found.mappings[origin, dataset] = self._make(Mapping, path, facts)

    def _sql(self, path: Path) -> dict[str, Any]:
        compiled = compile_sql(
            self._bytes(path.with_suffix(".sql")).decode("utf-8"), self._name(path.with_suffix(".sql"))
        )
        return {"sql": compiled.sql, "refs": compiled.refs}

    def _model(self, path: Path, schema: str) -> Model:
        return self._make(Model, path, {"name": f"{schema}.{path.stem}", **self._sql(path), **self._yaml(path)})

    def _indicator(self, path: Path, pillar: str) -> Indicator:
        facts = {"id": path.stem, "pillar": pillar, **self._sql(path), **self._yaml(path)}
        return self._make(Indicator, path, facts)


class _Rules:
    """What must hold between declarations."""

    def __init__(self, found: Catalogue) -> None:
        self.found = found

    def hold(self) -> None:
        """Raise KetenError at the first declaration that contradicts another."""
        for contract in self.found.contracts.values():
            self._contract(contract)
        for mapping in self.found.mappings.values():
            self._mapping(mapping)
        for model in self.found.models.values():
            self._refs(model.name, model.refs)
        for indicator in self.found.indicators.values():
            self._indicator(indicator)

    def _one_of(self, place: str, what: str, word: str, known: Iterable[str]) -> None:
        known = list(known)
        if word not in known:
            raise KetenError(f"{place}: {what} '{word}' does not exist{_meant(word, known)}")

    def _contract(self, contract: Contract) -> None:
        place = f"sources/{contract.name}.yml"
        for name, column in contract.columns.items():
            self._one_of(place, "column", name, self.found.columns)
            if column.references:
                self._one_of(place, f"{name}: dataset", column.references, self.found.contracts)
            if column.range and column.range[0] > column.range[1]:
                raise KetenError(f"{place}: {name}: range starts above its end; swap them")
            codes = self.found.columns[name].codes
            if codes:
                self._one_of("columns.yml", f"{name}: code list", codes, self.found.code_lists)
        used = [*contract.key, *([contract.period] if contract.period else [])]
        if contract.window:
            used += [*contract.window.scope, contract.window.period]
        if (contract.delivery == "window") != (contract.window is not None):
            raise KetenError(f"{place}: window: write it for delivery 'window', and only there")
        for name in used:
            self._one_of(place, "column", name, contract.columns)
        self._expectations(place, contract)

    def _expectations(self, place: str, contract: Contract) -> None:
        for expectation in contract.expectations:
            self._one_of(place, "expectation", expectation.expect, EXPECTATIONS)
            kwargs = expectation.kwargs
            if kwargs.get("column"):
                self._one_of(place, f"{expectation.expect}: column", kwargs["column"], contract.columns)
            low, high = kwargs.get("min_value"), kwargs.get("max_value")
            if low is not None and high is not None and low > high:
                raise KetenError(f"{place}: {expectation.expect}: min_value is above max_value; swap them")

    def _mapping(self, mapping: Mapping) -> None:
        place = f"mappings/{mapping.origin}__{mapping.dataset}.yml"
        self._one_of(place, "dataset", mapping.dataset, self.found.contracts)
        contract = self.found.contracts[mapping.dataset]
        made = set(mapping.columns)
        if mapping.time:
            made |= {"start_utc", "end_utc", "local_date"}
        for name, column in mapping.columns.items():
            self._one_of(place, "column", name, [*contract.columns, *(["stamp"] if mapping.time else [])])
            if column.unit:
                self._one_of(place, f"{name}: unit", column.unit, self.found.units)
                if self.found.columns[name].unit_in:
                    made.add(str(self.found.columns[name].unit_in))
        for name, declared in contract.columns.items():
            if declared.required and name not in made:
                raise KetenError(f"{place}: columns: '{name}' is required by the contract; map it with from or value")

    def _refs(self, place: str, refs: tuple[str, ...]) -> None:
        known = [f"core.{c}" for c in self.found.contracts] + list(self.found.models)
        known += [f"indicator.{i}" for i in self.found.indicators]
        for ref in refs:
            if ref.split(".")[0] not in _PROVIDED:
                self._one_of(f"{place.replace('.', '/')}.sql", "ref", ref, known)

    def _indicator(self, indicator: Indicator) -> None:
        place = f"indicators/{indicator.pillar}/{indicator.id}"
        self._refs(place, indicator.refs)
        self._one_of(f"{place}.yml", "unit", indicator.unit, self.found.units)
        sides = [indicator.numerator, *([indicator.denominator] if indicator.denominator else [])]
        for side in sides:
            self._one_of(f"{place}.yml", "component", side, indicator.components)
        if (indicator.kind == "ratio") != (indicator.denominator is not None):
            raise KetenError(f"{place}.yml: denominator: write it for kind 'ratio', and only there")
        for component in indicator.components.values():
            self._one_of(f"{place}.yml", "unit", component.unit, self.found.units)
            for key in component.keys:
                self._one_of(f"{place}.yml", "key", key, [n for n, c in self.found.columns.items() if c.dimension])
        for level in indicator.levels:
            for key in level:
                self._one_of(f"{place}.yml", "level key", key, indicator.components[indicator.numerator].keys)
