"""Why a row or a delivery was set apart, and what to do about it, in plain words.

Belongs here: a sentence for a reason as the code gives it, in the words of its contract and columns. Does not belong here:
what the reasons are (`dbt_like_sql/reasons.yml`), giving them (judging, repeats, merging), how often one occurs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from resources.wording import Words, number

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.catalogue.models import ContractColumn
    from resources.catalogue.reason_models import Reason

# The stamp of a reading is no column of a contract: a mapping makes start and end of it.
_STAMP = Words("Tijdstip", "Time stamp")
# The outcomes of a row by itself; a reason of these stands in a rejected row.
_OF_ROW = ("quarantined", "waiting")


def reason_kinds(catalogue: Catalogue) -> dict[str, Words]:
    """What stands before the colon of a reason of a rejected row, as a sentence about a column that the reason names."""
    column = Words("Kolom", "Column")
    return {name: _filled(reason, column) for name, reason in catalogue.reasons.items() if reason.outcome in _OF_ROW}


def reason_words(catalogue: Catalogue, dataset: str, reason: str) -> Words:
    """A reason of a rejected row as a sentence. A code that is not known is told as it is."""
    kind, _, name = reason.partition(":")
    contract = catalogue.contracts[dataset]
    known = catalogue.reasons.get(kind)
    if kind == "rule":
        return next((Words(rule.nl, rule.en) for rule in contract.rules if rule.id == name), Words(reason, reason))
    if kind == "out_of_range" and name in contract.columns:
        return _out_of_range(catalogue, name, contract.columns[name])
    if kind == "unknown_reference" and name in contract.columns:
        return _unknown(catalogue, name, contract.columns[name])
    return _filled(known, _label(catalogue, name)) if known else Words(reason, reason)


def repair_words(catalogue: Catalogue, reason: str) -> Words:
    """What to do about a reason of a row; empty for one that is not known."""
    known = catalogue.reasons.get(reason.partition(":")[0])
    return Words(known.repair.nl, known.repair.en) if known else Words("", "")


def reason_of_file(catalogue: Catalogue, message: str) -> Reason | None:
    """The reason for which a file as a whole was rejected, by the message that tells it."""
    return next(
        (reason for reason in catalogue.reasons.values() if any(re.search(told, message) for told in reason.told)), None
    )


def repair_of_file(catalogue: Catalogue, message: str) -> Words | None:
    """What to do about a file that was rejected as a whole."""
    known = reason_of_file(catalogue, message)
    return Words(known.repair.nl, known.repair.en) if known else None


def _filled(reason: Reason, label: Words) -> Words:
    return Words(reason.meaning.nl.replace("{}", label.nl), reason.meaning.en.replace("{}", label.en))


def _label(catalogue: Catalogue, name: str) -> Words:
    """A column as people name it, between quotes."""
    column = catalogue.columns.get(name)
    label = Words(column.nl, column.en) if column else _STAMP
    return Words(f"\u2018{label.nl}\u2019", f"\u2018{label.en}\u2019")


def _out_of_range(catalogue: Catalogue, name: str, column: ContractColumn) -> Words:
    label = _label(catalogue, name)
    low, high = (number(bound, max(0, -int(bound.normalize().as_tuple().exponent))) for bound in column.range or ())
    unit = catalogue.units.get(catalogue.columns[name].unit or "")
    nl, en = (f"\u00a0{unit.nl}", f"\u00a0{unit.en}") if unit else ("", "")
    return Words(
        f"{label.nl} ligt niet tussen {low.nl} en {high.nl}{nl}.",
        f"{label.en} does not lie between {low.en} and {high.en}{en}.",
    )


def _unknown(catalogue: Catalogue, name: str, column: ContractColumn) -> Words:
    label = _label(catalogue, name)
    listed = catalogue.contracts[str(column.references)].title
    return Words(
        f"{label.nl} komt niet voor in \u2018{listed.nl}\u2019; de regel telt vanzelf mee zodra dat wel zo is.",
        f"{label.en} does not occur in \u2018{listed.en}\u2019; the row counts by itself as soon as it does.",
    )
