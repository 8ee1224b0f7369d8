-- Grain: one row per component, client, cost centre (as booked and of today) and month with spend.
with spend as (
    select
        line.month,
        line.client_id,
        line.org_unit_id,
        line.current_org_unit_id,
        sum(case when line.is_social_enterprise then line.amount_eur else 0 end) as social_eur,
        sum(line.amount_eur) as amount_eur,
        count(*) - count(line.amount_eur) as unknown_count
    from {{ ref('ledger.spend_line') }} as line
    inner join {{ ref('run.month') }} as run_month on line.month = run_month.month
    where line.spend_treatment_code <> 'excluded' and coalesce(line.service_code, 'other') not in ('energy', 'water')
    group by line.month, line.client_id, line.org_unit_id, line.current_org_unit_id
)

select
    component.code as component,
    spend.month,
    spend.client_id,
    spend.org_unit_id,
    spend.current_org_unit_id,
    cast(
        case when spend.unknown_count > 0 then null when component.code = 'social_spend' then spend.social_eur
            else spend.amount_eur end as decimal(28, 6)
    ) as amount,
    cast(null as varchar) as entity_id,
    case when spend.unknown_count > 0 then 'missing' end as gap_code
from spend
cross join (values ('social_spend'), ('spend')) as component (code)
