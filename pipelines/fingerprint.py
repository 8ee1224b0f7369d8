"""What the results of a deployment are made of, as one digest: equal means that nothing is new.

Belongs here: which inputs count. Does not belong here: what is done when they changed (running).
"""

from __future__ import annotations

import hashlib

from assets.preparing import horizon
from assets.pulling import source_fingerprint
from pipelines.settings import ROOT, Place, today
from resources.catalogue import CLOCK, Catalogue
from resources.catalogue.reference_tables import known_until
from resources.disk import Damaged
from resources.landing import Landing
from resources.periods import Months, Periods
from resources.periods import fingerprint as decisions

# What the code of a run is written in; the others are what tools leave behind.
CODE = {".py", ".j2", ".css"}


def code_fingerprint() -> str:
    """sha256 over the code of a run: what other code computed is computed again."""
    digest = hashlib.sha256()
    for path in sorted(p for room in ("resources", "assets") for p in (ROOT / room).rglob("*") if p.suffix in CODE):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def input_fingerprint(where: Place, catalogue: Catalogue, decided: Months | None = None) -> str:
    """sha256 over everything the results are made of: sources, receipts, declarations, code, horizon, knowledge, states.

    `decided` are the states of months that a run works with; without them, those that stand there now.
    """
    digest = hashlib.sha256(catalogue.fingerprint.encode())
    digest.update(source_fingerprint(catalogue, where.project, where.landing).encode())
    try:
        receipts = Landing(where.landing).receipts()
    except Damaged as error:
        return str(error)  # equals no published fingerprint, so that a run mends it
    for receipt in receipts:
        digest.update(f"{receipt.receipt_id}|{receipt.active}|{receipt.purged_at}".encode())
    digest.update(decisions(Periods(where.periods).read() if decided is None else decided).encode())
    digest.update(code_fingerprint().encode())
    day = today(catalogue.settings.zone)
    span = horizon(catalogue, day)
    refs = {ref for d in (catalogue.models, catalogue.indicators) for item in d.values() for ref in item.refs}
    clock = day if CLOCK in refs else ""
    digest.update(f"{span.first}{span.last}{known_until(catalogue, day)}{clock}".encode())
    return digest.hexdigest()
