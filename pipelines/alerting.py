"""Telling people what needs them: the difference between the facts now and what each channel was told before.

Belongs here: what is still to be told to whom, the message, and keeping what was told. Does not belong here: finding
facts (facts), the transport (resources.notifying), when it is done (alert_sensor, the command line).

What was told stands in `KETEN_HOME/alerts/told.json`, by channel, so that a channel that is down is told later and the
others are not told twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from pipelines.fact_kinds import KINDS, Fact
from resources.errors import KetenError
from resources.landing import now_utc
from resources.notifying import Tone, send
from resources.publication.published_file import replace_text
from resources.wording import Words, counted, moment

if TYPE_CHECKING:
    from pipelines.facts import Found
    from pipelines.settings import Place
    from resources.catalogue import Catalogue
    from resources.catalogue.deployment_models import Channel, Settings

# All channels together, so that a sensor of Dagster, which has a minute, always comes to its end.
SECONDS = 30
SHOWN = 8
Send = Callable[..., str]


@dataclass
class Told:
    """What one channel was told and has not heard to be over, by key of the fact; and why it could not be told last."""

    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: str = ""
    failed_since: str = ""


@dataclass(frozen=True)
class News:
    """What a channel has not heard yet: facts that are new, and those that are over, as they were told."""

    new: tuple[Fact, ...]
    over: dict[str, dict[str, str]]

    def __bool__(self) -> bool:
        return bool(self.new or self.over)


@dataclass(frozen=True)
class Outcome:
    """What a round of telling did: messages sent, and by channel why one could not be sent."""

    sent: int
    failed: dict[str, str]


def tell(where: Place, catalogue: Catalogue, found: Found, sending: Send = send) -> Outcome:
    """Tell every channel its news; one that fails is tried again in the next round.

    Raises KetenError when another process is telling just now.
    """
    settings, sent = catalogue.settings, 0
    failed: dict[str, str] = {}
    channels = settings.alerts.to
    with _telling(where.home):
        told = {url: t for url, t in read_told(where.home).items() if url in {c.url for c in channels}}
        facts = [*found.facts, *failed_channels(told)]
        for channel in channels:
            mine = told.setdefault(channel.url, Told())
            news = news_for(channel, facts, found.unseen, mine)
            if not news:
                continue
            title, body, tone = message(settings, news, str(where.home))
            failure = sending(channel, title, body, tone, SECONDS / len(channels))
            _note(mine, news, failure)
            _write(where.home, told)
            if failure:
                failed[channel.url] = failure
            sent += not failure
    return Outcome(sent, failed)


def try_channels(where: Place, settings: Settings, sending: Send = send) -> dict[str, str]:
    """Send a test message to every channel; by channel why that failed, and empty where it was sent.

    Raises KetenError when another process is telling just now.
    """
    language, channels = settings.alerts.language, settings.alerts.to
    title = f"{settings.organisation}: {_in(language, _TEST)}"
    failures = {}
    with _telling(where.home):
        told = read_told(where.home)
        for channel in channels:
            failure = sending(channel, title, _in(language, _TEST_BODY), "info", SECONDS / len(channels))
            failures[channel.url] = failure
            _note_reached(told.setdefault(channel.url, Told()), failure)
        _write(where.home, told)
    return failures


@contextmanager
def _telling(home: Path) -> Iterator[None]:
    """Be the only process that tells. Raises KetenError when another is at it."""
    folder = _file(home).parent
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "told.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise KetenError("another process is telling people just now; try again in a minute") from None
    try:
        yield
    finally:
        lock.release()


def news_for(channel: Channel, facts: Iterable[Fact], unseen: frozenset[str], told: Told) -> News:
    """What is new for a channel and what is over; a kind that could not be looked at is not over."""
    heard = [f for f in facts if channel.least == "warning" or f.known.severity == "critical"]
    heard = [f for f in heard if f.key != f"channel_failed:{channel.url}"]
    new = tuple(f for f in heard if f.key not in told.facts)
    now = {f.key for f in heard}
    over = {k: v for k, v in told.facts.items() if k not in now and k.partition(":")[0] not in unseen}
    return News(new, over)


def failed_channels(told: dict[str, Told]) -> Iterator[Fact]:
    """Channels that could not be told in the last round; the others hear of it."""
    for url, state in told.items():
        if state.failed:
            what = Words(f"{url}: {state.failed}", f"{url}: {state.failed}")
            yield Fact("channel_failed", url, what, datetime.fromisoformat(state.failed_since))


def message(settings: Settings, news: News, home: str) -> tuple[str, str, Tone]:
    """Title, text and tone of one message, in the language of the deployment."""
    language = settings.alerts.language
    critical = any(f.known.severity == "critical" for f in news.new)
    parts = []
    if news.new:
        parts.append(counted(len(news.new), ("melding", "meldingen"), ("alert", "alerts")))
    if news.over:
        parts.append(counted(len(news.over), ("opgelost", "opgelost"), ("solved", "solved")))
    title = f"{settings.organisation}: " + ", ".join(_in(language, part).replace("\u00a0", " ") for part in parts)
    told = blocks(news.new, settings)
    if news.over:
        solved = [facts[language] for facts in news.over.values()]
        told.append("\n".join([_in(language, _SOLVED), *_listed(solved, language)]))
    told.append(_in(language, _FOOT).format(home))
    tone: Tone = "failure" if critical else "warning" if news.new else "success"
    return title, "\n\n".join(told).replace("\u00a0", " "), tone


def blocks(facts: Iterable[Fact], settings: Settings, all_of_them: bool = False) -> list[str]:
    """Facts as texts, one for each kind; of many of a kind only the first, unless all are asked for."""
    return [_block(kind, mine, settings, None if all_of_them else SHOWN) for kind, mine in _by_kind(facts)]


def _block(kind: str, facts: list[Fact], settings: Settings, shown: int | None) -> str:
    """One kind in a message: what there is, what it means, its repair and where to look."""
    language, known = settings.alerts.language, KINDS[kind]
    lines = []
    for fact in facts:
        since = _in(language, _SINCE + moment(fact.since, settings.zone)) if fact.since else ""
        lines.append(f"{_in(language, fact.what)}{since}")
    mark = _CRITICAL if known.severity == "critical" else _WARNING
    return "\n".join(
        [
            f"{_in(language, mark)}: {_in(language, known.title)}",
            *_listed(lines, language, shown),
            f"{_in(language, _MEANS)}: {_in(language, known.means)}",
            f"{_in(language, _REPAIR)}: {_in(language, known.repair)}",
            f"{_in(language, _LOOK)}: {known.look}",
        ]
    )


def _listed(lines: list[str], language: str, shown: int | None = SHOWN) -> list[str]:
    more = len(lines[shown:]) if shown else 0
    tail = [_in(language, _MORE).format(more)] if more else []
    return [f"- {line}" for line in [*lines[:shown], *tail]]


def _by_kind(facts: Iterable[Fact]) -> list[tuple[str, list[Fact]]]:
    """Facts by kind, in the order of the kinds: what hurts most first."""
    found: dict[str, list[Fact]] = {kind: [] for kind in KINDS}
    for fact in facts:
        found[fact.kind].append(fact)
    return [(kind, mine) for kind, mine in found.items() if mine]


def _in(language: str, words: Words) -> str:
    return words.nl if language == "nl" else words.en


def _note(told: Told, news: News, failure: str) -> None:
    """Keep what a channel heard, or why it did not."""
    _note_reached(told, failure)
    if failure:
        return
    for key in news.over:
        del told.facts[key]
    for fact in news.new:
        told.facts[fact.key] = {"nl": fact.what.nl, "en": fact.what.en, "told_at": now_utc()}


def _note_reached(told: Told, failure: str) -> None:
    """Keep whether a channel could be reached, and since when it cannot."""
    told.failed_since = (told.failed_since or now_utc()) if failure else ""
    told.failed = failure


def read_told(home: Path) -> dict[str, Told]:
    """What every channel was told; nothing when the file is not there or is damaged: twice told is better than never."""
    try:
        return {url: Told(**state) for url, state in json.loads(_file(home).read_text("utf-8")).items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def _write(home: Path, told: dict[str, Told]) -> None:
    content: dict[str, Any] = {url: vars(state) for url, state in told.items()}
    replace_text(_file(home), json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _file(home: Path) -> Path:
    return home / "alerts" / "told.json"


_CRITICAL = Words("ERNSTIG", "CRITICAL")
_WARNING = Words("Let op", "Warning")
_SOLVED = Words("OPGELOST", "SOLVED")
_MEANS = Words("Betekent", "Means")
_REPAIR = Words("Herstel", "Repair")
_LOOK = Words("Kijk", "Look")
_SINCE = Words(", sinds ", ", since ")
_MORE = Words("en {} meer; `keten alerts` noemt ze alle", "and {} more; `keten alerts` lists all")
_FOOT = Words(
    "Deployment in {}. Alles wat nu speelt: `keten alerts`.", "Deployment in {}. All there is now: `keten alerts`."
)
_TEST = Words("proefbericht", "test message")
_TEST_BODY = Words(
    "Dit kanaal hoort wat een mens nodig heeft. Er hoeft nu niets te gebeuren.",
    "This channel hears what needs a person. Nothing needs to be done now.",
)
