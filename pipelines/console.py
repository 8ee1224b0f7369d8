"""The terminal that people read.

Belongs here: the one console that all printing goes through. Does not belong here: what is printed.
"""

from __future__ import annotations

from rich.console import Console

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=160)  # a file or a pipe has no width of its own; nothing is cut off in it
