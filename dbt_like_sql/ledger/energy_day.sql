-- Grain: one row per meter, register, unit and local day with a quantity.
with interval_day as (
    select
        r.meter_id,
        r.register_code,
        r.unit_code,
        r.local_date,
        sum(r.quantity) as quantity,
        sum(date_diff('minute', r.start_utc, r.end_utc)) as measured_minutes,
        sum(case when r.reading_status_code = 'estimated_gap' then date_diff('minute', r.start_utc, r.end_utc) else 0 end)
            as gap_minutes,
        count(*) >= 24 and min(r.quantity) = max(r.quantity) as is_constant
    from {{ ref('core.meter_reading') }} as r
    inner join {{ ref('run.month') }} as m on date_trunc('month', r.local_date) = m.month
    where r.kind_code = 'interval' and date_diff('minute', r.start_utc, r.end_utc) <= 1500
    group by r.meter_id, r.register_code, r.unit_code, r.local_date
),

-- Tariffs that take turns tell a part of the day each, tariffs that both tell every minute tell it once.
turned as (
    select meter_id, local_date, substring(register_code, 1, 1) as direction
    from interval_day
    group by meter_id, local_date, substring(register_code, 1, 1)
    having min(register_code) <> max(register_code)
),

turned_minute as (
    select distinct turned.meter_id, turned.local_date, turned.direction, r.start_utc, r.end_utc
    from {{ ref('core.meter_reading') }} as r
    inner join turned on r.meter_id = turned.meter_id and r.local_date = turned.local_date
        and substring(r.register_code, 1, 1) = turned.direction
    where r.kind_code = 'interval' and date_diff('minute', r.start_utc, r.end_utc) <= 1500
),

together as (
    select meter_id, local_date, direction, sum(date_diff('minute', start_utc, end_utc)) as covered_minutes
    from turned_minute
    group by meter_id, local_date, direction
),

-- Registers that are read as they stand are known together or not at all: the one that tells least counts.
told as (
    select
        1 as preference,
        substring(day.register_code, 1, 1) as direction,
        day.meter_id,
        day.register_code,
        day.unit_code,
        day.local_date,
        day.quantity,
        day.measured_minutes,
        day.gap_minutes,
        day.is_constant,
        coalesce(together.covered_minutes, day.measured_minutes) as covered_minutes
    from interval_day as day
    left join together on day.meter_id = together.meter_id and day.local_date = together.local_date
        and substring(day.register_code, 1, 1) = together.direction
    union all
    select
        case day.kind_code when 'register' then 2 else 3 end as preference,
        substring(day.register_code, 1, 1) as direction,
        day.meter_id,
        day.register_code,
        day.unit_code,
        day.local_date,
        day.quantity,
        day.measured_minutes,
        day.gap_minutes,
        day.is_constant,
        min(day.measured_minutes) over (
            partition by day.meter_id, day.kind_code, substring(day.register_code, 1, 1), day.local_date
        ) as covered_minutes
    from {{ ref('ledger.metered_day') }} as day
    inner join {{ ref('run.month') }} as m on day.month = m.month
),

-- Of intervals, stands and longer periods of one meter and day only the kind counts that tells most of the day.
ranked as (
    select
        told.*,
        rank() over (partition by meter_id, direction, local_date order by covered_minutes desc, preference) as place
    from told
)

select
    cast(date_trunc('month', told.local_date) as date) as month,
    told.local_date,
    told.meter_id,
    meter.parent_meter_id,
    told.register_code,
    meter.site_id,
    site.client_id,
    meter.carrier_code,
    cast(told.quantity as decimal(28, 6)) as quantity,
    told.unit_code,
    cast(told.measured_minutes as bigint) as measured_minutes,
    cast(told.covered_minutes as bigint) as covered_minutes,
    cast(told.gap_minutes as bigint) as gap_minutes,
    told.is_constant
from ranked as told
inner join {{ ref('core.meter') }} as meter on told.meter_id = meter.meter_id
inner join {{ ref('core.site') }} as site on meter.site_id = site.site_id
where told.place = 1 and told.measured_minutes > 0
