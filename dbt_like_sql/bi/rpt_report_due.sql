-- Grain: one row per contract and month of which a report is due by now.
select
    due.month,
    coalesce(contract.key, -1) as contract_key,
    coalesce(client.key, -1) as client_key,
    coalesce(contractor.key, -1) as contractor_key,
    due.due_on,
    due.reported_on,
    case when due.reported_on is null then 'overdue' when due.is_on_time then 'on_time' else 'late' end as report_state_code,
    cast(
        case when due.reported_on is null then date_diff('day', due.due_on, clock.as_of)
            when due.is_on_time then 0 else date_diff('day', due.due_on, due.reported_on) end as bigint
    ) as days_late
from {{ ref('ledger.report_due') }} as due
cross join {{ ref('run.clock') }} as clock
left join {{ ref('register.surrogate_key') }} as contract
    on contract.dimension = 'contract' and contract.natural_key = due.contract_id
left join {{ ref('register.surrogate_key') }} as client on client.dimension = 'party' and client.natural_key = due.client_id
left join {{ ref('register.surrogate_key') }} as contractor
    on contractor.dimension = 'party' and contractor.natural_key = due.contractor_id
