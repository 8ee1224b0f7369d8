"""sources.yml says where deliveries come from in one shape, and holds no secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from resources.catalogue.reading import load_catalogue
from resources.catalogue.schemas import json_schemas
from resources.catalogue.source_models import KINDS, Http, Rest, Source, Sources, Sql
from resources.errors import KetenError
from resources.sources.web import Web
from tests.deployment import tiny
from tests.sources import Pulling

SFTP = {"url": "sftp://keten@sftp.example.org/out", "key_file": "id_ed25519"}
HTTP = {"url": "https://example.org/readings.csv"}
REST = {"url": "https://example.org/readings"}
SQL = {"url": "${env:SENDER}", "query": "select 1"}
GOOD: dict[str, dict[str, Any]] = {
    "path": {"path": "data"},
    "sftp": {"sftp": SFTP},
    "s3": {"s3": {"url": "s3://bucket/in", "access_key": "${env:KEY}", "secret_key": "${env:SECRET}"}},
    "azure": {"azure": {"url": "abfs://box/in", "connection_string": "${env:STORE}"}},
    "http": {"http": HTTP},
    "rest": {"rest": {**REST, "paging": {"kind": "link"}}},
    "sql": {"sql": SQL},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_one_line_that_the_schema_knows_too(kind: str) -> None:
    line = {"dataset": "site", "origin": "us", **GOOD[kind]}
    source = Source.model_validate(line)
    assert (source.remote is None) == (kind == "path")
    schema = Draft202012Validator(json_schemas()["sources"])
    assert schema.is_valid({"sources": [line]})
    assert not schema.is_valid({"sources": [{**line, **GOOD["path" if kind != "path" else "http"]}]})


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "two places": ({"path": "data", "http": HTTP}, "path and http stand together; keep one"),
    "no place": ({}, "where it is, is missing: write path, or one of sftp, s3"),
    "another key": ({"http": {**HTTP, "tokn": "x"}}, "http.tokn: is not a known key; did you mean 'token'?"),
    "a password": ({"sftp": {**SFTP, "password": "geheim"}}, "password: holds a secret"),
    "a password by default": ({"sftp": {**SFTP, "password": "${env:P:-geheim}"}}, "password: holds a secret"),
    "a password in a url": ({"sql": {**SQL, "url": "postgresql://u:geheim@h/d"}}, "url: holds a password"),
    "a key in a url": ({"http": {"url": f"{HTTP['url']}?api_key=geheim"}}, "'api_key' holds a secret"),
    "a token in a header": ({"http": {**HTTP, "headers": {"X-Api-Key": "geheim"}}}, "'X-Api-Key' holds a secret"),
    "a token in a parameter": ({"rest": {**REST, "params": {"token": "geheim"}}}, "'token' holds a secret"),
    "another scheme": ({"http": {"url": "file:///etc/passwd"}}, "url: begin the address with https:// or http://"),
    "another scheme of sftp": ({"sftp": {**SFTP, "url": "ftp://h/f"}}, "begin the address with sftp://"),
    "a bad variable": ({"http": {"url": "https://${ENV}/x"}}, "holds a bad variable"),
    "no name": ({"http": {"url": "${env:SHARED_LINK}"}}, "does not tell what the file is called; add name"),
    "no credentials": ({"sftp": {"url": SFTP["url"]}}, "write password"),
    "two ways to sign in": ({"http": {**HTTP, "token": "${env:T}", "user": "u", "password": "${env:P}"}}, "keep one"),
    "half a login": ({"http": {**HTTP, "user": "u"}}, "user and password go together"),
    "since without a start": ({"sql": {**SQL, "query": "select :since"}}, "go together"),
    "another way of paging": ({"rest": {**REST, "paging": {"kind": "pages"}}}, "rest.paging: "),
}


@pytest.mark.parametrize("case", BAD)
def test_a_line_that_cannot_be_right_is_refused_and_a_secret_is_not_repeated(tmp_path: Path, case: str) -> None:
    where, words = BAD[case]
    pulling = Pulling(tiny(tmp_path))
    pulling.declare(**where)
    with pytest.raises(KetenError) as told:
        load_catalogue(pulling.made.project)
    assert words in str(told.value) and "sources.yml: sources.4" in str(told.value)
    assert "geheim" not in str(told.value)


def test_every_example_of_the_docs_can_be_used() -> None:
    text = (Path(__file__).parents[1] / "docs" / "connectors.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    found = Sources.model_validate(yaml.safe_load("".join(examples))).sources
    assert {source.remote.kind for source in found if source.remote} == set(KINDS) - {"path"}


def test_a_cast_of_postgresql_is_no_since() -> None:
    Sql.model_validate({**SQL, "query": "select x::since from t"})


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x"])
def test_a_variable_cannot_bring_another_scheme(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("KETEN_TEST_URL", url)
    setting = Rest.model_validate({"url": "${env:KETEN_TEST_URL}"})
    with pytest.raises(KetenError, match=r"us/site: rest.url: begin the address with https:// or http://"):
        setting.address("us/site")


@pytest.mark.parametrize(
    "where",
    [
        {"token": "${env:KETEN_TEST_TOKEN}"},
        {"params": {"key": "${env:KETEN_TEST_TOKEN}"}},
        {"user": "u", "password": "${env:KETEN_TEST_TOKEN}"},
        {"url": "http://u:${env:KETEN_TEST_TOKEN}@example.org/x.csv"},
    ],
    ids=["token", "params", "password", "url"],
)
def test_credentials_do_not_go_over_an_open_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: dict[str, Any]
) -> None:
    monkeypatch.setenv("KETEN_TEST_TOKEN", "geheim")
    setting = Http.model_validate({"url": "http://example.org/x.csv", **where})
    with pytest.raises(KetenError, match="use https"):
        Web(setting, "us/site", tmp_path)
