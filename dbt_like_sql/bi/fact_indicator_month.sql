-- Grain: one row per component of an indicator, month, natural keys of the component and counted entity.
with scoped as (
    select
        leaf.*,
        case when leaf.client_id is null then '' else ';client=' || leaf.client_id end ||
        case when leaf.contractor_id is null then '' else ';contractor=' || leaf.contractor_id end ||
        case when leaf.collector_id is null then '' else ';collector=' || leaf.collector_id end ||
        case when leaf.party_id is null then '' else ';party=' || leaf.party_id end ||
        case when leaf.site_id is null then '' else ';site=' || leaf.site_id end ||
        case when leaf.chain_id is null then '' else ';chain=' || leaf.chain_id end ||
        case when leaf.service_code is null then '' else ';service=' || leaf.service_code end ||
        case when leaf.carrier_code is null then '' else ';carrier=' || leaf.carrier_code end ||
        case when leaf.stream_code is null then '' else ';stream=' || leaf.stream_code end as scope,
        case when leaf.client_id is null then '' else '+client' end ||
        case when leaf.contractor_id is null then '' else '+contractor' end ||
        case when leaf.collector_id is null then '' else '+collector' end ||
        case when leaf.party_id is null then '' else '+party' end ||
        case when leaf.site_id is null then '' else '+site' end ||
        case when leaf.chain_id is null then '' else '+chain' end ||
        case when leaf.service_code is null then '' else '+service' end ||
        case when leaf.carrier_code is null then '' else '+carrier' end ||
        case when leaf.stream_code is null then '' else '+stream' end as level
    from {{ ref('publish.fact_indicator_month') }} as leaf
)
select
    scoped.indicator_id,
    scoped.component,
    scoped.month,
    case when scoped.level = '' then 'total' else substr(scoped.level, 2) end as level_code,
    case when scoped.scope = '' then 'total' else substr(scoped.scope, 2) end as scope_code,
    coalesce(scoped.entity_id, '') as entity_id,
    case when scoped.client_id is null then -2 else coalesce(client.key, -1) end as client_key,
    case when scoped.contractor_id is null then -2 else coalesce(contractor.key, -1) end as contractor_key,
    case when scoped.collector_id is null then -2 else coalesce(collector.key, -1) end as collector_key,
    case when scoped.party_id is null then -2 else coalesce(party.key, -1) end as party_key,
    case when scoped.site_id is null then -2 else coalesce(site.key, -1) end as site_key,
    case when scoped.chain_id is null then -2 else coalesce(chain.key, -1) end as chain_key,
    case when scoped.service_code is null then -2 else coalesce(service.key, -1) end as service_key,
    case when scoped.carrier_code is null then -2 else coalesce(carrier.key, -1) end as carrier_key,
    case when scoped.stream_code is null then -2 else coalesce(stream.key, -1) end as stream_key,
    cast(scoped.amount as decimal(28, 6)) as amount,
    scoped.gap_code
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
