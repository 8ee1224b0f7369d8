-- Grain: one row per chain and month, from its start decision through twelve months or its end.
with running as (
    select
        chain.chain_id,
        chain.client_id,
        chain.ended_on,
        month.month,
        month.month_to
    from {{ ref('core.chain') }} as chain
    inner join {{ ref('reference.month') }} as month
        on chain.start_decision_on < month.month_to and coalesce(chain.ended_on, month.month_to) > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    where date_diff('day', chain.start_decision_on, month.month) < 365
)

select
    running.month,
    running.chain_id,
    running.client_id,
    count(milestone.requirement_code) as planned_count,
    count(case when milestone.met_on < running.month_to then 1 end) as met_count
from running
left join {{ ref('core.milestone') }} as milestone on running.chain_id = milestone.chain_id
group by running.month, running.chain_id, running.client_id
