-- Grain: one row per waste stream key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as stream_key, natural_key as stream_code from {{ ref('register.surrogate_key') }} where dimension = 'stream'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.stream_key,
    issued.stream_code,
    case issued.stream_key when -1 then 'onbekend' when -2 then 'niet van toepassing' else coalesce(list.nl, issued.stream_code) end
        as stream_nl,
    case issued.stream_key when -1 then 'unknown' when -2 then 'not applicable' else coalesce(list.en, issued.stream_code) end
        as stream_en,
    list.code is not null as is_listed
from issued
left join {{ ref('reference.waste_stream') }} as list on list.code = issued.stream_code
