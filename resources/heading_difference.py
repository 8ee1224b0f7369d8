"""How the headings of a file differ from those that a mapping needs.

Belongs here: what is missing, what is new, and which of the two may be one heading that was renamed. Does not belong here:
reading headings (the readers), what is proposed for a file (proposing).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.proposing.words import likeness

if TYPE_CHECKING:
    from resources.catalogue import Mapping

_ALIKE = 0.7


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

    def told(self) -> str:
        """What is missing, with its likely new name."""
        parts = [
            f"'{h}'" + (f", which may be '{self.renamed[h]}' now" if h in self.renamed else "") for h in self.missing
        ]
        return f"missing: {'; '.join(parts)}"


def needed_headings(mapping: Mapping, found: Collection[str]) -> set[str]:
    """The headings that a mapping needs of a file that has these; alternatives it has none of are one name."""
    wanted = {h for column in mapping.columns.values() for h in column.needed(found)}
    wanted |= {rule.heading for rule in mapping.ignore_rows}
    return wanted - {mapping.unpivot.name, mapping.unpivot.value} if mapping.unpivot else wanted


def difference(
    headings: Collection[str], mapping: Mapping, suits: Callable[[str, str], bool] | None = None
) -> Difference:
    """Compare; `suits(column, heading)` tells whether the values under a new heading suit a column, where that is known."""
    wanted = needed_headings(mapping, headings)
    missing = sorted(wanted - set(headings))
    wide = mapping.unpivot.headings if mapping.unpivot else None
    if wide and not any(re.search(wide, h) for h in headings):
        missing.append(f"headings that match {wide}")
    known = wanted | set(mapping.ignore) | {h for h in headings if wide and re.search(wide, h)}
    new = tuple(h for h in headings if h not in known)
    renamed: dict[str, str] = {}
    for heading in missing:
        columns = [c for c, how in mapping.columns.items() if heading in how.needed(headings)]
        free = [h for h in new if h not in renamed.values()]
        fitting = [h for h in free if suits is None or any(suits(c, h) for c in columns)]
        best = max(fitting, key=lambda h: likeness(h, heading), default=None)
        is_alone = suits is not None and len(missing) == 1 and len(fitting) == 1
        if best is not None and (likeness(best, heading) >= _ALIKE or is_alone):
            renamed[heading] = best
    return Difference(tuple(missing), new, renamed)
