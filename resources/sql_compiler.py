"""SQL of the catalogue: refs, column lineage and portability, from the parsed text.

Belongs here: reading SQL. Does not belong here: running it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.errors import KetenError

if TYPE_CHECKING:
    from sqlglot import exp

_REF = re.compile(r"\{\{\s*ref\('([a-z_]+\.[a-z0-9_]+)'\)\s*\}\}")

# Functions that DuckDB, PostgreSQL and Spark share, or that sqlglot carries over faithfully.
PORTABLE = frozenset(
    "abs cast case coalesce concat count extract floor greatest least length lower max min nullif round row_number sum"
    " upper trim substring timestamp_trunc date_trunc and or if in between not lag lead rank dense_rank unnest"
    " generate_series generate_date_array date_diff datediff date_sub date_add ts_or_ds_to_date sub_string"
    " first_value last_value string_agg group_concat exists year month quarter day".split()
)


@dataclass(frozen=True)
class Compiled:
    """SQL with its refs filled in, and the tables it refers to in order of name."""

    sql: str
    refs: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """Where values come from: source columns (`table.column`) per output column; filter and join columns apart."""

    values: Mapping[str, frozenset[str]]
    filters: frozenset[str]


def compile_sql(text: str, path: str) -> Compiled:
    """Fill in the refs. Raises KetenError when any other template mark is left."""
    refs = tuple(sorted(set(_REF.findall(text))))
    sql = _REF.sub(lambda match: match.group(1), text)
    left = re.search(r"\{\{.*?\}\}|\{%.*?%\}|\{\{|\{%", sql)
    if left:
        raise KetenError(f"{path}: '{left.group(0)}' is left over; only {{{{ ref('schema.table') }}}} is known")
    return Compiled(sql, refs)


def check_portable(sql: str, path: str) -> None:
    """Raises KetenError for functions outside the allow-list, floating point and reading the clock."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="duckdb")
    for node in tree.find_all(exp.DataType):
        if node.this in (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT):
            raise KetenError(f"{path}: a cast to floating point; use decimal, sums over doubles differ from run to run")
    for call in tree.find_all(exp.Func):
        name = (call.name if isinstance(call, exp.Anonymous) else call.key).lower()
        if name in ("currentdate", "currenttimestamp", "now", "today"):
            raise KetenError(f"{path}: models do not read the clock; use {{{{ ref('run.clock') }}}}")
        if name.replace("_", "") not in {p.replace("_", "") for p in PORTABLE}:
            raise KetenError(f"{path}: function '{name}' is not portable; see PORTABLE in resources/sql_compiler.py")


def lineage(sql: str, schema: Mapping[str, Mapping[str, str]]) -> Lineage:
    """Column lineage of a select; `schema` gives the columns and types of every table it refers to."""
    import sqlglot
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    nested: dict[str, dict[str, dict[str, str]]] = {}
    for table, columns in schema.items():
        first, second = table.split(".", 1)
        nested.setdefault(first, {})[second] = dict(columns)
    tree = qualify(
        sqlglot.parse_one(sql, read="duckdb"), dialect="duckdb", schema=nested, validate_qualify_columns=False
    )
    root = build_scope(tree)
    if root is None:
        raise KetenError("the statement is not a select")
    found = _Lineage()
    values = {name: frozenset(found.sources(root, name)) for name in _outputs(tree)}
    filters: set[str] = set()
    for scope in root.traverse():
        filters |= found.filters(scope)
    return Lineage(values, frozenset(filters))


def _outputs(tree: exp.Expression) -> list[str]:
    return list(tree.named_selects)  # type: ignore[attr-defined]


class _Lineage:
    def __init__(self) -> None:
        self._known: dict[tuple[int, str], set[str]] = {}

    def sources(self, scope: object, name: str) -> set[str]:
        """Source columns of one output column of a scope."""
        place = (id(scope), name)
        if place not in self._known:
            self._known[place] = set()
            self._known[place] = self._sources(scope, name)
        return self._known[place]

    def _sources(self, scope: object, name: str) -> set[str]:
        expression = scope.expression  # type: ignore[attr-defined]
        if scope.set_operation_scopes:  # type: ignore[attr-defined]
            names = list(expression.named_selects)
            position = names.index(name) if name in names else 0
            found: set[str] = set()
            for part in scope.set_operation_scopes:  # type: ignore[attr-defined]
                found |= self.sources(part, list(part.expression.named_selects)[position])
            return found
        for projection in expression.selects:
            if projection.alias_or_name == name:
                return self._columns(scope, projection)
        return set()

    def _columns(self, scope: object, node: object) -> set[str]:
        from sqlglot import exp

        found: set[str] = set()
        for column in node.find_all(exp.Column):  # type: ignore[attr-defined]
            source = scope.sources.get(column.table)  # type: ignore[attr-defined]
            if isinstance(source, exp.Table):
                found.add(f"{source.db}.{source.name}.{column.name}")
            elif source is not None:
                found |= self.sources(source, column.name)
        return found

    def filters(self, scope: object) -> set[str]:
        """Source columns used to filter, join or group within one scope."""
        from sqlglot import exp

        expression = scope.expression  # type: ignore[attr-defined]
        if not isinstance(expression, exp.Select):
            return set()
        found: set[str] = set()
        parts = [expression.args.get(k) for k in ("where", "having", "qualify")]
        parts += [j.args.get("on") for j in expression.args.get("joins") or []]
        for part in parts:
            if part is not None:
                found |= self._columns(scope, part)
        return found
