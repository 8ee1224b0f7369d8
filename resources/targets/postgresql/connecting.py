"""A connection to the database of a target, and its failures in words.

Belongs here: the URL, timeouts, and turning errors of the driver into ours. Does not belong here: any statement about
a publication.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

from resources.catalogue.deployment_models import PostgresqlSetting, filled
from resources.errors import KetenError
from resources.targets.port import Unreachable

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import URL

DRIVER = "postgresql+psycopg"
# These notice a machine that is gone; the watch below a server that stands still while its machine answers.
_ALIVE = {
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}


def address(setting: PostgresqlSetting) -> URL:
    """The URL of a target. Raises KetenError, without showing it, when it cannot be used."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    place = f"keten.yml: target {setting.name}: url"
    form = f"write it as {DRIVER}://user:password@host:5432/database"
    try:
        url = make_url(filled(setting.url, "keten.yml", f"target {setting.name}"))
    except (ArgumentError, ValueError):
        raise KetenError(f"{place}: is not a URL; {form}") from None
    if url.drivername != DRIVER:
        raise KetenError(f"{place}: '{url.drivername}' does not name the driver that is used here; {form}")
    if "@" in (url.host or ""):
        raise KetenError(f"{place}: holds more than one @; write an @ in the password as %40")
    return url


def hidden(url: URL) -> str:
    """The URL as anyone may see it: no password, and no options, as these may hold one too."""
    return url.set(query={}).render_as_string(hide_password=True)


@contextmanager
def connected(setting: PostgresqlSetting, url: URL) -> Iterator[psycopg.Connection]:
    """A connection in which no statement waits for ever; its errors are told as KetenError."""
    import psycopg

    try:
        with psycopg.connect(_conninfo(setting, url)) as connection, _watched(connection, setting):
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            for name, value in _session(setting).items():
                connection.execute("select set_config(%s, %s, false)", [name, value])
            connection.commit()
            yield connection
    except psycopg.Error as error:
        raise _told(setting, url, error) from None


def _conninfo(setting: PostgresqlSetting, url: URL) -> str:
    """What the driver connects with; options in the URL go before ours."""
    from psycopg.conninfo import make_conninfo

    _, given = url.get_dialect()().create_connect_args(url)
    ours = {"application_name": "ketenimpact", "connect_timeout": str(setting.connect_seconds), **_ALIVE}
    return make_conninfo("", **{**ours, **given})


def _session(setting: PostgresqlSetting) -> dict[str, str]:
    return {
        "lock_timeout": f"{setting.lock_seconds}s",
        "statement_timeout": f"{setting.statement_seconds}s",
        "DateStyle": "ISO, YMD",
        "TimeZone": "UTC",
        "client_encoding": "UTF8",
    }


@contextmanager
def _watched(connection: psycopg.Connection, setting: PostgresqlSetting) -> Iterator[None]:
    """Cut the connection off when the block lasts longer than its time: the server's own limit needs a server that moves."""

    def cut_off() -> None:
        if not connection.closed:
            with socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)

    watch = Timer(setting.total_seconds, cut_off)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _told(setting: PostgresqlSetting, url: URL, error: psycopg.Error) -> KetenError:
    """An error of the driver in one sentence, with what to do."""
    from psycopg import OperationalError, errors

    place = f"target {setting.name} ({hidden(url)})"
    said = " ".join(str(error).split())
    if url.password:
        said = said.replace(str(url.password), "***")
    later = "it catches up by itself at the next run"
    if isinstance(error, errors.LockNotAvailable):
        return Unreachable(f"{place} is held by others for more than {setting.lock_seconds} s ({said}); {later}")
    if isinstance(error, errors.QueryCanceled):
        repair = f"raise statement_seconds (now {setting.statement_seconds}) if it needs more"
        return Unreachable(f"{place} took too long ({said}); {repair}; {later}")
    if isinstance(error, OperationalError):
        return Unreachable(f"{place} could not be reached: {said}; {later}")
    if isinstance(error, errors.InsufficientPrivilege):
        return KetenError(f"{place}: {said}; docs/targets.md lists the rights that its user needs")
    return KetenError(f"{place} refused the publication: {said}")
