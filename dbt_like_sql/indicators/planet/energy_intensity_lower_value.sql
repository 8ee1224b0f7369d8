-- Grain: one row per component, site, month and (for energy) carrier with a valid main meter.
select
    'energy_kwh' as component,
    energy.month,
    energy.client_id,
    energy.site_id,
    energy.carrier_code,
    cast(case when count(*) = count(energy.energy_lower_kwh) then sum(energy.energy_lower_kwh) end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when count(*) > count(energy.energy_lower_kwh) then 'missing' end as gap_code
from {{ ref('ledger.energy_month') }} as energy
inner join {{ ref('run.month') }} as run_month on energy.month = run_month.month
where energy.parent_meter_id is null
group by energy.month, energy.client_id, energy.site_id, energy.carrier_code
union all
select
    'floor_area_m2_year' as component,
    use.month,
    use.client_id,
    use.site_id,
    cast(null as varchar) as carrier_code,
    use.floor_area_go_m2_year as amount,
    cast(null as varchar) as entity_id,
    case when use.floor_area_go_m2_year is null then 'missing' end as gap_code
from {{ ref('ledger.site_month') }} as use
inner join {{ ref('run.month') }} as run_month on use.month = run_month.month
