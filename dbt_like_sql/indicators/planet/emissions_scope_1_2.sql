-- Grain: one row per site, activity and month with such a source.
select
    'emissions_kg_co2e' as component,
    impact.month,
    impact.client_id,
    impact.site_id,
    impact.activity_code,
    cast(case when count(*) = count(impact.emissions_kg_co2e) then sum(impact.emissions_kg_co2e) end as decimal(28, 6))
        as amount,
    cast(null as varchar) as entity_id,
    case when count(*) > count(impact.emissions_kg_co2e) then 'missing' end as gap_code
from {{ ref('ledger.impact') }} as impact
inner join {{ ref('run.month') }} as run_month on impact.month = run_month.month
where impact.impact_kind_code = 'actual' and (impact.scope_code = '1' or (impact.scope_code = '2' and impact.method_code = 'location'))
group by impact.month, impact.client_id, impact.site_id, impact.activity_code
