"""Running the job `refresh` from the command line: is there anything to do, do it, tell what came of it.

Belongs here: the steps around one in-process run. Does not belong here: printing (cli), the steps themselves (assets).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.fingerprint import input_fingerprint
from pipelines.settings import Place, today
from resources.catalogue import Catalogue
from resources.progress import Progress

# The terminal shows our own progress; Dagster's log lines are in its event log.
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True)
class Outcome:
    """What a call of `keten run` did: `started` is False when nothing was new; `failure` is the first error.

    `published` tells whether the results were, also when what comes after them failed.
    """

    started: bool
    success: bool
    failure: str = ""
    published: bool = False

    def told(self) -> str:
        """What went wrong, and what that means for the results."""
        if self.published:
            return f"the results are published, but their page could not be made: {self.failure}"
        return f"the run failed and nothing was published: {self.failure}"


def changed_since_publication(where: Place, catalogue: Catalogue) -> bool:
    """Whether the published file was made of other deliveries, declarations or code than there are now."""
    from resources.publishing import published_state

    state = published_state(where.published)
    return state is None or state["fingerprint"] != input_fingerprint(where, catalogue)


def nothing_new(where: Place, catalogue: Catalogue, progress: Progress) -> bool:
    """Whether the last publication was made of just these inputs, no delivery waits and its page is there.

    Call it under the lock.
    """
    from assets.page.making import is_page_of
    from assets.publication import is_current
    from resources.engine import Engine
    from resources.publishing import published_state

    state = published_state(where.published)
    if not where.engine.exists() or not state or not is_page_of(where.page, state["number"]):
        return False
    with Engine.open(where.engine, where.home / "engine.tmp", progress.tell) as engine:
        return is_current(engine, where.published, input_fingerprint(where, catalogue))


def refresh(where: Place, catalogue: Catalogue, months: tuple[str, ...], adopt: bool, progress: Progress) -> Outcome:
    """Run the job in this process under the lock; raises KetenError when settings are wrong, before any work."""
    from pipelines.lock import run_lock

    with run_lock(where.home, progress.tell):
        if not months and nothing_new(where, catalogue, progress):
            return Outcome(False, True)
        return _execute(where, catalogue, months, adopt, progress)


def purge(where: Place, catalogue: Catalogue, receipt_id: str, reason: str, progress: Progress) -> tuple[str, Outcome]:
    """Destroy the bytes of a delivery, and its rows and texts in the engine and the published file; its id and the run."""
    from pipelines.lock import run_lock
    from resources.engine import Engine
    from resources.landing import Landing

    with run_lock(where.home, progress.tell):
        receipt = Landing(where.landing).purge(receipt_id, reason)
        where.page.unlink(missing_ok=True)  # it may hold texts of the delivery; the run writes it anew
        outcome = _execute(where, catalogue, (), False, progress)
        if outcome.success:
            progress.step("writing the engine anew, without what was deleted")
            Engine.open(where.engine, where.home / "engine.tmp", progress.tell).rewrite()
        return receipt.receipt_id, outcome


def rebuild(where: Place, catalogue: Catalogue, progress: Progress) -> Outcome:
    """Make the engine again from the landing zone; the numbers of publications and keys are read back."""
    from pipelines.lock import run_lock

    with run_lock(where.home, progress.tell):
        for path in (where.engine, where.engine.with_name("engine.duckdb.wal")):
            path.unlink(missing_ok=True)
        shutil.rmtree(where.home / "engine.tmp", ignore_errors=True)
        return _execute(where, catalogue, (), True, progress)


def _execute(where: Place, catalogue: Catalogue, months: tuple[str, ...], adopt: bool, progress: Progress) -> Outcome:
    from assets.graph import PUBLICATION
    from pipelines.definitions import JOB, build_definitions
    from pipelines.instance import instance

    for part in (where.home, where.published.parent):
        part.mkdir(parents=True, exist_ok=True)
    progress.step("loading Dagster")
    definitions = build_definitions(where, progress, adopt, catalogue)
    with instance(where) as dagster:
        _close_dead_runs(dagster)
        result = definitions.resolve_job_def(JOB).execute_in_process(
            instance=dagster,
            raise_on_error=False,
            tags={"keten/pid": str(os.getpid())},
            run_config={"loggers": QUIET, "resources": {"session": {"config": {"months": list(months)}}}},
        )
        failed = [e.step_failure_data.error for e in result.all_events if e.is_step_failure]
        text = _reason([error for error in failed if error])
        done = {e.asset_key for e in result.all_events if e.is_step_materialization}
    return Outcome(True, result.success, text, PUBLICATION in done)


def _reason(failures: list[Any]) -> str:
    """The innermost cause of the first failed step, in one line."""
    if not failures:
        return ""
    error = failures[0]
    while error.cause:
        error = error.cause
    return str(error.message).strip()


def _close_dead_runs(dagster: Any) -> None:
    """Runs of killed processes are told failed: we hold the lock, so a run whose process is gone is dead."""
    from dagster import DagsterRunStatus, RunsFilter

    for run in dagster.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING])):
        pid = run.tags.get("keten/pid", "")
        if pid and not _alive(int(pid)):
            dagster.report_run_failed(run, "the process of this run was ended")


def _alive(pid: int) -> bool:
    return pid != os.getpid() and Path(f"/proc/{pid}").exists() or _signal_reaches(pid)


def _signal_reaches(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


def require_settings(catalogue: Catalogue, where: Place) -> None:
    """Stop before any work when the settings of a deployment cannot be used."""
    from assets.pulling import source_files

    today(catalogue.settings.zone)
    for source in catalogue.sources:
        source_files(catalogue, where.project, source)
