"""Dagster's event log in SQLite, its files kept open.

Belongs here: how the log is reached. Does not belong here: what is written into it (Dagster's own storage).
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event

MOST_OPEN = 8


class EventLog(SqliteEventLogStorage):
    """Dagster's storage, at the place it has by default, that keeps the files it last used open.

    Dagster makes an engine, opens the file and closes it for every event, a thousand times a run. Each time SQLAlchemy
    compiles the same statement anew, and the last one to close a file in WAL mode waits for the disk. A killed process
    loses nothing by this, as SQLite reads its log when the file is next opened; only a machine that loses power may lose
    its last events.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing to configure: the files lie in DAGSTER_HOME, wherever that is moved."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> EventLog:
        """The log of the instance in DAGSTER_HOME."""
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if shard not in self._initialized_dbs:
            with super()._connect(shard) as connection:
                yield connection
            return
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        """The engine of a file; the one that was not used for the longest is let go."""
        engine = self._engines.pop(shard, None)
        if engine is None:
            timeout = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            engine = create_engine(self.conn_string_for_shard(shard), connect_args=timeout)
            event.listen(engine, "connect", lambda opened, _: opened.execute("pragma synchronous = normal"))
        self._engines[shard] = engine
        if len(self._engines) > MOST_OPEN:
            self._engines.popitem(last=False)[1].dispose()
        return engine

    def delete_events(self, run_id: str) -> None:
        """Delete what is known of a run, with the file of its own that Dagster would leave behind."""
        with self.index_connection() as connection:
            self.delete_events_for_run(connection, run_id)
        with self._db_lock:
            self._initialized_dbs.discard(run_id)
            if engine := self._engines.pop(run_id, None):
                engine.dispose()
            path = Path(self.path_for_shard(run_id))
            for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
                part.unlink(missing_ok=True)

    def dispose(self) -> None:
        """Close all files."""
        super().dispose()
        for engine in self._engines.values():
            engine.dispose()
