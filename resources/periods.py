"""States of months: open, provisional, final, restated; who decided so, when and why.

Belongs here: the decisions, kept as small files that are added and never changed, and the rules between them. Does not
belong here: when a month is due (month_close), and what a state means for deliveries and published values (final_months,
final_values).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from filelock import FileLock

from resources.disk import UNFINISHED, write_durably
from resources.errors import KetenError
from resources.landing import Receipt, now_utc
from resources.months import after

Kind = Literal["provisional", "final", "reopened", "restated"]
# How long a restatement lets changes in, unless the month is closed as final before that: long enough for a supplier to
# send again, short enough that nothing slips in under the reason of something else.
RESTATEMENT_DAYS = 31

_FROM: Mapping[Kind, tuple[Kind | None, ...]] = {
    "provisional": (None,),
    "final": ("provisional", "reopened", "restated"),
    "reopened": ("final", "restated"),
    "restated": ("final", "restated"),
}
_REPAIR: Mapping[Kind, str] = {
    "provisional": "only an open month is closed as provisional; `keten period list` shows the states",
    "final": "a month becomes final from provisional; `keten period close {month} --by NAME` makes an open month provisional",
    "reopened": "only a final month can be reopened",
    "restated": "only a final month needs a restatement; others take changes as they are",
}


@dataclass(frozen=True)
class Decision:
    """One decision about a month (YYYY-MM); `at` is naive UTC, ISO text.

    `left_out` are, of a decision that a month is final, the deliveries that had come in and were not in its figures.
    """

    month: str
    kind: Kind
    by: str
    at: str
    reason: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def moment(self) -> datetime:
        """When it was decided, naive UTC."""
        return datetime.fromisoformat(self.at)

    @property
    def lets_in_until(self) -> datetime:
        """Of a restatement, the moment from which changes need another one."""
        return self.moment + timedelta(days=RESTATEMENT_DAYS)


@dataclass(frozen=True)
class Month:
    """The decisions about one month, in order."""

    decisions: tuple[Decision, ...] = ()

    @property
    def last(self) -> Decision | None:
        """What counts now."""
        return self.decisions[-1] if self.decisions else None

    @property
    def status(self) -> str:
        """A code of `period_state`: restated is final, with changes let in since it first was."""
        if self.last is None:
            return "open"
        if self.last.kind in ("provisional", "reopened"):
            return "provisional"
        return "restated" if self.explanation else "final"

    @property
    def words(self) -> str:
        """The state for people: also whether, and until when, changes are let in."""
        if self.last and self.last.kind == "restated":
            return f"restated; changes are let in until {self.last.lets_in_until:%Y-%m-%d}"
        return self.status

    @property
    def is_final(self) -> bool:
        """Whether its figures may not change without a reason."""
        return self.status in ("final", "restated")

    @property
    def was_final(self) -> bool:
        """Whether it ever was final."""
        return any(d.kind == "final" for d in self.decisions)

    @property
    def explanation(self) -> Decision | None:
        """The last decision that let changes in after the month was final."""
        return next((d for d in reversed(self.decisions) if d.kind in ("restated", "reopened")), None)

    def is_closed_to(self, receipt: Receipt) -> bool:
        """Whether a delivery may not change this month: it is not in the final figures, and no restatement lets it in.

        It follows from the receipt and the decisions alone, so a rebuilt engine holds the same deliveries.
        """
        if not self.is_final:
            return False
        place = max(i for i, d in enumerate(self.decisions) if d.kind == "final")
        final, later = self.decisions[place], self.decisions[place + 1 :]
        if receipt.received_at <= final.at and receipt.receipt_id not in final.left_out:
            return False
        received = datetime.fromisoformat(receipt.received_at)
        return not any(received <= restated.lets_in_until for restated in later)

    def is_locked(self, today: date) -> bool:
        """Whether published values of this month may not change today."""
        if not self.is_final or self.last is None:
            return False
        return self.last.kind == "final" or self.last.lets_in_until.date() < today


Months = Mapping[date, Month]


def fingerprint(months: Months) -> str:
    """sha256 over all decisions."""
    told = [asdict(d) for _, month in sorted(months.items()) for d in month.decisions]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class Periods:
    """The folder `KETEN_HOME/periods`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> dict[date, Month]:
        """Every month about which something was decided. Raises KetenError for a file that cannot be read."""
        found: dict[date, Month] = {}
        for path in sorted(self.folder.glob("*.json")):
            decision = _decision(path)
            month = date.fromisoformat(f"{decision.month}-01")
            found[month] = Month((*found.get(month, Month()).decisions, decision))
        return found

    def require(self, month: date, kind: Kind, by: str, today: date, reason: str = "") -> None:
        """Raises KetenError, with the repair, for a decision that may not be made."""
        _require(Decision(f"{month:%Y-%m}", kind, _line(by), "", _line(reason)), self._known(month), today)

    def decide(
        self, month: date, kind: Kind, by: str, today: date, reason: str = "", left_out: tuple[str, ...] = ()
    ) -> Decision:
        """Add a decision. Raises KetenError when it may not be made, and then nothing is written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            for path in self.folder.glob(f"{UNFINISHED}*"):
                path.unlink()  # of a process that was killed
            known = self._known(month)
            made = Decision(f"{month:%Y-%m}", kind, _line(by), now_utc(), _line(reason), left_out)
            _require(made, known, today)
            path = self.folder / f"{made.month}.{len(known.decisions) + 1:03d}.json"
            write_durably(path, json.dumps(asdict(made), indent=1, ensure_ascii=False, sort_keys=True))
        return made

    def _known(self, month: date) -> Month:
        return self.read().get(month, Month())


def _line(text: str) -> str:
    return " ".join(text.split())


def _decision(path: Path) -> Decision:
    try:
        facts = json.loads(path.read_text("utf-8"))
        made = Decision(**{**facts, "left_out": tuple(facts["left_out"])})
        date.fromisoformat(f"{made.month}-01")
        if made.kind not in _FROM or made.moment.tzinfo:
            raise ValueError("its kind or its time is none of ours")
    except (ValueError, TypeError, KeyError) as error:
        raise KetenError(
            f"{path} cannot be read as a decision about a month; put back the file of your backup ({error})"
        ) from None
    return made


def _require(made: Decision, known: Month, today: date) -> None:
    end = after(date.fromisoformat(f"{made.month}-01"))
    if today < end:
        raise KetenError(f"{made.month} is not over yet; it can be closed from {end} on")
    if not made.by:
        raise KetenError(f"{made.month}: nobody is named; say with --by who decides")
    if made.kind in ("reopened", "restated") and not made.reason:
        raise KetenError(f"{made.month}: the reason is empty; say with --reason why it may change")
    if (known.last.kind if known.last else None) not in _FROM[made.kind]:
        raise KetenError(f"{made.month} is {known.status}: {_REPAIR[made.kind].format(month=made.month)}")
