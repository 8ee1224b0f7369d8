"""SQL of the wide views: one row per site and month with the core indicators of one pillar as columns.

Belongs here: the view text made from the catalogue. Does not belong here: the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.catalogue import Indicator

_VALUES = "rpt_indicator_value"

# From fine to coarse. A value of a coarser level is repeated on every site it holds for, and its `_level` says so.
_LEVELS: dict[str, tuple[tuple[str, ...], str]] = {
    "site": (("site_id",), "v.site_key = s.site_key"),
    "client": (("client_id",), "v.client_key = d.client_key"),
    "total": ((), ""),
}


def pillar_view_sql(catalogue_indicators: Mapping[str, Indicator] | Iterable[Indicator], pillar: str) -> str:
    """The select of `<pillar>_indicators`: per core indicator its value, `<id>_status` and `<id>_level`.

    Tables are named without schema, because DuckDB resolves them in the schema of the view, whatever the file is
    called. A core indicator without a level of site, client or total has no column.
    """
    given = catalogue_indicators.values() if isinstance(catalogue_indicators, Mapping) else catalogue_indicators
    core = sorted((i for i in given if i.core and i.pillar == pillar), key=lambda i: i.id)
    levels = {i.id: level for i in core if (level := _level(i)) is not None}
    columns = "".join(_columns(name, level) for name, level in levels.items())
    return f"""-- Grain: one row per site and month; the core indicators of {pillar} as columns.
with site_month as (
    select distinct site_key, period_code, period_from as month, publication_id
    from {_VALUES} where level_code = 'site' and period_type = 'month'
),
shown as (
{_shown(levels)}
)
select s.site_key, d.site_id, d.site_name, d.client_key, s.month{columns},
    s.publication_id
from site_month s
join dim_site d on d.site_key = s.site_key
left join shown v on v.site_key = s.site_key and v.period_code = s.period_code
group by s.site_key, d.site_id, d.site_name, d.client_key, s.month, s.publication_id"""


def _level(indicator: Indicator) -> str | None:
    declared = [tuple(keys) for keys in indicator.levels]
    return next((name for name, (keys, _) in _LEVELS.items() if keys in declared), None)


def _columns(name: str, level: str) -> str:
    chosen = f"case when v.indicator_id = '{name}' then"
    return (
        f",\n    max({chosen} v.value end) as {name}"
        f",\n    coalesce(max({chosen} v.value_status end), 'missing') as {name}_status"
        f",\n    '{level}' as {name}_level"
    )


def _shown(levels: Mapping[str, str]) -> str:
    parts = []
    for level, (_, condition) in _LEVELS.items():
        names = ", ".join(f"'{name}'" for name, own in levels.items() if own == level)
        if not names:
            continue
        condition = f" and {condition}" if condition else ""
        parts.append(
            "    select s.site_key, s.period_code, v.indicator_id, v.value, v.value_status\n"
            "    from site_month s join dim_site d on d.site_key = s.site_key\n"
            f"    join {_VALUES} v on v.period_code = s.period_code{condition}\n"
            f"    where v.period_type = 'month' and v.level_code = '{level}' and v.indicator_id in ({names})"
        )
    nothing = (
        "    select site_key, period_code, null as indicator_id, null as value, null as value_status"
        " from site_month where 1 = 0"
    )
    return "\n    union all\n".join(parts) or nothing
