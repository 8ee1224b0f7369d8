"""What every kind of server can do, whatever it is.

Belongs here: the port and what it tells. Does not belong here: any kind of server, and what is done when one fails (assets).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from resources.errors import KetenError

if TYPE_CHECKING:
    from resources.sources.bounds import Bounds

# What is remembered of one thing that a source has: of a file its size and time, or how far records were fetched.
Version = dict[str, Any]


class Unreachable(KetenError):
    """A server that does not answer now, or not to its end; `after` so many seconds it may."""

    def __init__(self, message: str, after: float = 0) -> None:
        super().__init__(message)
        self.after = after


class TimeOver(KetenError):
    """The time that one pull of a source may take is over."""


class Changing(KetenError):
    """A file that changed while it was fetched."""


@dataclass(frozen=True)
class Offer:
    """Something that may be new: what it is remembered by, what it is called here, and what is known of it."""

    key: str
    name: str
    version: Version = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """What a source has: offers that may be new, names of files still changing, and the keys of all it has.

    Without `keys` a source has one thing, which is never forgotten.
    """

    offers: list[Offer]
    young: list[str] = field(default_factory=list)
    keys: frozenset[str] | None = None


class Connector(Protocol):
    """A source on a server. Every call raises KetenError that names the source and the repair, without a secret."""

    @property
    def is_resumed(self) -> bool:
        """Whether a pull goes on from where the last one ended, so that where that was must not be lost."""

    def look(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> Listing:
        """What there may be that is not known as it is now; of files, only those whose names match a pattern."""

    def bring(self, offer: Offer, into: Path, bounds: Bounds) -> Version | None:
        """Write the bytes into a file and tell what to remember of them; None when there is nothing new.

        Raises Changing, and Unreachable after the last try.
        """

    def has_news(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> bool:
        """Whether a pull may bring something, as far as that can be told without fetching it."""

    def check(self, bounds: Bounds) -> None:
        """Whether it can be reached and read."""
