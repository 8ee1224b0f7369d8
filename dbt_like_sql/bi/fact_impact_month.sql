-- Grain: one row per client, site, organisation, activity, emission category, part, method, kind, factor, unit and month.
with summed as (
    select
        impact.month,
        impact.client_id,
        impact.site_id,
        impact.party_id,
        impact.activity_code,
        impact.emission_category_code,
        impact.scope_code,
        impact.part_code,
        impact.method_code,
        impact.impact_kind_code,
        impact.accounting_scheme_code,
        coalesce(impact.factor_id, '') as factor_id,
        coalesce(impact.edition_code, '') as edition_code,
        impact.factor_reason_code,
        impact.unit_code,
        sum(impact.quantity) as quantity,
        sum(impact.emissions_kg_co2e) as emissions_kg_co2e,
        count(*) as source_count,
        count(*) - count(impact.emissions_kg_co2e) as missing_count
    from {{ ref('ledger.impact') }} as impact
    group by
        impact.month, impact.client_id, impact.site_id, impact.party_id, impact.activity_code,
        impact.emission_category_code, impact.scope_code, impact.part_code, impact.method_code, impact.impact_kind_code,
        impact.accounting_scheme_code, impact.factor_id, impact.edition_code, impact.factor_reason_code, impact.unit_code
)

select
    summed.month,
    coalesce(client.key, -1) as client_key,
    case when summed.site_id is null then -2 else coalesce(site.key, -1) end as site_key,
    case when summed.party_id is null then -2 else coalesce(party.key, -1) end as party_key,
    coalesce(activity.key, -1) as activity_key,
    coalesce(category.key, -1) as emission_category_key,
    summed.scope_code,
    summed.part_code,
    summed.method_code,
    summed.impact_kind_code,
    summed.accounting_scheme_code,
    summed.factor_id,
    summed.edition_code,
    summed.factor_reason_code,
    coalesce(summed.unit_code, '') as unit_code,
    cast(summed.quantity as decimal(28, 6)) as quantity,
    cast(summed.emissions_kg_co2e as decimal(28, 6)) as emissions_kg_co2e,
    summed.source_count,
    summed.missing_count
from summed
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = summed.client_id
left join {{ ref('register.surrogate_key') }} as site on site.dimension = 'site' and site.natural_key = summed.site_id
left join {{ ref('register.surrogate_key') }} as party
    on party.dimension = 'party' and party.natural_key = summed.party_id
left join {{ ref('register.surrogate_key') }} as activity
    on activity.dimension = 'activity' and activity.natural_key = summed.activity_code
left join {{ ref('register.surrogate_key') }} as category
    on category.dimension = 'emission_category' and category.natural_key = summed.emission_category_code
