"""Every row accounted for: what became of the records of each delivery, as a table and as an invariant.

Belongs here: the counts per receipt, made from the current state of the rows. Does not belong here: changing any row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.receipt_list import dataset_order

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.engine import Engine

DELIVERIES = "publish.rpt_delivery"
REJECTED = "publish.rpt_rejected_row"

IMBALANCE = f"select * from {DELIVERIES} where received <> accepted + quarantined + ignored or new_rows < 0"


def account(engine: Engine, catalogue: Catalogue) -> None:
    """Write the counts per receipt and the rejected rows of all datasets into the staging tables of publication."""
    names = dataset_order(catalogue)
    engine.replace(DELIVERIES, " union all ".join(_counts(n) for n in names))
    engine.replace(REJECTED, " union all ".join(_rejected(n) for n in names))


def _counts(name: str) -> str:
    core = f"core.{name}"
    of = "where x.receipt_id = r.receipt_id"
    return f"""
    select *, accepted - unchanged_rows - restating_rows as new_rows from (
        select r.receipt_id, r.dataset, r.origin, r.file_name, r.received_at, r.issued_at, r.state, r.reason,
            case when r.state = 'loaded' then r.received_rows else 0 end as received,
            (select count(*) from {core} x {of}) + (select count(*) from {core}__history x {of}) as accepted,
            (select count(*) from {core}__quarantine x {of}) as quarantined,
            (select count(*) from {core}__ignored x {of})
                + case when r.state = 'loaded' then r.blank_rows else 0 end as ignored,
            (select count(*) from {core}__history x {of} and x.state = 'unchanged') as unchanged_rows,
            (select count(*) from {core}__history x where x.ended_by = r.receipt_id and x.state = 'restated') as restating_rows,
            (select count(*) from {core}__history x where x.ended_by = r.receipt_id and x.state = 'withdrawn') as withdrawing_rows
        from intake.receipt r where r.dataset = '{name}'
    )"""


def _rejected(name: str) -> str:
    return (
        f"select '{name}' as dataset, receipt_id, row_no, record_no, array_to_string(reasons, ', ') as reasons, row_text"
        f" from core.{name}__quarantine"
    )
