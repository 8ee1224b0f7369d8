"""Reading the catalogue: every declaration of `dbt_like_sql/` and of a deployment, strictly.

Belongs here: reading the files; every error names file, field and repair. Does not belong here: rules that hold between
declarations (catalogue.rules), running anything, parsing SQL beyond its refs.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from resources.catalogue import Catalogue
from resources.catalogue.correction_models import Corrections
from resources.catalogue.correction_rules import CorrectionRules
from resources.catalogue.deployment_models import Settings
from resources.catalogue.layouts import laid_out
from resources.catalogue.mapping_models import Mapping
from resources.catalogue.mapping_rules import MappingRules
from resources.catalogue.models import (
    Column,
    Contract,
    Declared,
    Indicator,
    Model,
    Unit,
)
from resources.catalogue.reason_models import Reason
from resources.catalogue.reference_tables import ReferenceRow, ReferenceTable
from resources.catalogue.rules import ENGINE_TABLES, Rules, explain
from resources.catalogue.source_models import Sources
from resources.errors import KetenError
from resources.sql_compiler import compile_sql

ROOT = Path(__file__).resolve().parents[2] / "dbt_like_sql"
T = TypeVar("T", bound=Declared)
PILLARS = ("people", "planet", "purpose")


def load_catalogue(project: Path | None = None, root: Path = ROOT) -> Catalogue:
    """Read all declarations. Raises KetenError at the first one that cannot be right."""
    reader = CatalogueReader(root, project)
    reader.read()
    return reader.found


def _is_day(told: str) -> bool:
    try:
        return len(told) == 10 and bool(date.fromisoformat(told))
    except ValueError:
        return False


class CatalogueReader:
    """Reads the files of the product, then those of a deployment, which add and override nothing."""

    def __init__(self, root: Path, project: Path | None) -> None:
        self.root = root
        self.project = project
        self.found = Catalogue()
        self._digest = hashlib.sha256()

    def read(self) -> None:
        """Read in order of dependence, then hold the declarations against each other."""
        path = self.root / "columns.yml"
        for name, facts in self._named(path, "", self._yaml(path)).items():
            self.found.columns[name] = self._make(Column, path, facts)
        path = self.root / "reasons.yml"
        for name, facts in self._named(path, "", self._yaml(path), "id").items():
            self.found.reasons[name] = self._make(Reason, path, facts)
        self._reference(self.root / "reference")
        for path in self._files(self.root / "sources", ".yml"):
            self.found.contracts[path.stem] = self._contract(path)
        self._mappings(self.root / "mappings", self.found.layouts)
        for schema in ("ledger", "bi"):
            for path in self._files(self.root / schema, ".yml"):
                facts = self._yaml(path)
                sql: dict[str, Any] = {"sql": "", "refs": ()} if "made_by" in facts else self._sql(path)
                if "made_by" in facts and path.with_suffix(".sql").exists():
                    raise KetenError(f"{self._name(path)}: made_by: there is SQL beside it; keep one of the two")
                made = {"name": f"{schema}.{path.stem}", **sql}
                self.found.models[made["name"]] = self._make(Model, path, facts, made)
        for pillar in PILLARS:
            for path in self._files(self.root / "indicators" / pillar, ".yml"):
                self._new(path, "indicator", path.stem, self.found.indicators)
                made = {"id": path.stem, "pillar": pillar, **self._sql(path)}
                self.found.indicators[path.stem] = self._make(Indicator, path, self._yaml(path), made)
        self.found.code_lists["indicator"] = {
            i.id: {"nl": i.title.nl, "en": i.title.en} for i in self.found.indicators.values()
        }
        if self.project:
            self._deployment(self.project)
        self.hold()
        self.found.fingerprint = self._digest.hexdigest()

    def hold(self) -> None:
        """Hold the declarations against each other."""
        Rules(self.found).hold()
        MappingRules(self.found).hold()
        CorrectionRules(self.found).hold()

    def _deployment(self, project: Path) -> None:
        try:
            next(project.iterdir(), None)
        except OSError as error:
            raise KetenError(
                f"the deployment folder {project} cannot be read ({error.strerror});"
                " set KETEN_PROJECT (or --project) to a folder you may read"
            ) from None
        self._reference(project / "reference")
        self._mappings(project / "mappings", self.found.mappings)
        self._corrections(project / "corrections")
        settings, sources = project / "keten.yml", project / "sources.yml"
        if settings.exists():
            self.found.deployment = self._make(Settings, settings, self._yaml(settings))
        if sources.exists():
            declared = self._make(Sources, sources, self._yaml(sources))
            self.found.sources, self.found.inbox = list(declared.sources), declared.inbox
            self.found.mappings |= laid_out(self.found)

    def _files(self, folder: Path, suffix: str) -> list[Path]:
        """Files of a folder that may be absent, by name."""
        try:
            return sorted(p for p in folder.iterdir() if p.suffix == suffix)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise KetenError(f"{folder} cannot be read ({error.strerror}); check its permissions") from None

    def _bytes(self, path: Path) -> bytes:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise KetenError(
                f"{path} cannot be read ({error.strerror}); check that it exists and its permissions"
            ) from None
        self._digest.update(f"{self._name(path)}\0{len(data)}\0".encode() + data)
        return data

    def _text(self, path: Path) -> str:
        try:
            return self._bytes(path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise KetenError(f"{self._name(path)}: byte {error.start} is not UTF-8; save the file as UTF-8") from None

    def _yaml(self, path: Path) -> dict[str, Any]:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            data = yaml.load(self._text(path), loader)
        except yaml.YAMLError as error:
            raise KetenError(f"{self._name(path)} is not valid YAML: {' '.join(str(error).split())}") from None
        if not isinstance(data, dict):
            raise KetenError(f"{self._name(path)} should hold keys and values; docs/ shows an example of each file")
        return data

    def _name(self, path: Path) -> str:
        for base in (self.root, self.project):
            if base and path.is_relative_to(base):
                return path.relative_to(base).as_posix()
        return path.name

    def _make(self, kind: type[T], path: Path, facts: dict[str, Any], made: dict[str, Any] | None = None) -> T:
        """A declaration from what stands in a file and `made`, what follows from its name or its SQL."""
        self._nowhere(path, "", facts, made or {})
        try:
            return kind.model_validate({**facts, **(made or {})})
        except ValidationError as error:
            named = {Column: "name", Reason: "id"}.get(kind)
            place = f"{self._name(path)}: {facts[named]}." if named else f"{self._name(path)}: "
            raise KetenError(f"{place}{explain(kind, error)}") from None

    def _nowhere(self, path: Path, place: str, facts: dict[str, Any], made: Iterable[str]) -> None:
        """Raise KetenError for a key that nobody writes."""
        for key in made:
            if key in facts:
                where = f"{place}.{key}" if place else key
                raise KetenError(f"{self._name(path)}: {where}: follows from the file's name or its SQL; remove it")

    def _named(self, path: Path, place: str, entries: Any, key: str = "name") -> dict[str, dict[str, Any]]:
        """Entries by name, each told its name as `key`. Raises KetenError for what is not keys and values."""
        if not isinstance(entries, dict):
            raise KetenError(f"{self._name(path)}: {place}should hold names, each with its keys and values")
        for name, facts in entries.items():
            if not isinstance(facts, dict):
                raise KetenError(f"{self._name(path)}: {place}{name}: should hold keys and values; write {{}} for none")
            if key in facts:
                raise KetenError(
                    f"{self._name(path)}: {place}{name}: {key}: stands before the colon already; remove it"
                )
        return {str(name): {key: str(name), **facts} for name, facts in entries.items()}

    def _contract(self, path: Path) -> Contract:
        facts = self._yaml(path)
        if "columns" in facts:
            facts["columns"] = self._named(path, "columns.", facts["columns"])
        return self._make(Contract, path, facts, {"name": path.stem})

    def _new(self, path: Path, what: str, name: object, known: Iterable[object]) -> None:
        if name in known:
            raise KetenError(f"{self._name(path)}: {what} '{name}' exists already and is not overridden; rename it")

    def _reference(self, folder: Path) -> None:
        """Code lists, and typed tables where a `.yml` declares their columns; rows of a deployment add to both."""
        for path in self._files(folder, ".yml"):
            self._new(path, "table", path.stem, [*self.found.reference_tables, *self.found.code_lists])
            table = self._make(ReferenceTable, path, self._yaml(path), {"name": path.stem})
            self.found.reference_tables[path.stem] = table
            if not path.with_suffix(".csv").exists():
                raise KetenError(f"{self._name(path)}: there is no {path.stem}.csv beside it; write its rows there")
        for path in self._files(folder, ".csv"):
            place = self._name(path)
            if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem) or path.stem in ENGINE_TABLES["reference"]:
                raise KetenError(f"{place}: a code list cannot be called '{path.stem}'; choose another snake_case name")
            if path.stem in self.found.reference_tables:
                self._typed_rows(path, self.found.reference_tables[path.stem])
            else:
                self._code_list(path)

    def _typed_rows(self, path: Path, table: ReferenceTable) -> None:
        rows = csv.DictReader(self._text(path).splitlines(), restkey="")
        if sorted(rows.fieldnames or ()) != sorted(table.columns):
            raise KetenError(f"{self._name(path)}: line 1: the header should be {','.join(table.columns)}")
        known = self.found.reference_rows.setdefault(path.stem, [])
        for row in rows:
            known.append(ReferenceRow(self._line(path, rows, row), row))

    def _line(self, path: Path, rows: csv.DictReader[str], row: dict[str, Any]) -> str:
        """File and line of a row. Raises KetenError when it has more or fewer cells than the header."""
        line = f"{self._name(path)}: line {rows.line_num}"
        if "" in row:
            raise KetenError(f"{line}: more cells than the header; put text with a comma between quotes")
        if None in row.values():
            raise KetenError(f"{line}: fewer cells than the header; write a comma for each that is empty")
        return line

    def _code_list(self, path: Path) -> None:
        rows = csv.DictReader(self._text(path).splitlines(), restkey="", restval="")
        needed = ("code", "nl", "en", *(("canonical_code", "factor") if path.stem == "unit" else ()))
        if not set(needed) <= set(rows.fieldnames or ()):
            raise KetenError(
                f"{self._name(path)}: line 1: the header should be {','.join(needed)};"
                f" a table with columns of its own has a {path.stem}.yml beside it"
            )
        known = self.found.code_lists.setdefault(path.stem, {})
        for row in rows:
            line = self._line(path, rows, row)
            empty = [name for name in needed if not row[name]]
            if empty:
                raise KetenError(f"{line}: {empty[0]} is empty; fill it in")
            self._new(path, f"line {rows.line_num}: code", row["code"], known)
            known[row["code"]] = {"nl": row["nl"], "en": row["en"]}
            if path.stem == "unit":
                self.found.units[row["code"]] = self._unit(line, row)

    def _unit(self, line: str, row: dict[str, str]) -> Unit:
        try:
            factor = Decimal(row["factor"])
        except InvalidOperation:
            factor = Decimal(0)
        if not (factor.is_finite() and 0 < factor < 1_000_000):
            raise KetenError(
                f"{line}: factor: '{row['factor']}' is not a number between 0 and 1,000,000; write it as 0.001"
            )
        code, canonical = row["code"], row["canonical_code"]
        return Unit(code=code, nl=row["nl"], en=row["en"], canonical_code=canonical, factor=factor)

    def _mappings(self, folder: Path, known: dict[tuple[str, str], Mapping]) -> None:
        """Mappings of the product are layouts that any sender may use, those of a deployment are of one sender."""
        for path in self._files(folder, ".yml"):
            self.read_mapping(path, known)

    def read_mapping(self, path: Path, known: dict[tuple[str, str], Mapping]) -> None:
        """Add the mapping of a file to those that are known."""
        origin, separator, rest = path.stem.partition("__")
        if not separator:
            raise KetenError(f"{self._name(path)}: the name tells no dataset; name it <origin>__<dataset>.yml")
        dataset, _, valid_from = rest.partition("__")
        made = {"origin": origin, "dataset": dataset}
        if valid_from:
            self._later_mapping(path, made, valid_from)
            return
        mapping = self._make(Mapping, path, self._yaml(path), made)
        if mapping.given and known is not self.found.layouts:
            raise KetenError(f"{self._name(path)}: given: it is for layouts of the product; write a value in columns")
        known[origin, dataset] = mapping

    def _later_mapping(self, path: Path, made: dict[str, str], valid_from: str) -> None:
        """A version of a mapping that holds from a day on; files are read by name, so they come in order of time."""
        if not _is_day(valid_from):
            raise KetenError(
                f"{self._name(path)}: '{valid_from}' is not a day; name it <origin>__<dataset>__<YYYY-MM-DD>.yml"
            )
        key = made["origin"], made["dataset"]
        later = self.found.later_mappings.get(key, ())
        self._new(path, "mapping", valid_from, [m.valid_from for m in later])
        read = self._make(Mapping, path, self._yaml(path), {**made, "valid_from": valid_from})
        self.found.later_mappings[key] = tuple(sorted((*later, read), key=lambda m: str(m.valid_from)))

    def _corrections(self, folder: Path) -> None:
        for path in self._files(folder, ".yml"):
            facts = self._yaml(path)
            entries = facts.get("corrections")
            if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
                for entry in entries:
                    self._nowhere(path, "corrections", entry, ("origin",))
                facts = {**facts, "corrections": [{**entry, "origin": path.stem} for entry in entries]}
            for made in self._make(Corrections, path, facts).corrections:
                self._new(path, "correction", made.id, [c.id for c in self.found.corrections if c.origin == path.stem])
                self.found.corrections.append(made)

    def _sql(self, path: Path) -> dict[str, Any]:
        path = path.with_suffix(".sql")
        compiled = compile_sql(self._text(path), self._name(path))
        return {"sql": compiled.sql, "refs": compiled.refs}
