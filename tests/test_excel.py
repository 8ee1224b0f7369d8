"""The workbook: the same values and digests as the published file, safe to open and to mail, and told when not all fits."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from resources.errors import KetenError
from resources.publication.digest import table_digest
from resources.publication.published import opened, rows_of
from resources.targets import excel
from resources.targets.description import tables_of
from resources.targets.excel import ExcelTarget
from resources.targets.port import Applied
from resources.targets.workbook_cells import MAX_TEXT, safe_text
from resources.targets.workbook_sheets import DEFINITIONS, GUIDE
from resources.targets.workbook_values import NOT_APPLICABLE, NUMBERS, PILLARS
from tests.deployment import Deployment
from tests.next_publication import NUMBER, next_publication

ROOT = Path(__file__).parents[1]
CHANGED = "update bi.rpt_indicator_value set value = value + 1 where value is not null"
HOSTILE = ('=HYPERLINK("https://example.org";"x")', "+1+1", "-2+3", "@SUM(A1)", " \t=1+1", "\uff1d1+1")
_SIX = Decimal("0.000001")


@pytest.fixture
def target(tmp_path: Path) -> ExcelTarget:
    """A workbook that is not there yet."""
    return ExcelTarget("excel", tmp_path / "published" / "keten.xlsx")


@pytest.fixture(scope="module")
def of_demo(demo: Deployment, tmp_path_factory: pytest.TempPathFactory) -> ExcelTarget:
    """The workbook of the demo. To be read, not changed."""
    target = ExcelTarget("excel", tmp_path_factory.mktemp("of_demo") / "keten.xlsx")
    assert target.apply(demo.published, adopt=False) == Applied(1, True, rows_in(target))
    return target


def rows_in(target: ExcelTarget) -> int:
    """How many rows all sheets but the guide have below their headings."""
    workbook = openpyxl.load_workbook(target.place, read_only=True)
    return sum(page.max_row - 1 for page in workbook if page.title != GUIDE)


def sheet(target: ExcelTarget, name: str) -> list[dict[str, Any]]:
    """The rows of a sheet by its headings."""
    workbook = openpyxl.load_workbook(target.place, read_only=True)
    head, *rows = workbook[name].iter_rows(values_only=True)
    workbook.close()
    return [dict(zip(map(str, head), row, strict=False)) for row in rows]


def cells(target: ExcelTarget) -> Iterator[Any]:
    """Every cell of every sheet."""
    workbook = openpyxl.load_workbook(target.place)
    for page in workbook:
        for row in page.iter_rows():
            yield from row


def as_published(row: dict[str, Any], pillar: str, keys: list[str]) -> dict[str, Any]:
    """A row of a sheet with values as it stands in the database."""
    told = dict(part.split("=") for part in (row["dimension_keys"] or "").split(";") if part)
    exact = dict(part.split("=") for part in (row["exact"] or "").split(";") if part)
    shown = dict(zip(NUMBERS, ("Opgeslagen waarde", "Teller", "Noemer", "Dekking"), strict=True))
    numbers = {
        name: Decimal(exact[name])
        if name in exact
        else None
        if row[title] is None
        else Decimal(repr(row[title])).quantize(_SIX)
        for name, title in shown.items()
    }
    day: datetime = row["Tot en met"]
    codes = ("indicator_id", "period_type", "level_code", "scope_code", "value_status", "publication_status")
    return {
        **{name: row[name] for name in codes},
        **numbers,
        **{key: int(told.get(key, NOT_APPLICABLE)) for key in keys},
        "pillar": pillar,
        "period_code": row["Periode"],
        "period_from": row["Van"].date(),
        "period_to": date.fromordinal(day.toordinal() + 1),
        "is_complete_period": row["Periode volledig"] == "ja",
    }


def digest_of(published: Path, table: str, rows: list[dict[str, Any]]) -> tuple[int, str]:
    """The digest of rows, in the types that the published file gives to a table."""
    import pandas as pd

    with opened(published) as connection:
        columns = next(t for t in tables_of(connection) if t.name == table).columns[:-1]
    with duckdb.connect() as connection:
        connection.register("given", pd.DataFrame(rows, dtype="object").astype("string"))
        cast = ", ".join(f'cast("{c.name}" as {c.type}) as "{c.name}"' for c in columns)
        return table_digest(connection, f"(select {cast} from given)", [c.name for c in columns])


def digest_told(published: Path, table: str) -> tuple[int, str]:
    """What the published file says."""
    return rows_of(
        published,
        f"select row_count, digest from bi.publication_digest where table_name = ? order by {NUMBER} desc limit 1",
        [table],
    )[0]  # type: ignore[return-value]


def values_in(target: ExcelTarget, published: Path) -> list[dict[str, Any]]:
    """The rows of the sheets of all pillars as they stand in the database."""
    with opened(published) as connection:
        columns = next(t for t in tables_of(connection) if t.name == "rpt_indicator_value").columns
    keys = [c.name for c in columns if c.refers_to and c.name.endswith("_key")]
    return [as_published(row, pillar, keys) for pillar, name in PILLARS.items() for row in sheet(target, name)]


def test_values_and_definitions_have_the_digests_of_the_published_file(demo: Deployment, of_demo: ExcelTarget):
    assert of_demo.applied() == 1
    rows = values_in(of_demo, demo.published)
    assert digest_of(demo.published, "rpt_indicator_value", rows) == digest_told(demo.published, "rpt_indicator_value")
    shown = {heading.sql: heading.title for heading in DEFINITIONS.headings}
    yes_no = {"ja": True, "nee": False}
    definitions = [
        {
            **{sql.removeprefix("i.").split("::")[0]: row[title] for sql, title in shown.items()},
            "is_core": yes_no[row["Kernset"]],
        }
        for row in sheet(of_demo, DEFINITIONS.name)
    ]
    assert digest_of(demo.published, "dim_indicator", definitions) == digest_told(demo.published, "dim_indicator")


@pytest.mark.parametrize(
    "number", ["0.1", "-0.000001", "999999999.999999", "123456789012345.000000", "1234567890123456789012.123456"]
)
def test_number_comes_back_to_the_last_digit(small: Deployment, target: ExcelTarget, tmp_path: Path, number: str):
    set_all = ", ".join(f"{name} = {number}" for name in NUMBERS[:3])
    published = next_publication(
        small.published,
        tmp_path / "bi.duckdb",
        f"update bi.rpt_indicator_value set {set_all} where value is not null",
    )
    target.apply(published, adopt=False)
    rows = values_in(target, published)
    assert Decimal(number) in {row["value"] for row in rows}
    assert digest_of(published, "rpt_indicator_value", rows) == digest_told(published, "rpt_indicator_value")


def test_people_read_names_words_and_the_unit_of_display(demo: Deployment, of_demo: ExcelTarget):
    planet = sheet(of_demo, "Planet")
    told = {
        (row["Eenheid"], row["Status"], row["Waarde"] == pytest.approx(100 * row["Opgeslagen waarde"]))
        for row in planet
        if row["indicator_id"] == "recycling_share" and row["value_status"] == "measured"
    }
    assert told == {("%", "gemeten", True)}
    assert {row["Locatie"] for row in planet if row["level_code"] == "site"} == {
        name
        for (name,) in demo.rows(
            "select distinct site_name from bi.rpt_indicator_value join bi.dim_site using (site_key)"
            " where level_code = 'site'"
        )
    }


def test_cells_have_the_decimals_of_their_indicator_and_the_heading_stays_in_sight(of_demo: ExcelTarget):
    page = openpyxl.load_workbook(of_demo.place)["Planet"]
    place = {cell.value: number for number, cell in enumerate(page[1])}
    formats = {
        row[place["indicator_id"]].value: row[place["Waarde"]].number_format
        for row in page.iter_rows(min_row=2)
        if row[place["Waarde"]].value is not None
    }
    wanted = {"recycling_share": "#,##0.0", "energy_intensity": "#,##0.0", "emissions_scope_1": "#,##0"}
    assert {name: formats[name] for name in wanted} == wanted
    assert (page.freeze_panes, page.auto_filter.ref.split(":")[0]) == ("B2", "A1")
    assert page.column_dimensions["A"].width > 30
    unseen = {
        number for look in page.column_dimensions.values() if look.hidden for number in range(look.min - 1, look.max)
    }
    assert unseen == set(range(place["indicator_id"], place["exact"] + 1)), "what programs need stands last and hidden"


def test_guide_tells_publication_digests_and_what_words_mean(small: Deployment, target: ExcelTarget):
    target.apply(small.published, adopt=False)
    workbook = openpyxl.load_workbook(target.place, read_only=True)
    rows = [row for row in workbook[GUIDE].iter_rows(values_only=True)]
    assert workbook.sheetnames[0] == GUIDE
    assert ("Publicatie", "1", "Publication") in rows
    assert ("suppressed", "afgeschermd (kleine groep)", "suppressed (small group)") in rows
    assert ("rpt_indicator_value", *map(str, digest_told(small.published, "rpt_indicator_value"))) in rows


@pytest.fixture(scope="module")
def hostile(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> ExcelTarget:
    """A workbook of a publication in which outsiders chose names with care."""
    texts = ", ".join(f"($text${text}$text$)" for text in HOSTILE)
    a_receipt = "(select min(receipt_id) from bi.rpt_delivery)"
    published = next_publication(
        small.published,
        tmp_path_factory.mktemp("hostile") / "bi.duckdb",
        f"update bi.dim_site set site_name = $text${HOSTILE[0]}$text$",
        "update bi.dim_party set party_name = 'https://example.org/click'",
        "insert into bi.rpt_delivery by name select text as receipt_id, text as file_name, text as origin,"
        f" 'rejected' as state, text as reason, 2 as {NUMBER} from (values {texts}) given(text)",
        f"insert into bi.rpt_rejected_row select 'site', {a_receipt}, 1, 1, 'missing:site_id', 'Vraag.', 'Ask.', 'Jansen;1970', 2",
    )
    target = ExcelTarget("excel", tmp_path_factory.mktemp("workbook") / "keten.xlsx")
    target.apply(published, adopt=False)
    return target


def test_text_from_outside_is_no_formula_here_nor_after_an_export(hostile: ExcelTarget):
    with zipfile.ZipFile(hostile.place) as file:
        pages = {name: file.read(name).decode() for name in file.namelist()}
    assert not [name for name, text in pages.items() if re.search(r"<f[ >]|<hyperlink", text)]
    found = [cell for cell in cells(hostile) if isinstance(cell.value, str)]
    assert all(cell.data_type == "s" for cell in found)
    out = io.StringIO()
    csv.writer(out).writerows([[cell.value] for cell in found])
    exported = [row[0] for row in csv.reader(io.StringIO(out.getvalue())) if row]
    assert not [text for text in exported if text.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))]
    assert {f"'{text}" for text in HOSTILE} <= set(exported), "they are there, and can be read"


def test_text_of_a_rejected_row_is_not_in_the_workbook(hostile: ExcelTarget):
    assert [row["Redenen"] for row in sheet(hostile, "Afgekeurde regels")] == ["missing:site_id"]
    with zipfile.ZipFile(hostile.place) as file:
        assert not [name for name in file.namelist() if b"Jansen" in file.read(name)]


@pytest.mark.parametrize(
    ("text", "safe"),
    [("Utrecht", "Utrecht"), ("=1", "'=1"), ("a=1", "a=1"), ("", ""), ("x" * 40_000, "x" * (MAX_TEXT - 1) + "…")],
    ids=["plain", "formula", "inside", "empty", "long"],
)
def test_safe_text(text: str, safe: str):
    assert safe_text(text) == safe


def test_sheet_that_would_be_too_long_keeps_the_newest_periods_and_says_so(small: Deployment, tmp_path: Path):
    whole = ExcelTarget("excel", tmp_path / "whole.xlsx")
    whole.apply(small.published, adopt=False)
    all_rows = sheet(whole, "Planet")
    cut = ExcelTarget("excel", tmp_path / "cut.xlsx", max_rows=len(all_rows) - 1)
    applied = cut.apply(small.published, adopt=False)
    rows = sheet(cut, "Planet")
    assert 0 < len(rows) < len(all_rows)
    oldest_kept = min(row["Tot en met"] for row in rows)
    assert rows == [row for row in all_rows if row["Tot en met"] >= oldest_kept], "whole periods, none half"
    (told,) = [note for note in applied.notes if note.startswith("Planet")]
    assert told == (
        f"Planet: {len(rows)} van {len(all_rows)} regels, vanaf {oldest_kept:%d-%m-%Y}"
        f" / {len(rows)} of {len(all_rows)} rows, from {oldest_kept:%Y-%m-%d} on"
    )
    guide = openpyxl.load_workbook(cut.place, read_only=True)[GUIDE]
    assert told in {" / ".join(filter(None, row[1:])) for row in guide.iter_rows(values_only=True)}
    properties = {p.name: p.value for p in openpyxl.load_workbook(cut.place).custom_doc_props}
    assert told in properties["Weggelaten"]


def test_same_publication_gives_the_same_bytes_and_is_not_written_twice(small: Deployment, tmp_path: Path):
    one, other = (ExcelTarget("excel", tmp_path / f"{name}.xlsx") for name in ("one", "other"))
    one.apply(small.published, adopt=False)
    other.apply(small.published, adopt=False)
    assert one.place.read_bytes() == other.place.read_bytes()
    before = one.place.stat().st_mtime_ns
    assert one.apply(small.published, adopt=False).changed is False
    assert one.place.stat().st_mtime_ns == before
    assert one.place.stat().st_mode & 0o777 == 0o444


def test_second_publication_takes_the_place_of_the_first_unless_it_fails(
    small: Deployment, target: ExcelTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    second = next_publication(small.published, tmp_path / "bi.duckdb", CHANGED)
    target.apply(small.published, adopt=False)
    before = target.place.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    for step in ("write_guide", "put_in_place"):
        with monkeypatch.context() as broken:
            broken.setattr(excel, step, fail)
            with pytest.raises(KetenError, match=r"cannot be written \(No space left on device\); free space"):
                target.apply(second, adopt=False)
        assert target.place.read_bytes() == before
        assert [path.name for path in target.place.parent.iterdir()] == ["keten.xlsx"]
    assert (target.apply(second, adopt=False).number, target.applied()) == (2, 2)
    with pytest.raises(KetenError, match="shows publication 2 of another engine.*--adopt"):
        target.apply(small.published, adopt=False)


def test_killed_process_leaves_the_old_workbook_and_the_next_run_clears_up(
    small: Deployment, target: ExcelTarget, tmp_path: Path
):
    second = next_publication(small.published, tmp_path / "bi.duckdb", CHANGED)
    target.apply(small.published, adopt=False)
    code = textwrap.dedent(f"""
        import os
        from pathlib import Path
        from resources.targets import excel
        excel.put_in_place = lambda *_: os._exit(9)
        excel.ExcelTarget("excel", Path({str(target.place)!r})).apply(Path({str(second)!r}), adopt=False)
    """)
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 9
    assert target.applied() == 1
    assert len(list(target.place.parent.iterdir())) == 2
    target.apply(second, adopt=False)
    assert target.applied() == 2
    assert [path.name for path in target.place.parent.iterdir()] == ["keten.xlsx"]


def test_workbook_of_someone_else_is_told_and_left(small: Deployment, target: ExcelTarget):
    assert target.applied() is None
    target.place.parent.mkdir(parents=True)
    openpyxl.Workbook().save(target.place)
    before = target.place.read_bytes()
    for act in (target.applied, lambda: target.apply(small.published, adopt=False)):
        with pytest.raises(KetenError, match="not a workbook that was published here.*move it away and run again"):
            act()
    assert target.place.read_bytes() == before
    target.place.write_bytes(before[:100])
    with pytest.raises(KetenError, match="move it away"):
        target.applied()
