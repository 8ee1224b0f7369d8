"""The records of an XML file by the path of their element, as text cells under dotted headings.

Belongs here: finding the records, flattening each, and the cells of the elements around it.
Does not belong here: safe parsing (xml_events), standards with rules of their own (the profiles).

A heading is the path of local names below the record: `Item.Price`, `Quantity@unitCode` for an attribute, `.` for the text of
the record itself. What stands in an element around the record is named after that element: `Invoice/IssueDate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading.cells import LIST_MARK
from resources.reading.xml_events import XmlFile, bare, events, let_go, local, texts

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Row = dict[str, str | None]
MAX_DEPTH = 32
_NAMES_TOLD = 12


@dataclass
class _Level:
    """An element that is open around the records, with the cells met in it so far."""

    name: str
    cells: Row = field(default_factory=dict)
    has_records: bool = False


def _attributes(element: Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.attrib.items()]


def inner(heading: str, key: str) -> str:
    """The heading of something within what `heading` names."""
    if not key or not heading:
        return heading or key
    return f"{heading}{key}" if key.startswith("@") else f"{heading}.{key}"


class Records:
    """The records at one path.

    After a pass, `several` are headings with more than one value in a row, and `late` those around the records that come
    only after one.
    """

    def __init__(self, file: XmlFile, where: str) -> None:
        self._file = file
        self._where = where
        self._parts = where.split("/")
        self.several: set[str] = set()
        self.late: set[str] = set()

    def rows(self) -> Iterator[Row]:
        """One pass over the file. Raises KetenError for what cannot be trusted, or holds no such element."""
        self._open: list[_Level] = []
        self._around: Row | None = None
        within, found = 0, False
        names: dict[str, None] = {}
        for kind, element in events(self._file):
            if within:
                within += 1 if kind == "start" else -1
                if not within:
                    found = True
                    yield self._row(element)
                    self._open.pop()
                    let_go(element)
            elif kind == "start":
                within = self._start(element)
                if not found and len(names) < _NAMES_TOLD:
                    names[local(element)] = None
            else:
                self._end(element)
        if not found:
            raise KetenError(f"it holds no '{self._where}' of format.records; found: {', '.join(names)}")

    def _start(self, element: Element) -> int:
        """Open an element; 1 when it is a record."""
        if len(self._open) >= MAX_DEPTH:
            raise KetenError(f"it is nested more than {MAX_DEPTH} deep; name the records that lie within")
        self._open.append(_Level(local(element)))
        if [level.name for level in self._open[-len(self._parts) :]] == self._parts:
            for level in self._open[:-1]:
                level.has_records = True
            return 1
        for name, value in _attributes(element):
            self._open[-1].cells[f"@{bare(name)}"] = value.strip() or None
        self._around = None
        return 0

    def _end(self, element: Element) -> None:
        """Close an element outside the records: what it holds goes to the element around it, unless it held records."""
        level = self._open.pop()
        self._around = None
        if text := texts(element):
            level.cells[""] = text
        if not len(element) and not level.cells:
            level.cells[""] = None
        if self._open and not level.has_records:
            self._fold(level, self._open[-1])
        let_go(element)

    def _fold(self, level: _Level, outer: _Level) -> None:
        for key, value in level.cells.items():
            heading = inner(level.name, key)
            if outer.has_records:
                self.late.add(f"{outer.name}/{heading}")
            if heading in outer.cells:
                self.several.add(f"{outer.name}/{heading}")
                value = None
            outer.cells[heading] = value

    def _row(self, element: Element) -> Row:
        if self._around is None:
            self._around = {f"{e.name}/{key}": cell for e in self._open[:-1] for key, cell in e.cells.items() if key}
        row: Row = {}
        self._flatten(row, element, "", 1, False)
        return {**row, **self._around}

    def _flatten(self, row: Row, element: Element, heading: str, depth: int, in_list: bool) -> None:
        """Put every text and attribute into the row under its path; within a list of elements a row may have several."""
        if depth > MAX_DEPTH:
            raise KetenError(f"it is nested more than {MAX_DEPTH} deep; ask for flat records")
        for name, value in _attributes(element):
            self._put(row, f"{heading}@{bare(name)}", value.strip() or None, in_list, False)
        text = texts(element)
        if not len(element) or text:
            self._put(row, heading or ".", text, in_list, in_list)
        counts = Counter(local(child) for child in element) if len(element) > 1 else {}
        for child in element:
            name = local(child)
            is_plain = not len(child) and not child.attrib
            if counts.get(name, 1) > 1 and is_plain:
                self._put(row, inner(heading, name), texts(child), in_list, True)
            else:
                self._flatten(row, child, inner(heading, name), depth + 1, in_list or counts.get(name, 1) > 1)

    def _put(self, row: Row, heading: str, cell: str | None, in_list: bool, may_repeat: bool) -> None:
        if in_list:
            self.several.add(heading)
        if heading in row:
            if not (in_list or may_repeat):
                raise KetenError(f"a record has two values for '{heading}'; ask which of the two counts")
            cell = f"{row[heading] or ''}{LIST_MARK}{cell or ''}"
        row[heading] = cell
