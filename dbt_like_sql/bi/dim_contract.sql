-- Grain: one row per contract key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as contract_key, natural_key as contract_id from {{ ref('register.surrogate_key') }} where dimension = 'contract'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.contract_key,
    issued.contract_id,
    case issued.contract_key
        when -1 then '(onbekend / unknown)'
        when -2 then '(niet van toepassing / not applicable)'
        else coalesce(contract.contract_name, issued.contract_id)
    end as contract_name,
    case when issued.contract_key = -2 then -2 else coalesce(client.key, -1) end as client_key,
    case when issued.contract_key = -2 then -2 else coalesce(contractor.key, -1) end as contractor_key,
    case when issued.contract_key = -2 then -2 else coalesce(service.key, -1) end as service_key,
    contract.annual_value_eur,
    contract.valid_from,
    contract.valid_to,
    contract.ended_on,
    contract.end_reason_code,
    case when issued.contract_key = -2 then -2 when contract.successor_contract_id is null then -2
        else coalesce(successor.key, -1) end as successor_contract_key,
    contract.contract_id is not null as is_listed
from issued
left join {{ ref('core.contract') }} as contract on contract.contract_id = issued.contract_id
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = contract.client_id
left join {{ ref('register.surrogate_key') }} as contractor
    on contractor.dimension = 'party' and contractor.natural_key = contract.contractor_id
left join {{ ref('register.surrogate_key') }} as service
    on service.dimension = 'service' and service.natural_key = contract.service_code
left join {{ ref('register.surrogate_key') }} as successor
    on successor.dimension = 'contract' and successor.natural_key = contract.successor_contract_id
