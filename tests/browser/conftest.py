"""What the tests in a browser share: the browser, a deployment with a year of values, and its server.

Belongs here: things that take seconds to start. Does not belong here: any expectation.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from demo.generate import generate
from tests.browser.chromium import Watched, chromium
from tests.deployment import Deployment
from tests.test_serving import Served, serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The demo of three sites with fourteen months, so that the page has yearly values with a course."""
    made = Deployment(tmp_path_factory.mktemp("year"))
    generate(made.project, sites=3, month_count=14, interval_share=0.1)
    made.keten("run")
    return made


@pytest.fixture(scope="session")
def served(year: Deployment) -> Iterator[Served]:
    with serving(year) as found:
        yield found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1440, "height": 1000})
    yield made
    made.close()


@pytest.fixture
def watched(context: BrowserContext, served: Served) -> Watched:
    """A page that looks at the server."""
    return Watched(context.new_page(), f"http://127.0.0.1:{served.port}")
