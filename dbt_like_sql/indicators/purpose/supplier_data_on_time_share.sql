-- Grain: one row per component, contract and month with a report due.
select
    component.code as component,
    due.month,
    due.client_id,
    due.contractor_id,
    due.contract_id,
    due.service_code,
    cast(case when component.code = 'reports_due' or due.is_on_time then 1 else 0 end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    cast(null as varchar) as gap_code
from {{ ref('ledger.report_due') }} as due
inner join {{ ref('run.month') }} as run_month on due.month = run_month.month
cross join (values ('reports_on_time'), ('reports_due')) as component (code)
