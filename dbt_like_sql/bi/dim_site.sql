-- Grain: one row per site key ever issued, and -1 (unknown), -2 (not applicable).
with issued as (
    select key as site_key, natural_key as site_id from {{ ref('register.surrogate_key') }} where dimension = 'site'
    union all
    select -1, null
    union all
    select -2, null
)
select
    issued.site_key,
    issued.site_id,
    case issued.site_key
        when -1 then '(onbekend / unknown)'
        when -2 then '(niet van toepassing / not applicable)'
        else coalesce(site.site_name, issued.site_id)
    end as site_name,
    site.place_name,
    case when issued.site_key = -2 then -2 else coalesce(client.key, -1) end as client_key,
    site.tenure_code,
    site.floor_area_go_m2,
    site.floor_area_vvo_m2,
    site.floor_area_bvo_m2,
    site.in_use_from,
    site.in_use_to,
    site.site_id is not null as is_listed
from issued
left join {{ ref('core.site') }} as site on site.site_id = issued.site_id
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = site.client_id
