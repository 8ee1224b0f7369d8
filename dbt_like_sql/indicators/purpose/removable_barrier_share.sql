-- Grain: one row per component, client and month with an open barrier that was assessed.
select
    component.code as component,
    barrier.month,
    barrier.client_id,
    cast(
        case component.code
            when 'removable_severity' then cast(sum(barrier.severity_level * barrier.influence_level) as decimal(28, 6)) / 4
            else sum(barrier.severity_level)
        end as decimal(28, 6)
    ) as amount,
    cast(null as varchar) as entity_id,
    cast(null as varchar) as gap_code
from {{ ref('ledger.barrier_month') }} as barrier
inner join {{ ref('run.month') }} as run_month on barrier.month = run_month.month
cross join (values ('removable_severity'), ('severity')) as component (code)
group by component.code, barrier.month, barrier.client_id
