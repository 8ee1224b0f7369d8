"""What `keten serve` answers: files of the published folder, and headers that keep other sites out.

Belongs here: requests and answers. Does not belong here: starting and ending the server (serving).
"""

from __future__ import annotations

import mimetypes
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CHUNK = 1 << 20
PAGE = "index.html"
NOTHING_YET = "Nog niets gepubliceerd: draai `keten run`. / Nothing is published yet: run `keten run`."
# What others left beside a file for a moment, or DuckDB would.
PASSING = (".tmp-", ".wal")
# A published file loads nothing and runs nothing, whatever is in it.
FILE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def published_routes(folder: Path) -> list[Route]:
    """The page at the root, and every file of the published folder by its name."""

    def answer(request: Request) -> Response:
        return _file(folder, request.path_params.get("name", PAGE))

    return [Route("/", answer), Route("/{name:path}", answer)]


def _file(folder: Path, name: str) -> Response:
    try:
        source = _opened(folder.resolve(), name)
    except (OSError, ValueError):
        text = "404" if (folder / PAGE).exists() else NOTHING_YET
        return PlainTextResponse(text, 404, headers=FILE_HEADERS)
    # Size and bytes are those of one opened file, also when a publication puts another in its place meanwhile.
    size = str(os.fstat(source.fileno()).st_size)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return StreamingResponse(_chunks(source), headers={**FILE_HEADERS, "Content-Length": size}, media_type=kind)


def _opened(folder: Path, name: str) -> BinaryIO:
    """A file of the folder. Raises OSError or ValueError for what is not one, or not meant to be seen."""
    path = (folder / name).resolve()
    below = path.relative_to(folder).parts
    if any(part.startswith(".") or any(mark in part for mark in PASSING) for part in below):
        raise ValueError(name)
    source = path.open("rb")
    if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
        source.close()
        raise ValueError(name)
    return source


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    with source:
        while chunk := source.read(CHUNK):
            yield chunk


class Guard:
    """Refuses what a page of another site asks for in the reader's name, and puts safe headers on every answer.

    Browsers let any site open a connection for news of runs here; they do say for which site they ask.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                told = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    told.setdefault(name, value)
            await send(message)

        asked = Headers(scope=scope)
        origin = asked.get("origin")
        is_ours = origin is None or urlsplit(origin).netloc == asked.get("host")
        answer = self.app if is_ours else PlainTextResponse("Asked for by another site.", 403)
        await answer(scope, receive, guarded)
