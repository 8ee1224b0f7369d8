"""What is to be said of a column of codes: words that are only like ours, words that are none, and digits that were lost.

Belongs here: mending and checking of codes. Does not belong here: which code a word stands for (evidence).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from resources.proposing.evidence import Values
from resources.proposing.words import likeness

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract
    from resources.proposing.matching import Match

_TOLD = 5


def look_at_codes(catalogue: Catalogue, contract: Contract, match: Match, values: Values) -> str:
    """What a person is to check of a column of codes; empty when every word is one that is known."""
    codes = str(catalogue.columns[match.column].codes)
    told = []
    if match.fit.unknown:
        told.append(f"no code of {codes} for {_some(match.fit.unknown)}; add them to codes, or write default")
    elif codes == "unit" and len(values.counted) > 1 and "quantity" in contract.columns:
        told.append(
            "there is more than one unit; where a row repeats another in its unit, leave it out with ignore_rows"
        )
    known = catalogue.code_lists[codes]
    like = [f"'{word}' looks like '{_nearest(word, match.fit.codes[word], known)}'" for word in match.fit.alike]
    if like:
        told.append(_some(tuple(like)))
    return "; ".join(told)


def lost_zero(column: str, values: Values) -> tuple[dict[str, Any], str]:
    """How a waste code of six digits is mended that lost its leading zero, and why; empty when none did."""
    short = [told for told in values.counted if re.fullmatch(r"[1-9]\d{4}", told)] if column == "waste_code" else []
    if not short:
        return {}, ""
    why = f"{len(short)} of {len(values.counted)} different codes, such as {short[0]}, have five digits: a waste code has six"
    return {"code_fixes": [{"matches": r"^(\d{5})$", "code": r"0\1"}]}, f"{why}, and its leading zero was lost"


def _nearest(word: str, code: str, known: dict[str, dict[str, str]]) -> str:
    """The name of a code that a word of the sender is most like."""
    labels = known.get(code, {})
    return max((labels.get("nl", code), labels.get("en", code), code), key=lambda name: likeness(word, name))


def _some(told: tuple[str, ...]) -> str:
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return ", ".join(told[:_TOLD]) + more
