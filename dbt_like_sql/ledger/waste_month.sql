-- Grain: one row per waste collection and month; a period over months is split by day, the remainder to the last month.
with split as (
    select
        w.collector_id,
        w.site_id,
        w.stream_code,
        w.treatment_code,
        w.container_code,
        w.period_from,
        w.period_to,
        w.repeat_no,
        w.mass_kg,
        month.month,
        month.month_to,
        date_diff('day', w.period_from, w.period_to) as days,
        date_diff('day', w.period_from, least(w.period_to, month.month_to)) as days_until
    from {{ ref('core.waste_collection') }} as w
    inner join {{ ref('reference.month') }} as month on w.period_from < month.month_to and w.period_to > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
),

cumulated as (
    select
        split.*,
        cast(split.mass_kg * split.days_until / split.days as decimal(28, 6)) as mass_until,
        cast(
            split.mass_kg * greatest(date_diff('day', split.period_from, split.month), 0) / split.days as decimal(28, 6)
        ) as mass_before
    from split
)

select
    cumulated.month,
    cumulated.collector_id,
    cumulated.site_id,
    site.client_id,
    cumulated.stream_code,
    cumulated.treatment_code,
    cumulated.container_code,
    cumulated.period_from,
    cumulated.period_to,
    cumulated.repeat_no,
    cast(
        case when cumulated.period_to <= cumulated.month_to then cumulated.mass_kg else cumulated.mass_until end
        - cumulated.mass_before as decimal(28, 6)
    ) as mass_kg
from cumulated
inner join {{ ref('core.site') }} as site on cumulated.site_id = site.site_id
