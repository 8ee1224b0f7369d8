-- Grain: one row per meter, register, unit, kind and local day in a metered period.
with part as (
    select
        period.*,
        period.first_on as local_date,
        0 as minutes_before,
        period.period_minutes as minutes_after
    from {{ ref('ledger.metered_period') }} as period
    inner join {{ ref('run.month') }} as run_month on period.month = run_month.month
    where period.first_on = period.last_on
    union all
    select
        period.*,
        day.local_date,
        case
            when day.local_date = period.first_on then 0
            else least(
                period.first_day_minutes + (date_diff('day', period.first_on, day.local_date) - 1) * 1440, period.period_minutes
            )
        end as minutes_before,
        case
            when day.local_date = period.last_on then period.period_minutes
            else least(
                period.first_day_minutes + date_diff('day', period.first_on, day.local_date) * 1440, period.period_minutes
            )
        end as minutes_after
    from {{ ref('ledger.metered_period') }} as period
    inner join {{ ref('run.month') }} as run_month on period.month = run_month.month
    inner join {{ ref('reference.day') }} as day
        on period.month = day.month and day.local_date between period.first_on and period.last_on
    where period.first_on < period.last_on
),

-- A day takes what the period told up to its end less what it told up to its start, so the days add up exactly.
split as (
    select
        part.*,
        minutes_after - minutes_before as minutes,
        case
            when minutes_after = period_minutes then quantity
            else cast(quantity * minutes_after / period_minutes as decimal(28, 6))
        end - case
            when minutes_before = 0 then 0
            else cast(quantity * minutes_before / period_minutes as decimal(28, 6))
        end as day_quantity
    from part
    where period_minutes > 0
)

select
    month,
    local_date,
    meter_id,
    register_code,
    unit_code,
    kind_code,
    cast(sum(day_quantity) as decimal(28, 6)) as quantity,
    -- Where summer time begins or ends inside a gap, an hour may be told with the day beside its own.
    cast(least(1500, sum(case when quantity is null then 0 else minutes end)) as bigint) as measured_minutes,
    cast(least(1500, sum(case when reading_status_code = 'estimated_gap' then minutes else 0 end)) as bigint) as gap_minutes,
    count(*) >= 24 and count(*) = count(day_quantity) and min(day_quantity) = max(day_quantity) as is_constant
from split
group by month, local_date, meter_id, register_code, unit_code, kind_code
