"""What every test shares: no test reads or writes the deployment of the person who runs it.

Belongs here: isolation of the environment, settings of the test tools, and the two deployments that many tests look at
or copy. Does not belong here: data of one test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from demo.generate import generate
from pipelines.settings import Place
from tests.deployment import Deployment, tiny
from tests.postgres_server import PostgresServer, postgres_server

settings.register_profile("suite", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("suite")


# These run whole jobs or many drawn cases, minutes each. Started first, they leave no worker alone with one of them. It
# holds by --no-loadscope-reorder of pyproject.toml: else modules with many tests, which are short, would come first.
LONG = """kills demo_events dirty deliveries run real month_close targets alert_facts page plan merging touched scheduling
    graph scaffold same_everywhere golden""".split()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules first; within a module as written."""
    order = {f"test_{name}": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(autouse=True)
def _own_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """KETEN_HOME is a folder of the test; the other variables of a deployment are not set."""
    monkeypatch.setenv("KETEN_HOME", str(tmp_path / "home"))
    for name in ("KETEN_PROJECT", "KETEN_AS_OF", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)


def made_once(folder: Path, name: str, make: Callable[[Path], Deployment]) -> Deployment:
    """A deployment after its first run: the worker that is first to ask makes it, and each has a copy of its own."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        made = make(folder / name)
        made.keten("run")
        return made
    of_all, finished = folder.parent / name, folder.parent / f"{name}.finished"
    with FileLock(folder.parent / f"{name}.lock"):
        if not finished.exists():
            make(of_all).keten("run")
            finished.touch()
    # A worker that comes back to a module sets it up again.
    return Deployment(folder / name) if (folder / name).exists() else Deployment(of_all).copy(folder / name)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The demo of three sites and four months after its first run. To be read, not changed: copy it for that."""

    def make(folder: Path) -> Deployment:
        generate(folder / "project", sites=3, month_count=4)
        return Deployment(folder)

    return made_once(tmp_path_factory.getbasetemp(), "demo", make)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The tiny deployment after its first run. To be read, not changed: copy it for that."""
    return made_once(tmp_path_factory.getbasetemp(), "small", tiny)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """The tiny deployment, which has not run."""
    made = tiny(tmp_path)
    return Place(made.home, made.project)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL. Who stops it starts it again; each test makes a database of its own."""
    with postgres_server() as server:
        yield server
