"""Whether a run has anything to do, in words for people, told without opening the engine.

Belongs here: what schedules and sensors look at before they ask for a run. Does not belong here: when they look
(schedules, drop_folder), and what `keten run` decides under the lock (running).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from assets.fetching import glance
from assets.graph import MADE_OF, PUBLICATION
from assets.page.making import is_page_of
from assets.pulling import files_to_pull
from pipelines.fingerprint import input_fingerprint
from pipelines.settings import Place
from resources.catalogue import Catalogue
from resources.landing import Landing
from resources.publication.published import rows_of
from resources.publication.publishing import published_state
from resources.wording import Words, moment

BECAUSE = "keten/because"  # the tag of a run that says why it was asked for
SHOWN = 5


def reasons_to_run(where: Place, catalogue: Catalogue, dagster: dg.DagsterInstance) -> list[Words]:
    """Why a run would have something to do; empty when nothing is new."""
    state = published_state(where.published)
    if state is None:
        return [Words("er is nog niets gepubliceerd", "nothing is published yet")]
    found = []
    if not where.engine.exists():
        found.append(Words("de rekendatabase wordt opnieuw gemaakt", "the engine is to be made again"))
    if input_fingerprint(where, catalogue) not in (state["fingerprint"], _last_input(dagster, state["number"])):
        found.append(_changed(where, catalogue))
    held = rows_of(
        where.published,
        "select file_name from bi.rpt_delivery where state not in ('loaded', 'withdrawn', 'purged') order by 1",
    )
    if held:
        told = names(Path(name) for (name,) in held)
        found.append(
            Words(f"aangehouden of afgekeurd, opnieuw geprobeerd: {told}", f"held or rejected, tried again: {told}")
        )
    if not is_page_of(where.page, state["number"]):
        found.append(Words("de pagina is van een andere publicatie", "the page is of another publication"))
    return found or _asked(where, catalogue)


def _asked(where: Place, catalogue: Catalogue) -> list[Words]:
    """Which servers may have something new. They are asked only when there is no other reason to run."""
    told = ", ".join(source.title for source in glance(catalogue, where.project, where.landing))
    return [Words(f"op te halen: {told}", f"to be fetched: {told}")] if told else []


def nothing_new(where: Place, zone: str) -> Words:
    """That nothing is new, and since when."""
    state = published_state(where.published)
    assert state is not None  # without a publication there is a reason to run
    nl, en = moment(state["published_at"], zone)
    return Words(
        f"Niets nieuws sinds publicatie {state['number']} van {nl}",
        f"Nothing new since publication {state['number']} of {en}",
    )


def names(files: Iterable[Path]) -> str:
    """The names of the first few files, and how many more there are."""
    listed = [path.name for path in files]
    more = f" (+ {len(listed) - SHOWN})" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def both(told: Iterable[Words]) -> str:
    """Texts as Dagster shows them, which has one place for both languages."""
    listed = list(told)
    return f"{'; '.join(words.nl for words in listed)} / {'; '.join(words.en for words in listed)}"


def _changed(where: Place, catalogue: Catalogue) -> Words:
    files = files_to_pull(catalogue, where.project, Landing(where.landing)).new
    if files:
        return Words(f"nieuwe bestanden: {names(files)}", f"new files: {names(files)}")
    return Words(
        "aanleveringen, afspraken, programma, maandafsluiting of peildatum zijn veranderd",
        "deliveries, declarations, code, the state of a month or the reference date changed",
    )


def _last_input(dagster: dg.DagsterInstance, number: int) -> object:
    """What the last run was made of that left the published file at this number, changed or not; None without one."""
    event = dagster.get_latest_materialization_event(PUBLICATION)
    told = event.asset_materialization.metadata if event and event.asset_materialization else {}
    if MADE_OF not in told or told["publication"].value != number:
        return None
    return told[MADE_OF].value
