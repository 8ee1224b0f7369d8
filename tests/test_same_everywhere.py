"""One publication in every place that shows it: the file, PostgreSQL, Parquet and the workbook tell the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from resources.catalogue.deployment_models import PostgresqlSetting
from resources.publication.digest import table_digest
from resources.publication.published import opened, rows_of
from resources.targets.description import publication_of, tables_of
from resources.targets.excel import ExcelTarget
from resources.targets.parquet import ParquetTarget
from resources.targets.postgresql import rows
from resources.targets.postgresql.target import PostgresqlTarget
from resources.targets.workbook_sheets import DELIVERIES, LATE, REJECTED, TARGETS
from tests.deployment import Deployment
from tests.next_publication import NUMBER
from tests.postgres_server import PostgresServer
from tests.test_excel import digest_of, sheet, values_in

URL = "KETEN_TEST_EVERYWHERE_URL"


@dataclass(frozen=True)
class Everywhere:
    """The demo's publication and its three targets. To be read, not changed."""

    file: Path
    warehouse: PostgresqlTarget
    parquet: ParquetTarget
    workbook: ExcelTarget
    pg: psycopg.Connection

    def told(self) -> dict[str, tuple[int, str]]:
        """Rows and digest of each table, by the file itself."""
        last = f"(select max({NUMBER}) from bi.publication)"
        select = f"select table_name, row_count, digest from bi.publication_digest where {NUMBER} = {last}"
        return {name: (count, digest) for name, count, digest in rows_of(self.file, select) if name[:2] != "__"}


@pytest.fixture(scope="module")
def everywhere(
    demo: Deployment, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Everywhere]:
    folder = tmp_path_factory.mktemp("everywhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL, postgres.new_database("everywhere"))
        setting = PostgresqlSetting.model_validate({"kind": "postgresql", "url": f"${{env:{URL}}}"})
        warehouse = PostgresqlTarget(setting)
        parquet = ParquetTarget("parquet", folder / "parquet")
        workbook = ExcelTarget("excel", folder / "keten.xlsx")
        for target in (warehouse, parquet, workbook):
            target.apply(demo.published, adopt=False)
        with postgres.connect(database="everywhere") as pg:
            yield Everywhere(demo.published, warehouse, parquet, workbook, pg)


def test_all_targets_show_the_number_of_the_file(everywhere: Everywhere) -> None:
    with opened(everywhere.file) as connection:
        number = publication_of(connection).number
    assert [t.applied() for t in (everywhere.warehouse, everywhere.parquet, everywhere.workbook)] == [number] * 3


def test_every_table_has_one_digest_in_file_warehouse_and_parquet(everywhere: Everywhere) -> None:
    told = everywhere.told()
    assert len(told) > 20, "or this test would prove nothing"
    with opened(everywhere.file) as connection:
        tables = {table.name: table for table in tables_of(connection)}
        for name, expected in told.items():
            columns = [(c.name, c.type) for c in tables[name].columns if c.name != NUMBER]
            names = [column for column, _ in columns]
            file = f"read_parquet('{everywhere.parquet.latest}/{name}.parquet')"
            assert table_digest(connection, f"bi.{name}", names) == expected, f"file: {name}"
            assert table_digest(connection, file, names) == expected, f"Parquet: {name}"
            assert rows.digest(everywhere.pg, f"bi.{name}", columns) == expected, f"PostgreSQL: {name}"


def test_the_values_of_the_workbook_have_the_digest_that_the_others_have(everywhere: Everywhere) -> None:
    read_back = values_in(everywhere.workbook, everywhere.file)
    assert digest_of(everywhere.file, "rpt_indicator_value", read_back) == everywhere.told()["rpt_indicator_value"]


# Sheets that show codes as words: of each, columns that say the same in the database, and the rows they are of.
SHEETS = {
    DELIVERIES.name: (
        ("Bestand", "Ontvangen regels", "Aanvaard", "Afgekeurd", "Genegeerd", "Ontvangstbewijs"),
        "file_name, received_rows, accepted_rows, quarantined_rows, ignored_rows, receipt_id from bi.rpt_delivery"
        " where state <> 'loaded' or quarantined_rows > 0",
    ),
    REJECTED.name: (
        ("Regel", "Nummer binnen de regel", "Redenen", "Ontvangstbewijs"),
        "row_no, record_no, reasons, receipt_id from bi.rpt_rejected_row",
    ),
    LATE.name: (
        ("Contract", "Maand", "Uiterste datum", "Dagen te laat"),
        "contract_name, month::timestamp, due_on::timestamp, days_late from bi.rpt_report_due"
        " join bi.dim_contract using (contract_key) where report_state_code <> 'on_time'",
    ),
    TARGETS.name: (
        ("Opdrachtgever", "Streefdatum", "Periode"),
        "party_name, t.due_on::timestamp, t.period_code from bi.rpt_target_progress t"
        " join bi.dim_party on party_key = t.client_key",
    ),
}


@pytest.mark.parametrize("name", SHEETS)
def test_the_other_sheets_hold_the_rows_of_the_file(everywhere: Everywhere, name: str) -> None:
    titles, select = SHEETS[name]
    shown = [tuple(row[title] for title in titles) for row in sheet(everywhere.workbook, name)]
    assert sorted(shown, key=repr) == sorted(rows_of(everywhere.file, f"select {select}"), key=repr)
    assert shown or name == LATE.name, "or this test would prove nothing; in this demo every report is in time"
