"""Reading the published file, without touching it.

Belongs here: read-only access for the command line and the pages. Does not belong here: writing (publishing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from resources.errors import KetenError
from resources.publication.published_file import attached, temporary_name

if TYPE_CHECKING:
    import pandas as pd

# The rows of a select, each by the names of its columns.
Read = Callable[[str], list[dict[str, Any]]]


def rows_of(path: Path, select: str, parameters: list[object] | None = None) -> list[tuple[Any, ...]]:
    """Rows of a select on the published file. Raises KetenError when nothing is published yet."""
    with opened(path) as connection:
        return connection.execute(select, parameters or []).fetchall()


def frame_of(path: Path, select: str, parameters: list[object] | None = None) -> pd.DataFrame:
    """A small table for people: the result of a select as a frame, decimals as floats. Raises KetenError as `rows_of`."""
    with opened(path) as connection:
        return connection.execute(select, parameters or []).df()


@contextmanager
def reading(path: Path) -> Iterator[Read]:
    """Many selects on the file opened once. Raises KetenError as `rows_of`."""
    with opened(path) as connection:
        yield lambda select: connection.execute(select).to_arrow_table().to_pylist()


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which `bi.<table>` is that of the file. Raises KetenError as `rows_of`."""
    # What does not fit in memory is kept beside the file, not in the folder of whoever started this.
    spill = str(temporary_name(path, "-spill"))
    with (
        duckdb.connect(config={"temp_directory": spill}) as connection,
        attached(connection, path, "published") as present,
    ):
        if not present:
            raise KetenError(f"{path} does not exist; run `keten run` first")
        # A file named bi.duckdb holds a schema bi: under another name `bi.<table>` is not ambiguous.
        connection.execute("use published")
        try:
            yield connection
        finally:
            connection.execute("use memory")  # a database in use cannot be detached
