"""Records of a REST interface: every page once, on from where the last pull ended, and no error taken for an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from resources.landing import Landing
from tests.deployment import tiny
from tests.sources import Pulling

NAME = "meter_reading.jsonl"
RECORDS: list[dict[str, Any]] = [
    {"meter": "E", "day": f"2025-02-{day:02d}", "kwh": day, "changed_at": f"2025-03-{day:02d}T00:00:00Z"}
    for day in range(1, 8)
]


class Interface:
    """A REST interface with seven records, that pages in one of the ways there are."""

    def __init__(self, server: HTTPServer) -> None:
        self.server, self.records = server, list(RECORDS)
        self.asked: list[Request] = []
        self.instead: list[Response] = []

    def serve(self, page: Callable[[Interface, Request, list[Any]], Response]) -> None:
        def answer(request: Request) -> Response:
            self.asked.append(request)
            if self.instead:
                return self.instead.pop(0)
            since = request.args.get("since", "")
            return page(self, request, [r for r in self.records if r["changed_at"] >= since])

        self.server.expect_request("/readings").respond_with_handler(answer)

    def url(self, **params: Any) -> str:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return self.server.url_for("/readings") + (f"?{query}" if query else "")


def by_number(interface: Interface, request: Request, records: list[Any]) -> Response:
    at = 3 * int(request.args.get("page", 0))
    return said({"data": {"items": records[at : at + 3]}})


def by_offset(interface: Interface, request: Request, records: list[Any]) -> Response:
    at, size = int(request.args["offset"]), int(request.args["limit"])
    return said({"data": {"items": records[at : at + size]}})


def by_cursor(interface: Interface, request: Request, records: list[Any]) -> Response:
    at = int(request.args.get("after", 0))
    return said({"data": {"items": records[at : at + 3]}, "next": at + 3 if at + 3 < len(records) else None})


def by_next(interface: Interface, request: Request, records: list[Any]) -> Response:
    at = int(request.args.get("at", 0))
    more = interface.url(at=at + 3) if at + 3 < len(records) else ""
    return said({"data": {"items": records[at : at + 3]}, "links": {"next": more}})


def by_link(interface: Interface, request: Request, records: list[Any]) -> Response:
    at = int(request.args.get("at", 0))
    more = {"Link": f'</readings?at={at + 3}>; rel="next"'} if at + 3 < len(records) else {}
    return said({"data": {"items": records[at : at + 3]}}, more)


def at_once(interface: Interface, request: Request, records: list[Any]) -> Response:
    return said({"data": {"items": records}, "Status": "SUCCESSFUL"})


def said(answer: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(answer, indent=1), headers=headers, content_type="application/json")


@pytest.fixture
def interface(httpserver: HTTPServer) -> Interface:
    return Interface(httpserver)


@pytest.fixture
def pulling(tmp_path: Path, interface: Interface, monkeypatch: pytest.MonkeyPatch) -> Pulling:
    monkeypatch.setenv("KETEN_TEST_TOKEN", "s3cret-token")
    return Pulling(tiny(tmp_path))


def declared(pulling: Pulling, interface: Interface, **changes: Any) -> None:
    pulling.declare(rest={"url": interface.url(), "records": "data.items", **changes})


def landed(pulling: Pulling) -> list[Any]:
    return [json.loads(line) for line in pulling.bytes()[NAME].splitlines()]


PAGINGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "page": (by_number, {"kind": "page", "first": 0, "size": 3}),
    "page without a size": (by_number, {"kind": "page", "first": 0}),
    "offset": (by_offset, {"kind": "offset", "size": 3}),
    "cursor": (by_cursor, {"kind": "cursor", "at": "next", "param": "after"}),
    "next": (by_next, {"kind": "next", "at": "links.next"}),
    "link": (by_link, {"kind": "link"}),
}


@pytest.mark.parametrize("way", PAGINGS)
def test_the_records_of_all_pages_are_one_delivery(pulling: Pulling, interface: Interface, way: str) -> None:
    page, paging = PAGINGS[way]
    interface.serve(page)
    declared(pulling, interface, paging=paging, params={"api_key": "${env:KETEN_TEST_TOKEN}"})
    assert pulling.pull().failed == {}
    assert landed(pulling) == RECORDS
    assert {request.args["api_key"] for request in interface.asked} == {"s3cret-token"}, "on every page"
    assert pulling.pull().landed == [], "the same records are one receipt"


def test_a_record_is_kept_as_it_was_sent(pulling: Pulling, interface: Interface) -> None:
    record = '{"meter":"E\\u00e9\\n{[\\"", "kwh": 1.10000000000000000001,\n   "more": {"x": [1e3,\r\n 2]}}'
    interface.serve(at_once)
    interface.instead = [Response('{"rows": [1], "data": {"a": [{}], "items": [ ' + record + " ]}}")]
    declared(pulling, interface)
    assert pulling.pull().failed == {}
    (line,) = pulling.bytes()[NAME].decode().splitlines()
    assert line == record.replace(",\n   ", ", ").replace(",\r\n ", ", ")


SINCE = {"param": "since", "field": "changed_at", "start": "2025-03-02T00:00:00Z"}


def test_a_pull_goes_on_from_where_the_last_one_ended(pulling: Pulling, interface: Interface) -> None:
    interface.serve(by_number)
    declared(pulling, interface, since=SINCE, paging={"kind": "page", "first": 0, "size": 3})
    pulling.pull()
    assert landed(pulling) == RECORDS[1:]
    interface.records += [{**RECORDS[0], "kwh": 99, "changed_at": "2025-03-09T00:00:00Z"}]
    pulling.pull()
    assert interface.asked[-1].args["since"] == "2025-03-07T00:00:00Z"
    assert landed(pulling) == [RECORDS[-1], interface.records[-1]]
    pulling.pull()
    assert (pulling.pull().landed, pulling.count()) == ([], 3), "the last record sent alone, and then nothing"


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_pull_that_is_cut_off_around_the_landing_loses_and_doubles_nothing(
    pulling: Pulling, interface: Interface, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    interface.serve(at_once)
    declared(pulling, interface, since=SINCE)
    real = Landing.land

    def cut(landing: Landing, *facts: Any) -> Any:
        if where == "after":
            real(landing, *facts)
        raise KeyboardInterrupt

    monkeypatch.setattr(Landing, "land", cut)
    with pytest.raises(KeyboardInterrupt):
        pulling.pull()
    monkeypatch.setattr(Landing, "land", real)
    interface.records += [{**RECORDS[0], "changed_at": "2025-03-09T00:00:00Z"}]
    pulling.pull()
    landing = pulling.made.landing
    texts = [landing.path(r).read_text("utf-8") for r in landing.receipts() if r.dataset == "meter_reading"]
    rows = [json.loads(line) for text in texts for line in text.splitlines()]
    wanted = interface.records[1:]
    if where == "after":
        wanted = [*RECORDS[1:], RECORDS[-1], interface.records[-1]]  # asked again from the last moment on
    assert rows == wanted


def test_moments_with_offsets_are_compared_as_moments(pulling: Pulling, interface: Interface) -> None:
    first, second = "2025-10-26T02:30:00+02:00", "2025-10-26T02:10:00+01:00"  # the second is 40 minutes later
    interface.serve(at_once)
    interface.records = [{"changed_at": first}, {"changed_at": second}]
    declared(pulling, interface, since={**SINCE, "start": "2025-01-01"})
    pulling.pull()
    pulling.pull()
    assert interface.asked[-1].args["since"] == second


def test_refused_records_are_fetched_again_when_the_sender_left_the_persons_out(
    pulling: Pulling, interface: Interface
) -> None:
    interface.serve(at_once)
    interface.records = [{**record, "achternaam": "Jansen"} for record in RECORDS]
    declared(pulling, interface, since=SINCE)
    assert pulling.pull().refused == {NAME: ["achternaam"]}
    interface.records = list(RECORDS)
    pulling.pull()
    assert landed(pulling) == RECORDS[1:]


def test_an_answer_without_records_is_nothing_new(pulling: Pulling, interface: Interface) -> None:
    interface.serve(at_once)
    interface.records = []
    declared(pulling, interface)
    done = pulling.pull()
    assert (done.landed, done.failed, pulling.count()) == ([], {}, 0)


ERRORS: dict[str, tuple[Any, str]] = {
    "an error with 200": ({"error": "token expired"}, "no list of records at 'data.items', and says: { \"error\""),
    "another state": ({"Status": "FAILED", "data": {"items": []}}, "Status is FAILED and not SUCCESSFUL"),
    "a page of a proxy": ("<html>log in</html>", "not whole JSON"),
    "an object for the list": ({"Status": "SUCCESSFUL", "data": {"items": {}}}, "no list of records"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_that_comes_as_an_answer_is_no_delivery(pulling: Pulling, interface: Interface, case: str) -> None:
    answer, words = ERRORS[case]
    interface.serve(at_once)
    interface.instead = [said(answer) if isinstance(answer, dict) else Response(answer)]
    expect = {} if case == "an error with 200" else {"Status": "SUCCESSFUL"}
    declared(pulling, interface, expect=expect, since=SINCE)
    (told,) = pulling.pull().failed.values()
    assert words in told and "s3cret" not in told
    assert pulling.count() == 0
    pulling.pull()
    assert landed(pulling) == RECORDS[1:], "nothing was skipped"


def test_an_error_on_a_later_page_lands_nothing_of_the_pages_before(pulling: Pulling, interface: Interface) -> None:
    interface.serve(lambda i, r, records: by_number(i, r, records) if len(i.asked) < 3 else Response(status=404))
    declared(pulling, interface, paging={"kind": "page", "first": 0, "size": 3})
    assert "404" in pulling.pull().failed[NAME]
    assert (pulling.count(), pulling.left_over()) == (0, [])


def test_one_page_is_asked_for_again_and_not_all(pulling: Pulling, interface: Interface) -> None:
    interface.serve(
        lambda i, r, records: (
            by_number(i, r, records) if len(i.asked) != 2 else Response(status=429, headers={"Retry-After": "9"})
        )
    )
    declared(pulling, interface, paging={"kind": "page", "first": 0, "size": 3}, requests_per_minute=30)
    assert pulling.pull().failed == {}
    assert landed(pulling) == RECORDS
    assert [dict(parse_qsl(urlsplit(r.url).query))["page"] for r in interface.asked] == ["0", "1", "1", "2"]
    assert pulling.pauses == [2, 9, 2], "the pace that was agreed, and the wait that was asked for"


@pytest.mark.parametrize(
    ("more", "words"),
    [("http://example.org/readings", "the next page is on another host"), ("/readings?at=3", "the same next page")],
    ids=["another host", "itself"],
)
def test_a_next_page_that_leads_astray_is_not_followed(
    pulling: Pulling, interface: Interface, more: str, words: str
) -> None:
    interface.serve(
        lambda i, r, records: said({"no": len(i.asked), "data": {"items": records}, "links": {"next": more}})
    )
    declared(pulling, interface, paging={"kind": "next", "at": "links.next"})
    assert words in pulling.pull().failed[NAME]
    assert pulling.count() == 0


def test_a_server_that_does_not_know_the_parameter_of_paging_is_found_out(
    pulling: Pulling, interface: Interface
) -> None:
    interface.serve(at_once)
    declared(pulling, interface, paging={"kind": "page"})
    assert "the same page twice" in pulling.pull().failed[NAME]
    assert len(interface.asked) == 2


def test_a_parameter_in_the_address_is_not_taken_for_another_that_ends_alike(
    pulling: Pulling, interface: Interface
) -> None:
    interface.serve(by_number)
    declared(pulling, interface, url=interface.url(per_page=3), paging={"kind": "page", "first": 0, "size": 3})
    assert pulling.pull().failed == {}
    assert landed(pulling) == RECORDS


def test_records_above_the_limit_are_not_landed(pulling: Pulling, interface: Interface) -> None:
    interface.serve(at_once)
    declared(pulling, interface, max_bytes=100)
    assert "too large" in pulling.pull().failed[NAME]
