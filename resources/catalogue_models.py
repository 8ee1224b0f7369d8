"""The shape of every declaration, as frozen models that refuse an unknown key.

Belongs here: fields, types and what one declaration can tell about itself. Does not belong here: reading files, and
rules that need two declarations (catalogue).
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["critical", "warning", "info"]
Update = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]
# In the columns of a model: the surrogate key of every column that has a dimension.
DIMENSION_KEYS = "dimension_keys"
# The geography whose emission factors come first where keten.yml names no other.
HOME = "NL"


class Declared(BaseModel):
    """Base of all declarations: frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Text(Declared):
    """A text in both languages."""

    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Column(Declared):
    """The one meaning of a column name."""

    name: str
    type: Literal["text", "code", "integer", "decimal", "ratio", "factor", "date", "month", "timestamp", "boolean"]
    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)
    unit: str | None = None
    unit_in: str | None = None
    codes: str | None = None
    dimension: str | None = None


class Unit(Declared):
    """A unit and its factor to the canonical unit of its kind."""

    code: str
    nl: str
    en: str
    canonical_code: str
    factor: Decimal


class ContractColumn(Declared):
    """How a contract uses a column."""

    name: str
    required: bool = False
    references: str | None = None
    headings: tuple[str, ...] = ()
    range: tuple[Decimal, Decimal] | None = None
    example: str = ""


class Rule(Declared):
    """A rule on one row; `fails_on` overrides the example row so that the rule fires."""

    id: str
    sql: str
    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)
    fails_on: dict[str, str]


class Expectation(Declared):
    """A Great Expectations expectation on the candidate; `fires_on` is SQL that corrupts `{table}` so that it fails."""

    expect: str
    kwargs: dict[str, Any] = {}
    severity: Severity
    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)
    fires_on: str | None = None


class Window(Declared):
    """What a delivery of kind `window` is complete for: its scope values × the months of its period column."""

    scope: tuple[str, ...]
    period: str


class Contract(Declared):
    """The data contract of one incoming dataset."""

    name: str
    title: Text
    description: Text
    owner: str = Field(min_length=1)
    licence: str
    personal_data: Literal["none", "possible"]
    retention_days: int = Field(gt=0)
    update: Update
    delivery: Literal["increment", "window", "full"]
    window: Window | None = None
    period: str | None = None
    repeats: Literal["drop", "number"]
    key: tuple[str, ...]
    columns: dict[str, ContractColumn]
    rules: tuple[Rule, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    quarantine_tolerance: float = Field(ge=0, le=1)


class FileFormat(Declared):
    """How a sender writes a file."""

    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    thousands: str = ""
    encoding: Literal["utf-8", "cp1252"] = "utf-8"
    skip_lines: int = Field(default=0, ge=0)
    sheet: str | None = Field(default=None, min_length=1)
    records: str | None = Field(default=None, pattern=r"^[^.]+(\.[^.]+)*$")


class IssuedAt(Declared):
    """When a sender issued a file, read from its name: the first group of the pattern, in strptime format, UTC."""

    pattern: str
    format: str


class TimeRule(Declared):
    """What the stamps of a sender mean: the start or the end of an interval, or the moment a register was read."""

    zone: str
    stamp: Literal["start", "end", "moment"]
    interval_minutes: int = Field(default=0, ge=0, le=1440)
    ambiguous: Literal["first_is_summer", "first_is_winter", "refuse"] = "first_is_summer"


class IgnoreRows(Declared):
    """Rows that are no data, such as totals."""

    heading: str
    matches: str
    reason: str


class Unpivot(Declared):
    """Wide columns that become records."""

    headings: str
    name: str
    value: str


class MappedColumn(Declared):
    """Where a contract column comes from: headings, a constant, or the name of the file (the group of a pattern)."""

    from_: str | tuple[str, ...] | None = Field(default=None, alias="from")
    any_of: tuple[str, ...] = Field(default=(), min_length=2)
    value: str | None = None
    file: str | None = None
    format: str | None = None
    unit: str | None = None
    codes: dict[str, str] = {}
    default: str | None = None
    shift: str | None = Field(default=None, pattern=r"^-?\d+ (day|month|year)$")

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


class Mapping(Declared):
    """How one sender's files map onto a contract."""

    origin: str
    dataset: str
    title: str
    files: str | tuple[str, ...]
    delivery: Literal["increment"] | None = None
    format: FileFormat = FileFormat()
    issued_at: IssuedAt | None = None
    time: TimeRule | None = None
    ignore_rows: tuple[IgnoreRows, ...] = ()
    unpivot: Unpivot | None = None
    columns: dict[str, MappedColumn]
    ignore: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns for file names within the source folder."""
        return (self.files,) if isinstance(self.files, str) else self.files

    @property
    def reads_name(self) -> bool:
        """Whether the name of a file is part of what it says."""
        return any(column.file for column in self.columns.values())


class Check(Declared):
    """An invariant of a computed table: the select of violating rows, and SQL on `{table}` that makes it fire."""

    id: str
    sql: str
    severity: Literal["critical", "warning"]
    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)
    fires_on: str


class Model(Declared):
    """A computed table and what it declares: a SQL model, or made by a Python module of `assets` (`made_by`).

    `reach` is by how many months, before and after, a change below it may change its own rows.
    """

    name: str
    sql: str
    refs: tuple[str, ...]
    made_by: str | None = Field(default=None, pattern=r"^assets\.[a-z_]+$")
    title: Text
    description: Text
    owner: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[str | Column, ...]
    months: str | None = None
    reach: int = Field(default=0, ge=0)
    checks: tuple[Check, ...] = ()


class Component(Declared):
    """A component of an indicator with its own keys and two rules."""

    keys: tuple[str, ...]
    unit: str
    over_time: Literal["sum", "mean", "last", "max", "distinct"]
    over_keys: Literal["sum", "max", "distinct"]
    nl: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Indicator(Declared):
    """An indicator: components rolled up apart, divided once, last.

    A ratio is numerator × `scale` ÷ denominator; below `minimum_denominator` it says nothing and is not told, nor is
    any value below `minimum_coverage`, where what is missing would change its meaning. `unit` is that of the stored value,
    `display_unit` (the same kind of unit) and `decimals` are for people.
    """

    id: str
    pillar: Literal["people", "planet", "purpose"]
    sql: str
    refs: tuple[str, ...]
    title: Text
    description: Text
    method: Text
    pitfall: Text
    owner: str
    unit: str
    display_unit: str | None = None
    decimals: int = Field(ge=0, le=6)
    direction: Literal["lower", "higher"]
    core: bool
    kind: Literal["ratio", "amount"]
    numerator: str
    denominator: str | None = None
    minimum_denominator: Decimal | None = Field(default=None, gt=0)
    minimum_coverage: Decimal | None = Field(default=None, gt=0, le=1)
    scale: int = Field(default=1, gt=0)
    standards: tuple[str, ...] = ()
    components: dict[str, Component]
    levels: tuple[tuple[str, ...], ...]
    range: tuple[Decimal, Decimal] | None = None
