"""Core by natural key: which of all accepted row versions is current, and what became of the others.

Belongs here: the tables of one dataset (`core.<d>`, `__history`, `__unmatched`, `__rejected`, `__ignored`) and the one
set-based rule that settles them. Does not belong here: reading and judging files, expectations.

The rule. Versions of one key are ordered by the total order of deliveries. A version equal to the one before it is
`unchanged`; one followed by another value is `restated`; one that a later window or full delivery covers and does not
repeat is `withdrawn`; the one that is left is current and lives in `core.<d>`. Because all versions are kept, late
deliveries, withdrawn receipts and released rows are settled by the same rule over the affected keys alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import duckdb

from resources.engine import TYPES
from resources.reading.cells import text

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract

_FEW = 4
_SOURCE = {"receipt_id": "VARCHAR", "row_no": "BIGINT", "record_no": "BIGINT", "known_from": "TIMESTAMP"}


class Unmatched(NamedTuple):
    """SQL on the rows `e` of a table: which have an unknown reference, and the list of `unknown_reference:<column>` of each."""

    condition: str
    reasons: str


class DatasetTables:
    """The tables of one dataset in the engine."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, contract: Contract) -> None:
        self.connection = connection
        self.contract = contract
        self.name = f"core.{contract.name}"
        values = {c: TYPES[catalogue.columns[c].type] for c in contract.columns}
        if contract.repeats == "number":
            values["repeat_no"] = "BIGINT"
        self.key = [*contract.key, *(["repeat_no"] if contract.repeats == "number" else [])]
        self.types = {**values, **_SOURCE}
        self._values = [c for c in values if c not in self.key]
        self._references = {n: c.references for n, c in contract.columns.items() if c.references}
        self._keys = {d: catalogue.contracts[d].key[0] for d in self._references.values()}
        self._columns = ", ".join(self.types)
        of_ours = [m for m in catalogue.mappings.values() if m.dataset == contract.name]
        self._adding = {m.origin for m in of_ours if m.delivery == "increment"}
        self._create()

    def _create(self) -> None:
        self._drop_other_shape()
        columns = ", ".join(f"{name} {kind}" for name, kind in self.types.items())
        source = "receipt_id VARCHAR, row_no BIGINT, record_no BIGINT"
        for suffix, extra in {
            "": columns,
            "__history": f"{columns}, state VARCHAR, known_to TIMESTAMP, ended_by VARCHAR",
            "__unmatched": f"{columns}, reasons VARCHAR[], row_text VARCHAR",
            "__rejected": f"{source}, reasons VARCHAR[], row_text VARCHAR",
            "__ignored": f"{source}, reason VARCHAR",
        }.items():
            self.connection.execute(f"create table if not exists {self.name}{suffix} ({extra})")
        self.connection.execute(
            f"create view if not exists {self.name}__quarantine as"
            f" select receipt_id, row_no, record_no, reasons, row_text from {self.name}__rejected"
            f" union all select receipt_id, row_no, record_no, reasons, row_text from {self.name}__unmatched"
        )

    def _drop_other_shape(self) -> None:
        """Tables of an older contract go: a changed contract judges all its deliveries again anyway."""
        try:  # the columns of all tables, of which to take these, are slow to list
            found = self.connection.execute(f"select name, type from pragma_table_info('{self.name}')").fetchall()
        except duckdb.CatalogException:
            return
        if found != list(self.types.items()):
            self.connection.execute(f"drop view {self.name}__quarantine")
            for suffix in ("", "__history", "__unmatched", "__rejected", "__ignored"):
                self.connection.execute(f"drop table {self.name}{suffix}")

    def has_references(self) -> bool:
        """Whether rows of this dataset point at other datasets."""
        return bool(self._references)

    def unmatched(self, table: str) -> Unmatched | None:
        """Which rows of `table` (alias e) refer to what core does not know; None when all match.

        Far fewer values than rows are looked up to tell that.
        """
        tests: dict[str, str] = {}
        for column, reference in self._references.items():
            lost = f"unknown_{self.contract.name}_{column}"
            known = f"select {self._keys[reference]} from core.{reference}"
            self.connection.execute(
                f"create or replace temp table {lost} as select value from (select distinct {column} as value from {table})"
                f" where value is not null and value not in ({known})"
            )
            some = self.connection.execute(f"select value from {lost} order by value limit {_FEW + 1}").fetchall()
            # A few values are compared as they are: a join would be made for every row of a large delivery.
            listed = ", ".join(text(value) for (value,) in some) if len(some) <= _FEW else f"select value from {lost}"
            if some:
                tests[column] = f"e.{column} in ({listed})"
        if not tests:
            return None
        cases = ", ".join(f"case when {test} then 'unknown_reference:{column}' end" for column, test in tests.items())
        return Unmatched(" or ".join(tests.values()), f"list_filter([{cases}], lambda x: x is not null)")

    def insert_settled(self, incoming: str, receipt_id: str) -> None:
        """Merge the rows of one receipt (a table with this dataset's columns) into core and history."""
        run = self.connection.execute
        on = _same(self.key, "i", "e")
        keys = ", ".join(self.key)
        within = self._within_span(incoming)
        touched = " union ".join(
            f"select {_list(self.key, 'e')} from {table} e where {within} and exists (select 1 from {incoming} i where {on})"
            for table in (self.name, f"{self.name}__history")
            if self._any(f"{table} e where {within}")
        )
        if self.contract.delivery != "increment":
            if not self._only_adds(receipt_id):
                self._add_window(incoming, receipt_id)
            covered = f"select {_list(self.key, 'e')} from {self.name} e where {self._covered_by(receipt_id)}"
            # A later window may already cover these rows, whether or not it repeats their keys.
            touched = " union ".join(part for part in (touched, covered, f"select {keys} from {incoming}") if part)
        if touched:
            run(f"create or replace temp table affected as {touched}")
        if not touched or not self._any("affected"):
            run(f"insert into {self.name} ({self._columns}) select {self._columns} from {incoming}")
            return
        hit = f"exists (select 1 from affected e where {on})"
        run(
            f"insert into {self.name} ({self._columns}) select {_list(self.types, 'i')} from {incoming} i where not {hit}"
        )
        run(f"create or replace temp table version as select {_list(self.types, 'i')} from {incoming} i where {hit}")
        self._settle()

    def _within_span(self, incoming: str) -> str:
        """SQL condition on `e`: a row lies within the times of the incoming keys, so that most of core is not read."""
        timed = [c for c in self.key if self.types[c] in ("DATE", "TIMESTAMP")]
        if not timed:
            return "true"
        spans = ", ".join(f"min({c}), max({c})" for c in timed)
        row = self.connection.execute(f"select {spans} from {incoming}").fetchone() or ()
        if None in row:
            return "false"
        pairs = zip(timed, row[::2], row[1::2], strict=True)
        return " and ".join(
            f"e.{c} between {self.types[c].lower()} '{low}' and {self.types[c].lower()} '{high}'"
            for c, low, high in pairs
        )

    def remove(self, receipt_id: str) -> bool:
        """Take one receipt out of every table and settle the keys it touched; True when anything was there."""
        run = self.connection.execute
        keys = ", ".join(self.key)
        run(
            "create or replace temp table affected as"
            f" select distinct {keys} from {self.name} where receipt_id = $r"
            f" union select {keys} from {self.name}__history where receipt_id = $r or ended_by = $r",
            {"r": receipt_id},
        )
        touched = self._any("affected")
        for suffix in ("", "__history", "__unmatched", "__rejected", "__ignored"):
            run(f"delete from {self.name}{suffix} where receipt_id = ?", [receipt_id])
        run("delete from intake.receipt_window where receipt_id = ?", [receipt_id])
        if touched:
            run(f"create or replace temp table version as select {self._columns} from {self.name} limit 0")
            self._settle()
        return touched

    def _only_adds(self, receipt_id: str) -> bool:
        """Whether the mapping of a receipt says that its rows add to what there is, whatever the contract expects."""
        if not self._adding:
            return False
        row = self.connection.execute("select origin from intake.receipt where receipt_id = ?", [receipt_id]).fetchone()
        return row is not None and row[0] in self._adding

    def _add_window(self, incoming: str, receipt_id: str) -> None:
        """Note what a window or full delivery covers: every scope value in it × the months from its first to its last."""
        window = self.contract.window
        if window is None:
            self.connection.execute("insert into intake.receipt_window values (?, '', null)", [receipt_id])
            return
        self.connection.execute(
            f"insert into intake.receipt_window select ?, scope, unnest(generate_series(first_month, last_month,"
            f" interval 1 month))::date from (select distinct {_scope(window.scope)} as scope from {incoming}),"
            f" (select date_trunc('month', min({window.period})) as first_month,"
            f" date_trunc('month', max({window.period})) as last_month from {incoming})",
            [receipt_id],
        )

    def _covered_by(self, receipt_id: str | None, alias: str = "e", extra: str = "") -> str:
        """SQL condition: a row lies in the window of a receipt (or of any receipt, by `extra`)."""
        window = self.contract.window
        mine = f"w.receipt_id = '{receipt_id}'" if receipt_id else extra
        if window is None:
            return f"exists (select 1 from intake.receipt_window w where {mine})"
        scope = _scope([f"{alias}.{c}" for c in window.scope])
        return (
            f"exists (select 1 from intake.receipt_window w where {mine} and w.scope = {scope}"
            f" and w.month = date_trunc('month', {alias}.{window.period}))"
        )

    def _settle(self) -> None:
        """Settle the keys of `affected`: their versions in core, history and the temp table `version`."""
        run = self.connection.execute
        hit = f"exists (select 1 from affected i where {_same(self.key, 'i', 'e')})"
        for table in (self.name, f"{self.name}__history"):
            run(f"insert into version select {_list(self.types, 'e')} from {table} e where {hit}")
            run(f"delete from {table} e where {hit}")
        run(f"create or replace temp table settled as {self._settled_sql()}")
        run(f"insert into {self.name} ({self._columns}) select {self._columns} from settled where state = 'current'")
        run(
            f"insert into {self.name}__history by name select {self._columns}, state, known_to, ended_by"
            " from settled where state <> 'current'"
        )

    def _settled_sql(self) -> str:
        keys = ", ".join(self.key)
        values = "row(" + ", ".join(self._values or ["1"]) + ")"
        if self.contract.delivery == "increment":
            cover = "select null::bigint as cover_position, v.receipt_id as r, v.row_no as n, v.record_no as o from version v limit 0"
        else:
            window = self.contract.window
            match = (
                f" and w.scope = {_scope([f'v.{c}' for c in window.scope])} and w.month = date_trunc('month', v.{window.period})"
                if window
                else ""
            )
            cover = (
                "select min(c.position) as cover_position, v.receipt_id as r, v.row_no as n, v.record_no as o"
                " from version v join intake.receipt p on p.receipt_id = v.receipt_id"
                " join intake.receipt c on c.dataset = p.dataset and c.origin = p.origin and c.position > p.position"
                f" join intake.receipt_window w on w.receipt_id = c.receipt_id{match} group by all"
            )
        return f"""
        with covered as ({cover}),
        placed as (
            select v.*, p.position, c.cover_position from version v
            join intake.receipt p on p.receipt_id = v.receipt_id
            left join covered c on c.r = v.receipt_id and c.n = v.row_no and c.o = v.record_no
        ),
        ordered as (
            select *, lead(position) over w as next_position, {values} as vals, lag({values}) over w as prev_vals,
                lag(cover_position) over w as prev_cover, row_number() over w as version_no
            from placed window w as (partition by {keys} order by position)
        ),
        headed as (
            select *, cover_position is not null and cover_position < coalesce(next_position, 9e15::bigint) as is_withdrawn,
                version_no = 1 or vals is distinct from prev_vals
                or (prev_cover is not null and prev_cover < position) as is_head
            from ordered
        ),
        grouped as (
            select *, sum(is_head::int) over (partition by {keys} order by position) as group_no from headed
        ),
        ended as (
            select *, max(case when is_withdrawn then cover_position end) over g as withdrawn_at,
                lead(position) over (partition by {keys}, is_head order by position) as next_head
            from grouped window g as (partition by {keys}, group_no)
        )
        select {_list(self.types, "e")}, q.known_from as known_to, q.receipt_id as ended_by,
            case when not is_head then 'unchanged' when withdrawn_at is not null then 'withdrawn'
                when next_head is not null then 'restated' else 'current' end as state
        from ended e
        left join intake.receipt q on q.dataset = '{self.contract.name}'
            and q.position = case when is_head then coalesce(withdrawn_at, next_head) else e.position end
        """

    def expel_unmatched(self) -> list[str]:
        """Move current rows whose reference is gone to `__unmatched`; returns the receipts of these rows.

        A row that waits restates nothing, so what it replaced is current again, unless its own reference is gone too.
        """
        run = self.connection.execute
        receipts: set[str] = set()
        while (lost := self.unmatched(self.name)) is not None:
            run(
                f"create or replace temp table expelled as select e.*, {lost.reasons} as reasons,"
                f" null::varchar as row_text from {self.name} e where {lost.condition}"
            )
            run(f"insert into {self.name}__unmatched by name select * from expelled")
            run(f"delete from {self.name} e where {lost.condition}")
            receipts |= {row[0] for row in run("select distinct receipt_id from expelled").fetchall()}
            run(f"create or replace temp table affected as select distinct {', '.join(self.key)} from expelled")
            run(f"create or replace temp table version as select {self._columns} from {self.name} limit 0")
            self._settle()
        return sorted(receipts)

    def release_matched(self) -> list[str]:
        """Move rows whose references are known now out of `__unmatched` into core; returns their receipts in order."""
        run = self.connection.execute
        waiting = f"{self.name}__unmatched"
        if not self._any(waiting):
            return []
        lost = self.unmatched(waiting)
        found = f"not ({lost.condition})" if lost else "true"
        run(f"create or replace temp table released as select e.* from {waiting} e where {found}")
        rows = run(
            "select distinct p.receipt_id, p.position from released e join intake.receipt p"
            " on p.receipt_id = e.receipt_id order by p.position"
        ).fetchall()
        receipts = [row[0] for row in rows]
        for receipt_id in receipts:
            run(
                f"create or replace temp table released_one as select {self._columns} from released where receipt_id = ?",
                [receipt_id],
            )
            run(f"delete from {waiting} e where receipt_id = ? and {found}", [receipt_id])
            self.insert_settled("released_one", receipt_id)
        return receipts

    def _any(self, table: str) -> bool:
        return self.connection.execute(f"select 1 from {table} limit 1").fetchone() is not None


def _scope(columns: list[str] | tuple[str, ...]) -> str:
    return "concat_ws('|', " + ", ".join(columns) + ")"


def _list(columns: object, alias: str) -> str:
    return ", ".join(f"{alias}.{c}" for c in columns)  # type: ignore[attr-defined]


def _same(columns: list[str], left: str, right: str) -> str:
    return " and ".join(f"{left}.{c} is not distinct from {right}.{c}" for c in columns)
