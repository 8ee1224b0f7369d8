"""The published tables as Parquet: the same rows and digests, one publication at a time, and a descriptor others can read."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.errors import KetenError
from resources.publication.digest import table_digest
from resources.publication.history import CARRIED_OVER
from resources.publication.published import opened, rows_of
from resources.publication.published_file import temporary_name
from resources.targets import parquet
from resources.targets.description import publication_of, tables_of
from resources.targets.parquet import ParquetTarget
from tests.deployment import Deployment
from tests.next_publication import NUMBER, next_publication

ROOT = Path(__file__).parents[1]
CHANGED = "update bi.rpt_indicator_value set value = value + 1 where value is not null"


@pytest.fixture
def target(tmp_path: Path) -> ParquetTarget:
    """A folder that holds nothing yet."""
    return ParquetTarget("parquet", tmp_path / "published" / "parquet")


@pytest.fixture(scope="module")
def second(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The publication after the first."""
    return next_publication(small.published, tmp_path_factory.mktemp("second") / "bi.duckdb", CHANGED)


def names(folder: Path) -> list[str]:
    """What lies in a folder, with the folder that `latest` leads to named as such."""
    return sorted(path.name.split("-")[0] for path in folder.iterdir())


def value_of(target: ParquetTarget) -> Any:
    """One value as a reader of `latest` finds it."""
    row = duckdb.execute(f"select max(value) from '{target.latest}/rpt_indicator_value.parquet'").fetchone()
    return row[0] if row else None


def test_every_table_has_the_digest_of_the_published_file(demo: Deployment, target: ParquetTarget):
    applied = target.apply(demo.published, adopt=False)
    with opened(demo.published) as connection:
        tables = tables_of(connection)
        publication = publication_of(connection)
        told = {
            name: (rows, digest)
            for name, rows, digest in rows_of(
                demo.published,
                "select table_name, row_count, digest from bi.publication_digest where publication_id = ?"
                " and table_name <> '__declaration'",
                [publication.number],
            )
        }
        for table in tables:
            file = f"read_parquet('{target.latest}/{table.name}.parquet')"
            columns = [column.name for column in table.columns if column.name != NUMBER]
            # Views and the history have no digest of their own, so they are compared with what the file gives.
            expected = told.pop(table.name, None) or table_digest(connection, f"bi.{table.name}", columns)
            assert table_digest(connection, file, columns) == expected, table.name
            if table.name not in CARRIED_OVER and expected[0]:
                numbers = connection.execute(f"select distinct {NUMBER} from {file}").fetchall()
                assert numbers == [(publication.number,)], table.name
    assert not told, "every table with a digest has a file"
    assert (applied.number, applied.changed, target.applied()) == (publication.number, True, publication.number)


def test_frictionless_finds_keys_types_and_references_in_order(small: Deployment, target: ParquetTarget):
    from frictionless import Checklist, validate

    target.apply(small.published, adopt=False)
    # It reads Parquet files past its own counting of bytes, which the next test does in its place.
    checklist = Checklist(skip_errors=["byte-count", "hash-count"])
    report = validate(str(target.latest / "datapackage.json"), checklist=checklist)
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "type", "note"])[:5]


def test_descriptor_tells_files_keys_units_and_dimensions(small: Deployment, target: ParquetTarget):
    target.apply(small.published, adopt=False)
    told = json.loads((target.latest / "datapackage.json").read_text("utf-8"))
    assert told["version"] == "1"
    files = {resource["path"] for resource in told["resources"]}
    assert files == {path.name for path in target.latest.iterdir()} - {"datapackage.json"}
    for resource in told["resources"]:
        content = (target.latest / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    schemas = {resource["name"]: resource["schema"] for resource in told["resources"]}
    values = schemas["rpt_indicator_value"]
    assert values["primaryKey"] == ["indicator_id", "period_type", "period_code", "level_code", "scope_code"]
    assert {"fields": ["client_key"], "reference": {"resource": "dim_party", "fields": ["party_key"]}} in values[
        "foreignKeys"
    ]
    assert schemas["publication_digest"]["primaryKey"] == ["table_name", NUMBER], "in the history the number is key too"
    site = {field["name"]: field for field in schemas["dim_site"]["fields"]}
    assert site["floor_area_go_m2"]["unit"] == "m2"
    assert "Gebruiksoppervlakte" in site["floor_area_go_m2"]["description"]


def test_licence_is_named_when_the_deployment_has_one(small: Deployment, tmp_path: Path):
    for licence, expected in (("CC-BY-4.0", [{"name": "CC-BY-4.0"}]), (None, None)):
        target = ParquetTarget("parquet", tmp_path / str(licence), licence)
        target.apply(small.published, adopt=False)
        assert json.loads((target.latest / "datapackage.json").read_text("utf-8")).get("licenses") == expected


def test_every_key_of_a_published_table_is_known_to_be_one(small: Deployment):
    with opened(small.published) as connection:
        tables = tables_of(connection)
    forgotten = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if column.name.endswith("_key") and not (column.refers_to or table.is_view or table.key == (column.name,))
    ]
    assert forgotten == ["surrogate_key.natural_key"]


def test_field_of_a_parquet_file_carries_its_comment(small: Deployment, target: ParquetTarget):
    import pyarrow.parquet as pq

    target.apply(small.published, adopt=False)
    schema = pq.read_schema(target.latest / "rpt_indicator_value.parquet")
    assert schema.field("numerator").metadata[b"comment"] == b"Teller / Numerator"
    assert not schema.field("indicator_id").nullable


def test_same_publication_gives_the_same_bytes_and_is_not_written_twice(small: Deployment, tmp_path: Path):
    made = [ParquetTarget("parquet", tmp_path / name) for name in ("one", "other")]
    for target in made:
        target.apply(small.published, adopt=False)
    for path in made[0].latest.iterdir():
        assert path.read_bytes() == (made[1].latest / path.name).read_bytes(), path.name
    before = made[0].latest.stat().st_mtime_ns
    again = made[0].apply(small.published, adopt=False)
    assert (again.changed, again.rows_changed, made[0].latest.stat().st_mtime_ns) == (False, 0, before)


def test_second_publication_takes_the_place_of_the_first_which_stays_for_one_more(
    small: Deployment, second: Path, target: ParquetTarget, tmp_path: Path
):
    third = next_publication(second, tmp_path / "third" / "bi.duckdb")
    target.apply(small.published, adopt=False)
    first = target.latest.resolve()
    value = value_of(target)
    target.apply(second, adopt=False)
    assert (target.applied(), value_of(target)) == (2, value + 1)
    assert (first / "dim_site.parquet").exists(), "who was reading the first can go on"
    assert names(target.place) == ["1", "2", "latest"]
    target.apply(third, adopt=False)
    assert names(target.place) == ["2", "3", "latest"]


def test_files_cannot_be_written_by_accident(small: Deployment, target: ParquetTarget):
    target.apply(small.published, adopt=False)
    assert {path.stat().st_mode & 0o777 for path in target.latest.iterdir()} == {0o444}


def test_folder_before_goes_at_once_when_it_holds_texts_of_a_purged_delivery(
    small: Deployment, target: ParquetTarget, tmp_path: Path
):
    a_receipt = "(select min(receipt_id) from bi.rpt_delivery)"
    with_text = next_publication(
        small.published,
        tmp_path / "text" / "bi.duckdb",
        f"insert into bi.rpt_rejected_row select 'site', {a_receipt}, 1, 1, 'missing:site_id', 'Vraag.', 'Ask.', 'Jansen;1970', 1",
    )
    purged = next_publication(
        with_text,
        tmp_path / "purged" / "bi.duckdb",
        "delete from bi.rpt_rejected_row",
        f"update bi.rpt_delivery set state = 'purged' where receipt_id = {a_receipt}",
    )
    target.apply(with_text, adopt=False)
    target.apply(purged, adopt=False)
    assert names(target.place) == ["3", "latest"]


@pytest.mark.parametrize("step", ["descriptor", "fsync", "_write_table"])
def test_failure_half_way_leaves_the_old_publication_and_nothing_else(
    small: Deployment, second: Path, target: ParquetTarget, monkeypatch: pytest.MonkeyPatch, step: str
):
    target.apply(small.published, adopt=False)

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(parquet, step, fail)
        with pytest.raises(KetenError, match=r"cannot be written \(No space left on device\); free space"):
            target.apply(second, adopt=False)
    assert (target.applied(), names(target.place)) == (1, ["1", "latest"])
    assert target.apply(second, adopt=False).number == 2


@pytest.mark.parametrize(
    ("step", "shown"),
    [("symlink_to", 1), ("replace", 1), ("iterdir", 1)],
    ids=["before link", "before swap", "in files"],
)
def test_killed_process_leaves_the_old_publication_whole_and_the_next_run_clears_up(
    small: Deployment, second: Path, target: ParquetTarget, step: str, shown: int
):
    target.apply(small.published, adopt=False)
    value = value_of(target)
    code = textwrap.dedent(f"""
        import os
        from pathlib import Path
        from resources.targets import parquet
        target = parquet.ParquetTarget("parquet", Path({str(target.place)!r}))
        parquet.remove_leftovers = lambda _: setattr(Path, {step!r}, lambda *_: os._exit(9))
        target.apply(Path({str(second)!r}), adopt=False)
    """)
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT)
    assert done.returncode == 9
    assert (target.applied(), value_of(target)) == (shown, value)
    target.apply(second, adopt=False)
    assert (target.applied(), value_of(target), names(target.place)) == (2, value + 1, ["1", "2", "latest"])


def test_target_ahead_or_of_another_engine_is_refused_unless_adopted(
    small: Deployment, second: Path, target: ParquetTarget
):
    target.apply(second, adopt=False)
    with pytest.raises(KetenError, match="shows publication 2 of another engine.*--adopt"):
        target.apply(small.published, adopt=False)
    assert target.applied() == 2
    assert target.apply(small.published, adopt=True).number == 1
    assert target.applied() == 1


def test_published_file_of_an_older_version_is_told(small: Deployment, target: ParquetTarget, tmp_path: Path):
    older = tmp_path / "older.duckdb"
    older.write_bytes(small.published.read_bytes())
    with duckdb.connect(str(older)) as connection:
        connection.execute("drop table older.bi.publication_column")
    with pytest.raises(KetenError, match="of an older version; run `keten run`"):
        target.apply(older, adopt=False)
    assert target.applied() is None


def cut(latest: Path) -> None:
    """A file that is not whole."""
    path = latest / "dim_site.parquet"
    path.chmod(0o644)
    os.truncate(path, 10)


def foreign(latest: Path) -> None:
    """A descriptor of someone else."""
    path = latest / "datapackage.json"
    path.chmod(0o644)
    path.write_text('{"name": "weather", "resources": []}')


@pytest.mark.parametrize("spoil", [cut, foreign, lambda latest: (latest / "datapackage.json").unlink()])
def test_folder_that_is_broken_or_not_ours_is_told_and_left(small: Deployment, target: ParquetTarget, spoil):
    target.apply(small.published, adopt=False)
    spoil(target.latest)
    for act in (target.applied, lambda: target.apply(small.published, adopt=False)):
        with pytest.raises(KetenError, match="does not hold the whole of a publication.*move it away and run again"):
            act()


def test_nothing_there_is_no_publication_and_asking_makes_nothing(target: ParquetTarget):
    assert target.applied() is None
    assert not target.place.exists()
    target.place.mkdir(parents=True)
    leftover = temporary_name(target.latest, "-files")
    leftover.mkdir()
    assert target.applied() is None
    assert leftover.exists()
