-- Grain: one row per source of a quantity or spend, month, emission category, part, method and kind of impact.
with factored as (
    select
        activity.*,
        choice.scope_code,
        choice.emission_category_code,
        choice.part_code,
        choice.method_code,
        choice.impact_kind_code,
        case when label.supplier_id is not null then 'label/' || label.supplier_id else choice.factor_id end as factor_id,
        case when label.supplier_id is not null then cast(label.valid_from as varchar) else choice.edition_code end
            as edition_code,
        case when label.supplier_id is not null then 'supplier_specific' else choice.factor_reason_code end
            as factor_reason_code,
        case
            when label.supplier_id is not null then cast(label.label_kg_co2e_per_kwh as decimal(18, 9))
            when choice.unit_code = activity.unit_code then choice.kg_co2e_per_unit
        end as kg_co2e_per_unit
    from {{ ref('ledger.activity') }} as activity
    inner join {{ ref('run.month') }} as run_month on activity.month = run_month.month
    left join {{ ref('ledger.factor_choice') }} as choice
        on activity.activity_code = choice.activity_code and activity.month = choice.month
    left join {{ ref('core.supplier_label') }} as label
        on choice.method_code = 'market' and choice.part_code = 'direct' and activity.unit_code = 'kWh'
        and activity.party_id = label.supplier_id and activity.carrier_code = label.carrier_code
        and activity.month >= label.valid_from and activity.month < label.valid_to
)

select
    factored.month,
    factored.source_dataset,
    factored.source_id,
    factored.client_id,
    factored.site_id,
    factored.party_id,
    factored.contract_id,
    factored.activity_code,
    coalesce(factored.scope_code, '3') as scope_code,
    coalesce(factored.emission_category_code, 'no_factor') as emission_category_code,
    coalesce(factored.part_code, 'total') as part_code,
    coalesce(factored.method_code, 'single') as method_code,
    coalesce(factored.impact_kind_code, 'actual') as impact_kind_code,
    'ghg_protocol' as accounting_scheme_code,
    factored.factor_id,
    factored.edition_code,
    case when factored.kg_co2e_per_unit is null then 'none' else factored.factor_reason_code end as factor_reason_code,
    factored.quantity,
    factored.unit_code,
    factored.kg_co2e_per_unit,
    cast(factored.quantity * factored.kg_co2e_per_unit as decimal(28, 6)) as emissions_kg_co2e
from factored
union all
select
    spend.month,
    'spend' as source_dataset,
    spend.source_id,
    spend.client_id,
    cast(null as varchar) as site_id,
    spend.party_id,
    spend.contract_id,
    'spend' as activity_code,
    '3' as scope_code,
    'cat_3_1' as emission_category_code,
    'total' as part_code,
    'single' as method_code,
    'actual' as impact_kind_code,
    'ghg_protocol' as accounting_scheme_code,
    spend.factor_id,
    spend.edition_code,
    spend.factor_reason_code,
    spend.amount_eur as quantity,
    'eur' as unit_code,
    spend.kg_co2e_per_unit,
    cast(spend.amount_eur * spend.kg_co2e_per_unit as decimal(28, 6)) as emissions_kg_co2e
from {{ ref('ledger.spend_counted') }} as spend
inner join {{ ref('run.month') }} as run_month on spend.month = run_month.month
where spend.spend_state_code = 'counted'
