"""The unit in which a column is sent: one for all rows, or the one that stands beside each.

Belongs here: the words of senders for our units, and which heading holds them. Does not belong here: units in a heading
(words), marks in numbers (numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.proposing.evidence import Values, are_tenths
from resources.proposing.numbers import Marks
from resources.proposing.words import UNIT_WORDS, likeness, unit_in

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Column, Contract
    from resources.proposing.matching import Match

# Words for units that stand in cells, beside those that stand in headings too.
_WORDS = {
    **UNIT_WORDS,
    **dict.fromkeys(("kgs", "kilo's", "kilos", "kilogrammen"), "kg"),
    **dict.fromkeys(("tonnen", "ton's"), "t"),
    **dict.fromkeys(("kilowattuur", "kilowatt-uur", "kilowatthour"), "kWh"),
    **dict.fromkeys(("megawattuur", "megawatt-uur", "megawatthour"), "MWh"),
    **dict.fromkeys(("kuub", "kubieke meter", "cubic metre", "cubic meter"), "m3"),
    **dict.fromkeys(("ltr", "liters", "litres", "liter(s)"), "l"),
    **dict.fromkeys(("stuks", "pcs", "pieces"), "piece"),
}
_NAMES = ("Eenheid", "Maateenheid", "Unit", "Units", "UoM", "Unit of measure")
_LEAST_NAMED, _LEAST_KNOWN, _MOST_WORDS, _TOLD = 0.7, 0.8, 50, 5
_COUNTS = ("share", "count", "day", "minute", "hour")


@dataclass(frozen=True)
class Told:
    """The keys of a mapping that tell a unit, why they are these, and what is to be checked."""

    keys: Mapping[str, Any]
    why: str = ""
    check: str = ""


@dataclass(frozen=True)
class _Beside:
    """A heading with units in its cells: the sender's words that are units which fit, and those that are none."""

    heading: str
    codes: Mapping[str, str]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Units:
    """Tells units from the headings, the values under them and the columns they were matched to."""

    catalogue: Catalogue
    contract: Contract
    headings: tuple[str, ...]
    values: Mapping[str, Values]
    marks: Marks | None

    def told(self, column: str, heading: str, matches: dict[str, Match]) -> Told:
        """The unit of a column. A column of units that was matched is taken out where its words must be converted."""
        meaning, units = self.catalogue.columns[column], self.catalogue.units
        is_any = self._is_any(meaning)
        if not (is_any or meaning.unit):
            return Told({})
        beside, matched = self._beside(meaning, matches), matches.get(str(meaning.unit_in)) if is_any else None
        if matched and not (beside and beside.heading == matched.heading and self._converts(beside, matched)):
            return Told({})
        named = unit_in(heading)
        if named not in units or not (is_any or self._kind(str(named)) == self._kind(str(meaning.unit))):
            named = None
        if beside and set(beside.codes.values()) != {named}:
            if matched:
                del matches[str(meaning.unit_in)]
            return _row_by_row(beside, named)
        if named:
            return Told({"unit": named}, f"the heading says {named}")
        return self._without_name(meaning, heading, is_any)

    def _without_name(self, meaning: Column, heading: str, is_any: bool) -> Told:
        units = self.catalogue.units
        if is_any:
            code = next((u for h in self.headings if (u := unit_in(h)) in units), "kWh")
            return Told({"unit": code}, check=f"no unit is told beside it; is it {code}?")
        used = self.contract.columns[meaning.name]
        if heading in self.values and are_tenths(self.values[heading], meaning, used, self.marks):
            return Told({"unit": "tenth_degree_c"}, "only as tenths these lie in the range of the contract")
        if self._kind(str(meaning.unit)) in _COUNTS:
            return Told({})
        return Told({"unit": str(meaning.unit)}, check=f"no unit is told; is it {meaning.unit}?")

    def _is_any(self, meaning: Column) -> bool:
        return meaning.unit_in is not None and self.catalogue.columns[meaning.unit_in].codes == "unit"

    def _kind(self, code: str) -> str:
        return self.catalogue.units[code].canonical_code

    def _converts(self, beside: _Beside, matched: Match) -> bool:
        """Whether a number must change with its unit, or a word is known here and not as a code."""
        return any(self._kind(c) != c for c in beside.codes.values()) or bool(
            set(matched.fit.unknown) & set(beside.codes)
        )

    def _beside(self, meaning: Column, matches: Mapping[str, Match]) -> _Beside | None:
        """The heading that holds the unit of each row: by its name, or else by values that nearly all are units."""
        taken = {m.heading for c, m in matches.items() if c != meaning.unit_in}
        found: list[tuple[bool, float, _Beside]] = []
        for heading, values in self.values.items():
            if heading in taken or values.numeric > 0.5 or len(values.counted) > _MOST_WORDS:
                continue
            codes = {t: code for t in values.counted if (code := self._code_of(t, meaning))}
            share = values.share(codes.__contains__)
            is_named = max(likeness(heading, name) for name in _NAMES) >= _LEAST_NAMED
            if codes and (is_named or share >= _LEAST_KNOWN):
                others = tuple(t for t in values.counted if t not in codes)
                found.append((is_named, share, _Beside(heading, codes, others)))
        return max(found, key=lambda entry: entry[:2])[2] if found else None

    def _code_of(self, told: str, meaning: Column) -> str | None:
        """The unit that a word of the sender means, of the kind that a column takes; None when it is none."""
        units = self.catalogue.units
        plain = told.lower().strip(" .()[]")
        labels = {label.lower(): u.code for u in units.values() for label in (u.nl, u.en, u.code)}
        code = told if told in units else labels.get(plain, _WORDS.get(plain))
        if code not in units or meaning.unit and self._kind(str(code)) != self._kind(meaning.unit):
            return None
        return code


def _row_by_row(beside: _Beside, named: str | None) -> Told:
    keys: dict[str, Any] = {"unit_from": beside.heading}
    if words := {told: code for told, code in beside.codes.items() if told != code}:
        keys["units"] = words
    check = f"the heading says {named}, and '{beside.heading}' tells another unit" if named else ""
    if beside.others:
        told = ", ".join(beside.others[:_TOLD])
        check = f"no unit that fits for {told} under '{beside.heading}'; add them to units, or ask what they are"
    return Told(keys, f"'{beside.heading}' tells the unit of each row", check)
