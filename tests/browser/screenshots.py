"""The pictures in `docs/`: `python -m tests.browser.screenshots` makes them of the deployment of the environment.

Belongs here: which views are shown, and how large. Does not belong here: any test.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from pipelines.settings import ROOT
from tests.browser.chromium import PATIENCE, chromium

INDICATOR = "energy_intensity"
DEPTH = 4


@contextmanager
def _served() -> Iterator[str]:
    """The address of `keten serve` for the time of the block."""
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://[\d.]+:\d+", server.stdout.readline())
            assert found, "the server did not start"
            yield found[0]
        finally:
            server.terminate()


def _open(page: Page, address: str, width: int, height: int, awaited: str) -> None:
    """A view of this size, once a text that comes late is there: Dagster fits its graph to the size it starts with."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)
    page.get_by_text(awaited, exact=True).first.wait_for()


def _shoot(page: Page, name: str) -> None:
    """Write the picture once nothing moves any more."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    target = ROOT / "docs" / f"{name}.png"
    page.screenshot(path=target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size // 1024} KiB")


def main() -> None:
    """Make all pictures."""
    with _served() as home, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        _open(page, f"{home}/", 1180, 1240, "Kernwaarden")
        _shoot(page, "page")
        asset = f"{home}/dagster/assets/indicator/{INDICATOR}"
        _open(page, f"{asset}?view=lineage&lineageScope=upstream&lineageDepth={DEPTH}", 2100, 1150, "landing")
        _shoot(page, "lineage")
        _open(page, asset, 1300, 1265, "gap_code")
        _shoot(page, "dagster-asset")
        _open(page, f"{home}/dagster/assets/publish/rpt_indicator_value", 1240, 1230, "course_by_month")
        page.get_by_text("[Show Markdown]").click()
        _shoot(page, "serve")


if __name__ == "__main__":
    main()
