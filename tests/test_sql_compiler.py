"""SQL of the catalogue: refs, portability and where columns come from."""

from __future__ import annotations

import pytest

from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.sql_compiler import check_portable, compile_sql, lineage

SCHEMA = {
    "core.reading": {"meter_id": "VARCHAR", "day": "DATE", "kwh": "DECIMAL(28,6)", "status": "VARCHAR"},
    "core.meter": {"meter_id": "VARCHAR", "site_id": "VARCHAR", "factor": "DECIMAL(28,6)"},
}


def test_refs_are_filled_in_and_listed() -> None:
    compiled = compile_sql("select 1 from {{ ref('core.b') }} join {{ref('core.a')}} using (x)", "x.sql")
    assert compiled.sql == "select 1 from core.b join core.a using (x)"
    assert compiled.refs == ("core.a", "core.b")


@pytest.mark.parametrize("left", ["{{ var('x') }}", "{% if x %}", "{{ ref(core.x) }}", "{{"])
def test_nothing_else_of_a_template_may_be_left(left: str) -> None:
    with pytest.raises(KetenError, match="is left over"):
        compile_sql(f"select {left}", "x.sql")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select arg_max(a, b) from t", "function 'arg_max' is not portable"),
        ("select current_date", "models do not read the clock"),
        ("select now()", "models do not read the clock"),
        ("select cast(a as double) from t", "a cast to floating point"),
        ("select a::float from t", "a cast to floating point"),
        ("select sum(a / b) from t", "a sum over a division"),
        ("select sum(case when a > 0 then 2 * a / b end) from t", "a sum over a division"),
        ("select (", "line 1"),
        ("select 1; drop table x", "should hold one select"),
        ("drop table x", "should hold one select"),
    ],
)
def test_what_another_engine_would_read_otherwise_is_refused(sql: str, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        check_portable(sql, "x.sql")


def test_a_quotient_that_is_a_decimal_again_may_be_added_up() -> None:
    check_portable("select sum(cast(a / b as decimal(28, 6))), sum(a) / sum(b) from t", "x.sql")


def test_every_model_and_indicator_is_portable() -> None:
    found = load_catalogue()
    declared = {m.name: m.sql for m in found.models.values() if not m.made_by}
    for name, sql in {**declared, **{i.id: i.sql for i in found.indicators.values()}}.items():
        check_portable(sql, name)


def test_values_come_from_columns_and_filters_are_told_apart() -> None:
    found = lineage(
        """
        with daily as (
            select r.meter_id, r.day, sum(r.kwh) as kwh from core.reading r where r.status = 'measured' group by 1, 2
        )
        select m.site_id, d.day, d.kwh * m.factor as energy, 1 as one
        from daily d join core.meter m on d.meter_id = m.meter_id
        """,
        SCHEMA,
    )
    assert found.values == {
        "site_id": {"core.meter.site_id"},
        "day": {"core.reading.day"},
        "energy": {"core.reading.kwh", "core.meter.factor"},
        "one": frozenset(),
    }
    assert found.filters == {"core.reading.status", "core.reading.meter_id", "core.meter.meter_id"}


def test_a_union_has_the_sources_of_both_sides() -> None:
    found = lineage("select kwh as x from core.reading union all select factor from core.meter", SCHEMA)
    assert found.values == {"x": {"core.reading.kwh", "core.meter.factor"}}


def test_a_correlated_subquery_names_tables_around_it() -> None:
    found = lineage(
        "select (select max(r.kwh) from core.reading r where r.meter_id = m.meter_id) as most from core.meter m", SCHEMA
    )
    assert found.values["most"] == {"core.reading.kwh"}
    assert found.filters >= {"core.reading.meter_id", "core.meter.meter_id"}
