"""Every row accounted for: what became of the records of each delivery.

Belongs here: the counts per receipt and the rejected rows, made from the current state of the rows. Does not belong
here: changing any row, and the invariant itself (`dbt_like_sql/bi/rpt_delivery.yml`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.receipt_list import dataset_order

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract


def deliveries_select(catalogue: Catalogue) -> str:
    """SQL of one row per receipt with what became of its rows, as sent and as records after unpivoting."""
    return " union all ".join(_counts(catalogue.contracts[name]) for name in dataset_order(catalogue))


def rejected_rows_select(catalogue: Catalogue) -> str:
    """SQL of one row per quarantined record, with its reasons and its original text."""
    return " union all ".join(
        f"select '{name}' as dataset, receipt_id, row_no, record_no, array_to_string(reasons, ', ') as reasons, row_text"
        f" from core.{name}__quarantine"
        for name in dataset_order(catalogue)
    )


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
