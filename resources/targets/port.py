"""What every publication target can do, whatever it is.

Belongs here: the port and what it tells. Does not belong here: any target, and what is done when one fails (pipelines).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from resources.errors import KetenError


class Unreachable(KetenError):
    """A target that cannot be reached now; trying again later may help."""


@dataclass(frozen=True)
class Applied:
    """What a target shows now: the number, whether this call changed it, and how many rows it wrote or removed.

    `notes` are sentences for the operator about what is done differently from what was asked.
    """

    number: int
    changed: bool
    rows_changed: int
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """A place where readers find the publication of the published file, with the same number and digests."""

    @property
    def name(self) -> str:
        """The name in keten.yml."""

    def shown(self) -> str:
        """Where it is, in a text anyone may see: without a password."""

    def applied(self) -> int | None:
        """The number of the publication it shows; None while it shows none. Raises KetenError when it cannot be told."""

    def apply(self, published: Path, adopt: bool) -> Applied:
        """Let it show the publication of the published file, whole or not at all.

        Raises KetenError, and it is then as it was; also when it is ahead of the file, unless `adopt`.
        """
