-- Grain: one row per waste collection and month, with what of it was recycled in the end.
with split as (
    select
        s.collector_id,
        s.stream_code,
        s.period_from,
        s.period_to,
        sum(case when s.treatment_code = 'recycling' then s.split_share else 0 end) as recycled_share,
        sum(s.split_share) as known_share
    from {{ ref('core.waste_treatment_split') }} as s
    group by s.collector_id, s.stream_code, s.period_from, s.period_to
)

select
    waste.month,
    waste.collector_id,
    waste.site_id,
    waste.client_id,
    waste.stream_code,
    waste.treatment_code,
    waste.container_code,
    waste.period_from,
    waste.period_to,
    waste.repeat_no,
    waste.mass_kg,
    -- A lifting that goes to incineration or landfill is not recycled; one said to be recycled needs the split.
    cast(
        case when split.known_share > 0.999 then waste.mass_kg * split.recycled_share
            when waste.treatment_code in ('energy_recovery', 'landfill') then 0 end as decimal(28, 6)
    ) as recycled_kg
from {{ ref('ledger.waste_month') }} as waste
inner join {{ ref('run.month') }} as run_month on waste.month = run_month.month
left join split
    on waste.collector_id = split.collector_id and waste.stream_code = split.stream_code
    and waste.month >= split.period_from and waste.month < split.period_to
