-- Grain: one row per meter, register, unit and local day with a reading.
with reading as (
    select
        r.meter_id,
        r.register_code,
        r.unit_code,
        r.local_date,
        sum(r.quantity) as quantity,
        sum(date_diff('minute', r.start_utc, r.end_utc)) as measured_minutes
    from {{ ref('core.meter_reading') }} as r
    inner join {{ ref('run.month') }} as m on date_trunc('month', r.local_date) = m.month
    group by r.meter_id, r.register_code, r.unit_code, r.local_date
)

select
    cast(date_trunc('month', reading.local_date) as date) as month,
    reading.local_date,
    reading.meter_id,
    meter.parent_meter_id,
    reading.register_code,
    meter.site_id,
    site.client_id,
    meter.carrier_code,
    cast(reading.quantity as decimal(28, 6)) as quantity,
    reading.unit_code,
    cast(reading.measured_minutes as bigint) as measured_minutes
from reading
inner join {{ ref('core.meter') }} as meter on reading.meter_id = meter.meter_id
inner join {{ ref('core.site') }} as site on meter.site_id = site.site_id
