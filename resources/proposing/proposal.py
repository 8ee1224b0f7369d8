"""The shape of a proposed mapping: every line with its reason, and what a person has to look at.

Belongs here: the parts of a proposal and the mapping they make. Does not belong here: how they are found (choosing) or
written (writing).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from resources.catalogue import Mapping
from resources.proposing.sample import Sample


@dataclass
class Line:
    """One line of a mapping: a key, what stands behind it, why, and what is to be checked."""

    key: str
    value: Any
    why: str = ""
    check: str = ""


@dataclass
class Proposal:
    """A proposed mapping.

    `top` are the lines before `columns`; `missing` are required columns that nothing fits, each with what to do; `ignored`
    are the other headings, with what they look like; `notes` hold for the whole; `without_rows` tells that it has no data.
    """

    origin: str
    dataset: str
    sample: Sample
    top: list[Line] = field(default_factory=list)
    columns: list[Line] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    score: float = 0.0
    without_rows: bool = False

    def mapping(self) -> Mapping:
        """The mapping as the catalogue would read it; without the columns that are missing."""
        facts = {line.key: line.value for line in self.top}
        facts |= {"columns": {line.key: line.value for line in self.columns}, "ignore": list(self.ignored)}
        return Mapping.model_validate({"origin": self.origin, "dataset": self.dataset, **facts})

    def headings(self, column: str) -> tuple[str, ...]:
        """The headings that a column is proposed to be made of."""
        line = next((line for line in self.columns if line.key == column), None)
        found = line.value.get("from", ()) if line else ()
        return (found,) if isinstance(found, str) else tuple(found)

    def used(self) -> set[str]:
        """The headings that a column is proposed to be made of, or that tell its unit."""
        beside = {line.value["unit_from"] for line in self.columns if "unit_from" in line.value}
        return beside | {h for line in self.columns for h in self.headings(line.key)}
