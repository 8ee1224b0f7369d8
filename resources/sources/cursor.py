"""How far records were fetched: the greatest moment or number of them.

Belongs here: comparing these. Does not belong here: where they stand in a record, and how they are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from resources.errors import KetenError


def greatest(values: Iterable[Any], before: Any, field: str) -> Any:
    """The greatest of values and the one of before; as it was sent. Raises KetenError when they are not of one kind.

    Moments with different offsets are compared as moments: as texts, an hour would be skipped in autumn.
    """
    found, rank = before, _rank(before, field)
    for value in values:
        if value is None or value == "":
            continue
        kind, place = _rank(value, field)
        if kind != rank[0]:
            raise KetenError(
                f"'{field}' holds a {kind} and before that a {rank[0]}; write since: start: in the form it is sent in"
            )
        if place > rank[1]:
            found, rank = value, (kind, place)
    return found


def _rank(value: Any, field: str) -> tuple[str, Any]:
    if isinstance(value, bool):
        raise KetenError(f"'{field}' holds true or false; since: needs a moment or a number")
    if isinstance(value, int | float | Decimal):
        return "number", value
    if isinstance(value, datetime):
        return "moment", _naive(value)
    if isinstance(value, date):
        return "moment", datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        try:
            return "moment", _naive(datetime.fromisoformat(value))
        except ValueError:
            return "text", value
    raise KetenError(f"'{field}' holds no moment and no number; name another field in since:")


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def kept(value: Any) -> Any:
    """A value in a form that JSON keeps, from which `restored` makes it again."""
    if isinstance(value, datetime | date | Decimal):
        return {type(value).__name__.lower(): str(value) if isinstance(value, Decimal) else value.isoformat()}
    return value


def restored(value: Any) -> Any:
    """What was kept."""
    if not isinstance(value, dict):
        return value
    makers: dict[str, Callable[[str], Any]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "decimal": Decimal,
    }
    ((kind, text),) = value.items()
    return makers[kind](text)
