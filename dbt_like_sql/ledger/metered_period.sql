-- Grain: one row per meter, serial, register, unit, reading that ends a period, and month that the period lies in.
-- Readings up to 13 months around the months of the run tell all there is to know of a period in them.
with span as (
    select min(month) as first_month, max(month) as last_month from {{ ref('run.month') }}
),

read as (
    select
        reading.meter_id,
        coalesce(reading.meter_serial, '-') as meter_serial,
        reading.register_code,
        reading.unit_code,
        reading.kind_code,
        coalesce(reading.reading_status_code, 'measured') as reading_status_code,
        reading.start_utc,
        reading.end_utc,
        reading.local_date,
        reading.quantity,
        date_diff('minute', reading.start_utc, reading.end_utc) as minutes,
        meter.interval_minutes,
        meter.register_digits
    from {{ ref('core.meter_reading') }} as reading
    inner join {{ ref('core.meter') }} as meter on reading.meter_id = meter.meter_id
    cross join span
    where reading.local_date >= span.first_month - interval '13' month
        and reading.local_date < span.last_month + interval '14' month
        and (reading.kind_code = 'register' or date_diff('minute', reading.start_utc, reading.end_utc) > 1500)
),

-- What the register told most in the 62 days up to a stand.
topped as (
    select
        read.*,
        max(quantity) over (
            partition by meter_id, meter_serial, register_code, unit_code
            order by end_utc range between interval '62' day preceding and current row
        ) as highest
    from read
    where kind_code = 'register'
),

-- A register starts again at this size; of a meter whose digits are not known, as many as it shows, and at least four.
sized as (
    select
        topped.*,
        cast(case
            when register_digits = 3 then 1000
            when register_digits = 4 or (register_digits is null and highest < 10000) then 10000
            when register_digits = 5 or (register_digits is null and highest < 100000) then 100000
            when register_digits = 6 or (register_digits is null and highest < 1000000) then 1000000
            when register_digits = 7 or (register_digits is null and highest < 10000000) then 10000000
            when register_digits = 8 or (register_digits is null and highest < 100000000) then 100000000
            else 1000000000
        end as decimal(28, 6)) as size
    from topped
),

-- A register that falls to exactly 0 without reason to roll over was not read yet.
neighbour as (
    select
        sized.*,
        quantity = 0 and highest > 0 and size - highest > size * 0.1 as is_unread,
        lag(quantity) over serial as before,
        lead(quantity) over serial as after,
        date_diff('minute', lag(end_utc) over serial, end_utc) as before_minutes,
        date_diff('minute', end_utc, lead(end_utc) over serial) as after_minutes
    from sized
    window serial as (
        partition by meter_id, meter_serial, register_code, unit_code,
            quantity = 0 and highest > 0 and size - highest > size * 0.1
        order by end_utc
    )
),

-- A stand that does not fit between two that are in order with each other is left out.
marked as (
    select
        neighbour.*,
        is_unread or (
            coalesce(before_minutes <= 89280 and after_minutes <= 89280 and before <= after, false)
            and (quantity < before or quantity > after)
        ) as is_left_out
    from neighbour
),

pair as (
    select
        marked.*,
        lag(quantity) over serial as own_quantity,
        lag(end_utc) over serial as own_utc,
        lag(local_date) over serial as own_on,
        lag(end_utc) over meter as other_utc,
        lag(local_date) over meter as other_on
    from marked
    window
        serial as (partition by meter_id, meter_serial, register_code, unit_code, is_left_out order by end_utc),
        meter as (partition by meter_id, register_code, unit_code, is_left_out order by end_utc, meter_serial)
),

-- Of another meter nothing follows from the stand before; 186 days without a stand are no period at all.
begun as (
    select
        pair.*,
        case
            when is_left_out then 'none'
            when date_diff('minute', own_utc, end_utc) <= 267840 then 'own'
            when date_diff('minute', other_utc, end_utc) <= 267840 then 'other'
            else 'none'
        end as begin_kind,
        case when date_diff('minute', own_utc, end_utc) <= 89280 then quantity - own_quantity end as risen
    from pair
),

period as (
    select
        meter_id,
        meter_serial,
        register_code,
        unit_code,
        kind_code,
        case begin_kind when 'own' then own_utc when 'other' then other_utc else end_utc end as start_utc,
        end_utc,
        case begin_kind when 'own' then own_on when 'other' then other_on else local_date end as first_on,
        start_utc as day_utc,
        local_date as read_on,
        reading_status_code,
        interval_minutes,
        case
            when is_unread then 'not_yet_read'
            when is_left_out then 'out_of_line'
            when begin_kind = 'none' then 'first_stand'
            when begin_kind = 'other' then 'meter_swap'
            when risen is null then 'gap_too_long'
            when risen >= 0 then null
            when size + risen <= size * 0.1 then 'rollover'
            else 'fall'
        end as period_note_code,
        case
            when is_left_out or begin_kind <> 'own' then null
            when risen >= 0 then risen
            when size + risen <= size * 0.1 then size + risen
        end as quantity
    from begun
    union all
    select
        meter_id, meter_serial, register_code, unit_code, kind_code, start_utc, end_utc, local_date as first_on, end_utc as day_utc,
        cast(local_date + cast(floor((minutes + 1379) / 1440) as integer) as date) as read_on,
        reading_status_code, cast(minutes as bigint) as interval_minutes, null as period_note_code, quantity
    from read
    where kind_code = 'interval'
),

dated as (
    select
        period.*,
        cast(case when end_utc > day_utc or first_on = read_on then read_on else read_on - interval '1' day end as date) as last_on,
        date_diff('minute', start_utc, end_utc) as period_minutes,
        date_diff('minute', start_utc, day_utc) - (date_diff('day', first_on, read_on) - 1) * 1440 as first_day_minutes
    from period
)

select
    month.month,
    dated.meter_id,
    dated.meter_serial,
    dated.register_code,
    dated.unit_code,
    dated.kind_code,
    dated.start_utc,
    dated.end_utc,
    dated.first_on,
    dated.last_on,
    cast(dated.period_minutes as bigint) as period_minutes,
    cast(greatest(0, least(dated.period_minutes, dated.first_day_minutes)) as bigint) as first_day_minutes,
    dated.period_note_code,
    case
        when dated.quantity is null then 'missing'
        when dated.first_on < dated.last_on and dated.period_minutes * 10 > dated.interval_minutes * 11 then 'estimated_gap'
        else dated.reading_status_code
    end as reading_status_code,
    cast(dated.quantity as decimal(28, 6)) as quantity
from dated
inner join {{ ref('reference.month') }} as month on month.month <= dated.last_on and month.month_to > dated.first_on
inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
