"""Records of a REST interface, page by page, as one delivery: a line for every record, in the text that was sent.

Belongs here: pages, going on from where the last pull ended, what an answer must hold. Does not belong here: the asking
itself (web).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.catalogue.paging_models import PageCursor, PageLink, PageNext, PageNumber, PageOffset, Paging
from resources.catalogue.source_models import Rest
from resources.errors import KetenError
from resources.sources.bounds import Bounds
from resources.sources.cursor import greatest
from resources.sources.json_records import document_of, record_texts, value_at
from resources.sources.port import Listing, Offer, Version
from resources.sources.web import Web

if TYPE_CHECKING:
    import requests

_KEY = "records"
# A page is held in memory as a whole.
_PAGE_BYTES = 256 * 1024**2


@dataclass(frozen=True)
class Page:
    """One answer: its text, what it says, how many records it holds, and what the header tells of the next."""

    text: str
    document: Any
    count: int
    link: str | None


@dataclass
class Question:
    """What is asked next; `url` instead of that of the source, where an answer told it."""

    params: dict[str, str] = field(default_factory=dict)
    url: str | None = None

    def mark(self) -> tuple[Any, ...]:
        """By what a question that was asked before is known."""
        return self.url, *sorted(self.params.items())


class RestRecords:
    """The records that one address gives."""

    def __init__(self, setting: Rest, place: str, dataset: str, project: Path) -> None:
        self._setting = setting
        self._web = Web(setting, place, project)
        self._name = f"{dataset}.jsonl"
        self.is_resumed = setting.since is not None

    def look(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> Listing:
        """All records from where the last pull ended; whether there are any is known when they are fetched."""
        return Listing([Offer(_KEY, self._name, known.get(_KEY, {}))])

    def bring(self, offer: Offer, into: Path, bounds: Bounds) -> Version | None:
        """Fetch all pages; None when they hold no record."""
        since = self._setting.since
        last: Any = offer.version.get("cursor", since.start) if since else None
        count = size = 0
        with into.open("wb") as out:
            for page in self._pages(last if since else None, bounds):
                if since:
                    last = self._greatest(page, last)
                count += page.count
                for text in record_texts(page.text, self._setting.records):
                    size += out.write(text.encode() + b"\n")
                if size > self._setting.max_bytes:
                    raise self._web.wrong(f"the records are above the limit of {self._setting.max_bytes} bytes")
        if not count:
            return None
        return {"cursor": last} if since else {}

    def has_news(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> bool:
        """Only fetching them tells."""
        return True

    def check(self, bounds: Bounds) -> None:
        """Whether a first page is given and holds records where they should be."""
        since = self._setting.since
        self._page(self._first(since.start if since else None), bounds)

    def _pages(self, since: Any, bounds: Bounds) -> Iterator[Page]:
        asked: Question | None = self._first(since)
        before: set[tuple[Any, ...]] = set()
        last = None
        pace = self._setting.requests_per_minute
        while asked is not None:
            if asked.mark() in before:
                raise self._web.wrong("its answer tells the same next page again; ask the sender, or correct paging")
            if before and pace:
                bounds.pause(60 / pace)
            before.add(asked.mark())
            page = bounds.again(lambda question=asked: self._page(question, bounds))  # type: ignore[misc]
            if page.count and page.text == last:
                raise self._web.wrong("it gives the same page twice; see that it knows the parameters of paging")
            last = page.text
            yield page
            asked = self._next(self._setting.paging, asked, page)

    def _first(self, since: Any) -> Question:
        paging, params = self._setting.paging, {}
        if self._setting.since:
            params[self._setting.since.param] = str(since)
        if isinstance(paging, PageNumber | PageOffset) and paging.size and paging.size_param:
            params[paging.size_param] = str(paging.size)
        if isinstance(paging, PageNumber):
            params[paging.param] = str(paging.first)
        if isinstance(paging, PageOffset):
            params[paging.param] = "0"
        return Question(params)

    def _next(self, paging: Paging | None, asked: Question, page: Page) -> Question | None:
        match paging:
            case PageNumber() | PageOffset():
                if not page.count or (paging.size and page.count < paging.size):
                    return None
                step = page.count if isinstance(paging, PageOffset) else 1
                return Question({**asked.params, paging.param: str(int(asked.params[paging.param]) + step)})
            case PageCursor():
                told = value_at(page.document, paging.at)
                return Question({**asked.params, paging.param: str(told)}) if told else None
            case PageNext():
                told = value_at(page.document, paging.at)
                return Question(url=self._web.require_home(str(told))) if told else None
            case PageLink():
                return Question(url=self._web.require_home(page.link)) if page.link else None
        return None

    def _page(self, asked: Question, bounds: Bounds) -> Page:
        with self._web.get(bounds, asked.url, asked.params, {"Accept": "application/json"}) as response:
            body = self._body(response, bounds)
            link = response.links.get("next", {}).get("url")
        try:
            text, document = document_of(body)
        except KetenError as error:
            raise self._web.wrong(f"{error}{self._web.said(body)}") from None
        for where, wanted in self._setting.expect.items():
            if str(found := value_at(document, where)) != wanted:
                raise self._web.wrong(f"{where} is {found!s:.40} and not {wanted}{self._web.said(body)}")
        records = value_at(document, self._setting.records)
        if not isinstance(records, list):
            place = f"at '{self._setting.records}'" if self._setting.records else "at its top"
            raise self._web.wrong(
                f"its answer holds no list of records {place}{self._web.said(body)}; correct rest.records, or ask the sender"
            )
        return Page(text, document, len(records), link)

    def _body(self, response: requests.Response, bounds: Bounds) -> bytes:
        body = bytearray()
        for piece in response.iter_content(1 << 16):
            bounds.left()
            body += piece
            if len(body) > min(_PAGE_BYTES, self._setting.max_bytes):
                raise self._web.wrong("one page is too large to be read; ask for smaller pages with paging.size")
        return bytes(body)

    def _greatest(self, page: Page, before: Any) -> Any:
        since = self._setting.since
        assert since is not None
        values = [value_at(r, since.field) for r in value_at(page.document, self._setting.records)]
        if values and all(value is None for value in values):
            raise self._web.wrong(f"no record holds '{since.field}' of since.field; correct it")
        try:
            found = greatest(values, before, since.field)
        except KetenError as error:
            raise self._web.wrong(str(error)) from None
        return str(found) if isinstance(found, Decimal) else found
