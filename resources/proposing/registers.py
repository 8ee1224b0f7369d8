"""Which register of a meter a word of a sender names, and whether it is its reading.

Belongs here: direction and tariff in words. Does not belong here: where such words stand (wide, evidence).
"""

from __future__ import annotations

import re

from resources.proposing.words import words_of

_FEED_IN = ("terug", "injectie", "invoed", "return", "export", "feed")
_STAND = ("stand", "reading", "import", "export")
_LOW = ("laag", "dal", "nacht", "low", "night")
_NORMAL = ("normaal", "hoog", "piek", "dag", "normal", "high", "day")
_NUMBERED = {1: "1.8.1", 2: "1.8.2", 3: "2.8.1", 4: "2.8.2"}


def is_reading(heading: str) -> bool:
    """Whether a heading names the reading of a register, and not use over an interval."""
    return any(stem in word for word in words_of(heading) for stem in _STAND)


def register_of(heading: str) -> str | None:
    """The register that a heading names, as an OBIS code: 1.8 is delivery, 2.8 feed-in; .1 low and .2 normal tariff."""
    words = [w for part in words_of(heading) for w in re.findall(r"[a-z]+|\d+", part)]
    joined = " ".join(words)
    if (numbered := re.fullmatch(r"(usage|reading) ?([1-4])", joined)) is not None:
        return _NUMBERED[int(numbered.group(2))]
    is_low = any(w.startswith(_LOW) for w in words) or "t 1" in joined
    is_normal = any(w.startswith(_NORMAL) for w in words) or "t 2" in joined
    if not (is_low or is_normal) or is_low and is_normal:
        return None
    side = "2.8" if any(stem in w for w in words for stem in _FEED_IN) else "1.8"
    return f"{side}.{1 if is_low else 2}"
