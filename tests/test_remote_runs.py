"""Runs of a deployment with a source on a server: when it is asked, when not, and what it holds up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from assets.pulling import files_to_pull, pull, source_fingerprint
from pipelines.doctor.examining import Patient, examined
from pipelines.doctor.settings import sources
from pipelines.facts import failed_sources, overdue_datasets
from pipelines.instance import instance
from pipelines.news import reasons_to_run
from pipelines.running import require_settings
from pipelines.settings import Place
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from tests.deployment import AS_OF, READINGS, WASTE, Deployment
from tests.faults.soundness import publication
from tests.sources import Pulling

CSV = "meter_reading_20250301.csv"
PLAN_CHANGES = 3


class Web:
    """A file on the web that takes the place of the folder with readings."""

    def __init__(self, made: Deployment, server: HTTPServer) -> None:
        self.made, self.server = made, server
        self.body = f"{READINGS}\nE,2025-02-03,50\n".encode()
        self.status = 200
        server.expect_request(f"/{CSV}").respond_with_handler(self._answer)
        Pulling(made).declare(http={"url": server.url_for(f"/{CSV}"), "tries": 1})

    def _answer(self, request: Request) -> Response:
        etag = f'"{hash(self.body)}"'
        if self.status == 200 and request.headers.get("If-None-Match") == etag:
            return Response(status=304)
        return Response(self.body, status=self.status, headers={"ETag": etag})

    @property
    def place(self) -> Place:
        return Place(self.made.home, self.made.project)

    def asked(self) -> int:
        """How often the server was asked since this was last asked."""
        count = len(self.server.log)
        self.server.clear_log()
        return count


@pytest.fixture
def web(small: Deployment, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("KETEN_AS_OF", AS_OF)
    yield Web(small.copy(tmp_path), httpserver)


def reasons(web: Web) -> list[str]:
    """Why the schedule of the day would ask for a run."""
    with instance(web.place) as dagster:
        assert isinstance(dagster, dg.DagsterInstance)
        return [words.en for words in reasons_to_run(web.place, load_catalogue(web.made.project), dagster)]


def test_a_run_fetches_what_is_new_and_nothing_new_is_told_without_one(web: Web) -> None:
    web.made.keten("run")
    assert (publication(web.made), web.made.states()[CSV]) == (2, "loaded")
    assert "Nothing new" in web.made.keten("run")
    assert reasons(web) == []
    web.body += b"E,2025-02-04,60\n"
    assert reasons(web) == ["to be fetched: us/meter_reading"]


def test_a_plan_fetches_into_its_copy_and_leaves_what_was_seen_as_it_was(web: Web) -> None:
    told = web.made.keten("plan", code=PLAN_CHANGES)
    assert f"+ meter_reading {CSV}" in told
    landing = web.made.landing
    assert CSV not in {receipt.file_name for receipt in landing.receipts()}
    assert not (landing.folder / "sources").exists()


def test_what_looks_every_minute_asks_no_server(web: Web) -> None:
    catalogue = load_catalogue(web.made.project)
    files_to_pull(catalogue, web.made.project, web.made.landing)
    source_fingerprint(catalogue, web.made.project, web.made.landing.folder)
    assert web.asked() == 0


def test_a_server_that_is_down_delays_only_itself_also_before_it_ever_brought_anything(web: Web) -> None:
    web.status = 500
    web.made.drop("data/waste_collection_20250301.csv", f"{WASTE}\nW,S,2025-02-05,rest,60\n")
    assert "it answers 500" in web.made.keten("run")
    assert web.made.states()["waste_collection_20250301.csv"] == "loaded"
    (fact,) = failed_sources(web.made.landing)
    assert fact.what.en.startswith("sources.yml: us/meter_reading: http://")
    web.status = 200
    assert reasons(web) != [], "a source that failed is asked again by the next run"
    pull(load_catalogue(web.made.project), web.made.project, web.made.landing, "meter_reading")
    assert list(failed_sources(web.made.landing)) == []


def test_doctor_tells_which_server_does_not_answer(web: Web) -> None:
    patient = Patient(web.place)
    assert [finding.state for finding in examined(sources, patient)] == ["ok"]
    web.status = 403
    found = examined(sources, patient)
    assert [finding.state for finding in found] == ["fault", "ok"]
    assert "it refuses the credentials (403)" in found[0].told and "4 of 5 can be read" in found[1].told


@pytest.mark.parametrize(
    ("origin", "token", "words"),
    [
        ("us", "${env:KETEN_TEST_GONE}", "set the environment variable KETEN_TEST_GONE for us/meter_reading"),
        ("you", None, "write mappings/you__meter_reading.yml for this source"),
    ],
)
def test_what_cannot_be_used_stops_the_run_before_any_work(
    web: Web, origin: str, token: str | None, words: str
) -> None:
    http = {"url": web.server.url_for(f"/{CSV}"), **({"token": token} if token else {})}
    Pulling(web.made).declare(origin=origin, http=http)
    with pytest.raises(KetenError, match=re.escape(words)):
        require_settings(load_catalogue(web.made.project), web.place)
    assert web.asked() == 0


def test_a_source_on_a_server_is_overdue_by_what_it_last_brought(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    Pulling(web.made).pull()
    web.made.drop(
        "keten.yml", (web.made.project / "keten.yml").read_text("utf-8").replace("to: 2025-02", "to: 2099-01")
    )
    monkeypatch.setenv("KETEN_AS_OF", "2099-01-01")
    facts = overdue_datasets(load_catalogue(web.made.project), web.made.project, web.made.landing)
    assert "dataset_overdue:us/meter_reading" in {fact.key for fact in facts}
