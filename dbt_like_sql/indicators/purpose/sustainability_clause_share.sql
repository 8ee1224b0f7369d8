-- Grain: one row per component, contract and month in which it runs at the end.
with running as (
    select
        month.month,
        contract.client_id,
        contract.contractor_id,
        contract.contract_id,
        contract.service_code,
        contract.annual_value_eur,
        count(case when clause.kpi is not null and clause.consequence is not null then 1 end) as clause_count
    from {{ ref('core.contract') }} as contract
    inner join {{ ref('reference.month') }} as month
        on contract.valid_from < month.month_to
        and coalesce(contract.ended_on, contract.valid_to, month.month_to) >= month.month_to
    inner join {{ ref('run.month') }} as run_month on month.month = run_month.month
    left join {{ ref('core.contract_clause') }} as clause on contract.contract_id = clause.contract_id
    group by
        month.month, contract.client_id, contract.contractor_id, contract.contract_id, contract.service_code,
        contract.annual_value_eur
)

select
    component.code as component,
    running.month,
    running.client_id,
    running.contractor_id,
    running.contract_id,
    running.service_code,
    cast(
        case when component.code = 'contract_value' or running.clause_count > 0 then running.annual_value_eur else 0 end
        as decimal(28, 6)
    ) as amount,
    cast(null as varchar) as entity_id,
    cast(null as varchar) as gap_code
from running
cross join (values ('clause_value'), ('contract_value')) as component (code)
