"""A first look at a file: its form, its headings and a bounded sample of its cells.

Belongs here: guessing `format` of a mapping, with the reasons, and reading a sample by the readers of the product.
Does not belong here: what the headings or values mean (matching).
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import duckdb

from resources import reading
from resources.catalogue import Mapping
from resources.catalogue.models import FileFormat
from resources.errors import KetenError
from resources.proposing.evidence import Values
from resources.reading.cells import CELL, FileFacts
from resources.reading.files import kind_of, pieces

SAMPLE_ROWS = 20_000
_HEAD_LINES = 400
_TOP = 60
_DELIMITERS = (";", ",", "\t", "|")
_MARKS = ("", "-", "n.v.t.", "n.b.", "#N/A")


@dataclass
class Sample:
    """What was seen of a file. `columns` are the trimmed texts of each heading in the order of the file, '' where empty.

    `form` holds the keys of `format` that are not their defaults, and `why` the reason of each; `is_whole` tells whether the
    sample is all there is.
    """

    path: Path
    headings: tuple[str, ...]
    columns: dict[str, list[str]]
    form: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return max((len(cells) for cells in self.columns.values()), default=0)

    @cached_property
    def _looked(self) -> dict[str, Values]:
        return {}

    def filled(self, heading: str) -> list[str]:
        """The texts under a heading, without what stands for a missing value."""
        return [told for told in self.columns[heading] if told not in _MARKS]

    def values(self, heading: str) -> Values:
        """What the texts under a heading look like; looked at once."""
        if heading not in self._looked:
            self._looked[heading] = Values(heading, self.filled(heading))
        return self._looked[heading]


def take_sample(path: Path) -> Sample:
    """Look at a file. Raises KetenError for one that cannot be read or has no headings."""
    kind = kind_of(path.name)
    form, why = _csv_form(path) if kind == "csv" else _document_form(path) if kind == "json" else ({}, {})
    facts = _first_table(path, form)
    if kind in ("xlsx", "xls"):
        facts = _below_the_title(path, form, why, facts)
    if repeated := {h for h in facts.headings if facts.headings.count(h) > 1}:
        raise KetenError(f"{path.name}: two columns have the heading '{min(repeated)}'; is that line the header?")
    if not facts.headings:
        raise KetenError(f"{path.name} has no headings; is it a list of rows under a header?")
    columns, is_whole = _cells(path, stub(form), facts)
    return Sample(path, facts.headings, columns, form, why, is_whole)


def stub(form: dict[str, Any]) -> Mapping:
    """A mapping that says nothing but how a file is written."""
    return Mapping(
        origin="o", dataset="d", title="t", files="*", format=FileFormat.model_validate(dict(form)), columns={}
    )


def _first_table(path: Path, form: dict[str, Any]) -> FileFacts:
    for facts in reading.tables_in(path, stub(form)):
        return facts
    raise KetenError(f"{path.name} holds no table")


def _cells(path: Path, mapping: Mapping, facts: FileFacts) -> tuple[dict[str, list[str]], bool]:
    with duckdb.connect(":memory:") as connection:
        try:
            relation = reading.cells_of(connection, path, mapping, facts, lenient=True)
            table = connection.execute(f"select * from {relation} limit {SAMPLE_ROWS + 1}").to_arrow_table()
        except duckdb.Error as error:
            raise KetenError(f"{path.name} cannot be read ({str(error).splitlines()[0][:200]})") from None
    is_whole = table.num_rows <= SAMPLE_ROWS
    cells = table.slice(0, SAMPLE_ROWS)
    return {h: [_plain(c) for c in cells.column(CELL + h).to_pylist()] for h in facts.headings}, is_whole


def _plain(cell: str | None) -> str:
    told = (cell or "").strip()
    return told[2:-1] if told.startswith('="') and told.endswith('"') else told


def _csv_form(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    head = next(pieces(path), b"")
    form: dict[str, Any] = {}
    why: dict[str, str] = {}
    encoding = _encoding(path, head)
    if encoding == "cp1252":
        form["encoding"] = encoding
        why["encoding"] = "it holds bytes that are not UTF-8; they are letters in Windows text"
    elif encoding != "utf-8":
        form["encoding"] = encoding
        why["encoding"] = "its first bytes are the mark of UTF-16"
    told = head.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    rows = {mark: _rows(told, mark) for mark in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda mark: _regular(rows[mark]))
    if delimiter != ",":
        form["delimiter"] = delimiter
        why["delimiter"] = f"{_modal(rows[delimiter])} cells on most lines"
    before, how = _header_place(rows[delimiter])
    if before:
        form["skip_lines"] = before
        why["skip_lines"] = how
    return form, why


def _encoding(path: Path, head: bytes) -> str:
    """utf-8, cp1252, or UTF-16 where the readers know it."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        known = [e for e in get_args(FileFormat.model_fields["encoding"].annotation) if str(e).startswith("utf-16")]
        if not known:
            raise KetenError(f"{path.name} is UTF-16 text; save it as UTF-8 (CSV UTF-8 in Excel)")
        little = head[:2] == b"\xff\xfe"
        return str(next((e for e in known if str(e).endswith("le" if little else "be")), known[0]))
    if b"\0" in head:
        raise KetenError(f"{path.name} holds NUL bytes, so it is not text; what program made it?")
    try:
        for place, piece in enumerate(pieces(path)):
            if place and not piece.isascii():
                piece.decode("utf-8")  # a character that goes on in the next piece is rare enough to look again
            elif not place:
                piece.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        whole = error.end >= len(error.object) - 3 or error.start < 4
        return "utf-8" if whole and error.reason == "unexpected end of data" else "cp1252"
    return "utf-8"


def _rows(told: str, mark: str) -> list[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(told) + 1))
    found: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(told, newline=""), delimiter=mark):
            cells = [cell.strip() for cell in row]
            if any(cells):  # a row without anything in it is blank, and not counted
                found.append(cells)
            if len(found) >= _HEAD_LINES:
                break
    except csv.Error:
        return found
    return found


def _modal(rows: list[list[str]]) -> int:
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _regular(rows: list[list[str]]) -> float:
    """How well a delimiter cuts: the share of lines with the common number of cells, for more than one cell."""
    width = _modal(rows)
    if width < 2:
        return 0.0
    share = sum(len(row) == width for row in rows) / len(rows)
    return share + min(width, 50) / 1000


def _header_place(rows: list[list[str]]) -> tuple[int, str]:
    """How many lines stand before the header, and why that is one."""
    width = _modal(rows)
    wide = [(place, row) for place, row in enumerate(rows[:_TOP]) if len(row) == width]
    for last in (width, width - 1):  # a delimiter at the end of every line leaves the last cell empty
        for place, row in wide:
            if last and all(row[:last]) and len(set(row[:last])) == last and not row[0][:1].isdigit():
                return place, f"the first line with {last} filled cells stands below {place} others"
    place = wide[0][0] if wide else 0
    return place, f"the first line with {width} cells stands below {place} others"


def _below_the_title(path: Path, form: dict[str, Any], why: dict[str, str], facts: FileFacts) -> FileFacts:
    """A workbook read from its likely header row on; the first of its sheets with a table."""
    for table in reading.tables_in(path, stub(form)):
        if len(table.headings) > 1 or table.last_line > table.header_line:
            facts = table
            break
    if facts.place:
        form["sheet"] = facts.place
        why["sheet"] = "the first sheet that is not hidden holds no table"
    before = _rows_before(facts)
    if before:
        form["skip_lines"] = before
        why["skip_lines"] = f"row {before + 1} is the first with as many filled cells as the table has columns"
    return _first_table(path, form) if before or facts.place else facts


def _rows_before(facts: FileFacts) -> int:
    """Rows of a sheet before its header: where headings are missing, the first row below that has them all."""
    if facts.table is None:
        return 0
    headings = facts.headings
    named = sum(not h.startswith("column ") for h in headings)
    if named == len(headings):
        return 0
    for row in facts.table.slice(0, _TOP).to_pylist():
        if sum(bool(row[CELL + h]) for h in headings) == len(headings):
            return int(row["row_no"]) - 1
    return 0


def _document_form(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Where the records of a JSON document are: its longest list of objects."""
    from resources.reading.json_files import MAX_DOCUMENT_BYTES

    try:
        document = json.loads(b"".join(pieces(path, limit=MAX_DOCUMENT_BYTES)))
    except (ValueError, RecursionError) as error:
        raise KetenError(f"{path.name} is not whole JSON ({error})") from None
    found = max(_lists(document, ()), key=lambda entry: entry[1], default=None)
    if found is None:
        raise KetenError(f"{path.name} holds no list of records")
    where, count = found
    if not where:
        return {}, {}
    return {"records": ".".join(where)}, {"records": f"the longest list of objects, {count} of them, is there"}


def _lists(node: Any, where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, list) and node and all(isinstance(item, dict) for item in node):
        yield where, len(node)
    elif isinstance(node, dict) and len(where) < 5:
        for key, inner in node.items():
            if "." not in key:
                yield from _lists(inner, (*where, key))
