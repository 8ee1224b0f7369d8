"""Readers of a publication, for as long as they are let: what they saw, and what was wrong with it.

Belongs here: reading as BI tools do, from the file and from PostgreSQL. Does not belong here: what is published. It
imports little, because every reader of the file is a process of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import psycopg

STOP = "stop"
PAUSE = 0.2
# Each is a statement of its own: what holds between them holds only within one publication.
NUMBERS = [f"select distinct publication_id from bi.{t}" for t in ("fact_item", "rpt_total", "item_view")]
NUMBERS += ["select max(publication_id) from bi.publication"]
SUMS = ["select count(*), sum(amount) from bi.fact_item", "select item_no, amount from bi.rpt_total"]


@dataclass
class Seen:
    """What one reader saw: how often it looked, which publications, and what was wrong."""

    reads: int = 0
    numbers: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def look(connection: Any, seen: Seen) -> None:
    """One look at all tables."""
    numbers = {row[0] for statement in NUMBERS for row in connection.execute(statement).fetchall()}
    sums = {tuple(row) for statement in SUMS for row in connection.execute(statement).fetchall()}
    if len(numbers) != 1 or len(sums) != 1:
        seen.faults.append(f"mixed: {numbers} {sums}")
    seen.numbers |= numbers
    seen.reads += 1


def read_file(path: Path, folder: Path, reader: int) -> Seen:
    """A reader that opens the file for each look, as a BI tool that refreshes does."""
    seen = Seen()
    while _goes_on(folder, reader, seen):
        try:
            with duckdb.connect(str(path), read_only=True) as connection:
                look(connection, seen)
        except duckdb.Error as error:
            seen.faults.append(str(error))
    return seen


def read_database(place: str, folder: Path, reader: int) -> Seen:
    """A reader that stays connected; each look is one transaction, at the isolation that its role has by default."""
    seen = Seen()
    try:
        with psycopg.connect(place) as connection:
            while _goes_on(folder, reader, seen):
                with connection.transaction():
                    look(connection, seen)
    except psycopg.Error as error:
        seen.faults.append(str(error))
    return seen


def _goes_on(folder: Path, reader: int, seen: Seen) -> bool:
    """Whether to look again, after a moment in which others have the machine; the first time leaves a sign of having come."""
    if seen.reads == 1:
        (folder / f"came-{reader}").touch()
    time.sleep(PAUSE)
    return not (folder / STOP).exists()
