"""Typed reference tables: their declaration, and how the cells of their rows become values.

Belongs here: a table of facts in `reference/` whose columns are declared. Does not belong here: reading files
(catalogue.reading), code lists, and what one table means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import Field

from resources.catalogue.models import Column, Declared, Text
from resources.engine import TYPES
from resources.errors import KetenError, meant

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.catalogue import Catalogue

PERIODS = (("valid_from", "valid_to"), ("known_from", "known_to"))
_PLAIN = {"integer": (r"-?\d+", "2026"), "boolean": (r"true|false", "true or false")}
_DAYS = {
    "date": (date, "%Y-%m-%d", "2026-01-31"),
    "month": (date, "%Y-%m-01", "2026-01-01, its first day"),
    "timestamp": (datetime, "%Y-%m-%dT%H:%M:%S", "2026-01-31T12:00:00"),
}


class ReferenceTable(Declared):
    """A table of facts with declared columns: `<name>.yml` beside the CSV. Only `optional` columns may be empty."""

    name: str
    title: Text
    description: Text
    owner: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    source: str = Field(min_length=1)
    grain: str = Field(min_length=1)
    key: tuple[str, ...] = Field(min_length=1)
    columns: tuple[str, ...] = Field(min_length=1)
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReferenceRow:
    """A row as it stands in a file: `place` names file and line."""

    place: str
    cells: dict[str, str]


def typed_rows(catalogue: Catalogue, table: ReferenceTable) -> list[dict[str, Any]]:
    """The rows of a table as values, in the order of its columns; those of a deployment after those of the product.

    Raises KetenError for a cell that is empty or not of its type, a key that stands twice, and periods that end before
    they begin or overlap.
    """
    columns = [catalogue.columns[name] for name in table.columns]
    rows = catalogue.reference_rows.get(table.name, [])
    found = [{c.name: _value(catalogue, table, row, c) for c in columns} for row in rows]
    seen: dict[tuple[Any, ...], str] = {}
    for row, values in zip(rows, found, strict=True):
        key = tuple(values[name] for name in table.key)
        if key in seen:
            told = ", ".join(str(part) for part in key)
            raise KetenError(
                f"{row.place}: key '{told}' stands in {seen[key]} already and is not overridden; remove one"
            )
        seen[key] = row.place
        for start, end in PERIODS:
            if values.get(start) and values.get(end) and values[end] <= values[start]:
                raise KetenError(
                    f"{row.place}: {end}: '{values[end]}' is not after {start}; it is the first day after the period"
                )
    if "valid_from" in table.key:
        _no_overlap(table, rows, found)
    return found


def arrow_table(catalogue: Catalogue, table: ReferenceTable) -> pa.Table:
    """The rows of a table with the types the engine has for its columns; decimals are exact."""
    import pyarrow as pa

    kinds = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "DECIMAL(28,6)": pa.decimal128(28, 6),
        "DECIMAL(18,9)": pa.decimal128(18, 9),
        "DATE": pa.date32(),
        "TIMESTAMP": pa.timestamp("us"),
        "BOOLEAN": pa.bool_(),
    }
    fields = [pa.field(name, kinds[TYPES[catalogue.columns[name].type]]) for name in table.columns]
    return pa.Table.from_pylist(typed_rows(catalogue, table), schema=pa.schema(fields))


def known_until(catalogue: Catalogue, as_of: date) -> date | None:
    """The last day, up to `as_of`, on which any reference row became known or ceased to be: a later one changes results."""
    cells = (row.cells.get(name) for rows in catalogue.reference_rows.values() for row in rows for name in PERIODS[1])
    days = (date.fromisoformat(cell) for cell in cells if cell)
    return max((day for day in days if day <= as_of), default=None)


def _value(catalogue: Catalogue, table: ReferenceTable, row: ReferenceRow, column: Column) -> Any:
    """The value of a cell; None when it is empty and may be."""
    text = row.cells[column.name]
    if not text:
        if column.name in table.optional:
            return None
        raise KetenError(f"{row.place}: {column.name} is empty; fill it in")
    if column.codes and text not in catalogue.code_lists[column.codes]:
        repair = meant(text, catalogue.code_lists[column.codes]) or f"; add it to reference/{column.codes}.csv"
        raise KetenError(f"{row.place}: {column.name}: code '{text}' of {column.codes} does not exist{repair}")
    try:
        return _parsed(column.type, text)
    except ValueError as error:
        raise KetenError(f"{row.place}: {column.name}: '{text}' cannot be read as {column.type}; {error}") from None


def _parsed(kind: str, text: str) -> Any:
    """Text as a value of a column type. Raises ValueError that tells how to write it."""
    if kind in ("decimal", "ratio", "factor"):
        return _decimal(kind, text)
    if kind in _DAYS:
        what, form, example = _DAYS[kind]
        try:
            day = what.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or day.strftime(form) != text:
            raise ValueError(f"write it as {example}")
        return day
    if kind in _PLAIN:
        pattern, example = _PLAIN[kind]
        if not re.fullmatch(pattern, text):
            raise ValueError(f"write it as {example}")
        return int(text) if kind == "integer" else text == "true"
    return text


def _decimal(kind: str, text: str) -> Decimal:
    """A number that fits the type to its last digit: nothing is rounded in silence."""
    digits, scale = (int(n) for n in re.findall(r"\d+", TYPES[kind]))
    number = re.fullmatch(r"-?(\d+)(?:\.(\d+))?", text)
    if not number:
        raise ValueError("write it with a point and without thousands marks: 1234.5")
    if len(number[1]) > digits - scale or len(number[2] or "") > scale:
        raise ValueError(f"it may have {digits - scale} digits before and {scale} after the point; round it yourself")
    return Decimal(text)


def _no_overlap(table: ReferenceTable, rows: Iterable[ReferenceRow], found: list[dict[str, Any]]) -> None:
    """Where validity is part of the key, one day has one row."""
    rest = [name for name in table.key if name != "valid_from"]
    order = sorted(
        zip(rows, found, strict=True), key=lambda pair: (*(str(pair[1][n]) for n in rest), pair[1]["valid_from"])
    )
    for (first, before), (second, after) in zip(order, order[1:], strict=False):
        same = all(before[name] == after[name] for name in rest)
        end = before.get("valid_to")
        if same and (end is None or end > after["valid_from"]):
            raise KetenError(
                f"{second.place}: valid_from: '{after['valid_from']}' lies within the period of {first.place};"
                " end that one (valid_to) before this begins"
            )
