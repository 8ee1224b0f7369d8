"""The facts that need a person now: read from the published file, the landing zone and Dagster's own records.

Belongs here: finding facts and saying each in one sentence without secrets, row texts or personal data. Does not belong
here: what a kind means and its repair (fact_kinds), what was told before (alerting), the facts of Dagster (run_facts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import run_facts
from pipelines.fact_kinds import KINDS, Fact
from pipelines.settings import Place, today
from resources.environment import hidden, named
from resources.errors import KetenError
from resources.landing import Landing, Receipt
from resources.landing.unrouted import read_unrouted
from resources.sources.memory import Memory, seen_digests
from resources.wording import Words, counted, day, month

if TYPE_CHECKING:
    import dagster as dg

    from resources.catalogue import Catalogue, Source

# Days without a delivery that are still in order: the pace that was agreed, with room for weekends and holidays.
PATIENCE = {"daily": 5, "weekly": 12, "monthly": 45, "quarterly": 120, "yearly": 400}
SHOWN_REASONS = 3
# A run brings targets up to date after it has written the file; until then they are not behind.
AT_WORK = timedelta(minutes=15)


@dataclass(frozen=True)
class Found:
    """The facts there are, and the kinds that could not be looked at: of those, what was a fact still counts as one."""

    facts: tuple[Fact, ...]
    unseen: frozenset[str] = frozenset()


Look = Callable[[], Iterable[Fact]]


def find(where: Place, catalogue: Catalogue, dagster: dg.DagsterInstance, automations: Iterable[str]) -> Found:
    """All facts now; `automations` are the names of the schedules and sensors there are."""
    landing = Landing(where.landing)
    looks: dict[tuple[str, ...], Look] = {
        ("run_failed",): partial(run_facts.failed_runs, dagster),
        ("tick_failed",): partial(run_facts.failed_ticks, dagster, frozenset(automations)),
        ("daemon_silent",): partial(run_facts.silent_daemon, dagster, datetime.now(UTC)),
        ("check_failed", "check_warned"): partial(failed_checks, where.published, catalogue),
        ("delivery_held", "delivery_rejected"): partial(open_deliveries, where.published, catalogue),
        ("report_overdue",): partial(overdue_reports, where.published),
        ("target_behind",): partial(late_targets, where, catalogue),
        ("file_refused",): partial(refused_files, landing),
        ("file_unrouted",): partial(unrouted_files, landing),
        ("source_failed",): partial(failed_sources, landing),
        ("dataset_overdue",): partial(overdue_datasets, catalogue, where.project, landing),
    }
    found = look_at(looks)
    secrets = _variables(where.project)
    return replace(
        found, facts=tuple(replace(f, what=Words(*(hidden(t, secrets) for t in f.what))) for f in found.facts)
    )


def _variables(project: Path) -> set[str]:
    """The environment variables that the settings of a deployment name; their values stand in no fact."""
    files = [project / name for name in ("keten.yml", "sources.yml")]
    return {name for path in files if path.exists() for name in named(path.read_text("utf-8"))}


def look_at(looks: dict[tuple[str, ...], Look]) -> Found:
    """Look at each by itself: one that cannot be seen is a fact too, and does not hide the others."""
    facts: list[Fact] = []
    unseen: set[str] = set()
    for kinds, look in looks.items():
        try:
            facts += look()
        except Exception as error:  # noqa: BLE001 - whatever is broken there, the others are still told
            unseen |= set(kinds)
            reason = str(error) if isinstance(error, KetenError) else type(error).__name__
            titles = [KINDS[kind].title for kind in kinds]
            what = Words(*(" / ".join(title[i] for title in titles) + f": {reason}" for i in (0, 1)))
            facts.append(Fact("cannot_look", kinds[0], what))
    return Found(tuple(facts), frozenset(unseen))


def failed_checks(published: Path, catalogue: Catalogue) -> Iterator[Fact]:
    """Checks of the published tables that did not pass; those of a delivery that is held are told with it."""
    for row in _published(published, _CHECKS):
        title = title_of(catalogue, row["table_name"])
        critical = row["severity"] == "critical"
        unchecked = row["outcome"] == "not_checked"
        tail = Words(" (kon niet worden getoetst)", " (could not be checked)") if unchecked else Words("", "")
        yield Fact(
            "check_failed" if critical else "check_warned",
            f"{row['table_name']}.{row['check_id']}",
            title + f" ({row['table_name']}): " + Words(row["nl"], row["en"]) + tail,
            row["published_at"],
        )


def title_of(catalogue: Catalogue, table: str) -> Words:
    """The title of a table or indicator; its name when it is no longer declared."""
    schema, _, name = table.partition(".")
    declared = {"core": catalogue.contracts.get(name), "indicator": catalogue.indicators.get(name)}
    item = declared.get(schema) or catalogue.models.get(table)
    return Words(item.title.nl, item.title.en) if item else Words(table, table)


def open_deliveries(published: Path, catalogue: Catalogue) -> Iterator[Fact]:
    """Deliveries that are held back or rejected as a whole."""
    for row in _published(published, _OPEN):
        failed = [Words(nl, en) for nl, en in zip(row["nl"], row["en"], strict=True) if nl][:SHOWN_REASONS]
        # What was found in the place of a header may be a row of data.
        reason = row["reason"].partition("; found: ")[0]
        reasons = failed or [Words(reason, reason)]
        title = title_of(catalogue, f"core.{row['dataset']}")
        told = Words(*(" ".join(reason[i] for reason in reasons) for i in (0, 1)))
        head = Words(f" van {row['origin']}", f" from {row['origin']}")
        yield Fact(
            f"delivery_{row['state']}",
            row["receipt_id"],
            title + head + f", {row['file_name']} ({row['receipt_id']}): " + told,
            row["received_at"],
        )


def overdue_reports(published: Path) -> Iterator[Fact]:
    """Reports that should be in and are not, by contract and month."""
    for row in _published(published, _OWED):
        of_month = month(row["month"])
        who = f"{row['contractor']}, {row['contract_name']}"
        due = day(row["due_on"])
        what = Words(f"{who}: {of_month.nl}, uiterlijk {due.nl}", f"{who}: {of_month.en}, due {due.en}")
        yield Fact(
            "report_overdue",
            f"{row['contract_id']}|{row['month']:%Y-%m}",
            what,
            datetime.combine(row["due_on"], datetime.min.time()),
        )


def late_targets(where: Place, catalogue: Catalogue) -> Iterator[Fact]:
    """Targets that do not show the publication of the file a while after it was made, or do not answer."""
    from resources.targets import make_target

    if not catalogue.targets:
        return
    made = {row["publication_id"]: row["published_at"] for row in _published(where.published, _PUBLICATIONS)}
    for setting in catalogue.targets:
        try:
            shown = make_target(setting, where.home).applied() or 0
        except KetenError as error:
            yield Fact("target_behind", setting.name, Words(f"{setting.name}: {error}", f"{setting.name}: {error}"))
            continue
        since = min((at for number, at in made.items() if number > shown), default=None)
        if since and datetime.now(UTC).replace(tzinfo=None) - since > AT_WORK:
            what = Words(
                f"{setting.name}: toont publicatie {shown}, het bestand {max(made)}",
                f"{setting.name}: shows publication {shown}, the file {max(made)}",
            )
            yield Fact("target_behind", setting.name, what, since)


def refused_files(landing: Landing) -> Iterator[Fact]:
    """Files refused for personal data that still lie in their source folder; only their headings are known."""
    lying = landing.seen_digests() | seen_digests(landing.folder)
    for facts in landing.refusals():
        if facts["sha256"] in lying:
            what = f"{facts['file_name']} ({facts['origin']}/{facts['dataset']}): {', '.join(facts['headings'])}"
            yield Fact(
                "file_refused", facts["receipt_id"], Words(what, what), datetime.fromisoformat(facts["refused_at"])
            )


def unrouted_files(landing: Landing) -> Iterator[Fact]:
    """Files of the inbox that wait for a mapping."""
    for one in read_unrouted(landing.folder):
        what = f"inbox/{one.origin}/{one.name}: {one.told()}"
        yield Fact(
            "file_unrouted", f"{one.origin}|{one.sha256[:12]}", Words(what, what), datetime.fromisoformat(one.since)
        )


def failed_sources(landing: Landing) -> Iterator[Fact]:
    """What the last pull of each dataset could not take: a folder that does not answer, a file that cannot be read."""
    for dataset, failed in landing.failures().items():
        for name, facts in failed.items():
            reason = facts["reason"]
            what = reason if reason.startswith("sources.yml: ") else f"{dataset}: {name}: {reason}"
            yield Fact("source_failed", f"{dataset}|{name}", Words(what, what), datetime.fromisoformat(facts["since"]))


def overdue_datasets(catalogue: Catalogue, project: Path, landing: Landing) -> Iterator[Fact]:
    """Sources that brought nothing for longer than agreed. A deployment on months of the past expects nothing new."""
    now = today(catalogue.settings.zone)
    last = catalogue.settings.reporting.last
    if last and last < f"{now - timedelta(days=31):%Y-%m}":
        return
    receipts = landing.receipts()
    for source in catalogue.sources:
        newest = _newest(source, catalogue, project, landing, receipts)
        pace = source.update or catalogue.contracts[source.dataset].update
        if newest is None or (now - newest.date()).days <= PATIENCE[pace]:
            continue
        quiet = counted((now - newest.date()).days, ("dag", "dagen"), ("day", "days"))
        who = title_of(catalogue, f"core.{source.dataset}") + f" ({source.origin}/{source.dataset}): "
        yield Fact(
            "dataset_overdue",
            f"{source.origin}/{source.dataset}",
            who
            + Words(
                f"{quiet.nl} niets ontvangen, afgesproken: {_PACE[pace].nl}",
                f"nothing received for {quiet.en}, agreed: {_PACE[pace].en}",
            ),
            newest,
        )


def _newest(
    source: Source, catalogue: Catalogue, project: Path, landing: Landing, receipts: list[Receipt]
) -> datetime | None:
    """When a source last brought something: the time of its newest file too, as the same bytes are not received twice."""
    mine = [r.received_at for r in receipts if (r.origin, r.dataset) == (source.origin, source.dataset)]
    patterns = catalogue.file_patterns(source.origin, source.dataset)
    if source.remote:
        seen = Memory(landing.folder, source).newest()
    else:
        seen = landing.newest_seen(source.resolved_path(project), patterns)
    return max([*map(datetime.fromisoformat, mine), *([seen] if seen else [])], default=None)


def _published(published: Path, select: str) -> list[dict[str, Any]]:
    """Rows of the published file; none before the first publication."""
    from resources.publication.published import reading

    if not published.exists():
        return []
    with reading(published) as read:
        return read(select)


_PACE = {
    "daily": Words("elke dag", "daily"),
    "weekly": Words("elke week", "weekly"),
    "monthly": Words("elke maand", "monthly"),
    "quarterly": Words("elk kwartaal", "quarterly"),
    "yearly": Words("elk jaar", "yearly"),
}

_CHECKS = """
select c.table_name, c.check_id, c.severity, c.outcome, c.nl, c.en, p.published_at
from bi.rpt_check c join bi.publication p on p.publication_id = c.publication_id
where c.outcome <> 'passed' and c.severity <> 'info' and c.receipt_id = ''
order by c.severity, c.table_name, c.check_id"""

_PUBLICATIONS = "select publication_id, published_at from bi.publication"

_OPEN = """
select d.receipt_id, d.dataset, d.origin, d.file_name, d.state, coalesce(d.reason, '') as reason, d.received_at,
    list(c.nl order by c.check_id) as nl, list(c.en order by c.check_id) as en
from bi.rpt_delivery d left join bi.rpt_check c on c.receipt_id = d.receipt_id and c.outcome <> 'passed'
where d.state in ('held', 'rejected')
group by all order by d.received_at, d.receipt_id"""

_OWED = """
select due.month, due.due_on, contract.contract_id, contract.contract_name, contractor.party_name as contractor
from bi.rpt_report_due due
join bi.dim_contract contract using (contract_key)
join bi.dim_party contractor on contractor.party_key = due.contractor_key
where due.report_state_code = 'overdue'
order by contractor, contract.contract_name, due.month"""
