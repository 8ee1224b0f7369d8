"""The inbox: a file goes to the mapping whose headings it has, and waits where none or two have them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets import inbox
from assets.inbox import route
from assets.pulling import files_to_pull, source_fingerprint
from resources.catalogue import Mapping
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.landing.unrouted import read_unrouted
from resources.reading.cells import FileFacts
from resources.reading.heading_difference import difference
from tests.deployment import Deployment, tiny

WASTE = "collector,site,day,stream,kg\nW,S,2025-01-05,rest,70\n"
READINGS = "meter,day,kwh\nE,2025-02-01,99\n"
RENAMED = "collector,site,day,stream,kg net\nW,S,2025-01-05,rest,70\n"


def with_inbox(folder: Path) -> Deployment:
    """The tiny deployment, where the sender `us` may also use the inbox."""
    made = tiny(folder)
    declared = yaml.safe_load((made.project / "sources.yml").read_text("utf-8"))
    made.declare("sources.yml", {**declared, "inbox": {"path": "inbox"}})
    (made.project / "inbox").mkdir()
    return made


def mapping_of(made: Deployment, name: str) -> dict[str, Any]:
    return yaml.safe_load((made.project / f"mappings/{name}.yml").read_text("utf-8"))


def routed(made: Deployment) -> dict[str, list[str]]:
    """The names of the files by dataset; under `unrouted` those that wait."""
    found = route(load_catalogue(made.project), made.project, made.landing)
    told = {dataset: sorted(f"{origin}/{name}" for _, origin, name in files) for dataset, files in found.files.items()}
    waiting = [f"{one.origin}/{one.name}" for one in found.unrouted]
    return told | ({"unrouted": waiting} if waiting else {})


def test_a_file_goes_to_the_mapping_whose_headings_it_has_whatever_its_name(tmp_path: Path):
    made = with_inbox(tmp_path)
    made.drop("inbox/us/export (3).csv", WASTE)
    made.drop("inbox/us/2025/export.csv", READINGS)
    assert routed(made) == {"waste_collection": ["us/export (3).csv"], "meter_reading": ["us/2025/export.csv"]}


def test_senders_are_told_apart_by_their_folder(tmp_path: Path):
    """The same headings may mean another thing at another sender."""
    made = with_inbox(tmp_path)
    made.declare("mappings/them__waste_collection.yml", mapping_of(made, "us__waste_collection"))
    made.drop("inbox/us/a.csv", WASTE)
    made.drop("inbox/them/a.csv", WASTE)
    made.drop("inbox/them/b.csv", READINGS)
    assert routed(made) == {"waste_collection": ["them/a.csv", "us/a.csv"], "unrouted": ["them/b.csv"]}


def test_changed_headings_wait_with_the_difference_and_come_in_when_the_mapping_is_mended(tmp_path: Path):
    made = with_inbox(tmp_path)
    made.drop("inbox/us/waste.csv", RENAMED)
    told = made.keten("run")
    assert "inbox/us/waste.csv waits for a mapping" in told
    assert (
        "unrouted us/waste.csv: us__waste_collection comes nearest, but of its headings are missing: 'kg', which may be"
        in told
    )
    assert "waste.csv" not in made.states(), "a guess would have been landed"
    (waiting,) = read_unrouted(made.home / "landing")
    assert (waiting.nearest, waiting.missing, waiting.new) == ("waste_collection", ("kg",), ("kg net",))
    assert waiting.renamed == {"kg": "kg net"}
    assert "Nothing new since" in made.keten("run"), "what waits is no reason to run"
    assert "file_unrouted" not in made.keten("alerts") and "waste.csv" in made.keten("alerts")
    assert "us/waste.csv: us__waste_collection comes nearest" in made.keten("doctor")
    shown = made.keten("unrouted")
    assert "new: kg net" in shown
    assert "mass_kg: {from: kg net, unit: kg}" in shown

    changed = mapping_of(made, "us__waste_collection")
    changed["columns"]["mass_kg"] = {"any_of": ["kg", "kg net"], "unit": "kg"}
    made.declare("mappings/us__waste_collection.yml", changed)
    made.keten("run")
    assert made.states()["waste.csv"] == "loaded"
    assert made.keten("unrouted") == "No file waits for a mapping."


def test_two_mappings_that_fit_equally_are_no_choice(tmp_path: Path):
    made = with_inbox(tmp_path)
    site = {"site_id": {"from": "code"}, "month": {"from": "month", "format": "%Y-%m"}}
    facts = {"title": "t", "files": "*.csv"}
    made.declare("mappings/us__site_month.yml", {**facts, "columns": {**site, "fte": {"from": "n"}}})
    made.declare(
        "mappings/us__site_org_unit.yml",
        {
            **facts,
            "columns": {
                "site_id": {"from": "code"},
                "org_unit_id": {"from": "n"},
                "valid_from": {"from": "month", "format": "%Y-%m"},
                "allocation_share": {"value": "1"},
            },
        },
    )
    made.drop("inbox/us/a.csv", "code,month,n\nS,2025-01,4\n")
    assert routed(made) == {"unrouted": ["us/a.csv"]}
    (waiting,) = read_unrouted(made.home / "landing")
    assert waiting.told() == "it fits site_month and site_org_unit equally well"


def test_the_mapping_that_knows_more_of_its_headings_is_the_one(tmp_path: Path):
    """A mapping of few headings fits many files; that is no tie."""
    made = with_inbox(tmp_path)
    made.declare(
        "mappings/us__site_month.yml",
        {"title": "t", "files": "*", "columns": {"site_id": {"from": "site"}, "month": {"from": "day"}}},
    )
    made.drop("inbox/us/a.csv", WASTE)
    assert routed(made) == {"waste_collection": ["us/a.csv"]}


def test_a_sender_without_any_mapping_is_told(tmp_path: Path):
    made = with_inbox(tmp_path)
    made.drop("inbox/stranger/a.csv", WASTE)
    made.drop("inbox/loose.csv", WASTE)
    assert routed(made) == {"unrouted": ["/loose.csv", "stranger/a.csv"]}
    loose, strange = read_unrouted(made.home / "landing")
    assert loose.told() == "it lies beside the folders of the senders; move it into one"
    assert strange.told() == "there is no mapping of stranger"
    assert "the folder stranger of the inbox has no mapping" in made.keten("doctor")


def test_what_was_landed_stays_where_it_is(tmp_path: Path):
    """A mapping that arrives later must not take a delivery a second time, for another dataset."""
    made = with_inbox(tmp_path)
    made.drop("inbox/us/a.csv", WASTE)
    made.keten("run")
    assert made.states()["a.csv"] == "loaded"
    richer = {
        "site_id": {"from": "site"},
        "month": {"from": "day"},
        "fte": {"from": "kg"},
        "person_count": {"from": "stream"},
        "meal_count": {"from": "collector"},
    }
    made.declare("mappings/us__site_month.yml", {"title": "t", "files": "*.none", "columns": richer})
    assert routed(made) == {"waste_collection": ["us/a.csv"]}
    assert [r.dataset for r in made.landing.receipts() if r.file_name == "a.csv"] == ["waste_collection"]


def test_a_file_that_waits_is_read_again_only_when_something_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ten thousand files must not be opened in every run."""
    made = with_inbox(tmp_path)
    made.drop("inbox/us/waste.csv", RENAMED)
    catalogue, landing = load_catalogue(made.project), made.landing
    first = route(catalogue, made.project, landing)
    landing.remember()
    read: list[Path] = []
    real = inbox.reading.tables_in

    def watched(path: Path, mapping: Mapping) -> Iterator[FileFacts]:
        read.append(path)
        return real(path, mapping)

    monkeypatch.setattr(inbox.reading, "tables_in", watched)
    assert route(catalogue, made.project, made.landing).unrouted == first.unrouted
    assert not read
    made.drop("inbox/us/waste.csv", WASTE)
    assert route(catalogue, made.project, made.landing).files
    assert read


def test_a_file_that_is_still_written_waits(tmp_path: Path):
    made = with_inbox(tmp_path)
    made.drop("inbox/us/a.csv", WASTE)
    os.utime(made.project / "inbox/us/a.csv", (time.time(), time.time()))
    made.drop("inbox/us/b.csv.part", WASTE)
    found = route(load_catalogue(made.project), made.project, made.landing)
    assert (found.files, [p.name for p in found.young]) == ({}, ["a.csv"])


def test_the_sensor_sees_the_inbox_and_opens_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = with_inbox(tmp_path)
    catalogue = load_catalogue(made.project)
    before = source_fingerprint(catalogue, made.project, made.home / "landing")
    made.drop("inbox/us/a.csv", RENAMED)
    landing = made.landing
    assert source_fingerprint(catalogue, made.project, made.home / "landing") != before

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a file was opened")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        assert made.project / "inbox/us/a.csv" in files_to_pull(catalogue, made.project, landing).new
    route(catalogue, made.project, landing)
    assert made.project / "inbox/us/a.csv" not in files_to_pull(catalogue, made.project, landing).new


def test_personal_data_in_the_inbox_is_refused_before_a_byte_is_kept(tmp_path: Path):
    made = with_inbox(tmp_path)
    made.drop("inbox/us/a.csv", "collector,site,day,stream,kg,bsn\nW,S,2025-01-05,rest,70,123456782\n")
    told = made.keten("run")
    assert "personal data in bsn" in told
    kept = [p for p in (made.home / "landing").rglob("*") if p.is_file() and b"123456782" in p.read_bytes()]
    assert not kept


def test_a_file_without_a_header_leaves_no_row_in_the_list(tmp_path: Path):
    """What stands in the place of headings may be a row about a person."""
    made = with_inbox(tmp_path)
    made.drop("inbox/us/a.csv", "jan@voorbeeld.nl,123456782,2025-01-05,rest\nx,y,z,a\n")
    routed(made)
    kept = (made.home / "landing" / "unrouted.json").read_text("utf-8")
    assert not any(text in kept for text in ("voorbeeld", "123456782", "2025-01-05"))
    assert json.loads(kept)[0]["headings"] == ["rest"]


def test_an_inbox_that_is_not_there_is_told(tmp_path: Path):
    made = with_inbox(tmp_path)
    (made.project / "inbox").rmdir()
    assert "the folder inbox of inbox does not exist" in made.keten("run", code=2)


def test_an_inbox_that_is_down_delays_only_itself(tmp_path: Path):
    made = with_inbox(tmp_path)
    made.keten("run")
    (made.project / "inbox").rmdir()
    rows = "C,Client,client\nW,Collector,contractor\nV,Other,contractor\nN,New,contractor\n"
    made.drop("data/party_20250301.csv", f"party_id,party_name,role_code\n{rows}")
    assert "the folder inbox of inbox does not exist" in made.keten("run")
    assert made.states()["party_20250301.csv"] == "loaded"


def test_a_rejected_file_of_a_source_tells_what_the_heading_may_be_now(tmp_path: Path):
    made = tiny(tmp_path)
    made.drop("data/waste_collection_20250301.csv", RENAMED)
    told = made.keten("run")
    assert (
        "the heading 'kg' of mapping us__waste_collection is missing, or is 'kg net' now; found: collector, site"
        in told
    )


def test_the_difference_uses_values_where_names_say_nothing(tmp_path: Path):
    """`massa` for `kg`: by name nothing tells, but it is the only new heading with numbers in it."""
    made = tiny(tmp_path)
    mapping = load_catalogue(made.project).mappings["us", "waste_collection"]
    headings = ("collector", "site", "day", "stream", "massa", "wie")
    assert difference(headings, mapping).renamed == {}
    assert difference(headings, mapping, lambda _, heading: heading == "massa").renamed == {"kg": "massa"}


def test_an_inbox_needs_a_path(tmp_path: Path):
    made = tiny(tmp_path)
    made.declare("sources.yml", {"sources": [], "inbox": {"folder": "inbox"}})
    with pytest.raises(KetenError, match="sources.yml: inbox"):
        load_catalogue(made.project)
