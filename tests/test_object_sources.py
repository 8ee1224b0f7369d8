"""Objects in S3, on a server that speaks its language: what is new is fetched, and a wrong setting is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from resources.catalogue.source_models import Source
from resources.errors import KetenError
from resources.sources import EXTRA, make_connector
from resources.sources.bounds import Bounds
from tests.deployment import READINGS, tiny
from tests.sources import Pulling

FIRST = f"{READINGS}\nE,2025-02-01,11\n".encode()
SECOND = f"{READINGS}\nE,2025-02-02,12\n".encode()
KEYS = {"access_key": "${env:KETEN_TEST_S3_KEY}", "secret_key": "${env:KETEN_TEST_S3_SECRET}"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def bucket(endpoint: str) -> Any:
    access = {"aws_access_key_id": "key", "aws_secret_access_key": "s3cret-of-s3", "region_name": "eu-west-1"}
    made = boto3.resource("s3", endpoint_url=endpoint, **access).Bucket("deliveries")
    made.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield made
    made.objects.delete()
    made.delete()


@pytest.fixture
def pulling(tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Pulling:
    monkeypatch.setenv("KETEN_TEST_S3_KEY", "key")
    monkeypatch.setenv("KETEN_TEST_S3_SECRET", "s3cret-of-s3")
    made = Pulling(tiny(tmp_path))
    made.declare(s3={"url": "s3://deliveries/out", "endpoint_url": endpoint, "region": "eu-west-1", **KEYS})
    return made


def test_only_objects_that_are_new_or_changed_are_fetched(pulling: Pulling, bucket: Any) -> None:
    bucket.put_object(Key="out/meter_reading_20250201.csv", Body=FIRST)
    bucket.put_object(Key="elsewhere/meter_reading_20250209.csv", Body=SECOND)
    assert pulling.pull().failed == {}
    assert pulling.bytes() == {"meter_reading_20250201.csv": FIRST}, "an object is there whole, however young"
    assert pulling.pull().landed == []
    bucket.put_object(Key="out/meter_reading_20250201.csv", Body=SECOND)
    assert len(pulling.pull().landed) == 1
    assert pulling.bytes() == {"meter_reading_20250201.csv": SECOND}
    assert pulling.left_over() == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no bucket": ({"url": "s3://gone/out"}, "does not exist, or holds nothing"),
    "no folder": ({"url": "s3://deliveries/gone"}, "does not exist, or holds nothing"),
    "no server": ({"endpoint_url": "http://127.0.0.1:1", "tries": 2}, "does not answer"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(pulling: Pulling, bucket: Any, endpoint: str, case: str) -> None:
    changes, words = WRONG[case]
    facts = {"url": "s3://deliveries/out", "endpoint_url": endpoint, **KEYS, **changes}
    pulling.declare(s3=facts)
    (told,) = pulling.pull().failed.values()
    assert words in told and told.startswith(f"sources.yml: us/meter_reading: {facts['url']}: ")
    assert "s3cret" not in told


@pytest.mark.parametrize("kind", EXTRA)
def test_a_package_that_is_not_installed_is_named_with_the_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    facts = {
        "sftp": {"url": "sftp://u@h/f", "key_file": "id"},
        "s3": {"url": "s3://b"},
        "azure": {"url": "abfs://c", "connection_string": "${env:X}"},
    }
    monkeypatch.setattr("resources.sources.find_spec", lambda name: None)
    source = Source.model_validate({"dataset": "site", "origin": "us", kind: facts[kind]})
    with pytest.raises(KetenError, match=rf"the package {EXTRA[kind]} is not installed; run pip install '.\[remote\]'"):
        make_connector(source, tmp_path)


def test_a_storage_account_that_is_not_there_is_told_without_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=czNjcmV0;BlobEndpoint=http://127.0.0.1:1/a;"
    monkeypatch.setenv("KETEN_TEST_AZURE", account)
    azure = {"url": "abfs://box/in", "connection_string": "${env:KETEN_TEST_AZURE}", "connect_seconds": 1}
    source = Source.model_validate({"dataset": "site", "origin": "us", "azure": azure})
    with pytest.raises(KetenError) as told:
        bounds = Bounds(2)
        connector = make_connector(source, tmp_path)
        bounds.hold(lambda: connector.check(bounds))
    assert "czNjcmV0" not in str(told.value)
