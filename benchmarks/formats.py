"""`make bench-formats`: rows per second of every form of file, beside the bare read of the library below.

Belongs here: making the same readings in every form, timing both, printing ratios. Does not belong here: judging and all
that follows (intake).

Time is that of the processor, which other work on the machine hardly changes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.data import rows_of_columns
from resources import reading
from resources.catalogue.mapping_models import Mapping

COLUMNS = 20
ROUNDS = 3
GOAL_ROWS, GOAL_SECONDS = 100_000, 10.0


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.formats", description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=GOAL_ROWS, help=f"rows of {COLUMNS} columns (default {GOAL_ROWS:,})"
    )
    rows = parser.parse_args().rows
    console = Console(width=110)
    table = Table("form", "MB", "rows per second", "seconds", "bare read", "seconds", "ratio")
    with tempfile.TemporaryDirectory(prefix="keten-bench-") as folder:
        for name, (write, library, bare) in FORMS.items():
            path = Path(folder) / f"readings.{name}"
            write(path, rows)
            ours = min(_timed(_ours, path) for _ in range(ROUNDS))
            theirs = min(_timed(bare, path) for _ in range(ROUNDS))
            size = f"{path.stat().st_size / 1e6:.1f}"
            figures = (f"{rows / ours:,.0f}", f"{ours:.2f}", library, f"{theirs:.2f}", f"{ours / theirs:.1f}")
            table.add_row(name, size, *figures)
            if name == "xlsx":
                reached = ours * GOAL_ROWS / rows
    console.print(table)
    verdict = "reached" if reached <= GOAL_SECONDS else "NOT reached"
    console.print(f"goal: {GOAL_ROWS:,} rows of a workbook within {GOAL_SECONDS:.0f} s: {reached:.1f} s, {verdict}")


def _timed(read: Callable[[Path], None], path: Path) -> float:
    start = time.process_time()
    read(path)
    return time.process_time() - start


def _ours(path: Path) -> None:
    """Look through the file and read its cells, as intake does before it judges."""
    headings = [f"column {n}" for n in range(COLUMNS)]
    columns = {f"c{n}": {"from": heading} for n, heading in enumerate(headings)}
    mapping = Mapping.model_validate({"title": "t", "files": "*", "origin": "o", "dataset": "d", "columns": columns})
    with duckdb.connect() as connection:
        facts = reading.inspect_file(path, mapping)
        reading.read_cells(connection, path, mapping, facts, "cells")


def _write_csv(path: Path, rows: int) -> None:
    _copy(path, rows, "format csv, header")


def _write_gzip(path: Path, rows: int) -> None:
    plain = path.with_suffix("")
    _write_csv(plain, rows)
    path.write_bytes(gzip.compress(plain.read_bytes()))


def _write_zip(path: Path, rows: int) -> None:
    plain = path.with_suffix("")
    _write_csv(plain, rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, plain.name)


def _write_json(path: Path, rows: int) -> None:
    _copy(path, rows, "format json, array true")


def _write_lines(path: Path, rows: int) -> None:
    _copy(path, rows, "format json")


def _write_parquet(path: Path, rows: int) -> None:
    _copy(path, rows, "format parquet")


def _copy(path: Path, rows: int, options: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"copy ({rows_of_columns(rows, COLUMNS)}) to '{path}' ({options})")


def _write_workbook(path: Path, rows: int) -> None:
    import xlsxwriter

    with duckdb.connect() as connection, xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        found = connection.execute(rows_of_columns(rows, COLUMNS))
        sheet.write_row(0, 0, [column[0] for column in found.description or ()])
        number = 0
        while part := found.fetchmany(10_000):
            for row in part:
                number += 1
                sheet.write_row(number, 0, row)


def _bare_csv(path: Path) -> None:
    _bare(f"read_csv('{path}', all_varchar = true)")


def _bare_parquet(path: Path) -> None:
    _bare(f"read_parquet('{path}')")


def _bare(relation: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create temp table cells as from {relation}")


def _bare_zip(path: Path) -> None:
    with (
        zipfile.ZipFile(path) as archive,
        archive.open(archive.namelist()[0]) as source,
        duckdb.connect() as connection,
    ):
        connection.read_csv(source, all_varchar=True).create("cells")


def _bare_json(path: Path) -> None:
    _kept: Any = json.loads(path.read_bytes())


def _bare_lines(path: Path) -> None:
    _kept: Any = [json.loads(line) for line in path.read_bytes().splitlines()]


def _bare_workbook(path: Path) -> None:
    import python_calamine

    python_calamine.load_workbook(path).get_sheet_by_index(0).to_python()


FORMS: dict[str, tuple[Callable[[Path, int], None], str, Callable[[Path], None]]] = {
    "csv": (_write_csv, "DuckDB", _bare_csv),
    "csv.gz": (_write_gzip, "DuckDB", _bare_csv),
    "csv.zip": (_write_zip, "DuckDB", _bare_zip),
    "xlsx": (_write_workbook, "python-calamine", _bare_workbook),
    "json": (_write_json, "json", _bare_json),
    "jsonl": (_write_lines, "json", _bare_lines),
    "parquet": (_write_parquet, "DuckDB", _bare_parquet),
}


if __name__ == "__main__":
    main()
