-- Grain: one row per component, site, month and (for energy) carrier with a valid main meter.
-- Charging points are sub-meters of end use ev_charging: what they measure is inside a main meter.
select
    'energy_kwh' as component,
    energy.month,
    energy.client_id,
    energy.site_id,
    energy.carrier_code,
    cast(case when count(*) = count(energy.energy_upper_kwh) then sum(case when energy.parent_meter_id is null then energy.energy_upper_kwh else -energy.energy_upper_kwh end) end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when count(*) > count(energy.energy_upper_kwh) then 'missing' end as gap_code
from {{ ref('ledger.energy_month') }} as energy
inner join {{ ref('run.month') }} as run_month on energy.month = run_month.month
where energy.parent_meter_id is null or energy.end_use_code = 'ev_charging'
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
