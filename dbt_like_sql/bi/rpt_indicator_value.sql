-- Grain: one row per indicator, period and level, and the natural keys of that level.
with scoped as (
    select
        rolled.*,
        '+' || rolled.level_code || '+' as level,
        case when rolled.client_id is null then '' else ';client=' || rolled.client_id end ||
        case when rolled.contractor_id is null then '' else ';contractor=' || rolled.contractor_id end ||
        case when rolled.collector_id is null then '' else ';collector=' || rolled.collector_id end ||
        case when rolled.party_id is null then '' else ';party=' || rolled.party_id end ||
        case when rolled.site_id is null then '' else ';site=' || rolled.site_id end ||
        case when rolled.chain_id is null then '' else ';chain=' || rolled.chain_id end ||
        case when rolled.service_code is null then '' else ';service=' || rolled.service_code end ||
        case when rolled.carrier_code is null then '' else ';carrier=' || rolled.carrier_code end ||
        case when rolled.stream_code is null then '' else ';stream=' || rolled.stream_code end as scope
    from {{ ref('publish.rpt_indicator_value') }} as rolled
)
select
    scoped.indicator_id,
    scoped.pillar,
    scoped.period_type,
    scoped.period_code,
    scoped.period_from,
    scoped.period_to,
    scoped.level_code,
    case when scoped.scope = '' then 'total' else substr(scoped.scope, 2) end as scope_code,
    case when scoped.level not like '%+client+%' then -2 else coalesce(client.key, -1) end as client_key,
    case when scoped.level not like '%+contractor+%' then -2 else coalesce(contractor.key, -1) end as contractor_key,
    case when scoped.level not like '%+collector+%' then -2 else coalesce(collector.key, -1) end as collector_key,
    case when scoped.level not like '%+party+%' then -2 else coalesce(party.key, -1) end as party_key,
    case when scoped.level not like '%+site+%' then -2 else coalesce(site.key, -1) end as site_key,
    case when scoped.level not like '%+chain+%' then -2 else coalesce(chain.key, -1) end as chain_key,
    case when scoped.level not like '%+service+%' then -2 else coalesce(service.key, -1) end as service_key,
    case when scoped.level not like '%+carrier+%' then -2 else coalesce(carrier.key, -1) end as carrier_key,
    case when scoped.level not like '%+stream+%' then -2 else coalesce(stream.key, -1) end as stream_key,
    cast(scoped.value as decimal(28, 6)) as value,
    cast(scoped.numerator as decimal(28, 6)) as numerator,
    cast(scoped.denominator as decimal(28, 6)) as denominator,
    cast(scoped.coverage as decimal(28, 6)) as coverage,
    scoped.value_status,
    scoped.is_complete_period
from scoped
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = scoped.client_id
left join {{ ref('register.surrogate_key') }} as contractor
    on contractor.dimension = 'party' and contractor.natural_key = scoped.contractor_id
left join {{ ref('register.surrogate_key') }} as collector
    on collector.dimension = 'party' and collector.natural_key = scoped.collector_id
left join {{ ref('register.surrogate_key') }} as party
    on party.dimension = 'party' and party.natural_key = scoped.party_id
left join {{ ref('register.surrogate_key') }} as site
    on site.dimension = 'site' and site.natural_key = scoped.site_id
left join {{ ref('register.surrogate_key') }} as chain
    on chain.dimension = 'chain' and chain.natural_key = scoped.chain_id
left join {{ ref('register.surrogate_key') }} as service
    on service.dimension = 'service' and service.natural_key = scoped.service_code
left join {{ ref('register.surrogate_key') }} as carrier
    on carrier.dimension = 'carrier' and carrier.natural_key = scoped.carrier_code
left join {{ ref('register.surrogate_key') }} as stream
    on stream.dimension = 'stream' and stream.natural_key = scoped.stream_code
