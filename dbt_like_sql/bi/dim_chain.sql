-- Grain: one row per chain key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as chain_key, natural_key as chain_id from {{ ref('register.surrogate_key') }} where dimension = 'chain'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.chain_key,
    issued.chain_id,
    case issued.chain_key
        when -1 then '(onbekend / unknown)'
        when -2 then '(niet van toepassing / not applicable)'
        else coalesce(chain.chain_name, issued.chain_id)
    end as chain_name,
    case when issued.chain_key = -2 then -2 else coalesce(client.key, -1) end as client_key,
    case when issued.chain_key = -2 then -2 else coalesce(contractor.key, -1) end as contractor_key,
    case when issued.chain_key = -2 then -2 else coalesce(service.key, -1) end as service_key,
    chain.start_decision_on,
    chain.ended_on,
    chain.chain_id is not null as is_listed
from issued
left join {{ ref('core.chain') }} as chain on chain.chain_id = issued.chain_id
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = chain.client_id
left join {{ ref('register.surrogate_key') }} as contractor
    on contractor.dimension = 'party' and contractor.natural_key = chain.contractor_id
left join {{ ref('register.surrogate_key') }} as service
    on service.dimension = 'service' and service.natural_key = chain.service_code
