"""The catalogue: all declarations of the product and of one deployment, looked up by name.

Belongs here: what follows from the declarations together: order, dependence, columns, dimensions. Does not belong here:
reading them (catalogue.reading), and what must hold between them (catalogue.rules).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from resources.catalogue.correction_models import Correction
from resources.catalogue.deployment_models import Settings, TargetSetting
from resources.catalogue.mapping_models import Mapping
from resources.catalogue.models import (
    DIMENSION_KEYS,
    HOME,
    Column,
    Contract,
    Indicator,
    Model,
    Unit,
)
from resources.catalogue.reason_models import Reason
from resources.catalogue.reference_tables import ReferenceRow, ReferenceTable
from resources.catalogue.source_models import Inbox, Source
from resources.errors import KetenError

__all__ = ["Catalogue", "Column", "Contract", "Indicator", "Mapping", "Model", "Settings", "Source"]

CLOCK = "run.clock"
# The months that a run computes of a table.
MONTHS = "run.month"


def key_name(column: str) -> str:
    """The surrogate key that stands in published tables for a column with a dimension."""
    return column.removesuffix("_id").removesuffix("_code") + "_key"


def _key_of(column: Column) -> Column:
    nl, en = (
        f"Sleutel: {column.nl} (-1 onbekend, -2 niet van toepassing)",
        f"Key: {column.en} (-1 unknown, -2 not applicable)",
    )
    return Column(name=key_name(column.name), type="integer", nl=nl, en=en)


@dataclass
class Catalogue:
    """All declarations of the product and of one deployment. `fingerprint` is the sha256 of every byte read."""

    columns: dict[str, Column] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    code_lists: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    reference_tables: dict[str, ReferenceTable] = field(default_factory=dict)
    reference_rows: dict[str, list[ReferenceRow]] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    layouts: dict[tuple[str, str], Mapping] = field(default_factory=dict)
    mappings: dict[tuple[str, str], Mapping] = field(default_factory=dict)
    later_mappings: dict[tuple[str, str], tuple[Mapping, ...]] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)
    corrections: list[Correction] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    deployment: Settings | None = None
    sources: list[Source] = field(default_factory=list)
    inbox: Inbox | None = None
    fingerprint: str = ""

    @property
    def settings(self) -> Settings:
        """keten.yml of the deployment. Raises KetenError when the catalogue was loaded without one."""
        if self.deployment is None:
            raise KetenError("the deployment folder holds no keten.yml; docs/sources-and-mappings.md shows one")
        return self.deployment

    @property
    def geography(self) -> str:
        """The geography of the deployment; that of the product without one."""
        return self.deployment.geography if self.deployment else HOME

    @property
    def targets(self) -> tuple[TargetSetting, ...]:
        """Where a publication goes beside the published file."""
        return self.deployment.targets if self.deployment else ()

    def mapping_at(self, origin: str, dataset: str, moment: str) -> Mapping | None:
        """The mapping for a delivery issued, or else received, at a moment (ISO text): the latest that holds then."""
        later = self.later_mappings.get((origin, dataset), ())
        holding = [m for m in later if str(m.valid_from) <= moment[:10]]
        return holding[-1] if holding else self.mappings.get((origin, dataset))

    def mapping_of(self, origin: str, dataset: str, file_name: str, now: str) -> Mapping:
        """The mapping for a file that comes in now: by when its name says it was issued, or else by this moment."""
        first = self.mappings[origin, dataset]
        return self.mapping_at(origin, dataset, first.issued(file_name) or now) or first

    def versions(self, origin: str, dataset: str) -> tuple[Mapping, ...]:
        """The mapping of a sender and its later versions, in order of time."""
        first = self.mappings.get((origin, dataset))
        return (first, *self.later_mappings.get((origin, dataset), ())) if first else ()

    def file_patterns(self, origin: str, dataset: str) -> tuple[str, ...]:
        """The patterns for the file names of a sender, of every version of its mapping."""
        return tuple(dict.fromkeys(p for mapping in self.versions(origin, dataset) for p in mapping.patterns))

    def corrections_of(self, origin: str, dataset: str, file_name: str) -> list[Correction]:
        """The corrections that may touch a delivery, in the order of their file."""
        named = [c for c in self.corrections if (c.origin, c.dataset) == (origin, dataset)]
        return [c for c in named if c.covers(file_name)]

    def dimensions(self) -> dict[str, tuple[str, str]]:
        """Table and column with the members of each dimension: a code list, or the dataset that describes them."""
        found: dict[str, tuple[str, str]] = {}
        for name, column in self.columns.items():
            if column.dimension and column.codes:
                found[column.dimension] = (f"reference.{column.codes}", "code")
            elif column.dimension:
                for contract in self.contracts.values():
                    if contract.key == (name,):
                        found[column.dimension] = (f"core.{contract.name}", name)
        return found

    def display_factor(self, indicator: Indicator) -> Decimal:
        """What a stored value is multiplied by for people: 0.001 for kg shown in tonnes."""
        shown = self.units[indicator.display_unit or indicator.unit]
        return self.units[indicator.unit].factor / shown.factor

    def columns_of(self, model: Model) -> list[Column]:
        """The declared columns of a computed table: those of columns.yml looked up, `dimension_keys` spelt out."""
        found: list[Column] = []
        for entry in model.columns:
            if entry == DIMENSION_KEYS:
                found += [_key_of(column) for column in self.columns.values() if column.dimension]
            else:
                found.append(self.columns[entry] if isinstance(entry, str) else entry)
        return found

    def models_below(self, refs: Iterable[str]) -> list[Model]:
        """The models that some refs stand on, directly or not, each after those it refers to itself."""
        found: set[str] = set()

        def follow(names: Iterable[str]) -> None:
            for name in names:
                if name in self.models and name not in found:
                    found.add(name)
                    follow(self.models[name].refs)

        follow(refs)
        return [model for model in self.model_order() if model.name in found]

    def datasets_below(self, refs: Iterable[str]) -> set[str]:
        """The datasets that some refs stand on, directly or through models."""
        wanted = list(refs)
        found = [*wanted, *(ref for model in self.models_below(wanted) for ref in model.refs)]
        return {ref.removeprefix("core.") for ref in found if ref.startswith("core.")}

    def model_order(self) -> list[Model]:
        """Models with the ones they refer to first. Raises KetenError for a circle."""
        order: dict[str, Model] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise KetenError(
                    f"models refer to each other in a circle: {' -> '.join((*path, name))}; remove one of these refs"
                )
            if name in order:
                return
            for ref in self.models[name].refs:
                if ref in self.models:
                    visit(ref, (*path, name))
            order[name] = self.models[name]

        for name in sorted(self.models):
            visit(name, ())
        return list(order.values())
