"""Reading a page as a browser would: its elements, their text, and whether every element is closed where it should be.

Belongs here: parsing. Does not belong here: what a page should hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass(eq=False)
class Element:
    """One element with its attributes and the elements it stands in, the outermost first."""

    tag: str
    attributes: dict[str, str]
    inside: tuple[Element, ...]
    parts: list[str] = field(default_factory=list)
    english: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is shown of it where the page is in Dutch, with single blanks."""
        return " ".join("".join(self.parts).split())

    @property
    def translation(self) -> str:
        """What of it is English beside the Dutch, with single blanks."""
        return " ".join("".join(self.english).split())


class Page(HTMLParser):
    """All elements of a page in order. Raises AssertionError for an element that is closed out of turn or not at all."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        assert text.startswith("<!doctype html>")
        self.feed(text)
        self.close()
        assert not self._open, f"left open: {[e.tag for e in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says {names} twice"
        element = Element(tag, {n: v or "" for n, v in attrs}, tuple(self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes {[e.tag for e in self._open]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        is_english = any(e.attributes.get("lang") == "en" for e in self._open)
        for element in self._open:
            (element.english if is_english else element.parts).append(data)

    def all(self, *tags: str) -> list[Element]:
        return [e for e in self.elements if e.tag in tags]

    def within(self, part: Element, *tags: str) -> list[Element]:
        """The elements inside another, of these tags."""
        return [e for e in self.all(*tags) if part in e.inside]

    def with_id(self, name: str) -> Element:
        (found,) = [e for e in self.elements if e.attributes.get("id") == name]
        return found
