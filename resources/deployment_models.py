"""The shape of what a deployment declares of itself: keten.yml and sources.yml.

Belongs here: fields, types and what one of them can tell about itself. Does not belong here: mappings and the
declarations of the product (catalogue_models), reading files (catalogue_reading).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from resources.catalogue_models import HOME, Declared
from resources.errors import KetenError

ENV_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


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


class Settings(Declared):
    """keten.yml: the deployment."""

    organisation: str
    languages: tuple[Literal["nl", "en"], ...] = ("nl", "en")
    zone: str = "Europe/Amsterdam"
    geography: str = HOME
    reporting: Reporting
    schedule: Schedule = Schedule()


class Source(Declared):
    """One line of sources.yml: what is pulled from where."""

    dataset: str
    origin: str
    path: str

    def resolved_path(self, project: Path) -> Path:
        """The folder, with `${env:NAME}` or `${env:NAME:-default}` filled in. Raises KetenError for what is not set."""

        def fill(match: re.Match[str]) -> str:
            value = os.environ.get(match.group(1)) or match.group(2)
            if not value:
                raise KetenError(
                    f"sources.yml: set the environment variable {match.group(1)} for {self.origin}/{self.dataset}"
                )
            return value

        return project / ENV_VARIABLE.sub(fill, self.path)


class Sources(Declared):
    """sources.yml."""

    sources: tuple[Source, ...]
