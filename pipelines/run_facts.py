"""Facts from Dagster's own records: runs that failed, schedules and sensors that failed, a daemon that is silent.

Belongs here: reading the instance, and the one sentence of an error that may be told. Does not belong here: what came of
the data (facts).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.fact_kinds import Fact
from pipelines.running import OURS
from resources.wording import Words, day

if TYPE_CHECKING:
    import dagster as dg
    from dagster._core.storage.dagster_run import RunRecord
    from dagster._utils.error import SerializableErrorInfo

LOOKED_AT = 10
SILENCE = timedelta(minutes=10)
_BRACKETS = re.compile(r" ?\([^()]*\)")


def failed_runs(dagster: dg.DagsterInstance) -> Iterator[Fact]:
    """What made the runs of a job fail since its last success: one fact for each cause, however often it occurred."""
    for job, records in _streaks(dagster).items():
        causes: dict[str, tuple[str, RunRecord]] = {}
        for record in records:  # the newest first, so that the oldest of a cause stays
            told = _cause(dagster, record.dagster_run.run_id)
            causes[_digest(told)] = (told, record)
        for digest, (told, record) in causes.items():
            since = record.end_time or record.start_time
            yield Fact(
                "run_failed",
                f"{job}|{digest}",
                Words(f"{job}: {told}", f"{job}: {told}"),
                _moment(since) if since else None,
            )


def _streaks(dagster: dg.DagsterInstance) -> dict[str, list[RunRecord]]:
    """By job, its failed runs since the last that succeeded, the newest first. Jobs of a click in the UI are left out."""
    from dagster import DagsterRunStatus, RunsFilter

    found: dict[str, list[RunRecord]] = {}
    done: set[str] = set()
    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE]
    for record in dagster.get_run_records(RunsFilter(statuses=ended), limit=20 * LOOKED_AT):
        job = record.dagster_run.job_name
        if record.dagster_run.status is DagsterRunStatus.SUCCESS:
            done.add(job)
        elif job not in done and not job.startswith("__") and len(found.setdefault(job, [])) < LOOKED_AT:
            found[job].append(record)
    return found


def _cause(dagster: dg.DagsterInstance, run_id: str) -> str:
    """The innermost error of the first step that failed; without one, what Dagster says of the run."""
    from dagster import DagsterEventType

    wanted = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
    for record in dagster.get_records_for_run(run_id, of_type=wanted).records:
        event = record.event_log_entry.dagster_event
        if event and event.is_step_failure and (error := event.step_failure_data.error):
            return f"{told(error)} ({event.step_key})"
        if event:
            return " ".join((event.message or "").split())
    return "it ended without a word of why"


def told(error: SerializableErrorInfo) -> str:
    """An error in one sentence that may leave this machine.

    Our own errors are such a sentence, but for what other programs said, between brackets. Those of others may hold a row
    of data: of them only the kind is told.
    """
    while error.cause:
        error = error.cause
    if not OURS.match(error.message):
        return error.cls_name or "error"
    sentence, found = " ".join(OURS.sub("", error.message).split()), 1
    while found:
        sentence, found = _BRACKETS.subn("", sentence)
    return sentence


def _digest(text: str) -> str:
    """The same for texts that differ in numbers only: counts and times change while the cause stays."""
    return hashlib.sha256(re.sub(r"\d+", "#", text).encode()).hexdigest()[:12]


def failed_ticks(dagster: dg.DagsterInstance, automations: Iterable[str]) -> Iterator[Fact]:
    """Schedules and sensors of which the last tick failed, of those that there are and that are on."""
    from dagster._core.scheduler.instigation import InstigatorStatus, TickStatus

    ended = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]
    for state in dagster.all_instigator_state():
        if state.name not in automations or state.status is InstigatorStatus.STOPPED:
            continue
        for tick in dagster.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=ended):
            if tick.status is TickStatus.FAILURE:
                what = f"{state.name}: {told(tick.error) if tick.error else 'no word of why'}"
                yield Fact("tick_failed", state.name, Words(what, what), _moment(tick.timestamp))


def silent_daemon(dagster: dg.DagsterInstance, now: datetime) -> Iterator[Fact]:
    """A daemon that was heard before and is not any more; a deployment without one is told nothing."""
    heard = last_heard(dagster)
    if heard and now.replace(tzinfo=None) - heard > SILENCE:
        when = day(heard.date()) + f" {heard:%H:%M} UTC"
        yield Fact("daemon_silent", "daemon", Words("laatst gehoord ", "last heard ") + when, heard)


def last_heard(dagster: dg.DagsterInstance) -> datetime | None:
    """The last sign of life of any of the daemon's threads (naive UTC)."""
    times = [heartbeat.timestamp for heartbeat in dagster.get_daemon_heartbeats().values()]
    return _moment(max(times)) if times else None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
