"""How much the name of one heading says about another.

Belongs here: words, their likeness and the unit that stands in a heading. Does not belong here: which names a column is known
by (matching), values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

# How units are written beside the codes of reference/unit.csv.
UNIT_WORDS = {
    "kwh": "kWh",
    "wh": "Wh",
    "mwh": "MWh",
    "gj": "GJ",
    "m3": "m3",
    "m³": "m3",
    "kg": "kg",
    "kilo": "kg",
    "kilogram": "kg",
    "kilograms": "kg",
    "g": "g",
    "gram": "g",
    "t": "t",
    "ton": "t",
    "tonne": "t",
    "tonnes": "t",
    "tonnage": "t",
    "m2": "m2",
    "m²": "m2",
    "l": "l",
    "liter": "l",
    "km": "km",
    "eur": "EUR",
    "euro": "EUR",
    "€": "EUR",
    "gbp": "GBP",
    "£": "GBP",
    "usd": "USD",
    "$": "USD",
}
_FILLER = frozenset("de het een van der the of a an and en und in per nr no code".split())
_LEAST_ALIKE = 0.82
_LEAST_RENAMED = 0.7


@lru_cache(maxsize=20_000)
def _all_words(heading: str) -> tuple[str, ...]:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    return tuple(re.findall(r"[a-z]+|\d+", plain))


@lru_cache(maxsize=20_000)
def words_of(heading: str) -> tuple[str, ...]:
    """A heading as lower-case words without accents, units and fillers: `Sum_of kWh (netto)` is sum, netto."""
    kept = tuple(w for w in _all_words(heading) if w not in _FILLER and w not in UNIT_WORDS)
    return kept or _all_words(heading)


def unit_in(heading: str) -> str | None:
    """The unit that a heading names, as a code; None when it names none."""
    for word in re.findall(r"m[²³]|[a-z]+[23]?|[€£$]", heading.lower()):
        # One letter is a unit only where it stands apart, as in `Gewicht (t)`.
        if word in UNIT_WORDS and (len(word) > 1 or re.search(rf"[(\[]\s*{re.escape(word)}\s*[)\]]|[€£$]", heading)):
            return UNIT_WORDS[word]
    return None


def likeness(heading: str, known: str) -> float:
    """How far two names say the same, from 0 to 1; units count where a name is nothing else."""
    if heading.strip().lower() == known.strip().lower():
        return 1.0
    by_words = _alike(words_of(heading), words_of(known))
    return max(by_words, 0.95 * _alike(_all_words(heading), _all_words(known)))


def likely_name(missing: str, found: Iterable[str]) -> str | None:
    """Which of the headings that were found may be one that is missing, by its name; None when none is like it."""
    best = max(found, key=lambda heading: likeness(heading, missing), default=None)
    return best if best is not None and likeness(best, missing) >= _LEAST_RENAMED else None


def _alike(mine: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    if not mine or not theirs:
        return 0.0
    if "".join(mine) == "".join(theirs):
        return 1.0
    together = " ".join(mine), " ".join(theirs)
    match = SequenceMatcher(None, *together)
    if min(map(len, together)) > 3 and match.quick_ratio() >= _LEAST_ALIKE and match.ratio() >= _LEAST_ALIKE:
        return 0.95 * match.ratio()
    shared = sum(any(_same(w, other) for other in theirs) for w in mine)
    covered = sum(any(_same(w, other) for other in mine) for w in theirs)
    if covered == len(theirs):
        return 0.8 - 0.04 * (len(mine) - shared)
    return 0.55 * (shared / len(mine)) * (covered / len(theirs))


def _same(word: str, other: str) -> bool:
    """Whether two words have the same stem: `recycled` and `recycling`."""
    if word == other:
        return True
    short, long = sorted((word, other), key=len)
    stem = len(short) - 3 if len(short) > 7 else len(short)
    return len(short) >= 5 and long.startswith(short[: max(stem, 5)])
