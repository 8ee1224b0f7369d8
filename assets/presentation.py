"""How every asset presents itself in Dagster: what it is in both languages, who owns it, where it is declared and made.

Belongs here: the one policy for all assets, from the catalogue alone. Does not belong here: what a run shows of the
table it made (glimpses), and what an asset does (graph).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.graph import KEYS, PAGE, PUBLICATION, VALUES
from assets.graph_metadata import column_schema, tag_of
from assets.keyed import keyed_select
from assets.modelling import component_columns, compute, compute_indicator
from assets.page.catalogue import described
from assets.page.making import CATALOGUE, make_pages
from assets.publication import publish_session, register_keys
from assets.pulling import pull
from assets.rollup import rollup_select
from resources.catalogue.reading import ROOT
from resources.intake.dataset_intake import DatasetIntake

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Indicator, Model

# What no declaration owns by itself is looked after by those who own the deliveries.
RUN_TABLE = "bi.rpt_delivery"
# The code behind each kind of asset, and behind those that are one of a kind.
MAKERS: dict[str, tuple[Callable[..., Any], ...]] = {
    "landing": (pull,),
    "core": (DatasetIntake.take_in,),
    "ledger": (compute,),
    "bi": (compute,),
    "indicator": (compute_indicator,),
    KEYS.to_user_string(): (register_keys,),
    VALUES.to_user_string(): (rollup_select, keyed_select),
    PUBLICATION.to_user_string(): (publish_session,),
    PAGE.to_user_string(): (make_pages,),
}


@dataclass(frozen=True)
class Presentation:
    """The policy for the assets of a catalogue.

    `page` gives the link to a page by its name in the published folder; `code_url` is the address of a repository of the
    code. Without one the files of this machine are named, but not to readers at another.
    """

    catalogue: Catalogue
    page: Callable[[str], dg.MetadataValue[Any]]
    code_url: str | None = None
    for_readers: bool = False

    def of(self, assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
        """The same assets, presented."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # references to code may still change their form
            return [asset.map_asset_specs(self._presented) for asset in assets]

    def _presented(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        kind, name = spec.key.path[0], spec.key.path[-1]
        if kind in ("landing", "core") and name in self.catalogue.contracts:
            return self._dataset(spec, kind, self.catalogue.contracts[name])
        if kind == "indicator" and name in self.catalogue.indicators:
            return self._indicator(spec, self.catalogue.indicators[name])
        if (table := f"{kind}.{name}") in self.catalogue.models:
            return self._model(spec, self.catalogue.models[table])
        published = self.catalogue.models.get(f"bi.{name}", self.catalogue.models[RUN_TABLE])
        return self._told(spec, published.owner, "index.html")

    def _dataset(self, spec: dg.AssetSpec, kind: str, contract: Contract) -> dg.AssetSpec:
        nl, en = contract.description.nl, contract.description.en
        facts: dict[str, Any] = {}
        if kind == "landing":
            nl, en = f"Bytes zoals ontvangen. {nl}", f"Bytes as received. {en}"
        else:
            facts = {
                "dagster/table_name": f"core.{contract.name}",
                "key": ", ".join(contract.key),
                "update": contract.update,
                "delivery": contract.delivery,
                "licence": contract.licence,
                "personal_data": contract.personal_data,
                "retention_days": contract.retention_days,
                **column_schema(self.catalogue.columns[c] for c in contract.columns),
            }
        description = f"{contract.title.nl} / {contract.title.en}\n\n{nl}\n\n{en}"
        return self._told(
            spec, contract.owner, "index.html#rejected", [f"sources/{contract.name}.yml"], description, facts
        )

    def _model(self, spec: dg.AssetSpec, model: Model) -> dg.AssetSpec:
        stem = model.name.replace(".", "/")
        description = (
            f"{model.title.nl} / {model.title.en}\n\n{model.description.nl}\n\n{model.description.en}"
            f"\n\n```sql\n{model.sql}\n```"
        )
        facts = {
            "dagster/table_name": model.name,
            "grain": model.grain,
            "key": ", ".join(model.key),
            **column_schema(self.catalogue.columns_of(model)),
        }
        return self._told(spec, model.owner, "index.html", [f"{stem}.sql", f"{stem}.yml"], description, facts)

    def _indicator(self, spec: dg.AssetSpec, indicator: Indicator) -> dg.AssetSpec:
        formula = described(self.catalogue, indicator).formula
        unit = self.catalogue.units[indicator.unit]
        description = (
            f"{indicator.title.nl} / {indicator.title.en} ({unit.nl})\n\n"
            f"{indicator.description.nl}\n\n{indicator.description.en}\n\n"
            f"**Formule / formula:** {formula.nl} / {formula.en}\n\n"
            f"**Let op:** {indicator.pitfall.nl}\n\n**Mind:** {indicator.pitfall.en}\n\n```sql\n{indicator.sql}\n```"
        )
        stem = f"indicators/{indicator.pillar}/{indicator.id}"
        facts = {
            "dagster/table_name": f"indicator.{indicator.id}",
            "unit": indicator.unit,
            "better": indicator.direction,
            "standards": ", ".join(indicator.standards) or "-",
            **column_schema(component_columns(self.catalogue, indicator)),
        }
        tags = {"unit": tag_of(indicator.unit), "pillar": indicator.pillar, "core": str(indicator.core).lower()}
        page = f"{CATALOGUE}/{indicator.id}.html"
        return self._told(spec, indicator.owner, page, [f"{stem}.sql", f"{stem}.yml"], description, facts, tags)

    def _told(
        self,
        spec: dg.AssetSpec,
        owner: str,
        page: str,
        files: Iterable[str] = (),
        description: str | None = None,
        facts: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> dg.AssetSpec:
        """What all assets have: an owner as Dagster writes one, a page for people, and where they are declared and made."""
        facts = {**(facts or {}), "page": self.page(page)}
        if self.code_url or not self.for_readers:
            facts["dagster/code_references"] = self._references(spec.key, files)
        return spec.replace_attributes(
            description=description or spec.description,
            owners=[owner if "@" in owner else f"team:{owner}"],
            tags={**spec.tags, **(tags or {})},
            metadata={**spec.metadata, **facts},
        )

    def _references(self, key: dg.AssetKey, files: Iterable[str]) -> dg.CodeReferencesMetadataValue:
        found = [self._reference(ROOT / name, None, name) for name in files]
        for maker in MAKERS.get(key.to_user_string(), MAKERS.get(key.path[0], ())):
            code = maker.__code__
            found.append(self._reference(Path(code.co_filename), code.co_firstlineno, maker.__qualname__))
        return dg.CodeReferencesMetadataValue(code_references=found)

    def _reference(self, path: Path, line: int | None, label: str) -> dg.LocalFileCodeReference | dg.UrlCodeReference:
        if self.code_url is None:
            return dg.LocalFileCodeReference(file_path=str(path), line_number=line, label=label)
        below = path.relative_to(ROOT.parent).as_posix()
        return dg.UrlCodeReference(url=f"{self.code_url}/{below}" + (f"#L{line}" if line else ""), label=label)
