"""What every test shares: no test reads or writes the deployment of the person who runs it.

Belongs here: isolation of the environment, settings of the test tools, and the two deployments that many tests look at
or copy. Does not belong here: data of one test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from demo.generate import generate
from tests.deployment import Deployment, tiny
from tests.postgres_server import PostgresServer, postgres_server

settings.register_profile("suite", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("suite")


# These run whole jobs or many drawn cases, minutes each. Started first, they leave no worker alone with one of them.
LONG = ("kills", "demo_events", "deliveries", "run", "real", "merging", "page", "graph", "scaffold", "golden")


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


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The demo of three sites and four months after its first run. To be read, not changed: copy it for that."""
    made = Deployment(tmp_path_factory.mktemp("demo"))
    generate(made.project, sites=3, month_count=4)
    made.keten("run")
    return made


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The tiny deployment after its first run. To be read, not changed: copy it for that."""
    made = tiny(tmp_path_factory.mktemp("small"))
    made.keten("run")
    return made


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL. Who stops it starts it again; each test makes a database of its own."""
    with postgres_server() as server:
        yield server
