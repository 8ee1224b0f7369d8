"""What came in and what did not count: rejected rows, deliveries and files set apart, and the checks.

Belongs here: reading published tables about deliveries, and the refusals of the landing zone, and telling them in words.
Does not belong here: judging any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from resources.reason_words import reason_words, repair_of_file, repair_words
from resources.wording import Words, counted, moment, number

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.catalogue.models import Text
    from resources.publication.published import Read

SHOWN = 12
SHOWN_TEXT = 160
_ROWS = ("regel", "regels"), ("row", "rows")


@dataclass(frozen=True)
class Example:
    """Where one row of many is found; its text is left out where a contract expects personal data."""

    file_name: str
    row_no: str
    text: str | None


@dataclass(frozen=True)
class Rejected:
    """Rows of one dataset rejected for one reason, and what to do about it."""

    title: Text
    reason: Words
    repair: Words
    code: str
    count: Words
    example: Example


@dataclass(frozen=True)
class SetApart:
    """A delivery that is not in the results, or a file that was not kept, with the reasons in words."""

    title: Text | None
    file_name: str
    state: Words
    reasons: tuple[Words, ...]
    received: Words


@dataclass(frozen=True)
class Warned:
    """A check that did not pass: what it says, of what, and what was seen."""

    words: Words
    title: Words
    table: str
    observed: str


@dataclass(frozen=True)
class Intake:
    """Rows, deliveries and checks of one publication. Lists are cut at SHOWN; the `more` figures tell what was left out."""

    balance: Words
    rejected: tuple[Rejected, ...]
    rejected_more: int
    set_apart: tuple[SetApart, ...]
    set_apart_more: int
    checks: Words
    warned: tuple[Warned, ...]
    warned_more: int


def intake(catalogue: Catalogue, read: Read, refusals: list[dict[str, Any]]) -> Intake:
    """All that the page tells of deliveries."""
    rejected = [_rejected(catalogue, row) for row in read(_REJECTED)]
    apart = [*_refused(catalogue, refusals), *_deliveries(catalogue, read)]
    warned = [_warned(catalogue, row) for row in read(_WARNED)]
    return Intake(
        _balance(read),
        tuple(rejected[:SHOWN]),
        max(0, len(rejected) - SHOWN),
        tuple(apart[:SHOWN]),
        max(0, len(apart) - SHOWN),
        _checks(read),
        tuple(warned[:SHOWN]),
        max(0, len(warned) - SHOWN),
    )


# One row per dataset and reason; the example is the row that came first.
_REJECTED = """
with told as (
    select r.dataset, unnest(string_split(r.reasons, ', ')) as reason, d.file_name, r.row_no, r.row_text,
        row(d.received_at, d.file_name, r.row_no, r.record_no) as turn
    from bi.rpt_rejected_row r join bi.rpt_delivery d using (receipt_id)
)
select dataset, reason, count(*) as rows, arg_min(file_name, turn) as file_name, min_by(row_no, turn) as row_no,
    arg_min(row_text, turn) as row_text
from told group by dataset, reason order by rows desc, dataset, reason"""

_APART = """
select d.dataset, d.file_name, d.state, d.reason, d.received_at, list(c.nl order by c.check_id) as nl,
    list(c.en order by c.check_id) as en, list(c.observed order by c.check_id) as observed
from bi.rpt_delivery d left join bi.rpt_check c on c.receipt_id = d.receipt_id and c.outcome <> 'passed'
where d.state in ('held', 'rejected')
group by d.dataset, d.file_name, d.state, d.reason, d.received_at, d.receipt_id
order by d.received_at desc, d.receipt_id"""

# Checks of a delivery that is held are told with that delivery.
_WARNED = """
select table_name, observed, nl, en from bi.rpt_check
where outcome <> 'passed' and receipt_id = '' order by severity, table_name, check_id"""

_HELD = Words("aangehouden", "held back")
_WHOLE = Words("als geheel afgekeurd", "rejected as a whole")
_REFUSED = Words("geweigerd en niet bewaard", "refused and not kept")


def _rejected(catalogue: Catalogue, row: dict[str, Any]) -> Rejected:
    contract = catalogue.contracts[row["dataset"]]
    text = " ".join((row["row_text"] or "").split())
    shown = text if len(text) <= SHOWN_TEXT else text[:SHOWN_TEXT] + "\u2026"
    example = Example(
        row["file_name"], str(row["row_no"]), None if contract.personal_data == "possible" or not text else shown
    )
    return Rejected(
        contract.title,
        reason_words(catalogue, contract.name, row["reason"]),
        repair_words(catalogue, row["reason"]),
        row["reason"],
        counted(row["rows"], *_ROWS),
        example,
    )


def _deliveries(catalogue: Catalogue, read: Read) -> list[SetApart]:
    found = []
    for row in read(_APART):
        failed = [
            Words(f"{nl} ({observed})", f"{en} ({observed})")
            for nl, en, observed in zip(row["nl"], row["en"], row["observed"], strict=True)
            if nl
        ]
        reason = row["reason"] or ""
        repair = repair_of_file(catalogue, reason) if row["state"] == "rejected" else None
        told = tuple(failed) or (Words(reason, reason), *([repair] if repair else []))
        title = catalogue.contracts[row["dataset"]].title
        received = moment(row["received_at"], catalogue.settings.zone)
        found.append(SetApart(title, row["file_name"], _HELD if row["state"] == "held" else _WHOLE, told, received))
    return found


def _refused(catalogue: Catalogue, refusals: list[dict[str, Any]]) -> list[SetApart]:
    """Files with personal data, the last one first; of their content only the headings are known."""
    found = []
    for facts in reversed(refusals):
        headings = ", ".join(facts["headings"])
        reason = Words(f"Persoonsgegevens in: {headings}.", f"Personal data in: {headings}.")
        contract = catalogue.contracts.get(facts["dataset"])
        received = moment(datetime.fromisoformat(facts["refused_at"]), catalogue.settings.zone)
        found.append(SetApart(contract.title if contract else None, facts["file_name"], _REFUSED, (reason,), received))
    return found


def _warned(catalogue: Catalogue, row: dict[str, Any]) -> Warned:
    table = row["table_name"]
    schema, _, name = table.partition(".")
    declared = {"core": catalogue.contracts.get(name), "indicator": catalogue.indicators.get(name)}
    item = declared.get(schema) or catalogue.models.get(table)
    title = Words(item.title.nl, item.title.en) if item else Words(table, table)
    return Warned(Words(row["nl"], row["en"]), title, table, row["observed"])


def _balance(read: Read) -> Words:
    (row,) = read(
        "select count(*) as deliveries, coalesce(sum(received_rows), 0)::bigint as received,"
        " coalesce(sum(accepted_rows), 0)::bigint as accepted, coalesce(sum(quarantined_rows), 0)::bigint as rejected,"
        " coalesce(sum(ignored_rows), 0)::bigint as ignored from bi.rpt_delivery where state = 'loaded'"
    )
    files = counted(row["deliveries"], ("aanlevering", "aanleveringen"), ("delivery", "deliveries"))
    rows = counted(row["received"], *_ROWS)
    accepted, rejected, ignored = (number(row[name]) for name in ("accepted", "rejected", "ignored"))
    return Words(
        f"{rows.nl} ontvangen in {files.nl}: {accepted.nl} aanvaard, {rejected.nl} afgekeurd en {ignored.nl} overgeslagen"
        " (zoals lege regels, totalen en herhalingen). Een brede regel telt als al haar waarden.",
        f"{rows.en} received in {files.en}: {accepted.en} accepted, {rejected.en} rejected and {ignored.en} skipped"
        " (such as blank lines, totals and repeats). A wide row counts as all its values.",
    )


def _checks(read: Read) -> Words:
    (row,) = read(
        "select count(*) filter (outcome = 'passed') as passed,"
        " count(*) filter (outcome <> 'passed' and severity <> 'critical') as warned,"
        " count(*) filter (outcome <> 'passed' and severity = 'critical') as failed from bi.rpt_check"
    )
    passed = counted(row["passed"], ("controle geslaagd", "controles geslaagd"), ("check passed", "checks passed"))
    warned = counted(row["warned"], ("waarschuwing", "waarschuwingen"), ("warning", "warnings"))
    failed = number(row["failed"])
    return Words(
        f"{passed.nl}, {warned.nl}, {failed.nl} niet geslaagd.", f"{passed.en}, {warned.en}, {failed.en} failed."
    )
