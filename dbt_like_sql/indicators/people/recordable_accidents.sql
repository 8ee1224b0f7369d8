-- Grain: one row per contract and month with a report.
select
    'accidents' as component,
    people.month,
    people.client_id,
    people.contractor_id,
    people.contract_id,
    people.service_code,
    cast(case when count(*) = count(people.numerator) then sum(people.numerator) end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    case when count(*) > count(people.numerator) then max(people.status_code) end as gap_code
from {{ ref('ledger.people_month') }} as people
inner join {{ ref('run.month') }} as run_month on people.month = run_month.month
where people.metric_code = 'recordable_accidents' and people.definition_code = 'esrs'
group by people.month, people.client_id, people.contractor_id, people.contract_id, people.service_code
