-- Grain: one row per component, site, month and (for energy) carrier with a valid main meter.
with expected as (
    select
        use.month,
        use.site_id,
        use.client_id,
        meter.carrier_code,
        use.days_in_use,
        count(*) as meter_count
    from {{ ref('ledger.site_month') }} as use
    inner join {{ ref('reference.month') }} as month on use.month = month.month
    inner join {{ ref('run.month') }} as run_month on use.month = run_month.month
    inner join {{ ref('core.meter') }} as meter
        on use.site_id = meter.site_id
        and meter.valid_from < month.month_to
        and coalesce(meter.valid_to, month.month_to) > month.month
    where meter.parent_meter_id is null and meter.unit_code = 'kWh'
    group by use.month, use.site_id, use.client_id, meter.carrier_code, use.days_in_use
),

measured as (
    select
        day.month,
        day.site_id,
        day.carrier_code,
        sum(case when day.register_code like '2.8.%' then -day.quantity else day.quantity end) as energy_kwh,
        sum(case when day.register_code like '2.8.%' then 0 else day.measured_minutes end) as measured_minutes
    from {{ ref('ledger.energy_day') }} as day
    inner join {{ ref('run.month') }} as run_month on day.month = run_month.month
    where day.unit_code = 'kWh'
    group by day.month, day.site_id, day.carrier_code
)

select
    'energy_kwh' as component,
    expected.month,
    expected.client_id,
    expected.site_id,
    expected.carrier_code,
    cast(
        case
            when measured.measured_minutes * 100 >= expected.days_in_use * expected.meter_count * 1440 * 95
                then measured.energy_kwh
        end as decimal(28, 6)
    ) as amount,
    cast(null as varchar) as entity_id,
    case
        when coalesce(measured.measured_minutes, 0) * 100 < expected.days_in_use * expected.meter_count * 1440 * 95
            then 'missing'
    end as gap_code
from expected
left join measured
    on expected.month = measured.month
    and expected.site_id = measured.site_id
    and expected.carrier_code = measured.carrier_code
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
