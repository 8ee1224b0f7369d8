-- Grain: one row per contractor, contract, metric, reported period and month; only what covers the contract itself.
with split as (
    select
        r.contractor_id,
        r.contract_id,
        r.service_code,
        r.metric_code,
        r.definition_code,
        r.period_from,
        r.period_to,
        month.month,
        case when r.person_count < 5 then 'suppressed' else 'reported' end as status_code,
        case when r.person_count >= 5 then r.numerator end as numerator,
        case when r.person_count >= 5 then r.denominator end as denominator,
        r.period_to <= month.month_to as is_last,
        date_diff('day', r.period_from, r.period_to) as days,
        date_diff('day', r.period_from, month.month_to) as days_until,
        greatest(date_diff('day', r.period_from, month.month), 0) as days_before
    from {{ ref('core.supplier_report') }} as r
    inner join {{ ref('reference.month') }} as month on r.period_from < month.month_to and r.period_to > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    where r.reporting_scope_code = 'contract'
),

-- A period over months is split by day, the remainder to the last month, so that the parts add up.
cumulated as (
    select
        split.*,
        case when split.is_last then split.numerator
            else cast(split.numerator * split.days_until / split.days as decimal(28, 6)) end as numerator_until,
        case when split.is_last then split.denominator
            else cast(split.denominator * split.days_until / split.days as decimal(28, 6)) end as denominator_until
    from split
)

select
    cumulated.month,
    cumulated.contractor_id,
    cumulated.contract_id,
    cumulated.service_code,
    cumulated.metric_code,
    cumulated.definition_code,
    cumulated.period_from,
    cumulated.period_to,
    cumulated.status_code,
    cast(
        cumulated.numerator_until - cast(cumulated.numerator * cumulated.days_before / cumulated.days as decimal(28, 6))
        as decimal(28, 6)
    ) as numerator,
    cast(
        cumulated.denominator_until - cast(cumulated.denominator * cumulated.days_before / cumulated.days as decimal(28, 6))
        as decimal(28, 6)
    ) as denominator
from cumulated
