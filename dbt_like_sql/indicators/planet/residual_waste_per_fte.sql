-- Grain: one row per component, site and month in use.
with collected as (
    select
        waste.month,
        waste.site_id,
        sum(case when waste.stream_code = 'residual' then waste.mass_kg else 0 end) as residual_kg
    from {{ ref('ledger.waste_month') }} as waste
    inner join {{ ref('run.month') }} as run_month on waste.month = run_month.month
    group by waste.month, waste.site_id
)

select
    'residual_kg' as component,
    use.month,
    use.client_id,
    use.site_id,
    cast(collected.residual_kg as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when collected.residual_kg is null then 'missing' end as gap_code
from {{ ref('ledger.site_month') }} as use
inner join {{ ref('run.month') }} as run_month on use.month = run_month.month
left join collected on use.month = collected.month and use.site_id = collected.site_id
union all
select
    'fte_year' as component,
    use.month,
    use.client_id,
    use.site_id,
    use.fte_year as amount,
    cast(null as varchar) as entity_id,
    case when use.fte_year is null then 'missing' end as gap_code
from {{ ref('ledger.site_month') }} as use
inner join {{ ref('run.month') }} as run_month on use.month = run_month.month
