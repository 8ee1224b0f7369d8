-- Grain: one row per target of a client.
with latest as (
    select
        v.indicator_id,
        v.client_id,
        v.period_code,
        v.period_to,
        v.value,
        row_number() over (partition by v.indicator_id, v.client_id order by v.period_to desc) as turn
    from {{ ref('publish.rpt_indicator_value') }} as v
    where v.level_code = 'client' and v.period_type = 'rolling12' and v.is_complete_period and v.value is not null
),

placed as (
    select
        target.client_id,
        target.indicator_id,
        target.base_period_from,
        target.base_value,
        target.target_value,
        target.due_on,
        target.decided_on,
        latest.period_code,
        latest.value,
        indicator.direction,
        cast(
            (latest.value - target.base_value) / nullif(target.target_value - target.base_value, 0) as decimal(28, 6)
        ) as progress_share,
        cast(
            least(
                cast(date_diff('day', target.base_period_from, latest.period_to) as decimal(28, 6))
                / date_diff('day', target.base_period_from, target.due_on), 1
            ) as decimal(28, 6)
        ) as expected_share
    from {{ ref('core.target') }} as target
    inner join {{ ref('reference.indicator') }} as indicator on target.indicator_id = indicator.indicator_id
    left join latest
        on target.indicator_id = latest.indicator_id and target.client_id = latest.client_id and latest.turn = 1
)

select
    placed.indicator_id,
    coalesce(client.key, -1) as client_key,
    placed.base_period_from,
    placed.base_value,
    placed.target_value,
    placed.due_on,
    placed.decided_on,
    placed.period_code,
    cast(placed.value as decimal(28, 6)) as value,
    placed.progress_share,
    placed.expected_share,
    case
        when placed.value is null then 'no_value'
        when (placed.direction = 'lower' and placed.value <= placed.target_value)
            or (placed.direction = 'higher' and placed.value >= placed.target_value) then 'met'
        when placed.progress_share is null then 'no_base'
        when placed.progress_share >= placed.expected_share then 'on_course'
        else 'behind'
    end as target_state_code
from placed
left join {{ ref('register.surrogate_key') }} as client
    on client.dimension = 'party' and client.natural_key = placed.client_id
