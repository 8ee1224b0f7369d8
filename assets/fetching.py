"""Fetching from sources on a server: what they have that the landing zone does not have yet.

Belongs here: the order in which bytes are landed and remembered, and that one source delays only itself. Does not belong
here: the asking (resources.sources), folders (pulling).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from assets.taking import Pulled, take, told_fault
from resources.catalogue import Catalogue, Source
from resources.disk import UNFINISHED, DiskFull, full_disk_told
from resources.errors import KetenError
from resources.landing import Delivery, Landing, now_utc, sha256_of
from resources.reading.files import stored_suffix
from resources.sources import make_connector
from resources.sources.bounds import Bounds
from resources.sources.memory import Memory
from resources.sources.port import Changing, Connector, Offer, TimeOver

# How long a server is asked whether it has news, or lets in: somebody waits for the answer.
GLANCE_SECONDS = 15.0
_AT_ONCE = 32
_WRITTEN_EVERY = 100
T = TypeVar("T")


@dataclass(frozen=True)
class Fetch:
    """One pull of one source."""

    catalogue: Catalogue
    source: Source
    connector: Connector
    memory: Memory
    landing: Landing
    bounds: Bounds
    done: Pulled

    def everything(self) -> None:
        """Land all that is new. What cannot be fetched is noted, and does not keep the rest away."""
        self.memory.make_good(self.landing.has_receipt)
        listing = self.bounds.hold(
            lambda: self.connector.look(self.memory.seen, self._patterns(), self.bounds),
        )
        self.done.waiting += listing.young
        if listing.keys is not None:
            self.memory.keep(listing.keys)
        try:
            for number, offer in enumerate(listing.offers, start=1):
                self._one(offer)
                if number % _WRITTEN_EVERY == 0:
                    self.memory.write()
        finally:
            self.memory.write()

    def _patterns(self) -> tuple[str, ...]:
        return self.catalogue.file_patterns(self.source.origin, self.source.dataset)

    def _one(self, offer: Offer) -> None:
        try:
            with _scratch(self.landing, offer.name) as path:
                self._take(offer, path)
        except Changing:
            self.done.waiting.append(offer.name)
        except (DiskFull, TimeOver):
            raise
        except (KetenError, OSError) as error:
            self.done.failed[offer.name] = told_fault(error)

    def _take(self, offer: Offer, path: Path) -> None:
        version = self.bounds.hold(lambda: self.connector.bring(offer, path, self.bounds))
        if version is None:
            return
        digest = sha256_of(path)
        mapping = self.catalogue.mapping_of(self.source.origin, self.source.dataset, offer.name, now_utc())
        facts = (path, offer.name, self.source.origin, self.source.dataset, digest, mapping.reads_name)
        delivery = Delivery(*facts)
        version = {**version, "sha256": digest}
        if self.connector.is_resumed:
            self.memory.intend(offer.key, version, delivery.receipt_id)
        take(self.landing, mapping, delivery, self.done)
        if self.connector.is_resumed and not self.landing.has_receipt(delivery.receipt_id):
            version = {**offer.version, "sha256": digest}  # it was refused, so that its records are still to come
        self.memory.remember(offer.key, version)
        if self.connector.is_resumed:
            self.memory.write()


def fetch(
    catalogue: Catalogue,
    project: Path,
    landing: Landing,
    source: Source,
    done: Pulled,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Land every new delivery of one source. A source that is down, slow or wrong is noted, whatever it brought before.

    What could not be taken is not tried again in this run: it was, for as long and as often as its line says.
    """
    assert source.remote is not None
    bounds = Bounds(source.remote.total_seconds, source.remote.tries, sleep)
    try:
        connector, memory = make_connector(source, project), Memory(landing.folder, source)
        Fetch(catalogue, source, connector, memory, landing, bounds, done).everything()
    except DiskFull:
        raise
    except (KetenError, OSError) as error:
        told = str(error) if isinstance(error, KetenError) else f"{type(error).__name__}: {error.strerror}"
        done.failed[source.title] = told if told.startswith("sources.yml: ") else f"sources.yml: {source.title}: {told}"


def glance(catalogue: Catalogue, project: Path, landing: Path) -> list[Source]:
    """The sources on servers that may have something new, or cannot tell. Servers are asked at the same time, and briefly."""

    def may_bring(source: Source) -> bool:
        patterns = catalogue.file_patterns(source.origin, source.dataset)
        bounds = Bounds(GLANCE_SECONDS)
        try:
            connector, known = make_connector(source, project), Memory(landing, source).seen
            return bounds.hold(lambda: connector.has_news(known, patterns, bounds))
        except KetenError:
            return True  # the run tells what is wrong

    sources = [source for source in catalogue.sources if source.remote]
    return [source for source, news in zip(sources, _at_once(may_bring, sources), strict=True) if news]


def unreachable(catalogue: Catalogue, project: Path) -> Iterator[str]:
    """What is wrong with sources on servers, one sentence for each that cannot be reached and read."""

    def fault(source: Source) -> str | None:
        bounds = Bounds(GLANCE_SECONDS)
        try:
            bounds.hold(partial(make_connector(source, project).check, bounds))
        except KetenError as error:
            told = str(error)
            return told if told.startswith("sources.yml: ") else f"sources.yml: {source.title}: {told}"
        return None

    yield from filter(None, _at_once(fault, [source for source in catalogue.sources if source.remote]))


def _at_once(ask: Callable[[Source], T], sources: list[Source]) -> list[T]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, sources))


@contextmanager
def _scratch(landing: Landing, name: str) -> Iterator[Path]:
    """A file in the landing zone to fetch into, gone after the block; one that a killed run left is swept by the next."""
    with full_disk_told(landing.folder):
        handle, path = tempfile.mkstemp(dir=landing.folder, prefix=UNFINISHED, suffix=stored_suffix(name))
        os.close(handle)
        try:
            yield Path(path)
        finally:
            Path(path).unlink(missing_ok=True)
