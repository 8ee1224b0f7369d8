"""Reading CSV files as text cells with the physical line of every record.

Belongs here: records, columns and line numbers. Does not belong here: encodings and line ends (text_bytes), which row is
the header (headings), what a cell means (judging), other forms of files.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.errors import KetenError
from resources.reading.cells import CELL, MAX_CELL, Cells, FileFacts, TextFacts, name, text
from resources.reading.files import packing, pieces
from resources.reading.headings import TOP_ROWS, find_header, missing_headings, named, told_instead, unnamed_fault
from resources.reading.text_bytes import MAX_TURNED_BYTES, Text, look_at, read_text

if TYPE_CHECKING:
    import duckdb

    from resources.catalogue import Mapping

_SAMPLE = 20
_MOST_LINE_BYTES = 64 * 1024**2
_TURNED = "turned_cells"
# More of them, and it is not they that are wrong.
_MOST_UNEVEN = 0.05
_UNREADABLE, _UNEVEN, _TOO_LONG = "unreadable_bytes", "uneven", "too_long"


def header_of(path: Path, mapping: Mapping) -> FileFacts:
    """The headings of a file, from its beginning alone if possible. Raises KetenError when there are none."""
    facts = _facts(look_at(path, mapping.format), mapping)
    return replace(facts, headings=facts.text.layout) if facts.text else facts


def scan(path: Path, mapping: Mapping) -> FileFacts:
    """Headings and lines of a file, in one pass. Raises KetenError for what is no text or cannot be read to its end."""
    facts = _facts(read_text(path, mapping.format), mapping)
    return _without_footer(path, mapping, facts) if mapping.format.footer else facts


@dataclass
class _Top:
    """The first records of a file that are not blank, each with the lines on which it starts and ends."""

    rows: list[list[str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


def _facts(found: Text, mapping: Mapping) -> FileFacts:
    form = mapping.format
    top = _top(found.head, mapping)
    place, headings = _header(top, mapping, found)
    after = place + form.header_rows
    header_line = top.ends[after - 1]
    if found.bad_lines and found.bad_lines[0] <= header_line:
        raise KetenError(f"line {found.bad_lines[0]}, above the rows, holds bytes that are no text; ask for it again")
    headings = _as_wide(headings, top.rows[after:], form.footer)
    layout = named(headings)
    unnamed = tuple(h for h, sent in zip(layout, headings, strict=True) if not sent)
    kept = tuple(h for h in layout if h not in unnamed)
    aside = tuple((line, "preamble") for line in top.starts[:place])
    details = TextFacts(layout, unnamed, found.content, found.bad_lines, has_long=found.has_long)
    has_faults = found.has_long or bool(found.bad_lines)
    return FileFacts(kept, header_line, found.lines, set_aside=aside, has_faults=has_faults, text=details)


def _without_footer(path: Path, mapping: Mapping, facts: FileFacts) -> FileFacts:
    """The same without the lines from the footer on, which may have any number of cells."""
    content = _content(path, mapping, facts.text or TextFacts(facts.headings))
    records = _records(io.StringIO(content.decode(errors="replace"), newline=""), mapping)
    footer = re.compile(mapping.format.footer or "")
    start = next((line for line, row in records if line > facts.header_line and row and footer.search(row[0])), None)
    if start is None or facts.text is None:
        return facts
    lines = content.split(b"\n")
    below = tuple((n, "footer") for n, line in enumerate(lines[start - 1 :], start=start) if line.strip())
    kept = b"\n".join([*lines[: start - 1], b""])
    bad = tuple(line for line in facts.text.bad_lines if line < start)
    details = replace(facts.text, content=kept, bad_lines=bad)
    has_faults = details.has_long or bool(bad)
    return replace(facts, last_line=start - 1, set_aside=facts.set_aside + below, has_faults=has_faults, text=details)


def _records(source: Iterable[str], mapping: Mapping) -> Iterator[tuple[int, list[str]]]:
    """Every record with the line on which it starts; a blank line is a record without cells."""
    csv.field_size_limit(_MOST_LINE_BYTES)
    rows: Any = csv.reader(source, delimiter=mapping.format.delimiter, quotechar=mapping.format.quote or None)
    before = 0
    try:
        for row in rows:
            yield before + 1, row
            before = rows.line_num
    except csv.Error as error:
        raise KetenError(f"line {before + 1} cannot be read ({error})") from None


def _top(head: bytes, mapping: Mapping) -> _Top:
    """The first records; what follows in the piece may break off in the middle of one."""
    most = mapping.format.skip_lines + TOP_ROWS + _SAMPLE
    top, last = _Top(), 0
    try:
        for line, row in _records(io.StringIO(head.decode("utf-8", errors="ignore"), newline=""), mapping):
            if top.starts and len(top.ends) < len(top.starts):
                top.ends.append(line - 1)
            if len(top.rows) > most:
                break
            if any(cell.strip() for cell in row):
                top.rows.append(row)
                top.starts.append(line)
            last = line
    except KetenError:
        if len(top.rows) <= mapping.format.skip_lines:
            raise
    top.ends += [max(last, top.starts[-1])] if len(top.ends) < len(top.starts) else []
    return top


def _header(top: _Top, mapping: Mapping, found: Text) -> tuple[int, list[str]]:
    """The place and the headings of the header: found by itself, or below the lines to skip."""
    skipped = mapping.format.skip_lines
    last = skipped + mapping.format.header_rows if skipped else TOP_ROWS
    header = find_header(top.rows[skipped:last], mapping)
    if header is None:
        raise KetenError("it is empty or has no header row" if found.lines else "it is empty")
    place, headings = header
    if missing_headings(mapping, headings) and (instead := told_instead(found.head.decode("utf-8", "ignore"))):
        raise KetenError(instead)
    return skipped + place, headings


def _as_wide(headings: list[str], rows: Sequence[Sequence[str]], footer: str | None) -> list[str]:
    """The headings, as many as the rows below have cells, where they agree on another number by blank ones at the end."""
    sample: list[Sequence[str]] = []
    for row in rows[:_SAMPLE]:
        if footer and re.search(footer, row[0]):
            break
        sample.append(row)
    widths = {len(row) for row in sample}
    if len(widths) != 1:
        return headings
    (width,) = widths
    if width > len(headings) and not any(cell.strip() for row in sample for cell in row[len(headings) :]):
        return headings + [""] * (width - len(headings))
    if width < len(headings) and not any(headings[width:]):
        return headings[:width]
    return headings


def cells_of(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, lenient: bool = False
) -> str:
    """The relation of the text cells of a file, column by column in its order; `lenient` leaves out unreadable rows."""
    form, known = mapping.format, facts.text or TextFacts(facts.headings)
    columns = {CELL + h: "VARCHAR" for h in known.layout}
    longest = _MOST_LINE_BYTES if known.has_long else 2_000_000
    if known.content is not None:
        relation = connection.read_csv(
            io.BytesIO(known.content),
            sep=form.delimiter,
            quotechar=form.quote,
            escapechar=form.quote,
            header=False,
            skiprows=facts.header_line,
            columns=columns,
            auto_detect=False,
            null_padding=False,
            strict_mode=True,
            max_line_size=longest,
            ignore_errors=lenient,
        )
        connection.register(_TURNED, relation)
        return _TURNED
    skipping = ", ignore_errors = true" if lenient else ""
    typed = ", ".join(f"{text(column)}: 'VARCHAR'" for column in columns)
    return (
        f"read_csv({text(str(path))}, delim = {text(form.delimiter)}, quote = {text(form.quote)},"
        f" escape = {text(form.quote)}, header = false, skip = {facts.header_line}, columns = {{{typed}}},"
        f" auto_detect = false, encoding = 'utf-8', null_padding = false, strict_mode = true,"
        f" max_line_size = {longest}{skipping})"
    )


def read_cells(
    connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, table: str
) -> Cells:
    """Read the cells into a temporary table. Raises KetenError when its lines cannot be told.

    DuckDB keeps the order of a file when it makes a table of nothing else, outside a transaction, so the place of a row
    tells its line. Numbering it with a window would keep all that follows in one thread.
    """
    import duckdb

    try:
        _create(connection, path, mapping, facts, table)
    except duckdb.InvalidInputException:
        levelled = _levelled(path, mapping, facts)
        if levelled is None:
            raise
        facts = levelled
        _create(connection, path, mapping, facts, table)
    counted = connection.execute(f"select count(*) from {table}").fetchone()
    rows = int(counted[0]) if counted else 0
    starts: Sequence[int] = range(facts.header_line + 1, facts.last_line + 1)
    blank = 0
    if rows == len(starts):
        relation = f"(select rowid + {facts.header_line + 1} as row_no, * from {table})"
    else:
        starts, blank = _record_lines(path, mapping, facts)
        if rows != len(starts):
            raise KetenError("its rows cannot be told from its lines; are all quotes closed?")
        relation = _numbered(connection, table, starts)
    _refuse_unnamed(connection, relation, facts)
    return Cells(_with_faults(relation, facts, starts), rows, blank, facts.has_faults)


def _create(connection: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping, facts: FileFacts, table: str) -> None:
    try:
        connection.execute(f"create or replace temp table {table} as from {cells_of(connection, path, mapping, facts)}")
    finally:
        connection.unregister(_TURNED)  # it would keep the whole text in memory


def _levelled(path: Path, mapping: Mapping, facts: FileFacts) -> FileFacts | None:
    """A file in which a few rows have another number of cells, each as one cell to be set aside; None when it is not a few."""
    known = facts.text or TextFacts(facts.headings)
    content = _content(path, mapping, known)
    width, quote = len(known.layout), mapping.format.quote
    lines = content.decode(errors="replace").split("\n")
    records = list(_records((f"{line}\n" for line in lines), mapping))
    ends = [line for line, _ in records[1:]] + [len(lines) + 1]
    uneven = [
        (line, end)
        for (line, row), end in zip(records, ends, strict=True)
        if line > facts.header_line and row and len(row) != width
    ]
    if not uneven or len(uneven) > len(records) * _MOST_UNEVEN:
        return None
    for line, end in uneven:
        sent = "\n".join(lines[line - 1 : end - 1]).rstrip("\r")
        cell = (
            f"{quote}{sent.replace(quote, quote * 2)}{quote}" if quote else sent.replace(mapping.format.delimiter, " ")
        )
        lines[line - 1 : end - 1] = f"{cell}{mapping.format.delimiter * (width - 1)}".split("\n")
    text = replace(known, content="\n".join(lines).encode(), uneven_lines=tuple(line for line, _ in uneven))
    return replace(facts, has_faults=True, text=text)


def _content(path: Path, mapping: Mapping, known: TextFacts) -> bytes:
    if known.content is not None:
        return known.content
    return b"".join(pieces(path, mapping.format.member, MAX_TURNED_BYTES)).removeprefix(codecs.BOM_UTF8)


def _numbered(connection: duckdb.DuckDBPyConnection, table: str, starts: Sequence[int]) -> str:
    import pyarrow as pa

    connection.register("line_numbers", pa.table({"ordinal": range(len(starts)), "row_no": starts}))
    connection.execute(f"create or replace temp table {table}_line as from line_numbers")
    connection.unregister("line_numbers")
    return f"(select l.row_no, r.* from {table} r join {table}_line l on l.ordinal = r.rowid)"


def _record_lines(path: Path, mapping: Mapping, facts: FileFacts) -> tuple[list[int], int]:
    """Where each record starts, for the rare file with blank lines or line breaks within quotes; and its blank lines."""
    starts, blank = [], 0
    with ExitStack() as opened:
        source: Any
        if facts.text and facts.text.content is not None:
            source = io.TextIOWrapper(io.BytesIO(facts.text.content), encoding="utf-8", newline="")
        else:
            opener = gzip.open if packing(path.name) else open
            source = opened.enter_context(opener(path, "rt", encoding="utf-8-sig", newline=""))  # type: ignore[operator]
        for line, row in _records(source, mapping):
            if line > facts.header_line:
                starts += [line] if row else []
                blank += not row
    return starts, blank


def _refuse_unnamed(connection: duckdb.DuckDBPyConnection, relation: str, facts: FileFacts) -> None:
    """Hold columns without a heading to be empty. Raises KetenError that names the first cell in one."""
    known = facts.text
    if known is None or not known.unnamed:
        return
    found = ", ".join(f"min(case when trim({name(h)}) <> '' then row_no end)" for h in known.unnamed)
    firsts = connection.execute(f"select {found} from {relation}").fetchone() or ()
    for heading, row in zip(known.unnamed, firsts, strict=True):
        if row is not None:
            raise KetenError(unnamed_fault(known.layout.index(heading), row))


def _with_faults(relation: str, facts: FileFacts, starts: Sequence[int]) -> str:
    """The same with `row_fault` in a file that has lines that are no text, uneven or very long."""
    if not facts.has_faults or facts.text is None:
        return relation
    cases = ""
    for reason, lines in ((_UNREADABLE, facts.text.bad_lines), (_UNEVEN, facts.text.uneven_lines)):
        rows = {starts[bisect_right(starts, line) - 1] for line in lines if line > facts.header_line and starts}
        cases += f" when row_no in ({', '.join(map(str, sorted(rows)))}) then '{reason}'" if rows else ""
    longest = ", ".join(f"coalesce(length({name(h)}), 0)" for h in facts.text.layout)
    cases += f" when greatest({longest}) > {MAX_CELL} then '{_TOO_LONG}'"
    return f"(select *, case {cases} end as row_fault from {relation})"
