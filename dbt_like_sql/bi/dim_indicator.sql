-- Grain: one row per indicator of the catalogue.
select
    indicator.indicator_id,
    indicator.pillar,
    indicator.title_nl,
    indicator.title_en,
    indicator.unit_code,
    indicator.display_unit_code,
    indicator.display_factor,
    shown.nl as unit_nl,
    shown.en as unit_en,
    cast(indicator.decimals as bigint) as decimals,
    indicator.direction,
    indicator.is_core,
    indicator.kind,
    indicator.description_nl,
    indicator.description_en,
    indicator.formula_nl,
    indicator.formula_en,
    indicator.method_nl,
    indicator.method_en,
    indicator.pitfall_nl,
    indicator.pitfall_en,
    indicator.standards
from {{ ref('reference.indicator') }} as indicator
left join {{ ref('reference.unit') }} as shown on shown.code = indicator.display_unit_code
