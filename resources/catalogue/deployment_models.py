"""The shape of what a deployment declares of itself in keten.yml, and how any setting names an environment variable.

Belongs here: fields, types and what one of them can tell about itself. Does not belong here: sources.yml (source_models),
mappings and the declarations of the product (catalogue.models), reading files (catalogue.reading).
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from resources.catalogue.models import HOME, Declared
from resources.errors import KetenError

ENV_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def filled(text: str, file: str, what: str) -> str:
    """A setting with `${env:NAME}` or `${env:NAME:-default}` filled in. Raises KetenError for a variable that is not set."""

    def fill(match: re.Match[str]) -> str:
        value = os.environ.get(match.group(1)) or match.group(2)
        if not value:
            raise KetenError(f"{file}: set the environment variable {match.group(1)} for {what}")
        return value

    return ENV_VARIABLE.sub(fill, text)


class Reporting(Declared):
    """The reporting months, inclusive; without `to` up to the last whole month."""

    first: str = Field(alias="from", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    last: str | None = Field(default=None, alias="to", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")


def _clock(value: object) -> object:
    """YAML reads 15:30 without quotes as a number of minutes, and leaves 05:30 a text."""
    if isinstance(value, int) and 0 <= value < 24 * 60:
        return f"{value // 60:02d}:{value % 60:02d}"
    return value


ClockTime = Annotated[str, BeforeValidator(_clock), Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Schedule(Declared):
    """When the pipeline runs by itself: `daily` in the zone of the deployment, and how often drop folders are looked at.

    Null is never.
    """

    daily: ClockTime | None = "05:30"
    drop_folder_seconds: int | None = Field(default=60, ge=5)


class Named(Declared):
    """A publication target: its name is that of its asset, by default its kind."""

    name: str = Field(default="", pattern=r"^[a-z][a-z0-9_]*$")

    @model_validator(mode="before")
    @classmethod
    def _named_by_kind(cls, facts: Any) -> Any:
        return {"name": facts.get("kind"), **facts} if isinstance(facts, dict) else facts


class PostgresqlSetting(Named):
    """A schema in a PostgreSQL database. The URL names its driver: `postgresql+psycopg://user:password@host/database`."""

    kind: Literal["postgresql"]
    url: str
    schema_name: str = Field(default="bi", alias="schema", pattern=r"^[a-z][a-z0-9_]*$")
    reader: str = Field(default="bi_reader", pattern=r"^[a-z][a-z0-9_]*$")
    connect_seconds: int = Field(default=10, ge=1)
    lock_seconds: int = Field(default=30, ge=1)
    statement_seconds: int = Field(default=600, ge=1)
    total_seconds: int = Field(default=3600, ge=1)

    @field_validator("url")
    @classmethod
    def _no_secret_in_the_file(cls, url: str) -> str:
        if re.search(r"://[^/@]*:[^/@]+@", ENV_VARIABLE.sub("", url)):
            raise ValueError("holds a password; put the URL in an environment variable and write ${env:NAME}")
        return url


class FileTarget(Named):
    """A target below KETEN_HOME: nothing is written elsewhere."""

    path: str

    @field_validator("path")
    @classmethod
    def _inside(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise ValueError("lies outside KETEN_HOME; write a path below it, such as published/parquet")
        return path

    def place(self, home: Path) -> Path:
        """Where it is written."""
        return home / self.path


class ParquetSetting(FileTarget):
    """A folder of Parquet files with a datapackage.json, which names the licence (such as CC-BY-4.0) when there is one."""

    kind: Literal["parquet"]
    path: str = "published/parquet"
    licence: str | None = Field(default=None, pattern=r"^[-A-Za-z0-9._]+$")


class ExcelSetting(FileTarget):
    """A workbook."""

    kind: Literal["excel"]
    path: str = "published/ketenimpact.xlsx"


TargetSetting = Annotated[PostgresqlSetting | ParquetSetting | ExcelSetting, Field(discriminator="kind")]


class Channel(Declared):
    """Who is told, as a URL of apprise, and from which severity on.

    Such a URL holds a key or an address, so it names a variable; the channel is called by what stands in keten.yml.
    """

    url: str
    least: Literal["warning", "critical"] = "warning"


class Alerts(Declared):
    """What needs a person, told to whom, in which language, and how often is looked."""

    language: Literal["nl", "en"] = "nl"
    to: tuple[Channel, ...] = ()
    every_seconds: int = Field(default=120, ge=30)


class Retention(Declared):
    """How long records of runs are kept, whether deliveries go after the days of their contract, and when (on Sunday)."""

    runs_days: int = Field(default=90, ge=1)
    receipts: Literal["contract", "keep"] = "contract"
    sunday: ClockTime | None = "04:30"


class MonthClose(Declared):
    """When a month becomes provisional by itself: on its n-th working day after the month, at a time in the zone."""

    working_day: int = Field(default=10, ge=1, le=20)
    at: ClockTime = "06:30"


class Interface(Declared):
    """What Dagster's user interface links to: where the published page is served, and a repository of the code."""

    page_url: str | None = None
    code_url: str | None = None

    @field_validator("page_url", "code_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("begin the address with https:// or http://")
        return value and value.rstrip("/")


class Settings(Declared):
    """keten.yml: the deployment."""

    organisation: str
    languages: tuple[Literal["nl", "en"], ...] = ("nl", "en")
    zone: str = "Europe/Amsterdam"
    geography: str = HOME
    reporting: Reporting
    schedule: Schedule = Schedule()
    targets: tuple[TargetSetting, ...] = ()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    month_close: MonthClose | None = MonthClose()
    interface: Interface = Interface()
