-- Grain: one row per meter and month in which it is valid at a site in use.
with expected as (
    select
        month.month,
        site.client_id,
        meter.site_id,
        meter.meter_id,
        meter.parent_meter_id,
        meter.carrier_code,
        coalesce(meter.end_use_code, 'building') as end_use_code,
        meter.supplier_id,
        date_diff(
            'day',
            greatest(meter.valid_from, site.in_use_from, month.month),
            least(coalesce(meter.valid_to, month.month_to), coalesce(site.in_use_to, month.month_to), month.month_to)
        ) as days
    from {{ ref('core.meter') }} as meter
    inner join {{ ref('core.site') }} as site on meter.site_id = site.site_id
    inner join {{ ref('reference.month') }} as month on meter.valid_from < month.month_to and site.in_use_from < month.month_to
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
),

day as (
    select
        energy.meter_id,
        energy.month,
        energy.carrier_code,
        energy.unit_code,
        sum(case when energy.register_code like '2.8.%' then -energy.quantity else energy.quantity end) as quantity,
        max(case when energy.register_code like '2.8.%' then 0 else energy.covered_minutes end) as measured_minutes,
        max(case when energy.register_code like '2.8.%' then 0 else energy.gap_minutes end) as gap_minutes
    from {{ ref('ledger.energy_day') }} as energy
    inner join {{ ref('run.month') }} as run_month on energy.month = run_month.month
    group by energy.meter_id, energy.month, energy.carrier_code, energy.unit_code, energy.local_date
),

-- Without the energy content of its unit a quantity is no energy: the month is missing then.
used as (
    select
        day.meter_id,
        day.month,
        min(day.unit_code) as unit_code,
        sum(day.quantity) as quantity,
        sum(cast(day.quantity * upper.kwh_per_unit as decimal(38, 6))) as energy_upper_kwh,
        sum(cast(day.quantity * lower.kwh_per_unit as decimal(38, 6))) as energy_lower_kwh,
        sum(day.measured_minutes) as measured_minutes,
        sum(day.gap_minutes) as gap_minutes,
        count(*) - count(upper.kwh_per_unit) as unknown_count,
        count(distinct day.unit_code) as unit_count
    from day
    left join {{ ref('reference.energy_content') }} as upper
        on day.carrier_code = upper.carrier_code and day.unit_code = upper.unit_code and upper.heating_value_code = 'upper'
        and day.month >= upper.valid_from and (upper.valid_to is null or day.month < upper.valid_to)
    left join {{ ref('reference.energy_content') }} as lower
        on day.carrier_code = lower.carrier_code and day.unit_code = lower.unit_code and lower.heating_value_code = 'lower'
        and day.month >= lower.valid_from and (lower.valid_to is null or day.month < lower.valid_to)
    group by day.meter_id, day.month
),

told as (
    select
        expected.*,
        used.unit_code,
        used.quantity,
        used.energy_upper_kwh,
        used.energy_lower_kwh,
        case
            when used.measured_minutes is null or used.measured_minutes * 100 < expected.days * 1440 * 95 then 'missing'
            when used.unknown_count > 0 or used.unit_count > 1 then 'missing'
            when used.gap_minutes * 100 > expected.days * 1440 * 5 then 'estimated_gap'
            else 'measured'
        end as status_code
    from expected
    left join used on expected.meter_id = used.meter_id and expected.month = used.month
    where expected.days > 0
)

select
    told.month,
    told.client_id,
    told.site_id,
    told.meter_id,
    told.parent_meter_id,
    told.carrier_code,
    told.end_use_code,
    told.supplier_id,
    told.status_code,
    told.unit_code,
    cast(case when told.status_code <> 'missing' then told.quantity end as decimal(28, 6)) as quantity,
    cast(case when told.status_code <> 'missing' then told.energy_upper_kwh end as decimal(28, 6)) as energy_upper_kwh,
    cast(case when told.status_code <> 'missing' then told.energy_lower_kwh end as decimal(28, 6)) as energy_lower_kwh
from told
