-- Grain: one row per component, client and month of invoice with an invoice of a small supplier that can be judged.
with invoice as (
    select
        line.month,
        line.client_id,
        line.party_id,
        line.invoice_id,
        min(line.invoice_on) as invoice_on,
        max(line.paid_on) as paid_on,
        sum(line.amount) as amount
    from {{ ref('ledger.spend_line') }} as line
    inner join {{ ref('run.month') }} as run_month on line.month = run_month.month
    where line.size_class_code in ('micro', 'small', 'medium')
    group by line.month, line.client_id, line.party_id, line.invoice_id
),

-- An invoice younger than 30 days that is not paid yet says nothing so far; a credit note is not paid at all.
judged as (
    select
        invoice.month,
        invoice.client_id,
        case when date_diff('day', invoice.invoice_on, invoice.paid_on) <= 30 then 1 else 0 end as in_time
    from invoice
    inner join {{ ref('run.clock') }} as clock
        on invoice.paid_on is not null or date_diff('day', invoice.invoice_on, clock.as_of) > 30
    where invoice.amount > 0
)

select
    component.code as component,
    judged.month,
    judged.client_id,
    cast(case component.code when 'paid_in_time' then sum(judged.in_time) else count(*) end as decimal(28, 6)) as amount,
    cast(null as varchar) as entity_id,
    cast(null as varchar) as gap_code
from judged
cross join (values ('paid_in_time'), ('invoices')) as component (code)
group by component.code, judged.month, judged.client_id
