"""The shape of what a deployment declares of itself: keten.yml and sources.yml.

Belongs here: fields, types and what one of them can tell about itself. Does not belong here: mappings and the
declarations of the product (catalogue_models), reading files (catalogue_reading).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from resources.catalogue_models import HOME, Declared
from resources.errors import KetenError

ENV_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class Reporting(Declared):
    """The reporting months, inclusive; without `to` up to the last whole month."""

    first: str = Field(alias="from", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    last: str | None = Field(default=None, alias="to", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")


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
    interface: Interface = Interface()


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
