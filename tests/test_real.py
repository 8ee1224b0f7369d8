"""Real data of others, and the figures that were published about them.

The deployment in `real/` is taken in by the same job as any other. Every row of the files with published figures is
either met here, from published or core tables, or named in LEFT_OUT with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from resources.landing import sha256_of
from tests.real.prepare import PAY_GAP, REFUSED
from tests.real_figures import FIGURES
from tests.real_run import DATA, Real, oracle, require_data
from tests.staged import READING, staged

LEFT_OUT = {
    "scotland-hou-09": "the carbon impact is a published total per council; no dataset holds stated emissions yet",
    "scotland-hou-10": "the carbon impact is a published total per council; no dataset holds stated emissions yet",
}
ROWS = [(name, row) for name in FIGURES for row in oracle(name)]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    require_data()
    made = Real(tmp_path_factory.mktemp("real"))
    yield made
    made.core.close()


def numbers(text: str) -> list[float]:
    """Figures separated by semicolons; a remark after one is left out."""
    return [float(part.split()[0]) for part in text.split(";")]


@pytest.mark.parametrize(("name", "row"), [pytest.param(n, r, id=r["id"]) for n, r in ROWS if r["id"] not in LEFT_OUT])
def test_what_was_published_is_found(real: Real, name: str, row: dict[str, str]) -> None:
    expected = numbers(row["expected"])
    tolerance = numbers(row["tolerance"].split(" (")[0])
    found = FIGURES[name](real, row)
    assert len(found) == len(expected)
    for got, want, within in zip(found, expected, tolerance * len(expected), strict=False):
        assert got == pytest.approx(want, abs=within), f"{row['id']} {row['metric']}, {row['scope']}"


def test_what_is_left_out_exists() -> None:
    assert LEFT_OUT.keys() <= {row["id"] for _, row in ROWS} or not DATA.exists()


def test_every_row_of_the_files_arrived(real: Real) -> None:
    counts = dict(
        real.core.execute("select dataset, sum(accepted_rows)::bigint from bi.rpt_delivery group by 1").fetchall()
    )
    assert counts["meter_reading"] == 701_280
    assert counts["waste_collection"] == 19_008
    assert counts["spend"] == 22_537 - 1
    assert counts["supplier_report"] == 4 * 6_959
    assert counts["weather_day"] == 11_323


def test_the_one_row_that_holds_nothing_stands_apart_as_it_was_sent(real: Real) -> None:
    """A payment without amount, date and supplier; the file is read for its suppliers as well."""
    rejected = real.published("select dataset, row_no, row_text from bi.rpt_rejected_row order by dataset")
    assert rejected == [("party", 3861, ",,xxx,,,,,,,"), ("spend", 3861, ",,xxx,,,,,,,")]


def test_a_file_that_names_persons_is_refused_and_not_a_byte_of_it_is_kept(real: Real) -> None:
    """ResponsiblePerson holds the names of those who signed."""
    refused = [facts for facts in real.landing.refusals() if facts["file_name"] == DATA.joinpath(PAY_GAP).name]
    assert sorted(facts["dataset"] for facts in refused) == ["party", "supplier_report"]
    digest = sha256_of(DATA / PAY_GAP)
    for facts in refused:
        assert (facts["headings"], facts["sha256"]) == (list(REFUSED), digest)
    assert not list((real.home / "landing").rglob(f"*{digest}*"))


def test_a_class_of_size_is_no_number_of_persons(real: Real) -> None:
    """So these figures are known and are never shown as if the group were large enough."""
    assert real.one("select count(*), count(person_count) from core.supplier_report") == (4 * 6_959, 0)
    assert real.one("select count(*) from ledger.people_month where numerator is not null") == (0,)


def test_a_list_drawn_from_six_files_keeps_what_only_the_first_names(real: Real) -> None:
    """Each file names the suppliers of one quarter: no later file takes away those of another."""
    assert real.one("select count(*) from core.party__history where state = 'withdrawn'") == (0,)
    assert real.one("select count(*) from core.spend__unmatched") == (0,)


def test_a_month_is_held_against_the_same_month_of_all_complete_years(real: Real) -> None:
    (year,) = real.published(
        "select sum(reference_weighted_degree_days), min(reference_years), max(reference_years)"
        " from bi.fact_degree_day_month where year(month) = 2010"
    )
    (mean,) = real.published("select sum(weighted_degree_days) / 31 from bi.fact_degree_day_month")
    assert float(year[0]) == pytest.approx(float(mean[0]), abs=0.0001)
    assert year[1:] == (31, 31)


@pytest.mark.parametrize(("heading", "total"), [("Laag", "217.55"), ("Normaal", "869.64"), ("Verbruik", "610.8")])
def test_a_workbook_of_a_meter_reader_gives_its_days_and_nothing_else(tmp_path: Path, heading: str, total: str) -> None:
    """Titles, a header of two rows, a first sheet without data, hidden sheets, numbers as text, totals never calculated."""
    require_data()
    mapping = {
        "format": {"sheet": "Verbruik", "skip_lines": 4, "decimal": ","},
        "time": {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 1440},
        "ignore_rows": [{"heading": "Datum", "matches": "^(Totaal|Aan deze)", "reason": "total"}],
        "columns": {
            **READING,
            "meter_id": {"value": "E"},
            "stamp": {"from": "Datum", "format": "%d-%m-%Y"},
            "quantity": {"from": heading, "unit": "kWh"},
        },
    }
    content = (DATA / "dirty" / "19_excel_merged_title_hidden_sheets_formulas.xlsx").read_bytes()
    rows = staged(tmp_path, "meter_reading", content, mapping, "file.xlsx")
    assert [row["row_no"] for row in rows if row["ignored_reason"]] == [37, 39]
    days = [row for row in rows if not row["ignored_reason"]]
    assert [row["local_date"].day for row in days] == list(range(1, 32))
    assert sum(row["quantity"] for row in days) == Decimal(total)
    assert not any(reason.startswith(("not_a", "missing")) for row in days for reason in row["reasons"])
