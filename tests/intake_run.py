"""The deliveries of a small deployment taken into core within this process, for tests that need no publication.

Belongs here: pulling and taking in, and asking core. Does not belong here: any assertion.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assets.conservation import deliveries_select
from assets.pulling import pull
from assets.unknown_references import prepare_waiting, unknown_select
from resources.catalogue.reading import load_catalogue
from resources.engine import Engine
from resources.intake.dataset_intake import DatasetIntake, IntakeResult
from resources.intake.receipt_list import dataset_order, prepare
from resources.landing import Landing
from resources.progress import SILENT
from tests.deployment import Deployment


class IntakeRun:
    """An engine in memory that follows what lies in a deployment folder."""

    def __init__(self, made: Deployment, folder: Path) -> None:
        self.made = made
        self.engine = Engine(None, folder)
        self.landing = Landing(made.home / "landing")
        self.results: dict[str, IntakeResult] = {}

    def take_in(self) -> dict[str, IntakeResult]:
        """Pull and take in everything, as a run does; what came of it by dataset."""
        self.catalogue = load_catalogue(self.made.project)
        prepare(self.engine, self.landing, self.catalogue)
        for name in dataset_order(self.catalogue):
            pull(self.catalogue, self.made.project, self.landing, name)
            taking = DatasetIntake(self.engine, self.landing, self.catalogue, name, SILENT)
            self.results[name] = taking.take_in()
        return self.results

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """Rows of a select on core."""
        return self.engine.connection.execute(select).fetchall()

    def inbox(self) -> list[dict[str, Any]]:
        """The numbers that rows wait for, as they are published."""
        prepare_waiting(self.engine, self.catalogue)
        select = f"select * from ({unknown_select(self.catalogue)}) order by dataset, column_name, origin, external_id"
        return self.engine.read(select).read_all().to_pylist()

    def unbalanced(self) -> list[tuple[Any, ...]]:
        """Deliveries of which received is not accepted plus quarantined plus ignored."""
        balance = (
            "received_rows <> accepted_rows + quarantined_rows + ignored_rows or source_rows <> accounted_source_rows"
        )
        return self.rows(f"select receipt_id from ({deliveries_select(self.catalogue)}) where {balance}")
