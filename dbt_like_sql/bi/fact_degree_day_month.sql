-- Grain: one row per weather station and month with a measured day.
select
    station_id,
    month,
    days,
    measured_days,
    degree_days,
    weighted_degree_days,
    reference_degree_days,
    reference_weighted_degree_days,
    reference_years
from {{ ref('ledger.degree_day_month') }}
