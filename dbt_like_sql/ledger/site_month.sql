-- Grain: one row per site and reporting month in which the site is in use.
with used as (
    select
        site.site_id,
        site.client_id,
        month.month,
        month.days,
        month.days_in_year,
        site.floor_area_go_m2,
        date_diff(
            'day',
            greatest(site.in_use_from, month.month),
            least(coalesce(site.in_use_to, month.month_to), month.month_to)
        ) as days_in_use
    from {{ ref('core.site') }} as site
    inner join {{ ref('reference.month') }} as month
        on site.in_use_from < month.month_to and coalesce(site.in_use_to, month.month_to) > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
)

select
    used.month,
    used.site_id,
    used.client_id,
    cast(used.days_in_use as bigint) as days_in_use,
    cast(used.days as bigint) as days,
    cast(used.floor_area_go_m2 * used.days_in_use / used.days_in_year as decimal(28, 6)) as floor_area_go_m2_year,
    cast(people.fte * used.days_in_use / used.days_in_year as decimal(28, 6)) as fte_year
from used
left join {{ ref('core.site_month') }} as people on used.site_id = people.site_id and used.month = people.month
