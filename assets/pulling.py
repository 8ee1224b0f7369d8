"""Pulling: what the sources of a deployment hold that the landing zone does not have yet.

Belongs here: walking the sources and their folders, and what of folders can be told without opening a file.
Does not belong here: sources on a server (fetching), what becomes of one file (taking), the meaning of the rows.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.fetching import fetch
from assets.inbox import InboxDown, Routing, inbox_files
from assets.taking import Pulled, take, told_fault
from resources.catalogue import Catalogue, Mapping, Source
from resources.disk import DiskFull
from resources.errors import KetenError
from resources.landing import Delivery, Landing, now_utc
from resources.landing.finished import finished_files


class SourceDown(KetenError):
    """The folder of a source is not there or cannot be read."""


@dataclass(frozen=True)
class ToPull:
    """Finished files that are new or changed, those still changing, and what is wrong with sources that cannot be seen."""

    new: list[Path]
    young: list[Path]
    down: list[str]


def source_files(catalogue: Catalogue, project: Path, source: Source) -> tuple[list[Path], list[Path]]:
    """Files of a source that is a folder that are finished, and those still changing, by name.

    Raises KetenError when its mapping is missing, and SourceDown for its folder.
    """
    folder = source.resolved_path(project)
    require_mapping(catalogue, source)
    told = f"sources.yml: the folder {source.path} of {source.origin}/{source.dataset}"  # no secret in it
    try:
        return finished_files(folder, catalogue.file_patterns(source.origin, source.dataset), time.time())
    except FileNotFoundError:
        raise SourceDown(f"{told} does not exist; mend its path, or connect the disk or share it lies on") from None
    except OSError as error:
        raise SourceDown(f"{told} cannot be read ({error.strerror}); see that it can be reached and read") from None


def require_mapping(catalogue: Catalogue, source: Source) -> None:
    """Raise KetenError when nothing says how the files of a source are read."""
    if (source.origin, source.dataset) not in catalogue.mappings:
        raise KetenError(f"sources.yml: write mappings/{source.origin}__{source.dataset}.yml for this source")


def folders(catalogue: Catalogue) -> Iterator[Source]:
    """The sources that are folders."""
    return (source for source in catalogue.sources if source.remote is None)


def has_brought(landing: Path, source: Source) -> bool:
    """Whether a source brought a delivery before. If so, a folder that is gone is down; if not, its path is wrong."""
    return any((landing / "receipts").glob(f"{source.origin}__{source.dataset}-*.json"))


def pull(catalogue: Catalogue, project: Path, landing: Landing, dataset: str, routing: Routing | None = None) -> Pulled:
    """Land every new file of the sources of one dataset, and those of the inbox that belong to it.

    A source that is down delays only itself.

    Raises SourceDown for the folder of a source that never brought anything.
    """
    done = Pulled()
    for source in catalogue.sources:
        if source.dataset != dataset:
            continue
        require_mapping(catalogue, source)
        if source.remote:
            fetch(catalogue, project, landing, source, done)
        else:
            _pull_folder(catalogue, project, landing, source, done)
    if routing is not None:
        _pull_inbox(catalogue, landing, dataset, routing, done)
    landing.remember()
    landing.note_failures(dataset, done.failed)
    return done


def _pull_inbox(catalogue: Catalogue, landing: Landing, dataset: str, routing: Routing, done: Pulled) -> None:
    """Land what the inbox holds for a dataset; what is wrong with the inbox itself is told once, with the first dataset."""
    for path, origin, name in routing.files.get(dataset, ()):
        if (origin, dataset) in catalogue.mappings:
            _take_file(landing, catalogue.mapping_of(origin, dataset, name, now_utc()), path, name, done)
    if dataset == min(catalogue.contracts):
        done.waiting += [path.name for path in routing.young]
        done.failed |= routing.failed


def _take_file(landing: Landing, mapping: Mapping, path: Path, name: str, done: Pulled) -> None:
    """Land one file; what is wrong with it delays only itself."""
    try:
        facts = (path, name, mapping.origin, mapping.dataset, landing.digest(path), mapping.reads_name)
        take(landing, mapping, Delivery(*facts), done)
    except DiskFull:
        raise  # the fault is here, not in the file: nothing may be published as if it had not come
    except (KetenError, OSError) as error:
        done.failed[path.name] = told_fault(error)
        done.may_pass |= isinstance(error, OSError) and not isinstance(error, PermissionError)
        landing.forget(path)


def _pull_folder(catalogue: Catalogue, project: Path, landing: Landing, source: Source, done: Pulled) -> None:
    folder = source.resolved_path(project)
    try:
        finished, young = source_files(catalogue, project, source)
    except SourceDown as error:
        if not has_brought(landing.folder, source):
            raise
        done.failed[source.path or ""] = str(error)
        done.may_pass = True
        return
    done.waiting += [path.name for path in young]
    for path in finished:
        name = path.relative_to(folder).as_posix()
        _take_file(landing, catalogue.mapping_of(source.origin, source.dataset, name, now_utc()), path, name, done)


def files_to_pull(catalogue: Catalogue, project: Path, landing: Landing) -> ToPull:
    """What the folders hold that no run has read as it is now. No file is opened and no server asked: it takes a moment."""
    new: dict[Path, None] = {}
    young: dict[Path, None] = {}
    down: list[str] = []
    for source in folders(catalogue):
        try:
            finished, changing = source_files(catalogue, project, source)
        except KetenError as error:
            down.append(str(error))
            continue
        new |= dict.fromkeys(path for path in finished if not landing.has_read(path))
        young |= dict.fromkeys(changing)
    try:
        finished, changing = inbox_files(catalogue, project)
    except KetenError as error:
        return ToPull(list(new), list(young), [*down, str(error)])
    new |= dict.fromkeys(path for path in finished if not landing.has_read(path))
    young |= dict.fromkeys(changing)
    return ToPull(list(new), list(young), down)


def files_fingerprint(files: Iterable[Path]) -> str:
    """sha256 over path, size and time of files."""
    digest = hashlib.sha256()
    for path in files:
        facts = path.stat()
        digest.update(f"{path}|{facts.st_size}|{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def source_fingerprint(catalogue: Catalogue, project: Path, landing: Path) -> str:
    """sha256 over every folder with its finished files: equal means nothing new can be pulled. One that is down has none.

    Raises SourceDown for one that never brought anything: then its path is wrong.
    """
    digest = hashlib.sha256()
    for source in folders(catalogue):
        finished: list[Path] = []
        try:
            finished, _ = source_files(catalogue, project, source)
        except SourceDown:
            if not has_brought(landing, source):
                raise
        digest.update(f"{source.origin}|{source.dataset}|{files_fingerprint(finished)}\n".encode())
    if catalogue.inbox:
        digest.update(f"inbox|{_inbox_fingerprint(catalogue, project, landing)}".encode())
    return digest.hexdigest()


def _inbox_fingerprint(catalogue: Catalogue, project: Path, landing: Path) -> str:
    """sha256 over the finished files of the inbox; one that is down has none. Raises InboxDown before it was ever read."""
    try:
        return files_fingerprint(inbox_files(catalogue, project)[0])
    except InboxDown:
        if not (landing / "unrouted.json").exists():
            raise
        return ""
