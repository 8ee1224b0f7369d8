"""The publication as a workbook for people.

Belongs here: making the file, and reading back which publication it holds. Does not belong here: what is on the sheets
(workbook_values, workbook_sheets).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from resources.errors import KetenError
from resources.publication.published_file import put_in_place, remove, remove_leftovers, temporary_name
from resources.targets.description import Publication, tables_of
from resources.targets.replaced import Mark, ReplacedTarget
from resources.targets.workbook_cells import MAX_ROWS, Cells
from resources.targets.workbook_sheets import (
    CORE,
    DEFINITIONS,
    DELIVERIES,
    LATE,
    REJECTED,
    TARGETS,
    write_guide,
)
from resources.targets.workbook_values import value_sheets

if TYPE_CHECKING:
    import duckdb
    from xlsxwriter import Workbook

_NUMBER, _RUN, _LEFT_OUT = "Publicatie", "Run", "Weggelaten"
_PROPERTIES = "docProps/custom.xml"
_OTHERS = (DEFINITIONS, TARGETS, LATE, DELIVERIES, REJECTED)


class ExcelTarget(ReplacedTarget):
    """One workbook. Of a sheet that would be longer than `max_rows`, the oldest rows are left out."""

    def __init__(self, name: str, place: Path, max_rows: int = MAX_ROWS) -> None:
        super().__init__(name, place)
        self.max_rows = max_rows

    def mark(self) -> Mark | None:
        """Number and run by the properties of the workbook."""
        if not self.place.exists():
            return None
        try:
            with zipfile.ZipFile(self.place) as file:
                found = ElementTree.fromstring(file.read(_PROPERTIES))
            told = {item.get("name"): "".join(item.itertext()) for item in found}
            return Mark(int(told[_NUMBER]), told[_RUN])
        except (OSError, KeyError, ValueError, zipfile.BadZipFile, ElementTree.ParseError) as error:
            raise KetenError(
                f"{self.place} is not a workbook that was published here ({error}); move it away and run again"
            ) from error

    def write(self, connection: duckdb.DuckDBPyConnection, publication: Publication) -> tuple[int, tuple[str, ...]]:
        """Write a new workbook beside the present one and let it take its place."""
        from xlsxwriter import Workbook
        from xlsxwriter.exceptions import FileCreateError

        self.place.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.place)
        folder = temporary_name(self.place, "-files")
        try:
            folder.mkdir()
            fresh = folder / self.place.name
            # Rows go to disk as they come, and XlsxWriter's own files lie beside the workbook.
            with Workbook(str(fresh), {"constant_memory": True, "tmpdir": str(folder)}) as workbook:
                rows, left_out = _fill(workbook, connection, publication, self.max_rows)
            put_in_place(fresh, self.place)
        except FileCreateError as error:
            raise OSError(str(error)) from error
        finally:
            remove(folder)
        return rows, tuple(left_out)


def _fill(
    workbook: Workbook, connection: duckdb.DuckDBPyConnection, publication: Publication, max_rows: int
) -> tuple[int, list[str]]:
    """All sheets; how many rows they hold, and what is left out."""
    cells = Cells(workbook, connection, max_rows)
    tables = {table.name: table for table in tables_of(connection)}
    sheets = [CORE, *value_sheets(connection, tables), *_OTHERS]
    fitting = [cells.what_fits(sheet) for sheet in sheets]
    left_out = [told for _, told in fitting if told]
    write_guide(cells, publication, left_out)
    rows = sum(cells.add(sheet, condition) for sheet, (condition, _) in zip(sheets, fitting, strict=True))
    # The moment of publication, not of writing: the same publication gives the same bytes.
    workbook.set_properties(
        {"title": f"Ketenimpact, publicatie {publication.number}", "created": publication.published_at}
    )
    workbook.set_custom_property(_NUMBER, publication.number, "number")
    workbook.set_custom_property(_RUN, publication.run_id, "text")
    if left_out:
        workbook.set_custom_property(_LEFT_OUT, "; ".join(left_out)[:255], "text")
    return rows, left_out
