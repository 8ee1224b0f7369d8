"""Parquet: typed values become the text that the same mapping reads from any other file, and lose nothing on the way."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from resources import reading
from resources.catalogue.mapping_models import Mapping
from resources.errors import KetenError
from tests.staged import READING, sites, staged


def written(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def texts(folder: Path, values: pa.Array, form: str | None = None, **shape: Any) -> list[str | None]:
    """A column as text cells."""
    path = folder / "file.parquet"
    path.write_bytes(written(c=values))
    facts = {"title": "t", "files": "*", "origin": "o", "dataset": "d", "format": shape}
    mapping = Mapping.model_validate({**facts, "columns": {"x": {"from": "c", "format": form}}})
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        cells = reading.read_cells(connection, path, mapping, reading.inspect_file(path, mapping), "cells")
        return [
            row[0] for row in connection.execute(f'select "cell c" from {cells.relation} order by row_no').fetchall()
        ]


NOON = datetime(2025, 3, 1, 12, 30, 15)


@pytest.mark.parametrize(
    ("values", "form", "expected"),
    [
        pytest.param(pa.array(["0012", None, ""]), None, ["0012", None, ""], id="text keeps its zeros"),
        pytest.param(pa.array(["a", "a"]).dictionary_encode(), None, ["a", "a"], id="text by number"),
        pytest.param(pa.array([871687400000000014]), None, ["871687400000000014"], id="18 digits"),
        pytest.param(
            pa.array([Decimal("0.1000"), Decimal("-12345678901234.5678")]),
            None,
            ["0,1000", "-12345678901234,5678"],
            id="decimals to the last digit",
        ),
        pytest.param(pa.array([12.0, 0.1, 1e20, None]), None, ["12", "0,1", "1e+20", None], id="floating point"),
        pytest.param(pa.array([True, False]), None, ["true", "false"], id="yes and no"),
        pytest.param(pa.array([date(2025, 3, 1)]), None, ["2025-03-01"], id="a date"),
        pytest.param(pa.array([date(2025, 3, 1)]), "%d-%m-%Y", ["01-03-2025"], id="a date in the form of its column"),
        pytest.param(pa.array([NOON]), None, ["2025-03-01T12:30:15"], id="a moment"),
        pytest.param(pa.array([datetime(2025, 3, 1)]), None, ["2025-03-01"], id="a moment at midnight is a date"),
        pytest.param(pa.array([NOON]), "%d-%m-%Y %H:%M", ["2025-03-01T12:30:15"], id="a form that would lose seconds"),
        pytest.param(pa.array([NOON]), "%d-%m-%Y %H:%M:%S", ["01-03-2025 12:30:15"], id="a form that loses nothing"),
        pytest.param(
            pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("us", "Europe/Amsterdam")),
            "%d-%m-%Y %H:%M:%S",
            ["2025-03-01T12:30:15Z"],
            id="a moment with a zone says so",
        ),
        pytest.param(pa.array([time(9, 5)]), None, ["09:05:00"], id="a time"),
        pytest.param(pa.array([b"x"], pa.binary()), None, ["x"], id="text that its writer did not mark as text"),
    ],
)
def test_a_typed_value_is_written_as_its_sender_would_type_it(
    tmp_path: Path, values: pa.Array, form: str | None, expected: list[str | None]
) -> None:
    assert texts(tmp_path, values, form, decimal=",") == expected


def test_a_file_whose_text_decides_the_mark_holds_its_numbers_with_a_point(tmp_path: Path) -> None:
    assert texts(tmp_path, pa.array([Decimal("0.50"), Decimal("1.25")], pa.decimal128(4, 2)), decimal="auto") == [
        "0.50",
        "1.25",
    ]


def test_records_are_numbered_from_one_and_judged(tmp_path: Path) -> None:
    content = written(
        EAN=["A", "B"], Tijd=[datetime(2025, 3, 1), datetime(2025, 3, 1, 1)], Verbruik=[1.5, float("nan")]
    )
    rule = {"zone": "UTC", "stamp": "start", "interval_minutes": 60}
    mapping = {"format": {"decimal": ","}, "time": rule, "columns": READING | {"stamp": {"from": "Tijd"}}}
    rows = staged(tmp_path, "meter_reading", content, mapping, "file.parquet")
    assert [(row["row_no"], row["meter_id"], row["reasons"]) for row in rows] == [
        (1, "A", []),
        (2, "B", ["not_a_number:quantity"]),
    ]
    assert rows[0]["quantity"] == Decimal("1.5")
    assert rows[1]["row_text"] == "B;2025-03-01T01:00:00;nan"


def test_a_code_that_lost_digits_is_not_taken_for_a_code(tmp_path: Path) -> None:
    content = written(Code=[871687400000000014.0], Naam=["a"], GO=[1])
    (row,) = sites(tmp_path, content, "file.parquet")
    assert row["reasons"] == ["unreadable:site_id"]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (written(Code=[["a"]], Naam=["a"]), "x.parquet", "the column 'Code' holds lists or structures"),
        (written(Code=[{"a": 1}], Naam=["a"]), "x.parquet", "the column 'Code' holds lists or structures"),
        (written(Naam=["a"]), "x.parquet", "the heading 'Code' of mapping o__site is missing; found: Naam"),
        (written(Code=["a"], code=["b"], Naam=["a"], GO=[1]), "x.parquet", "two columns have the same heading"),
        (written(Code=["a\0"], Naam=["a"], GO=[1]), "x.parquet", "a text under 'Code' holds a NUL character"),
        (written(Code=["a"])[:-9], "x.parquet", "it cannot be read to its end as a Parquet file"),
        (b"", "x.parquet", "it cannot be read to its end as a Parquet file"),
        (b"Code;Naam;GO\n", "x.parquet", "it cannot be read to its end as a Parquet file"),
        (written(Code=["a"]), "x.parquet.gz", "a Parquet file is compressed already; ask for it without .gz"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_told(tmp_path: Path, content: bytes, name: str, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        sites(tmp_path, content, name)
