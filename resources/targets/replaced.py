"""Targets that are replaced as a whole: when they are written, and when that is refused.

Belongs here: what a folder of Parquet files and a workbook have in common. Does not belong here: the form of either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from resources.errors import KetenError
from resources.publication.published import opened
from resources.targets.description import Publication, publication_of
from resources.targets.port import Applied

if TYPE_CHECKING:
    import duckdb


class Mark(NamedTuple):
    """Which publication a target says that it shows."""

    number: int
    run_id: str


class ReplacedTarget(ABC):
    """A file or folder below KETEN_HOME of which readers see the old or the new, whole."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.place = place

    def shown(self) -> str:
        """Where it is."""
        return str(self.place)

    def applied(self) -> int | None:
        """The number of the publication it shows; None while it shows none. Raises KetenError for what is not ours."""
        mark = self.mark()
        return mark.number if mark else None

    def apply(self, published: Path, adopt: bool) -> Applied:
        """Write the publication of the file, unless it is shown already. Raises KetenError, and it is then as it was."""
        with opened(published) as connection:
            publication = publication_of(connection)
            mark = self.mark()
            if mark == (publication.number, publication.run_id):
                return Applied(publication.number, False, 0)
            if mark and mark.number >= publication.number and not adopt:
                raise KetenError(
                    f"{self.place} shows publication {mark.number} of another engine, and the published file is at"
                    f" {publication.number}; run again with --adopt to replace it, or choose another path in keten.yml"
                )
            try:
                rows, notes = self.write(connection, publication)
            except OSError as error:
                raise KetenError(
                    f"{self.place} cannot be written ({error}); free space or mend its rights, and run again"
                ) from error
        return Applied(publication.number, True, rows, notes)

    @abstractmethod
    def mark(self) -> Mark | None:
        """What it says that it shows; None while there is nothing. Raises KetenError for what is broken or not ours."""

    @abstractmethod
    def write(self, connection: duckdb.DuckDBPyConnection, publication: Publication) -> tuple[int, tuple[str, ...]]:
        """Put a publication in its place; how many rows it holds, and what the operator should know of it."""
