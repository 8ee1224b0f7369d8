"""Pulls from servers that are killed at any moment: no half of a file is landed, nothing is lost and nothing doubled."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from resources.catalogue.reading import load_catalogue
from resources.landing import Landing
from resources.sources.memory import Memory
from tests.deployment import FORKS, WASTE, Deployment
from tests.faults.soundness import assert_accounted
from tests.sources import PASSWORD, Pulling, SftpFolder, sftp_server

KILLS = 10
PIECE_SECONDS = 0.03
ENV = {"KETEN_TEST_SFTP_PASSWORD": PASSWORD}


class Slow:
    """A REST interface that sends its records some bytes at a time, two on a page."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.asked = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.set()
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                since, at = query["since"], 2 * (int(query["page"]) - 1)
                records = [r for r in outer.records if r["changed_at"] >= since]
                body = json.dumps({"data": records[at : at + 2]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    for start in range(0, len(body), 30):
                        self.wfile.write(body[start : start + 30])
                        self.wfile.flush()
                        time.sleep(PIECE_SECONDS)
                except OSError:
                    self.close_connection = True  # the other side was killed

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/readings"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(30)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.close()


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpFolder]:
    (tmp_path / "server").mkdir()
    with sftp_server(tmp_path / "server") as made:
        yield made


def deliver(slow: Slow, sftp: SftpFolder, number: int) -> None:
    """A correction of one day of February over REST, and a file with a lifting over SFTP; each for every number."""
    day = number % 28 + 1
    stamp = f"2025-03-01T{number // 60:02d}:{number % 60:02d}:00Z"
    slow.records.append({"meter": "E", "day": f"2025-02-{day:02d}", "kwh": number + 1, "changed_at": stamp})
    lifting = f"W,S,2025-02-{day:02d},rest,{number + 1}"
    sftp.put(f"waste_collection_2025{3 + number // 28:02d}{day:02d}.csv", f"{WASTE}\n{lifting}\n".encode())


def pull_both(project: Path, home: Path, env: dict[str, str]) -> None:
    """In a process of its own: pull the two datasets, without a run around it."""
    os.environ.update(env)
    from assets.pulling import pull

    catalogue, landing = load_catalogue(project), Landing(home / "landing")
    for dataset in ("meter_reading", "waste_collection"):
        failed = pull(catalogue, project, landing, dataset).failed
        assert failed == {}, failed


def start(made: Deployment, slow: Slow) -> ForkServerProcess:
    """A pull that has begun to ask."""
    slow.asked.clear()
    process = FORKS.Process(target=pull_both, args=(made.project, made.home, ENV))
    process.start()
    assert slow.asked.wait(60)
    return process


def test_a_pull_that_is_killed_loses_and_doubles_nothing(
    small: Deployment, slow: Slow, sftp: SftpFolder, tmp_path: Path
) -> None:
    made = small.copy(tmp_path)
    pulling = Pulling(made)
    since = {"param": "since", "field": "changed_at", "start": "2025-03-01T00:00:00Z"}
    paging = {"kind": "page", "size": 2}
    pulling.declare(rest={"url": slow.url, "records": "data", "paging": paging, "since": since})
    password, known = "${env:KETEN_TEST_SFTP_PASSWORD}", str(sftp.known_hosts)
    pulling.declare("waste_collection", sftp={"url": sftp.url, "password": password, "known_hosts": known})
    deliver(slow, sftp, 0)
    first, begun = start(made, slow), time.monotonic()
    first.join(60)
    whole, chance, killed = time.monotonic() - begun, random.Random(17), 0
    for number in range(1, KILLS + 1):
        deliver(slow, sftp, number)
        process = start(made, slow)
        process.join(whole * (number - chance.random()) / KILLS)
        if process.is_alive():
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.join(30)
        assert_whole_bytes(made.landing)
    last = start(made, slow)
    last.join(60)
    assert last.exitcode == 0
    print(f"{killed} of {KILLS} pulls killed")
    assert killed > KILLS // 3, "most pulls were over before they could be killed"
    assert_all_there(made, slow, sftp)
    made.keten("run", env=ENV)
    assert_accounted(made)
    assert made.rows(
        "select amount from bi.fact_indicator_month where indicator_id = 'energy_intensity' and component = 'energy_kwh'"
        " and month = '2025-02-01'"
    ) == [(sum(range(1, KILLS + 2)) + 10 * (28 - KILLS - 1),)]


def assert_whole_bytes(landing: Landing) -> None:
    """Every receipt has all the bytes it tells of."""
    for receipt in landing.receipts():
        data = landing.path(receipt).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (receipt.byte_count, receipt.sha256)


def assert_all_there(made: Deployment, slow: Slow, sftp: SftpFolder) -> None:
    """Each record and file came, files once; the next pull goes on behind the last; and sweeping leaves no beginnings."""
    landing = made.landing
    texts = [landing.path(r).read_text("utf-8") for r in landing.receipts() if r.file_name == "meter_reading.jsonl"]
    came = {json.dumps(json.loads(line)) for text in texts for line in text.splitlines()}
    assert came == {json.dumps(record) for record in slow.records}
    liftings = sorted(r.file_name for r in landing.receipts() if r.file_name.startswith("waste_collection_202503"))
    assert liftings == sorted(path.name for path in (sftp.folder / "out").iterdir())
    source = next(source for source in load_catalogue(made.project).sources if source.rest)
    assert Memory(landing.folder, source).seen["records"]["cursor"] == slow.records[-1]["changed_at"]
    landing.sweep()
    assert list(landing.folder.rglob(".*")) == []
