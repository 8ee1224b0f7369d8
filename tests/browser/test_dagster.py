"""Dagster in a browser: what a facility team sees of it read-only, and that an engineer can start a run."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from pipelines.settings import ROOT
from resources.catalogue.reading import load_catalogue
from tests.browser.chromium import PATIENCE, Watched
from tests.deployment import AS_OF, Deployment

expect.set_options(timeout=PATIENCE)
CATALOGUE = load_catalogue()
ENERGY = CATALOGUE.indicators["energy_intensity"]


def test_the_page_stands_at_the_address_and_an_indicator_leads_to_its_own(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.home}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Meander")
    page.locator(f"#{ENERGY.id} a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(ENERGY.title.nl)
    assert watched.is_quiet()


def test_an_indicator_tells_what_it_is_whose_it_is_in_which_unit_and_where_it_is_made(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.home}/dagster/assets/indicator/{ENERGY.id}")
    for text in (ENERGY.description.nl, ENERGY.description.en, ENERGY.pitfall.nl):
        expect(page.get_by_text(text)).to_be_visible()
    for text in (ENERGY.owner, "unit: kWh_per_m2", "planet"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    expect(page.get_by_role("cell", name="energy_kwh", exact=True).first).to_be_visible()
    assert page.locator("a[href^=vscode]").count() == 0, "files of the server are of no use to a reader"
    with page.expect_popup() as popup:
        page.get_by_role("link", name=f"/catalogue/{ENERGY.id}.html").first.click()
    expect(popup.value.get_by_role("heading", level=1)).to_contain_text(ENERGY.title.nl)
    assert watched.strays == []


def test_a_table_tells_its_columns_with_unit_and_says_what_is_checked(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.home}/dagster/assets/core/site")
    expect(page.get_by_text(CATALOGUE.columns["floor_area_go_m2"].nl, exact=False)).to_be_visible()
    expect(page.get_by_text("m2", exact=False).first).to_be_visible()
    page.goto(f"{watched.home}/dagster/assets/core/site?view=checks")
    expect(page.get_by_text("De sleutel site_id is uniek. / The key site_id is unique.").first).to_be_visible()
    assert watched.strays == []


def test_the_values_show_the_course_of_each_indicator(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.home}/dagster/assets/publish/rpt_indicator_value")
    page.get_by_text("[Show Markdown]").click()
    row = page.get_by_role("dialog").get_by_role("row").filter(has=page.get_by_text(ENERGY.id, exact=True))
    expect(row).to_contain_text("kWh/m² per jaar")
    assert row.locator("img").evaluate("image => image.complete && image.naturalWidth") > 0


def test_the_lineage_of_an_indicator_is_drawn_from_the_landed_files(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.home}/dagster/assets/indicator/{ENERGY.id}?view=lineage&lineageScope=upstream&lineageDepth=5")
    for group in ("landing", "core", "ledger", "planet"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    for name in ("energy_day", "energy_month", ENERGY.id):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    assert page.get_by_text("meter_reading", exact=True).count() == 2, "as landed and in core"
    assert watched.strays == []


def test_a_reader_cannot_start_a_run(watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.home}/dagster/assets/indicator/{ENERGY.id}")
    expect(page.get_by_role("button", name="Materialize")).to_be_disabled()


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def full(small: Deployment, tmp_path: Path) -> Iterator[str]:
    """`dagster dev` on the tiny deployment, as `make dev` starts it; its address."""
    made = small.copy(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["exec", "--home", str(made.home), "--project", str(made.project), "dagster", "dev", "--port", str(port)]
    with (tmp_path / "dev.txt").open("w") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", *command],
            cwd=ROOT,
            env={**os.environ, "KETEN_AS_OF": AS_OF},
            stdout=said,
            stderr=said,
        )
        try:
            while not _answers(port):
                assert server.poll() is None, (tmp_path / "dev.txt").read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def test_an_engineer_starts_the_job_from_the_full_user_interface(full: str, context: BrowserContext) -> None:
    page = Watched(context.new_page(), full).page
    page.goto(f"{full}/locations/ketenimpact/jobs/refresh")
    with page.expect_response(re.compile("op=Launch(PipelineExecution|MultipleRuns)")) as launched:
        page.get_by_role("button", name="Materialize all").click(timeout=2 * PATIENCE)
    # Other runs may stand there: the daemon asks for those that are due by itself.
    run = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", launched.value.text())
    assert run
    page.goto(f"{full}/runs/{run[0]}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=4 * PATIENCE)
