"""Published values of final periods: their state, and that none changes without a reason.

Belongs here: `run.month_state`, `run.period_status` and `run.final_change`, made of the decisions and of the file that
readers have. Does not belong here: the rules of the states (periods), deliveries (final_months), writing the file
(publishing).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.publication import history
from resources.publication.published_file import attached

if TYPE_CHECKING:
    from resources.engine import Engine
    from resources.periods import Months

MONTH_STATE = "run.month_state"
PERIOD_STATUS = "run.period_status"
FINAL_CHANGE = "run.final_change"
# What a changed value of a period that was final owes its readers.
EXPLANATIONS = f"select period_code, reason, decided_by from {PERIOD_STATUS} where decided_by is not null"
_PUBLISHED = "keten_final"

# A period is what its months are, the weakest of them first; one that reaches outside the reporting months stays open.
_STATUS = f"""
select p.period_type, p.period_code,
    case when count(*) filter (s.is_final) < any_value(length) then
        case when count(s.month) < any_value(length) then 'open' else 'provisional' end
        when bool_or(s.publication_status = 'restated') then 'restated' else 'final' end as publication_status,
    count(*) filter (s.is_locked) = any_value(length) as is_locked,
    case when count(*) filter (s.was_final) = any_value(length) then arg_max(s.reason, s.explained_at) end as reason,
    case when count(*) filter (s.was_final) = any_value(length) then arg_max(s.explained_by, s.explained_at) end as decided_by
from (select *, date_diff('month', period_from, period_to) as length from reference.period) p
left join {MONTH_STATE} s using (month)
group by all"""


def prepare_states(engine: Engine, months: Months, as_of: date) -> None:
    """Write the states of the months, and what they make of every period of `reference.period`."""
    import pyarrow as pa

    rows = []
    for day, month in sorted(months.items()):
        last, why = month.last, month.explanation
        rows.append(
            {
                "month": day,
                "publication_status": month.status,
                "is_final": month.is_final,
                "was_final": month.was_final,
                "is_locked": month.is_locked(as_of),
                **(
                    {"decided_by": last.by, "decided_at": last.moment, "decided_because": last.reason or None}
                    if last
                    else {}
                ),
                **({"reason": why.reason, "explained_by": why.by, "explained_at": why.moment} if why else {}),
            }
        )
    texts = ("publication_status", "decided_by", "decided_because", "reason", "explained_by")
    kinds = {
        **{name: pa.bool_() for name in ("is_final", "was_final", "is_locked")},
        **{name: pa.timestamp("us") for name in ("decided_at", "explained_at")},
        **{name: pa.string() for name in texts},
        "month": pa.date32(),
    }
    engine.load(MONTH_STATE, pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items()))))
    engine.replace(PERIOD_STATUS, _STATUS)


def periods_select() -> str:
    """SQL of one row per reporting month: its state, who decided so and why, and how many of its values changed since."""
    return f"""
        select m.month, coalesce(s.publication_status, 'open') as publication_status, s.decided_by, s.decided_at,
            s.decided_because as reason, count(c.period_code) as change_count
        from reference.month m left join {MONTH_STATE} s using (month)
        left join {FINAL_CHANGE} c on c.period_type = 'month' and c.period_code = strftime(m.month, '%Y-%m')
        group by all"""


def gather_changes(engine: Engine, published: Path) -> None:
    """Write `run.final_change`: values of final periods that changed, as published so far and (`is_new`) as they would now.

    The values of this run must be there. A value that was not published before is no change.
    """
    connection = engine.connection
    none = "select '' as period_type, '' as period_code, false as is_new, false as is_locked limit 0"
    found = []
    with attached(connection, published, _PUBLISHED) as present:
        if present and engine.count(MONTH_STATE) and history.has_values(connection, _PUBLISHED):
            changes = history.changes_select(f"{_PUBLISHED}.bi.{history.VALUES}", f"bi.{history.VALUES}")
            found.append(
                f"select c.period_type, c.period_code, true as is_new, s.is_locked from ({changes}) c"
                f" join {PERIOD_STATUS} s using (period_code) where s.is_locked or s.decided_by is not null"
            )
        if present and history.tells_reasons(connection, _PUBLISHED):
            found.append(
                "select period_type, period_code, false as is_new, false as is_locked"
                f" from {_PUBLISHED}.bi.publication_value_change where decided_by is not null"
            )
        engine.replace(FINAL_CHANGE, none, *found)


def refuse_unexplained(engine: Engine) -> None:
    """Raises KetenError when published values of a final period would change and nothing recorded lets them."""
    rows = engine.connection.execute(
        f"select period_type, period_code, count(*) from {FINAL_CHANGE} where is_new and is_locked"
        " group by period_type, period_code order by period_type <> 'month', period_code"
    ).fetchall()
    if not rows:
        return
    months = [(code, count) for kind, code, count in rows if kind == "month"]
    shown = months or [(code, count) for _, code, count in rows]
    told = ", ".join(f"{code}: {count}" for code, count in shown[:12]) + (", ..." if len(shown) > 12 else "")
    raise KetenError(
        f"{sum(count for *_, count in rows)} published values of final periods would change without a reason ({told}),"
        " by master data, declarations, factors, code, a withdrawal or rows of other months; mend the cause, or let it in with"
        f" `keten period restate {' '.join(code for code, _ in months) or 'MONTH'} --by NAME --reason REASON` and run again"
    )


def published_states(published: Path) -> dict[date, str]:
    """State by month as readers see it; empty when nothing, or nothing of states, is published."""
    import duckdb

    with duckdb.connect() as connection, attached(connection, published, _PUBLISHED) as present:
        if not present or not history.columns(connection, _PUBLISHED, "rpt_period"):
            return {}
        rows = connection.execute(f"select month, publication_status from {_PUBLISHED}.bi.rpt_period").fetchall()
        return dict(rows)
