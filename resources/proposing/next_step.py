"""What a person does next with a proposed mapping: which line to look at, and why.

Belongs here: the one sentence that follows from the checks and the trial. Does not belong here: judging the file (trial),
printing it (pipelines).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from resources.reason_words import reason_words

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.proposing.proposal import Proposal
    from resources.proposing.trial import Trial

_LEAST = 0.5
_TIMED = ("start_utc", "end_utc", "local_date")
_MARKED = ("not_a_number", "ambiguous_number")


def next_step(catalogue: Catalogue, proposal: Proposal, written: str, trial: Trial | None) -> str:
    """What to do with the mapping as it was written; `trial` is None when the file would be rejected with it."""
    name = f"mappings/{proposal.origin}__{proposal.dataset}.yml"
    if proposal.without_rows or (trial and not trial.received):
        return "the file holds no data rows, so nothing proves this mapping; propose it from a file that has some"
    if trial is None:
        return f"with this mapping the file is rejected, for the reason above; mend that before you keep it as {name}"
    if trial.share < _LEAST:
        return f"{_failing(catalogue, proposal, written, trial)}; mend that before you keep it as {name}"
    checks = written.count("# CHECK: ")
    told = f"look at {checks} line{'s that say' if checks > 1 else ' that says'} CHECK"
    return f"{told if checks else 'no line needs a CHECK'}; keep it as {name}"


def _failing(catalogue: Catalogue, proposal: Proposal, written: str, trial: Trial) -> str:
    """That it accepts too little, the reason that most rows have, and where the mapping says what leads to it."""
    data = trial.received - trial.ignored
    reason, rows = next(iter(trial.reasons.items()), ("", 0))
    if not data or not reason:
        return f"all {trial.received:,} records are ignored; look at ignore_rows, or take a file with data"
    count = f"only {trial.accepted:,} of {data:,} records that are data are accepted"
    words = reason_words(catalogue, proposal.dataset, reason).en.rstrip(".")
    places = " and ".join(_places(catalogue, proposal, written, reason))
    return f"{count}, {rows:,} have {reason} ({words}); look at {places}"


def _places(catalogue: Catalogue, proposal: Proposal, written: str, reason: str) -> list[str]:
    """The lines of the mapping that lead to a reason, each with its number."""
    kind, _, name = reason.partition(":")
    rule = next((r for r in catalogue.contracts[proposal.dataset].rules if kind == "rule" and r.id == name), None)
    keys = re.findall(r"[a-z_0-9]+", rule.sql) if rule else [name]
    if set(keys) & set(_TIMED) or kind.endswith("_local_time"):
        keys += ["stamp", "time"]
    if kind in _MARKED:
        keys.append("format")
    found: dict[str, str] = {}
    for number, line in enumerate(written.splitlines(), 1):
        key = re.match(r"(?:  )?(?:# CHECK: )?([a-z_0-9]+)(?::| is required)", line)
        if key and key.group(1) in keys:
            found.setdefault(key.group(1), f"line {number} ({key.group(1)})")
    return list(found.values()) or ["the columns"]
