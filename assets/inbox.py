"""The inbox: a folder per sender, in which the headings of a file tell to which of the sender's mappings it belongs.

Belongs here: finding the mapping of a file, and setting apart what belongs to none. Does not belong here: landing a file
(pulling), judging its rows. A file is never given to a mapping by a guess.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from assets.taking import told_fault
from resources import reading
from resources.catalogue import Catalogue, Mapping
from resources.errors import KetenError
from resources.landing import Delivery, Landing, now_utc
from resources.landing.finished import finished_files
from resources.landing.unrouted import Unrouted, read_unrouted, shown_headings, write_unrouted
from resources.proposing.suiting import suiting
from resources.reading.heading_difference import Difference, difference, used_headings

_ANY = ("**/*",)


class InboxDown(KetenError):
    """The folder of the inbox is not there or cannot be read."""


@dataclass
class Routing:
    """Where the files of the inbox belong: by dataset with sender and name, those that wait, and those still changing."""

    files: dict[str, list[tuple[Path, str, str]]] = field(default_factory=dict)
    unrouted: list[Unrouted] = field(default_factory=list)
    young: list[Path] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def inbox_files(catalogue: Catalogue, project: Path) -> tuple[list[Path], list[Path]]:
    """Files of the inbox that are finished, and those still changing; none where sources.yml names no inbox.

    No file is opened. Raises InboxDown for a folder that cannot be read.
    """
    if catalogue.inbox is None:
        return [], []
    told = f"sources.yml: the folder {catalogue.inbox.path} of inbox"  # no secret in it
    try:
        return finished_files(catalogue.inbox.resolved_path(project), _ANY, time.time())
    except FileNotFoundError:
        raise InboxDown(f"{told} does not exist; make it, mend its path, or connect the disk it lies on") from None
    except OSError as error:
        raise InboxDown(f"{told} cannot be read ({error.strerror}); see that it can be reached and read") from None


def senders_without_mapping(catalogue: Catalogue, project: Path) -> list[str]:
    """Folders of the inbox whose sender has no mapping yet."""
    inbox_files(catalogue, project)
    root = catalogue.inbox.resolved_path(project) if catalogue.inbox else None
    known = {origin for origin, _ in catalogue.mappings}
    return sorted(p.name for p in root.iterdir() if p.is_dir() and p.name not in known) if root else []


def route(catalogue: Catalogue, project: Path, landing: Landing) -> Routing:
    """Where every finished file of the inbox belongs, noted in the landing zone as far as it belongs nowhere.

    What was landed stays where it was; what waits is read again only when it or the mappings of its sender changed.
    """
    done = Routing()
    if catalogue.inbox is None:
        if read_unrouted(landing.folder):
            write_unrouted(landing.folder, [])
        return done
    try:
        finished, done.young = inbox_files(catalogue, project)
    except InboxDown as error:
        done.failed["inbox"] = str(error)
        return done
    root = catalogue.inbox.resolved_path(project)
    router = _Router(catalogue, landing)
    for path in finished:
        origin, _, name = path.relative_to(root).as_posix().partition("/")
        try:
            where = router.place(path, origin if name else "", name or origin)
        except OSError as error:
            done.failed[path.name] = told_fault(error)
            landing.forget(path)
            continue
        if isinstance(where, Unrouted):
            done.unrouted.append(where)
        else:
            done.files.setdefault(where, []).append((path, origin, name))
    write_unrouted(landing.folder, done.unrouted)
    return done


class _Router:
    def __init__(self, catalogue: Catalogue, landing: Landing) -> None:
        self.catalogue = catalogue
        self.landing = landing
        self.kept = {path.stem for path in (*landing.receipt_files(), *landing.refusal_files())}
        self.waiting = {(one.origin, one.name): one for one in read_unrouted(landing.folder)}

    def place(self, path: Path, origin: str, name: str) -> str | Unrouted:
        """The dataset of a file, or why it has none."""
        digest = self.landing.digest(path)
        mappings = self._mappings(origin, name)
        for dataset in self.catalogue.contracts:
            named = dataset in mappings and mappings[dataset].reads_name
            if Delivery(path, name, origin, dataset, digest, named).receipt_id in self.kept:
                return dataset
        before = self.waiting.get((origin, name))
        made_of = _digest(mappings)
        if before and (before.sha256, before.mappings) == (digest, made_of):
            return before
        since = before.since if before and before.sha256 == digest else now_utc()
        blank = Unrouted(origin, name, digest, since, "no_mapping", made_of)
        return self._decide(path, name, mappings, blank)

    def _mappings(self, origin: str, name: str) -> dict[str, Mapping]:
        """The mappings of a sender, in the version that holds for a file."""
        datasets = [dataset for sender, dataset in self.catalogue.mappings if sender == origin]
        return {dataset: self.catalogue.mapping_of(origin, dataset, name, now_utc()) for dataset in datasets}

    def _decide(self, path: Path, name: str, mappings: dict[str, Mapping], blank: Unrouted) -> str | Unrouted:
        if not blank.origin:
            return replace(blank, why="no_sender")
        seen, faults = self._headings(path, name, mappings)
        if not mappings:
            return blank
        differences = {d: difference(headings, mappings[d]) for d, headings in seen.items()}
        fits = {d: len(used_headings(mappings[d]) & set(seen[d])) for d, found in differences.items() if found.fits}
        best = [d for d, count in fits.items() if count == max(fits.values())]
        if len(best) == 1:
            return best[0]
        if best:
            return replace(blank, why="ambiguous", between=tuple(best), headings=shown_headings(seen[best[0]]))
        if not differences:
            return replace(blank, why="unreadable", reason=next(iter(faults.values()), "it cannot be read"))
        return self._nearest(path, blank, mappings, seen, differences)

    def _nearest(
        self,
        path: Path,
        blank: Unrouted,
        mappings: dict[str, Mapping],
        seen: dict[str, tuple[str, ...]],
        found: dict[str, Difference],
    ) -> Unrouted:
        """The mapping that lacks the least of a file, and which new headings may be those it lacks, by name and values."""
        nearest = min(found, key=lambda d: (len(found[d].missing) - len(found[d].renamed) / 2, d))
        mapping = mappings[nearest]
        lacks = difference(seen[nearest], mapping, suiting(self.catalogue, path, mapping))
        return replace(
            blank,
            why="other_headings",
            nearest=nearest,
            headings=shown_headings(seen[nearest]),
            missing=lacks.missing,
            new=shown_headings(lacks.new),
            renamed={old: new for old, new in lacks.renamed.items() if shown_headings((new,))},
        )

    def _headings(
        self, path: Path, name: str, mappings: dict[str, Mapping]
    ) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """The headings that each mapping finds in a file, and why others find none."""
        seen: dict[str, tuple[str, ...]] = {}
        faults: dict[str, str] = {}
        for dataset, mapping in mappings.items():
            try:
                facts = next(iter(reading.tables_in(path, mapping)), None)
            except KetenError as error:
                faults[dataset] = str(error).partition("; found: ")[0]
                continue
            if facts and all(re.search(how.file, name) for how in mapping.columns.values() if how.file):
                seen[dataset] = facts.headings
        return seen, faults


def _digest(mappings: dict[str, Mapping]) -> str:
    """A digest of mappings: with others, a file that waits is looked at again."""
    told = "\n".join(m.model_dump_json() for _, m in sorted(mappings.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
