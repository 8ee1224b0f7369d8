"""How a run tells what it is doing: passing steps, and lines that must be seen.

Belongs here: the two ways of telling. Does not belong here: how they look on a screen (pipelines).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`step` may be overwritten by the next step; `tell` must be seen."""

    step: Callable[[str], None]
    tell: Callable[[str], None]


SILENT = Progress(lambda _: None, lambda _: None)
