"""Files of the inbox that belong to no mapping: which, since when, and what the nearest mapping lacks.

Belongs here: the list `landing/unrouted.json`, which the next routing replaces whole. Does not belong here: deciding where a
file belongs (assets), proposing a mapping (proposing).
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from resources.disk import write_durably

Why = Literal["no_mapping", "other_headings", "ambiguous", "unreadable", "no_sender"]
_MOST_HEADINGS = 100
_LONGEST = 80
# What stands in the place of a header may be a row of data, and that of a person.
_DATA = re.compile(r"@|\d{6}|^[\d.,:/ -]+$")


@dataclass(frozen=True)
class Unrouted:
    """A file that waits for a mapping. `name` is its path below the folder of its sender; `since` is naive UTC.

    `mappings` is a digest of the mappings it was held against: with others it is looked at again. `nearest` is a dataset,
    `between` the datasets that fit equally well.
    """

    origin: str
    name: str
    sha256: str
    since: str
    why: Why
    mappings: str
    headings: tuple[str, ...] = ()
    nearest: str = ""
    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=dict)
    between: tuple[str, ...] = ()
    reason: str = ""

    def told(self) -> str:
        """Why it waits, in one sentence, without its headings."""
        if self.why == "no_sender":
            return "it lies beside the folders of the senders; move it into one"
        if self.why == "no_mapping":
            return f"there is no mapping of {self.origin}"
        if self.why == "unreadable":
            return self.reason
        if self.why == "ambiguous":
            return f"it fits {' and '.join(self.between)} equally well"
        parts = [
            f"'{h}'" + (f", which may be '{self.renamed[h]}' now" if h in self.renamed else "") for h in self.missing
        ]
        return f"{self.origin}__{self.nearest} comes nearest, but of its headings are missing: {'; '.join(parts)}"


def shown_headings(headings: tuple[str, ...]) -> tuple[str, ...]:
    """Headings as they may be kept: what looks like data is left out."""
    kept = [h[:_LONGEST] for h in headings if not _DATA.search(h)]
    return tuple(kept[:_MOST_HEADINGS])


def read_unrouted(landing: Path) -> list[Unrouted]:
    """The files that waited at the last routing, by sender and name. A damaged list is none: the next routing makes it."""
    path = landing / "unrouted.json"
    try:
        return [_made(facts) for facts in json.loads(path.read_text("utf-8"))] if path.exists() else []
    except (ValueError, TypeError):
        return []


def _made(facts: dict[str, Any]) -> Unrouted:
    read: dict[str, Any] = {key: tuple(told) if isinstance(told, list) else told for key, told in facts.items()}
    return Unrouted(**read)


def write_unrouted(landing: Path, found: list[Unrouted]) -> None:
    """Replace the list, when it says something else; it is there as soon as an inbox was looked at."""
    path = landing / "unrouted.json"
    found = sorted(found, key=lambda one: (one.origin, one.name))
    if not path.exists() or found != read_unrouted(landing):
        write_durably(path, json.dumps([asdict(one) for one in found], indent=1, sort_keys=True))
