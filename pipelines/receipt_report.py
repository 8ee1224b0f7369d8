"""What is printed of the rows of one delivery, and of numbers that nobody knows.

Belongs here: reading published tables about rows, and printing them with their repairs. Does not belong here: the other
reports (report), the words of a reason (reason_words).
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from pipelines.console import console
from pipelines.settings import Place
from resources.publication.published import rows_of
from resources.reason_words import reason_words, repair_words

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.landing import Receipt

SHOWN_REJECTED = 50
IDENTIFIER_COLUMNS = "origin_code,entity_code,external_id,entity_id,valid_from,valid_to"


def values_told(was: str | None, became: str | None) -> str:
    """A value before and after, where there is one."""
    return f"{was or '(several values)'} -> {became}" if became else was or ""


def show_corrections(where: Place, receipt_id: str) -> None:
    """What corrections met in a delivery, and why they are there."""
    rows = rows_of(
        where.published,
        "select origin, correction_id, action_code, coalesce(column_name, ''), value_before, value_after, corrected_rows,"
        " matched_rows, reason, reporter, decided_on from bi.rpt_correction where receipt_id = ? order by 1, 2",
        [receipt_id],
    )
    for origin, entry, action, column, was, became, corrected, matched, reason, reporter, day in rows:
        what = f"{action} {column} {values_told(was, became)}".rstrip()
        console.print(
            f"corrections/{origin}.yml: {entry}: {what}, {corrected} of {matched} rows: {reason} ({reporter}, {day})",
            markup=False,
            soft_wrap=True,
        )


def show_rejected(where: Place, receipt: Receipt, catalogue: Catalogue) -> None:
    """The rejected rows of a delivery, and below them every reason in words with its repair."""
    rejected = rows_of(
        where.published,
        "select row_no, reasons, row_text from bi.rpt_rejected_row where receipt_id = ? order by row_no, record_no",
        [receipt.receipt_id],
    )
    for row_no, reasons, text in rejected[:SHOWN_REJECTED]:
        console.print(f"line {row_no}: {reasons}  {text}", markup=False, soft_wrap=True)
    if len(rejected) > SHOWN_REJECTED:
        console.print(f"... and {len(rejected) - SHOWN_REJECTED} more rows in bi.rpt_rejected_row")
    for reason in sorted({reason for _, reasons, _ in rejected for reason in reasons.split(", ")}):
        meaning = reason_words(catalogue, receipt.dataset, reason).en
        repair = repair_words(catalogue, reason).en
        console.print(f"{reason}: {meaning} -> {repair}", markup=False, soft_wrap=True)
    if any("unknown_reference:" in reasons for _, reasons, _ in rejected):
        show_unknown(where, "and u.dataset = ? and u.origin = ?", [receipt.dataset, receipt.origin])


def _csv_line(*cells: object) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def show_unknown(where: Place, condition: str = "", parameters: list[object] | None = None) -> int:
    """The numbers that rows wait for, each with the line that would release them; how many there are."""
    rows = rows_of(
        where.published,
        "select u.dataset, u.column_name, u.origin, u.external_id, u.entity_code, u.waiting_rows, u.first_day, u.last_day,"
        " u.suggested_id, c.en from bi.rpt_unknown_reference u left join bi.dim_code c on c.code_list = 'suggestion'"
        f" and c.code = u.suggestion_code where true {condition} order by u.dataset, u.column_name, u.origin, u.external_id",
        parameters,
    )
    for dataset, column, origin, external, entity, waiting, first, last, own, why in rows:
        span = f", {first} to {last}" if first else ""
        waits = "1 row waits" if waiting == 1 else f"{waiting} rows wait"
        console.print(f"{dataset}.{column} '{external}' of {origin}: {waits}{span}", markup=False, soft_wrap=True)
        told = f"suggestion {own}: {why}" if own else "no suggestion"
        line = _csv_line(origin, entity, external, own or "?", first or "?", "")
        console.print(f"  {told}; for the list of identifiers: {line}", markup=False, soft_wrap=True)
    return len(rows)
