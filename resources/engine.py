"""The compute engine behind a port of five verbs: load, replace, replace_part, read, columns.

Belongs here: the one connection to `engine.duckdb`. Intake and publication are DuckDB by nature and use `connection`
within this room; assets and pipelines see the verbs only.
Does not belong here: what any table means.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from resources.disk import Damaged, disk_full, is_damage, is_full
from resources.errors import KetenError

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMAS = ("core", "reference", "ledger", "indicator", "bi", "run", "audit", "register", "publish", "intake")

TYPES = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(28,6)",
    "ratio": "DECIMAL(28,6)",
    "factor": "DECIMAL(18,9)",
    "date": "DATE",
    "month": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}


# Goes up when tables of the engine itself (intake, audit, register) change shape: an older file is then made again.
FORMAT = 4


class Engine:
    """One private DuckDB database, in UTC, opened by one process at a time."""

    def __init__(
        self, path: Path | None, temp_folder: Path, memory: str = "1200MB", threads: int | None = None
    ) -> None:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "temp_directory": str(temp_folder),
            "autoinstall_known_extensions": "false",
            # Nobody else reads this file, and the newest format writes columns of one value a third faster.
            "storage_compatibility_version": "latest",
        }
        if threads:
            settings["threads"] = str(threads)
        self._path = path
        self.connection = duckdb.connect(str(path) if path else ":memory:", config=settings)
        self.connection.execute("set TimeZone = 'UTC'")
        for schema in SCHEMAS:
            self.connection.execute(f"create schema if not exists {schema}")

    @classmethod
    def open(cls, path: Path, temp_folder: Path, tell: Callable[[str], None]) -> Engine:
        """The engine of a deployment. A file of another format, or one that cannot be read, is put away and made again.

        Raises KetenError when another process has it open or the disk does not let it be opened.
        """
        try:
            engine = cls(path, temp_folder)
            if engine._is_ours():
                return engine
            engine.connection.close()
            tell(f"{path.name} is of another version; it is made again from the landing zone")
        except duckdb.Error as error:
            if is_full(error):
                raise disk_full(path.parent, error) from None
            if not is_damage(error):
                raise KetenError(
                    f"{path} cannot be opened; close it in other programs, or let it be read ({error})"
                ) from None
            tell(_put_away(path, error))
        for leftover in (path, path.with_name(f"{path.name}.wal")):
            leftover.unlink(missing_ok=True)
        engine = cls(path, temp_folder)
        engine._is_ours()
        return engine

    def _is_ours(self) -> bool:
        """Whether the file has the present format; a new file is given it."""
        if not self.columns("run.format"):
            if self.columns("intake.receipt"):
                return False
            self.replace("run.format", f"select {FORMAT} as format")
        return bool(self.read("select format from run.format").read_all()["format"][0].as_py() == FORMAT)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        told = self._told(error) if isinstance(error, (duckdb.Error, OSError)) else None
        self.connection.close()
        if told:
            raise told from error

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Tell what the disk did to a step in one sentence. Raises DiskFull, or Damaged after the file was put away."""
        try:
            yield
        except (duckdb.Error, OSError) as error:
            if told := self._told(error):
                raise told from error
            raise

    def _told(self, error: BaseException) -> KetenError | None:
        if self._path is None:
            return None
        if is_full(error):
            return disk_full(self._path.parent, error)
        if isinstance(error, duckdb.Error) and is_damage(error):
            self.connection.close()
            return Damaged(_put_away(self._path, error))
        return None

    def load(self, table: str, data: pa.Table) -> int:
        """Replace a table by Arrow data; returns its number of rows."""
        self.connection.register("loading", data)
        try:
            self.connection.execute(f"create or replace table {table} as select * from loading")
        finally:
            self.connection.unregister("loading")
        return data.num_rows

    def replace(self, table: str, select: str, *more: str) -> int:
        """Replace a table by the results of selects, by column name; returns its number of rows.

        Many selects in one statement take far longer to plan than one after the other.
        """
        steps = [f"create or replace table {table} as {select}", *(f"insert into {table} by name {s}" for s in more)]
        self._together(*steps)
        return self.count(table)

    def replace_part(self, table: str, condition: str, *selects: str) -> int:
        """Replace the rows that meet a condition by the results of selects; returns the number of rows of the table."""
        self._together(
            f"delete from {table} where {condition}", *(f"insert into {table} by name {select}" for select in selects)
        )
        return self.count(table)

    def _together(self, *statements: str) -> None:
        """Run all of some statements, or none."""
        self.connection.execute("begin")
        try:
            for statement in statements:
                self.connection.execute(statement)
            self.connection.execute("commit")
        except BaseException:
            roll_back(self.connection)
            raise

    def rewrite(self) -> None:
        """Write the file anew, so that nothing of deleted rows is left in its free blocks. The engine is closed after it."""
        row = self.connection.execute(
            "select current_database(), path from duckdb_databases() where not internal"
        ).fetchone()
        assert row is not None  # there is always one database, and here it is a file
        name, path = row[0], Path(row[1])
        fresh = path.with_suffix(".fresh")
        fresh.unlink(missing_ok=True)
        self.connection.execute(
            f"attach '{str(fresh).replace(chr(39), chr(39) * 2)}' as fresh (storage_version 'latest')"
        )
        self.connection.execute(f'copy from database "{name}" to fresh')
        self.connection.execute("detach fresh")
        self.connection.close()
        path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
        fresh.replace(path)

    def read(self, select: str, parameters: list[object] | None = None) -> pa.RecordBatchReader:
        """The result of a select as an Arrow stream."""
        return self.connection.execute(select, parameters or []).to_arrow_reader()

    def delete(self, table: str, condition: str) -> None:
        """Delete the rows of a table that meet a condition."""
        self.connection.execute(f"delete from {table} where {condition}")

    def columns(self, table: str) -> Mapping[str, str]:
        """Column names and types of a table in order; empty when it does not exist."""
        try:
            rows = self.connection.execute(f"select name, type from pragma_table_info('{table}')").fetchall()
        except duckdb.CatalogException:
            return {}
        return dict(rows)

    def count(self, table: str) -> int:
        """Number of rows of a table."""
        row = self.connection.execute(f"select count(*) from {table}").fetchone()
        return int(row[0]) if row else 0


def trouble(path: Path) -> str:
    """Why the file of an engine cannot be read; empty when it can. It is only looked at."""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            connection.execute("select count(*) from duckdb_tables()").fetchone()
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return ""


def _put_away(path: Path, error: BaseException) -> str:
    """Move a damaged engine out of the way, in place of one that was put away before; the sentence about it."""
    kept = path.with_suffix(".damaged")
    if kept.is_dir():
        shutil.rmtree(kept)
    kept.unlink(missing_ok=True)
    path.replace(kept)
    return (
        f"{path.name} cannot be read and was put away as {kept.name}; it is made again from the landing zone"
        f" ({' '.join(str(error).split())})"
    )


def roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Take a transaction back; DuckDB may have ended it itself, and then the first error is the one to tell."""
    with suppress(duckdb.TransactionException):
        connection.execute("rollback")
