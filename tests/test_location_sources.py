"""Files on SFTP, S3 and other file systems: what is new is fetched whole, once, and by hosts that are known."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import fsspec
import pytest
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

from resources.disk import DiskFull
from resources.errors import KetenError
from resources.sources.bounds import Bounds
from resources.sources.location import Location
from resources.sources.port import Listing
from tests.deployment import READINGS, tiny
from tests.sources import PASSWORD, Pulling, SftpFolder, sftp_server

FIRST = f"{READINGS}\nE,2025-02-01,11\n".encode()
SECOND = f"{READINGS}\nE,2025-02-02,12\n".encode()


class Odd(asyncssh.SFTPServer):
    """A server whose file `grows.csv` changes as it is read, and whose `stalls.csv` never comes."""

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:  # type: ignore[override]
        name = os.fsdecode(file_obj.name)
        if name.endswith("_2grows.csv"):
            with open(name, "ab") as file:
                file.write(b"E,2025-02-09,1\n")
        if name.endswith("_2stalls.csv"):
            await asyncio.sleep(600)
        return super().read(file_obj, offset, size)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpFolder]:
    with sftp_server(tmp_path_factory.mktemp("server"), Odd) as made:
        yield made


@pytest.fixture
def sftp(server: SftpFolder) -> SftpFolder:
    for path in (server.folder / "out").rglob("*"):
        if path.is_file():
            path.unlink()
    return server


@pytest.fixture
def pulling(tmp_path: Path, sftp: SftpFolder, monkeypatch: pytest.MonkeyPatch) -> Pulling:
    monkeypatch.setenv("KETEN_TEST_SFTP_PASSWORD", PASSWORD)
    made = Pulling(tiny(tmp_path))
    made.declare(sftp=settings(sftp))
    return made


def settings(sftp: SftpFolder, **other: Any) -> dict[str, Any]:
    facts = {"url": sftp.url, "password": "${env:KETEN_TEST_SFTP_PASSWORD}", "known_hosts": str(sftp.known_hosts)}
    return {key: value for key, value in {**facts, **other}.items() if value is not None}


def test_only_what_is_new_or_changed_is_fetched(pulling: Pulling, sftp: SftpFolder) -> None:
    sftp.put("meter_reading_20250201.csv", FIRST)
    sftp.put("other_20250201.csv", b"not asked for")
    assert pulling.pull().failed == {}
    assert pulling.bytes() == {"meter_reading_20250201.csv": FIRST}
    again = pulling.pull()
    assert (again.landed, again.failed) == ([], {})
    sftp.put("meter_reading_20250202.csv", SECOND)
    sftp.put("meter_reading_20250201.csv", FIRST + b"E,2025-02-03,1\n", age=3600)
    assert len(pulling.pull().landed) == 2
    assert pulling.count() == 3
    assert pulling.left_over() == []


def test_the_same_bytes_are_one_receipt_when_the_memory_is_lost(pulling: Pulling, sftp: SftpFolder) -> None:
    sftp.put("meter_reading_20250201.csv", FIRST)
    pulling.pull()
    for path in (pulling.made.landing.folder / "sources").iterdir():
        path.write_text("{", "utf-8")
    assert pulling.pull().landed == []
    assert pulling.count() == 1


def test_files_in_folders_below_are_taken_where_the_mapping_says_so(pulling: Pulling, sftp: SftpFolder) -> None:
    mapping = (pulling.made.project / "mappings/us__meter_reading.yml").read_text("utf-8")
    pulling.made.drop("mappings/us__meter_reading.yml", mapping.replace("meter_reading_2*.csv", "b*/*.csv"))
    sftp.put("b1/x.csv", FIRST)
    sftp.put("c1/x.csv", SECOND)
    sftp.put("b1/deeper/x.csv", SECOND)
    pulling.pull()
    assert list(pulling.bytes()) == ["b1/x.csv"]


@pytest.mark.parametrize("name", ["meter_reading_20250201.csv.part", "meter_reading_20250201.csv"])
def test_a_file_that_may_still_be_written_is_left_for_the_next_pull(
    pulling: Pulling, sftp: SftpFolder, name: str
) -> None:
    sftp.put(name, FIRST, age=1)
    done = pulling.pull()
    assert (pulling.count(), done.failed) == (0, {})
    assert done.waiting == ([name] if name.endswith(".csv") else [])


def test_a_file_that_changes_while_it_is_fetched_is_left_for_the_next_pull(pulling: Pulling, sftp: SftpFolder) -> None:
    sftp.put("meter_reading_20250201.csv", FIRST)
    sftp.put("meter_reading_2grows.csv", FIRST)
    done = pulling.pull()
    assert done.waiting == ["meter_reading_2grows.csv"]
    assert list(pulling.bytes()) == ["meter_reading_20250201.csv"]


def test_a_file_that_never_comes_ends_with_the_time_of_the_pull_and_the_others_are_kept(
    pulling: Pulling, sftp: SftpFolder
) -> None:
    pulling.declare(sftp=settings(sftp, total_seconds=1.5))
    sftp.put("meter_reading_20250201.csv", FIRST)
    sftp.put("meter_reading_2stalls.csv", FIRST)
    done = pulling.pull()
    assert "the 1.5 s for one pull are over" in done.failed["us/meter_reading"]
    assert list(pulling.bytes()) == ["meter_reading_20250201.csv"]


def test_a_file_above_the_limit_does_not_keep_the_others_out(pulling: Pulling, sftp: SftpFolder) -> None:
    pulling.declare(sftp=settings(sftp, max_bytes=len(FIRST)))
    sftp.put("meter_reading_20250201.csv", FIRST)
    sftp.put("meter_reading_20250101.csv", FIRST * 2)
    assert "above the limit" in pulling.pull().failed["meter_reading_20250101.csv"]
    assert list(pulling.bytes()) == ["meter_reading_20250201.csv"]


def test_a_key_opens_the_door_as_well(pulling: Pulling, sftp: SftpFolder) -> None:
    pulling.declare(sftp=settings(sftp, password=None, key_file=str(sftp.key_file)))
    sftp.put("meter_reading_20250201.csv", FIRST)
    assert pulling.pull().failed == {}
    assert pulling.count() == 1


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another password": ({}, "refuses the user, password or key"),
    "another host": ({"known_hosts": "other_hosts"}, "ssh-keyscan -p"),
    "no known hosts": ({"known_hosts": "gone"}, "known_hosts gone is not there; write its key there"),
    "no folder": ({"url": "{url}/gone"}, "does not exist"),
    "no server": ({"url": "sftp://keten@127.0.0.1:1/out", "tries": 2}, "does not answer (Connection"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_repair_and_no_secret(
    pulling: Pulling, sftp: SftpFolder, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    changes, words = WRONG[case]
    if case == "another password":
        monkeypatch.setenv("KETEN_TEST_SFTP_PASSWORD", "s3cret-of-another")
    if case == "another host":
        key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        pulling.made.drop("other_hosts", f"[127.0.0.1]:{sftp.port} {key}")
    facts = {key: str(value).replace("{url}", sftp.url) for key, value in changes.items()}
    pulling.declare(sftp=settings(sftp, **facts))
    (told,) = pulling.pull().failed.values()
    assert words in told and told.startswith("sources.yml: us/meter_reading: ")
    assert "s3cret" not in told


def test_a_server_that_takes_the_call_and_says_nothing_is_left(pulling: Pulling, sftp: SftpFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"sftp://keten@127.0.0.1:{silent.getsockname()[1]}/out"
        pulling.declare(sftp=settings(sftp, url=url, connect_seconds=0.3, tries=2))
        (told,) = pulling.pull().failed.values()
    assert "does not answer" in told


def test_a_server_that_is_down_is_asked_again_later_each_time(pulling: Pulling, sftp: SftpFolder) -> None:
    pulling.declare(sftp=settings(sftp, url="sftp://keten@127.0.0.1:1/out"))
    pulling.pull()
    assert len(pulling.pauses) == 2, "the first time at once"
    assert pulling.pauses[0] < pulling.pauses[1]


def test_a_full_disk_is_no_fault_of_the_server_and_ends_the_pull(
    pulling: Pulling, sftp: SftpFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sshfs.SSHFileSystem._get_file", full)
    sftp.put("meter_reading_20250201.csv", FIRST)
    with pytest.raises(DiskFull, match="make room on it"):
        pulling.pull()
    assert (pulling.count(), pulling.pauses, pulling.left_over()) == (0, [], [])
    monkeypatch.undo()
    monkeypatch.setenv("KETEN_TEST_SFTP_PASSWORD", PASSWORD)
    pulling.pull()
    assert pulling.count() == 1


@pytest.fixture
def memory() -> Iterator[Any]:
    made = fsspec.filesystem("memory", skip_instance_cache=True)
    yield AsyncFileSystemWrapper(made, asynchronous=False)
    made.rm("/", recursive=True)


def test_any_file_system_of_fsspec_is_listed_and_fetched_alike(memory: Any, tmp_path: Path) -> None:
    memory.sync_fs.pipe({"/box/in/a_1.csv": FIRST, "/box/in/b_1.csv": SECOND, "/box/in/.hidden_1.csv": SECOND})
    place = Location("/box/in", lambda: memory, lambda error: KetenError(f"told: {error}"), 1000)
    bounds, into = Bounds(30), tmp_path / "into"
    found: Listing = place.look({}, ("a_*.csv",), bounds)
    (offer,) = found.offers
    version = place.bring(offer, into, bounds)
    assert version is not None
    assert (offer.name, into.read_bytes()) == ("a_1.csv", FIRST)
    assert place.look({"a_1.csv": version}, ("a_*.csv",), bounds).offers == []
    assert place.has_news({"a_1.csv": version}, ("*.csv",), bounds)
    with pytest.raises(KetenError, match="told: "):
        Location("/gone", lambda: memory, lambda error: KetenError(f"told: {error}"), 1000).check(bounds)
