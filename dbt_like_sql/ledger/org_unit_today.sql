-- Grain: one row per cost centre, with the one it went into, after all reorganisations.
with recursive path as (
    select
        unit.org_unit_id,
        unit.org_unit_id as current_org_unit_id,
        0 as steps
    from {{ ref('core.org_unit') }} as unit
    union all
    select
        path.org_unit_id,
        unit.successor_org_unit_id as current_org_unit_id,
        path.steps + 1 as steps
    from path
    inner join {{ ref('core.org_unit') }} as unit on path.current_org_unit_id = unit.org_unit_id
    where unit.successor_org_unit_id is not null and path.steps < 100
),

last as (
    select
        path.org_unit_id,
        max(path.steps) as steps
    from path
    group by path.org_unit_id
)

select
    path.org_unit_id,
    path.current_org_unit_id
from path
inner join last on path.org_unit_id = last.org_unit_id and path.steps = last.steps
