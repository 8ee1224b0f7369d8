"""Who is told of facts, and how: once by every channel, later by one that was down, never with a secret."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pytest_httpserver import HTTPServer

from assets.pulling import pull
from pipelines import run_facts
from pipelines.alert_sensor import alerts
from pipelines.alerting import Outcome, read_told, tell, try_channels
from pipelines.fact_kinds import Fact
from pipelines.facts import Found, find, look_at
from pipelines.instance import instance
from pipelines.settings import Place
from resources.catalogue import Catalogue
from resources.catalogue.deployment_models import Channel
from resources.catalogue.reading import load_catalogue
from resources.environment import hidden
from resources.errors import KetenError
from resources.notifying import send
from resources.wording import Words
from tests.deployment import Deployment

SECRET = "geheim-woord-17"
ROOT = Path(__file__).resolve().parent.parent


class Mailbox:
    """Keeps what a mail server receives; only who knows the password may send."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = message_from_bytes(envelope.content or b"", policy=default)  # type: ignore[arg-type]
        body = message.get_body(("plain", "html"))
        assert body is not None
        self.messages.append(f"{message['subject']}\n{body.get_content()}")
        return "250 OK"

    def allows(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data.password == SECRET.encode())


class MailServer(Controller):
    """A mail server on a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mail() -> Iterator[tuple[str, list[str]]]:
    """The URL of a channel by e-mail, and what arrives there."""
    box = Mailbox()
    server = MailServer(box, "127.0.0.1", 0, authenticator=box.allows, auth_require_tls=False, auth_required=True)
    server.start()
    url = f"mailto://anna:{SECRET}@127.0.0.1:{server.port}?from=keten@example.org&to=beheer@example.org&mode=insecure"
    yield url, box.messages
    server.stop()


@pytest.fixture
def hook(httpserver: HTTPServer) -> tuple[str, list[str]]:
    """The URL of a webhook, and what arrives there."""
    received: list[str] = []

    def note(request: object) -> object:
        from werkzeug import Response

        payload = json.loads(request.data)  # type: ignore[attr-defined]
        received.append(f"{payload['title']}\n{payload['message']}")
        return Response(status=200)

    httpserver.expect_request(f"/{SECRET}").respond_with_handler(note)  # type: ignore[arg-type]
    return f"json://127.0.0.1:{httpserver.port}/{SECRET}", received


def told_by(place: Place, *channels: str, language: str = "nl", least: str = "warning") -> Catalogue:
    """The catalogue of a deployment that tells these channels."""
    to = "".join(f"\n    - {{url: '{url}', least: {least}}}" for url in channels)
    path = place.project / "keten.yml"
    path.write_text(f"{path.read_text('utf-8')}alerts:\n  language: {language}\n  to:{to}\n", "utf-8")
    return load_catalogue(place.project)


def run_of_refresh(dagster: dg.DagsterInstance, error: Exception | None) -> None:
    """A run of a job called refresh that fails with an error, or succeeds."""

    @dg.op
    def step() -> None:
        if error:
            raise error

    @dg.job(name="refresh")
    def job() -> None:
        step()

    job.execute_in_process(instance=dagster, raise_on_error=False)


LANGUAGES = {
    "nl": ("1 melding", "Run mislukt", "Herstel: ", "OPGELOST"),
    "en": ("1 alert", "Run failed", "Repair: ", "SOLVED"),
}


@pytest.mark.parametrize(("kind", "language"), [("mail", "nl"), ("hook", "en")])
def test_two_runs_that_fail_alike_are_one_message_and_the_next_success_is_told(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    place: Place,
    kind: str,
    language: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, received = request.getfixturevalue(kind)
    monkeypatch.setenv("KETEN_TEST_URL", url)
    catalogue = told_by(place, "${env:KETEN_TEST_URL}", language=language)
    caplog.set_level(0)
    with instance(place) as dagster:
        for count in (3, 12):
            run_of_refresh(dagster, KetenError(f"{count} invariants do not hold; {SECRET} stands here (row: Jansen)"))
            tell(place, catalogue, find(place, catalogue, dagster, ()))
        title, name, repair, solved = LANGUAGES[language]
        assert len(received) == 1, "the second run failed for the same reason"
        assert title in received[0] and name in received[0] and repair in received[0]
        assert "3 invariants do not hold" in received[0]
        assert "Jansen" not in received[0], "what stands between brackets may be a row"
        run_of_refresh(dagster, None)
        for _ in range(2):
            tell(place, catalogue, find(place, catalogue, dagster, ()))
    assert len(received) == 2 and solved in received[1] and "invariants do not hold" in received[1]
    written = (place.home / "alerts" / "told.json").read_text("utf-8")
    logged = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]  # the server of this test
    assert all(SECRET not in text for text in (*received, written, *logged))


def test_another_cause_is_another_fact_and_both_are_over_when_a_run_succeeds(place: Place) -> None:
    with instance(place) as dagster:
        for error in (
            KetenError("the disk is full"),
            ValueError("cannot read 'Jansen'"),
            KetenError("the disk is full"),
        ):
            run_of_refresh(dagster, error)
        facts = list(run_facts.failed_runs(dagster))
        assert sorted(fact.what.en for fact in facts) == [
            "refresh: ValueError (step)",
            "refresh: the disk is full (step)",
        ]
        run_of_refresh(dagster, None)
        assert not list(run_facts.failed_runs(dagster))


def a_fact(kind: str = "run_failed", about: str = "x") -> Fact:
    return Fact(kind, about, Words(f"{about} is stuk", f"{about} is broken"), datetime(2026, 1, 1))


class Line:
    """A way of sending of which some channels are down; keeps what arrives."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.arrived: list[tuple[str, str]] = []

    def __call__(self, channel: Channel, title: str, body: str, tone: str, seconds: float) -> str:
        if channel.url in self.down:
            return "no answer"
        self.arrived.append((channel.url, body))
        return ""

    def at(self, url: str) -> list[str]:
        return [body for name, body in self.arrived if name == url]


FIRST, SECOND = "${env:FIRST}", "${env:SECOND}"


def test_a_channel_that_is_down_is_told_later_and_the_others_not_twice(place: Place) -> None:
    catalogue = told_by(place, FIRST, SECOND, language="en")
    line = Line()
    line.down = {FIRST}
    rounds: Callable[[Found], Outcome] = partial(tell, place, catalogue, sending=line)
    assert rounds(Found((a_fact(),))) == Outcome(1, {FIRST: "no answer"})
    assert rounds(Found((a_fact(),))) == Outcome(1, {FIRST: "no answer"})
    assert [("x is broken" in body, "Alerts do not arrive" in body) for body in line.at(SECOND)] == [
        (True, False),
        (False, True),
    ], "the second hears of the fact once, and then that the first cannot be reached"
    line.down = set()
    assert rounds(Found((a_fact(),))).failed == {}
    assert rounds(Found((a_fact(),))).sent == 1
    assert rounds(Found((a_fact(),))) == Outcome(0, {})
    assert len(line.at(FIRST)) == 1 and "x is broken" in line.at(FIRST)[0]
    assert "SOLVED" in line.at(SECOND)[2]


def test_what_came_and_went_while_a_channel_was_down_is_not_told_to_it(place: Place) -> None:
    catalogue = told_by(place, FIRST)
    line = Line()
    line.down = {FIRST}
    tell(place, catalogue, Found((a_fact(),)), line)
    line.down = set()
    tell(place, catalogue, Found(()), line)
    assert not line.arrived and read_told(place.home)[FIRST].failed, "whether it is reached is not known yet"
    assert try_channels(place, catalogue.settings, line) == {FIRST: ""}
    assert not read_told(place.home)[FIRST].failed


def test_a_channel_for_critical_facts_hears_no_warning(place: Place) -> None:
    catalogue = told_by(place, FIRST, least="critical")
    line = Line()
    tell(place, catalogue, Found((a_fact("check_warned", "w"), a_fact("run_failed", "r"))), line)
    assert "r is stuk" in line.at(FIRST)[0] and "w is stuk" not in line.at(FIRST)[0]


def test_what_cannot_be_seen_is_not_over(place: Place) -> None:
    def broken() -> list[Fact]:
        raise ValueError("a row: Jansen")

    catalogue = told_by(place, FIRST, language="en")
    line = Line()
    tell(place, catalogue, look_at({("run_failed",): lambda: [a_fact()]}), line)
    found = look_at({("run_failed",): broken, ("check_warned",): lambda: [a_fact("check_warned", "c")]})
    tell(place, catalogue, found, line)
    assert "SOLVED" not in line.at(FIRST)[1]
    assert "State cannot be seen" in line.at(FIRST)[1] and "c is broken" in line.at(FIRST)[1]
    assert "Jansen" not in line.at(FIRST)[1]
    tell(place, catalogue, look_at({("run_failed",): list}), line)
    assert "x is broken" in line.at(FIRST)[2] and "SOLVED" in line.at(FIRST)[2]


def test_a_damaged_note_of_what_was_told_leads_to_telling_again(place: Place) -> None:
    catalogue = told_by(place, FIRST)
    line = Line()
    tell(place, catalogue, Found((a_fact(),)), line)
    (place.home / "alerts" / "told.json").write_text('{"x":', "utf-8")
    tell(place, catalogue, Found((a_fact(),)), line)
    assert len(line.at(FIRST)) == 2


def test_many_facts_of_a_kind_are_one_message_that_says_how_many_there_are(place: Place) -> None:
    catalogue = told_by(place, FIRST, language="en")
    line = Line()
    tell(place, catalogue, Found(tuple(a_fact("report_overdue", f"c{n}") for n in range(30))), line)
    (body,) = line.at(FIRST)
    assert body.count("is broken") == 8 and "and 22 more" in body and body.count("Repair: ") == 1


def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("KETEN_TEST_URL", f"json://127.0.0.1:{silent.getsockname()[1]}/{SECRET}?rto=60")
        assert send(Channel(url="${env:KETEN_TEST_URL}"), "t", "b", "info", 1).startswith(
            "Service 'JSON' did not finish"
        )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "keten.yml: set the environment variable KETEN_TEST_URL for alerts.to"),
        (f"nonsense://{SECRET}", "is not a URL that apprise can send to"),
        (f"json://anna:{SECRET}@127.0.0.1:1/{SECRET}", "Connection error"),
    ],
)
def test_why_a_message_was_not_sent_is_told_without_the_url(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    monkeypatch.setenv("KETEN_TEST_URL", value)
    told = send(Channel(url="${env:KETEN_TEST_URL}"), "t", "b", "info", 5)
    assert words in told and SECRET not in told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (f"mailto://anna-b:{SECRET}@example.org", f"no answer to anna-b with {SECRET}"),
        (f"json://host/hook/{SECRET}?key={SECRET}-2", f"POST /hook/{SECRET}-2"),
        ("slack://geheim-woord%2D17/b/c", f"slack says no to {SECRET}"),
        (SECRET, f"it was {SECRET}"),
    ],
)
def test_no_part_of_a_secret_stands_in_a_text(monkeypatch: pytest.MonkeyPatch, value: str, text: str) -> None:
    monkeypatch.setenv("KETEN_TEST_URL", value)
    told = hidden(text, ["KETEN_TEST_URL", "KETEN_TEST_NOT_SET"])
    assert SECRET not in told and "anna" not in told and "***" in told


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("[{url: 'slack://a/b/c'}]", "alerts.to: a url holds a key or an address"),
        ("[{url: '${env:A}'}, {url: '${env:A}'}]", "alerts.to"),
        ("[{url: '${env:A}', lest: critical}]", "alerts.to.0.lest: is not a known key; did you mean 'least'?"),
    ],
)
def test_a_channel_that_is_set_wrong_is_told(place: Place, to: str, words: str) -> None:
    path = place.project / "keten.yml"
    path.write_text(f"{path.read_text('utf-8')}alerts: {{to: {to}}}\n", "utf-8")
    with pytest.raises(KetenError, match=re.escape(words)) as told:
        load_catalogue(place.project)
    assert "slack" not in str(told.value)


def test_the_sensor_tells_and_says_so_and_its_tick_fails_when_it_cannot(
    place: Place, hook: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, received = hook
    catalogue = told_by(place, "${env:KETEN_TEST_URL}")
    (sensor,) = alerts(place, catalogue)
    with instance(place) as dagster:
        run_of_refresh(dagster, KetenError("the disk is full"))
        monkeypatch.setenv("KETEN_TEST_URL", "json://127.0.0.1:1/x")
        with pytest.raises(KetenError, match="could not be told"):
            sensor(dg.build_sensor_context(dagster))
        monkeypatch.setenv("KETEN_TEST_URL", url)
        skipped = sensor(dg.build_sensor_context(dagster))
        assert isinstance(skipped, dg.SkipReason) and "1\u00a0message sent; 1\u00a0alert is open" in str(
            skipped.skip_message
        )
    assert len(received) == 1 and "the disk is full" in received[0]


def test_broken_settings_do_not_silence_the_sensor(
    place: Place, hook: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, received = hook
    monkeypatch.setenv("KETEN_TEST_URL", url)
    (sensor,) = alerts(place, told_by(place, "${env:KETEN_TEST_URL}"))
    (place.project / "keten.yml").write_text("a: [", "utf-8")
    with instance(place) as dagster:
        run_of_refresh(dagster, KetenError("keten.yml is not valid YAML"))
        sensor(dg.build_sensor_context(dagster))
    assert len(received) == 1 and "not valid YAML" in received[0]


def test_without_a_channel_the_sensor_says_that_nobody_is_told(place: Place) -> None:
    (sensor,) = alerts(place, load_catalogue(place.project))
    with instance(place) as dagster:
        skipped = sensor(dg.build_sensor_context(dagster))
    assert isinstance(skipped, dg.SkipReason) and "names nobody" in str(skipped.skip_message)


def test_keten_alerts_lists_sends_and_tests(small: Deployment, tmp_path: Path, hook: tuple[str, list[str]]) -> None:
    made = small.copy(tmp_path)
    made.drop("data/meter_20250301.csv", "meter_id,site_id,bsn\nE,S,123456782\n")
    pull(load_catalogue(made.project), made.project, made.landing, "meter")
    url, received = hook
    text = (made.project / "keten.yml").read_text("utf-8")
    made.drop("keten.yml", text + "alerts: {language: en, to: [{url: '${env:KETEN_TEST_URL}'}]}\n")
    env = {"KETEN_TEST_URL": url}
    assert "${env:KETEN_TEST_URL}: sent" in made.keten("alerts", "--test", env=env)
    listed = made.keten("alerts", env=env)
    assert "File refused for personal data" in listed and "Repair: " in listed
    assert "messages sent: 1" in made.keten("alerts", "--send", env=env)
    assert "messages sent: 0" in made.keten("alerts", "--send", env=env)
    assert len(received) == 2 and "test message" in received[0] and "refused" in received[1]
    failed = made.keten("alerts", "--test", env={"KETEN_TEST_URL": "json://127.0.0.1:1/x"}, code=2)
    assert "not every channel could be told" in failed
