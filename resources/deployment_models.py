"""The shape of what a deployment declares of itself: keten.yml and sources.yml.

Belongs here: fields, types and what one of them can tell about itself. Does not belong here: mappings and the
declarations of the product (catalogue_models), reading files (catalogue_reading).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from resources.catalogue_models import HOME, Declared, Update
from resources.environment import filled


class Reporting(Declared):
    """The reporting months, inclusive; without `to` up to the last whole month."""

    first: str = Field(alias="from", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    last: str | None = Field(default=None, alias="to", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")


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
    sunday: str | None = Field(default="04:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class Settings(Declared):
    """keten.yml: the deployment."""

    organisation: str
    languages: tuple[Literal["nl", "en"], ...] = ("nl", "en")
    zone: str = "Europe/Amsterdam"
    geography: str = HOME
    reporting: Reporting
    alerts: Alerts = Alerts()
    retention: Retention = Retention()


class Source(Declared):
    """One line of sources.yml: what is pulled from where; `update` where this sender delivers at another pace."""

    dataset: str
    origin: str
    path: str
    update: Update | None = None

    def resolved_path(self, project: Path) -> Path:
        """The folder, with `${env:NAME}` or `${env:NAME:-default}` filled in. Raises KetenError for what is not set."""
        return project / filled(self.path, "sources.yml", f"{self.origin}/{self.dataset}")


class Sources(Declared):
    """sources.yml."""

    sources: tuple[Source, ...]
