"""What stands in for a required column that no heading tells: the end of a period, the name of the file, a constant.

Belongs here: what may be proposed without a heading, always to be checked where nothing proves it. Does not belong here:
columns that have a heading (choosing).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resources.proposing.proposal import Line
from resources.proposing.words import unit_in

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract
    from resources.proposing.matching import Match
    from resources.proposing.sample import Sample

_EAN_IN_NAME = re.compile(r"(?<!\d)\d{18}(?!\d)")


@dataclass(frozen=True)
class StandIns:
    """What is known of the file; `rises` tells whether its quantities only rise."""

    catalogue: Catalogue
    contract: Contract
    sample: Sample
    matches: dict[str, Match]
    origin: str
    rises: bool

    def line(self, column: str) -> Line | None:
        """What can stand in for a column; None when a person has to say."""
        return self._period_end(column) or self._from_name(column) or self._constant(column)

    def repair(self, column: str) -> str:
        """What a person has to do where nothing can."""
        declared = self.contract.columns[column]
        known = f", such as {' or '.join(declared.headings[:3])}" if declared.headings else ""
        return (
            f"{self.catalogue.columns[column].en}: no heading fits{known}. Write {{from: <heading>}}, or"
            f" {{value: '{declared.example}'}} where it is the same in every row"
        )

    def _period_end(self, column: str) -> Line | None:
        start = self.matches.get("period_from")
        if column != "period_to" or start is None:
            return None
        form = self.sample.values(start.heading).date
        length = "1 day" if not form or form.has_day else "1 month" if form.has_month else "1 year"
        keys: dict[str, Any] = {"from": start.heading, "shift": length}
        if form and form.format != "%Y-%m-%d":
            keys["format"] = form.format
        look = "" if length != "1 day" else "does a row stand for one day?"
        return Line(column, keys, f"the first day after, as '{start.heading}' tells a {length.split()[1]}", look)

    def _from_name(self, column: str) -> Line | None:
        found = _EAN_IN_NAME.search(self.sample.path.name)
        if column != "meter_id" or found is None:
            return None
        return Line(column, {"file": r"(?<!\d)(\d{18})(?!\d)"}, f"the name of the file holds {found.group()}")

    def _constant(self, column: str) -> Line | None:
        meaning, how = self.catalogue.columns[column], self.contract.columns[column]
        if column == "register_code":
            return Line(column, {"value": "1.8.0"}, "", "no heading names a register; 1.8.0 is delivery, 2.8.0 feed-in")
        if meaning.type == "code" and meaning.codes:
            known = self.catalogue.code_lists[meaning.codes]
            if len(known) == 1:
                return Line(column, {"value": next(iter(known))}, f"the only code of {meaning.codes}")
            if column == "currency_code":
                return self._currency(known)
            if column == "kind_code" and "register" in known and self.rises:
                return Line(column, {"value": "register"}, "the numbers only rise, as the readings of a register do")
            if column == "kind_code" and "interval" in known:
                return Line(
                    column, {"value": "interval"}, "the numbers do not only rise, so they are use over an interval"
                )
            if stand := next((c for c in ("unknown", "other") if c in known), None):
                return Line(column, {"value": stand}, "", f"no heading tells it; a code of {meaning.codes}")
            return None
        if how.references == "party":
            return Line(column, {"value": self.origin}, "", f"no heading names it; write the {meaning.en.lower()}")
        if meaning.type == "text" and column.endswith("_code"):
            return Line(column, {"value": "unknown"}, "", "no heading names it; write what it is, or leave it")
        return None

    def _currency(self, known: dict[str, dict[str, str]]) -> Line:
        headings = " ".join(self.sample.headings)
        told = unit_in(headings)
        texts = " ".join(
            t for v in map(self.sample.values, self.sample.headings) if v.numeric > 0.5 for t in list(v.counted)[:50]
        )
        mark = next((c for sign, c in (("€", "EUR"), ("£", "GBP"), ("$", "USD")) if sign in texts), None)
        if told in known or mark in known:
            return Line("currency_code", {"value": told if told in known else mark}, "a heading or an amount shows it")
        return Line("currency_code", {"value": "EUR"}, "", "no heading or amount tells the currency; is it euro?")
