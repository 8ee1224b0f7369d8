-- Grain: one row per component, chain and month from a year after its start decision on.
select
    component.code as component,
    clock.month,
    clock.client_id,
    clock.chain_id,
    cast(case when component.code = 'chains_started' or clock.clock_state_code = 'ready_in_time' then 1 else 0 end as decimal(28, 6))
        as amount,
    cast(null as varchar) as entity_id,
    cast(null as varchar) as gap_code
from {{ ref('ledger.chain_clock') }} as clock
inner join {{ ref('run.month') }} as run_month on clock.month = run_month.month
inner join {{ ref('reference.month') }} as month on clock.month = month.month
cross join (values ('chains_ready'), ('chains_started')) as component (code)
where date_diff('day', clock.start_decision_on, month.month_to) >= 365 and clock.clock_state_code <> 'ended'
