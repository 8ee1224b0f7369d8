-- Grain: one row per site, carrier and month with a valid main meter.
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
