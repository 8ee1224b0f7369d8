"""The records in an answer as the texts that were sent, so that no number loses a digit on its way to the landing zone.

Belongs here: finding a place in a document, as value and as text. Does not belong here: what a record means (the readers),
and asking for pages (rest).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from resources.errors import KetenError

_DECODER = json.JSONDecoder(parse_float=Decimal)
_BLANK = re.compile(r"[ \t\r\n]*")
# A line break inside a text is written \n in JSON, so a real one stands between keys and values only.
_BREAK = re.compile(r"[\r\n]+[ \t]*")


def document_of(body: bytes) -> tuple[str, Any]:
    """The text and the value of a JSON document. Raises KetenError for what is none."""
    try:
        text = body.decode("utf-8-sig")
        return text, _DECODER.decode(text)
    except UnicodeDecodeError:
        raise KetenError("it answers with bytes that are not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise KetenError(f"it answers with what is not whole JSON ({error})") from None


def value_at(node: Any, where: str | None) -> Any:
    """What stands at a place: keys joined by dots, a number in a list. None when there is no such place."""
    for part in where.split(".") if where else ():
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
            node = node[int(part)]
        else:
            return None
    return node


def record_texts(text: str, where: str | None) -> Iterator[str]:
    """The text of every record of the list at a place that is known to hold one, each on one line."""
    at = _skip(text, 0)
    for part in where.split(".") if where else ():
        at = next(start for name, start, _ in _members(text, at) if name == part)
    for _, start, end in _members(text, at):
        yield _BREAK.sub(" ", text[start:end])


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Key, or place in the list, and beginning and end of every member of the object or list at a position."""
    is_object, number = text[at] == "{", 0
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        name = str(number)
        if is_object:
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        yield name, at, end
        at, number = _skip(text, end), number + 1
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None  # it may be empty
    return match.end()
