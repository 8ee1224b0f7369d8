"""Taking one delivery that was found: refused when it holds personal data, landed otherwise.

Belongs here: what becomes of a file, and what a pull did. Does not belong here: where it comes from (pulling, fetching), the
meaning of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from resources.catalogue import Mapping
from resources.errors import KetenError
from resources.landing import Delivery, Landing, now_utc
from resources.landing.privacy import personal_columns


@dataclass
class Pulled:
    """What one pull did: receipts landed, files refused with the headings at fault, and those left for the next run.

    `waiting` changed a moment ago; `failed` are files, and folders of sources that are down, that could not be taken, with
    the reason; `may_pass` when trying again in a moment may help.
    """

    landed: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    may_pass: bool = False


def told_fault(error: KetenError | OSError) -> str:
    """Why something could not be taken: our own sentence, or that of the system without a path."""
    return str(error) if isinstance(error, KetenError) else str(error.strerror)


def take(landing: Landing, mapping: Mapping, delivery: Delivery, done: Pulled) -> None:
    """Land a delivery, or refuse it, unless it is known."""
    if landing.known(delivery):
        return
    try:
        headings = personal_columns(delivery.source, mapping)
    except KetenError:
        headings = []  # an unreadable file is landed and rejected with its reason
    if headings:
        landing.refuse(delivery, headings, now_utc())
        done.refused[delivery.name] = headings
        return
    receipt = landing.land(delivery, mapping.issued(delivery.name), landing.moment())
    done.landed.append(receipt.receipt_id)
