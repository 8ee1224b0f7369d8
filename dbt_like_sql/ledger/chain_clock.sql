-- Grain: one row per chain and month from its start decision on.
with met as (
    select
        milestone.chain_id,
        count(milestone.requirement_code) as planned_count,
        count(milestone.met_on) as met_count,
        max(milestone.met_on) as last_met_on
    from {{ ref('core.milestone') }} as milestone
    group by milestone.chain_id
),

clock as (
    select
        month.month,
        month.month_to,
        chain.client_id,
        chain.chain_id,
        chain.start_decision_on,
        case when met.met_count = met.planned_count and met.last_met_on < month.month_to then met.last_met_on end as ready_on,
        case when chain.ended_on < month.month_to then chain.ended_on end as ended_on
    from {{ ref('core.chain') }} as chain
    inner join {{ ref('reference.month') }} as month on chain.start_decision_on < month.month_to
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    left join met on chain.chain_id = met.chain_id
)

select
    clock.month,
    clock.client_id,
    clock.chain_id,
    clock.start_decision_on,
    clock.ready_on,
    clock.ended_on,
    cast(date_diff('day', clock.start_decision_on, coalesce(clock.ready_on, clock.ended_on, clock.month_to)) as bigint)
        as days_on_clock,
    case
        when date_diff('day', clock.start_decision_on, clock.ready_on) <= 365 then 'ready_in_time'
        when clock.ready_on is not null then 'ready_late'
        when clock.ended_on is not null then 'ended'
        when date_diff('day', clock.start_decision_on, clock.month_to) > 365 then 'late'
        else 'running'
    end as clock_state_code
from clock
