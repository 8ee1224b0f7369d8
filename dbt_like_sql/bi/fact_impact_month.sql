-- Grain: one row per client, site, organisation, activity, emission category, part, method, kind, factor, unit and month.
-- Keys come before sums: activities that no code list knows share the key -1, and are one row.
with keyed as (
    select
        impact.month,
        coalesce(client.key, -1) as client_key,
        case when impact.site_id is null then -2 else coalesce(site.key, -1) end as site_key,
        case when impact.party_id is null then -2 else coalesce(party.key, -1) end as party_key,
        coalesce(activity.key, -1) as activity_key,
        coalesce(category.key, -1) as emission_category_key,
        impact.scope_code,
        impact.part_code,
        impact.method_code,
        impact.impact_kind_code,
        impact.accounting_scheme_code,
        coalesce(impact.factor_id, '') as factor_id,
        coalesce(impact.edition_code, '') as edition_code,
        impact.factor_reason_code,
        coalesce(impact.unit_code, '') as unit_code,
        impact.quantity,
        impact.emissions_kg_co2e
    from {{ ref('ledger.impact') }} as impact
    inner join {{ ref('run.month') }} as run_month on impact.month = run_month.month
    left join {{ ref('register.surrogate_key') }} as client
        on client.dimension = 'party' and client.natural_key = impact.client_id
    left join {{ ref('register.surrogate_key') }} as site on site.dimension = 'site' and site.natural_key = impact.site_id
    left join {{ ref('register.surrogate_key') }} as party
        on party.dimension = 'party' and party.natural_key = impact.party_id
    left join {{ ref('register.surrogate_key') }} as activity
        on activity.dimension = 'activity' and activity.natural_key = impact.activity_code
    left join {{ ref('register.surrogate_key') }} as category
        on category.dimension = 'emission_category' and category.natural_key = impact.emission_category_code
)

select
    keyed.month,
    keyed.client_key,
    keyed.site_key,
    keyed.party_key,
    keyed.activity_key,
    keyed.emission_category_key,
    keyed.scope_code,
    keyed.part_code,
    keyed.method_code,
    keyed.impact_kind_code,
    keyed.accounting_scheme_code,
    keyed.factor_id,
    keyed.edition_code,
    keyed.factor_reason_code,
    keyed.unit_code,
    cast(sum(keyed.quantity) as decimal(28, 6)) as quantity,
    cast(sum(keyed.emissions_kg_co2e) as decimal(28, 6)) as emissions_kg_co2e,
    count(*) as source_count,
    count(*) - count(keyed.emissions_kg_co2e) as missing_count
from keyed
group by
    keyed.month, keyed.client_key, keyed.site_key, keyed.party_key, keyed.activity_key, keyed.emission_category_key,
    keyed.scope_code, keyed.part_code, keyed.method_code, keyed.impact_kind_code, keyed.accounting_scheme_code,
    keyed.factor_id, keyed.edition_code, keyed.factor_reason_code, keyed.unit_code
