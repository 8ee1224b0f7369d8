"""Running the job `refresh` from the command line: is there anything to do, do it, tell what came of it.

Belongs here: the steps around one in-process run. Does not belong here: printing (cli), the steps themselves (assets).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.fingerprint import input_fingerprint
from pipelines.records import put_away_damaged
from pipelines.settings import Place, today
from resources.catalogue import Catalogue
from resources.disk import Damaged, full_disk_told
from resources.errors import KetenError
from resources.progress import Progress

# The terminal shows our own progress; Dagster's log lines are in its event log.
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
# How Dagster begins the text of a KetenError.
OURS = re.compile(r"^(?:resources|assets|pipelines)\.[\w.]+: ")
# The tag of a run that tells in which process it is.
PID = "keten/pid"
RUN_FAILURE = "PIPELINE_FAILURE"


@dataclass(frozen=True)
class Outcome:
    """What a call of `keten run` did: `started` is False when nothing was new; `failure` is the first error.

    `published` tells whether the results are, also when what comes after them failed; `months` which months were
    computed again, each with why; `behind` what the targets say that could not follow.
    """

    started: bool
    success: bool
    failure: str = ""
    published: bool = False
    run_id: str = ""
    months: dict[str, str] = field(default_factory=dict)
    behind: tuple[str, ...] = ()

    def told(self) -> str:
        """What went wrong, and what that means for the results."""
        if not self.published:
            return f"the run failed and nothing was published: {self.failure}"
        page = [f"their page could not be made: {self.failure}"] if self.failure else []
        return f"the results are published, but {'; '.join([*page, *self.behind])}"


def changed_since_publication(where: Place, catalogue: Catalogue) -> bool:
    """Whether the published file was made of other deliveries, declarations or code than there are now."""
    from resources.publication.publishing import published_state

    state = published_state(where.published)
    return state is None or state["fingerprint"] != input_fingerprint(where, catalogue)


def nothing_new(where: Place, catalogue: Catalogue, progress: Progress, engine_path: Path | None = None) -> bool:
    """Whether the last publication was made of just these inputs, no delivery waits and its page is there.

    Only when all that is so are sources on a server asked whether they have news.

    Call it under the lock, and with a copy of the engine when this one is to stay untouched.
    """
    from assets.fetching import glance
    from assets.page.making import is_page_of
    from assets.publication import is_current
    from resources.engine import Engine
    from resources.publication.publishing import published_state

    state = published_state(where.published)
    path = engine_path or where.engine
    if not path.exists() or not state or not is_page_of(where.page, state["number"]):
        return False
    try:
        with Engine.open(path, path.with_name("engine.tmp"), progress.tell) as engine:
            is_same = is_current(engine, where.published, input_fingerprint(where, catalogue))
    except Damaged as error:
        progress.tell(str(error))
        return False
    return is_same and not glance(catalogue, where.project, where.landing)


def targets_behind(where: Place, catalogue: Catalogue) -> list[str]:
    """The targets that do not show the publication of the published file, or do not answer."""
    from assets.targets import behind
    from resources.publication.publishing import published_state

    state = published_state(where.published) if catalogue.targets else None
    return behind(catalogue.targets, where.home, state["number"]) if state else []


def refresh(where: Place, catalogue: Catalogue, months: tuple[str, ...], adopt: bool, progress: Progress) -> Outcome:
    """Run the job in this process under the lock; raises KetenError when settings are wrong, before any work.

    When nothing is new but targets are behind, only these are brought up to date.
    """
    from pipelines.lock import run_lock

    with run_lock(where.home, progress.tell):
        if months or not nothing_new(where, catalogue, progress):
            return execute(where, catalogue, months, adopt, progress)
        late = targets_behind(where, catalogue)
        return execute(where, catalogue, (), adopt, progress, targets=late) if late else Outcome(False, True)


def purge(
    where: Place, catalogue: Catalogue, receipt_ids: Sequence[str], reason: str, progress: Progress
) -> tuple[list[str], Outcome]:
    """Destroy the bytes of deliveries, and their rows and texts in engine and published file; their ids and the run."""
    from pipelines.lock import run_lock
    from resources.engine import Engine
    from resources.landing import Landing

    with run_lock(where.home, progress.tell):
        landing = Landing(where.landing)
        purged = [landing.purge(receipt_id, reason).receipt_id for receipt_id in receipt_ids]
        where.page.unlink(missing_ok=True)  # it may hold texts of the deliveries; the run writes it anew
        outcome = execute(where, catalogue, (), False, progress)
        if outcome.published:
            progress.step("writing the engine anew, without what was deleted")
            Engine.open(where.engine, where.home / "engine.tmp", progress.tell).rewrite()
            where.engine.with_suffix(".damaged").unlink(missing_ok=True)
        return purged, outcome


def rebuild(where: Place, catalogue: Catalogue, progress: Progress) -> Outcome:
    """Make the engine again from the landing zone; the numbers of publications and keys are read back."""
    from pipelines.lock import run_lock

    with run_lock(where.home, progress.tell):
        for path in (where.engine, where.engine.with_name("engine.duckdb.wal")):
            path.unlink(missing_ok=True)
        shutil.rmtree(where.home / "engine.tmp", ignore_errors=True)
        return execute(where, catalogue, (), False, progress)


def execute(
    where: Place,
    catalogue: Catalogue,
    months: tuple[str, ...],
    adopt: bool,
    progress: Progress,
    only_publish: bool = False,
    targets: Sequence[str] = (),
) -> Outcome:
    """Run the job in this process, under the lock.

    With `only_publish` without page and targets; with `targets` for just these, which needs no engine. It is run once
    more when Dagster's records or the engine turned out to be damaged and were put away for it.
    """
    once = partial(_execute_once, where, catalogue, months, adopt, progress, only_publish, targets)
    with full_disk_told(where.dagster):
        try:
            outcome = once()
        except Exception as error:
            if isinstance(error, KetenError) or not put_away_damaged(where.dagster, progress.tell):
                raise
            outcome = once()
        if outcome.success or where.engine.exists():
            return outcome
        progress.tell(outcome.failure)
        return once()


def _execute_once(
    where: Place,
    catalogue: Catalogue,
    months: tuple[str, ...],
    adopt: bool,
    progress: Progress,
    only_publish: bool,
    targets: Sequence[str],
) -> Outcome:
    from assets.targets import target_key
    from pipelines.definitions import JOB, build_definitions, up_to_publication
    from pipelines.instance import instance

    for part in (where.home, where.published.parent):
        part.mkdir(parents=True, exist_ok=True)
    progress.step("loading Dagster")
    definitions = build_definitions(where, progress, adopt, catalogue)
    only = up_to_publication(definitions) if only_publish else [target_key(name) for name in targets]
    session = {} if targets else {"resources": {"session": {"config": {"months": list(months)}}}}
    with instance(where) as dagster:
        close_dead_runs(dagster, is_locked=False)  # by any other process: we hold it
        result = definitions.resolve_job_def(JOB).execute_in_process(
            instance=dagster,
            raise_on_error=False,
            tags=this_process(),
            asset_selection=only or None,
            run_config={"loggers": QUIET, **session},
        )
    return _outcome(result, catalogue, published=bool(targets))


def _months_with_why(made: list[Any]) -> dict[str, str]:
    from assets.graph import LEDGER_MONTHS, WHY

    return {e.partition: str(e.materialization.metadata[WHY].value) for e in made if e.asset_key == LEDGER_MONTHS}


def _outcome(result: Any, catalogue: Catalogue, published: bool) -> Outcome:
    """What a run came to; `published` tells whether the results were before it."""
    from assets.graph import PUBLICATION
    from assets.targets import target_key

    steps = {target_key(setting.name).to_python_identifier() for setting in catalogue.targets}
    failed = [(e.step_key in steps, _reason(e.step_failure_data.error)) for e in result.all_events if e.is_step_failure]
    # Before the first step there is only the failure of the run itself, such as an engine that is open elsewhere.
    ends = [_reason(e.job_failure_data.error) for e in result.all_events if e.event_type_value == RUN_FAILURE]
    reasons = [reason for is_target, reason in failed if not is_target] or ([] if failed else ends)
    made = [e for e in result.all_events if e.is_step_materialization]
    return Outcome(
        True,
        result.success,
        next(iter(reasons), ""),
        published or any(e.asset_key == PUBLICATION for e in made),
        result.run_id,
        _months_with_why(made),
        tuple(reason for is_target, reason in failed if is_target),
    )


def _reason(error: Any) -> str:
    """What was told for the operator of a failure, or else its innermost cause; in one line."""
    while error and error.cause and not OURS.match(str(error.message)):
        error = error.cause
    return OURS.sub("", str(error.message)).strip() if error else ""


def this_process() -> dict[str, str]:
    """The tag of a run of this process."""
    return {PID: f"{os.getpid()}@{socket.gethostname()}"}


def close_dead_runs(dagster: Any, is_locked: bool) -> None:
    """Runs of killed processes are told failed, so that they do not keep the queue waiting.

    When no other process holds the lock, a run of another machine or container is dead too: every run takes it.
    """
    from dagster import DagsterRunStatus, RunsFilter

    for run in dagster.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.STARTING])):
        if is_dead(run) or not is_locked and _host(run) not in ("", socket.gethostname()):
            dagster.report_run_failed(run, "the process of this run was ended")


def is_dead(run: Any) -> bool:
    """Whether the process of a run that is not told to have ended is gone; a run that is not yet in a process is not."""
    pid, _, host = run.tags.get(PID, "").partition("@")
    return bool(pid) and host in ("", socket.gethostname()) and not _alive(int(pid))


def _host(run: Any) -> str:
    return str(run.tags.get(PID, "").partition("@")[2])


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
    from assets.pulling import require_mapping, source_fingerprint
    from resources.sources import make_connector
    from resources.targets import make_target

    today(catalogue.settings.zone)
    source_fingerprint(catalogue, where.project, where.landing)
    for source in catalogue.sources:
        require_mapping(catalogue, source)
        if source.remote:
            make_connector(source, where.project)
    for setting in catalogue.targets:
        make_target(setting, where.home)
