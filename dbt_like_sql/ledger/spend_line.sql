-- Grain: one row per invoice line.
with line as (
    select
        s.*,
        cast(date_trunc('month', s.invoice_on) as date) as month
    from {{ ref('core.spend') }} as s
    inner join {{ ref('run.month') }} as run_month on date_trunc('month', s.invoice_on) = run_month.month
),

-- The certificate that held on the invoice date; of two at once the one that began last.
step as (
    select
        line.client_id,
        line.party_id,
        line.invoice_id,
        line.repeat_no,
        certificate.certificate_level,
        row_number() over (
            partition by line.client_id, line.party_id, line.invoice_id, line.repeat_no order by certificate.valid_from desc
        ) as turn
    from line
    inner join {{ ref('core.certificate') }} as certificate
        on line.party_id = certificate.party_id and certificate.certificate_code = 'pso'
        and line.invoice_on >= certificate.valid_from and line.invoice_on < certificate.valid_to
),

social as (
    select distinct
        line.party_id,
        line.invoice_on
    from line
    inner join {{ ref('core.certificate') }} as certificate
        on line.party_id = certificate.party_id and certificate.certificate_code = 'social_enterprise'
        and line.invoice_on >= certificate.valid_from and line.invoice_on < certificate.valid_to
)

select
    line.month,
    line.client_id,
    line.party_id,
    line.invoice_id,
    line.repeat_no,
    line.contract_id,
    line.spend_category_code,
    category.service_code,
    category.spend_treatment_code,
    coalesce(line.org_unit_id, 'unknown') as org_unit_id,
    coalesce(today.current_org_unit_id, 'unknown') as current_org_unit_id,
    coalesce(step.certificate_level, 'none') as pso_step_code,
    social.party_id is not null as is_social_enterprise,
    party.size_class_code,
    line.amount,
    line.currency_code,
    cast(line.amount * rate.eur_per_unit as decimal(28, 6)) as amount_eur,
    line.invoice_on,
    line.due_on,
    line.paid_on
from line
inner join {{ ref('core.party') }} as party on line.party_id = party.party_id
inner join {{ ref('reference.spend_category_use') }} as category on line.spend_category_code = category.spend_category_code
left join {{ ref('ledger.org_unit_today') }} as today on line.org_unit_id = today.org_unit_id
left join step
    on line.client_id = step.client_id and line.party_id = step.party_id and line.invoice_id = step.invoice_id
    and line.repeat_no = step.repeat_no and step.turn = 1
left join social on line.party_id = social.party_id and line.invoice_on = social.invoice_on
left join {{ ref('reference.exchange_rate') }} as rate
    on line.currency_code = rate.currency_code and line.invoice_on >= rate.valid_from
    and (rate.valid_to is null or line.invoice_on < rate.valid_to)
