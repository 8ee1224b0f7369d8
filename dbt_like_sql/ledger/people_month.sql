-- Grain: one row per contractor, contract, metric, reported period and month; only what covers the contract itself.
with split as (
    select
        r.contractor_id,
        r.contract_id,
        r.service_code,
        r.metric_code,
        r.definition_code,
        r.person_count,
        r.period_from,
        r.period_to,
        r.numerator,
        r.denominator,
        month.month,
        date_diff('day', r.period_from, r.period_to) as days,
        date_diff('day', r.period_from, least(r.period_to, month.month_to)) as days_until,
        greatest(date_diff('day', r.period_from, month.month), 0) as days_before
    from {{ ref('core.supplier_report') }} as r
    inner join {{ ref('reference.month') }} as month on r.period_from < month.month_to and r.period_to > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    where r.reporting_scope_code = 'contract'
)

select
    split.month,
    split.contractor_id,
    split.contract_id,
    split.service_code,
    split.metric_code,
    split.definition_code,
    split.period_from,
    split.period_to,
    case when split.person_count < 5 then 'suppressed' else 'reported' end as status_code,
    case
        when split.person_count >= 5 then
            cast(split.numerator * split.days_until / split.days as decimal(28, 6))
            - cast(split.numerator * split.days_before / split.days as decimal(28, 6))
    end as numerator,
    case
        when split.person_count >= 5 then
            cast(split.denominator * split.days_until / split.days as decimal(28, 6))
            - cast(split.denominator * split.days_before / split.days as decimal(28, 6))
    end as denominator
from split
