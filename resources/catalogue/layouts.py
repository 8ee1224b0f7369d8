"""Ready layouts: mappings of the product, used by a sender of a deployment.

Belongs here: making the mapping of a sender from a layout and what its line in sources.yml gives. Does not belong here:
reading declarations (catalogue.reading), and what a mapping may say (mapping_rules).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.catalogue.mapping_models import MappedColumn, Mapping
from resources.errors import KetenError

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Source


def laid_out(catalogue: Catalogue) -> dict[tuple[str, str], Mapping]:
    """The mappings of the senders that use a layout. Raises KetenError that names the line and the repair."""
    made: dict[tuple[str, str], Mapping] = {}
    for source in catalogue.sources:
        key, place = (source.origin, source.dataset), f"sources.yml: {source.origin}/{source.dataset}"
        if source.layout is None:
            if source.given or source.files:
                raise KetenError(f"{place}: given and files: they go with a layout; write them in the mapping")
            continue
        if key in catalogue.mappings:
            raise KetenError(
                f"{place}: layout: there is a mappings/{source.origin}__{source.dataset}.yml too; keep one of the two"
            )
        mapping = _mapping(catalogue, source, place)
        if made.setdefault(key, mapping) != mapping:
            raise KetenError(f"{place}: two lines of one origin use different layouts; give each an origin of its own")
    return made


def _mapping(catalogue: Catalogue, source: Source, place: str) -> Mapping:
    layout = catalogue.layouts.get((str(source.layout), source.dataset))
    if layout is None:
        known = sorted(name for name, dataset in catalogue.layouts if dataset == source.dataset)
        raise KetenError(
            f"{place}: layout '{source.layout}' does not exist; choose one of {', '.join(known) or 'none'}"
        )
    if lacking := sorted(set(layout.given) - source.given.keys()):
        raise KetenError(f"{place}: given: write {lacking[0]}, which files of layout '{source.layout}' leave unsaid")
    if extra := sorted(source.given.keys() - set(layout.given)):
        raise KetenError(f"{place}: given: '{extra[0]}' is told by the files of layout '{source.layout}'; remove it")
    columns = {**layout.columns, **{name: MappedColumn(value=value) for name, value in source.given.items()}}
    changed = {"origin": source.origin, "columns": columns, "given": (), "files": source.files or layout.files}
    return layout.model_copy(update=changed)
