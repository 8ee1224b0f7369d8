"""A publication after another, without a run: a copy of a published file in which some rows are changed.

Belongs here: making published files for tests of what reads them. Does not belong here: any assertion.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from resources.publication.digest import table_digest
from resources.publication.history import CARRIED_OVER
from resources.targets.description import publication_of, tables_of

NUMBER = "publication_id"


def next_publication(published: Path, target: Path, *statements: str) -> Path:
    """The publication after that of a file: rows changed by SQL on `bi.<table>`, with its own number, run and digests."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(published, target)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{target}' as made")
        connection.execute("use made")
        for statement in statements:
            connection.execute(statement)
        number = publication_of(connection).number + 1
        connection.execute(
            f"insert into bi.publication select 'run {number}', published_at + interval 1 day, as_of, input_fingerprint,"
            f" status, {number} from bi.publication where publication_id = {number - 1}"
        )
        told = {name for (name,) in connection.execute("select table_name from bi.publication_digest").fetchall()}
        for table in tables_of(connection):
            if table.is_view or table.name in CARRIED_OVER:
                continue
            connection.execute(f"update bi.{table.name} set {NUMBER} = {number}")
            if table.name in told:
                columns = [column.name for column in table.columns if column.name != NUMBER]
                digest = table_digest(connection, f"bi.{table.name}", columns)
                connection.execute(
                    "insert into bi.publication_digest values (?, ?, ?, ?)", [table.name, *digest, number]
                )
        connection.execute("force checkpoint made")
        connection.execute("use memory")
    return target
