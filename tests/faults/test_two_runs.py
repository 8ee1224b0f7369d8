"""Two runs at once: the second waits and says for whom, whoever started it."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from tests.deployment import AS_OF, Deployment
from tests.faults.soundness import assert_accounted, assert_whole, correction


def run_as_the_daemon_does(home: Path, project: Path, out: Path) -> None:
    """A run of the job that no command line started; its log goes to a file."""
    descriptor = os.open(out, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ.update(KETEN_HOME=str(home), KETEN_PROJECT=str(project), KETEN_AS_OF=AS_OF)
    from pipelines.definitions import JOB, build_definitions
    from pipelines.instance import instance
    from pipelines.settings import place

    where = place()
    with instance(where) as dagster:
        result = build_definitions(where).resolve_job_def(JOB).execute_in_process(instance=dagster)
    raise SystemExit(0 if result.success else 1)


def wait_for_holder(made: Deployment, pid: int | None) -> None:
    note = made.home / "run.holder"
    until = time.monotonic() + 60
    while not note.exists() or f"process {pid} " not in note.read_text("utf-8"):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_second_run_waits_for_the_first_and_names_it(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.drop(*correction(1))
    first = made.start("run")
    wait_for_holder(made, first.pid)
    second = made.start("run")
    done = [made.finish(process) for process in (first, second)]
    assert [d.code for d in done] == [0, 0]
    assert f"waiting for another run: process {first.pid} on " in done[1].text
    assert "no run was started" in done[1].text, "the first had done all there was to do"
    assert_whole(made, 2)


@pytest.mark.parametrize("first", ["command line", "daemon"])
def test_a_run_of_the_daemon_and_one_of_the_command_line_wait_for_each_other(
    small: Deployment, tmp_path: Path, first: str
) -> None:
    made = small.copy(tmp_path)
    made.drop(*correction(1))
    out = tmp_path / "daemon.txt"
    context = multiprocessing.get_context("forkserver")
    daemon = context.Process(target=run_as_the_daemon_does, args=(made.home, made.project, out))
    if first == "daemon":
        daemon.start()
        wait_for_holder(made, daemon.pid)
        command = made.start("run")
    else:
        command = made.start("run")
        wait_for_holder(made, command.pid)
        daemon.start()
    told = made.finish(command)
    daemon.join(120)
    assert (told.code, daemon.exitcode) == (0, 0), told.text + out.read_text("utf-8")
    waited, held = (told.text, daemon.pid) if first == "daemon" else (out.read_text("utf-8"), command.pid)
    assert f"waiting for another run: process {held} on " in waited
    assert_whole(made, 2)
    assert_accounted(made)


@pytest.mark.parametrize("arguments", [("receipt", "list"), ("trace", "energy_intensity"), ("catalogue",)])
def test_looking_does_not_wait_for_a_run(small: Deployment, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    made = small.copy(tmp_path)
    with FileLock(made.home / "run.lock").acquire(), duckdb.connect(str(made.home / "engine.duckdb")):
        assert "waiting" not in made.keten(*arguments)
