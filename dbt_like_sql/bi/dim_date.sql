-- Grain: one row per calendar day of the reporting months.
select
    local_date,
    month,
    substr(cast(month as varchar), 1, 7) as month_code,
    cast(year as varchar) || '-Q' || cast(quarter as varchar) as quarter_code,
    cast(year as varchar) as year_code,
    cast(year as bigint) as year_no,
    cast(quarter as bigint) as quarter_no,
    cast(extract(month from local_date) as bigint) as month_no,
    cast(iso_year as bigint) as iso_year_no,
    cast(iso_week as bigint) as iso_week_no,
    cast(iso_weekday as bigint) as iso_weekday_no,
    iso_weekday >= 6 as is_weekend,
    holiday_nl is not null as is_holiday,
    holiday_nl,
    holiday_en
from {{ ref('reference.day') }}
