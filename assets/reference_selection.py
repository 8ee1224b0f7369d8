"""What is taken from collected sources for the product's reference tables: the shape of `reference_selection.yml`.

Belongs here: its fields, and reading it strictly. Does not belong here: taking the rows (reference_build).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from resources.catalogue.models import Declared
from resources.catalogue.rules import explain
from resources.errors import KetenError

SELECTION = "reference_selection.yml"


class UnitOf(Declared):
    """A unit of the sources: our unit, and how many of the source's go into one of ours."""

    unit: str
    times: Decimal = Decimal(1)
    remark: str = ""


class Publisher(Declared):
    """What the sources say in other columns: warming potentials (a code, or the edition is it), day of publication."""

    gwp_set: str
    known_from: date | None = None


class Group(Declared):
    """Factors that are taken in one way; `holds_for` is the geography when it is not that of the publisher."""

    title: str
    ids: str
    editions: tuple[str, ...]
    geographies: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    suffix: str = ""
    holds_for: str | None = None
    parts: dict[str, str] = Field(min_length=1)
    activities: dict[str, str | None]


class Spend(Declared):
    """A table of spend factors: the file it is made of, its sectors and its price bases."""

    file: str
    gwp_set: str
    price_bases: dict[str, str]
    sectors: tuple[str, ...]


class Content(Declared):
    """The energy in a unit: a constant of the sources, or a value with a source of its own."""

    constant: str | None = None
    value: Decimal | None = None
    divided_by: Decimal = Decimal(1)
    decimals: int = Field(default=9, ge=0, le=9)
    source: str = "by definition"
    licence: str = "public domain"
    remark: str = ""


class Carrier(Declared):
    """The energy contents of one unit of a carrier, by heating value."""

    carrier: str
    unit: str
    values: dict[str, Content]


class Selection(Declared):
    """The whole of `reference_selection.yml`."""

    units: dict[str, UnitOf]
    publishers: dict[str, Publisher]
    emission_factors: tuple[Group, ...]
    spend_factors: dict[str, Spend]
    energy_content: tuple[Carrier, ...]
    waste_streams: dict[str, tuple[str, ...]]
    hazardous_streams_that_stay: tuple[str, ...]
    treatments: dict[str, dict[str, tuple[str, ...]]]


def read_selection(path: Path) -> Selection:
    """The selection. Raises KetenError with field and repair for what cannot be right."""
    try:
        return Selection.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except ValidationError as error:
        raise KetenError(f"{path.name}: {explain(Selection, error)}") from None
