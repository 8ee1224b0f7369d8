"""Every row accounted for: what became of the records of each delivery.

Belongs here: the counts per receipt, the rejected rows and what corrections met, made from the current state of the
rows. Does not belong here: changing any row, and the invariant itself (`dbt_like_sql/bi/rpt_delivery.yml`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.intake.corrections import TABLE as CORRECTED
from resources.intake.receipt_list import dataset_order
from resources.reading.cells import text

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract


def deliveries_select(catalogue: Catalogue) -> str:
    """SQL of one row per receipt with what became of its rows, as sent and as records after unpivoting."""
    return " union all ".join(_counts(catalogue.contracts[name]) for name in dataset_order(catalogue))


def rejected_rows_select(catalogue: Catalogue) -> str:
    """SQL of one row per quarantined record, with its reasons, what to do about them, and its original text."""
    rows = " union all ".join(
        f"select '{name}' as dataset, receipt_id, row_no, record_no, array_to_string(reasons, ', ') as reasons, row_text"
        f" from core.{name}__quarantine"
        for name in dataset_order(catalogue)
    )
    repairs = ", ".join(
        f"({text(name)}, {text(r.repair.nl)}, {text(r.repair.en)})"
        for name, r in catalogue.reasons.items()
        if r.outcome in ("quarantined", "waiting")
    )
    # There are far fewer combinations of reasons than rows.
    told = ", ".join(
        f"array_to_string(list_distinct(list(r.{words} order by r.kind)), ' ') as repair_{words}"
        for words in ("nl", "en")
    )
    return f"""
        with rejected as ({rows}),
        reason as (
            select reasons, unnest(string_split(reasons, ', ')) as reason from (select distinct reasons from rejected)
        ),
        repair as (
            select w.reasons, {told} from reason w
            left join (values {repairs}) r(kind, nl, en) on r.kind = split_part(w.reason, ':', 1) group by w.reasons
        )
        select e.* exclude (row_text), p.repair_nl, p.repair_en, e.row_text from rejected e left join repair p using (reasons)"""


def corrections_select(catalogue: Catalogue) -> str:
    """SQL of one row per declared correction and delivery that it met; one without a delivery when it met none."""
    columns = "origin, correction_id, dataset, action_code, column_name, reason, reporter, decided_on"
    facts = [
        (c.origin, c.id, c.dataset, c.action, c.column, c.reason, c.reporter, f"{c.date}")
        for c in catalogue.corrections
    ]
    nothing = (None,) * len(columns.split(","))
    told = ", ".join(
        f"({', '.join(text(fact) if fact else 'null::varchar' for fact in row)})" for row in [*facts, nothing]
    )
    declared = f"(values {told}) t({columns})"
    return f"""
    with declared as (select * replace (decided_on::date as decided_on) from {declared} where origin is not null),
    met as (
        select origin, correction_id, receipt_id, count(*) as matched_rows,
            count(*) filter (outcome = 'applied') as corrected_rows,
            case when min(value_was) is not distinct from max(value_was) then min(value_was) end as value_before,
            case when min(value_is) is not distinct from max(value_is) then min(value_is) end as value_after
        from {CORRECTED} group by all
    )
    select d.origin, d.correction_id, coalesce(m.receipt_id, '') as receipt_id, d.dataset, d.action_code, d.column_name,
        coalesce(m.matched_rows, 0) as matched_rows, coalesce(m.corrected_rows, 0) as corrected_rows,
        m.value_before, m.value_after, d.reason, d.reporter, d.decided_on
    from declared d left join met m using (origin, correction_id)"""


def _counts(contract: Contract) -> str:
    core = f"core.{contract.name}"

    def counted(table: str, key: str = "receipt_id", where: str = "") -> str:
        """Records of a table by receipt, and source rows (each has one first record); grouped once for all receipts."""
        return f"(select {key} as id, count(*) as n, count(*) filter (record_no = 1) as rows from {table} {where} group by 1)"

    return f"""
    select *, accepted_rows - unchanged_rows - restating_rows as new_rows from (
        select r.receipt_id, r.dataset, r.origin, r.file_name, r.received_at, r.issued_at, r.state, r.reason,
            case when r.state = 'loaded' then r.number_evidence end as number_evidence,
            {contract.quarantine_tolerance}::decimal(28, 6) as quarantine_tolerance_share,
            case when r.state = 'loaded' then r.source_rows + r.blank_rows else 0 end as source_rows,
            coalesce(c.rows, 0) + coalesce(h.rows, 0) + coalesce(q.rows, 0) + coalesce(i.rows, 0)
                + case when r.state = 'loaded' then r.blank_rows else 0 end as accounted_source_rows,
            case when r.state = 'loaded' then r.received_rows + r.blank_rows else 0 end as received_rows,
            coalesce(c.n, 0) + coalesce(h.n, 0) as accepted_rows,
            coalesce(q.n, 0) as quarantined_rows,
            coalesce(i.n, 0) + case when r.state = 'loaded' then r.blank_rows else 0 end as ignored_rows,
            coalesce(u.n, 0) as unchanged_rows,
            coalesce(s.n, 0) as restating_rows,
            coalesce(w.n, 0) as withdrawing_rows
        from intake.receipt r
        left join {counted(core)} c on c.id = r.receipt_id
        left join {counted(f"{core}__history")} h on h.id = r.receipt_id
        left join {counted(f"{core}__quarantine")} q on q.id = r.receipt_id
        left join {counted(f"{core}__ignored")} i on i.id = r.receipt_id
        left join {counted(f"{core}__history", where="where state = 'unchanged'")} u on u.id = r.receipt_id
        left join {counted(f"{core}__history", "ended_by", "where state = 'restated'")} s on s.id = r.receipt_id
        left join {counted(f"{core}__history", "ended_by", "where state = 'withdrawn'")} w on w.id = r.receipt_id
        where r.dataset = '{contract.name}'
    )"""
