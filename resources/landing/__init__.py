"""The landing zone: the bytes of every delivery, unchanged, with one receipt each.

Belongs here: storing, listing, withdrawing and purging deliveries; what a file looked like when it arrived.
Does not belong here: what the rows mean (judging), or what became of them (the engine knows).

A receipt is identified by origin, dataset and content, so the same bytes sent twice are one receipt. The content is the
bytes and what the name tells of them: that they are a workbook or JSON and, where the mapping reads the name of a file, the
whole name. Receipts are small JSON files replaced atomically; the
bytes lie beside them under their sha256.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from resources.disk import UNFINISHED, Damaged, put_whole, write_durably
from resources.errors import KetenError
from resources.reading.files import kind_of, stored_suffix

MAX_FILE_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class Receipt:
    """One delivery as received. `file_name` is its path below the source folder; times are naive UTC, ISO text."""

    receipt_id: str
    origin: str
    dataset: str
    file_name: str
    received_at: str
    issued_at: str | None
    sha256: str
    byte_count: int
    withdrawn_at: str | None = None
    withdrawn_because: str | None = None
    purged_at: str | None = None

    @property
    def order(self) -> tuple[str, str, str]:
        """Position in the total order of deliveries: issued, received, bytes."""
        return (self.issued_at or self.received_at, self.received_at, self.sha256)

    @property
    def active(self) -> bool:
        """Whether its rows count."""
        return self.withdrawn_at is None and self.purged_at is None


@dataclass(frozen=True)
class Delivery:
    """A file that a source holds: `name` is its path below the folder of the source; `sha256` that of its bytes."""

    source: Path
    name: str
    origin: str
    dataset: str
    sha256: str
    is_named: bool

    @property
    def receipt_id(self) -> str:
        """Origin, dataset and the beginning of a digest of the content, of which what a name tells is a part.

        So a workbook that was sent as .csv, and rejected, can be sent again as .xlsx.
        """
        kind = kind_of(self.name)
        told = self.name if self.is_named else "" if kind == "csv" else kind
        content = hashlib.sha256(f"{self.sha256} {told}".encode()).hexdigest() if told else self.sha256
        return f"{self.origin}__{self.dataset}-{content[:12]}"


def now_utc() -> str:
    """The present moment as naive UTC ISO text."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def sha256_of(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def read_receipt(path: Path) -> Receipt:
    """The receipt in a file. Raises Damaged when a loss of power or a hand has left no receipt in it."""
    try:
        return Receipt(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError):
        raise Damaged(f"the receipt {path} is damaged; `keten run` restores it or puts it away") from None


class Landing:
    """The folder `KETEN_HOME/landing`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bytes = folder / "bytes"
        self._receipts = folder / "receipts"
        self._refusals = folder / "refusals"
        for part in (self._bytes, self._receipts, self._refusals):
            part.mkdir(parents=True, exist_ok=True)

    def path(self, receipt: Receipt) -> Path:
        """Where the bytes of a receipt lie; a suffix is kept so that readers know form and compression."""
        return self._bytes / f"{receipt.sha256}{stored_suffix(receipt.file_name)}"

    def receipts(self) -> list[Receipt]:
        """All receipts in the total order of deliveries."""
        found = [read_receipt(p) for p in self._receipts.glob("*.json")]
        return sorted(found, key=lambda r: (r.order, r.receipt_id))

    def receipt_files(self) -> list[Path]:
        """The files of all receipts, whether they can be read or not."""
        return sorted(self._receipts.glob("*.json"))

    def refusal_files(self) -> list[Path]:
        """The files of all refusals, whether they can be read or not."""
        return sorted(self._refusals.glob("*.json"))

    def moment(self) -> str:
        """The moment at which the next delivery is received: later than all others, also when the clock was put back.

        So the order of deliveries is that in which they came.
        """
        after = datetime.fromisoformat(self.last_received) + timedelta(microseconds=1) if self.last_received else None
        return max(now_utc(), after.isoformat(timespec="microseconds") if after else "")

    @cached_property
    def last_received(self) -> str:
        """When the last delivery was received; empty when there is none."""
        return max((r.received_at for r in self.receipts()), default="")

    def receipt(self, receipt_id: str) -> Receipt:
        """One receipt by its id or an unambiguous beginning of it."""
        hits = [r for r in self.receipts() if r.receipt_id.startswith(receipt_id)]
        if len(hits) != 1:
            what = "no receipt" if not hits else f"{len(hits)} receipts"
            raise KetenError(f"{what} begin with '{receipt_id}'; `keten receipt list` shows their ids")
        return hits[0]

    def digest(self, path: Path) -> str:
        """sha256 of a file of a source; one that has the size and time it had is not read again."""
        if not self.has_read(path):
            facts = path.stat()
            self._seen[str(path)] = [facts.st_size, facts.st_mtime_ns, sha256_of(path)]
        return str(self._seen[str(path)][2])

    def has_read(self, path: Path) -> bool:
        """Whether a file of a source has the size and time it had when its digest was taken; it is not opened."""
        facts = path.stat()
        return self._seen.get(str(path), [])[:2] == [facts.st_size, facts.st_mtime_ns]

    def forget(self, path: Path) -> None:
        """Read a file again next time."""
        self._seen.pop(str(path), None)

    def remember(self) -> None:
        """Keep the digests of the files that are still there."""
        kept = {path: facts for path, facts in self._seen.items() if os.path.exists(path)}
        write_durably(self.folder / "seen.json", json.dumps(kept, indent=0, sort_keys=True))

    def seen_digests(self) -> set[str]:
        """sha256 of the files that lay in the source folders at their last pull."""
        return {str(facts[2]) for facts in self._seen.values()}

    def newest_seen(self, folder: Path, patterns: tuple[str, ...]) -> datetime | None:
        """When the newest file of a source changed, as seen at its last pull (naive UTC)."""
        times = [
            facts[1]
            for path, facts in self._seen.items()
            if Path(path).is_relative_to(folder) and any(Path(path).match(pattern) for pattern in patterns)
        ]
        return datetime.fromtimestamp(max(times) / 1e9, UTC).replace(tzinfo=None) if times else None

    def note_failures(self, dataset: str, failed: dict[str, str]) -> None:
        """Keep what the last pull of a dataset could not take, with the reason, and since when that is so."""
        known = self.failures()
        before = known.pop(dataset, {})
        now = now_utc()
        if failed:
            since = {name: facts["since"] for name, facts in before.items()}
            known[dataset] = {n: {"since": since.get(n, now), "reason": r} for n, r in sorted(failed.items())}
        if known.get(dataset, {}) != before:
            write_durably(self.folder / "failures.json", json.dumps(known, indent=1, sort_keys=True))

    def failures(self) -> dict[str, dict[str, dict[str, str]]]:
        """By dataset and name of a folder or file: `since` (naive UTC) and `reason`."""
        path = self.folder / "failures.json"
        return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}

    @cached_property
    def _seen(self) -> dict[str, list[Any]]:
        """Size, time and sha256 by path. It only saves work: when it is lost, files are read again."""
        path = self.folder / "seen.json"
        try:
            return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}
        except ValueError:
            return {}

    def known(self, delivery: Delivery) -> bool:
        """Whether this content was landed, refused or purged before."""
        name = f"{delivery.receipt_id}.json"
        return (self._receipts / name).exists() or (self._refusals / name).exists()

    def has_receipt(self, receipt_id: str) -> bool:
        """Whether a delivery was landed."""
        return (self._receipts / f"{receipt_id}.json").exists()

    def land(self, delivery: Delivery, issued_at: str | None, received_at: str) -> Receipt:
        """Store a delivery. Raises KetenError above the size limit, or when it changed since its digest was taken."""
        size = delivery.source.stat().st_size
        if size > MAX_FILE_BYTES:
            raise KetenError(f"its {size} bytes are above the limit of {MAX_FILE_BYTES}; split the file")
        receipt = Receipt(
            delivery.receipt_id,
            delivery.origin,
            delivery.dataset,
            delivery.name,
            received_at,
            issued_at,
            delivery.sha256,
            size,
        )
        if not self.path(receipt).exists():
            _copy_durably(delivery.source, self.path(receipt), delivery.sha256)
        self.write(receipt)
        self.last_received = max(self.last_received, received_at)
        return receipt

    def refuse(self, delivery: Delivery, headings: list[str], received_at: str) -> None:
        """Remember a refusal without keeping a byte of the content: file name, sha256 and the headings at fault."""
        facts = {
            "receipt_id": delivery.receipt_id,
            "origin": delivery.origin,
            "dataset": delivery.dataset,
            "file_name": delivery.name,
            "sha256": delivery.sha256,
            "refused_at": received_at,
            "headings": headings,
        }
        write_durably(self._refusals / f"{delivery.receipt_id}.json", json.dumps(facts, indent=1, sort_keys=True))

    def refusals(self) -> list[dict[str, Any]]:
        """All refusals, oldest first."""
        found = [json.loads(p.read_text("utf-8")) for p in self._refusals.glob("*.json")]
        return sorted(found, key=lambda f: (f["refused_at"], f["receipt_id"]))

    def withdraw(self, receipt_id: str, reason: str) -> Receipt:
        """Take the rows of a delivery out of core at the next run; the bytes stay."""
        receipt = self.receipt(receipt_id)
        changed = replace(receipt, withdrawn_at=now_utc(), withdrawn_because=reason)
        self.write(changed)
        return changed

    def purge(self, receipt_id: str, reason: str) -> Receipt:
        """Destroy the bytes of a delivery; the receipt stays as a tombstone so that they cannot come back."""
        receipt = self.receipt(receipt_id)
        moment = now_utc()
        changed = replace(receipt, withdrawn_at=moment, withdrawn_because=reason, purged_at=moment)
        self.write(changed)
        path = self.path(receipt)
        if not any(self.path(r) == path and r.purged_at is None for r in self.receipts()):
            path.unlink(missing_ok=True)
        return changed

    def sweep(self) -> None:
        """Remove what a killed process left: half-written files, bytes without a receipt, bytes that were purged."""
        kept = {self.path(r).name for r in self.receipts() if r.purged_at is None}
        purged = {self.path(r).name for r in self.receipts() if r.purged_at is not None}
        is_sure = not any(self._receipts.glob("*.damaged"))  # or else they may be those of a receipt that was put away
        for path in self._bytes.iterdir():
            is_left = path.name.startswith(".landing-") or path.name in purged or is_sure
            if is_left and path.name not in kept:
                path.unlink()
        for folder in (self.folder, self._receipts, self._refusals, self.folder / "sources"):
            for path in folder.glob(f"{UNFINISHED}*"):
                path.unlink()

    def write(self, receipt: Receipt) -> None:
        """Write the receipt of a delivery whose bytes are there."""
        write_durably(
            self._receipts / f"{receipt.receipt_id}.json", json.dumps(asdict(receipt), indent=1, sort_keys=True)
        )


def _copy_durably(source: Path, target: Path, digest: str) -> None:
    """Copy a file in one pass. Raises KetenError, and keeps nothing, when its bytes are not those of the digest."""
    copied = hashlib.sha256()
    with put_whole(target, ".landing-") as temporary:
        with temporary.open("wb") as out, source.open("rb") as data:
            while piece := data.read(1 << 20):
                copied.update(piece)
                out.write(piece)
        if copied.hexdigest() != digest:
            raise KetenError("it changed while it was read; it is taken in the next run")
