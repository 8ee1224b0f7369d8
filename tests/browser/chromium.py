"""Debian's Chromium without a screen, for tests and for the pictures of the docs.

Belongs here: starting it, and noting what a page asks for or complains of. Does not belong here: any page.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, sync_playwright

# A browser started by root has no sandbox; the others keep it from calling its maker, which looks like a page's own call.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000  # milliseconds, for a machine with other work


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, ended with the block."""
    path = shutil.which("chromium")
    assert path, "there is no `chromium` here; install Debian's package of that name"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page of the browser, what its console complained of, and what it asked of other places than its own."""

    page: Page
    home: str
    complaints: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to watch."""
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:")):
            self.strays.append(url)

    def is_quiet(self) -> bool:
        """Whether there was no complaint and no call to elsewhere; told apart when there was."""
        assert self.complaints == [] and self.strays == []
        return True
