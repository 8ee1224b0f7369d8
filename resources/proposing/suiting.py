"""Whether the values under a heading suit a column of a mapping.

Belongs here: asking a sample of a file. Does not belong here: what suits (evidence), names of headings (words).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.proposing.evidence import fit
from resources.proposing.numbers import marks_of
from resources.proposing.sample import take_sample

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Mapping

_LEAST = 0.8


def suiting(catalogue: Catalogue, path: Path, mapping: Mapping) -> Callable[[str, str], bool] | None:
    """A test on a column and a heading of a file; None when no sample can be taken."""
    try:
        sample = take_sample(path)
    except KetenError:
        return None
    contract = catalogue.contracts[mapping.dataset]
    marks = marks_of(t for h in sample.headings[:100] for t in list(sample.values(h).counted)[:100])

    def suits(column: str, heading: str) -> bool:
        if heading not in sample.columns:
            return True
        values = sample.values(heading)
        if column == "stamp":
            return values.date is not None
        return fit(catalogue, catalogue.columns[column], contract.columns[column], values, marks).share >= _LEAST

    return suits
