"""The environment variables that settings name: which these are, and keeping their values out of a text.

Belongs here: naming and hiding. Does not belong here: filling them in (deployment_models).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from resources.catalogue.deployment_models import ENV_VARIABLE

HIDDEN = "***"
_SHORTEST = 4  # a shorter value is no secret, and hiding it would garble the text around it


def named(text: str) -> dict[str, bool]:
    """The variables that a text names, and whether each may be left unset as it has a default."""
    return {match.group(1): match.group(2) is not None for match in ENV_VARIABLE.finditer(text)}


def hidden(text: str, variables: Iterable[str]) -> str:
    """A text without the values of some variables, nor the parts of one that is a URL."""
    secrets: set[str] = set()
    for value in filter(None, map(os.environ.get, variables)):
        secrets |= {value, *_parts(value)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text


def _parts(url: str) -> set[str]:
    """User and password of a URL, and where webhooks have their keys: parts of path and query, and a host that is none."""
    try:
        split = urlsplit(url)
    except ValueError:
        return set()
    if not split.scheme or not split.netloc:
        return set()
    host = split.netloc.rpartition("@")[2].partition(":")[0]
    pieces = re.split(r"[/?&=]", f"{split.path}?{split.query}") + ([] if "." in host else [host])
    found = {piece for piece in pieces if len(piece) > 2 * _SHORTEST} | {split.username or "", split.password or ""}
    return {spelt for part in found for spelt in (part, unquote(part))}
