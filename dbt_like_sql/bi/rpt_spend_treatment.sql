-- Grain: one row per client, spend category, state and month.
select
    spend.month,
    coalesce(client.key, -1) as client_key,
    spend.spend_category_code,
    spend.spend_state_code,
    cast(sum(spend.amount_eur) as decimal(28, 6)) as amount_eur,
    count(*) - count(spend.amount_eur) as missing_count,
    cast(sum(case when spend.spend_state_code = 'counted' then spend.amount_eur * spend.kg_co2e_per_unit end) as decimal(28, 6))
        as emissions_kg_co2e
from {{ ref('ledger.spend_counted') }} as spend
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = spend.client_id
group by spend.month, client.key, spend.spend_category_code, spend.spend_state_code
