"""Reading the published file, without touching it.

Belongs here: read-only access for the command line. Does not belong here: writing (publishing).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from resources.errors import KetenError


def rows_of(path: Path, select: str, parameters: list[object] | None = None) -> list[tuple[Any, ...]]:
    """Rows of a select on the published file. Raises KetenError when nothing is published yet."""
    if not path.exists():
        raise KetenError(f"{path} does not exist; run `keten run` first")
    with duckdb.connect() as connection:
        # A file named bi.duckdb holds a schema bi: under another name `bi.<table>` is not ambiguous.
        connection.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as published (read_only)")
        connection.execute("use published")
        return connection.execute(select, parameters or []).fetchall()
