"""SQL of the catalogue: refs, column lineage and portability, from the parsed text.

Belongs here: reading SQL. Does not belong here: running it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
_PORTABLE = frozenset(name.replace("_", "") for name in PORTABLE)
_CLOCK = frozenset("currentdate currenttimestamp currenttime localtimestamp localtime now today".split()) | frozenset(
    "getcurrenttimestamp getcurrenttime transactiontimestamp currentlocaltimestamp currentlocaltime".split()
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


def _parse(sql: str, path: str) -> exp.Query:
    """One select as a tree. Raises KetenError for anything else."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError, SqlglotError

    try:
        found = sqlglot.parse(sql, read="duckdb")
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        place = f"line {first.get('line')}, column {first.get('col')}: {first.get('description')}"
        raise KetenError(f"{path}: {place}; correct the SQL") from None
    except SqlglotError as error:
        raise KetenError(f"{path}: cannot be read as SQL ({' '.join(str(error).split())}); correct it") from None
    trees = [tree for tree in found if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise KetenError(f"{path}: should hold one select; move anything else out")
    return trees[0]


def check_portable(sql: str, path: str) -> None:
    """Raises KetenError for functions outside the allow-list, floating point, sums over it and reading the clock."""
    from sqlglot import exp

    tree = _parse(sql, path)
    for node in tree.find_all(exp.DataType):
        if node.this in (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT):
            raise KetenError(f"{path}: a cast to floating point; use decimal, sums over doubles differ from run to run")
    for total in tree.find_all(exp.Sum):
        if any(_is_bare(division, total) for division in total.find_all(exp.Div)):
            raise KetenError(f"{path}: a sum over a division; cast the quotient to a decimal before it is added up")
    for call in tree.find_all(exp.Func):
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
        plain = name.replace("_", "")
        if plain in _CLOCK:
            raise KetenError(f"{path}: models do not read the clock; use {{{{ ref('run.clock') }}}}")
        if plain not in _PORTABLE:
            raise KetenError(f"{path}: function '{name}' is not portable; see PORTABLE in resources/sql_compiler.py")


def _is_bare(division: exp.Expression, total: exp.Expression) -> bool:
    """Whether the result of a division, which is floating point, reaches the sum as it is."""
    from sqlglot import exp

    node = division.parent
    while node is not None and node is not total:
        if isinstance(node, exp.Cast):
            return False
        node = node.parent
    return True


def lineage(sql: str, schema: Mapping[str, Mapping[str, str]]) -> Lineage:
    """Column lineage of a select; `schema` gives the columns and types of every table it refers to.

    Raises KetenError for what is not one select or cannot be resolved.
    """
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    nested: dict[str, dict[str, dict[str, str]]] = {}
    for table, columns in schema.items():
        first, second = table.split(".", 1)
        nested.setdefault(first, {})[second] = dict(columns)
    tree = _parse(sql, "lineage")
    try:
        tree = qualify(tree, dialect="duckdb", schema=nested, validate_qualify_columns=False)
        root = build_scope(tree)
    except SqlglotError as error:
        raise KetenError(f"lineage: columns cannot be resolved ({' '.join(str(error).split())})") from None
    if root is None:
        raise KetenError("lineage: should hold one select")
    found = _Lineage()
    values = {name: frozenset(found.sources(root, name)) for name in tree.named_selects}
    filters: set[str] = set()
    for scope in root.traverse():
        filters |= found.filters(scope)
    return Lineage(values, frozenset(filters))


class _Lineage:
    """Follows columns down through scopes of sqlglot; each output column is looked up once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], set[str]] = {}

    def sources(self, scope: Any, name: str) -> set[str]:
        """Source columns of one output column of a scope."""
        place = (id(scope), name)
        if place not in self._known:
            self._known[place] = set()  # what a recursive table finds when it meets itself
            self._known[place] = self._sources(scope, name)
        return self._known[place]

    def _sources(self, scope: Any, name: str) -> set[str]:
        from sqlglot import exp

        expression = scope.expression
        if scope.set_operation_scopes:
            names = list(expression.named_selects)
            if name not in names:
                return set()
            parts = [(s, list(s.expression.named_selects)[names.index(name)]) for s in scope.set_operation_scopes]
            return set().union(*(self.sources(part, column) for part, column in parts))
        if isinstance(expression, exp.UDTF):
            return self._columns(scope, expression)
        found = [self._columns(scope, p) for p in expression.selects if p.alias_or_name == name]
        return set().union(*found)

    def _columns(self, scope: Any, node: Any) -> set[str]:
        """Source columns of an expression. Of a subquery in it: what it selects; its filters are filters of its own."""
        from sqlglot import exp

        if isinstance(node, (exp.Select, exp.SetOperation)) and node is not scope.expression:
            inner = next((s for s in scope.subquery_scopes if s.expression is node), None)
            return set().union(*(self.sources(inner, name) for name in node.named_selects)) if inner else set()
        if isinstance(node, exp.Column):
            return self._column(scope, node)
        return set().union(*(self._columns(scope, child) for child in node.iter_expressions()))

    def _column(self, scope: Any, column: Any) -> set[str]:
        from sqlglot import exp

        around = scope
        while around is not None and column.table not in around.sources:
            around = around.parent  # a correlated subquery names tables of the query around it
        source = around.sources[column.table] if around is not None else None
        if isinstance(source, exp.Table):
            if isinstance(source.this, exp.Func):  # a table function: what it is called with
                return set().union(*(self._column(around, c) for c in source.this.find_all(exp.Column)))
            return {f"{source.db}.{source.name}.{column.name}"}
        return self.sources(source, column.name) if source is not None else set()

    def filters(self, scope: Any) -> set[str]:
        """Source columns in where, having, qualify and join conditions of one scope."""
        from sqlglot import exp

        expression = scope.expression
        if not isinstance(expression, exp.Select):
            return set()
        parts = [expression.args.get(k) for k in ("where", "having", "qualify")]
        parts += [j.args.get("on") for j in expression.args.get("joins") or []]
        return set().union(*(self._columns(scope, part) for part in parts if part is not None))
