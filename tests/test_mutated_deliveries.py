"""Deliveries of every format, damaged or rewritten: told in words or loaded, and never a row lost or doubled.

The oracle is the list of rows that the delivery was made of; it shares no code with the readers.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.catalogue import Catalogue
from resources.catalogue.mapping_models import Mapping
from resources.engine import Engine
from resources.errors import KetenError
from resources.intake.dataset_intake import DatasetIntake
from resources.intake.merging import DatasetTables
from resources.intake.receipt_list import dataset_order, prepare
from resources.intake.staging import GOOD, Stage
from resources.landing import Delivery, Landing, Receipt, sha256_of
from resources.progress import SILENT
from resources.reading.files import stored_suffix
from tests.staged import CATALOGUE

Row = tuple[str, str, str]
HEADINGS = ("meter", "day", "kwh")
ROWS: list[Row] = [(f"M{n % 3}", f"2025-03-{n + 1:02d}", f"{n}.5") for n in range(24)]
MAPPING = Mapping.model_validate(
    {
        "title": "t",
        "files": "*",
        "origin": "o",
        "dataset": "meter_reading",
        "time": {"zone": "UTC", "stamp": "start", "interval_minutes": 1440},
        "columns": {
            "meter_id": {"from": "meter"},
            "stamp": {"from": "day", "format": "%Y-%m-%d"},
            "quantity": {"from": "kwh", "unit": "kWh"},
            "register_code": {"value": "1.8.0"},
            "kind_code": {"value": "interval"},
        },
    }
)
KNOWN = Catalogue(**{**vars(CATALOGUE), "mappings": {("o", "meter_reading"): MAPPING}})
TOLD = (KetenError, duckdb.InvalidInputException, duckdb.ConversionException)  # what intake rejects a delivery with
EXAMPLES = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(EXAMPLES, max_examples=6)


def csv_text(rows: list[Row], end: str = "\n") -> str:
    """Rows as CSV, every cell between quotes that needs it."""
    quoted = [[f'"{c.replace(chr(34), chr(34) * 2)}"' if set(c) & set(',"\r\n') else c for c in row] for row in rows]
    return "".join(",".join(row) + end for row in [list(HEADINGS), *quoted])


def packed(rows: list[Row]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("data.csv", csv_text(rows))
    return made.getvalue()


def workbook(rows: list[Row]) -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    for number, row in enumerate([HEADINGS, *rows]):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, cell)
    book.close()
    return made.getvalue()


def parquet(rows: list[Row]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as arrow_parquet

    made = io.BytesIO()
    columns = {heading: [row[place] for row in rows] for place, heading in enumerate(HEADINGS)}
    arrow_parquet.write_table(pa.table(columns, pa.schema([(h, pa.string()) for h in HEADINGS])), made)
    return made.getvalue()


def records(rows: list[Row]) -> list[dict[str, str]]:
    return [dict(zip(HEADINGS, row, strict=True)) for row in rows]


FORMATS: dict[str, Callable[[list[Row]], bytes]] = {
    "csv": lambda rows: csv_text(rows).encode(),
    "csv.gz": lambda rows: gzip.compress(csv_text(rows).encode(), mtime=0),
    "csv.zip": packed,
    "xlsx": workbook,
    "json": lambda rows: json.dumps(records(rows)).encode(),
    "jsonl": lambda rows: "\n".join(json.dumps(record) for record in records(rows)).encode(),
    "parquet": parquet,
}
# Rows without anything in them cannot be told from what stands around a table.
NASTY = [
    "=1+1",
    "'; drop table core.site;--",
    "a,b;c\td",
    'say "no"',
    "two\nlines",
    "\u202egnp.exe",
    "\U0001f9f9",
    "x" * 40_000,
]
NASTY += ["NaN", "1e309", "-", "\ufeffx", "a\u0000b", "#REF!", "2025-02-30", "\u0661\u0662", "null", "{}", "\\", "%s%n"]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine in which deliveries are judged and not kept."""
    with Engine(None, tmp_path_factory.mktemp("temp")) as engine:
        for dataset in dataset_order(KNOWN):
            DatasetTables(engine.connection, KNOWN, KNOWN.contracts[dataset])
        yield engine.connection


def judged(connection: duckdb.DuckDBPyConnection, folder: Path, kind: str, content: bytes) -> Counter[str]:
    """What became of the rows of a delivery, by word, after the balance of it was struck. Raises what intake rejects with."""
    # Another name each time, as in the landing zone: the engine remembers what it read of a Parquet file by its name.
    path = folder / f"{hashlib.sha256(content).hexdigest()}{stored_suffix(f'x.{kind}')}"
    path.write_bytes(content)
    receipt = Receipt("r", "o", "meter_reading", path.name, "2025-01-01T00:00:00.000000", None, "", 0)
    stage = Stage(connection, KNOWN, KNOWN.contracts["meter_reading"], receipt, path, 0)
    state = f"case when {GOOD} then 'accepted' when ignored_reason is null then 'quarantined' else ignored_reason end"
    found: Counter[str] = Counter()
    numbers: list[int] = []
    for row_no, word in connection.execute(f"select row_no, {state} from {stage.delivered}").fetchall():
        numbers.append(row_no)
        found[word] += 1
    around = stage.source_rows - len(numbers)
    assert around >= 0 and stage.count() == stage.source_rows
    assert len(set(numbers)) == len(numbers), "two records stand on one row"
    return found


def outcome(connection: duckdb.DuckDBPyConnection, folder: Path, kind: str, content: bytes) -> Counter[str] | None:
    """The same; None for a delivery that was rejected, in words."""
    try:
        return judged(connection, folder, kind, content)
    except TOLD as error:
        assert str(error).strip()
        return None


@pytest.mark.parametrize("kind", FORMATS)
@EXAMPLES
@given(data=st.data())
def test_damaged_bytes_are_told_or_cost_no_more_than_their_rows(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    """A disk or line that fails, at any place, ends in words; what is loaded was counted."""
    content = bytearray(FORMATS[kind](ROWS))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    outcome(connection, tmp_path, kind, bytes(content[:cut]))


@pytest.mark.parametrize("kind", FORMATS)
@EXAMPLES
@given(data=st.data())
def test_rows_in_any_order_and_sent_again_are_each_counted_once(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    sent = data.draw(st.permutations(ROWS)) + data.draw(st.lists(st.sampled_from(ROWS), max_size=6))
    expected = Counter({"accepted": len(ROWS), "exact_repeat": len(sent) - len(ROWS)})
    assert judged(connection, tmp_path, kind, FORMATS[kind](sent)) == +expected


@pytest.mark.parametrize("kind", FORMATS)
@EXAMPLES
@given(data=st.data())
def test_nasty_text_in_a_cell_is_a_matter_of_its_row_alone(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    """Quotes, delimiters and line breaks within a cell move no cell of another row; nothing is executed."""
    rows = list(ROWS)
    places = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=3, unique=True))
    for place in places:
        row = list(rows[place])
        row[data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(NASTY))
        rows[place] = (row[0], row[1], row[2])
    found = outcome(connection, tmp_path, kind, FORMATS[kind](rows))
    if found is None:
        assert any("\0" in cell or len(cell) > 32_767 for row in rows for cell in row), (
            "rejected without a reason for it"
        )
        return
    assert sum(found.values()) == len(rows)
    assert found["accepted"] >= len(rows) - len(places)


@EXAMPLES
@given(data=st.data())
def test_line_ends_and_encodings_change_nothing(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, data: st.DataObject
) -> None:
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    above = data.draw(st.lists(st.sampled_from(["Export", "by: the portal;;", "#"]), max_size=4))
    text = "".join(line + end for line in above) + csv_text(ROWS, end)
    text = text.removesuffix(end) if data.draw(st.booleans()) else text
    assert judged(connection, tmp_path, "csv", text.encode(encoding)) == Counter({"accepted": len(ROWS)})


def core_of(folder: Path, kind: str, parts: list[list[Row]]) -> list[tuple[Any, ...]]:
    """Core after some deliveries, each of which is a list of rows."""
    folder.mkdir()
    landing = Landing(folder / "landing")
    for number, rows in enumerate(parts):
        path = folder / f"part{number}.{kind}"
        path.write_bytes(FORMATS[kind](rows))
        delivery = Delivery(path, path.name, "o", "meter_reading", sha256_of(path), False)
        landing.land(delivery, None, f"2025-04-01T00:00:{number:02d}.000000")
    with Engine(None, folder / "temp") as engine:
        prepare(engine, landing, KNOWN)
        engine.connection.execute("insert into core.meter (meter_id) values ('M0'), ('M1'), ('M2')")
        result = DatasetIntake(engine, landing, KNOWN, "meter_reading", SILENT).take_in()
        assert not result.held and not result.rejected
        select = "select meter_id, start_utc, quantity from core.meter_reading order by all"
        return engine.connection.execute(select).fetchall()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "parquet"])
@FEW
@given(data=st.data())
def test_any_order_and_any_split_into_files_gives_the_same_core(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("core")
    rows = data.draw(st.permutations(ROWS))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(rows) - 1), max_size=3)))
    parts = [rows[start:end] for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    expected = sorted((meter, day, kwh) for meter, day, kwh in ROWS)
    found = core_of(folder / "split", kind, parts)
    assert [(meter, f"{start:%Y-%m-%d}", f"{kwh:.1f}") for meter, start, kwh in found] == expected


@pytest.mark.parametrize("content", [b"", b"\n\n", b"id,name\nA", b'{"error": "down"}', b"id,name\n"], ids=repr)
def test_a_file_without_rows_in_the_place_of_a_full_list_wipes_nothing(tmp_path: Path, content: bytes) -> None:
    """A list of which every row that is not sent again is withdrawn: nothing sent must not withdraw it all."""
    columns = {"party_id": {"from": "id"}, "party_name": {"from": "name"}, "role_code": {"value": "contractor"}}
    facts = {"title": "t", "files": "*", "origin": "o", "dataset": "party", "columns": columns}
    known = Catalogue(**{**vars(CATALOGUE), "mappings": {("o", "party"): Mapping.model_validate(facts)}})
    landing = Landing(tmp_path / "landing")
    for number, sent in enumerate((b"id,name\nA,a\nB,b\n", content)):
        path = tmp_path / f"part{number}.csv"
        path.write_bytes(sent)
        landing.land(
            Delivery(path, path.name, "o", "party", sha256_of(path), False), None, f"2025-04-0{number + 1}T00:00:00"
        )
    with Engine(None, tmp_path / "temp") as engine:
        prepare(engine, landing, known)
        DatasetIntake(engine, landing, known, "party", SILENT).take_in()
        assert engine.connection.execute("select party_id from core.party order by all").fetchall() == [("A",), ("B",)]
