"""The shape of a correction of what a sender sent, as people declare it in `corrections/<origin>.yml`.

Belongs here: fields, types and what one entry can tell about itself. Does not belong here: what must hold between an entry
and the contract or mapping it is about (correction_rules), and correcting rows (corrections).
"""

from __future__ import annotations

from datetime import date as day
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from resources.catalogue.models import Declared

Action = Literal["drop", "override", "scale", "flag"]
# What may change about an entry without a row being judged otherwise.
_TOLD = {"reason", "reporter", "date"}


def _plain(value: Any) -> Any:
    """YAML makes numbers and days of values that are written without quotes; here every value is compared as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, day)):
        return str(value)
    return value


Value = Annotated[str, BeforeValidator(_plain)]
Values = Value | tuple[Value, ...]


def listed(values: Values | None) -> tuple[str, ...]:
    """One value or several, as several."""
    return (values,) if isinstance(values, str) else values or ()


class Expected(Declared):
    """What holds as long as the fault is there: how many rows there are, in all and in a delivery, and what was sent."""

    rows: int | None = Field(default=None, ge=1)
    rows_per_delivery: int | None = Field(default=None, ge=1)
    value: Values | None = None
    range: tuple[Decimal, Decimal] | None = None


class Correction(Declared):
    """One entry: which rows, what is done about them, why, who found it and when, and what tells that it is needed.

    Rows meet all of `files`, `match` (columns of the contract as judged, or headings as sent) and `where` (a condition on
    columns). `column` is what is overridden or scaled, and what `expect` looks at.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    origin: str
    dataset: str
    files: str | tuple[str, ...] | None = None
    match: dict[str, Values] = {}
    where: str | None = Field(default=None, min_length=1)
    action: Action
    column: str | None = None
    value: Value | None = None
    factor: Decimal | None = None
    reason: str = Field(min_length=1)
    reporter: str = Field(min_length=1)
    date: day
    expect: Expected

    @property
    def place(self) -> str:
        """File and entry, as messages name them."""
        return f"corrections/{self.origin}.yml: {self.id}"

    @property
    def changes(self) -> bool:
        """Whether it gives a column another value."""
        return self.action in ("override", "scale")

    def covers(self, file_name: str) -> bool:
        """Whether it is about a delivery with this name."""
        return self.files is None or any(fnmatchcase(file_name, pattern) for pattern in listed(self.files))

    def judging(self) -> str:
        """All of it that decides about rows."""
        return self.model_dump_json(exclude=_TOLD)


class Corrections(Declared):
    """The file corrections/<origin>.yml."""

    corrections: tuple[Correction, ...]
