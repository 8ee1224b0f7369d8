"""What was seen of each source on a server: files by size and time, and how far records were fetched.

Belongs here: one small file per line of sources.yml, below the landing zone. Does not belong here: receipts (landing),
and what is fetched.

A version is remembered when its bytes are landed. Between the two a run may be killed: where records are fetched on from the
last ones, the version is first noted as intended, with the receipt it will have. The next pull finds the receipt or not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from resources.catalogue.source_models import Source
from resources.disk import write_durably
from resources.sources.port import Version

FOLDER = "sources"


class Memory:
    """What was seen of one source, by key. When it is lost all is fetched again, and the same bytes are no new receipt."""

    def __init__(self, landing: Path, source: Source) -> None:
        assert source.remote is not None, "only a source on a server has a memory"
        mark = hashlib.sha256(source.remote.identity.encode()).hexdigest()[:8]
        self._path = landing / FOLDER / f"{source.origin}__{source.dataset}-{mark}.json"
        facts = self._read()
        self.seen: dict[str, Version] = facts.get("seen", {})
        self._intended: dict[str, Any] | None = facts.get("intended")

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._path.read_text("utf-8"))) if self._path.exists() else {}
        except ValueError:
            return {}

    def intend(self, key: str, version: Version, receipt_id: str) -> None:
        """Note what will be remembered once a receipt is there."""
        self._intended = {"key": key, "version": version, "receipt_id": receipt_id}
        self.write()

    def make_good(self, is_there: Callable[[str], bool]) -> None:
        """Remember what was intended when its receipt is there, and forget the intention when it is not."""
        if self._intended and is_there(self._intended["receipt_id"]):
            self.seen[self._intended["key"]] = self._intended["version"]
        self._intended = None

    def remember(self, key: str, version: Version) -> None:
        """Remember what is landed."""
        self.seen[key] = version
        self._intended = None

    def keep(self, keys: frozenset[str]) -> None:
        """Forget what the source no longer has."""
        self.seen = {key: version for key, version in self.seen.items() if key in keys}

    def write(self) -> None:
        """Put it on the disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        facts = {"seen": self.seen, "intended": self._intended}
        write_durably(self._path, json.dumps(facts, indent=0, sort_keys=True))

    def newest(self) -> datetime | None:
        """When the newest file that was landed had changed (naive UTC), as the server told."""
        times = [datetime.fromisoformat(v["modified"]) for v in self.seen.values() if v.get("modified")]
        return max(times, default=None)


def seen_digests(landing: Path) -> set[str]:
    """sha256 of what lay on the servers at the last pull and was landed or refused."""
    found = set()
    for path in (landing / FOLDER).glob("*.json"):
        try:
            facts = json.loads(path.read_text("utf-8"))
        except ValueError:
            continue
        found |= {version["sha256"] for version in facts["seen"].values() if "sha256" in version}
    return found
