-- Grain: one row per energy carrier key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as carrier_key, natural_key as carrier_code from {{ ref('register.surrogate_key') }} where dimension = 'carrier'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.carrier_key,
    issued.carrier_code,
    case issued.carrier_key when -1 then 'onbekend' when -2 then 'niet van toepassing' else coalesce(list.nl, issued.carrier_code) end
        as carrier_nl,
    case issued.carrier_key when -1 then 'unknown' when -2 then 'not applicable' else coalesce(list.en, issued.carrier_code) end
        as carrier_en,
    list.code is not null as is_listed
from issued
left join {{ ref('reference.carrier') }} as list on list.code = issued.carrier_code
