"""Reading a catalogue in which a mapping of the deployment is not finished: all the rest of it.

Belongs here: leaving out mappings that cannot be right, and what hangs on them. Does not belong here: strict reading, which
every run does (catalogue.reading).
"""

from __future__ import annotations

from pathlib import Path

from resources.catalogue import Catalogue, Mapping
from resources.catalogue.correction_rules import CorrectionRules
from resources.catalogue.mapping_rules import MappingRules
from resources.catalogue.reading import ROOT, CatalogueReader
from resources.catalogue.rules import Rules
from resources.errors import KetenError


def load_finished(project: Path) -> tuple[Catalogue, list[str]]:
    """All declarations but the mappings of a deployment that cannot be right; of each of those file, field and repair.

    Raises KetenError for any other declaration that cannot be right.
    """
    reader = _TolerantReader(ROOT, project)
    reader.read()
    return reader.found, reader.skipped


class _TolerantReader(CatalogueReader):
    def __init__(self, root: Path, project: Path) -> None:
        super().__init__(root, project)
        self.skipped: list[str] = []

    def read_mapping(self, path: Path, known: dict[tuple[str, str], Mapping]) -> None:
        """Add a mapping; one of the deployment that cannot be read is left out."""
        try:
            super().read_mapping(path, known)
        except KetenError as error:
            if known is self.found.layouts:
                raise
            self.skipped.append(str(error))

    def hold(self) -> None:
        """Hold the declarations against each other, and leave out the mappings that do not hold."""
        Rules(self.found).hold()
        rules, found = MappingRules(self.found), self.found
        for layout in found.layouts.values():
            rules.hold_one(layout)
        found.mappings = {key: mapping for key, mapping in found.mappings.items() if self._holds(rules, mapping)}
        later = {
            key: tuple(mapping for mapping in versions if self._holds(rules, mapping))
            for key, versions in found.later_mappings.items()
        }
        found.later_mappings = {key: versions for key, versions in later.items() if versions}
        if self.skipped:
            # A correction goes with its mapping, and is judged with it.
            found.corrections = [c for c in found.corrections if (c.origin, c.dataset) in found.mappings]
        CorrectionRules(found).hold()

    def _holds(self, rules: MappingRules, mapping: Mapping) -> bool:
        try:
            rules.hold_one(mapping)
        except KetenError as error:
            self.skipped.append(str(error))
            return False
        return True
