"""Pulling: what the sources of a deployment hold that the landing zone does not have yet.

Belongs here: walking the sources, refusing files with personal data, landing the rest.
Does not belong here: the transport (resources), the meaning of the rows.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from resources.catalogue import Catalogue, Mapping, Source
from resources.errors import KetenError
from resources.landing import Landing, now_utc, sha256_of, stable_files
from resources.privacy import personal_columns


@dataclass
class Pulled:
    """What one pull did: receipts landed, and files refused with the headings at fault."""

    landed: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)


def source_files(catalogue: Catalogue, project: Path, source: Source) -> list[Path]:
    """Finished files of one source, by name. Raises KetenError when its folder or its mapping is missing."""
    folder = source.resolved_path(project)
    mapping = catalogue.mappings.get((source.origin, source.dataset))
    if mapping is None:
        raise KetenError(f"sources.yml: write mappings/{source.origin}__{source.dataset}.yml for this source")
    if not folder.is_dir():
        raise KetenError(f"sources.yml: the folder {folder} of {source.origin}/{source.dataset} does not exist")
    return stable_files(folder, mapping.files, time.time())


def pull(catalogue: Catalogue, project: Path, landing: Landing, dataset: str) -> Pulled:
    """Land every new file of the sources of one dataset."""
    done = Pulled()
    for source in catalogue.sources:
        if source.dataset != dataset:
            continue
        mapping = catalogue.mappings[(source.origin, source.dataset)]
        for path in source_files(catalogue, project, source):
            _take(landing, source, mapping, path, done)
    return done


def _take(landing: Landing, source: Source, mapping: Mapping, path: Path, done: Pulled) -> None:
    digest = sha256_of(path)
    if landing.known(source.origin, source.dataset, digest):
        return
    try:
        headings = personal_columns(path, mapping)
    except KetenError:
        headings = []  # an unreadable file is landed and rejected with its reason
    if headings:
        landing.refuse(path, digest, source.origin, source.dataset, headings, now_utc())
        done.refused[path.name] = headings
        return
    issued = issued_at(mapping, path.name)
    done.landed.append(landing.land(path, digest, source.origin, source.dataset, issued, now_utc()).receipt_id)


def issued_at(mapping: Mapping, file_name: str) -> str | None:
    """When the sender issued a file, read from its name by the mapping; None without a rule or a match."""
    rule = mapping.issued_at
    if rule is None:
        return None
    match = re.search(rule.pattern, file_name)
    if match is None:
        return None
    return datetime.strptime(match.group(1), rule.format).isoformat(timespec="microseconds")


def source_fingerprint(catalogue: Catalogue, project: Path) -> str:
    """sha256 over name, size and time of every finished source file: equal means nothing new can be pulled."""
    digest = hashlib.sha256()
    for source in catalogue.sources:
        for path in source_files(catalogue, project, source):
            facts = path.stat()
            digest.update(
                f"{source.origin}|{source.dataset}|{path.name}|{facts.st_size}|{facts.st_mtime_ns}\n".encode()
            )
    return digest.hexdigest()
