-- Grain: one row per activity, emission category, part, method, kind of impact and reporting month.
with published as (
    select
        factor.*,
        knowledge.geography_code as home_code,
        row_number() over (
            partition by factor.factor_id, factor.edition_code, factor.part_code order by factor.known_from desc
        ) as newest
    from {{ ref('reference.emission_factor') }} as factor
    inner join {{ ref('run.knowledge') }} as knowledge
        on factor.known_from <= knowledge.known_on and (factor.known_to is null or factor.known_to > knowledge.known_on)
    where factor.is_verified
),

-- A correction takes the place of what it corrects before anything is chosen: it may say that there is no value.
known as (
    select published.*, coalesce(fallback.preference, 0) as place_order
    from published
    left join {{ ref('reference.geography_fallback') }} as fallback
        on published.home_code = fallback.geography_code
        and published.geography_code = fallback.fallback_geography_code
    where published.newest = 1 and published.kg_co2e_per_unit is not null
        and (published.geography_code = published.home_code or fallback.preference is not null)
),

candidate as (
    select
        month.month, used.activity_code, used.emission_category_code, used.part_code, used.method_code,
        used.impact_kind_code, used.preference, known.factor_activity_code, known.factor_id, known.edition_code,
        known.known_from, known.valid_from, known.geography_code, known.gwp_set_code, known.unit_code,
        known.kg_co2e_per_unit, known.place_order,
        case
            when month.month < known.valid_from then greatest(year(known.valid_from) - year(month.month), 1)
            when known.valid_to <= month.month
                then greatest(year(month.month) - year(known.valid_to - interval 1 day), 1)
            else 0
        end as edition_gap_years
    from {{ ref('reference.factor_use') }} as used
    inner join known on used.factor_activity_code = known.factor_activity_code and used.part_code = known.part_code
    cross join {{ ref('run.month') }} as month
),

ranked as (
    select
        candidate.*,
        row_number() over (
            partition by
                candidate.month, candidate.activity_code, candidate.emission_category_code, candidate.part_code,
                candidate.method_code, candidate.impact_kind_code
            order by
                candidate.place_order, candidate.edition_gap_years, candidate.preference, candidate.valid_from desc,
                candidate.known_from desc, candidate.factor_id
        ) as place
    from candidate
),

wanted as (
    select distinct
        month.month, used.activity_code, used.scope_code, used.emission_category_code, used.part_code, used.method_code,
        used.impact_kind_code
    from {{ ref('reference.factor_use') }} as used
    cross join {{ ref('run.month') }} as month
)

select
    wanted.month, wanted.activity_code, wanted.scope_code, wanted.emission_category_code, wanted.part_code,
    wanted.method_code, wanted.impact_kind_code, ranked.factor_activity_code, ranked.factor_id, ranked.edition_code,
    ranked.known_from, ranked.geography_code, ranked.gwp_set_code, ranked.unit_code, ranked.kg_co2e_per_unit,
    cast(ranked.edition_gap_years as bigint) as edition_gap_years,
    case
        when ranked.factor_id is null then 'none' when ranked.place_order > 0 then 'other_geography'
        when ranked.edition_gap_years > 0 then 'nearest_edition' else 'edition_of_year'
    end as factor_reason_code
from wanted
left join ranked
    on wanted.month = ranked.month and wanted.activity_code = ranked.activity_code
    and wanted.emission_category_code = ranked.emission_category_code and wanted.part_code = ranked.part_code
    and wanted.method_code = ranked.method_code and wanted.impact_kind_code = ranked.impact_kind_code and ranked.place = 1
