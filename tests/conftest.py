"""What every test shares: no test reads or writes the deployment of the person who runs it.

Belongs here: isolation of the environment, and settings of the test tools. Does not belong here: data of one test.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("suite", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _own_deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """KETEN_HOME is a folder of the test; the other variables of a deployment are not set."""
    monkeypatch.setenv("KETEN_HOME", str(tmp_path / "home"))
    for name in ("KETEN_PROJECT", "KETEN_AS_OF", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
