"""Published tables whose columns follow from the dimensions of the catalogue: values, leaves, code lists.

Belongs here: putting surrogate keys in the place of natural ones, and codes in words. Does not belong here: rolling up (rollup), giving out
keys (key_register), and dimensions that describe more than a code (`dbt_like_sql/bi/dim_*.sql`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.catalogue import key_name
from resources.publication.final_values import PERIOD_STATUS
from resources.publication.key_register import NOT_APPLICABLE, REGISTER, UNKNOWN
from resources.publication.published_file import literal
from resources.reason_words import reason_kinds
from resources.wording import Words

if TYPE_CHECKING:
    from resources.catalogue import Catalogue

MADE_HERE = "assets.keyed"
_TOTAL = Words("Totaal", "Total")


def keyed_select(catalogue: Catalogue, table: str) -> str:
    """SQL of one published table that this module makes. Raises KeyError for another."""
    makers = {"bi.fact_indicator_month": _leaves, "bi.rpt_indicator_value": _values, "bi.dim_code": _codes}
    if table in makers:
        return makers[table](catalogue)
    return _code_list(catalogue, table.removeprefix("bi.dim_"))


def _keys(catalogue: Catalogue) -> dict[str, str]:
    """Columns with a dimension, and that dimension, in the order of columns.yml."""
    return {name: column.dimension for name, column in catalogue.columns.items() if column.dimension}


def _short(column: str) -> str:
    return column.removesuffix("_id").removesuffix("_code")


def _scope(catalogue: Catalogue) -> str:
    """SQL of the natural keys of a row as one text: `name=code;name=code`, or total."""
    parts = " || ".join(
        f"case when r.{key} is null then '' else ';{_short(key)}=' || r.{key} end" for key in _keys(catalogue)
    )
    return f"coalesce(nullif(substr({parts}, 2), ''), 'total')"


def _keyed(catalogue: Catalogue, applies: str) -> tuple[str, str]:
    """SQL of the surrogate keys of a row, and the joins they need; `applies` tells whether a key is told at all."""
    columns, joins = [], []
    for key, dimension in _keys(catalogue).items():
        alias = f"k_{key}"
        told = applies.format(key=key, short=_short(key))
        columns.append(
            f"case when {told} then coalesce({alias}.key, {UNKNOWN}) else {NOT_APPLICABLE} end as {key_name(key)}"
        )
        joins.append(
            f" left join {REGISTER} {alias} on {alias}.dimension = '{dimension}' and {alias}.natural_key = r.{key}"
        )
    return ", ".join(columns), "".join(joins)


def _leaves(catalogue: Catalogue) -> str:
    columns, joins = _keyed(catalogue, "r.{key} is not null")
    levels = " || ".join(f"case when r.{key} is null then '' else '+{_short(key)}' end" for key in _keys(catalogue))
    return f"""
        select r.indicator_id, r.component, r.month, coalesce(nullif(substr({levels}, 2), ''), 'total') as level_code,
            {_scope(catalogue)} as scope_code, coalesce(r.entity_id, '') as entity_id, {columns},
            r.amount::decimal(28, 6) as amount, r.gap_code
        from publish.fact_indicator_month r{joins}"""


def _values(catalogue: Catalogue) -> str:
    columns, joins = _keyed(catalogue, "'+' || r.level_code || '+' like '%+{short}+%'")
    return f"""
        select r.indicator_id, r.pillar, r.period_type, r.period_code, r.period_from, r.period_to, r.level_code,
            {_scope(catalogue)} as scope_code, {columns}, r.value, r.numerator, r.denominator, r.coverage,
            r.value_status, r.is_complete_period, s.publication_status
        from publish.rpt_indicator_value r join {PERIOD_STATUS} s using (period_code){joins}"""


def _code_list(catalogue: Catalogue, dimension: str) -> str:
    """Every key of a code list ever given out with its names, and -1 and -2."""
    table, _ = catalogue.dimensions()[dimension]
    return f"""
        select key as {dimension}_key, natural_key as {dimension}_code, coalesce(l.nl, natural_key) as {dimension}_nl,
            coalesce(l.en, natural_key) as {dimension}_en, l.code is not null as is_listed
        from {REGISTER} left join {table} l on l.code = natural_key where dimension = '{dimension}'
        union all select {UNKNOWN}, null, 'onbekend', 'unknown', false
        union all select {NOT_APPLICABLE}, null, 'niet van toepassing', 'not applicable', false"""


def _codes(catalogue: Catalogue) -> str:
    """The code lists of published columns, and levels, datasets and reasons of rejection in words."""
    models = [model for name, model in catalogue.models.items() if name.startswith("bi.")]
    used = {column.codes for model in models for column in catalogue.columns_of(model) if column.codes}
    used.discard("indicator")  # dim_indicator says more
    lists = [f"select '{name}' as code_list, code, nl, en from reference.{name}" for name in sorted(used)]
    declared = {
        "level": _levels(catalogue),
        "dataset": [(name, Words(c.title.nl, c.title.en)) for name, c in sorted(catalogue.contracts.items())],
        "reason": sorted(reason_kinds(catalogue).items()),
    }
    in_words = [
        f"select '{name}', '{code}', {literal(words.nl)}, {literal(words.en)}"
        for name, codes in declared.items()
        for code, words in codes
    ]
    return " union all ".join([*lists, *in_words])


def _levels(catalogue: Catalogue) -> list[tuple[str, Words]]:
    """Every key by itself, every level that an indicator declares, and the total."""
    levels = {(key,) for key in _keys(catalogue)}.union(*(i.levels for i in catalogue.indicators.values()))
    return [("total", _TOTAL), *(_level(catalogue, level) for level in sorted(levels) if level)]


def _level(catalogue: Catalogue, level: tuple[str, ...]) -> tuple[str, Words]:
    columns = [catalogue.columns[key] for key in level]
    words = Words(" × ".join(c.nl for c in columns), " × ".join(c.en for c in columns))
    return "+".join(_short(key) for key in level), words
