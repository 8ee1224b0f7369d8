"""The elements of an XML file as they end, one by one, from a file that may be larger than memory and is not trusted.

Belongs here: encodings, what is refused before anything is parsed, limits, and letting go of what was read.
Does not belong here: which elements are records (xml_records, the profiles), what a cell means (judging).

A file with a DOCTYPE is refused: entities, external files and default values all need one, and no standard that is read here
has one. Nothing is ever fetched.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from resources.errors import KetenError
from resources.reading.files import pieces

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True)
class XmlFile:
    """A file, with what the mapping says of its encoding where the declaration of the file is wrong, and of its archive."""

    path: Path
    encoding: str | None = None
    member: str | None = None


Event = tuple[Literal["start", "end"], "Element"]
MAX_UNREAD_BYTES = 128 * 1024**2
MAX_PROLOG_BYTES = 256 * 1024
_STEP = 512 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNMARKED = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
# A letter of Windows-1252 lies where ISO-8859-1 has control characters, which nobody sends.
_READ_AS = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252"), "cp1252"),
    "iso-8859-15": "iso-8859-15",
}
_DECLARED = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_BETWEEN = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_ROOT = re.compile(rb"<(?:[^\s:/>]+:)?([^\s:/>]+)[\s/>]")


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return bare(str(element.tag))


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """A name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]


def texts(element: Element) -> str | None:
    """The text that stands in an element itself, without blanks around it; None when there is none."""
    found = (element.text or "").strip()
    if len(element):
        found = " ".join(filter(None, (found, *((child.tail or "").strip() for child in element))))
    return found or None


def empty(element: Any) -> None:
    """Free what is within an element that ended; the parser may still be at what comes after it."""
    element.clear(keep_tail=True)


def let_go(element: Element) -> None:
    """Free an element that ended, and all before it within its parent, which keeps the text between them."""
    empty(element)
    parent = element.getparent()
    if parent is not None:
        while (before := element.getprevious()) is not None:
            if before.tail and before.tail.strip():
                parent.text = f"{parent.text or ''} {before.tail}"
            parent.remove(before)


def events(
    file: XmlFile,
    roots: Sequence[str] = (),
    tags: Sequence[str] | None = None,
    kinds: tuple[Literal["start", "end"], ...] = ("start", "end"),
) -> Iterator[Event]:
    """Starts and ends of elements, of all or of those with a local name in `tags`. The reader lets go of what it read.

    Raises KetenError for a file that is not whole, has a DOCTYPE, or has another root element than one of `roots`.
    """
    from lxml import etree

    make: Any = etree.XMLPullParser  # its stubs know less than it does
    parser = make(
        events=kinds,
        tag=None if tags is None else [f"{{*}}{tag}" for tag in tags],
        encoding="utf-8",
        resolve_entities="internal",
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    unread = 0
    try:
        for data in _checked(_in_utf8(file), roots):
            parser.feed(data)
            unread += len(data)
            for event in parser.read_events():
                unread = 0
                yield event
            if unread > MAX_UNREAD_BYTES:
                raise KetenError(f"it holds an element of more than {MAX_UNREAD_BYTES} bytes; split it")
        parser.close()
        yield from parser.read_events()
    except etree.XMLSyntaxError as error:
        raise KetenError(_told(error)) from None


def _told(error: Any) -> str:
    """What is wrong with a file, without its content."""
    said, line = str(error.msg or "not XML").partition(", line ")[0].strip(), error.lineno or 1
    if "encoding" in said:
        return f"line {line} holds bytes that are not UTF-8; write `format: {{encoding: cp1252}}` if Windows wrote it"
    if "Excessive depth" in said:
        return "it is nested more than 2000 deep; is it made by a machine gone wrong?"
    return f"line {line} is not whole, well-formed XML ({said}); if it was not cut off, ask for a new export"


def _in_utf8(file: XmlFile) -> Iterator[bytes]:
    """The file in UTF-8, without a byte order mark, whatever it was written in."""
    source = _steps(file)
    head = next(source, b"")
    codec = _codec(head, file.encoding)
    if codec == "utf-8":
        yield head
        yield from source
        return
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    for data in chain([head], source):
        try:
            text = decoder.decode(data)
        except UnicodeDecodeError as error:
            line += data[: error.start].count(b"\n")
            raise KetenError(f"line {line} holds bytes that are not {codec}; ask for it in UTF-8") from None
        line += text.count("\n")
        yield text.encode("utf-8", "surrogatepass")
    try:
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError:
        raise KetenError("its last character is cut off; ask for it to be sent again") from None


def _steps(file: XmlFile) -> Iterator[bytes]:
    """The bytes in steps that are small enough for the tree of one step to be small."""
    for piece in pieces(file.path, file.member):
        for at in range(0, len(piece), _STEP):
            yield piece[at : at + _STEP]


def _codec(head: bytes, encoding: str | None) -> str:
    """How the bytes are read: by their mark, by the mapping, or by what they declare."""
    if not head.strip():
        raise KetenError("it is empty")
    for mark, codec in (*_BOMS, *_UNMARKED):
        if head.startswith(mark):
            return codec
    if encoding:
        return encoding
    declared = _DECLARED.match(head)
    name = declared.group(1).decode().lower() if declared else "utf-8"
    if name not in _READ_AS:
        raise KetenError(f"it declares the encoding {name}, which is not read; ask for it in UTF-8")
    return _READ_AS[name]


def _checked(source: Iterator[bytes], roots: Sequence[str]) -> Iterator[bytes]:
    """The bytes, once what stands before the root element is known to be harmless and the root to be expected."""
    head = b""
    name = None
    for data in source:
        head += data
        name = _root_name(head)
        if name is not None:
            break
        if len(head) > MAX_PROLOG_BYTES:
            raise KetenError(f"no element begins in its first {MAX_PROLOG_BYTES} bytes; is it XML?")
    if name is not None and roots and name not in roots:
        expected = "' or '".join(roots)
        raise KetenError(f"its root element is '{name}', not '{expected}'; mend format.profile or files")
    yield head
    yield from source


def _root_name(head: bytes) -> str | None:
    """The local name of the root element; None when more bytes are needed. Raises KetenError for what is refused."""
    at = 0
    while match := _BETWEEN.match(head, at):
        at = match.end()
    rest = head[at : at + 9]
    if rest.startswith(b"<!") and not b"<!--".startswith(rest[:4]):
        raise KetenError(
            "it has a DOCTYPE, which may name other files or grow without end; nothing of it is read. Ask for it without"
        )
    if rest and not rest.startswith(b"<"):
        raise KetenError("it does not begin with an element; is it XML?")
    root = _ROOT.match(head, at) if not rest.startswith((b"<!", b"<?")) else None
    return root.group(1).decode(errors="replace") if root else None
