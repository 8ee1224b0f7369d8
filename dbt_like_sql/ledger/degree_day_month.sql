-- Grain: one row per weather station and month with a measured day.
-- A day has the degrees that its mean temperature stays below 18 °C. The weights are those of Dutch practice: 1.1 from
-- November to February, 1.0 in March and October, 0.8 from April to September.
with measured as (
    select
        weather.station_id,
        cast(date_trunc('month', weather.local_date) as date) as month,
        cast(sum(greatest(18 - weather.mean_temperature_c, 0)) as decimal(28, 6)) as degree_days,
        count(*) as measured_days
    from {{ ref('core.weather_day') }} as weather
    group by 1, 2
),

placed as (
    select
        measured.*,
        extract(month from measured.month) as month_no,
        cast(date_trunc('year', measured.month) as date) as year_from,
        date_diff('day', measured.month, measured.month + interval 1 month) as days,
        case
            when extract(month from measured.month) in (1, 2, 11, 12) then 1.1
            when extract(month from measured.month) in (3, 10) then 1.0
            else 0.8
        end as weight
    from measured
),

-- A month that lacks a day has no degree days, and a year that lacks one is no part of a reference.
known as (
    select
        placed.*,
        case when placed.measured_days = placed.days then placed.degree_days end as whole,
        case when placed.measured_days = placed.days
            then cast(placed.degree_days * placed.weight as decimal(28, 6)) end as weighted,
        sum(placed.measured_days) over (partition by placed.station_id, placed.year_from)
        = date_diff('day', placed.year_from, placed.year_from + interval 1 year) as is_complete_year
    from placed
),

-- The same calendar month of the complete years up to and with its own, so that later years change no earlier reference.
summed as (
    select
        known.*,
        count(case when known.is_complete_year then 1 end) over years as reference_years,
        sum(case when known.is_complete_year then known.whole end) over years as whole_sum,
        sum(case when known.is_complete_year then known.weighted end) over years as weighted_sum
    from known
    window years as (
        partition by known.station_id, known.month_no order by known.month
        rows between unbounded preceding and current row
    )
)

select
    summed.station_id,
    summed.month,
    cast(summed.days as bigint) as days,
    cast(summed.measured_days as bigint) as measured_days,
    summed.whole as degree_days,
    summed.weighted as weighted_degree_days,
    cast(summed.whole_sum / nullif(summed.reference_years, 0) as decimal(28, 6)) as reference_degree_days,
    cast(summed.weighted_sum / nullif(summed.reference_years, 0) as decimal(28, 6)) as reference_weighted_degree_days,
    cast(summed.reference_years as bigint) as reference_years
from summed
