"""The pages in a browser, opened as files without any network: they are whole, quiet, and readable by everyone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.chromium import Watched
from tests.deployment import Deployment

PAGES = ["index.html", "catalogue/index.html", "catalogue/energy_intensity.html"]
# What keeps someone from reading; the rest of what axe has are hints.
GRAVE = ("serious", "critical")


@pytest.fixture(params=PAGES)
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["light", "dark"])
def opened(request: pytest.FixtureRequest, browser: Browser, year: Deployment, path: str) -> Watched:
    """A page opened from the disk, in the light and in the dark, with the network off."""
    folder = year.published.parent.as_uri()
    context = browser.new_context(color_scheme=request.param, offline=True, viewport={"width": 1200, "height": 900})
    request.addfinalizer(context.close)
    watched = Watched(context.new_page(), folder)
    watched.page.goto(f"{folder}/{path}")
    return watched


def test_a_page_loads_nothing_complains_of_nothing_and_can_be_read_by_everyone(opened: Watched) -> None:
    assert opened.is_quiet()
    violations = Axe().run(opened.page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations if v["impact"] in GRAVE] == []


def test_light_and_dark_differ_and_text_stands_out_in_both(browser: Browser, year: Deployment, path: str) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{year.published.parent.as_uri()}/{path}")
        seen[scheme] = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        page.close()
    assert seen["light"][0] != seen["dark"][0] and seen["light"][1] != seen["dark"][1]


@pytest.mark.parametrize("width", [390, 320, 768])
def test_nothing_sticks_out_of_a_narrow_screen(opened: Watched, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 844})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_link_of_the_page_leads_somewhere(opened: Watched) -> None:
    links = opened.page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    assert links
    for link in dict.fromkeys(links):
        if link.startswith("file:"):
            opened.page.goto(link)
            anchor = link.partition("#")[2]
            assert not anchor or opened.page.locator(f"[id='{anchor}']").count() == 1, link
    assert opened.is_quiet()


def test_the_page_prints_in_black_on_white_without_what_only_works_on_a_screen(opened: Watched) -> None:
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert opened.page.locator(".switch").evaluate("e => getComputedStyle(e).display") == "none"
    assert opened.page.pdf().startswith(b"%PDF")


def test_a_reader_chooses_a_language_without_a_script(opened: Watched) -> None:
    english, dutch = (opened.page.locator(f"main [lang={code}]").first for code in ("en", "nl"))
    opened.page.get_by_text("Nederlands", exact=True).click()
    assert dutch.is_visible() and not english.is_visible()
    opened.page.get_by_text("English", exact=True).click()
    assert english.is_visible() and not dutch.is_visible()
