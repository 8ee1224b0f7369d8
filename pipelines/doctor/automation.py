"""Checks of what goes by itself: the daemon, schedules and sensors, channels for alerts, and what needs a person.

Belongs here: Dagster's records and what was told. Does not belong here: results and files (state).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pipelines.doctor.examining import Finding, Patient


def daemon(patient: Patient) -> Iterator[Finding]:
    """Whether Dagster's daemon was heard lately."""
    from pipelines.run_facts import SILENCE, last_heard

    start = "start it with `keten exec dagster-daemon run` or your service manager, or let cron call `keten run`"
    with patient.dagster() as dagster:
        heard = last_heard(dagster)
    if heard is None:
        yield Finding("daemon", "warning", "was never heard, so schedules and sensors do nothing", start)
    elif datetime.now(UTC).replace(tzinfo=None) - heard > SILENCE:
        yield Finding("daemon", "fault", f"was last heard at {heard:%Y-%m-%d %H:%M} UTC", start)
    else:
        yield Finding("daemon", "ok", f"was heard at {heard:%Y-%m-%d %H:%M:%S} UTC")


def automations(patient: Patient) -> Iterator[Finding]:
    """Which schedules and sensors are on, and whether their last tick went well."""
    from dagster._core.scheduler.instigation import InstigatorStatus

    from pipelines.alert_sensor import automations as names
    from pipelines.definitions import build_definitions
    from pipelines.run_facts import failed_ticks

    repository = build_definitions(patient.where, catalogue=patient.catalogue).get_repository_def()
    repository.load_all_definitions()  # as Dagster's tools do: what is wrong with one of them is told here
    known = names(repository)
    with patient.dagster() as dagster:
        stopped = {s.name for s in dagster.all_instigator_state() if s.status is InstigatorStatus.STOPPED}
        failed = list(failed_ticks(dagster, known))
    for name in sorted(known & stopped):
        repair = "turn it on in Dagster's interface, under Automation, unless it is off on purpose"
        yield Finding("automations", "warning", f"{name} is off", repair)
    for fact in failed:
        yield Finding(
            "automations",
            "fault",
            f"the last tick failed of {fact.what.en}",
            "mend what it names; the next tick tries again",
        )
    yield Finding("automations", "ok", f"on: {', '.join(sorted(known - stopped)) or 'none'}")


def alerts(patient: Patient) -> Iterator[Finding]:
    """Whether anyone is told, and whether the last messages arrived."""
    from pipelines.alerting import read_told

    channels = [channel.url for channel in patient.catalogue.settings.alerts.to]
    if not channels:
        repair = "name a channel in keten.yml under `alerts: to:`; docs/alerts.md shows how"
        yield Finding("alerts", "warning", "nobody is told when something needs a person", repair)
    told = read_told(patient.where.home)
    for name in channels:
        state = told.get(name)
        if state and state.failed:
            repair = "mend the URL in its environment variable, then `keten alerts --test`"
            yield Finding("alerts", "fault", f"{name}: {state.failed} (since {state.failed_since[:16]} UTC)", repair)
        else:
            yield Finding("alerts", "ok", f"{name}: told of {len(state.facts) if state else 0} open facts")


def facts(patient: Patient) -> Iterator[Finding]:
    """How much needs a person, by kind: failed runs, held deliveries, what is overdue."""
    from pipelines.fact_kinds import KINDS
    from pipelines.facts import find

    with patient.dagster() as dagster:
        found = find(patient.where, patient.catalogue, dagster, ())
    for kind, known in KINDS.items():
        mine = [fact for fact in found.facts if fact.kind == kind]
        if mine:
            told = f"{known.title.en}: {len(mine)}, such as {mine[0].what.en}"
            yield Finding("facts", "warning", told, "`keten alerts` lists them with their repair")
    if not found.facts:
        yield Finding("facts", "ok", "nothing needs a person")
