"""Files in a folder of a server: those that are new or changed by name, size, time and mark.

Belongs here: listing, choosing, fetching, for any file system of fsspec. Does not belong here: which file system, its
credentials, and what its errors mean (sftp, object_stores).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from resources.disk import is_full
from resources.errors import KetenError
from resources.landing.finished import is_left_alone, is_unfinished
from resources.sources.bounds import Bounds
from resources.sources.port import Changing, Listing, Offer, Unreachable, Version

T = TypeVar("T")
_MOST_FILES = 100_000
_TIMES = ("mtime", "LastModified", "last_modified", "created")
_MARKS = ("ETag", "etag")


class Location:
    """A folder on a file system of fsspec that is made when it is first asked.

    `wrong` makes of an error of the file system one that names the source and the repair: Unreachable when it may pass.
    Where `settles`, a file that changed a moment ago is left alone: it may still be written.
    """

    is_resumed = False

    def __init__(
        self,
        root: str,
        connect: Callable[[], Any],
        wrong: Callable[[BaseException], KetenError],
        max_bytes: int,
        settles: bool = False,
    ) -> None:
        self._root, self._connect, self._wrong = root, connect, wrong
        self._max_bytes, self._settles = max_bytes, settles
        self._system: Any = None

    def look(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> Listing:
        """Files that are new or changed, oldest name first."""
        found = bounds.again(lambda: self._ask(lambda fs: self._files(fs, patterns), bounds))
        now = time.time()
        young = [name for name, version in found.items() if self._is_young(version, now)]
        offers = [
            Offer(name, name, version)
            for name, version in sorted(found.items())
            if name not in young and {**known.get(name, {}), **version} != known.get(name)
        ]
        return Listing(offers, young, frozenset(found))

    def bring(self, offer: Offer, into: Path, bounds: Bounds) -> Version | None:
        """Fetch one file whole. Raises Changing when it is not as it was listed afterwards."""
        size = offer.version.get("size") or 0
        if size > self._max_bytes:
            raise KetenError(f"its {size} bytes are above the limit of {self._max_bytes}; split the file")
        path = self._path(offer.name)

        async def fetch(fs: Any) -> Version:
            into.unlink(missing_ok=True)
            await fs._get_file(path, str(into))
            return _version(await fs._info(path))

        after = bounds.again(lambda: self._ask(fetch, bounds))
        if after != offer.version or into.stat().st_size != size:
            raise Changing("it changed while it was fetched; it is taken in the next run")
        return offer.version

    def has_news(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> bool:
        """Whether a file is new or changed; none is opened."""
        return bool(self.look(known, patterns, bounds).offers)

    def check(self, bounds: Bounds) -> None:
        """Whether the folder can be listed."""
        self._ask(lambda fs: fs._ls(self._root, detail=True), bounds)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _ask(self, ask: Callable[[Any], Coroutine[Any, Any, T]], bounds: Bounds) -> T:
        """The answer of the file system, cut off when the time is over."""
        try:
            self._system = self._system or self._connect()
            waits = asyncio.wait_for(ask(self._system), bounds.left())
            return asyncio.run_coroutine_threadsafe(waits, self._system.loop).result()
        except KetenError:
            raise
        except Exception as error:  # every library behind fsspec has errors of its own
            if is_full(error):
                raise  # the fault is here, not there
            bounds.left()  # when the time is over, this is the reason
            told = self._wrong(error)
            if isinstance(told, Unreachable):
                self._system = None
            raise told from None

    async def _files(self, fs: Any, patterns: tuple[str, ...]) -> dict[str, Version]:
        """Size, time and mark of every finished file whose name matches, by its name below the folder."""
        from fsspec.utils import glob_translate

        matches = re.compile("|".join(f"(?:{glob_translate(pattern)})" for pattern in patterns)).match
        deepest = max(99 if "**" in pattern else pattern.count("/") for pattern in patterns)
        found: dict[str, Version] = {}
        folders = [(self._root, "", 0)]
        while folders:
            folder, above, depth = folders.pop()
            for info in await fs._ls(folder, detail=True):
                name = PurePosixPath(str(info["name"]).rstrip("/")).name
                if info["type"] == "directory" and depth < deepest and not name.startswith("."):
                    folders.append((info["name"], f"{above}{name}/", depth + 1))
                elif info["type"] == "file" and matches(above + name) and not is_unfinished(name):
                    found[above + name] = _version(info)
            if len(found) > _MOST_FILES:
                raise KetenError(f"there are more than {_MOST_FILES} files; let old ones be put elsewhere")
        return found

    def _is_young(self, version: Version, now: float) -> bool:
        if not self._settles or "modified" not in version:
            return False
        changed = datetime.fromisoformat(version["modified"]).replace(tzinfo=UTC).timestamp()
        return is_left_alone(now - changed)


def _version(info: Mapping[str, Any]) -> Version:
    """What tells that a file is as it was. Times are naive UTC, to the second: that is all that S3 tells of one object."""
    version: Version = {"size": info.get("size")}
    moment = next((info[key] for key in _TIMES if info.get(key) is not None), None)
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, datetime):
        version["modified"] = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
    mark = next((str(info[key]) for key in _MARKS if info.get(key)), None)
    return {**version, "etag": mark} if mark else version
