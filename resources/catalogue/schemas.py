"""JSON Schemas of the files that people write, with what each key means.

Belongs here: which files there are, and putting the meaning of `dbt_like_sql/keys.yml` beside the shape of the models.
Does not belong here: the shapes (the models), reading declarations (catalogue.reading).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from resources.catalogue.correction_models import Corrections
from resources.catalogue.deployment_models import Settings
from resources.catalogue.mapping_models import Mapping
from resources.catalogue.models import Contract, Declared, Indicator, Model
from resources.catalogue.reference_tables import ReferenceTable
from resources.catalogue.source_models import Sources

KEYS = Path(__file__).resolve().parents[2] / "dbt_like_sql" / "keys.yml"
# The files of a deployment, of which every key is described; the others are written by those who develop the product.
DESCRIBED: dict[str, type[Declared]] = {
    "mapping": Mapping,
    "corrections": Corrections,
    "sources": Sources,
    "keten": Settings,
}
_KINDS: dict[str, type[Declared]] = {
    **DESCRIBED,
    "contract": Contract,
    "model": Model,
    "reference": ReferenceTable,
    "indicator": Indicator,
}
# Fields that come from a file's name or its SQL, by kind of declaration; nobody writes them.
_MADE = {
    "Contract": ("name",),
    "ContractColumn": ("name",),
    "Mapping": ("origin", "dataset", "valid_from"),
    "Correction": ("origin",),
    "Model": ("name", "sql", "refs"),
    "ReferenceTable": ("name",),
    "Indicator": ("id", "pillar", "sql", "refs"),
}


def key_meanings() -> dict[str, dict[str, str]]:
    """What each key means, by kind of entry."""
    meanings: dict[str, dict[str, str]] = yaml.safe_load(KEYS.read_text("utf-8"))
    return meanings


def parts_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A file and the kinds of entries in it."""
    yield schema
    yield from schema.get("$defs", {}).values()


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas of the files people write, for their editors; without what comes from a file's name or its SQL."""
    schemas = {name: kind.model_json_schema(by_alias=True) for name, kind in _KINDS.items()}
    meanings = key_meanings()
    for schema in schemas.values():
        for part in parts_of(schema):
            for key in _MADE.get(part["title"], ()):
                del part["properties"][key]
                if key in part["required"]:
                    part["required"].remove(key)
            for key, meaning in meanings.get(part["title"], {}).items():
                if key in part.get("properties", {}):
                    part["properties"][key]["description"] = meaning
    return schemas
