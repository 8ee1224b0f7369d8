-- Grain: one row per component, site, month and (for energy) carrier with a valid main meter.
with expected as (
    select
        month.month,
        site.client_id,
        meter.site_id,
        meter.carrier_code,
        meter.meter_id,
        date_diff(
            'day',
            greatest(meter.valid_from, site.in_use_from, month.month),
            least(coalesce(meter.valid_to, month.month_to), coalesce(site.in_use_to, month.month_to), month.month_to)
        ) as days
    from {{ ref('core.meter') }} as meter
    inner join {{ ref('core.site') }} as site on meter.site_id = site.site_id
    inner join {{ ref('reference.month') }} as month on meter.valid_from < month.month_to and site.in_use_from < month.month_to
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    where meter.parent_meter_id is null
),

-- A meter with two tariffs tells every minute twice: the register that tells most counts.
day as (
    select
        energy.meter_id,
        energy.month,
        sum(case when energy.register_code like '2.8.%' then -energy.quantity else energy.quantity end) as energy_kwh,
        max(case when energy.register_code like '2.8.%' then 0 else energy.measured_minutes end) as measured_minutes
    from {{ ref('ledger.energy_day') }} as energy
    inner join {{ ref('run.month') }} as run_month on energy.month = run_month.month
    where energy.unit_code = 'kWh'
    group by energy.meter_id, energy.month, energy.local_date
),

metered as (
    select
        expected.month,
        expected.client_id,
        expected.site_id,
        expected.carrier_code,
        expected.meter_id,
        sum(day.energy_kwh) as energy_kwh,
        case when coalesce(sum(day.measured_minutes), 0) * 100 < expected.days * 1440 * 95 then 1 else 0 end as is_short
    from expected
    left join day on expected.meter_id = day.meter_id and expected.month = day.month
    where expected.days > 0
    group by
        expected.month, expected.client_id, expected.site_id, expected.carrier_code, expected.meter_id, expected.days
)

select
    'energy_kwh' as component,
    metered.month,
    metered.client_id,
    metered.site_id,
    metered.carrier_code,
    cast(case when max(metered.is_short) = 0 then sum(metered.energy_kwh) end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when max(metered.is_short) = 1 then 'missing' end as gap_code
from metered
group by metered.month, metered.client_id, metered.site_id, metered.carrier_code
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
