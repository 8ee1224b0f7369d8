"""Reading the records of a JSON file, or of one with a record on each line, as text cells with the place of every record.

Belongs here: finding the records, and flattening each to cells under dotted keys.
Does not belong here: what a cell means (judging).

Numbers keep the digits that were sent. They are written with the decimal mark of the mapping, because that is how the same
mapping reads numbers that were sent as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.errors import KetenError
from resources.reading.cells import LIST_MARK, PIECE_ROWS, FileFacts, number_text, one_table, table_piece
from resources.reading.files import Kind, delivered_kind, lines, pieces

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.catalogue import Mapping

MAX_DOCUMENT_BYTES = 256 * 1024**2
MAX_HEADINGS = 2_000
MAX_DEPTH = 32
_KEYS_TOLD = 10


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """Read the records of the mapping. Raises KetenError for what is not whole JSON, or holds no records there."""
    kind = delivered_kind(path, mapping.format.member)
    gathered = _Gathered(kind, mapping.format.number_mark)
    if kind == "json":
        gathered.add_list(_records(_document(path, mapping), mapping, gathered))
    else:
        gathered.add_lines(path, mapping.format.member)
    return gathered.facts()


def tables_in(path: Path, mapping: Mapping) -> Iterator[FileFacts]:
    """The records of the mapping, and all that stands around them; without records, the whole of the file."""
    if delivered_kind(path, mapping.format.member) == "jsonl":
        yield scan(path, mapping)
        return
    document, where = _document(path, mapping), mapping.format.records
    records: list[Any] = []
    try:
        gathered = _Gathered("json", mapping.format.number_mark)
        records = _records(document, mapping, gathered)
        gathered.add_list(records)
        facts, around = [gathered.facts()], [] if records is document else [document]
    except KetenError:
        facts, around = [], [document, {where or "records": records}]
    rest = _Gathered("json", mapping.format.number_mark)
    for node in around:
        rest.add(1, node)
    yield from facts
    if rest.headings:
        yield replace(rest.facts(), place="around the records")


class _Digits(str):
    """A number as it was sent."""


def _no_number(word: str) -> None:
    raise KetenError(f"it holds {word}, which is no number; ask for null where a value is missing")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise KetenError(f"the key '{twice}' stands twice in one object; ask which of the two counts")
    return made


_DECODER = json.JSONDecoder(
    parse_float=_Digits, parse_int=_Digits, parse_constant=_no_number, object_pairs_hook=_object
)


def _parsed(data: bytes, first_line: int) -> Any:
    """What JSON says. Raises KetenError that names the line when it is not whole."""
    try:
        return _DECODER.decode(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = first_line + data[: error.start].count(b"\n")
        raise KetenError(f"line {line} holds bytes that are not UTF-8; ask for it in UTF-8") from None
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        several = "; is every line a record? Then its name should end in .jsonl" if error.msg == "Extra data" else ""
        raise KetenError(
            f"line {line} is not whole JSON ({error.msg}, column {error.colno}){several or '; was it cut off?'}"
        ) from None
    except RecursionError:
        raise KetenError(f"it is nested more than {MAX_DEPTH} deep; ask for flat records") from None


def _document(path: Path, mapping: Mapping) -> Any:
    data = b"".join(pieces(path, mapping.format.member, MAX_DOCUMENT_BYTES))
    if not data.strip():
        raise KetenError("it is empty")
    return _parsed(data, 1)


def _take_records(document: Any, where: str | None) -> list[Any]:
    """The list of records, taken out of what stands around it. Raises KetenError, naming what is there instead."""
    node = document
    holder: Any = None
    last: str | int = ""
    for part in where.split(".") if where else ():
        if isinstance(node, dict) and part in node:
            holder, last = node, part
        elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
            holder, last = node, int(part)
        else:
            raise KetenError(f"there is no '{part}' of format.records '{where}'; found {_told(node)}")
        node = holder[last]
    if not isinstance(node, list):
        place = f"at '{where}' stands {_told(node)}" if where else f"its top is {_told(node)}"
        lists = [key for key, value in node.items() if isinstance(value, list)] if isinstance(node, dict) else []
        likely = ".".join([*([where] if where else []), lists[0] if len(lists) == 1 else "path.to.list"])
        raise KetenError(f"{place}, not a list of records; write where they are: `format: {{records: {likely}}}`")
    if holder is None:
        return node
    holder[last] = None
    return node


def _records(document: Any, mapping: Mapping, gathered: _Gathered) -> list[Any]:
    """The records of the mapping; where they are lists of values, each value under its name in the list of fields."""
    where = mapping.format.fields
    if where is None:
        return _take_records(document, mapping.format.records)
    fields = _take_records(document, where)
    if not all(isinstance(name, str) for name in fields):
        raise KetenError(f"at '{where}' stands no list of names; write where they are: `format: {{fields: ...}}`")
    gathered.headings |= dict.fromkeys(name.strip() for name in fields)
    return [_named(place, row, fields) for place, row in enumerate(_take_records(document, mapping.format.records), 1)]


def _named(place: int, row: Any, fields: list[str]) -> dict[str, Any]:
    if not isinstance(row, list) or len(row) != len(fields):
        told = f"{len(row)} values" if isinstance(row, list) else _told(row)
        raise KetenError(f"record {place} is {told}, where format.fields names {len(fields)}; ask for whole records")
    return _object(list(zip(fields, row, strict=True)))


def _told(node: Any) -> str:
    """What something is, without its content."""
    if isinstance(node, dict):
        keys = ", ".join(str(key)[:40] for key in list(node)[:_KEYS_TOLD])
        return f"an object with the keys {keys}" if keys else "an empty object"
    if isinstance(node, list):
        return f"a list of {len(node)}"
    if isinstance(node, _Digits):
        return "a number"
    return {str: "a text", bool: "true or false"}.get(type(node), "null")


class _Gathered:
    """Records flattened one by one, under the headings that were met so far."""

    def __init__(self, kind: Kind, decimal: str) -> None:
        self.headings: dict[str, None] = {}
        self._kind = kind
        self._decimal = decimal
        self._several: set[str] = set()
        self._found: list[pa.Table] = []
        self._numbers: list[int] = []
        self._rows: list[dict[str, str | None]] = []
        self._blank = self._last = 0

    def add_list(self, records: list[Any]) -> None:
        """All records of a list, by their place in it."""
        for number, record in enumerate(records, start=1):
            self._add_record(f"record {number}", number, record)

    def add_lines(self, path: Path, member: str | None) -> None:
        """All records of a file with one on each line, by their line."""
        for number, line in enumerate(lines(path, member), start=1):
            if line.strip():
                self._add_record(f"line {number}", number, _parsed(line, number))
            else:
                self._blank += 1

    def _add_record(self, place: str, number: int, record: Any) -> None:
        if not isinstance(record, dict):
            raise KetenError(f"{place} is {_told(record)}, not an object with keys; ask for records with named values")
        self.add(number, record)

    def add(self, number: int, node: Any) -> None:
        """Flatten something to one row. Raises KetenError when its keys cannot be headings."""
        row: dict[str, str | None] = {}
        self._flatten(row, node, "", 0, False)
        if len(row) > len(self.headings) or not row.keys() <= self.headings.keys():
            self.headings |= dict.fromkeys(row)
            if len(self.headings) > MAX_HEADINGS:
                raise KetenError(f"its records have more than {MAX_HEADINGS} different keys; are the keys values?")
        self._last = number
        self._numbers.append(number)
        self._rows.append(row)
        if len(self._rows) == PIECE_ROWS:
            self._close_piece()

    def _flatten(self, row: dict[str, str | None], node: Any, heading: str, depth: int, in_list: bool) -> None:
        """Put every value into the row under its dotted key; within a list of objects a row may have several of it."""
        if depth > MAX_DEPTH:
            raise KetenError(f"it is nested more than {MAX_DEPTH} deep; ask for flat records")
        if isinstance(node, dict):
            for key, value in node.items():
                inner = f"{heading}.{key.strip()}" if heading else key.strip()
                self._flatten(row, value, inner, depth + 1, in_list)
        elif not isinstance(node, list):
            self._put(row, heading, self._written(node), in_list)
        elif any(isinstance(item, dict | list) for item in node):
            for item in node:
                self._flatten(row, item, heading, depth + 1, True)
        else:
            self._put(row, heading, LIST_MARK.join(self._written(item) or "" for item in node) or None, in_list)

    def _put(self, row: dict[str, str | None], heading: str, cell: str | None, in_list: bool) -> None:
        if in_list:
            self._several.add(heading)
        if heading in row:
            if not in_list:
                raise KetenError(f"a record has two values for '{heading}'; ask which of the two counts")
            cell = f"{row[heading] or ''}{LIST_MARK}{cell or ''}"
        row[heading] = cell

    def _written(self, value: Any) -> str | None:
        if isinstance(value, _Digits):
            return number_text(value, self._decimal)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value or None

    def _close_piece(self) -> None:
        columns = {heading: [row.get(heading) for row in self._rows] for heading in self.headings}
        self._found.append(table_piece(self._numbers, columns))
        self._numbers, self._rows = [], []

    def facts(self) -> FileFacts:
        """All of it. Raises KetenError when no record was met, so that nothing tells the headings."""
        if not self.headings:
            raise KetenError("it holds no record, so nothing tells its headings")
        self._close_piece()
        return FileFacts(
            tuple(self.headings),
            0,
            self._last,
            self._kind,
            one_table(self._found),
            self._blank,
            several=frozenset(self._several),
        )
