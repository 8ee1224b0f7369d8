"""One delivery judged for a test, without a deployment.

Belongs here: turning bytes and a mapping into judged rows. Does not belong here: any assertion.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resources.catalogue import Catalogue
from resources.catalogue.correction_models import Correction
from resources.catalogue.correction_rules import CorrectionRules
from resources.catalogue.mapping_models import Mapping
from resources.catalogue.reading import load_catalogue
from resources.engine import Engine
from resources.intake.merging import DatasetTables
from resources.intake.receipt_list import dataset_order
from resources.intake.staging import Stage
from resources.landing import Receipt
from resources.reading.files import stored_suffix

CATALOGUE = load_catalogue()


def staged(
    folder: Path,
    dataset: str,
    content: bytes | str,
    mapping: dict[str, Any],
    name: str = "file.csv",
    corrections: Sequence[Correction] = (),
) -> list[dict]:
    """The records of a delivery in order of line and record, with reasons as a list; every reference counts as unknown.

    With corrections of the sender `o`, each record tells what was noted of all of them.
    """
    path = folder / f"delivery{stored_suffix(name)}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    declared = Mapping.model_validate({"title": "t", "files": "*", "origin": "o", "dataset": dataset, **mapping})
    known = Catalogue(**{**vars(CATALOGUE), "mappings": {("o", dataset): declared}, "corrections": list(corrections)})
    CorrectionRules(known).hold()
    receipt = Receipt("r", "o", dataset, name, "2025-01-01T00:00:00.000000", None, "", 0)
    with Engine(None, folder) as engine:
        for other in dataset_order(known):
            DatasetTables(engine.connection, known, known.contracts[other])
        stage = Stage(engine.connection, known, known.contracts[dataset], receipt, path, 0)
        shown = "* exclude (id), (select row_text from stage_0_text t where t.row_no = d.row_no limit 1) as row_text"
        rows = engine.read(f"select {shown} from {stage.delivered} d order by row_no, record_no").read_all().to_pylist()
        noted = "correction_id, row_no, column_name, value_was, value_is, outcome"
        notes = (
            engine.connection.execute(f"select {noted} from stage_0_corrected").fetchall() if stage.is_corrected else []
        )
        for row in rows:
            row["notes"] = notes
            row["reasons"] = row["reasons"].split(",") if row["reasons"] else []
            row["blank_rows"] = stage.blank_rows
            row["number_evidence"] = stage.number_evidence
            row["set_aside"] = stage._set_aside
        return rows


READING = {
    "meter_id": {"from": "EAN"},
    "stamp": {"from": "Tijd", "format": "%d-%m-%Y %H:%M"},
    "quantity": {"from": "Verbruik", "unit": "kWh"},
    "register_code": {"value": "1.8.0"},
    "kind_code": {"value": "interval"},
}
SITE = {
    "site_id": {"from": "Code"},
    "site_name": {"from": "Naam"},
    "client_id": {"value": "C"},
    "floor_area_go_m2": {"from": "GO"},
    "in_use_from": {"value": "2010-01-01"},
}


def sites(folder: Path, content: bytes | str, name: str = "file.csv", **form: Any) -> list[dict]:
    """Sites with headings Code;Naam;GO."""
    shape = {"delimiter": ";", "decimal": ",", **form}
    return staged(folder, "site", content, {"format": shape, "columns": SITE}, name)


def readings(folder: Path, content: bytes | str, **time: Any) -> list[dict]:
    """Readings with headings EAN;Tijd;Verbruik, in local time of Amsterdam and stamped at the start of a quarter-hour."""
    rule = {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 15, **time}
    mapping = {"format": {"delimiter": ";", "decimal": ","}, "time": rule, "columns": READING}
    return staged(folder, "meter_reading", content, mapping)
