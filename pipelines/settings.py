"""Where a deployment lives: `KETEN_HOME`, `KETEN_PROJECT`, and the clock.

Belongs here: reading the environment, once, when asked. Does not belong here: anything read at import.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from resources.errors import KetenError
from resources.publication.published_file import page_beside

ROOT = Path(__file__).resolve().parent.parent
AS_OF = "KETEN_AS_OF"


@dataclass(frozen=True)
class Place:
    """The folders of one deployment. Nothing is written outside `home`."""

    home: Path
    project: Path

    @property
    def engine(self) -> Path:
        """The private compute database."""
        return self.home / "engine.duckdb"

    @property
    def published(self) -> Path:
        """The file BI tools read."""
        return self.home / "published" / "bi.duckdb"

    @property
    def page(self) -> Path:
        """The page people read."""
        return page_beside(self.published)

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME: runs and events."""
        return self.home / "dagster"

    @property
    def landing(self) -> Path:
        """Bytes and receipts of deliveries."""
        return self.home / "landing"

    @property
    def periods(self) -> Path:
        """Decisions about months: who closed them, when and why."""
        return self.home / "periods"


def place(home: Path | None = None, project: Path | None = None) -> Place:
    """The folders of a deployment, as `folders`. Raises KetenError when the project is none."""
    found = folders(home, project)
    if not (found.project / "keten.yml").is_file():
        raise KetenError(
            f"{found.project} holds no keten.yml; set KETEN_PROJECT (or --project) to a deployment folder,"
            " or run `make run`, which makes the demo"
        )
    return found


def folders(home: Path | None = None, project: Path | None = None) -> Place:
    """The folders by argument, else by environment, else `./var` and the demo in it; whatever is there."""
    root = home or Path(os.environ.get("KETEN_HOME", "") or ROOT / "var")
    folder = project or Path(os.environ.get("KETEN_PROJECT", "") or root / "demo")
    return Place(root.resolve(), folder.resolve())


def today(zone: str) -> date:
    """Today in the zone of the deployment; `KETEN_AS_OF` (YYYY-MM-DD) overrides it for repeatable runs."""
    text = os.environ.get(AS_OF, "")
    if not text:
        return datetime.now(ZoneInfo(zone)).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise KetenError(f"{AS_OF} '{text}' is not a day; write it as 2026-07-02, or unset it") from None
