"""`keten serve`: the published page and a read-only Dagster at one address, for people who look and change nothing.

Belongs here: what is served, to whom, and under which headers. Does not belong here: what a page tells (assets), and the
full user interface, which is Dagster's own (`make dev`).
"""

from __future__ import annotations

import mimetypes
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipelines.definitions import build_definitions, instance
from resources.errors import KetenError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from pipelines.settings import Place

DAGSTER = "/dagster"
CHUNK = 1 << 20
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
# A page loads nothing, runs nothing and stands in no frame of another; Dagster sets a policy of its own.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dg.definitions
def served() -> dg.Definitions:
    """The deployment of the environment, with links to the pages beside it."""
    return build_definitions(page_url="")
