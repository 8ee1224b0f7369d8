"""How the pages of a REST interface follow each other, and how it is asked for what changed.

Belongs here: fields and types. Does not belong here: the rest of a line of sources.yml (source_models), and the asking
(resources.sources.rest).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from resources.catalogue.models import Declared

# Keys joined by dots, and numbers for places in a list, as in format.records of a mapping.
Place = Annotated[str, Field(min_length=1)]


class PageNumber(Declared):
    """Pages by number, until one holds fewer records than `size`, or none."""

    kind: Literal["page"]
    param: str = "page"
    first: int = Field(default=1, ge=0)
    size: int | None = Field(default=None, ge=1)
    size_param: str | None = None


class PageOffset(Declared):
    """Pages by the number of records before them, until one holds fewer than `size`."""

    kind: Literal["offset"]
    param: str = "offset"
    size: int = Field(ge=1)
    size_param: str = "limit"


class PageCursor(Declared):
    """Each answer holds, `at` a place, what is sent as `param` for the next; none or empty is the end."""

    kind: Literal["cursor"]
    at: Place
    param: str = "cursor"


class PageNext(Declared):
    """Each answer holds the address of the next, `at` a place; none or empty is the end."""

    kind: Literal["next"]
    at: Place


class PageLink(Declared):
    """The header `Link` of each answer tells the next."""

    kind: Literal["link"]


Paging = Annotated[PageNumber | PageOffset | PageCursor | PageNext | PageLink, Field(discriminator="kind")]


class RestSince(Declared):
    """Only what changed: `param` asks for records from a moment or number on, which is the greatest `field` of before."""

    param: str
    field: Place
    start: str | int
