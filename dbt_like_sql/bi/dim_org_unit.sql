-- Grain: one row per cost centre key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as org_unit_key, natural_key as org_unit_id from {{ ref('register.surrogate_key') }} where dimension = 'org_unit'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.org_unit_key,
    issued.org_unit_id,
    case issued.org_unit_key
        when -1 then '(onbekend / unknown)'
        when -2 then '(niet van toepassing / not applicable)'
        else coalesce(unit.org_unit_name, issued.org_unit_id)
    end as org_unit_name,
    case when issued.org_unit_key = -2 then -2 else coalesce(client.key, -1) end as client_key,
    unit.parent_org_unit_id,
    unit.successor_org_unit_id,
    unit.valid_from,
    unit.valid_to,
    unit.org_unit_id is not null as is_listed
from issued
left join {{ ref('core.org_unit') }} as unit on unit.org_unit_id = issued.org_unit_id
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = unit.client_id
