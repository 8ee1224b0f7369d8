-- Grain: one row per service key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as service_key, natural_key as service_code from {{ ref('register.surrogate_key') }} where dimension = 'service'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.service_key,
    issued.service_code,
    case issued.service_key when -1 then 'onbekend' when -2 then 'niet van toepassing' else coalesce(list.nl, issued.service_code) end
        as service_nl,
    case issued.service_key when -1 then 'unknown' when -2 then 'not applicable' else coalesce(list.en, issued.service_code) end
        as service_en,
    list.code is not null as is_listed
from issued
left join {{ ref('reference.service') }} as list on list.code = issued.service_code
