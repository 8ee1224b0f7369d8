"""The rows of a query in a database of the sender, as one delivery: a line of JSON for every row.

Belongs here: asking, without writing anything there; exact numbers and ISO dates. Does not belong here: what a row means.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.catalogue.source_models import Sql
from resources.environment import hidden
from resources.errors import KetenError
from resources.sources.bounds import Bounds, variables_of
from resources.sources.cursor import greatest, kept, restored
from resources.sources.port import Listing, Offer, Unreachable, Version

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine

_KEY = "rows"
_AT_ONCE = 1000
_TOLD = 300
# A query that was given up here goes on there; PostgreSQL ends it so many seconds later.
_LEFT_BEHIND = 5


class SqlRows:
    """A query on one database."""

    def __init__(self, setting: Sql, place: str, dataset: str) -> None:
        self._setting, self._place = setting, place
        self._variables = variables_of(setting)
        self._url = setting.address(place)
        self._name = f"{dataset}.jsonl"
        self.is_resumed = setting.since is not None
        self._engine()  # a URL or driver that cannot be used is told before any work

    def look(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> Listing:
        """All rows from where the last pull ended; whether there are any is known when they are fetched."""
        return Listing([Offer(_KEY, self._name, known.get(_KEY, {}))])

    def bring(self, offer: Offer, into: Path, bounds: Bounds) -> Version | None:
        """Fetch the rows; None when there are none."""
        since = self._setting.since
        last = restored(offer.version["cursor"]) if "cursor" in offer.version else since.start if since else None
        return bounds.again(lambda: self._fetch(last, into, bounds))

    def has_news(self, known: Mapping[str, Version], patterns: tuple[str, ...], bounds: Bounds) -> bool:
        """Only fetching them tells."""
        return True

    def check(self, bounds: Bounds) -> None:
        """Whether the database lets in; the query is not asked, as it may take long."""
        with self._connected(bounds) as connection:
            connection.exec_driver_sql("select 1")

    def _fetch(self, last: Any, into: Path, bounds: Bounds) -> Version | None:
        from sqlalchemy import text

        since = self._setting.since
        count = size = 0
        with self._connected(bounds) as connection, into.open("wb") as out:
            rows = connection.execute(text(self._setting.query), {"since": last} if since else {})
            names = self._names(rows)
            at = names.index(since.column) if since else 0
            while part := rows.fetchmany(_AT_ONCE):
                bounds.left()
                count += len(part)
                if since:
                    last = self._greatest([row[at] for row in part], last)
                for row in part:
                    size += out.write(_line(names, row).encode())
                if size > self._setting.max_bytes:
                    raise self._wrong(f"the rows are above the limit of {self._setting.max_bytes} bytes (max_bytes)")
        if not count:
            return None
        return {"cursor": kept(last)} if since else {}

    def _names(self, rows: CursorResult[Any]) -> list[str]:
        if not rows.returns_rows:
            raise self._wrong("the query returns no rows; write a select")
        names = list(rows.keys())
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise self._wrong(f"two columns of the query are called '{twice}'; give one another name with as")
        if self._setting.since and self._setting.since.column not in names:
            raise self._wrong(f"the query has no column '{self._setting.since.column}' of since.column; select it")
        return names

    def _greatest(self, values: list[Any], before: Any) -> Any:
        assert self._setting.since is not None
        try:
            return greatest(values, before, self._setting.since.column)
        except KetenError as error:
            raise self._wrong(str(error)) from None

    def _engine(self) -> Engine:
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
        from sqlalchemy.pool import NullPool

        try:
            url = make_url(self._url)
            if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
                raise self._wrong("there is no such database file; correct the path")  # connecting would make one
            return create_engine(url, poolclass=NullPool, connect_args=self._arguments(url.get_backend_name()))
        except (NoSuchModuleError, ImportError) as error:
            raise self._wrong(f"its driver is not installed ({error}); install it beside the product") from None
        except ArgumentError:
            raise self._wrong("the URL cannot be used; write it as postgresql+psycopg://user@host/database") from None

    def _arguments(self, backend: str) -> dict[str, Any]:
        seconds = max(1, round(self._setting.connect_seconds))
        if backend == "postgresql":
            limit = round(1000 * (self._setting.total_seconds + _LEFT_BEHIND))
            return {"connect_timeout": seconds, "options": f"-c statement_timeout={limit}"}
        return {"timeout": seconds} if backend == "sqlite" else {}

    @contextmanager
    def _connected(self, bounds: Bounds) -> Iterator[Connection]:
        """A connection in which nothing is kept of what a query would write. Errors are those of this source."""
        from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

        bounds.left()
        engine = self._engine()
        try:
            with engine.connect() as connection:
                options: dict[str, Any] = {"stream_results": True, "max_row_buffer": _AT_ONCE}
                if engine.dialect.name == "postgresql":
                    options["postgresql_readonly"] = True
                connection.execution_options(**options)
                if engine.dialect.name == "sqlite":
                    connection.exec_driver_sql("pragma query_only = on")
                yield connection
                connection.rollback()
        except DBAPIError as error:
            if isinstance(error, OperationalError | InterfaceError) and _passes(error.orig):
                raise Unreachable(self._told(f"it does not answer ({self._said(error.orig)})")) from None
            raise self._wrong(f"it refuses ({self._said(error.orig)}); correct the query or the URL") from None
        except SQLAlchemyError as error:
            raise self._wrong(f"the query cannot be asked ({self._said(error)}); correct it") from None
        finally:
            engine.dispose()

    def _said(self, error: BaseException | None) -> str:
        """What the database says, without the parts of the URL that a driver may repeat."""
        return hidden(" ".join(str(error).split()), self._variables)[:_TOLD]

    def _told(self, what: str) -> str:
        return f"sources.yml: {self._place}: {self._setting.url}: {hidden(what, self._variables)}"

    def _wrong(self, what: str) -> KetenError:
        return KetenError(self._told(what))


def _line(names: list[str], row: Any) -> str:
    cells = (f"{json.dumps(name, ensure_ascii=False)}: {_cell(value)}" for name, value in zip(names, row, strict=True))
    return "{" + ", ".join(cells) + "}\n"


def _cell(value: Any) -> str:
    """A value as JSON: numbers with all their digits, dates and times in ISO form, bytes in base64."""
    match value:
        case None | bool() | int() | str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal():
            return format(value, "f") if value.is_finite() else "null"
        case float():
            return repr(value) if value == value and abs(value) != float("inf") else "null"
        case date() | datetime() | time():
            return json.dumps(value.isoformat())
        case timedelta():
            return json.dumps(str(value))
        case bytes() | memoryview():
            return json.dumps(base64.b64encode(value).decode())
    return json.dumps(value, ensure_ascii=False, default=str)


def _passes(error: BaseException | None) -> bool:
    """Whether asking again may help. A password that is refused is not tried again: that may lock the account."""
    told = str(error)
    if type(error).__module__.startswith("sqlite3"):
        return "locked" in told or "busy" in told
    return "authentication failed" not in told and "statement timeout" not in told and "does not exist" not in told
