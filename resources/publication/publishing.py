"""Publication of the `bi` tables as one DuckDB file: whole or not at all, numbered, with its own history.

Belongs here: what is written into the file and when. Does not belong here: file operations (`published_file`), keys
(`key_register`), digests (`digest`), and what the tables mean (`dbt_like_sql/bi`).

The engine must not be inside a transaction. The engine keeps in `run.publication_state` which number each target
has; a number is reserved there before the file is replaced, so that a kill right after it is told apart from a file
that another engine wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.errors import KetenError
from resources.publication import history
from resources.publication.digest import digest_by_part, table_digest
from resources.publication.key_register import REGISTER, ensure_register, unregistered_keys
from resources.publication.published_file import (
    attached,
    literal,
    put_in_place,
    remove_leftovers,
    temporary_name,
    wal_of,
)

if TYPE_CHECKING:
    import duckdb

    from resources.engine import Engine

PREVIOUS = "keten_previous"
NEXT = "keten_next"
STORAGE_VERSION = "v1.0.0"
PUBLICATION_ID = ("publication_id", "BIGINT", "Nummer van de publicatie / Number of the publication")
DECLARATION = "__declaration"


@dataclass(frozen=True)
class ColumnFacts:
    """What neither type nor comment says of a column: its unit, its code list, and the dimension table it refers to."""

    unit: str | None = None
    codes: str | None = None
    refers_to: str | None = None


@dataclass(frozen=True)
class TableSpec:
    """How a table of schema `bi` is published: columns as (name, DuckDB type, comment), and the key it is ordered by.

    `facts` is by column, of those of which there is something to tell. `part` is the column by whose values the digest of
    the table is kept, so that it is not computed over rows that stay.
    """

    columns: Sequence[tuple[str, str, str]]
    key: Sequence[str]
    comment: str = ""
    facts: Mapping[str, ColumnFacts] = field(default_factory=dict)
    part: str = ""


@dataclass(frozen=True)
class Publication:
    """What readers see now: the number, whether this call made it, and (rows, digest) per table."""

    number: int
    changed: bool
    digests: Mapping[str, tuple[int, str]]
    value_changes: int = 0


def publish(
    engine: Engine,
    target_path: Path | str,
    tables: Mapping[str, TableSpec],
    views: Mapping[str, str],
    run: Mapping[str, Any],
    adopt: bool = False,
    explanations: str = history.UNEXPLAINED,
) -> Publication:
    """Publish the engine's `bi` tables, unless the target already shows the same rows and the same declarations.

    `run` holds run_id, published_at (naive UTC), as_of and input_fingerprint; status is optional (provisional).
    `explanations` is SQL of period_code, reason and decided_by, for the changed values of periods that were final.
    Raises KetenError when the target is ahead of this engine (unless `adopt`), is not a published file, or holds keys
    that the engine does not know; the target is then as it was.
    """
    connection, target = engine.connection, Path(target_path).absolute()
    _prepare(connection, target)
    digests = _digests(connection, tables)
    marks = {**digests, DECLARATION: (0, _declaration(tables, views))}
    with attached(connection, target, PREVIOUS) as present:
        before = history.last_publication(connection, PREVIOUS, target) if present else None
        if before:
            _refuse_unsafe(connection, target, before["number"], adopt)
        if before and history.last_digests(connection, PREVIOUS, before["number"]) == marks:
            history.note_applied(connection, target, before["number"], run)
            return Publication(before["number"], False, digests)
        number = max(before["number"] if before else 0, history.applied_number(connection)) + 1
        with _new_file(connection, target) as temporary:
            _write_tables(connection, tables, number)
            _write_history(connection, tables, run, marks, number, present)
            changes = _write_changes(connection, tables, number, present, explanations)
            _write_views(connection, views)
            connection.execute(f"force checkpoint {NEXT}")
            connection.execute(f"detach {NEXT}")
            history.reserve(connection, target, number)
            put_in_place(temporary, target)
    history.note_applied(connection, target, number, run)
    return Publication(number, True, digests, changes)


def applied_input(engine: Engine, target_path: Path | str) -> str | None:
    """The fingerprint of the input that a target shows; None when this engine never published there."""
    return history.applied_input(engine.connection, Path(target_path).absolute())


def published_state(target_path: Path | str) -> dict[str, Any] | None:
    """Number, fingerprint, run_id, published_at, as_of and status of the published file; None when there is none.

    Neither the engine nor a stale `.wal` beside the file is touched. Raises KetenError when it is not a published file.
    """
    import duckdb

    target = Path(target_path).absolute()
    with duckdb.connect() as connection, attached(connection, target, PREVIOUS) as present:
        return history.last_publication(connection, PREVIOUS, target) if present else None


def _prepare(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target)
    history.ensure_state(connection)
    ensure_register(connection)


def _refuse_unsafe(connection: duckdb.DuckDBPyConnection, target: Path, number: int, adopt: bool) -> None:
    known = history.highest_number(connection)
    if known is not None and number > known and not adopt:
        raise KetenError(
            f"{target} is at publication {number}, but this engine knows only {known}: another engine wrote it;"
            " run again with --adopt to go on from there, or choose another target"
        )
    lost = unregistered_keys(connection, PREVIOUS)
    if lost:
        raise KetenError(
            f"{target} holds {lost} surrogate keys that this engine does not know;"
            " restore the keys from this file before the tables are computed, so that no key gets a second meaning"
        )


@contextmanager
def _new_file(connection: duckdb.DuckDBPyConnection, target: Path) -> Iterator[Path]:
    """An empty file attached as NEXT; whatever happens, nothing of it stays attached or beside the target."""
    temporary = temporary_name(target)
    connection.execute(f"attach {literal(str(temporary))} as {NEXT} (storage_version '{STORAGE_VERSION}')")
    try:
        connection.execute(f"create schema {NEXT}.bi")
        yield temporary
    finally:
        connection.execute(f"detach database if exists {NEXT}")
        temporary.unlink(missing_ok=True)
        wal_of(temporary).unlink(missing_ok=True)


def _write_tables(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, TableSpec], number: int) -> None:
    import duckdb

    for name, spec in tables.items():
        create_table(connection, name, spec)
        listed = ", ".join(f'"{column}"' for column, _, _ in spec.columns)
        order = ", ".join(f'"{column}"' for column in spec.key)
        select = f"select {listed}, {number} from {_source(connection, name)} order by {order}"
        try:
            connection.execute(f'insert into {NEXT}.bi."{name}" {select}')
        except duckdb.ConstraintException as error:
            raise KetenError(f"bi.{name} has rows without a key ({order}); correct its SQL ({error})") from error


def create_table(connection: duckdb.DuckDBPyConnection, name: str, spec: TableSpec) -> None:
    """Create a table of the new file with its comments; the publication number is its last column."""
    for statement in _ddl(name, spec):
        connection.execute(statement)


def _ddl(name: str, spec: TableSpec) -> list[str]:
    table = f'{NEXT}.bi."{name}"'
    columns = [*spec.columns, PUBLICATION_ID]
    filled = {*spec.key, PUBLICATION_ID[0]}
    listed = ", ".join(f'"{column}" {kind}{" not null" if column in filled else ""}' for column, kind, _ in columns)
    comments = [f'comment on column {table}."{column}" is {literal(text)}' for column, _, text in columns if text]
    title = [f"comment on table {table} is {literal(spec.comment)}"] if spec.comment else []
    return [f"create table {table} ({listed})", *title, *comments]


def _write_history(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, TableSpec],
    run: Mapping[str, Any],
    marks: Mapping[str, tuple[int, str]],
    number: int,
    present: bool,
) -> None:
    """Write publications, digests and keys, with all earlier rows; also the earlier changes of values."""
    for name, (key, comment, columns) in history.TABLES.items():
        create_table(connection, name, TableSpec(columns, key, comment=comment))
        if present and name in history.CARRIED_OVER:
            history.carry_over(connection, PREVIOUS, NEXT, name)
    history.write_publication(connection, NEXT, number, run)
    history.write_columns(connection, NEXT, number, _facts(tables))
    history.write_digests(connection, NEXT, number, marks)
    connection.execute(
        f"insert into {NEXT}.bi.surrogate_key select dimension, natural_key, key, {number} from {REGISTER}"
        " order by dimension, key"
    )


def _write_changes(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, TableSpec],
    number: int,
    present: bool,
    explanations: str,
) -> int:
    """Write the values that changed since the file before; how many they are."""
    if history.VALUES not in tables:
        return 0
    missing = set(history.VALUE_COLUMNS) - {column for column, _, _ in tables[history.VALUES].columns}
    if missing:
        raise KetenError(
            f"bi.{history.VALUES} is published without {', '.join(sorted(missing))}; add these columns to its"
            " declaration, or changed values cannot be recorded"
        )
    return history.write_value_changes(connection, PREVIOUS, NEXT, number, explanations) if present else 0


def _write_views(connection: duckdb.DuckDBPyConnection, views: Mapping[str, str]) -> None:
    """Create the views inside the new file; a first line `-- ...` of their SQL becomes their comment."""
    with connection.cursor() as inside:
        inside.execute(f"use {NEXT}.bi")
        for name, sql in views.items():
            inside.execute(f'create view "{name}" as {sql}')
            first = sql.lstrip().splitlines()[0]
            if first.startswith("--"):
                inside.execute(f'comment on view "{name}" is {literal(first.lstrip("- "))}')


def _digests(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, TableSpec]) -> dict[str, tuple[int, str]]:
    """Digest of every table and of the register."""
    found = {name: _digest(connection, name, spec) for name, spec in tables.items()}
    return {**found, "surrogate_key": table_digest(connection, REGISTER, ("dimension", "natural_key", "key"))}


def _digest(connection: duckdb.DuckDBPyConnection, name: str, spec: TableSpec) -> tuple[int, str]:
    """Digest of the rows as they are published, so over the published types."""
    import duckdb

    columns = [column for column, _, _ in spec.columns]
    listed = ", ".join(f'cast("{column}" as {kind}) as "{column}"' for column, kind, _ in spec.columns)
    try:
        select = f"(select {listed} from {_source(connection, name)})"
        if spec.part:
            return digest_by_part(connection, name, select, columns, spec.part)
        return table_digest(connection, select, columns)
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.ConversionException) as error:
        raise KetenError(f"bi.{name} does not fit its declaration; correct its SQL or its columns ({error})") from error


def _facts(tables: Mapping[str, TableSpec]) -> list[tuple[str | None, ...]]:
    """Rows of `publication_column`, in order of its key."""
    told = ((table, column, facts) for table, spec in tables.items() for column, facts in spec.facts.items())
    return sorted((table, column, *astuple(facts)) for table, column, facts in told)


def _source(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    row = connection.execute("select current_database()").fetchone()
    return f'"{row[0] if row else "memory"}".bi.{name}'


def _declaration(tables: Mapping[str, TableSpec], views: Mapping[str, str]) -> str:
    """Digest of types, comments, facts and views: a new label or view is published even when no row changed."""
    ddl = {name: _ddl(name, spec) for name, spec in tables.items()}
    text = json.dumps([ddl, _facts(tables), dict(views)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
