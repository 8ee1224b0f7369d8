"""`keten serve`: it shows the page and Dagster, changes nothing, gives away nothing else, and ends when asked."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.deployment import Deployment

LAUNCH = (
    "mutation {launchRun(executionParams: {selector: {repositoryLocationName: "
    '"ketenimpact", repositoryName: "__repository__", jobName: "refresh"}, runConfigData: {}}) {__typename}}'
)
WIPE = 'mutation {wipeAssets(assetPartitionRanges: [{assetKey: {path: ["core", "site"]}}]) {__typename}}'
RELOAD = 'mutation {reloadRepositoryLocation(repositoryLocationName: "ketenimpact") {__typename}}'
SHUTDOWN = 'mutation {shutdownRepositoryLocation(repositoryLocationName: "ketenimpact") {__typename}}'


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Served:
    """A deployment and the server that shows it."""

    made: Deployment
    process: ForkServerProcess
    port: int

    def ask(self, path: str, body: str | None = None, **headers: str) -> Answer:
        """One request, its path sent as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        method = "GET" if body is None else "POST"
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        found = Answer(response.status, response.headers, response.read())
        connection.close()
        return found

    def graphql(self, query: str) -> str:
        return self.ask("/dagster/graphql", json.dumps({"query": query})).body.decode()

    def end(self) -> int | None:
        """Press Ctrl-C; the exit code."""
        os.kill(self.process.pid or 0, signal.SIGINT)
        return self.made.finish(self.process, timeout=30).code


@contextmanager
def serving(made: Deployment) -> Iterator[Served]:
    """The server on a free port for the time of the block."""
    process = made.start("serve", "--port", "0")
    while not (found := re.search(r"127\.0\.0\.1:(\d+)/", made.said(process))):
        process.join(0.05)
        assert process.exitcode is None, made.said(process)
    try:
        yield Served(made, process, int(found[1]))
    finally:
        process.kill()
        process.join()


@pytest.fixture(scope="module")
def served(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(small.copy(tmp_path_factory.mktemp("served"))) as found:
        yield found


@pytest.mark.parametrize(
    ("path", "kind", "file_name"),
    [
        ("/", "text/html; charset=utf-8", "index.html"),
        ("/index.html", "text/html; charset=utf-8", "index.html"),
        ("/catalogue/energy_intensity.html", "text/html; charset=utf-8", "catalogue/energy_intensity.html"),
        ("/bi.duckdb", "application/octet-stream", "bi.duckdb"),
    ],
)
def test_what_is_published_is_served_byte_for_byte(served: Served, path: str, kind: str, file_name: str) -> None:
    answer = served.ask(path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert answer.body == (served.made.published.parent / file_name).read_bytes()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/dagster/", "/nothing", "/dagster/graphql"])
def test_every_answer_keeps_other_sites_out(served: Served, path: str) -> None:
    headers = served.ask(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    [
        "/../engine.duckdb",
        "/..%2fengine.duckdb",
        "/%2e%2e/landing",
        "/catalogue/../../engine.duckdb",
        "//engine.duckdb",
        "/catalogue",
        "/catalogue/",
        "/.secret",
        "/bi.duckdb.wal",
        "/bi.duckdb.tmp-1-read0",
        "/away.html",
        "/%00",
        "/" + "x" * 5000,
    ],
)
def test_nothing_else_is_served(served: Served, path: str) -> None:
    folder = served.made.published.parent
    for name in (".secret", "bi.duckdb.wal", "bi.duckdb.tmp-1-read0"):
        (folder / name).write_text("kept back")
    link = folder / "away.html"
    if not link.is_symlink():
        link.symlink_to(served.made.home / "engine.duckdb")
    answer = served.ask(path)
    assert (answer.status, answer.body) == (404, b"404")


def test_a_log_of_dagster_leads_to_no_other_file(served: Served) -> None:
    answer = served.ask("/dagster/logs/..%2f..%2f..%2fengine.duckdb")
    assert answer.status >= 400 and b"DUCK" not in answer.body


@pytest.mark.parametrize("mutation", [LAUNCH, WIPE, RELOAD, SHUTDOWN], ids=["launch", "wipe", "reload", "shutdown"])
def test_nobody_can_start_or_change_anything(served: Served, mutation: str) -> None:
    assert "UnauthorizedError" in served.graphql(mutation)


def test_nobody_can_report_what_did_not_happen(served: Served) -> None:
    assert served.ask("/dagster/report_asset_materialization/core/site", "{}").status == 401


def test_an_asset_leads_to_its_page_at_the_same_address(served: Served) -> None:
    query = '{assetNodeOrError(assetKey: {path: ["indicator", "energy_intensity"]}) {... on AssetNode'
    told = served.graphql(f"{query} {{metadataEntries {{label ... on UrlMetadataEntry {{url}}}}}}}}}}")
    (page,) = re.findall(r'"label": ?"page", ?"url": ?"([^"]+)"', told)
    assert served.ask(page).status == 200


@pytest.mark.parametrize(
    "header", [{"Host": "keten.example.org"}, {"Origin": "http://example.org"}, {"Origin": "null"}], ids=str
)
def test_what_another_site_asks_for_is_refused(served: Served, header: dict[str, str]) -> None:
    assert served.ask("/dagster/graphql", '{"query": "{version}"}', **header).status in (400, 403)
    assert served.ask("/", **header).status in (400, 403)


def test_a_reader_gets_one_whole_page_while_publications_replace_it(served: Served) -> None:
    page = served.made.published.with_name("replaced.html")
    texts = [letter * length for letter, length in (("a", 10), ("b", 3_000_000), ("c", 1_000))]
    done = threading.Event()

    def publish() -> None:
        while not done.is_set():
            for text in texts:
                temporary = page.with_name("replaced.html.tmp-0")
                temporary.write_text(text)
                temporary.replace(page)

    page.write_text(texts[0])
    writer = threading.Thread(target=publish)
    writer.start()
    try:
        found = {served.ask("/replaced.html").body.decode() for _ in range(100)}
    finally:
        done.set()
        writer.join()
    assert found <= set(texts) and len(found) > 1


def test_before_the_first_publication_the_reader_is_told_so(served: Served, tmp_path: Path) -> None:
    page = served.made.published.with_name("index.html")
    away = page.rename(tmp_path / "index.html")
    answer = served.ask("/")
    away.rename(page)
    assert answer.status == 404 and "Nog niets gepubliceerd" in answer.body.decode()


def test_the_command_refuses_what_others_could_reach_and_a_port_in_use(served: Served) -> None:
    assert "no log-in here" in served.made.keten("serve", "--host", "0.0.0.0", code=2)
    assert "choose others" in served.made.keten("serve", "--port", str(served.port), code=2)


def test_ctrl_c_ends_it_with_a_browser_still_listening_and_leaves_nothing_behind(served: Served) -> None:
    address = f"ws://127.0.0.1:{served.port}/dagster/graphql"
    with connect(address, subprotocols=["graphql-ws"]) as browser:  # type: ignore[list-item]
        browser.send('{"type": "connection_init"}')
        assert "connection_ack" in str(browser.recv(timeout=30))
        said = served.made.said(served.process)
        assert served.end() == 0
    with pytest.raises(ConnectionRefusedError):
        served.ask("/")
    assert served.made.said(served.process) == said, "no word of what was cut off"
