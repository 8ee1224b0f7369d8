-- Grain: one row per organisation key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as party_key, natural_key as party_id from {{ ref('register.surrogate_key') }} where dimension = 'party'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.party_key,
    issued.party_id,
    case issued.party_key
        when -1 then '(onbekend / unknown)'
        when -2 then '(niet van toepassing / not applicable)'
        else coalesce(party.party_name, issued.party_id)
    end as party_name,
    party.role_code,
    role.nl as role_nl,
    role.en as role_en,
    party.sbi_code,
    party.sbi_version,
    party.size_class_code,
    party.party_id is not null as is_listed
from issued
left join {{ ref('core.party') }} as party on party.party_id = issued.party_id
left join {{ ref('reference.party_role') }} as role on role.code = party.role_code
