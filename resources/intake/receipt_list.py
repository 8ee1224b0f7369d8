"""The engine's list of receipts: which there are, in what order, and what they were judged by.

Belongs here: the intake tables and their bookkeeping. Does not belong here: the rows of a delivery (intake).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.intake.corrections import prepare_corrections
from resources.intake.identifiers import IDENTIFIER
from resources.intake.merging import DatasetTables

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.engine import Engine
    from resources.landing import Landing

ROOT = Path(__file__).resolve().parent.parent
# What decides what becomes of a row: reading and judging it, and what a correction may say.
_CODE = ("intake/*.py", "reading/*.py", "catalogue/correction_rules.py")


def code_fingerprint() -> str:
    """sha256 over the Python files of intake: a changed judge judges again."""
    digest = hashlib.sha256()
    for path in intake_modules():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def intake_modules() -> list[Path]:
    """The Python files that decide what becomes of a row."""
    return sorted(path for pattern in _CODE for path in ROOT.glob(pattern))


def dataset_order(catalogue: Catalogue) -> list[str]:
    """Datasets with the ones they refer to first, and before these the numbers under which senders know them."""
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise KetenError(f"sources/{name}.yml refers to itself through {' -> '.join(path)}")
        for needed in needed_by(catalogue, name):
            visit(needed, (*path, name))
        if name not in order:
            order.append(name)

    for name in sorted(catalogue.contracts):
        visit(name, ())
    return order


def needed_by(catalogue: Catalogue, dataset: str) -> list[str]:
    """The datasets that have to be taken in before this one: those it refers to, and the numbers senders give these."""
    columns = catalogue.contracts[dataset].columns.values()
    references = sorted({c.references for c in columns if c.references and c.references != dataset})
    named = [IDENTIFIER] if any(c.references for c in columns) and IDENTIFIER in catalogue.contracts else []
    return named + references


def prepare(engine: Engine, landing: Landing, catalogue: Catalogue) -> None:
    """Create the intake tables and list the receipts."""
    run = engine.connection.execute
    run("""create table if not exists intake.receipt (receipt_id VARCHAR, origin VARCHAR, dataset VARCHAR,
        file_name VARCHAR, sha256 VARCHAR, received_at TIMESTAMP, issued_at TIMESTAMP, known_from TIMESTAMP,
        position BIGINT, state VARCHAR, reason VARCHAR, judged_by VARCHAR, source_rows BIGINT,
        received_rows BIGINT, blank_rows BIGINT, number_evidence VARCHAR)""")
    run("create table if not exists intake.receipt_window (receipt_id VARCHAR, scope VARCHAR, month DATE)")
    prepare_corrections(engine.connection)
    for name in dataset_order(catalogue):
        DatasetTables(engine.connection, catalogue, catalogue.contracts[name])
    list_receipts(engine, landing)


def list_receipts(engine: Engine, landing: Landing) -> None:
    """Bring the engine's list of receipts and their total order up to date with the landing zone."""
    run = engine.connection.execute
    import pyarrow as pa

    receipts = landing.receipts()
    names = ("receipt_id", "origin", "dataset", "file_name", "sha256", "received_at", "issued_at")
    texts = {name: pa.array([getattr(r, name) for r in receipts], pa.string()) for name in names}
    engine.connection.register("listing", pa.table({**texts, "position": range(1, len(receipts) + 1)}))
    run(
        "create or replace temp table listed as select * replace (received_at::timestamp as received_at,"
        " issued_at::timestamp as issued_at) from listing"
    )
    engine.connection.unregister("listing")
    run(
        "update intake.receipt r set position = l.position from listed l"
        " where r.receipt_id = l.receipt_id and r.position <> l.position"
    )
    run(
        "insert into intake.receipt select receipt_id, origin, dataset, file_name, sha256, received_at, issued_at,"
        " received_at, position, 'landed', null, null, 0, 0, 0, null from listed"
        " where receipt_id not in (select receipt_id from intake.receipt)"
    )
