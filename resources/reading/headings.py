"""Which row of a file is its header: the first near the top that holds the headings the mapping needs.

Belongs here: finding and joining header rows, and the words for a file in which there is none. Does not belong here: any
one file format (csv_files, workbooks), what a cell means (judging).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from resources.errors import KetenError
from resources.proposing.words import likely_name

if TYPE_CHECKING:
    from resources.catalogue import Mapping

# How far down a header row is looked for below what stands above it.
TOP_ROWS = 100
MAX_COLUMNS = 2_000
GROUP_MARK = " / "
_MOST_TOLD = 40
_QUOTED = 200
_ERROR_KEYS = ("error", "error_description", "message", "detail", "title", "reason", "status", "code")


def missing_headings(mapping: Mapping, found: Collection[str]) -> list[str]:
    """The headings that a mapping needs and these do not hold, in order."""
    wanted = {h for column in mapping.columns.values() for h in column.needed(found)}
    wanted |= {h for column in mapping.columns.values() for h in column.beside}
    wanted |= {rule.heading for rule in mapping.ignore_rows}
    if mapping.unpivot:
        wanted -= {mapping.unpivot.name, mapping.unpivot.value}
    return sorted(wanted - set(found))


def require_headings(mapping: Mapping, found: Sequence[str]) -> None:
    """Raise KetenError that names a heading of the mapping which is missing, what is expected and what is there."""
    missing = missing_headings(mapping, found)
    if not missing:
        return
    expected = missing_headings(mapping, ())
    told = ", ".join(found[:_MOST_TOLD]) + (", ..." if len(found) > _MOST_TOLD else "")
    renamed = likely_name(missing[0], [h for h in found if h not in expected])
    now = f", or is '{renamed}' now" if renamed else ""
    raise KetenError(
        f"the heading '{missing[0]}' of mapping {mapping.origin}__{mapping.dataset} is missing{now}; found: {told};"
        f" expected: {', '.join(expected)}; `keten map` proposes a mapping"
    )


def find_header(rows: Sequence[Sequence[str]], mapping: Mapping) -> tuple[int, list[str]] | None:
    """The place of the header row among the first rows of a file, and its headings; None when there are too few rows.

    It is the first row that holds all headings of the mapping; where none does, the one that holds most of them.
    """
    depth = mapping.format.header_rows
    best: tuple[int, int, list[str]] | None = None
    for place in range(len(rows) - depth + 1):
        headings = joined(rows[place : place + depth])
        lacking = len(missing_headings(mapping, headings)) + (not _has_wide(mapping, headings))
        if best is None or lacking < best[0]:
            best = lacking, place, headings
        if not lacking:
            break
    return best[1:] if best else None


def _has_wide(mapping: Mapping, headings: list[str]) -> bool:
    return mapping.unpivot is None or any(re.search(mapping.unpivot.headings, h) for h in headings)


def joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """The headings of one header row, or of two: a heading above holds for the columns to its right that have none."""
    if len(rows) == 1:
        return [cell.strip() for cell in rows[0]]
    headings, group = [], ""
    for above, below in zip_longest(*rows, fillvalue=""):
        above, below = above.strip(), below.strip()
        group = above or group
        headings.append(GROUP_MARK.join(part for part in (group, below) if part) if above or below else "")
    return headings


def named(headings: Sequence[str]) -> tuple[str, ...]:
    """Headings in which a blank one is named by its column. Raises KetenError when there are far too many."""
    if len(headings) > MAX_COLUMNS:
        raise KetenError(f"it has {len(headings)} columns, more than {MAX_COLUMNS}; ask for a row per value instead")
    return tuple(heading or f"column {letters(place)}" for place, heading in enumerate(headings))


def letters(place: int) -> str:
    """Name of a column counted from 0: A, B ... Z, AA."""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(65 + rest) + found
    return found


def unnamed_fault(place: int, row: int) -> str:
    """What is wrong with a column that has cells and no heading."""
    return (
        f"column {letters(place)} has no heading, but row {row} has something in it; give it a heading of its own, which"
        " merged cells do not, or set format.skip_lines to the rows before the header, or format.header_rows to 2"
    )


def told_instead(head: str) -> str:
    """What a text is that should have been a table, with what it says of an error; empty when it may be one."""
    start = head.lstrip()[:1]
    if start == "<":
        title = re.search(r"<title[^>]*>(.*?)</title>", head, re.IGNORECASE | re.DOTALL)
        said = f" titled '{' '.join(title.group(1).split())[:_QUOTED]}'" if title else ""
        return f"it is a web page or XML{said}, not a table; ask the sender, or see what the source answers"
    if start not in ("{", "["):
        return ""
    try:
        said = _said(json.loads(head))
    except ValueError:
        return ""
    told = f"; it says: {said}" if said else ""
    return f"it is JSON, not a table{told}; JSON is read when its name ends in .json"


def _said(node: Any) -> str:
    """What an answer tells of an error, under the keys that are used for it."""
    if not isinstance(node, dict):
        return ""
    pairs = [(key, node[key]) for key in _ERROR_KEYS if isinstance(node.get(key), str | int)]
    inner = node.get("error")
    told = ", ".join(f"{key}: {value}" for key, value in pairs)
    return told[:_QUOTED] or _said(inner)
