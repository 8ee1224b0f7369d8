-- Grain: one row per contract, metric, definition, scope, reported period and month; only contract figures hold amounts.
with split as (
    select
        told.contractor_id,
        told.contract_id,
        told.service_code,
        told.metric_code,
        told.definition_code,
        told.reporting_scope_code,
        told.period_from,
        told.period_to,
        month.month,
        max(case when told.reporting_scope_code = 'contract' then 1 else 0 end) over (
            partition by told.contract_id, told.metric_code, told.definition_code, month.month
        ) as has_contract_figure,
        case
            when told.reporting_scope_code <> 'contract' then 'proxy_company'
            when told.person_count >= 5 then 'reported' else 'suppressed'
        end as status_code,
        told.numerator,
        told.denominator,
        month.days_in_year,
        date_diff('day', told.period_from, told.period_to) as days,
        date_diff('day', told.period_from, least(told.period_to, month.month_to)) as days_until,
        greatest(date_diff('day', told.period_from, month.month), 0) as days_before,
        date_diff('day', date_trunc('year', month.month), least(told.period_to, month.month_to)) as year_until,
        date_diff('day', date_trunc('year', month.month), greatest(told.period_from, month.month)) as year_before
    from {{ ref('core.supplier_report') }} as told
    inner join {{ ref('reference.month') }} as month on told.period_from < month.month_to and told.period_to > month.month
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    where told.contract_id is not null
),

-- A flow over months is split by day and a stock is an exposure; both telescope, so that the months add up exactly.
cumulated as (
    select
        split.*,
        cast(split.numerator * split.days_until / split.days as decimal(28, 6))
        - cast(split.numerator * split.days_before / split.days as decimal(28, 6)) as numerator_part,
        case when split.metric_code = 'leavers'
            then cast(split.denominator * split.year_until / split.days_in_year as decimal(28, 6))
                - cast(split.denominator * split.year_before / split.days_in_year as decimal(28, 6))
            else cast(split.denominator * split.days_until / split.days as decimal(28, 6))
                - cast(split.denominator * split.days_before / split.days as decimal(28, 6)) end as denominator_part
    from split
    where split.reporting_scope_code = 'contract' or split.has_contract_figure = 0
)

select
    cumulated.month,
    contract.client_id,
    cumulated.contractor_id,
    cumulated.contract_id,
    cumulated.service_code,
    cumulated.metric_code,
    cumulated.definition_code,
    cumulated.reporting_scope_code,
    cumulated.period_from,
    cumulated.period_to,
    cumulated.status_code,
    cast(case when cumulated.status_code = 'reported' then cumulated.numerator_part end as decimal(28, 6)) as numerator,
    cast(case when cumulated.status_code = 'reported' then cumulated.denominator_part end as decimal(28, 6)) as denominator
from cumulated
inner join {{ ref('core.contract') }} as contract on cumulated.contract_id = contract.contract_id
