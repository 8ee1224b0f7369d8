-- Grain: one row per component, site, stream and month with a collection.
with collected as (
    select
        waste.month,
        waste.client_id,
        waste.site_id,
        waste.stream_code,
        sum(waste.mass_kg) as mass_kg,
        sum(waste.recycled_kg) as recycled_kg,
        count(*) - count(waste.recycled_kg) as unknown_count
    from {{ ref('ledger.waste_treated') }} as waste
    inner join {{ ref('run.month') }} as run_month on waste.month = run_month.month
    group by waste.month, waste.client_id, waste.site_id, waste.stream_code
)

select
    component.code as component,
    collected.month,
    collected.client_id,
    collected.site_id,
    collected.stream_code,
    cast(
        case when component.code = 'waste_kg' then collected.mass_kg
            when collected.unknown_count = 0 then collected.recycled_kg end as decimal(28, 6)
    ) as amount,
    cast(null as varchar) as entity_id,
    case when component.code = 'recycled_kg' and collected.unknown_count > 0 then 'missing' end as gap_code
from collected
cross join (values ('recycled_kg'), ('waste_kg')) as component (code)
