"""The shape of a reason for which a row or a delivery is set apart, as `dbt_like_sql/reasons.yml` declares it.

Belongs here: fields, types and what one reason can tell about itself. Does not belong here: a reason of a row as a
sentence (reason_words), and giving reasons (judging, repeats, merging, intake).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from resources.catalogue.models import Declared, Text

# What becomes of what has the reason, in the order in which people meet them.
OUTCOMES = ("quarantined", "waiting", "ignored", "rejected", "held", "refused")


class Reason(Declared):
    """A reason: what it means, an example, and the repair.

    `about` says what stands behind the colon of the reason of a row: a column, a rule of the contract, a correction.
    `told` are regular expressions for the messages by which a file as a whole is rejected for it.
    """

    id: str
    outcome: Literal["quarantined", "waiting", "ignored", "rejected", "held", "refused"]
    about: Literal["column", "rule", "correction"] | None = None
    meaning: Text
    example: str = Field(min_length=1)
    repair: Text
    told: tuple[str, ...] = ()
