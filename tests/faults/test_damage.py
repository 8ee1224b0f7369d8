"""Files that hold other bytes than were written: what can be made again is, and told; for the rest the repair is told."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipelines.records import put_away_damaged
from resources.engine import Engine
from resources.errors import KetenError
from resources.landing import Delivery, Landing
from resources.landing.repair import make_fit
from tests.conftest import made_once
from tests.deployment import Deployment
from tests.faults.soundness import assert_accounted, assert_whole, correction, results

BLOCK = 256 * 1024
HEADERS = 3 * 4096
MARKS = (1 << 64) - 1


def flip(path: Path, first: int, every: int) -> None:
    """Turn over some bytes at regular places."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    for place in range(first, len(content) - 16, every):
        content[place : place + 16] = bytes(byte ^ 0xFF for byte in content[place : place + 16])
    path.write_bytes(content)


def of_a_newer_duckdb(path: Path) -> None:
    """Let the header say a version to come, with the checksum that belongs to it."""
    with path.open("r+b") as file:
        header = bytearray(file.read(4096))
        header[12:20] = struct.pack("<Q", 200)
        checksum = 5381
        for (word,) in struct.iter_unpack("<Q", header[8:]):
            checksum ^= word * 0xBF58476D1CE4E5B9 & MARKS
        header[:8] = struct.pack("<Q", checksum)
        file.seek(0)
        file.write(header)


def of_another_format(path: Path) -> None:
    with duckdb.connect(str(path)) as engine:
        engine.execute("update run.format set format = 0")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


ENGINES: dict[str, Callable[[Path], object]] = {
    "no database at all": lambda path: path.write_bytes(b"no database at all"),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: HEADERS + BLOCK]),
    "header turned over": lambda path: flip(path, 4096 + 20, MARKS),
    "every block turned over": lambda path: flip(path, HEADERS + 100, BLOCK),
    "a folder": a_folder,
    "of a newer DuckDB": of_a_newer_duckdb,
    "of another format": of_another_format,
}


@pytest.fixture(scope="module")
def twin(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The same deliveries without any damage."""

    def make(folder: Path) -> Deployment:
        made = small.copy(folder)
        made.drop(*correction(1))
        return made

    return made_once(tmp_path_factory.getbasetemp(), "damage-twin", make)


@pytest.mark.parametrize("damage", ENGINES)
def test_an_engine_that_cannot_be_used_is_put_away_and_told(tmp_path: Path, damage: str) -> None:
    path, told = tmp_path / "engine.duckdb", list[str]()
    with Engine.open(path, tmp_path / "spill", told.append) as engine:
        engine.replace("core.meter_reading", "select i, hash(i) as h from range(200000) t(i)")
        engine.replace("intake.receipt", "select 'r' as receipt_id")
    (tmp_path / "engine.damaged").mkdir()  # of an earlier time
    ENGINES[damage](path)
    with Engine.open(path, tmp_path / "spill", told.append) as engine:
        assert not engine.columns("core.meter_reading")
    assert len(told) == 1 and "it is made again from the landing zone" in told[0]


def test_an_engine_that_another_program_has_open_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "engine.duckdb"
    Engine(path, tmp_path / "spill").connection.close()
    code = f"import duckdb, sys; kept = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        before = path.read_bytes()
        with pytest.raises(KetenError, match="close it in other programs"):
            Engine.open(path, tmp_path / "spill", pytest.fail)
        assert path.read_bytes() == before
        other.communicate()


def test_damage_that_is_met_halfway_ends_in_a_second_run_by_itself(
    small: Deployment, twin: Deployment, tmp_path: Path
) -> None:
    """The blocks of core are read by no step before those that compute, long after the engine was opened."""
    made = small.copy(tmp_path)
    made.drop(*correction(1))
    engine = made.home / "engine.duckdb"
    with duckdb.connect(str(engine)) as connection:
        connection.execute("checkpoint")
        found = connection.execute(
            "select distinct block_id from pragma_storage_info('core.meter_reading') where block_id >= 0"
        ).fetchall()
    assert found
    content = bytearray(engine.read_bytes())
    for (block,) in found:
        place = HEADERS + block * BLOCK + 100
        content[place : place + 16] = bytes(byte ^ 0xFF for byte in content[place : place + 16])
    engine.write_bytes(content)
    told = made.keten("run")
    assert "it is made again from the landing zone" in told
    assert (made.home / "engine.damaged").exists()
    assert results(made) == results(twin)
    assert_accounted(made)


@pytest.mark.parametrize("damage", ["header", "blocks"])
def test_a_damaged_publication_is_told_and_made_anew_once_it_is_moved_away(
    small: Deployment, twin: Deployment, tmp_path: Path, damage: str
) -> None:
    made = small.copy(tmp_path)
    made.drop(*correction(1))
    flip(made.published, *((4096 + 20, MARKS) if damage == "header" else (HEADERS + 100, BLOCK)))
    told = made.keten("run", code=2)
    assert f"{made.published} cannot be read as a published file; put a copy of it back, or move it away" in told
    assert "Traceback" not in told
    if damage == "blocks":
        made.published.rename(tmp_path / "moved")
        made.keten("run")
        assert assert_whole(made, 2) == 2, "the number goes on"
        assert results(made) == results(twin), "with the same keys"


@pytest.mark.parametrize("engine", ["knows it", "is gone too"])
def test_a_receipt_that_was_cut_off_is_restored(
    small: Deployment, twin: Deployment, tmp_path: Path, engine: str
) -> None:
    made = small.copy(tmp_path)
    receipt = made.receipt("waste_collection_20250128.csv")
    path = made.landing.folder / "receipts" / f"{receipt.receipt_id}.json"
    path.write_bytes(path.read_bytes()[:40])
    if engine == "knows it":
        (made.project / "data" / receipt.file_name).unlink()
    else:
        (made.home / "engine.duckdb").unlink()
    assert f"the receipt {path} is damaged; `keten run` restores it" in made.keten("receipt", "list", code=2)
    made.drop(*correction(1))
    told = made.keten("run")
    if engine == "knows it":
        assert f"the receipt {receipt.receipt_id} was damaged and is restored from the engine" in told
        assert made.receipt(receipt.file_name) == receipt
    else:
        assert f"put away as {receipt.receipt_id}.damaged; its file is taken again from its source" in told
    assert made.landing.path(receipt).exists()
    assert results(made) == results(twin)


def test_bytes_are_kept_as_long_as_nobody_knows_whose_they_are(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    receipt = made.receipt("waste_collection_20250128.csv")
    path = made.landing.folder / "receipts" / f"{receipt.receipt_id}.json"
    path.rename(path.with_suffix(".damaged"))
    made.landing.sweep()
    assert made.landing.path(receipt).exists()
    path.with_suffix(".damaged").unlink()
    made.landing.sweep()
    assert not made.landing.path(receipt).exists()


def test_a_damaged_note_of_a_refusal_lets_the_file_be_looked_at_again(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")
    refused = Delivery(tmp_path / "staff.csv", "staff.csv", "us", "site", "0" * 64, False)
    landing.refuse(refused, ["BSN"], landing.moment())
    (note,) = landing.refusal_files()
    note.write_text("{", "utf-8")
    with Engine(None, tmp_path / "spill") as engine:
        (told,) = make_fit(landing, engine)
    assert "was damaged; the file is looked at again" in told
    assert not landing.known(refused)
    assert landing.refusals() == []


def test_a_run_can_do_without_the_records_of_dagster(small: Deployment, twin: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.drop(*correction(1))
    for file in ("runs.db", "runs/index.db"):
        flip(made.home / "dagster" / "history" / file, 4096, 97)
    told = made.keten("run")
    assert "Dagster's history is damaged and was put away as history.damaged" in told
    assert results(made) == results(twin)


@pytest.mark.parametrize("file", ["history/runs.db", "history/runs/index.db", "schedules/schedules.db"])
@pytest.mark.parametrize("damage", ["no database", "turned over"])
def test_damaged_records_are_told_from_sound_ones(small: Deployment, tmp_path: Path, file: str, damage: str) -> None:
    shutil.copytree(small.home / "dagster", tmp_path / "dagster")
    assert not put_away_damaged(tmp_path / "dagster", pytest.fail)
    path = tmp_path / "dagster" / file
    path.write_bytes(b"x" * 5000) if damage == "no database" else flip(path, 4096, 97)
    assert put_away_damaged(tmp_path / "dagster", lambda _: None)
    assert (tmp_path / "dagster" / f"{file.split('/')[0]}.damaged").is_dir()
    assert not put_away_damaged(tmp_path / "dagster", pytest.fail)
