"""A planted secret is in no file, log, event, error or page; and a run writes nowhere but in its home."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.deployment import AS_OF, Deployment
from tests.faults.soundness import correction, publication
from tests.faults.victim import URL, Victim
from tests.postgres_server import PostgresServer

ROOT = Path(__file__).parents[2]
IN_URL = "planted-in-a-url-7f3a"
IN_PATH = "planted-in-a-path-91bc"
IN_SOURCE = "planted-in-a-source-c04e"
IN_TOKEN = "planted-in-a-token-5d2f"
# Its own memory of which files it read holds their paths; it is for the owner of the home alone.
OWN_MEMORY = "landing/seen.json"
QUESTIONS = (
    "{ runsOrError { ... on Runs { results { tags { key value } runConfigYaml"
    " eventConnection { events { ... on MessageEvent { message } ... on ErrorEvent { error { message stack"
    " causes { message stack } } } } } } } } }",
    "{ assetNodes { assetKey { path } description metadataEntries { __typename label description }"
    " assetMaterializations(limit: 3) { metadataEntries { __typename label description ... on TextMetadataEntry { text }"
    " ... on JsonMetadataEntry { jsonString } } } } }",
    "{ repositoriesOrError { ... on RepositoryConnection { nodes { allTopLevelResourceDetails { name description"
    " configuredValues { key value } } } } } }",
)


def texts_of_duckdb(path: Path) -> Iterator[str]:
    """Every row of a database as text: its file may hold texts compressed."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select database_name, schema_name, table_name from duckdb_tables()").fetchall()
        for names in tables:
            table = ".".join(f'"{name}"' for name in names)
            yield from (str(row) for row in connection.execute(f"select * from {table}").fetchall())


def texts_of_sqlite(path: Path) -> Iterator[str]:
    """Every value of a database as text, unpacked when it is packed."""
    with closing(sqlite3.connect(path)) as connection:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                for value in row:
                    try:
                        yield zlib.decompress(value).decode() if isinstance(value, bytes) else str(value)
                    except zlib.error:
                        yield repr(value)


def places_with(secret: str, folder: Path) -> list[str]:
    """Files of a folder that hold a text."""
    found = []
    for path in (p for p in sorted(folder.rglob("*")) if p.is_file()):
        texts = {".duckdb": texts_of_duckdb, ".db": texts_of_sqlite}.get(path.suffix)
        if secret.encode() in path.read_bytes() or (texts and any(secret in text for text in texts(path))):
            found.append(path.relative_to(folder).as_posix())
    return found


def repeated(request: Request) -> Response:
    """A server that refuses, and repeats all it was told."""
    return Response(f"refused: {request.url} {dict(request.headers)}", status=403)


@pytest.fixture
def victim(small: Deployment, postgres: PostgresServer, httpserver: HTTPServer, tmp_path: Path) -> Victim:
    """A deployment with a secret in the URL of its database, in the path of its folders, and in a source on a server."""
    made = small.copy(tmp_path)
    with postgres.connect() as administrator:
        administrator.execute(f"create role planted login createrole password '{IN_URL}'")
        administrator.execute("create database planted owner planted")
    victim = Victim(made, postgres, "planted", postgres.url_of("planted", IN_URL, "planted"))
    share = tmp_path / IN_PATH
    (made.project / "data").rename(share)
    sources = yaml.safe_load((made.project / "sources.yml").read_text("utf-8"))["sources"]
    shared = [{**source, "path": "${env:KETEN_SHARE}"} for source in sources]
    there = {"url": "${env:KETEN_THERE}", "name": "meter_reading_2.csv", "params": {"key": "${env:KETEN_TOKEN}"}}
    web = {"dataset": "meter_reading", "origin": "web", "http": {**there, "headers": {"X-Key": "${env:KETEN_TOKEN}"}}}
    made.declare("sources.yml", {"sources": [*shared, web]})
    made.drop("mappings/web__meter_reading.yml", (made.project / "mappings/us__meter_reading.yml").read_bytes())
    httpserver.expect_request("/shared").respond_with_handler(repeated)
    address = httpserver.url_for("/shared").replace("http://", f"http://web:{IN_SOURCE}@")
    victim.env |= {"KETEN_SHARE": str(share), "KETEN_THERE": address, "KETEN_TOKEN": IN_TOKEN}
    return victim


def deliver(victim: Victim, number: int) -> None:
    path, text = correction(number)
    victim.made.drop(path, text)
    shutil.move(victim.made.project / path, victim.env["KETEN_SHARE"])


def answers(victim: Victim) -> str:
    """What Dagster's interface answers about runs, assets and resources, and its first page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = victim.made.start("exec", "dagster-webserver", "-h", "127.0.0.1", "-p", str(port), env=victim.env)
    try:
        page = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while True:
            try:
                told = [urllib.request.urlopen(page, timeout=60).read().decode()]
                break
            except OSError:
                assert server.is_alive() and time.monotonic() < until, victim.made.said(server)
                time.sleep(0.2)
        for question in QUESTIONS:
            body = json.dumps({"query": question}).encode()
            request = urllib.request.Request(f"{page}/graphql", body, {"Content-Type": "application/json"})
            answer = json.loads(urllib.request.urlopen(request, timeout=60).read())
            assert "errors" not in answer, answer["errors"]
            told.append(json.dumps(answer))
        return "\n".join([*told, victim.made.said(server)])
    finally:
        server.terminate()
        server.join(30)


def test_a_planted_secret_is_nowhere(victim: Victim, postgres: PostgresServer, tmp_path: Path) -> None:
    made = victim.made
    victim.run()
    assert victim.warehouse() == publication(made)
    deliver(victim, 1)
    with postgres.connect() as administrator:
        administrator.execute("alter role planted password 'another'")
    told = made.keten("run", env=victim.env, code=2)
    assert "password authentication failed" in told and "catches up by itself" in told
    shown = answers(victim)
    assert "password authentication failed" in shown, "the interface tells the same fault"
    Path(victim.env["KETEN_SHARE"]).rename(tmp_path / "gone")
    told += made.finish(made.start("run", env=victim.env)).text
    assert "the folder ${env:KETEN_SHARE} of us/" in told
    assert "web/meter_reading: ${env:KETEN_THERE}: it refuses the credentials (403)" in told
    for secret in (IN_URL, IN_PATH, IN_SOURCE, b64encode(f"web:{IN_SOURCE}".encode()).decode(), IN_TOKEN):
        assert secret not in told
        assert secret not in shown
        assert [place for place in places_with(secret, made.home) if place != OWN_MEMORY] == []
        assert places_with(secret, made.project) == []
    assert (made.home / OWN_MEMORY).stat().st_mode & 0o077 == 0


def test_the_search_for_secrets_finds_what_is_packed(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("create table t (b blob)")
        connection.execute("insert into t values (?)", [zlib.compress(f"x{IN_URL}x".encode() * 9)])
        connection.commit()
    with duckdb.connect(str(tmp_path / "b.duckdb")) as connection:
        connection.execute(f"create table t as select '{IN_URL}' || i as a from range(5000) s(i)")
    (tmp_path / "c.txt").write_text(IN_URL, "utf-8")
    assert places_with(IN_URL, tmp_path) == ["a.db", "b.duckdb", "c.txt"]


def facts(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time and content of every file, but for what Python keeps of code it compiled."""
    found = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(folder).as_posix(): (p.stat().st_mtime_ns, p.read_bytes()) for p in found}


def test_a_run_writes_nowhere_but_in_its_home(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    targets = [{"kind": "parquet"}, {"kind": "excel"}, {"kind": "postgresql", "url": f"${{env:{URL}}}"}]
    settings = yaml.safe_load((made.project / "keten.yml").read_text("utf-8"))
    made.declare("keten.yml", {**settings, "targets": targets})
    made.drop(*correction(1))
    watched = {}
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "cwd"):
        watched[name] = tmp_path / name
        watched[name].mkdir()
    outside = {name: str(path) for name, path in watched.items() if name != "cwd"}
    place = {"KETEN_HOME": str(made.home), "KETEN_PROJECT": str(made.project), "KETEN_AS_OF": AS_OF}
    place |= {URL: "postgresql+psycopg://nobody:nothing@127.0.0.1:1/none", "PYTHONPATH": str(ROOT)}
    before, rooms = facts(made.project), [ROOT / room for room in ("pipelines", "assets", "resources", "dbt_like_sql")]
    code = [facts(room) for room in rooms]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run"],
        cwd=watched["cwd"],
        env={**os.environ, **outside, **place},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "catches up by itself" in done.stdout + done.stderr, "it went as far as the target that is down"
    assert publication(made) == 2
    assert {name: list(path.rglob("*")) for name, path in watched.items()} == dict.fromkeys(watched, [])
    assert facts(made.project) == before
    assert [facts(room) for room in rooms] == code
