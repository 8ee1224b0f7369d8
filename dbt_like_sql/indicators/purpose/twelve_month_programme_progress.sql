-- Grain: one row per component, chain and month of its twelve-month programme.
select
    'requirements_met' as component,
    programme.month,
    programme.client_id,
    programme.chain_id,
    cast(case when programme.planned_count > 0 then programme.met_count end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when programme.planned_count = 0 then 'missing' end as gap_code
from {{ ref('ledger.programme_month') }} as programme
inner join {{ ref('run.month') }} as run_month on programme.month = run_month.month
union all
select
    'requirements_planned' as component,
    programme.month,
    programme.client_id,
    programme.chain_id,
    cast(case when programme.planned_count > 0 then programme.planned_count end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when programme.planned_count = 0 then 'missing' end as gap_code
from {{ ref('ledger.programme_month') }} as programme
inner join {{ ref('run.month') }} as run_month on programme.month = run_month.month
