-- Grain: one row per client, supplier, contract, spend category and month.
with spend as (
    select
        line.month,
        line.client_id,
        line.party_id,
        line.contract_id,
        line.spend_category_code,
        line.spend_treatment_code,
        sum(line.amount_eur) as amount_eur,
        count(*) - count(line.amount_eur) as unknown_count
    from {{ ref('ledger.spend_line') }} as line
    inner join {{ ref('run.month') }} as run_month on line.month = run_month.month
    group by
        line.month, line.client_id, line.party_id, line.contract_id, line.spend_category_code, line.spend_treatment_code
),

-- What was measured for a client in a month, by the spend category it stands for; with a contract only for that contract.
measured as (
    select distinct
        activity.month,
        activity.client_id,
        activity.contract_id,
        cover.spend_category_code
    from {{ ref('ledger.activity') }} as activity
    inner join {{ ref('run.month') }} as run_month on activity.month = run_month.month
    inner join {{ ref('reference.spend_cover') }} as cover on activity.activity_code = cover.activity_code
    where activity.quantity is not null
),

covered as (
    select distinct
        spend.month,
        spend.client_id,
        spend.party_id,
        coalesce(spend.contract_id, '') as contract_id,
        spend.spend_category_code
    from spend
    inner join measured
        on spend.month = measured.month and spend.client_id = measured.client_id
        and spend.spend_category_code = measured.spend_category_code
        and coalesce(measured.contract_id, spend.contract_id, '') = coalesce(spend.contract_id, measured.contract_id, '')
)

select
    spend.month,
    spend.client_id,
    spend.party_id,
    spend.contract_id,
    spend.spend_category_code,
    spend.client_id || '/' || spend.party_id || '/' || coalesce(spend.contract_id, '') || '/' || spend.spend_category_code
        as source_id,
    case
        when spend.spend_treatment_code = 'excluded' then 'excluded'
        when covered.client_id is not null then 'covered' else 'counted'
    end as spend_state_code,
    cast(case when spend.unknown_count = 0 then spend.amount_eur end as decimal(28, 6)) as amount_eur,
    factor.factor_id,
    factor.edition_code,
    case when factor.factor_id is null then 'none' else 'spend_based' end as factor_reason_code,
    factor.kg_co2e_per_unit
from spend
inner join {{ ref('reference.spend_category_use') }} as used on spend.spend_category_code = used.spend_category_code
left join covered
    on spend.month = covered.month and spend.client_id = covered.client_id and spend.party_id = covered.party_id
    and coalesce(spend.contract_id, '') = covered.contract_id and spend.spend_category_code = covered.spend_category_code
left join {{ ref('reference.spend_factor_exiobase') }} as factor on used.exiobase_sector_code = factor.sector_code
