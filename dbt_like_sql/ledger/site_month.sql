-- Grain: one row per site and reporting month in which the site is in use.
with used as (
    select
        site.site_id,
        site.client_id,
        site.floor_area_go_m2,
        site.floor_area_vvo_m2,
        site.floor_area_bvo_m2,
        month.month,
        month.days,
        month.days_in_year,
        cast(date_trunc('year', month.month) as date) as year_from,
        greatest(site.in_use_from, month.month) as used_from,
        least(coalesce(site.in_use_to, month.month_to), month.month_to) as used_to
    from {{ ref('core.site') }} as site
    inner join {{ ref('reference.month') }} as month
        on site.in_use_from < month.month_to and coalesce(site.in_use_to, month.month_to) > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
),

-- A stock in use all year is split over months as the difference of rounded totals, so that the months add up to it.
peopled as (
    select
        used.*,
        people.fte,
        date_diff('day', used.year_from, used.used_from) as days_before,
        date_diff('day', used.year_from, used.used_to) as days_until
    from used
    left join {{ ref('core.site_month') }} as people on used.site_id = people.site_id and used.month = people.month
)

select
    peopled.month,
    peopled.site_id,
    peopled.client_id,
    cast(peopled.days_until - peopled.days_before as bigint) as days_in_use,
    cast(peopled.days as bigint) as days,
    cast(
        cast(peopled.floor_area_go_m2 * peopled.days_until / peopled.days_in_year as decimal(28, 6))
        - cast(peopled.floor_area_go_m2 * peopled.days_before / peopled.days_in_year as decimal(28, 6)) as decimal(28, 6)
    ) as floor_area_go_m2_year,
    cast(
        cast(peopled.floor_area_vvo_m2 * peopled.days_until / peopled.days_in_year as decimal(28, 6))
        - cast(peopled.floor_area_vvo_m2 * peopled.days_before / peopled.days_in_year as decimal(28, 6)) as decimal(28, 6)
    ) as floor_area_vvo_m2_year,
    cast(
        cast(peopled.floor_area_bvo_m2 * peopled.days_until / peopled.days_in_year as decimal(28, 6))
        - cast(peopled.floor_area_bvo_m2 * peopled.days_before / peopled.days_in_year as decimal(28, 6)) as decimal(28, 6)
    ) as floor_area_bvo_m2_year,
    cast(
        cast(peopled.fte * peopled.days_until / peopled.days_in_year as decimal(28, 6))
        - cast(peopled.fte * peopled.days_before / peopled.days_in_year as decimal(28, 6)) as decimal(28, 6)
    ) as fte_year
from peopled
