"""The Dagster instance of a deployment: `KETEN_HOME/dagster` and its dagster.yaml.

Belongs here: how Dagster keeps its own records, and starting Dagster's tools on them. Does not belong here: what a run
does (definitions).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from pipelines.settings import ROOT, Place
from resources.errors import KetenError
from resources.publication.published_file import replace_text

MARK = "# Written by keten at every start. Without this line the file is yours, and keten leaves it alone.\n"
DATABASE = "KETEN_DAGSTER_URL"
_COMMON = """telemetry: {enabled: false}
nux: {enabled: false}
concurrency: {pools: {granularity: run, default_limit: 1}, runs: {max_concurrent_runs: 1}}
# A run that does not start, or that hangs, is told failed and makes room for the next.
run_monitoring: {enabled: true, start_timeout_seconds: 300, cancel_timeout_seconds: 180, max_runtime_seconds: 21600}
retention:
  schedule: {purge_after_days: {skipped: 30, success: 90, failure: 90}}
  sensor: {purge_after_days: {skipped: 2, success: 30, failure: 30}}
"""
_FILES = "event_log_storage: {module: pipelines.event_log, class: EventLog}\n"
_POSTGRESQL = f"storage: {{postgres: {{postgres_url: {{env: {DATABASE}}}}}}}\n"


def instance(where: Place) -> dg.DagsterInstance:
    """The Dagster instance in `KETEN_HOME/dagster`, and DAGSTER_HOME set to it."""
    os.environ["DAGSTER_HOME"] = str(prepare(where))
    return dg.DagsterInstance.from_config(str(where.dagster))


def prepare(where: Place) -> Path:
    """Write dagster.yaml, unless someone made it their own; returns DAGSTER_HOME.

    Dagster's records are files in that folder, or with KETEN_DAGSTER_URL set a PostgreSQL database, for processes on
    several machines.
    """
    config = where.dagster / "dagster.yaml"
    if not config.exists() or config.read_text("utf-8").startswith(MARK):
        replace_text(config, MARK + _COMMON + (_POSTGRESQL if os.environ.get(DATABASE) else _FILES))
    return where.dagster


def become(where: Place, command: Sequence[str]) -> None:
    """Let a tool of Dagster take the place of this process, with the settings of the deployment.

    Raises KetenError when the tool is not installed beside this program.
    """
    name, *arguments = command
    program = Path(sys.executable).with_name(name)
    if not name.startswith("dagster") or not program.exists():
        raise KetenError(f"'{name}' is none of Dagster's tools: dagster, dagster-daemon, dagster-webserver")
    settings = {"DAGSTER_HOME": prepare(where), "KETEN_HOME": where.home, "KETEN_PROJECT": where.project}
    os.chdir(ROOT)  # its workspace.yaml tells Dagster where the code is
    os.execve(program, [name, *arguments], {**os.environ, **{key: str(value) for key, value in settings.items()}})
