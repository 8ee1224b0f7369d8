-- Grain: one row per contract and month of which a report is due by now.
with due as (
    select
        month.month,
        month.month_to,
        contract.client_id,
        contract.contractor_id,
        contract.contract_id,
        contract.service_code,
        month.month_to + cast(contract.report_due_days as integer) as due_on
    from {{ ref('core.contract') }} as contract
    inner join {{ ref('reference.month') }} as month
        on contract.valid_from < month.month_to
        and coalesce(contract.ended_on, contract.valid_to, month.month_to) >= month.month_to
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    inner join {{ ref('run.clock') }} as clock on month.month_to + cast(contract.report_due_days as integer) <= clock.as_of
    where contract.report_due_days is not null
),

-- A report covers the months of its period; the first one that came counts, a correction later does not make it late.
told as (
    select
        due.contract_id,
        due.month,
        min(coalesce(report.reported_on, cast(report.known_from as date))) as reported_on
    from due
    inner join {{ ref('core.supplier_report') }} as report
        on due.contract_id = report.contract_id and report.reporting_scope_code = 'contract'
        and report.period_from < due.month_to and report.period_to >= due.month_to
    group by due.contract_id, due.month
)

select
    due.month,
    due.client_id,
    due.contractor_id,
    due.contract_id,
    due.service_code,
    due.due_on,
    told.reported_on,
    coalesce(told.reported_on <= due.due_on, false) as is_on_time
from due
left join told on due.contract_id = told.contract_id and due.month = told.month
