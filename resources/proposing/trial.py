"""A file judged with a proposed mapping in memory, so that a person sees whether it works before a byte is kept.

Belongs here: the balance of the rows and the reasons that stand out. Does not belong here: master data: whether a site, meter
or party is known is told when the file is delivered.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from resources.engine import Engine
from resources.intake.merging import DatasetTables
from resources.intake.receipt_list import dataset_order
from resources.intake.staging import Stage
from resources.landing import Receipt, now_utc
from resources.proposing.writing import with_mapping

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.proposing.proposal import Proposal

TOLD = 5


@dataclass(frozen=True)
class Trial:
    """received = accepted + quarantined + ignored, in records; `reasons` with how many records have each."""

    received: int
    accepted: int
    ignored: int
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        """Records that would be set apart."""
        return self.received - self.accepted - self.ignored

    @property
    def share(self) -> float:
        """The share of records that are accepted, of those that are data."""
        return self.accepted / max(self.received - self.ignored, 1)


def try_out(catalogue: Catalogue, proposal: Proposal) -> Trial:
    """Judge the whole file. Raises KetenError when it cannot be trusted, as it would be rejected."""
    known = with_mapping(catalogue, proposal)
    contract = known.contracts[proposal.dataset]
    path = proposal.sample.path
    receipt = Receipt("trial", proposal.origin, proposal.dataset, path.name, now_utc(), None, "", path.stat().st_size)
    with tempfile.TemporaryDirectory() as folder, Engine(None, Path(folder)) as engine:
        for dataset in dataset_order(known):
            DatasetTables(engine.connection, known, known.contracts[dataset])
        stage = Stage(engine.connection, known, contract, receipt, path, 0)
        row = engine.connection.execute(
            "select count(*), count(*) filter (ignored_reason is null and reasons is null),"
            f" count(*) filter (ignored_reason is not null) from {stage.delivered}"
        ).fetchone()
        reasons = engine.connection.execute(
            "select reason, count(*) from (select unnest(string_split(reasons, ',')) as reason"
            f" from {stage.delivered} where ignored_reason is null and reasons is not null)"
            f" group by 1 order by 2 desc, 1 limit {TOLD}"
        ).fetchall()
    received, accepted, ignored = row or (0, 0, 0)
    return Trial(received, accepted, ignored, dict(reasons))
