"""How the headings of a file differ from those that a mapping needs.

Belongs here: what is missing, what is new, and which of the two may be one heading that was renamed. Does not belong here:
reading headings (the readers), what is proposed for a file (proposing).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.proposing.words import likely_name
from resources.reading.headings import missing_headings

if TYPE_CHECKING:
    from resources.catalogue import Mapping


@dataclass(frozen=True)
class Difference:
    """Headings that a mapping needs and a file has not, those that it has and no mapping knows, and likely new names."""

    missing: tuple[str, ...]
    new: tuple[str, ...]
    renamed: dict[str, str]

    @property
    def fits(self) -> bool:
        """Whether nothing that the mapping needs is missing."""
        return not self.missing


def used_headings(mapping: Mapping) -> set[str]:
    """Every heading that a mapping may use."""
    used = {h for how in mapping.columns.values() for h in (*how.headings(), *how.beside)}
    return used | {rule.heading for rule in mapping.ignore_rows}


def difference(
    headings: Collection[str], mapping: Mapping, suits: Callable[[str, str], bool] | None = None
) -> Difference:
    """Compare; `suits(column, heading)` tells whether the values under a new heading suit a column, where that is known."""
    missing = missing_headings(mapping, headings)
    wide = mapping.unpivot.headings if mapping.unpivot else None
    if wide and not any(re.search(wide, h) for h in headings):
        missing.append(f"headings that match {wide}")
    known = used_headings(mapping) | set(mapping.ignore) | {h for h in headings if wide and re.search(wide, h)}
    new = tuple(h for h in headings if h not in known)
    renamed: dict[str, str] = {}
    for heading in missing:
        columns = [c for c, how in mapping.columns.items() if heading in how.needed(headings)]
        free = [h for h in new if h not in renamed.values()]
        fitting = [h for h in free if suits is None or any(suits(c, h) for c in columns)]
        is_alone = suits is not None and len(missing) == 1 and len(fitting) == 1
        if best := likely_name(heading, fitting) or (fitting[0] if is_alone else None):
            renamed[heading] = best
    return Difference(tuple(missing), new, renamed)
