"""What the values under a heading say of the column they could belong to.

Belongs here: how far the texts of a heading fit a column of a contract, and the words for it. Does not belong here: the names
of headings (words), which column a heading gets (matching).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property

from resources.catalogue import Catalogue, Column
from resources.catalogue.models import ContractColumn
from resources.proposing.dates import DateForm, date_form
from resources.proposing.numbers import Marks, is_number
from resources.proposing.registers import register_of
from resources.proposing.words import likeness

NUMERIC = ("decimal", "ratio", "factor", "integer")
DATED = ("date", "month", "timestamp")
_YES_NO = frozenset("true false ja nee j n yes no y 0 1".split())
_MOST_CODES = 200
# Codes that say what is left: only their own names are them.
_RESTS = ("other", "unknown", "missing")
_LEAST_LIKE = 0.7


@dataclass(frozen=True)
class Fit:
    """How far values fit a column (0 to 1), why, and the words of the sender that stand for codes; `alike` are no equals."""

    share: float
    why: str
    codes: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


class Values:
    """The filled texts under one heading."""

    def __init__(self, heading: str, texts: list[str]) -> None:
        self.heading = heading
        self.texts = texts

    @cached_property
    def counted(self) -> Counter[str]:
        """How often each text occurs."""
        return Counter(self.texts)

    @cached_property
    def date(self) -> DateForm | None:
        """The form of date or time that most texts have."""
        return date_form(self.counted)

    @cached_property
    def numeric(self) -> float:
        """The share of texts that are written as a number."""
        return self.share(is_number)

    @cached_property
    def ean(self) -> float:
        """The share of texts that are an EAN code of 18 digits."""
        return self.share(lambda told: bool(re.fullmatch(r"\d{18}", told)))

    @cached_property
    def is_checked(self) -> bool:
        """Whether the check digit of every EAN code is right."""
        return all(map(_check_digit, (t for t in self.counted if re.fullmatch(r"\d{18}", t))))

    def share(self, test: object) -> float:
        """The share of texts for which a test holds."""
        assert callable(test)
        return sum(n for told, n in self.counted.items() if test(told)) / len(self.texts) if self.texts else 0.0

    def looks(self) -> str:
        """What the values look like, without telling one of them."""
        if not self.texts:
            return "empty"
        if self.ean > 0.9:
            return "EAN codes of 18 digits"
        if self.date and self.date.format != "%Y":
            return "dates or times"
        kind = "numbers" if self.numeric > 0.9 else "texts"
        return f"{kind}, {len(self.counted)} different in {len(self.texts)}"


def fit(
    catalogue: Catalogue,
    column: Column,
    used: ContractColumn,
    values: Values,
    marks: Marks | None,
    is_named: bool = True,
) -> Fit:
    """How far the values of a heading fit a column of a contract; words that are like codes count where its name fits."""
    if not values.texts:
        return Fit(0.5, "no value is filled")
    if column.type in NUMERIC:
        return _number(values, column, used, marks)
    if column.type in DATED:
        form = values.date
        return Fit(form.share, form.why) if form and "%H" not in form.format[:2] else Fit(0.0, "these are no dates")
    if column.type == "boolean":
        return Fit(values.share(lambda t: t.lower() in _YES_NO), "yes or no")
    if column.type == "code":
        return _codes(catalogue, column, values, is_named)
    return _text(column, values)


def _number(values: Values, column: Column, used: ContractColumn, marks: Marks | None) -> Fit:
    told = [v for t in values.counted if (v := number_of(t, marks)) is not None]
    share = values.numeric
    if used.range and told and not are_tenths(values, column, used, marks):
        low, high = used.range
        inside = sum(low <= v <= high for v in told)
        if inside < len(told) / 2:
            return Fit(share * 0.5, f"{len(told) - inside} of {len(told)} numbers lie outside {low} to {high}")
    return Fit(share, f"{round(share * len(values.texts))} of {len(values.texts)} values are numbers")


def are_tenths(values: Values, column: Column, used: ContractColumn, marks: Marks | None) -> bool:
    """Whether whole numbers lie in the range of a temperature only as tenths of a degree."""
    told = [v for t in values.counted if (v := number_of(t, marks)) is not None]
    if column.unit != "degree_c" or not used.range or any(v != int(v) for v in told):
        return False
    low, high = used.range
    return any(not low <= v <= high for v in told) and all(low <= v / 10 <= high for v in told)


def number_of(told: str, marks: Marks | None) -> Decimal | None:
    """The number that a text tells; None when it tells none."""
    if marks and marks.thousands:
        told = told.replace(marks.thousands, "")
    if marks and marks.decimal != ".":
        told = told.replace(marks.decimal, ".")
    try:
        value = Decimal(told.strip("€£$ "))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _codes(catalogue: Catalogue, column: Column, values: Values, is_named: bool) -> Fit:
    known = catalogue.code_lists[str(column.codes)]
    learned = {
        word: code
        for mapping in catalogue.mappings.values()
        for name, how in mapping.columns.items()
        if name == column.name
        for word, code in how.codes.items()
    }
    exact = _names(known)
    found: dict[str, str] = {}
    for told in list(values.counted)[:_MOST_CODES]:
        code = learned.get(told) or exact.get(told.lower()) or (_alike(column, told, known) if is_named else None)
        if code:
            found[told] = code
    share = sum(values.counted[told] for told in found) / len(values.texts)
    unknown = tuple(told for told in values.counted if told not in found)
    same = sum(told == code for told, code in found.items())
    alike = tuple(told for told in found if told not in learned and told.lower() not in exact)
    why = f"{len(found)} of {len(values.counted)} different values are known of {column.codes}"
    why += f", {same} as our code" if same else ""
    return Fit(share, why, {t: c for t, c in found.items() if t != c}, unknown, alike)


def _names(known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The code by each of its names in lower case: itself and its labels."""
    labels = {
        words[language].lower(): code for code, words in known.items() for language in ("en", "nl") if language in words
    }
    return {**labels, **{code.lower(): code for code in known}}


def _alike(column: Column, told: str, known: Mapping[str, Mapping[str, str]]) -> str | None:
    """The code that a word is like; a register is told by direction and tariff."""
    register = register_of(told) if column.name == "register_code" else None
    return register if register in known else _code_of(told, known)


def _code_of(told: str, known: Mapping[str, Mapping[str, str]]) -> str | None:
    """The code that a word of the sender is like; None when none or two are."""
    scores = {
        code: max(likeness(told, name) for name in (code, labels.get("nl", code), labels.get("en", code)))
        for code, labels in known.items()
        if code not in _RESTS
    }
    best = max(scores, key=lambda code: scores[code], default=None)
    if best is None or scores[best] < _LEAST_LIKE:
        return None
    return best if sum(score == scores[best] for score in scores.values()) == 1 else None


def _text(column: Column, values: Values) -> Fit:
    if column.name == "meter_id":
        if values.ean > 0.9:
            tail = "with a right check digit" if values.is_checked else "but check digits that are wrong"
            return Fit(1.0, f"{len(values.counted)} different values of 18 digits, as an EAN code has, {tail}")
        return Fit(0.6, f"{len(values.counted)} different values, none an EAN code")
    if values.date and values.date.has_day:
        return Fit(0.2, "these are dates")
    fraction = values.share(lambda t: bool(re.fullmatch(r"-?\d+[.,]\d{1,3}", t)))
    return Fit(0.3 if fraction > 0.5 else 1.0, f"{len(values.counted)} different values")


def _check_digit(code: str) -> bool:
    """The check of GS1: from the right, digits count three times and once in turn."""
    body = [int(d) for d in code[:-1]]
    return (sum(body[-1::-2]) * 3 + sum(body[-2::-2]) + int(code[-1])) % 10 == 0
