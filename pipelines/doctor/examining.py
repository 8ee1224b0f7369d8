"""The examination: every check by itself, so that it works on a broken deployment, which is when it is needed.

Belongs here: what a finding is, what checks share, and their order. Does not belong here: the checks (settings, state,
automation), and how findings are printed (care_cli).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pipelines.lock import is_held
from pipelines.settings import Place
from resources.errors import KetenError

if TYPE_CHECKING:
    import dagster as dg

    from resources.catalogue import Catalogue

State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Finding:
    """What a check found, and what to do where something is to be done."""

    check: str
    state: State
    told: str
    repair: str = ""


class NotThere(KetenError):
    """Something that a check needs is missing; another check tells of it."""


class Patient:
    """A deployment under examination: its parts are opened when first asked for."""

    def __init__(self, where: Place) -> None:
        self.where = where

    @cached_property
    def catalogue(self) -> Catalogue:
        """All declarations. Raises NotThere when they cannot be read."""
        from resources.catalogue.reading import load_catalogue

        try:
            catalogue = load_catalogue(self.where.project)
            catalogue.settings  # noqa: B018 - raises without keten.yml
        except KetenError as error:
            raise NotThere("not examined: the settings cannot be read") from error
        return catalogue

    @cached_property
    def is_running(self) -> bool:
        """Whether a run holds the lock now."""
        return is_held(self.where.home)

    def dagster(self) -> AbstractContextManager[dg.DagsterInstance]:
        """Dagster's records. Raises NotThere before the first run, as looking would make them."""
        from pipelines.instance import instance

        if not (self.where.dagster / "dagster.yaml").exists():
            raise NotThere("not examined: Dagster has no records yet")
        return instance(self.where)


Check = Callable[[Patient], Iterator[Finding]]


def examine(where: Place) -> list[Finding]:
    """All findings, in the order in which one repairs."""
    from pipelines.doctor import automation, settings, state

    patient = Patient(where)
    checks: tuple[Check, ...] = (
        settings.settings,
        settings.environment,
        settings.sources,
        settings.inbox,
        settings.versions,
        settings.clock,
        state.folders,
        state.disk,
        state.lock,
        state.engine,
        state.published,
        state.targets,
        state.leftovers,
        automation.daemon,
        automation.automations,
        automation.alerts,
        automation.facts,
    )
    return [finding for check in checks for finding in examined(check, patient)]


def examined(check: Check, patient: Patient) -> list[Finding]:
    """What one check finds; that it could not be made is a finding too."""
    found: list[Finding] = []
    try:
        found += check(patient)
    except NotThere as error:
        found.append(Finding(check.__name__, "warning", str(error)))
    except Exception as error:  # noqa: BLE001 - whatever is broken here, the other checks are still made
        told = str(error) if isinstance(error, KetenError) else f"{type(error).__name__}: {error}"
        repair = "mend this, then run `keten doctor` again"
        found.append(Finding(check.__name__, "fault", f"could not be examined: {told}", repair))
    return found
