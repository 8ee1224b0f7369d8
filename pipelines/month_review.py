"""What is still missing of a month, told before it is made final.

Belongs here: looking at the published file and the landing zone. Does not belong here: deciding (periods), printing
(period_cli).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pipelines.settings import Place
from resources.errors import KetenError
from resources.landing import Landing
from resources.publication.published import reading

if TYPE_CHECKING:
    from resources.publication.published import Read


def missing(where: Place, month: date) -> list[str]:
    """What a month lacks as readers see it, in sentences. Raises KetenError when it is not published yet."""
    with reading(where.published) as read:
        if not read(f"select 1 as there from bi.dim_date where month = date '{month}' limit 1"):
            raise KetenError(f"{month:%Y-%m} is not published yet; `keten run`, look at its figures, then close it")
        told = [*_reports(read, month), *_incomplete(read, month), *_held(read)]
        if waiting := _active(where) - _states(read).keys():
            told.append(f"deliveries since the last publication: {len(waiting)}; `keten run` takes them in")
    return told


def left_out(where: Place) -> tuple[str, ...]:
    """The deliveries that have come in and are not in the published figures."""
    with reading(where.published) as read:
        loaded = {receipt_id for receipt_id, state in _states(read).items() if state == "loaded"}
    return tuple(sorted(_active(where) - loaded))


def _states(read: Read) -> dict[str, str]:
    return {row["receipt_id"]: row["state"] for row in read("select receipt_id, state from bi.rpt_delivery")}


def _active(where: Place) -> set[str]:
    return {receipt.receipt_id for receipt in Landing(where.landing).receipts() if receipt.active}


def _reports(read: Read, month: date) -> list[str]:
    """Reports that are due and did not come."""
    rows = read(
        "select p.party_name as contractor, c.contract_name as contract, r.due_on from bi.rpt_report_due r"
        " left join bi.dim_contract c using (contract_key) left join bi.dim_party p on p.party_key = r.contractor_key"
        f" where r.month = date '{month}' and r.report_state_code = 'overdue' order by 1, 2"
    )
    return [f"report of {r['contractor']}, {r['contract']}: due on {r['due_on']}, not received" for r in rows]


def _incomplete(read: Read, month: date) -> list[str]:
    """Indicators whose total of the month is not known or not whole, and of what an amount is missing."""
    rows = read(
        "with mine as (select distinct indicator_id from bi.rpt_indicator_value where level_code = 'total'),"
        " lost as (select indicator_id, string_agg(distinct scope_code, ', ' order by scope_code) as scopes"
        f" from bi.fact_indicator_month where month = date '{month}' and amount is null group by indicator_id)"
        " select i.title_en as title, v.coverage, v.value_status, l.scopes"
        " from mine join bi.dim_indicator i using (indicator_id) left join lost l using (indicator_id)"
        " left join bi.rpt_indicator_value v on v.indicator_id = i.indicator_id and v.level_code = 'total'"
        f" and v.period_code = '{month:%Y-%m}'"
        " where v.value is null or v.coverage < 1 order by title"
    )
    found = []
    for r in rows:
        share = "no figure" if r["coverage"] is None else f"coverage {r['coverage']:.0%}"
        of = f"; no amount of {r['scopes']}" if r["scopes"] else ""
        found.append(f"{r['title']}: {share}, {r['value_status'] or 'missing'}{of}")
    return found


def _held(read: Read) -> list[str]:
    """Deliveries that are held or rejected; which months they are about is not known before they are let in."""
    rows = read(
        "select state, file_name, reason from bi.rpt_delivery where state in ('held', 'rejected') order by received_at"
    )
    return [f"delivery {r['state']}, {r['file_name']}: {r['reason']}" for r in rows]
