"""What the catalogue says of an indicator, in words: its formula, its parts, and what it stands on.

Belongs here: declarations told to people. Does not belong here: any value, and the layout (templates).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.wording import Words, number

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract, Indicator, Model

_OVER_TIME = {
    "sum": Words("opgeteld over de maanden", "added up over the months"),
    "mean": Words("gemiddeld over de maanden", "mean of the months"),
    "last": Words("de stand aan het einde van de periode", "the state at the end of the period"),
    "max": Words("de hoogste maand", "the highest month"),
    "distinct": Words("verschillende geteld over de maanden", "distinct ones counted over the months"),
}
_OVER_KEYS = {
    "sum": Words("opgeteld", "added up"),
    "max": Words("de hoogste", "the highest"),
    "distinct": Words("verschillende geteld", "distinct ones counted"),
}
_UPDATES = {
    "daily": Words("elke dag", "daily"),
    "weekly": Words("elke week", "weekly"),
    "monthly": Words("elke maand", "monthly"),
    "quarterly": Words("elk kwartaal", "quarterly"),
    "yearly": Words("elk jaar", "yearly"),
}
_DIRECTIONS = {
    "lower": Words("Lager is beter.", "Lower is better."),
    "higher": Words("Hoger is beter.", "Higher is better."),
}
_TOTAL = Words("totaal", "total")


@dataclass(frozen=True)
class Part:
    """A component of an indicator with its rules in words."""

    name: str
    words: Words
    unit: Words
    keys: tuple[Words, ...]
    over_time: Words
    over_keys: Words


@dataclass(frozen=True)
class Input:
    """A dataset that an indicator stands on."""

    contract: Contract
    update: Words


@dataclass(frozen=True)
class Described:
    """All that the page of an indicator tells."""

    indicator: Indicator
    formula: Words
    facts: tuple[Words, ...]
    parts: tuple[Part, ...]
    levels: tuple[Words, ...]
    inputs: tuple[Input, ...]
    models: tuple[Model, ...]
    references: tuple[str, ...]


def described(catalogue: Catalogue, indicator: Indicator) -> Described:
    """What the declarations say of one indicator."""
    models = catalogue.models_below(indicator.refs)
    refs = {*indicator.refs, *(ref for model in models for ref in model.refs)}
    return Described(
        indicator,
        formula(indicator),
        tuple(_facts(catalogue, indicator)),
        tuple(_part(catalogue, indicator, name) for name in indicator.components),
        tuple(_level(catalogue, level) for level in indicator.levels),
        tuple(
            Input(contract := catalogue.contracts[name], _UPDATES[contract.update])
            for name in sorted(catalogue.datasets_below(indicator.refs))
        ),
        tuple(models),
        tuple(sorted(ref for ref in refs if ref.startswith("reference."))),
    )


def formula(indicator: Indicator) -> Words:
    """The indicator as a formula in words."""
    top = indicator.components[indicator.numerator]
    words = Words(top.nl, top.en)
    if indicator.kind == "amount" or indicator.denominator is None:
        return words
    if indicator.scale != 1:
        scale = number(indicator.scale)
        words += Words(f" × {scale.nl}", f" × {scale.en}")
    below = indicator.components[indicator.denominator]
    return words + Words(f" ÷ {below.nl}", f" ÷ {below.en}")


def _facts(catalogue: Catalogue, indicator: Indicator) -> list[Words]:
    """Unit, direction and limits, a sentence each."""
    unit = catalogue.units[indicator.display_unit or indicator.unit]
    facts = [Words(f"Eenheid: {unit.nl}.", f"Unit: {unit.en}."), _DIRECTIONS[indicator.direction]]
    if indicator.minimum_denominator is not None:
        least = number(indicator.minimum_denominator)
        unit = catalogue.units[indicator.components[str(indicator.denominator)].unit]
        facts.append(
            Words(
                f"Bij een noemer kleiner dan {least.nl} {unit.nl} zegt de verhouding niets en wordt zij niet getoond.",
                f"Below a denominator of {least.en} {unit.en} the ratio says nothing and is not told.",
            )
        )
    if indicator.range:
        factor = catalogue.display_factor(indicator)
        low, high = (number(bound * factor, indicator.decimals) for bound in indicator.range)
        facts.append(
            Words(
                f"Een waarde buiten {low.nl} tot {high.nl} geeft een waarschuwing.",
                f"A value outside {low.en} to {high.en} gives a warning.",
            )
        )
    return facts


def _part(catalogue: Catalogue, indicator: Indicator, name: str) -> Part:
    component = indicator.components[name]
    unit = catalogue.units[component.unit]
    return Part(
        name,
        Words(component.nl, component.en),
        Words(unit.nl, unit.en),
        tuple(_key(catalogue, key) for key in component.keys),
        _OVER_TIME[component.over_time],
        _OVER_KEYS[component.over_keys],
    )


def _key(catalogue: Catalogue, name: str) -> Words:
    column = catalogue.columns[name]
    return Words(column.nl, column.en)


def _level(catalogue: Catalogue, level: tuple[str, ...]) -> Words:
    """What the values of a level are about: the names of its keys, or the total."""
    words = [_key(catalogue, name) for name in level]
    return Words(" × ".join(w.nl for w in words), " × ".join(w.en for w in words)) if words else _TOTAL
