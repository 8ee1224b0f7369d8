"""How much the name of one heading says about another.

Belongs here: words, their likeness and the unit that stands in a heading. Does not belong here: which names a column is known
by (matching), values.
"""

from __future__ import annotations

import re
import unicodedata
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


@lru_cache(maxsize=20_000)
def words_of(heading: str) -> tuple[str, ...]:
    """A heading as lower-case words without accents, units and fillers: `Sum_of kWh (netto)` is sum, netto."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    found = re.findall(r"[a-z]+|\d+", plain)
    kept = [w for w in found if w not in _FILLER and w not in UNIT_WORDS]
    return tuple(kept or found)


def unit_in(heading: str) -> str | None:
    """The unit that a heading names, as a code; None when it names none."""
    for word in re.findall(r"m[²³]|[a-z]+[23]?|[€£$]", heading.lower()):
        # One letter is a unit only where it stands apart, as in `Gewicht (t)`.
        if word in UNIT_WORDS and (len(word) > 1 or re.search(rf"[(\[]\s*{re.escape(word)}\s*[)\]]|[€£$]", heading)):
            return UNIT_WORDS[word]
    return None


def likeness(heading: str, known: str) -> float:
    """How far two names say the same, from 0 to 1."""
    mine, theirs = words_of(heading), words_of(known)
    if not mine or not theirs:
        return 1.0 if heading.strip().lower() == known.strip().lower() else 0.0
    if "".join(mine) == "".join(theirs):
        return 1.0
    together = " ".join(mine), " ".join(theirs)
    alike = SequenceMatcher(None, *together).ratio()
    if alike >= _LEAST_ALIKE and min(map(len, together)) > 3:
        return 0.95 * alike
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
