"""The rows of a publication in PostgreSQL: staged, proved, and only the difference applied.

Belongs here: COPY, digests, the difference, and keys that must exist. Does not belong here: the form of the tables
(layout).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.publication.digest import table_digest
from resources.publication.published_file import literal, temporary_name
from resources.targets.postgresql.layout import Place, declared, kept_columns

if TYPE_CHECKING:
    import duckdb
    import psycopg

    from resources.targets.description import Table

_CHUNK = 1 << 20
Digest = tuple[int, str]


def expected(file: duckdb.DuckDBPyConnection, table: Table, published: dict[str, Digest]) -> Digest:
    """Rows and digest of a table as published; of a table without a published digest, as it is in the file."""
    return published.get(table.name) or table_digest(file, f"bi.{table.name}", [c.name for c in kept_columns(table)])


def digest(pg: psycopg.Connection, relation: str, columns: Iterable[tuple[str, str]]) -> Digest:
    """Rows and digest of a table in PostgreSQL; `columns` are names and DuckDB types. The same as `resources.publication.digest`."""
    line = " || ".join(_canonical(f'"{name}"', kind) for name, kind in columns)
    row = pg.execute(
        "select count(*), coalesce(sum(('x0' || substr(md5(line), 1, 15))::bit(64)::bigint), 0)"
        f" from (select {line} as line from {relation}) lines"
    ).fetchone()
    assert row is not None  # an aggregate without group by has one row
    return int(row[0]), format(int(row[1]), "x")


def _canonical(name: str, kind: str) -> str:
    pattern = {"TIMESTAMP": 'YYYY-MM-DD"T"HH24:MI:SS.US', "DATE": "YYYY-MM-DD"}.get(kind)
    text = f"to_char({name}, '{pattern}')" if pattern else f"{name}::text"
    return f"case when {name} is null then '~' else length({text}) || ':' || {text} end"


def kept_digest(pg: psycopg.Connection, place: Place, table: Table) -> Digest:
    """Rows and digest of a table of the store as it is."""
    return digest(pg, place.kept(table.name), [(c.name, c.type) for c in kept_columns(table)])


def stage(
    file: duckdb.DuckDBPyConnection, published: Path, pg: psycopg.Connection, table: Table, wanted: Digest
) -> None:
    """Copy a table beside the store, and prove its key, its number of rows and its digest; else KetenError."""
    from psycopg.errors import CharacterNotInRepertoire, NotNullViolation, UniqueViolation

    listed = ", ".join(f'"{name}"' for name in declared(table))
    types = ", ".join(f'"{name}" {kind}' for name, kind in declared(table).items())
    pg.execute(f"create temporary table {_staged(table)} ({types}) on commit drop")
    carried = temporary_name(published, f"-{table.name}.csv")
    try:
        file.execute(
            f"copy (select {listed} from bi.{table.name}) to {literal(str(carried))} (format csv, header false)"
        )
        with pg.cursor() as cursor, cursor.copy(f"copy {_staged(table)} ({listed}) from stdin (format csv)") as into:
            with carried.open("rb") as source:
                while chunk := source.read(_CHUNK):
                    into.write(chunk)
        pg.execute(f"alter table {_staged(table)} add primary key ({_listed(table.key)})")
    except (UniqueViolation, NotNullViolation) as error:
        raise KetenError(
            f"bi.{table.name}: {', '.join(table.key)} tell no single row apart"
            f" ({error.diag.message_detail or error.diag.message_primary}); correct its SQL or its key"
        ) from None
    except CharacterNotInRepertoire:
        raise KetenError(
            f"bi.{table.name} holds a NUL character, which PostgreSQL cannot store; {_nul(file, table)}"
        ) from None
    finally:
        carried.unlink(missing_ok=True)
    pg.execute(f"analyze {_staged(table)}")
    found = digest(pg, _staged(table), [(c.name, c.type) for c in kept_columns(table)])
    if found != wanted:
        raise KetenError(
            f"bi.{table.name} came over as {found[0]} rows with digest {found[1]}, published are {wanted[0]} rows with"
            f" {wanted[1]}; run again, and if it stays put the published file back from a backup"
        )


def apply_difference(pg: psycopg.Connection, place: Place, table: Table, adopt: bool) -> int:
    """Bring a table of the store to what is staged; returns the number of rows added, changed or removed.

    Raises KetenError when a dimension would lose a key, unless `adopt`: keys are given for good, so that file is not of
    this history.
    """
    kept, staged = place.kept(table.name), _staged(table)
    same = " and ".join(f'k."{c}" = s."{c}"' for c in table.key)
    lost = f"from {kept} k where not exists (select from {staged} s where {same})"
    if _is_dimension(table) and not adopt:
        row = pg.execute(f"select count(*) {lost}").fetchone()
        if row and row[0]:
            raise KetenError(
                f"bi.{table.name} of the published file lacks {row[0]} keys that readers have: it is not of the same"
                " history; run again with --adopt to let readers follow this file all the same"
            )
    rows = pg.execute(f"delete {lost}").rowcount
    names = list(declared(table))
    rest = [name for name in names if name not in table.key]
    if rest:
        before, after = (", ".join(f'{alias}."{c}"' for c in rest) for alias in ("k", "s"))
        rows += pg.execute(
            f"update {kept} k set ({_listed(rest)}) = row({after}) from {staged} s"
            f" where {same} and ({before}) is distinct from ({after})"
        ).rowcount
    rows += pg.execute(
        f"insert into {kept} ({_listed(names)}) select {_listed(names)} from {staged} s"
        f" where not exists (select from {kept} k where {same})"
    ).rowcount
    pg.execute(f"drop table {staged}")
    if rows:
        pg.execute(f"analyze {kept}")
    return rows


def prove_references(pg: psycopg.Connection, place: Place, tables: dict[str, Table]) -> None:
    """Raise KetenError when a row refers to a member that its dimension does not have."""
    for table in tables.values():
        for column in table.columns:
            if not column.refers_to or table.is_view:
                continue
            (key,) = tables[column.refers_to].key
            row = pg.execute(
                f'select count(*), min("{column.name}"::text) from {place.kept(table.name)} r where "{column.name}" is not null'
                f' and not exists (select from {place.kept(column.refers_to)} d where d."{key}" = r."{column.name}")'
            ).fetchone()
            if row and row[0]:
                raise KetenError(
                    f"bi.{table.name}: {row[0]} rows have a {column.name} (such as {row[1]}) that bi.{column.refers_to}"
                    " does not have; correct the SQL of one of the two"
                )


def _nul(file: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Which columns hold the character, and what to do."""
    texts = [c.name for c in kept_columns(table) if c.type == "VARCHAR"]
    counts = ", ".join(f'count(*) filter (contains("{c}", chr(0)))' for c in texts)
    row = file.execute(f"select {counts} from bi.{table.name}").fetchone() or ()
    at_fault = ", ".join(name for name, count in zip(texts, row, strict=True) if count)
    return f"take it out of {at_fault}"


def _is_dimension(table: Table) -> bool:
    return table.name.startswith("dim_") and len(table.key) == 1 and table.key[0].endswith("_key")


def _staged(table: Table) -> str:
    return f'"staged_{table.name}"'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
