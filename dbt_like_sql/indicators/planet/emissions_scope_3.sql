-- Grain: one row per client, emission category, activity and month with such a source.
select
    'emissions_kg_co2e' as component,
    impact.month,
    impact.client_id,
    impact.emission_category_code,
    impact.activity_code,
    cast(case when count(*) = count(impact.emissions_kg_co2e) then sum(impact.emissions_kg_co2e) end as decimal(28, 6))
        as amount,
    cast(null as varchar) as entity_id,
    case when count(*) > count(impact.emissions_kg_co2e) then 'missing' end as gap_code
from {{ ref('ledger.impact') }} as impact
inner join {{ ref('run.month') }} as run_month on impact.month = run_month.month
where impact.impact_kind_code = 'actual' and impact.scope_code = '3'
group by impact.month, impact.client_id, impact.emission_category_code, impact.activity_code
