-- Grain: one row per component, contractor, service and month with a report on the contract.
with reported as (
    select
        people.month,
        people.contractor_id,
        people.service_code,
        sum(people.numerator) as absence_hours,
        sum(people.denominator) as available_hours,
        count(case when people.status_code = 'suppressed' then 1 end) as suppressed_count
    from {{ ref('ledger.people_month') }} as people
    inner join {{ ref('run.month') }} as run_month on people.month = run_month.month
    where people.metric_code = 'sickness_absence_hours' and people.definition_code = 'cbs'
    group by people.month, people.contractor_id, people.service_code
)

select
    'absence_hours' as component,
    reported.month,
    reported.contractor_id,
    reported.service_code,
    cast(case when reported.suppressed_count = 0 then reported.absence_hours end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when reported.suppressed_count > 0 then 'suppressed' end as gap_code
from reported
union all
select
    'available_hours' as component,
    reported.month,
    reported.contractor_id,
    reported.service_code,
    cast(case when reported.suppressed_count = 0 then reported.available_hours end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when reported.suppressed_count > 0 then 'suppressed' end as gap_code
from reported
