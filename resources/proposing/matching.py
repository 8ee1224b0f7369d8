"""Which heading becomes which column of a contract.

Belongs here: the names by which a column is known, and weighing names against values. Does not belong here: what follows from
a match, such as a unit or a constant (choosing), stamps of intervals (stamps).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.proposing.evidence import DATED, NUMERIC, Fit, Values, fit
from resources.proposing.numbers import Marks
from resources.proposing.words import likeness

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract

SURE, LEAST = 0.8, 0.6
_STAMPS = ("end_utc", "start_utc", "local_date")


@dataclass(frozen=True)
class Match:
    """A heading for a column, how sure (0 to 1), and why."""

    column: str
    heading: str
    score: float
    why: str
    fit: Fit

    @property
    def check(self) -> str:
        """What a person is to look at; empty when the match is sure."""
        return "" if self.score >= SURE else f"is '{self.heading}' what is meant?"


@dataclass(frozen=True)
class Name:
    """A name by which a column is known, what it weighs and where it comes from."""

    told: str
    weight: float
    source: str


def known_names(catalogue: Catalogue, contract: Contract, column: str) -> list[Name]:
    """The names of a column: headings of the contract and of approved mappings, its own name and labels."""
    declared = contract.columns.get(column)
    names = [Name(h, 1.0, "a heading that the contract knows") for h in declared.headings] if declared else []
    for mapping in [m for key in catalogue.mappings for m in catalogue.versions(*key)]:
        if mapping.dataset == contract.name and column in mapping.columns:
            source = f"mapped so in {mapping.origin}__{mapping.dataset}"
            names += [Name(h, 1.0, source) for h in mapping.columns[column].headings()]
    if column == "stamp":
        return names + [n for c in _STAMPS for n in known_names(catalogue, contract, c)]
    meaning = catalogue.columns[column]
    names.append(Name(column, 0.95, "the name of the column"))
    labels = [label.partition(" (")[0] for label in (meaning.nl, meaning.en)]
    return names + [Name(label, 0.9, f"its label is '{label}'") for label in labels]


def name_score(heading: str, names: Iterable[Name]) -> tuple[float, str]:
    """How well a heading fits the names of a column, and which one."""
    best, why = 0.0, "no name fits"
    for name in names:
        score = likeness(heading, name.told) * name.weight
        if score > best:
            exact = name.told.strip().lower() == heading.strip().lower()
            best, why = score, name.source if exact else f"like '{name.told}', {name.source}"
    return best, why


def match_columns(
    catalogue: Catalogue,
    contract: Contract,
    values: dict[str, Values],
    marks: Marks | None,
    taken: Collection[str] = (),
) -> dict[str, Match]:
    """The best heading for each column; each heading is used once. `taken` are columns that are made otherwise."""
    found: list[Match] = []
    for column in contract.columns:
        if column in taken:
            continue
        names = known_names(catalogue, contract, column)
        for heading, told in values.items():
            if match := _weigh(catalogue, contract, column, told, name_score(heading, names), marks):
                found.append(match)
    chosen: dict[str, Match] = {}
    used: set[str] = set()
    required = {c for c, how in contract.columns.items() if how.required}
    for match in sorted(found, key=lambda m: (-m.score, m.column not in required)):
        if match.column not in chosen and match.heading not in used:
            chosen[match.column] = match
            used.add(match.heading)
    return _alone(catalogue, contract, values, marks, chosen, taken)


def _weigh(
    catalogue: Catalogue,
    contract: Contract,
    column: str,
    told: Values,
    named: tuple[float, str],
    marks: Marks | None,
) -> Match | None:
    score, why = named
    by_value = column == "meter_id" or catalogue.columns[column].type == "code"
    if score < LEAST and not by_value:
        return None
    suits = fit(catalogue, catalogue.columns[column], contract.columns[column], told, marks, score >= LEAST)
    if score < LEAST:
        proof = _by_value(column, told, suits)
        return Match(column, told.heading, proof, suits.why, suits) if proof else None
    is_code = catalogue.columns[column].type == "code"
    if is_code and suits.share < (0.01 if contract.columns[column].required else 0.5):
        return None  # a column that may stay empty is no reason to set rows apart
    if suits.share < 0.8 and not is_code:
        score *= suits.share
    return Match(column, told.heading, score, f"{why}; {suits.why}", suits) if score >= LEAST / 2 else None


def _by_value(column: str, told: Values, suits: Fit) -> float:
    """How sure values alone are: EAN codes say enough, two or more known codes nearly so."""
    if column == "meter_id":
        return 0.9 if told.ean > 0.9 else 0.0
    known = len(told.counted) - len(suits.unknown)
    return 0.7 if known >= 2 and suits.share >= 0.9 and told.numeric < 0.5 else 0.0


def _alone(
    catalogue: Catalogue,
    contract: Contract,
    values: dict[str, Values],
    marks: Marks | None,
    chosen: dict[str, Match],
    taken: Collection[str],
) -> dict[str, Match]:
    """Give a required date or amount without a name the only heading of its kind that is left, to be checked."""
    for column, how in contract.columns.items():
        kind = catalogue.columns[column].type
        if not how.required or column in chosen or column in taken or kind not in (*DATED, *NUMERIC):
            continue
        optional = {m.heading: c for c, m in chosen.items() if not contract.columns[c].required}
        free = [v for h, v in values.items() if h not in {m.heading for m in chosen.values()} or h in optional]
        fits = {v.heading: fit(catalogue, catalogue.columns[column], how, v, marks) for v in free if v.texts}
        good = [h for h, suits in fits.items() if suits.share > 0.8 and _is_kind(kind, values[h])]
        if len(good) == 1:
            chosen.pop(optional.get(good[0], ""), None)
            why = f"the only heading left with {'dates' if kind in DATED else 'numbers'}; {fits[good[0]].why}"
            chosen[column] = Match(column, good[0], 0.5, why, fits[good[0]])
    return chosen


def _is_kind(kind: str, values: Values) -> bool:
    is_date = values.date is not None and (values.date.has_day or values.numeric < 0.5)
    return is_date if kind in DATED else not is_date
