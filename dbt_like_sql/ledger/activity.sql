-- Grain: one row per source of a quantity (meter; collector, site, stream and treatment; delivered quantity) and month.
select
    energy.month,
    'meter_reading' as source_dataset,
    energy.meter_id as source_id,
    energy.client_id,
    energy.site_id,
    energy.supplier_id as party_id,
    cast(null as varchar) as contract_id,
    energy.carrier_code,
    case energy.carrier_code when 'gas' then 'natural_gas' when 'heat' then 'district_heat' else energy.carrier_code end
        as activity_code,
    energy.status_code,
    energy.quantity,
    energy.unit_code
from {{ ref('ledger.energy_month') }} as energy
inner join {{ ref('run.month') }} as run_month on energy.month = run_month.month
where energy.parent_meter_id is null
union all
select
    waste.month,
    'waste_collection' as source_dataset,
    waste.collector_id || '/' || waste.site_id || '/' || waste.stream_code || '/' || waste.treatment_code as source_id,
    waste.client_id,
    waste.site_id,
    waste.collector_id as party_id,
    cast(null as varchar) as contract_id,
    cast(null as varchar) as carrier_code,
    'waste_' || waste.stream_code || '_' || waste.treatment_code as activity_code,
    'reported' as status_code,
    cast(sum(waste.mass_kg) as decimal(28, 6)) as quantity,
    'kg' as unit_code
from {{ ref('ledger.waste_month') }} as waste
inner join {{ ref('run.month') }} as run_month on waste.month = run_month.month
group by waste.month, waste.client_id, waste.site_id, waste.collector_id, waste.stream_code, waste.treatment_code
union all
select
    other.month,
    'activity' as source_dataset,
    other.party_id || '/' || other.site_id || '/' || other.activity_code || '/' || cast(other.period_from as varchar)
    || '/' || cast(other.period_to as varchar) || '/' || cast(other.repeat_no as varchar) as source_id,
    other.client_id,
    other.site_id,
    other.party_id,
    other.contract_id,
    cast(null as varchar) as carrier_code,
    other.activity_code,
    other.status_code,
    other.quantity,
    other.unit_code
from {{ ref('ledger.activity_month') }} as other
inner join {{ ref('run.month') }} as run_month on other.month = run_month.month
