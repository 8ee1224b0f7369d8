"""Small text files that survive a kill and a power cut: the whole text stands there, or nothing of it does.

Belongs here: writing them. Does not belong here: what they say, and the published files (published_file).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

UNFINISHED = ".writing-"


def write_durably(target: Path, text: str) -> None:
    """Let a text take the place of a file in one step, and be on the disk before anyone sees it."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(name, target)
