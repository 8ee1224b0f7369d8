"""Roll-up: components over periods and levels, each by its own two rules, joined and divided once, last.

Belongs here: the one generic statement for every indicator. Does not belong here: what an indicator counts (its SQL).

At a level, a unit is one combination of the keys all components share and the keys of the level, in one month. A unit
counts only when every component has a row in it and no amount is missing; the others lower `coverage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.catalogue import Indicator
    from resources.catalogue.models import Component


def period_select() -> str:
    """SQL of `reference.period`: one row per period and member month, from the reporting months."""
    kinds = {
        "month": ("strftime(month, '%Y-%m')", "month", "1 month"),
        "quarter": ("year(month) || '-Q' || quarter(month)", "date_trunc('quarter', month)::date", "3 month"),
        "year": ("year(month)::varchar", "date_trunc('year', month)::date", "12 month"),
        "rolling12": ("strftime(month, '%Y-%m') || '~12'", "(month - interval 11 month)::date", "12 month"),
    }
    parts = " union ".join(
        f"select '{kind}' as period_type, {code} as period_code, {start} as period_from,"
        f" ({start} + interval {length})::date as period_to from reference.month"
        for kind, (code, start, length) in kinds.items()
    )
    return f"""
        select p.*, m.month, m.days, count(*) over (partition by p.period_code)
            = date_diff('month', p.period_from, p.period_to) as is_complete_period
        from ({parts}) p
        join reference.month m on m.month >= p.period_from and m.month < p.period_to
    """


def rollup_select(indicator: Indicator, all_keys: list[str], rows: str = "", periods: str = "reference.period") -> str:
    """SQL of the values of an indicator at every level, in some periods, from its rows in at least their months."""
    levels = (
        _Level(indicator, level, all_keys, rows or f"indicator.{indicator.id}", periods) for level in indicator.levels
    )
    return " union all by name ".join(f"({level.select()})" for level in levels)


class _Level:
    def __init__(
        self, indicator: Indicator, level: tuple[str, ...], all_keys: list[str], rows: str, periods: str
    ) -> None:
        self.indicator = indicator
        self.rows = rows
        self.periods = periods
        self.level = list(level)
        self.all_keys = all_keys
        parts = list(indicator.components.values())
        shared = set(parts[0].keys).intersection(*(p.keys for p in parts))
        self.unit = sorted(shared | set(level))

    def select(self) -> str:
        """One row per period and combination of the level's keys."""
        names = list(self.indicator.components)
        complete = " and ".join(f"ok_{i}" for i in range(len(names)))
        steps = [f"unit as ({self._units(names)})", f"whole as (select *, {complete} as is_whole from unit)"]
        for i, name in enumerate(names):
            steps += self._component(i, name, self.indicator.components[name])
        steps.append(f"cover as ({self._coverage(names)})")
        return f"with {', '.join(steps)} {self._final(names)}"

    def _units(self, names: list[str]) -> str:
        """Units of the components that know all unit keys, and per component whether it is there and whole."""
        full = [n for n in names if set(self.unit) <= set(self.indicator.components[n].keys)]
        listed = ", ".join(f"'{n}'" for n in full)
        keys = ", ".join([*self.unit, "month"])
        per = []
        for i, name in enumerate(names):
            own = [k for k in self.unit if k in self.indicator.components[name].keys]
            on = " and ".join(f"c{i}.{k} = u.{k}" for k in [*own, "month"])
            grouped = ", ".join([*own, "month"])
            per.append(
                f" left join (select {grouped}, count(*) = count(amount) as ok, sum(amount) as amount,"
                f" max(gap_code) as gap from {self.rows} where component = '{name}' group by {grouped}) c{i} on {on}"
            )
        shown = ", ".join(
            f"coalesce(c{i}.ok, false) as ok_{i}, c{i}.amount as amount_{i}, c{i}.gap as gap_{i}"
            for i in range(len(names))
        )
        found = f"select distinct {keys} from {self.rows} where component in ({listed})"
        return f"select u.*, {shown} from ({found}) u{''.join(per)}"

    def _component(self, number: int, name: str, component: Component) -> list[str]:
        """The component's rows in whole units, over time per own key and entity, then over keys into the level."""
        own = list(component.keys)
        keys = list(dict.fromkeys([*own, *self.level]))
        picked = ", ".join([*(f"r.{k}" if k in own else f"w.{k}" for k in keys)])
        on = " and ".join(f"w.{k} = r.{k}" for k in [*(k for k in self.unit if k in own), "month"])
        rows = (
            f"rows_{number} as (select {picked}{', ' if keys else ''}r.month, r.entity_id, r.amount"
            f" from {self.rows} r join whole w on w.is_whole and {on} where r.component = '{name}')"
        )
        grouped = ", ".join([*keys, "entity_id"])
        last = (
            "select p.*, max(case when exists_in then month end) over (partition by period_code) as last_month from ("
            f"select p.*, p.month in (select month from rows_{number}) as exists_in from {self.periods} p) p"
        )
        rule = {
            "sum": "sum(amount)",
            "max": "max(amount)",
            "distinct": "max(1::decimal(28, 6))",
            "last": "sum(case when p.month = last_month then amount end)",
            "mean": "(sum(amount * p.days) / sum(p.days))::decimal(28, 6)",
        }[component.over_time]
        timed = (
            f"timed_{number} as (select period_code, {grouped}, {rule} as amount from rows_{number} r"
            f" join ({last}) p on p.month = r.month group by period_code, {grouped})"
        )
        level = ", ".join(["period_code", *self.level])
        inner = {
            "sum": f"select {level}, amount from timed_{number}",
            "max": f"select {level}, sum(amount) as amount from timed_{number} group by {', '.join(['period_code', *keys])}",
            "distinct": f"select {level}, max(amount) as amount from timed_{number} group by {level}, entity_id",
        }[component.over_keys]
        outer = "max" if component.over_keys == "max" else "sum"
        keyed = f"level_{number} as (select {level}, {outer}(amount) as amount from ({inner}) group by {level})"
        return [rows, timed, keyed]

    def _coverage(self, names: list[str]) -> str:
        """Share of the denominator that stands in whole units, and why others are not.

        Without a denominator, or where one is not known of some unit, it is the share of the units themselves.
        """
        side = self.indicator.denominator
        weight = f"amount_{names.index(side)}" if side else "1"
        level = ", ".join(["period_code", *self.level])
        gaps = ", ".join(f"gap_{i}" for i in range(len(names)))
        return (
            f"select {level}, any_value(period_type) as period_type, any_value(period_from) as period_from,"
            " any_value(period_to) as period_to, bool_and(is_complete_period) as is_complete_period,"
            f" case when count({weight}) = count(*) and sum({weight}) > 0"
            f" then sum(case when is_whole then {weight} else 0 end) / sum({weight})"
            " else count(*) filter (is_whole) / count(*) end as share,"
            f" count(*) filter (is_whole) as whole_count, max(greatest({gaps})) as gap"
            f" from whole join {self.periods} p using (month) group by {level}"
        )

    def _final(self, names: list[str]) -> str:
        item = self.indicator
        top = names.index(item.numerator)
        bottom = names.index(item.denominator) if item.denominator else None
        on = " and ".join(f"c.{k} is not distinct from l{{0}}.{k}" for k in ["period_code", *self.level])
        joins = f" left join level_{top} l{top} on {on.format(top)}"
        denominator = "null::decimal(28, 6)"
        value = f"l{top}.amount"
        if bottom is not None:
            joins += f" left join level_{bottom} l{bottom} on {on.format(bottom)}"
            denominator = f"l{bottom}.amount"
            divisor = f"nullif(l{bottom}.amount, 0)"
            if item.minimum_denominator is not None:
                divisor = f"case when l{bottom}.amount >= {item.minimum_denominator} then {divisor} end"
            value = f"round(l{top}.amount * {item.scale} / {divisor}, 6)"
        if item.minimum_coverage is not None:
            value = f"case when c.share >= {item.minimum_coverage} then {value} end"
        keys = ", ".join(f"c.{k}" if k in self.level else f"null::varchar as {k}" for k in self.all_keys)
        code = "+".join(k.removesuffix("_id").removesuffix("_code") for k in self.level) or "total"
        return f"""
        select '{item.id}' as indicator_id, '{item.pillar}' as pillar, c.period_type, c.period_code, c.period_from,
            c.period_to, '{code}' as level_code, {keys}, ({value})::decimal(28, 6) as value,
            l{top}.amount::decimal(28, 6) as numerator, ({denominator})::decimal(28, 6) as denominator,
            round(c.share, 6)::decimal(28, 6) as coverage,
            case when c.whole_count > 0 and ({value}) is not null then 'measured'
                when c.whole_count > 0 and c.share < {item.minimum_coverage or 0} then 'too_incomplete'
                when {denominator} < {item.minimum_denominator or 0} then 'too_small'
                else coalesce(c.gap, 'missing') end as value_status,
            c.is_complete_period
        from cover c{joins}"""
