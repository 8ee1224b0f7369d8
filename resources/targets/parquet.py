"""The published tables as Parquet files with a datapackage.json: for those without a database.

Belongs here: the files, and the folders they stand in. Does not belong here: the descriptor (datapackage).

    <place>/12-5f3a9c01/*.parquet, datapackage.json     one folder for each publication
    <place>/latest -> 12-5f3a9c01                       replaced in one step

The folder before stays for those who are reading it, but not when it holds what was purged. The views are written too:
a reader of Parquet files has no database that could compute them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from resources.disk import fsync
from resources.errors import KetenError
from resources.publication.published_file import remove, remove_leftovers, temporary_name
from resources.targets.datapackage import DESCRIPTOR, NAME, descriptor, file_name
from resources.targets.description import Publication, Table, tables_of
from resources.targets.replaced import Mark, ReplacedTarget

if TYPE_CHECKING:
    import duckdb

LATEST = "latest"
ROWS_IN_GROUP = 122_880
_FOLDER = re.compile(r"\d+-[0-9a-f]{8}")


class ParquetTarget(ReplacedTarget):
    """A folder of Parquet files, one for each table and view."""

    def __init__(self, name: str, place: Path, licence: str | None = None) -> None:
        super().__init__(name, place)
        self.licence = licence

    @property
    def latest(self) -> Path:
        """The link to the folder that is shown."""
        return self.place / LATEST

    def mark(self) -> Mark | None:
        """Number and run by datapackage.json, whose files are there in their full length."""
        if not self.latest.exists():
            return None
        try:
            told = json.loads((self.latest / DESCRIPTOR).read_text("utf-8"))
            if told["name"] != NAME:
                raise ValueError(f"name: {told['name']}")
            for part in told["resources"]:
                if (self.latest / part["path"]).stat().st_size != part["bytes"]:
                    raise ValueError(f"{part['path']} has another length")
            return Mark(int(told["version"]), str(told["id"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KetenError(
                f"{self.latest} does not hold the whole of a publication ({error}); move it away and run again"
            ) from error

    def write(self, connection: duckdb.DuckDBPyConnection, publication: Publication) -> tuple[int, tuple[str, ...]]:
        """Write a new folder beside the present one and let the link point to it."""
        self.place.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.latest)
        tables = tables_of(connection)
        # A number may come back after --adopt; the run tells the two apart.
        named = f"{publication.number}-{hashlib.sha256(publication.run_id.encode()).hexdigest()[:8]}"
        temporary = temporary_name(self.latest, "-files")
        try:
            temporary.mkdir()
            rows = sum(_write_table(connection, table, temporary / file_name(table)) for table in tables)
            text = json.dumps(descriptor(publication, tables, temporary, self.licence), indent=1, ensure_ascii=False)
            (temporary / DESCRIPTOR).write_text(text, "utf-8")
            for path in temporary.iterdir():
                fsync(path)
                path.chmod(0o444)
            fsync(temporary)
            self._show(temporary, named, self._to_be_kept(connection))
        finally:
            remove(temporary)
        return rows, ()

    def _show(self, temporary: Path, named: str, kept: str) -> None:
        """Give the folder its name and let the link point to it; then remove all but this one and the one to be kept."""
        if named != kept:
            remove(self.place / named)  # of a run that was killed before it was shown
        temporary.rename(self.place / named)
        link = temporary_name(self.latest)
        link.symlink_to(named)
        link.replace(self.latest)
        fsync(self.place)
        for path in self.place.iterdir():
            if _FOLDER.fullmatch(path.name) and path.name not in (named, kept):
                remove(path)

    def _to_be_kept(self, connection: duckdb.DuckDBPyConnection) -> str:
        """The folder that is shown now, unless it holds texts of a delivery that is purged since."""
        if not self.latest.exists():
            return ""
        texts = str(self.latest / "rpt_rejected_row.parquet")
        purged = connection.execute(
            "select 1 from bi.rpt_delivery where state = 'purged'"
            " and receipt_id in (select receipt_id from read_parquet(?)) limit 1",
            [texts],
        ).fetchone()
        return "" if purged else os.readlink(self.latest)


def _write_table(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> int:
    """Write one table in order of its key; how many rows it has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = ", ".join(f'"{name}"' for name in table.key) or "all"
    reader = connection.execute(f'select * from bi."{table.name}" order by {order}').to_arrow_reader(ROWS_IN_GROUP)
    fields = [
        field.with_nullable(not column.is_key).with_metadata({"comment": column.comment})
        for field, column in zip(reader.schema, table.columns, strict=True)
    ]
    schema = pa.schema(fields, metadata={"comment": table.comment})
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
            rows += batch.num_rows
    return rows
