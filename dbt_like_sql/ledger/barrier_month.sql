-- Grain: one row per barrier that is open at the end of the month, and role that has assessed it by then.
with assessed as (
    select
        month.month,
        barrier.client_id,
        assessment.barrier_id,
        assessment.assessor_role_code,
        assessment.severity_level,
        assessment.influence_level,
        row_number() over (
            partition by month.month, assessment.barrier_id, assessment.assessor_role_code
            order by assessment.assessed_on desc
        ) as turn
    from {{ ref('core.barrier_assessment') }} as assessment
    inner join {{ ref('core.barrier') }} as barrier on assessment.barrier_id = barrier.barrier_id
    inner join {{ ref('reference.month') }} as month
        on assessment.assessed_on < month.month_to and barrier.raised_on < month.month_to
        and (barrier.removed_on is null or barrier.removed_on >= month.month_to)
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
)

select
    assessed.month,
    assessed.client_id,
    assessed.barrier_id,
    assessed.assessor_role_code,
    assessed.severity_level,
    assessed.influence_level
from assessed
where assessed.turn = 1
