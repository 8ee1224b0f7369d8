"""A sender that changes its layout on a day: what came before stays judged as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from tests.deployment import Deployment, tiny

NAME = "us__waste_collection"


def later(made: Deployment, day: str, **changes: Any) -> None:
    """A version of the mapping of waste that holds from a day on, in which `kg` is `kg net`."""
    mapping = yaml.safe_load((made.project / f"mappings/{NAME}.yml").read_text("utf-8"))
    mapping["columns"]["mass_kg"]["from"] = "kg net"
    made.declare(f"mappings/{NAME}__{day}.yml", {**mapping, **changes})


def judged_by(made: Deployment) -> dict[str, str]:
    """By which contract and mapping each delivery was judged, as a digest, by file name."""
    with duckdb.connect(str(made.home / "engine.duckdb"), read_only=True) as engine:
        return dict(engine.execute("select file_name, judged_by from intake.receipt").fetchall())


def test_a_layout_that_changes_on_a_day_leaves_earlier_deliveries_as_they_were(tmp_path: Path):
    made = tiny(tmp_path)
    rows = "".join(f"W,S,2025-02-{day:02d},rest,60\n" for day in (3, 10))
    made.drop("data/waste_collection_20250301.csv", f"collector,site,day,stream,kg net\n{rows}")
    made.keten("run")
    assert made.states()["waste_collection_20250301.csv"] == "rejected"
    before = judged_by(made)
    later(made, "2025-03-01")
    made.keten("run")
    states = made.states()
    assert {name: states[name] for name in states if name.startswith("waste")} == {
        "waste_collection_20250128.csv": "loaded",
        "waste_collection_20250228.csv": "loaded",
        "waste_collection_20250301.csv": "loaded",
    }
    after = judged_by(made)
    assert {name for name in after if after[name] != before[name]} == {"waste_collection_20250301.csv"}


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("waste_collection_20250228.csv", "kg"),
        ("waste_collection_20250301.csv", "kg net"),
        ("waste_collection_20250415.csv", "kg net"),
        ("waste_collection_20250701.csv", "kg gross"),
        ("waste_collection_2025.csv", "kg gross"),
    ],
)
def test_the_day_of_issue_in_a_name_or_else_that_of_receipt_chooses_the_version(
    tmp_path: Path, name: str, heading: str
):
    made = tiny(tmp_path)
    later(made, "2025-07-01")
    path = made.project / f"mappings/{NAME}__2025-07-01.yml"
    path.write_text(path.read_text("utf-8").replace("kg net", "kg gross"), "utf-8")
    later(made, "2025-03-01")
    catalogue = load_catalogue(made.project)
    assert catalogue.mapping_of("us", "waste_collection", name, "2026-01-01T00:00").columns["mass_kg"].headings() == (
        heading,
    )


def test_files_of_every_version_are_pulled(tmp_path: Path):
    made = tiny(tmp_path)
    later(made, "2025-03-01", files="afval_2*.csv")
    patterns = load_catalogue(made.project).file_patterns("us", "waste_collection")
    assert patterns == ("waste_collection_2*.csv", "afval_2*.csv")


@pytest.mark.parametrize(
    ("day", "changes", "message"),
    [
        ("maart", {}, "'maart' is not a day; name it <origin>__<dataset>__<YYYY-MM-DD>.yml"),
        ("20250301", {}, "'20250301' is not a day"),
        ("2025-03-01", {"issued_at": None}, "issued_at: it must be as in mappings/us__waste_collection.yml"),
        ("2025-03-01", {"delivery": "increment"}, "delivery: it must be as in mappings/us__waste_collection.yml"),
        ("2025-03-01", {"title": None}, f"mappings/{NAME}__2025-03-01.yml: title"),
    ],
)
def test_a_version_that_cannot_be_right_is_told(tmp_path: Path, day: str, changes: dict[str, Any], message: str):
    made = tiny(tmp_path)
    later(made, day, **changes)
    with pytest.raises(KetenError) as told:
        load_catalogue(made.project)
    assert message in str(told.value)


def test_a_version_needs_what_holds_before_it(tmp_path: Path):
    made = tiny(tmp_path)
    later(made, "2025-03-01")
    (made.project / f"mappings/{NAME}.yml").unlink()
    with pytest.raises(KetenError, match="there is no mappings/us__waste_collection.yml for what came before that day"):
        load_catalogue(made.project)


def test_a_version_may_not_change_by_what_a_delivery_is_known(tmp_path: Path):
    """With the name as a part of the delivery, the same bytes would come in twice."""
    made = tiny(tmp_path)
    later(made, "2025-03-01")
    path = made.project / f"mappings/{NAME}__2025-03-01.yml"
    mapping = yaml.safe_load(path.read_text("utf-8"))
    mapping["columns"]["container_code"] = {"file": "_(\\d{4})"}
    made.declare(f"mappings/{NAME}__2025-03-01.yml", mapping)
    with pytest.raises(KetenError, match="a value from the name of the file must be so in mappings/us__waste"):
        load_catalogue(made.project)
