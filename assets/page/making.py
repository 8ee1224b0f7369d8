"""Making the pages: of a run, beside the published file, and of the catalogue alone.

Belongs here: gathering the facts of each page, and putting the files in their place. Does not belong here: what a part
of the page tells (the other modules of this package).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.page.catalogue import described
from assets.page.deliveries import intake
from assets.page.example import example
from assets.page.owed import clocks, reports
from assets.page.rendering import render
from assets.page.sources import factor_sources
from assets.page.values import PILLARS, Values, bars, code_words, namesakes
from resources.months import spans_of
from resources.publication.published import reading
from resources.publication.published_file import page_beside, replace_text
from resources.wording import Words, day, moment, period

if TYPE_CHECKING:
    from assets.session import Session
    from resources.catalogue import Catalogue
    from resources.publication.published import Read

CATALOGUE = "catalogue"
_NUMBER = re.compile(r'<meta name="keten-publication" content="(\d+)">')
_HEAD = 4096
_BOTH = ("nl", "en")


@dataclass(frozen=True)
class Made:
    """Where the page is, how many pages there are, and how many of them are not what they were."""

    page: Path
    pages: int
    changed: int


@dataclass(frozen=True)
class Head:
    """What the page says of itself: of whom, over which months, and how fresh."""

    organisation: str
    number: int
    published: Words
    as_of: Words
    months: Words | None
    closed: Words | None
    newest: Words | None
    version: str


def make_pages(session: Session) -> Made:
    """Write the page of the publication and those of the catalogue; what did not change is left as it is.

    Raises KetenError when nothing is published.
    """
    target = page_beside(session.published)
    languages = session.catalogue.settings.languages
    with reading(session.published) as read:
        text = page_text(
            session.catalogue,
            read,
            lambda select: session.engine.read(select).read_all().to_pylist(),
            session.landing.refusals(),
        )
    folder = target.parent / CATALOGUE
    pages = catalogue_texts(session.catalogue, languages, home=f"../{target.name}")
    changed = _write(folder, pages)
    for path in folder.glob("*.html"):
        if path.name not in pages:
            path.unlink()  # the indicator is no longer declared
    changed += replace_text(target, text)  # last, so that its links lead somewhere
    return Made(target, len(pages) + 1, changed)


def write_catalogue(catalogue: Catalogue, folder: Path) -> list[Path]:
    """Write the pages of the catalogue without a run; the files, in order of name."""
    pages = catalogue_texts(catalogue, catalogue.deployment.languages if catalogue.deployment else _BOTH, home="")
    _write(folder, pages)
    return [folder / name for name in sorted(pages)]


def is_page_of(page: Path, number: int | None) -> bool:
    """Whether a page is there and tells of this publication."""
    if not page.is_file():
        return False
    with page.open(encoding="utf-8") as source:
        found = _NUMBER.search(source.read(_HEAD))
    return found is not None and int(found[1]) == number


def page_text(catalogue: Catalogue, read: Read, engine: Read, refusals: list[dict[str, Any]]) -> str:
    """The page of the present publication. `read` reads the published file, `engine` core and what stands on it."""
    core = [item for item in catalogue.indicators.values() if item.core]
    values = Values(catalogue, read, core)
    group = Values(catalogue, read, namesakes(catalogue))
    return render(
        "index.html.j2",
        catalogue.settings.languages,
        head=_head(catalogue, read),
        pillars=[
            (pillar, title, [values.card(item) for item in values.indicators if item.pillar == pillar])
            for pillar, title in PILLARS.items()
        ],
        intake=intake(catalogue, read, refusals),
        reports=reports(read),
        clocks=clocks(catalogue, read),
        bars=bars(group),
        example=example(catalogue, read, engine),
        sources=factor_sources(engine),
    )


def catalogue_texts(catalogue: Catalogue, languages: tuple[str, ...], home: str) -> dict[str, str]:
    """The pages of the catalogue by file name; `home` is the address of the page of a publication, if there is one."""
    items = sorted(catalogue.indicators.values(), key=lambda i: i.id)
    listed = [(pillar, title, [item for item in items if item.pillar == pillar]) for pillar, title in PILLARS.items()]
    pages = {"index.html": render("catalogue.html.j2", languages, pillars=listed, home=home)}
    for item in items:
        facts = described(catalogue, item)
        pages[f"{item.id}.html"] = render(
            "indicator.html.j2", languages, it=facts, pillar=PILLARS[item.pillar], home=home
        )
    return pages


def _head(catalogue: Catalogue, read: Read) -> Head:
    (publication,) = read("select * from bi.publication order by publication_id desc limit 1")
    (months,) = read("select min(month) as first, max(local_date) + 1 as until from bi.dim_date")
    (newest,) = read("select max(received_at) as at from bi.rpt_delivery where state = 'loaded'")
    zone = catalogue.settings.zone
    return Head(
        catalogue.settings.organisation,
        publication["publication_id"],
        moment(publication["published_at"], zone),
        day(publication["as_of"]),
        period(months["first"], months["until"]) if months["first"] else None,
        _closed(catalogue, read),
        moment(newest["at"], zone) if newest["at"] else None,
        version("ketenimpact"),
    )


def _closed(catalogue: Catalogue, read: Read) -> Words | None:
    """Which months are final, restated and provisional; None when all are open."""
    months: dict[str, set[date]] = {}
    for row in read("select month, publication_status from bi.rpt_period where publication_status <> 'open'"):
        months.setdefault(row["publication_status"], set()).add(row["month"])
    told = [
        code_words(catalogue, "period_state", state) + " " + period(first, end)
        for state in ("final", "restated", "provisional")
        for first, end in spans_of(months.get(state, set()))
    ]
    return Words("; ".join(w.nl for w in told), "; ".join(w.en for w in told)) if told else None


def _write(folder: Path, pages: dict[str, str]) -> int:
    return sum(replace_text(folder / name, text) for name, text in pages.items())
