"""The shape of every declaration, as frozen models that refuse an unknown key.

Belongs here: fields, types and what one declaration can tell about itself. Does not belong here: reading files, and
rules that need two declarations (catalogue).
"""

from __future__ import annotations

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
    """How a sender writes a file.

    A byte order mark tells the encoding whatever `encoding` says. Without `skip_lines` the header is the first row near the
    top that holds the headings of the mapping; `footer` is a regular expression on the first cell of the row from which on
    all is ignored, `member` one on the name of the file that is meant in an archive. In JSON whose records are lists of
    values, `fields` is where the list of their names is.
    """

    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    thousands: str = ""
    encoding: Literal["utf-8", "utf-16", "cp1252"] = "utf-8"
    skip_lines: int = Field(default=0, ge=0)
    header_rows: Literal[1, 2] = 1
    footer: str | None = Field(default=None, min_length=1)
    member: str | None = Field(default=None, min_length=1)
    sheet: str | None = Field(default=None, min_length=1)
    records: str | None = Field(default=None, pattern=r"^[^.]+(\.[^.]+)*$")
    fields: str | None = Field(default=None, pattern=r"^[^.]+(\.[^.]+)*$")
    profile: Literal["xaf", "ubl", "espi"] | None = None

    @property
    def number_mark(self) -> str:
        """The mark with which a number that a file holds as such is written; where its text decides the mark, that of JSON."""
        return "." if self.decimal == "auto" else self.decimal


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
