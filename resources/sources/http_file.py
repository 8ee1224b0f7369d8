"""One file at an address, fetched when it changed.

Belongs here: what is asked so that an unchanged file is not sent, going on after a break. Does not belong here: the asking
itself (web).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from resources.catalogue.source_models import Http
from resources.sources.bounds import Bounds
from resources.sources.port import Listing, Offer, Version
from resources.sources.web import Web

if TYPE_CHECKING:
    import requests

_PIECE = 1 << 16
_UNCHANGED, _PARTIAL = 304, 206


class HttpFile:
    """A file that one address gives."""

    is_resumed = False

    def __init__(self, setting: Http, place: str, project: Path) -> None:
        self._setting = setting
        self._web = Web(setting, place, project)
        self._name = setting.name or unquote(urlsplit(setting.url).path.rpartition("/")[2])

    def look(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> Listing:
        """The file, as it was known; whether it changed is asked when it is fetched."""
        return Listing([Offer(self._name, self._name, known.get(self._name, {}))])

    def bring(self, offer: Offer, into: Path, bounds: Bounds) -> Version | None:
        """Fetch it, unless it is as it was. After a break it is gone on with if it is still the same, or begun again."""
        started: Version = {}
        return bounds.again(lambda: self._fetch(offer.version, into, started, bounds))

    def has_news(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> bool:
        """Whether the server does not say that it is as it was."""
        version = known.get(self._name, {})
        with self._web.get(bounds, headers=_unless(version)) as response:
            return response.status_code != _UNCHANGED

    def check(self, bounds: Bounds) -> None:
        """Whether it is given."""
        with self._web.get(bounds):
            pass

    def _fetch(self, known: Version, into: Path, started: Version, bounds: Bounds) -> Version | None:
        """`started` is what the beginning in the file `into` belongs to."""
        mark = started.pop("mark", "")
        size = into.stat().st_size if mark and into.exists() else 0
        asked = {"Range": f"bytes={size}-", "If-Range": mark} if size else _unless(known)
        with self._web.get(bounds, headers=asked) as response:
            if response.status_code == _UNCHANGED:
                return None
            goes_on = response.status_code == _PARTIAL and _first_byte(response) == size
            if response.status_code == _PARTIAL and not goes_on:
                raise self._web.wrong("it answers with another part of the file than was asked for")
            version = _version(response)
            started["mark"] = _mark(response)
            with into.open("ab" if goes_on else "wb") as out:
                self._write(response, out.write, size if goes_on else 0, bounds)
        return version

    def _write(self, response: requests.Response, write: Callable[[bytes], object], size: int, bounds: Bounds) -> None:
        for piece in response.iter_content(_PIECE):
            bounds.left()
            size += len(piece)
            if size > self._setting.max_bytes:
                raise self._web.wrong(f"the file is above the limit of {self._setting.max_bytes} bytes (max_bytes)")
            write(piece)


def _unless(version: Version) -> dict[str, str]:
    """Headers that ask for it only when it changed."""
    names = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
    return {header: version[key] for key, header in names.items() if version.get(key)}


def _version(response: requests.Response) -> Version:
    told = {"etag": response.headers.get("ETag"), "last_modified": response.headers.get("Last-Modified")}
    version: Version = {key: value for key, value in told.items() if value}
    try:
        moment = parsedate_to_datetime(version.get("last_modified", ""))
    except ValueError:
        return version
    return {**version, "modified": moment.replace(tzinfo=None).isoformat()}


def _mark(response: requests.Response) -> str:
    """By what the server can tell that the rest is of the same file; empty when it cannot, or sends it packed."""
    if response.headers.get("Accept-Ranges") == "none" or response.headers.get("Content-Encoding"):
        return ""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


def _first_byte(response: requests.Response) -> int:
    told = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(told) if told.isdecimal() else -1
