"""The sheets with values, one for each pillar: names for people, and what is needed to find each row in the database.

Belongs here: the columns of these sheets. Does not belong here: the other sheets (workbook_sheets), and how cells are
written (workbook_cells).

A cell holds a double, which keeps fifteen digits. What has more stands beside it as a text in the hidden column `exact`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.targets.workbook_cells import Heading, Sheet, hidden, number_format, shown, words

if TYPE_CHECKING:
    import duckdb

    from resources.targets.description import Column, Table

VALUES = "rpt_indicator_value"
PILLARS = {"people": "People", "planet": "Planet", "purpose": "Purpose"}
NUMBERS = ("value", "numerator", "denominator", "coverage")
NOT_APPLICABLE = -2
_DIGITS_OF_A_CELL = 15


def value_sheets(connection: duckdb.DuckDBPyConnection, tables: dict[str, Table]) -> list[Sheet]:
    """A sheet for each pillar."""
    keys = [c for c in tables[VALUES].columns if c.refers_to and c.name != "indicator_id"]
    return [_sheet(connection, tables, keys, pillar) for pillar in PILLARS]


def _sheet(connection: duckdb.DuckDBPyConnection, tables: dict[str, Table], keys: list[Column], pillar: str) -> Sheet:
    used = _used(connection, keys, pillar)
    joins = "".join(
        f" left join bi.{key.refers_to} {key.name} on v.{key.name} <> {NOT_APPLICABLE}"
        f" and {key.name}.{tables[str(key.refers_to)].key[0]} = v.{key.name}"
        for key in used
    )
    headings = (
        Heading("Indicator", "i.title_nl", width=38),
        Heading("Soort periode", words("v.period_type", "period_type")),
        Heading("Periode", "v.period_code", width=12),
        Heading("Van", "datediff('day', date '1899-12-30', v.period_from)", "date", 11),
        Heading("Tot en met", "datediff('day', date '1899-12-30', v.period_to) - 1", "date", 11),
        Heading("Periode volledig", "case when v.is_complete_period then 'ja' else 'nee' end", width=10),
        Heading("Niveau", words("v.level_code", "level"), width=22),
        *(Heading(_title(connection, key), f"{key.name}.{_name(tables, key)}", width=26) for key in used),
        Heading("Waarde", shown("v.value", "i"), "shown"),
        Heading("Eenheid", "i.unit_nl", width=18),
        Heading("Status", words("v.value_status", "value_status"), width=20),
        Heading("Stand", words("v.publication_status", "period_state"), width=12),
        Heading("Dekking", "v.coverage::double", "share", 9),
        Heading("Opgeslagen waarde", "v.value::double", "exact", 18),
        Heading("Teller", "v.numerator::double", "exact", 20),
        Heading("Noemer", "v.denominator::double", "exact", 20),
        *hidden(
            "indicator_id", "period_type", "level_code", "scope_code", "value_status", "publication_status", table="v"
        ),
        Heading("dimension_keys", _keys(keys), width=0),
        Heading("exact", _exact(), width=0),
    )
    return Sheet(
        PILLARS[pillar],
        headings,
        f"bi.{VALUES} v join bi.dim_indicator i using (indicator_id){joins} where v.pillar = '{pillar}'",
        ", ".join(f"v.{name}" for name in tables[VALUES].key),
        "(v.period_to - 1)",
        number_format("i"),
    )


def _used(connection: duckdb.DuckDBPyConnection, keys: list[Column], pillar: str) -> list[Column]:
    """The keys that some value of the pillar is about."""
    asked = ", ".join(f"bool_or({key.name} <> {NOT_APPLICABLE})" for key in keys)
    row = connection.execute(f"select {asked} from bi.{VALUES} where pillar = ?", [pillar]).fetchone()
    return [key for key, is_used in zip(keys, row or (), strict=False) if is_used]


def _title(connection: duckdb.DuckDBPyConnection, key: Column) -> str:
    """What a key is about, in words: the level of just that key."""
    level = key.name.removesuffix("_key")
    row = connection.execute("select nl from bi.dim_code where code_list = 'level' and code = ?", [level]).fetchone()
    return str(row[0]) if row else level


def _name(tables: dict[str, Table], key: Column) -> str:
    """The column of a dimension that names its members."""
    columns = [column.name for column in tables[str(key.refers_to)].columns]
    return next(name for end in ("_name", "_nl") for name in columns if name.endswith(end))


def _keys(keys: list[Column]) -> str:
    """SQL of the surrogate keys that apply, as `site_key=3;carrier_key=1`."""
    parts = (f"case when v.{key.name} <> {NOT_APPLICABLE} then '{key.name}=' || v.{key.name} end" for key in keys)
    return f"concat_ws(';', {', '.join(parts)})"


def _exact() -> str:
    """SQL of the numbers that a cell cannot hold, as `numerator=1234567890123.456789`."""
    parts = (
        f"case when length(trim(replace(abs(v.{name})::varchar, '.', ''), '0')) > {_DIGITS_OF_A_CELL}"
        f" then '{name}=' || v.{name} end"
        for name in NUMBERS
    )
    return f"nullif(concat_ws(';', {', '.join(parts)}), '')"
