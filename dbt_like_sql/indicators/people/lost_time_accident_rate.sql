-- Grain: one row per component, contract and month with a report.
select
    component.code as component,
    people.month,
    people.client_id,
    people.contractor_id,
    people.contract_id,
    people.service_code,
    cast(
        case when count(*) = count(people.numerator)
            then case component.code when 'accidents' then sum(people.numerator) else sum(people.denominator) end end as decimal(28, 6)
    ) as amount,
    cast(null as varchar) as entity_id,
    case when count(*) > count(people.numerator) then max(people.status_code) end as gap_code
from {{ ref('ledger.people_month') }} as people
inner join {{ ref('run.month') }} as run_month on people.month = run_month.month
cross join (values ('accidents'), ('worked_hours')) as component (code)
where people.metric_code = 'lost_time_accidents' and people.definition_code = 'vca'
group by component.code, people.month, people.client_id, people.contractor_id, people.contract_id, people.service_code
