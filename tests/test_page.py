"""The page beside the published file: what it tells, that it tells it safely, and when it is written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.page import making
from assets.page.charts import line, widths
from assets.page.rendering import FOLDER
from assets.page.sources import address_of
from assets.page.values import namesakes
from resources.catalogue import Catalogue
from resources.catalogue.reading import load_catalogue
from resources.publication.published import reading
from resources.wording import moment, number, period
from tests.deployment import WASTE, Deployment, tiny
from tests.html_page import Page

CATALOGUE = load_catalogue()
CORE = {item.id for item in CATALOGUE.indicators.values() if item.core}
SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'


def page_of(made: Deployment) -> Page:
    return Page((made.home / "published" / "index.html").read_text("utf-8"))


# --- a whole deployment -----------------------------------------------------------------------------------------------


def test_the_page_tells_of_whom_when_and_every_core_indicator(demo: Deployment) -> None:
    page = page_of(demo)
    assert {e.attributes["id"] for e in page.all("article")} == CORE
    assert page.all("h1")[0].text == load_catalogue(demo.project).settings.organisation
    ((published_at,),) = demo.rows("select published_at from bi.publication")
    (facts,) = page.all("dl")
    assert f"1, {moment(published_at, 'Europe/Amsterdam').nl}" in facts.text
    ((first, last),) = demo.rows("select min(local_date), max(local_date) from bi.dim_date")
    assert " ".join(period(first, last + timedelta(days=1)).nl.split()) in facts.text


def test_the_page_tells_what_was_rejected_and_refused_and_why(demo: Deployment) -> None:
    section = page_of(demo).with_id("rejected")
    assert "‘Gewicht’ is geen getal." in section.text and "‘Mass’ is not a number." in section.translation
    ((text, row_no, file_name),) = demo.rows(
        "select row_text, row_no, file_name from bi.rpt_rejected_row join bi.rpt_delivery using (receipt_id)"
        " where reasons = 'not_a_number:mass_kg'"
    )
    assert f"{file_name}, regel {row_no} {text}" in section.text
    (refusal,) = demo.landing.refusals()
    assert refusal["file_name"] in section.text
    assert f"Persoonsgegevens in: {', '.join(refusal['headings'])}." in section.text


def test_the_traced_figure_is_the_sum_of_lines_that_are_in_the_files(demo: Deployment) -> None:
    page = page_of(demo)
    section = page.with_id("traced")
    rows = [[e.text for e in page.within(row, "td")] for row in page.within(section, "tr")]
    sources = [row for row in rows if len(row) == 4]
    assert sources
    for file_name, row_no, day, mass in sources:
        landed = demo.landing.path(demo.receipt(file_name)).read_text("utf-8").splitlines()
        cells = landed[int(row_no) - 1].split(";")
        numbers = {decimal(c) * unit for c in cells if re.fullmatch(r"[\d,]+", c) for unit in (1, 1000)}  # kg or tonnes
        assert day in cells and decimal(mass) in numbers and "Restafval" in cells
    (total,) = page.within(page.within(section, "tfoot")[0], "td")
    assert not any("en nog" in cell for row in rows for cell in row), (
        "the demo has a site of which all rows can be shown"
    )
    assert sum(decimal(row[3]) for row in sources) == decimal(total.text)
    site, code = re.search(r"--site (\w+) --period ([\d-]+)", section.text).groups()  # type: ignore[union-attr]
    ((numerator, value),) = demo.rows(
        "select numerator, value from bi.rpt_indicator_value where indicator_id = 'residual_waste_per_fte'"
        f" and scope_code like '%site={site}' and level_code = 'site' and period_code = '{code}'"
    )
    assert decimal(total.text) == numerator
    assert number(value, 1).nl in page.within(section, "b")[1].text


def decimal(text: str) -> Decimal:
    """A number as Dutch people write it."""
    return Decimal(text.replace(".", "").replace(",", "."))


def test_chains_stand_with_their_clock(demo: Deployment) -> None:
    text = page_of(demo).with_id("clocks").text
    clocks = demo.rows("select chain_name, days_on_clock from bi.rpt_chain_clock join bi.dim_chain using (chain_key)")
    assert clocks
    for name, days in clocks:
        assert name in text and f"{days} dagen" in text


def test_the_foot_names_the_sources_of_the_factors_in_use(demo: Deployment) -> None:
    page = page_of(demo)
    (foot,) = page.all("footer")
    assert "co2emissiefactoren.nl" in foot.text and "free to use" in foot.text
    assert "https://co2emissiefactoren.nl" in {e.attributes["href"] for e in page.within(foot, "a")}


def test_figures_that_go_by_one_name_stand_side_by_side(demo: Deployment) -> None:
    names = {item.id for item in namesakes(CATALOGUE)}
    assert names == {"energy_intensity", *(f"energy_intensity_{n}" for n in ("lower_value", "building", "bvo", "vvo"))}
    page = page_of(demo)
    links = {e.attributes["href"] for e in page.within(page.with_id("names"), "a")}
    assert links == {f"catalogue/{name}.html" for name in names}


# --- the values, from published tables that hold what a test needs ----------------------------------------------------


@pytest.fixture
def tables(small: Deployment, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables of the tiny deployment, open for a test to change."""
    shutil.copyfile(small.published, tmp_path / "changed.duckdb")
    (tmp_path / "changed.duckdb").chmod(0o644)
    with duckdb.connect(str(tmp_path / "changed.duckdb")) as connection:
        yield connection


@pytest.fixture
def catalogue(small: Deployment) -> Catalogue:
    return load_catalogue(small.project)


def told(catalogue: Catalogue, tables: duckdb.DuckDBPyConnection, refusals: list[dict[str, Any]] | None = None) -> Page:
    """The page of changed tables, without an engine behind them."""

    def read(select: str) -> list[dict[str, Any]]:
        return tables.execute(select).to_arrow_table().to_pylist()

    return Page(making.page_text(catalogue, read, lambda _: [], refusals or []))


def give(
    tables: duckdb.DuckDBPyConnection,
    indicator: str,
    until: str,
    value: str | None,
    status: str = "measured",
    client: str = "",
    coverage: str = "1",
) -> None:
    """Publish the value of an indicator over the twelve months until a day, for the total or for a client."""
    level, scope = ("client", f"client={client}") if client else ("total", "total")
    tables.execute(
        "insert into bi.rpt_indicator_value by name select * replace ("
        f"'{indicator}' as indicator_id, 'rolling12' as period_type, '{until}~12' as period_code,"
        f" date '{until}' - interval 1 year as period_from, date '{until}' as period_to, {value or 'null'} as value,"
        f" {coverage} as coverage, '{status}' as value_status, true as is_complete_period,"
        f" '{level}' as level_code, '{scope}' as scope_code,"
        f" coalesce((select party_key from bi.dim_party where party_id = '{client}'), -2) as client_key)"
        " from bi.rpt_indicator_value limit 1"
    )


def aim(tables: duckdb.DuckDBPyConnection, indicator: str, value: str, state: str, client: str = "C") -> None:
    """Publish a target of a client."""
    tables.execute(
        "insert into bi.rpt_target_progress by name select"
        f" '{indicator}' as indicator_id, party_key as client_key, date '2024-01-01' as base_period_from,"
        f" 1 as base_value, {value} as target_value, date '2027-12-31' as due_on, '{state}' as target_state_code,"
        f" 1 as publication_id from bi.dim_party where party_id = '{client}'"
    )


def test_a_value_stands_with_its_unit_its_change_its_target_and_its_coverage(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    give(tables, "emissions_scope_1_2", "2025-03-01", "2310450")
    give(tables, "emissions_scope_1_2", "2026-03-01", "2188449.5", coverage="0.8")
    aim(tables, "emissions_scope_1_2", "2000000", "behind")
    text = told(catalogue, tables).with_id("emissions_scope_1_2").text
    assert "2.188 t CO₂e" in text
    assert "mrt 2025 t/m feb 2026; gemeten, dekking 80 %" in text
    assert "\u2212122 (\u22125,3 %) t.o.v. 2.310 in mrt 2024 t/m feb 2025: beter." in text
    assert "Let op: toen was de dekking 100 %." in text
    assert "streefwaarde 2.000 per 31-12-2027: achter op schema" in text


def test_the_page_tells_which_months_are_closed_and_of_a_value_whether_it_may_still_change(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    give(tables, "recycling_share", "2026-03-01", "0.471")
    assert "Maandafsluiting" not in told(catalogue, tables).all("dl")[0].text, "every month is open"
    tables.execute("update bi.rpt_indicator_value set publication_status = 'provisional' where value = 0.471")
    tables.execute("update bi.rpt_period set publication_status = 'final' where month = '2025-01-01'")
    tables.execute("update bi.rpt_period set publication_status = 'provisional' where month = '2025-02-01'")
    page = told(catalogue, tables)
    assert "mrt 2025 t/m feb 2026, voorlopig; gemeten" in page.with_id("recycling_share").text
    assert "Maandafsluiting definitief jan 2025; voorlopig feb 2025" in page.all("dl")[0].text


def test_a_percentage_changes_by_points_and_higher_may_be_better(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    give(tables, "recycling_share", "2025-03-01", "0.44")
    give(tables, "recycling_share", "2026-03-01", "0.471")
    card = told(catalogue, tables).with_id("recycling_share")
    assert "+3,1 procentpunt t.o.v. 44,0 % in" in card.text and ": beter." in card.text
    assert "+3.1 percentage points against 44.0%" in card.translation and "47.1%" in card.translation


def test_what_does_not_differ_as_shown_is_neither_better_nor_worse(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    give(tables, "recycling_share", "2025-03-01", "0.4401")
    give(tables, "recycling_share", "2026-03-01", "0.4402")
    text = told(catalogue, tables).with_id("recycling_share").text
    assert "Vrijwel gelijk: was 44,0 %" in text and "beter" not in text


@pytest.mark.parametrize("status", sorted(c for c in CATALOGUE.code_lists["value_status"]))
def test_a_value_that_is_not_there_says_why_and_is_never_a_dash(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection, status: str
) -> None:
    give(tables, "sickness_absence_share", "2026-03-01", None, status, coverage="0.5")
    page = told(catalogue, tables)
    (value,) = [e for e in page.within(page.with_id("sickness_absence_share"), "p") if e.attributes["class"] == "value"]
    assert value.text == CATALOGUE.code_lists["value_status"][status]["nl"]
    assert value.translation == CATALOGUE.code_lists["value_status"][status]["en"]


def test_a_small_group_is_shielded_for_the_client_too(catalogue: Catalogue, tables: duckdb.DuckDBPyConnection) -> None:
    give(tables, "sickness_absence_share", "2026-03-01", None, "suppressed", coverage="null")
    give(tables, "sickness_absence_share", "2026-03-01", None, "suppressed", client="C", coverage="null")
    give(tables, "sickness_absence_share", "2026-03-01", "0.05", client="W")
    text = told(catalogue, tables).with_id("sickness_absence_share").text
    assert text.count("afgeschermd (kleine groep)") == 2
    assert "Client afgeschermd (kleine groep)" in text and "Collector 5,0 %" in text


def test_several_clients_stand_beside_their_total_each_with_its_own_target(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    give(tables, "recycling_share", "2026-03-01", "0.471")
    give(tables, "recycling_share", "2026-03-01", "0.5", client="C")
    give(tables, "recycling_share", "2026-03-01", "0.4", client="W", coverage="0.9")
    aim(tables, "recycling_share", "0.6", "on_course", client="W")
    give(tables, "recycling_share", "2025-03-01", "0.4")
    for until in ("2025-06-01", "2025-09-01"):
        give(tables, "recycling_share", until, "0.45")
    text = told(catalogue, tables).with_id("recycling_share").text
    assert "47,1 %" in text and "Client 50,0 %" in text
    assert "stippellijn" not in text, "the target of one client is not that of all together"
    assert "Collector 40,0 % gemeten, dekking 90 %" in text
    assert "streefwaarde 60,0 % per 31-12-2027: op koers" in text.split("Collector")[1]


def test_a_course_is_told_in_words_with_its_gaps_and_its_target(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    for until, value in (("01", "0.40"), ("02", "0.52"), ("03", None), ("04", "0.38"), ("05", "0.45")):
        give(tables, "recycling_share", f"2025-{until}-01", value, "measured" if value else "missing")
    aim(tables, "recycling_share", "0.6", "behind")
    page = told(catalogue, tables)
    (figure,) = page.within(page.with_id("recycling_share"), "figure")
    assert figure.text == (
        "Van 40,0 % (dec 2024) naar 45,0 % (apr 2025); laagste 38,0 %, hoogste 52,0 %; 1 keer geen waarde;"
        " stippellijn: streefwaarde."
    )
    assert len(page.within(figure, "polyline")) == 2, "a gap breaks the line"


def test_who_owes_what_starts_with_the_most_that_is_open(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    states = [("W", "overdue", 40), ("V", "overdue", 10), ("V", "overdue", 99), ("W", "on_time", 0), ("V", "late", 3)]
    for month, (contractor, state, days) in enumerate(states, start=1):
        tables.execute(
            "insert into bi.rpt_report_due by name select -1 as contract_key, -1 as client_key, party_key as"
            f" contractor_key, date '2025-0{month}-01' as month, date '2025-0{month}-15' as due_on, '{state}' as"
            f" report_state_code, {days} as days_late, 1 as publication_id from bi.dim_party where party_id = '{contractor}'"
        )
    page = told(catalogue, tables)
    section = page.with_id("owed")
    assert (
        "Van de 5 rapportages die nu binnen hadden moeten zijn: 1 op tijd, 1 te laat, 3 nog niet ontvangen."
        in section.text
    )
    rows = [row.text for row in page.within(section, "tr")][1:]
    assert [row.split()[0] for row in rows] == ["Other", "Collector"]
    assert "open vanaf feb 2025, tot 99 dagen te laat" in rows[0]


def test_a_held_delivery_tells_which_check_it_failed_and_a_warning_of_what_it_is(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    tables.execute("update bi.rpt_delivery set state = 'held', reason = 'x' where file_name = 'meter_20250101.csv'")
    for table, severity, receipt in (
        ("core.meter", "critical", "(select receipt_id from bi.rpt_delivery where state = 'held')"),
        ("core.site", "warning", "''"),
    ):
        tables.execute(
            "insert into bi.rpt_check by name select"
            f" '{table}' as table_name, 'c' as check_id, '{severity}' as severity, 'failed' as outcome, '3 rows' as observed,"
            f" 'Zo niet.' as nl, 'Not so.' as en, {receipt} as receipt_id, 1 as publication_id"
        )
    page = told(catalogue, tables)
    assert "meter_20250101.csv (Meters): aangehouden" in page.with_id("rejected").text
    assert "Zo niet. (3 rows)" in page.with_id("rejected").text
    checks = page.with_id("checks").text
    assert "1 waarschuwing, 1 niet geslaagd." in checks
    assert checks.count("Zo niet.") == 1 and "Locaties: Zo niet." in checks


def test_texts_of_rows_are_left_out_where_a_contract_expects_personal_data(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    tables.execute(
        "insert into bi.rpt_rejected_row by name select dataset, receipt_id, 7 as row_no, 1 as record_no,"
        " 'missing:site_id' as reasons, 'J. Jansen;7' as row_text, 1 as publication_id from bi.rpt_delivery"
        " where dataset = 'meter'"
    )
    assert "J. Jansen" in told(catalogue, tables).with_id("rejected").text
    contract = catalogue.contracts["meter"]
    catalogue.contracts["meter"] = contract.model_copy(update={"personal_data": "possible"})
    text = told(catalogue, tables).with_id("rejected").text
    assert "J. Jansen" not in text and "regel 7" in text and "persoonsgegevens" in text


def test_long_lists_are_cut_and_say_what_they_leave_out(
    catalogue: Catalogue, tables: duckdb.DuckDBPyConnection
) -> None:
    refusals = [
        {"dataset": "meter", "file_name": f"f{n}.csv", "headings": ["Naam"], "refused_at": "2025-03-01T10:00:00"}
        for n in range(20)
    ]
    text = told(catalogue, tables, refusals).with_id("rejected").text
    assert "f19.csv" in text and "f0.csv" not in text
    assert "En nog 8 aanleveringen; ze staan in de tabel rpt_delivery." in text


# --- nothing there, and hostile text ----------------------------------------------------------------------------------


def test_a_deployment_without_data_has_a_page_that_says_so(tmp_path: Path) -> None:
    made = tiny(tmp_path)
    shutil.rmtree(made.project / "data")
    (made.project / "data").mkdir()
    made.keten("run")
    page = page_of(made)
    assert {e.attributes["id"] for e in page.all("article")} == CORE
    assert page.all("main")[0].text.count("nog geen twaalf volledige maanden") >= len(CORE)
    for part, words in {
        "rejected": "Geen enkele regel is afgekeurd.",
        "owed": "Nog niets: geen contract met een aanlevertermijn",
        "clocks": "Er zijn nog geen ketens aangeleverd.",
        "traced": "dus geen voorbeeld",
        "checks": "Er zijn geen waarschuwingen.",
    }.items():
        assert words in page.with_id(part).text


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A deployment of which names of organisation, files, sites and texts of rows try to break out of the page."""
    made = tiny(tmp_path_factory.mktemp("hostile"))
    made.declare(
        "keten.yml",
        {"organisation": f"Tiny {SCRIPT}", "reporting": {"from": "2025-01", "to": "2025-02"}},
    )
    made.drop("data/site_20250101.csv", f"site_id,site_name,client_id,m2\nS,Site {SCRIPT},C,365\n")
    made.drop(
        f"data/waste_collection_2{SCRIPT.replace('/', '_')}.csv",
        f"{WASTE}\nW,S,2025-01-05,{SCRIPT},5\nW,S,2025-01-06,rest,{IMAGE.replace(chr(34), chr(39))}\n",
    )
    made.keten("run")
    return made


def test_text_from_outside_does_not_break_out_of_the_page(hostile: Deployment) -> None:
    page = page_of(hostile)
    assert not page.all("script", "img", "iframe", "object", "embed", "form")
    assert not [a for e in page.elements for a in e.attributes if a.startswith("on")]
    assert page.all("h1")[0].text == f"Tiny {SCRIPT}"
    rejected = page.with_id("rejected").text
    assert f"W,S,2025-01-05,{SCRIPT},5" in rejected and "<img src=x onerror=alert(1)>" in rejected
    assert "waste_collection_2<script>alert(1)<_script>.csv, regel 2" in rejected


def test_a_purge_takes_the_texts_of_a_delivery_out_of_the_page(hostile: Deployment, tmp_path: Path) -> None:
    made = hostile.copy(tmp_path)
    (receipt,) = [r for r in made.landing.receipts() if "alert" in r.file_name]
    made.keten("receipt", "purge", receipt.receipt_id, "--reason", "test", "--yes")
    kept = b"".join(p.read_bytes() for p in made.published.parent.rglob("*.html"))
    assert b"onerror" not in kept and page_of(made).with_id("rejected").text.count("W,S") == 0
    assert '<meta name="keten-publication" content="2">' in (made.published.parent / "index.html").read_text("utf-8")


# --- when it is written -----------------------------------------------------------------------------------------------


def times(made: Deployment) -> dict[str, int]:
    folder = made.published.parent
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*.html")}


def test_pages_are_written_once_and_again_only_when_they_say_something_else(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    before = times(made)
    assert set(before) == {"index.html", "catalogue/index.html", *(f"catalogue/{i}.html" for i in CATALOGUE.indicators)}
    assert f"for people {made.published.parent / 'index.html'}" in made.keten("run")
    made.keten("run", "--month", "2025-02")
    assert times(made) == before
    (made.published.parent / "catalogue" / "gone.html").write_text("of an indicator that is no more", "utf-8")
    (made.published.parent / "index.html").unlink()
    text = made.keten("run")
    assert "no run was started" not in text and text.endswith("index.html"), "a page that is gone is made again"
    assert set(times(made)) == set(before)
    assert made.rows("select count(*) from bi.publication") == [(1,)]


def test_a_page_that_cannot_be_made_does_not_take_the_publication_with_it(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    page = made.published.parent / "index.html"
    page.unlink()
    page.mkdir()
    made.drop("data/meter_reading_20250301.csv", "meter,day,kwh\nE,2025-01-05,99\n")
    assert "the results are published, but their page could not be made" in made.keten("run", code=2)
    assert made.rows("select max(publication_id) from bi.publication") == [(2,)]
    page.rmdir()
    made.keten("run")
    assert '<meta name="keten-publication" content="2">' in page.read_text("utf-8")


def test_the_same_publication_gives_the_same_page(catalogue: Catalogue, small: Deployment) -> None:
    with reading(small.published) as read:
        texts = {making.page_text(catalogue, read, lambda _: [], []) for _ in range(2)}
    assert len(texts) == 1


# --- every page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(demo: Deployment) -> dict[Path, Page]:
    """All pages of the demo, parsed; a page that is not well-formed is an error here."""
    found = sorted(demo.published.parent.rglob("*.html"))
    return {path: Page(path.read_text("utf-8")) for path in found}


def test_a_page_loads_nothing_from_anywhere_and_its_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        policy = [e for e in page.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy"]
        assert "default-src 'none'" in policy[0].attributes["content"]
        assert not [e for e in page.elements if "src" in e.attributes or "srcset" in e.attributes]
        assert [e.attributes["href"] for e in page.all("link")] == ["data:,"]
        ids = {e.attributes["id"] for e in page.elements if "id" in e.attributes}
        for link in (e.attributes["href"] for e in page.all("a")):
            if link.startswith("#"):
                assert link[1:] in ids, f"{path.name}: {link}"
            elif not link.startswith("https://"):
                assert (path.parent / link).is_file(), f"{path.name}: {link}"
    assert not re.search(r"url\(|@import", (FOLDER / "style.css").read_text("utf-8"))


def test_a_page_can_be_read_without_seeing_it(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert page.all("html")[0].attributes["lang"] == "nl"
        assert [len(page.all(tag)) for tag in ("title", "h1", "main", "header")] == [1, 1, 1, 1], path.name
        ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
        assert len(ids) == len(set(ids)), f"{path.name}: an id stands there twice"
        labels = {n for e in page.elements for n in e.attributes.get("aria-labelledby", "").split()}
        assert labels <= set(ids)
        for table in page.all("table"):
            heads = page.within(table, "th")
            assert heads and all(th.attributes.get("scope") in ("col", "row") for th in heads)
        for chart in page.all("svg"):
            assert chart.attributes["aria-hidden"] == "true" and chart.inside[-1].text, (
                "a chart stands beside its words"
            )
        for choice in page.all("input"):
            assert choice.attributes["aria-label"]


def test_headings_do_not_skip_a_level(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        levels = [int(e.tag[1]) for e in page.all("h1", "h2", "h3", "h4")]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False)), path.name


def test_colours_can_be_told_from_the_paper_by_day_and_by_night() -> None:
    css = (FOLDER / "style.css").read_text("utf-8")
    for block in re.findall(r":root \{([^}]+)\}", css):
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", block))
        for name in set(colours) - {"paper", "soft", "line"}:
            for ground in ("paper", "soft"):
                assert contrast(colours[name], colours[ground]) >= 4.5, f"{name} on {ground}: {colours}"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, 1.4.3)."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# --- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CATALOGUE.indicators))
def test_every_indicator_has_a_page_with_its_meaning_its_formula_and_what_it_stands_on(name: str) -> None:
    item = CATALOGUE.indicators[name]
    page = Page(making.catalogue_texts(CATALOGUE, ("nl", "en"), home="")[f"{name}.html"])
    text = page.all("main")[0].text
    for words in (item.description.nl, item.method.nl, item.pitfall.nl, *item.standards):
        assert " ".join(words.split()) in text
    assert " ".join(item.description.en.split()) in page.all("main")[0].translation
    for component in item.components.values():
        assert component.nl in text
    for dataset in CATALOGUE.datasets_below(item.refs):
        assert f"core.{dataset}" in text
    assert " ".join(item.sql.split()) in text


def test_the_pages_of_the_catalogue_are_the_same_without_a_run(demo: Deployment, tmp_path: Path) -> None:
    demo.keten("catalogue", "--pages", str(tmp_path / "pages"))
    for path in sorted((demo.published.parent / "catalogue").glob("*.html")):
        beside = re.sub(r'<a href="\.\./index\.html">Ketenimpact</a>', "Ketenimpact", path.read_text("utf-8"))
        assert (tmp_path / "pages" / path.name).read_text("utf-8") == beside


def test_a_page_is_in_the_languages_of_its_deployment() -> None:
    dutch = making.catalogue_texts(CATALOGUE, ("nl",), home="")["energy_intensity.html"].split("</style>")[1]
    assert 'lang="en"' not in dutch and "Metered energy of all carriers" not in dutch and "<input" not in dutch
    english = making.catalogue_texts(CATALOGUE, ("en", "nl"), home="")["energy_intensity.html"]
    assert '<html lang="en">' in english and '<span lang="en">Energy per m² GO</span>' in english


# --- parts ------------------------------------------------------------------------------------------------------------


def test_a_line_breaks_at_a_gap_and_needs_two_values() -> None:
    drawn = line([Decimal(0), None, Decimal(1), Decimal(2)])
    assert drawn is not None and drawn.pieces == ("5.0,51.0", "158.3,28.0 235.0,5.0") and drawn.dot == (235.0, 5.0)
    assert line([Decimal(1), None]) is None
    flat = line([Decimal(3), Decimal(3)], target=Decimal(3))
    assert flat is not None and flat.pieces == ("5.0,28.0 235.0,28.0",) and flat.target == 28.0


def test_bars_are_lengths_of_the_longest() -> None:
    assert widths([Decimal(50), None, Decimal(200), Decimal(-1)]) == [25.0, 0.0, 100.0, 0.0]
    assert widths([None, Decimal(0)]) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        ("list 2026, www.co2emissiefactoren.nl ; page 3", "https://www.co2emissiefactoren.nl"),
        ("https://example.org/a ; opened copy: example.org/b", "https://example.org/a"),
        ("doi:10.5281/zenodo.5589597 ; a copy", "https://doi.org/10.5281/zenodo.5589597"),
        ("javascript:alert(1)", ""),
    ],
)
def test_only_a_web_address_becomes_a_link(reference: str, address: str) -> None:
    assert address_of(reference) == address
