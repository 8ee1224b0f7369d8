-- Grain: one row per chain, as its clock stands in the last reporting month.
with last as (
    select
        clock.chain_id,
        max(clock.month) as month
    from {{ ref('ledger.chain_clock') }} as clock
    group by clock.chain_id
)

select
    coalesce(chain.key, -1) as chain_key,
    coalesce(client.key, -1) as client_key,
    clock.month,
    clock.start_decision_on,
    clock.ready_on,
    clock.ended_on,
    clock.days_on_clock,
    clock.clock_state_code
from {{ ref('ledger.chain_clock') }} as clock
inner join last on clock.chain_id = last.chain_id and clock.month = last.month
left join {{ ref('register.surrogate_key') }} as chain on chain.dimension = 'chain' and chain.natural_key = clock.chain_id
left join {{ ref('register.surrogate_key') }} as client on client.dimension = 'party' and client.natural_key = clock.client_id
