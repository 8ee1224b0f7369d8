"""Layouts as senders in the field write them: their rows are found, and nothing that stands around them is one.

What the rows mean is no part of this; how many there are is told by the README beside each file.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from resources import reading
from resources.catalogue.mapping_models import Mapping
from tests.real_run import DATA, require_data

QUARTERS = [f"{m // 60:02d}:{m % 60:02d}" for m in range(0, 1440, 15)]
SEMICOLON = {"delimiter": ";", "decimal": ","}
METERS = "nl-meter-exports"
LAYOUTS: dict[str, tuple[str, dict[str, Any], tuple[str, ...], int, dict[str, int]]] = {
    # file, format, headings that a mapping would need, rows, what is ignored
    "slimmemeterportal": (
        f"{METERS}/slimmemeterportal/data_2023_871687991002514062.xlsx",
        {"decimal": ","},
        ("datum_tijd", "levering_normaal", "levering_laag"),
        35_040,
        {},
    ),
    "slimmemeterportal gas": (
        f"{METERS}/slimmemeterportal/data_2023_871687993713217935.xlsx",
        {"decimal": ","},
        ("datum_tijd", "levering"),
        8_759,
        {},
    ),
    "dsmr-reader": (f"{METERS}/dsmr-reader/dsmrreader-data-export-hour.csv", {}, ("Hour Start", "Gas"), 8_754, {}),
    "liander": (f"{METERS}/liander/csv_bijlage.csv", {}, ("eancodeasn", "meterreadingdate", "usage4"), 412, {}),
    "oxxio": (
        f"{METERS}/oxxio/Oxxio.Verbruik_05-06-2023-22-01-2024.xlsx",
        {"header_rows": 2},
        ("Stroom [kWh] / Verbruik hoog tarief", "Gas [m3] / Geschat?"),
        232,
        {},
    ),
    "fluvius": (
        f"{METERS}/fluvius-nl/Verbruikshistoriek_elektriciteit_123456789123456789_20211012_20240929_kwartiertotalen.csv",
        SEMICOLON,
        ("Van datum", "EAN", "Volume"),
        3_848,
        {},
    ),
    "fluvius gas": (
        f"{METERS}/fluvius-nl/Verbruikshistoriek_gas_123456789123456789_20220110_20240929_uurtotalen.csv",
        SEMICOLON,
        ("Van datum", "Eenheid", "Calorische Bovenwaarde"),
        116,
        {},
    ),
    "greenchoice": (
        f"{METERS}/greenchoice/meterstanden_stroom_2023.csv",
        SEMICOLON,
        ("OpnameDatum", "StandDal"),
        103,
        {},
    ),
    "homewizard": (f"{METERS}/homewizard/homewizard_2022-09_15min_elec.csv", {}, ("time", "Export T2 kWh"), 2_880, {}),
    "enel": (f"{METERS}/enel/ExportData_settembre.csv", SEMICOLON, ("Giorno", "00:00-00:15", "23:45-00:00"), 30, {}),
    "energycontrol": (
        f"{METERS}/energycontrol/Water.csv",
        {**SEMICOLON, "footer": "^Created with"},
        ("Datum", "Zeit", "Z\u00e4hlerstand"),
        11,  # ten readings, and a row of delimiters that judging ignores as blank
        {"preamble": 1, "footer": 5},
    ),
    "knmi": ("knmi-debilt-daily/etmgeg_260.txt", {}, ("YYYYMMDD", "TG"), 11_323, {"preamble": 44}),
    "lambeth, carriage returns alone": (
        "lambeth-spend-2011/2011-11-payments.csv",
        {},
        ("Supplier Name", "Total"),
        910,  # the last of which holds 110 suppliers, without the line breaks between them: it is set aside
        {"preamble": 1},
    ),
    "lambeth, caption and grand total": (
        "lambeth-spend-2011/2011-03-payments.csv",
        {"footer": "^ *Grand Total"},
        ("Supplier Name", "Total"),
        1_134,
        {"preamble": 1, "footer": 5},
    ),
}


def read(
    file: str, form: dict[str, Any], headings: tuple[str, ...]
) -> tuple[tuple[str, ...], int, dict[str, int], int]:
    """Headings, rows and blank rows of a file, and how many rows stand around them by reason."""
    require_data()
    columns = {f"c{n}": {"from": heading} for n, heading in enumerate(headings)}
    mapping = Mapping.model_validate(
        {"title": "t", "files": "*", "origin": "o", "dataset": "d", "format": form, "columns": columns}
    )
    path = DATA / file
    facts = reading.inspect_file(path, mapping)
    with duckdb.connect() as connection:
        cells = reading.read_cells(connection, path, mapping, facts, "cell")
        (count,) = connection.execute(f"select count(*) from {cells.relation}").fetchone() or (0,)
    assert count == cells.rows
    reasons = [reason for _, reason in facts.set_aside]
    return facts.headings, cells.rows, {reason: reasons.count(reason) for reason in reasons}, cells.blank_rows


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_rows_of_a_layout_are_found(layout: str) -> None:
    file, form, wanted, rows, ignored = LAYOUTS[layout]
    headings, found, aside, _ = read(file, form, wanted)
    assert set(wanted) <= set(headings)
    assert not [heading for heading in headings if heading.startswith("column ")]
    assert (found, aside) == (rows, ignored)


def test_a_trailing_delimiter_makes_no_column() -> None:
    """96 quarters and the day: the delimiter at the end of every row is none of them."""
    file, form, wanted, _, _ = LAYOUTS["enel"]
    assert len(read(file, form, wanted)[0]) == 97
