-- Grain: one row per component, client, cost centre (as booked and of today), PSO step (of the certified part) and month.
with spend as (
    select
        line.month,
        line.client_id,
        line.org_unit_id,
        line.current_org_unit_id,
        line.pso_step_code,
        sum(line.amount_eur) as amount_eur,
        count(*) - count(line.amount_eur) as unknown_count
    from {{ ref('ledger.spend_line') }} as line
    inner join {{ ref('run.month') }} as run_month on line.month = run_month.month
    where line.spend_treatment_code <> 'excluded' and coalesce(line.service_code, 'other') not in ('energy', 'water')
    group by line.month, line.client_id, line.org_unit_id, line.current_org_unit_id, line.pso_step_code
),

total as (
    select
        spend.month,
        spend.client_id,
        spend.org_unit_id,
        spend.current_org_unit_id,
        sum(spend.amount_eur) as amount_eur,
        sum(spend.unknown_count) as unknown_count
    from spend
    group by spend.month, spend.client_id, spend.org_unit_id, spend.current_org_unit_id
)

-- A step without spend is zero, not missing; without a rate for one amount the whole cell is missing.
select
    'certified_spend' as component,
    total.month,
    total.client_id,
    total.org_unit_id,
    total.current_org_unit_id,
    step.code as pso_step_code,
    cast(case when total.unknown_count = 0 then coalesce(spend.amount_eur, 0) end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when total.unknown_count > 0 then 'missing' end as gap_code
from total
cross join {{ ref('reference.pso_step') }} as step
left join spend
    on total.month = spend.month and total.client_id = spend.client_id and total.org_unit_id = spend.org_unit_id
    and total.current_org_unit_id = spend.current_org_unit_id and step.code = spend.pso_step_code
where step.code <> 'none'
union all
select
    'spend' as component,
    total.month,
    total.client_id,
    total.org_unit_id,
    total.current_org_unit_id,
    cast(null as varchar) as pso_step_code,
    cast(case when total.unknown_count = 0 then total.amount_eur end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when total.unknown_count > 0 then 'missing' end as gap_code
from total
