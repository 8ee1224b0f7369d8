-- Grain: one row per delivered quantity and month; a period over months is split by day, so that the parts add up.
with split as (
    select
        a.*,
        month.month,
        date_diff('day', a.period_from, a.period_to) as days,
        date_diff('day', a.period_from, least(a.period_to, month.month_to)) as days_until,
        greatest(date_diff('day', a.period_from, month.month), 0) as days_before
    from {{ ref('core.activity') }} as a
    inner join {{ ref('reference.month') }} as month on a.period_from < month.month_to and a.period_to > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
)

select
    split.month,
    site.client_id,
    split.site_id,
    split.party_id,
    split.contract_id,
    split.activity_code,
    split.period_from,
    split.period_to,
    split.repeat_no,
    case when coalesce(split.is_measured, false) then 'measured' else 'reported' end as status_code,
    cast(
        cast(split.quantity * split.days_until / split.days as decimal(28, 6))
        - cast(split.quantity * split.days_before / split.days as decimal(28, 6)) as decimal(28, 6)
    ) as quantity,
    split.unit_code
from split
inner join {{ ref('core.site') }} as site on split.site_id = site.site_id
