"""What the judgement of a delivery depends on beside its bytes, as one digest: when it changes, it is judged again.

Belongs here: which declarations count for one delivery. Does not belong here: judging, and when that happens (intake).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Mapping
    from resources.landing import Receipt


def judged_by(
    catalogue: Catalogue, contract: Contract, mapping: Mapping | None, receipt: Receipt, known: Iterable[str]
) -> str:
    """sha256 over contract, mapping, code lists, units, corrections and `known`: the code, and numbers of the sender."""
    lists = {catalogue.columns[c].codes for c in contract.columns} - {None}
    facts = [contract.model_dump_json(), mapping.model_dump_json() if mapping else "", *known]
    facts += [
        json.dumps([c, sorted(catalogue.code_lists[str(c)])], ensure_ascii=False) for c in sorted(map(str, lists))
    ]
    facts += [f"{u.code}={u.factor}" for u in catalogue.units.values()]
    facts += [e.judging() for e in catalogue.corrections_of(receipt.origin, receipt.dataset, receipt.file_name)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
