"""The shape of a mapping: how one sender's files become the rows of a contract.

Belongs here: fields, types and what one mapping can tell about itself. Does not belong here: how the bytes of a file are
written (FileFormat in catalogue.models), and rules that need a contract (mapping_rules).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from resources.catalogue.models import Declared, FileFormat

# The pseudo columns of a time rule: one stamp per row, or the start and the end of its interval.
STAMP, START_STAMP, END_STAMP = "stamp", "start_stamp", "end_stamp"
STAMPS = (STAMP, START_STAMP, END_STAMP)
# What `format` may say besides a strptime format.
ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS, EXCEL_SERIAL = "iso", "epoch_seconds", "epoch_milliseconds", "excel_serial"
FORM_WORDS = (ISO, EPOCH_SECONDS, EPOCH_MILLISECONDS, EXCEL_SERIAL)


class IssuedAt(Declared):
    """When a sender issued a file, read from its name: the first group of the pattern, in strptime format, UTC."""

    pattern: str
    format: str


class TimeRule(Declared):
    """What the stamps of a sender mean.

    `zone` is that of stamps without an offset, `site_zone` that of the calendar day on the site. `stamp` says what one stamp
    per row is: the start or the end of an interval, or the moment at which a register was read. With a start and an end
    the interval follows from them.
    """

    zone: str
    site_zone: str | None = None
    stamp: Literal["start", "end", "moment"] | None = None
    interval_minutes: int | None = Field(default=None, gt=0, le=1440)
    interval: Literal["day", "month", "year"] | None = None
    ambiguous: Literal["first_is_summer", "first_is_winter", "refuse"] = "first_is_summer"

    @property
    def day_zone(self) -> str:
        """The zone in which `local_date` is read."""
        return self.site_zone or self.zone


class IgnoreRows(Declared):
    """Rows that are no data, such as totals."""

    heading: str
    matches: str
    reason: str


class Unpivot(Declared):
    """Wide columns that become records; with `skip_empty` an empty cell is no record but ignored as `empty_value`.

    The name of a record is the heading, or the group of the pattern in it.
    """

    headings: str
    name: str
    value: str
    skip_empty: bool = False


class NegateRows(Declared):
    """Rows in which the sender writes minus where we write plus, by a regular expression on a cell."""

    heading: str
    matches: str


class CodeFix(Declared):
    """How a sender writes a code, as a regular expression, and what is meant, which may name the groups of it."""

    matches: str
    code: str


class MappedColumn(Declared):
    """Where a contract column comes from, and what brings a cell to our form, unit and codes.

    It comes from headings, a constant, or the name of the file (the group of a pattern).
    """

    from_: str | tuple[str, ...] | None = Field(default=None, alias="from")
    any_of: tuple[str, ...] = Field(default=(), min_length=2)
    value: str | None = None
    file: str | None = None
    format: str | tuple[str, ...] | None = None
    shift: str | None = Field(default=None, pattern=r"^-?\d+ (day|month|year)$")
    unit: str | None = None
    unit_from: str | None = None
    units: dict[str, str] = {}
    factor: Decimal | None = None
    factor_from: str | None = None
    sign: Literal["negate"] | NegateRows | None = None
    range: tuple[Decimal, Decimal] | None = None
    cumulative: Literal["year_to_date"] | None = None
    code_fixes: tuple[CodeFix, ...] = ()
    codes: dict[str, str] = {}
    ignored_codes: tuple[str, ...] = ()
    default: str | None = None

    def headings(self) -> tuple[str, ...]:
        """The source headings this column is made of: joined, or of `any_of` each in the place of the others."""
        if self.from_ is None:
            return self.any_of
        return (self.from_,) if isinstance(self.from_, str) else self.from_

    def needed(self, found: Collection[str]) -> tuple[str, ...]:
        """The headings it needs of a file that has these: of `any_of` those it has, or all as one name when it has none."""
        if not self.any_of:
            return self.headings()
        return tuple(h for h in self.any_of if h in found) or ("' or '".join(self.any_of),)

    @property
    def beside(self) -> tuple[str, ...]:
        """The headings that say something about its cell: its unit, its factor, its sign."""
        sign = self.sign.heading if isinstance(self.sign, NegateRows) else None
        return tuple(h for h in (self.unit_from, self.factor_from, sign) if h is not None)

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms in which the sender writes its dates; empty when the mapping gives none."""
        return (self.format,) if isinstance(self.format, str) else self.format or ()


class Mapping(Declared):
    """How one sender's files map onto a contract; `valid_from` is the day from which a later version holds.

    A mapping of the product is a layout: `given` are the columns that its files leave unsaid, which the line in sources.yml
    that uses it gives.
    """

    origin: str
    dataset: str
    valid_from: str | None = None
    title: str
    files: str | tuple[str, ...]
    delivery: Literal["increment"] | None = None
    format: FileFormat = FileFormat()
    issued_at: IssuedAt | None = None
    time: TimeRule | None = None
    ignore_rows: tuple[IgnoreRows, ...] = ()
    unpivot: Unpivot | None = None
    columns: dict[str, MappedColumn]
    given: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns for file names within the source folder."""
        return (self.files,) if isinstance(self.files, str) else self.files

    @property
    def file(self) -> str:
        """The name of its file below the folder of a deployment."""
        later = f"__{self.valid_from}" if self.valid_from else ""
        return f"mappings/{self.origin}__{self.dataset}{later}.yml"

    def issued(self, file_name: str) -> str | None:
        """When the sender issued a file, read from its name (naive UTC, ISO); None without a rule or a match."""
        found = self.issued_at and re.search(self.issued_at.pattern, file_name)
        if not found or self.issued_at is None:
            return None
        return datetime.strptime(found.group(1), self.issued_at.format).isoformat(timespec="microseconds")

    @property
    def reads_name(self) -> bool:
        """Whether the name of a file is part of what it says."""
        return any(column.file for column in self.columns.values())

    @property
    def stamps(self) -> tuple[str, ...]:
        """The pseudo columns of its time rule that it maps."""
        return tuple(name for name in STAMPS if name in self.columns)
