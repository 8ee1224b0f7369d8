"""A file on the web: fetched when it changed, whole or not at all, with credentials for its own host only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.deployment import READINGS, tiny
from tests.sources import Pulling, certificate, half_answers

FIRST = f"{READINGS}\nE,2025-02-01,11\n".encode()
SECOND = f"{READINGS}\nE,2025-02-02,12\n".encode()
CSV = "meter_reading_20250201.csv"
TOKEN = "s3cret-token"


@pytest.fixture
def pulling(tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Pulling:
    monkeypatch.setenv("KETEN_TEST_TOKEN", TOKEN)
    made = Pulling(tiny(tmp_path))
    made.declare(http={"url": httpserver.url_for(f"/{CSV}"), "token": "${env:KETEN_TEST_TOKEN}"})
    return made


def answering(server: HTTPServer, answer: Callable[[Request], Response], path: str = f"/{CSV}") -> list[Request]:
    """What a server answers, and the requests it got."""
    asked: list[Request] = []

    def handle(request: Request) -> Response:
        asked.append(request)
        return answer(request)

    server.expect_request(path).respond_with_handler(handle)
    return asked


@pytest.mark.parametrize("mark", ["ETag", "Last-Modified"])
def test_a_file_that_did_not_change_is_not_sent_again(pulling: Pulling, httpserver: HTTPServer, mark: str) -> None:
    held = {"body": FIRST, "mark": '"1"' if mark == "ETag" else "Sat, 01 Feb 2025 10:00:00 GMT"}
    asks = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[mark]

    def answer(request: Request) -> Response:
        if request.headers.get(asks) == held["mark"]:
            return Response(status=304)
        return Response(held["body"], headers={mark: str(held["mark"])})

    asked = answering(httpserver, answer)
    assert pulling.pull().failed == {}
    assert pulling.bytes() == {CSV: FIRST}
    assert pulling.pull().landed == []
    assert asked[1].headers[asks] == held["mark"]
    held.update(body=SECOND, mark='"2"' if mark == "ETag" else "Sun, 02 Feb 2025 10:00:00 GMT")
    assert len(pulling.pull().landed) == 1
    assert asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_file_without_any_mark_is_one_receipt_as_long_as_its_bytes_are_the_same(
    pulling: Pulling, httpserver: HTTPServer
) -> None:
    answering(httpserver, lambda _: Response(FIRST))
    pulling.pull()
    assert (pulling.pull().landed, pulling.count()) == ([], 1)


@pytest.mark.parametrize("same", [True, False], ids=["same file", "another file"])
def test_a_broken_download_goes_on_only_where_the_file_is_still_the_same(pulling: Pulling, same: bool) -> None:
    body = READINGS.encode() + b"\n" + b"".join(b"E,2025-02-%02d,5\n" % day for day in range(1, 29)) * 1000
    with half_answers(body, is_same=same) as (url, ranges):
        pulling.declare(http={"url": f"{url}/{CSV}"})
        assert pulling.pull().failed == {}
    assert pulling.bytes() == {CSV: body}
    assert ranges[0] == "" and ranges[1].startswith("bytes=")
    assert pulling.left_over() == []


def test_a_download_that_breaks_every_time_lands_nothing(pulling: Pulling) -> None:
    with half_answers(b"x" * 10_000, times=99) as (url, ranges):
        pulling.declare(http={"url": f"{url}/{CSV}", "tries": 3})
        (told,) = pulling.pull().failed.values()
    assert "does not answer to the end" in told
    assert len(ranges) == 3
    assert (pulling.count(), pulling.left_over()) == (0, [])


def test_a_server_that_sends_a_byte_now_and_then_is_left_when_the_time_is_over(pulling: Pulling) -> None:
    with half_answers(b"x" * 10_000, drips=True) as (url, _):
        pulling.declare(http={"url": f"{url}/{CSV}", "total_seconds": 0.5})
        (told,) = pulling.pull().failed.values()
    assert "the 0.5 s for one pull are over" in told
    assert pulling.count() == 0


def seconds(wait: int) -> str:
    return str(wait)


def as_date(wait: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=wait), usegmt=True)


@pytest.mark.parametrize(("status", "header"), [(429, seconds), (503, as_date)], ids=["429", "503 with a date"])
def test_a_server_that_asks_to_wait_is_given_the_time(
    pulling: Pulling, httpserver: HTTPServer, status: int, header: Callable[[int], str]
) -> None:
    answers = [Response(status=status, headers={"Retry-After": header(77)}), Response(FIRST)]
    answering(httpserver, lambda _: answers.pop(0))
    assert pulling.pull().failed == {}
    assert len(pulling.pauses) == 1 and 70 < pulling.pauses[0] <= 77
    assert pulling.count() == 1


def test_a_wait_beyond_the_time_of_the_pull_is_not_begun(pulling: Pulling, httpserver: HTTPServer) -> None:
    answering(httpserver, lambda _: Response(status=429, headers={"Retry-After": "3600"}))
    (told,) = pulling.pull().failed.values()
    assert "answers 429" in told and "total_seconds" in told
    assert pulling.pauses == []


REFUSED = {
    "401": (Response(b"bad token", status=401), "it refuses the credentials (401), and says: bad token"),
    "404": (Response(b"", status=404), "it answers 404"),
    "500": (Response(b"", status=500), "it answers 500"),
    "to no host": (Response(status=302, headers={"Location": "ftp://127.0.0.1/"}), "redirects to an address"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_server_refuses_is_told_without_a_secret(pulling: Pulling, httpserver: HTTPServer, case: str) -> None:
    answer, words = REFUSED[case]
    asked = answering(httpserver, lambda _: answer)
    (told,) = pulling.pull().failed.values()
    assert words in told and TOKEN not in told
    assert len(asked) == (4 if case == "500" else 1), "only what may pass is asked for again"


def test_what_a_server_repeats_of_a_secret_is_hidden(pulling: Pulling, httpserver: HTTPServer) -> None:
    answering(httpserver, lambda request: Response(request.headers["Authorization"], status=403))
    (told,) = pulling.pull().failed.values()
    assert "says: Bearer ***" in told


def test_a_token_does_not_follow_a_redirect_to_another_host(pulling: Pulling, httpserver: HTTPServer) -> None:
    with other_server() as other:
        there = other.url_for("/elsewhere.csv?signed=1")
        answering(httpserver, lambda _: Response(status=302, headers={"Location": there}))
        asked = answering(other, lambda _: Response(FIRST), "/elsewhere.csv")
        pulling.declare(
            http={
                "url": httpserver.url_for(f"/{CSV}"),
                "token": "${env:KETEN_TEST_TOKEN}",
                "headers": {"X-Api-Key": "${env:KETEN_TEST_TOKEN}"},
                "params": {"api_key": "${env:KETEN_TEST_TOKEN}"},
            }
        )
        assert pulling.pull().failed == {}
    assert pulling.bytes() == {CSV: FIRST}
    assert TOKEN not in str(asked[0].headers) + asked[0].url


@pytest.mark.parametrize("send", ["basic", "body"])
def test_a_token_is_asked_for_and_renewed_when_it_runs_out(pulling: Pulling, httpserver: HTTPServer, send: str) -> None:
    given: list[str] = []

    def sign_in(request: Request) -> Response:
        known = request.authorization
        sent = (known.username, known.password) if known else (request.form["client_id"], request.form["client_secret"])
        assert (*sent, request.form["grant_type"]) == ("me", TOKEN, "client_credentials")
        given.append(f"token-{len(given)}")
        return Response(f'{{"access_token": "{given[-1]}", "expires_in": 20}}')

    httpserver.expect_request("/token", method="POST").respond_with_handler(sign_in)
    answers = [Response(status=503), Response(FIRST)]
    asked = answering(httpserver, lambda _: answers.pop(0))
    oauth = {"url": httpserver.url_for("/token"), "client_id": "me", "client_secret": "${env:KETEN_TEST_TOKEN}"}
    pulling.declare(http={"url": httpserver.url_for(f"/{CSV}"), "oauth": {**oauth, "send": send}})
    assert pulling.pull().failed == {}
    assert [request.headers["Authorization"] for request in asked] == ["Bearer token-0", "Bearer token-1"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response(b'{"error": "invalid_client"}', status=401), "it refuses the credentials (401)"),
        (Response(b"{}"), "gives no access_token"),
        (Response(b"<html>"), "gives no access_token"),
    ],
    ids=["refused", "no token", "a page"],
)
def test_a_sign_in_that_fails_is_told(pulling: Pulling, httpserver: HTTPServer, answer: Response, words: str) -> None:
    httpserver.expect_request("/token").respond_with_handler(lambda _: answer)
    oauth = {"url": httpserver.url_for("/token"), "client_id": "me", "client_secret": "${env:KETEN_TEST_TOKEN}"}
    pulling.declare(http={"url": httpserver.url_for(f"/{CSV}"), "oauth": oauth})
    (told,) = pulling.pull().failed.values()
    assert words in told and TOKEN not in told


@contextmanager
def other_server() -> Iterator[HTTPServer]:
    server = HTTPServer(host="127.0.0.1")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_a_certificate_that_nobody_signed_is_refused_and_ca_file_is_the_repair(
    pulling: Pulling, tmp_path: Path
) -> None:
    server = HTTPServer(host="localhost", ssl_context=certificate(tmp_path))
    server.start()
    try:
        answering(server, lambda _: Response(FIRST))
        facts: dict[str, Any] = {"url": server.url_for(f"/{CSV}")}
        pulling.declare(http=facts)
        (told,) = pulling.pull().failed.values()
        assert "its certificate cannot be trusted" in told and "ca_file" in told
        pulling.declare(http={**facts, "ca_file": str(tmp_path / "ca.pem")})
        assert pulling.pull().failed == {}
    finally:
        server.stop()


def test_a_page_with_an_error_is_rejected_with_what_it_says_and_the_file_comes_later(
    pulling: Pulling, httpserver: HTTPServer
) -> None:
    answers = [Response(b'{"error": "token expired"}'), Response(FIRST)]
    answering(httpserver, lambda _: answers.pop(0))
    pulling.pull()
    pulling.pull()
    assert pulling.count() == 2, "the first is rejected when it is read, the second counts"


def test_a_file_with_personal_data_is_refused_before_it_is_kept(pulling: Pulling, httpserver: HTTPServer) -> None:
    answering(httpserver, lambda _: Response(b"meter,day,kwh,achternaam\nE,2025-02-01,1,Jansen\n"))
    assert pulling.pull().refused == {CSV: ["achternaam"]}
    found = [p for p in pulling.made.landing.folder.rglob("*") if p.is_file() and b"Jansen" in p.read_bytes()]
    assert found == []
