"""What a run computes again: just what a change touches, and to the same rows as computing everything.

The tables are computed without Dagster, on a copy of the engine of the demo whose core is edited as deliveries would.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.publication import register_keys
from assets.renewing import renew_indicator, renew_model, renew_values
from assets.session import Session
from resources.catalogue import Catalogue
from resources.catalogue.reading import load_catalogue
from resources.engine import Engine
from resources.intake.dataset_intake import IntakeResult
from resources.landing import Landing
from resources.periods import Decision, Month, Months
from resources.progress import SILENT
from resources.publication.digest import table_digest
from tests.deployment import Deployment

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
# A measure of each dataset whose months a delivery may touch.
MEASURES = {
    "meter_reading": "quantity",
    "waste_collection": "mass_kg",
    "waste_treatment_split": "split_share",
    "spend": "amount",
    "supplier_report": "numerator",
    "site_month": "fte",
    "activity": "quantity",
}
EDITS = st.lists(
    st.tuples(st.sampled_from(sorted(MEASURES)), st.integers(3, 6), st.booleans()), min_size=1, max_size=3, unique=True
)


class Run:
    """The computing of one run on an engine."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        folder: Path,
        as_of: date = date(2026, 7, 2),
        decided: Months | None = None,
    ) -> None:
        self.engine = engine
        self.catalogue = catalogue
        landing, published = Landing(folder / "landing"), folder / "none.duckdb"
        facts = (engine, landing, catalogue, folder, published, "run", as_of, SILENT)
        self.session = Session(*facts, fingerprint=str, decided=decided or {}, code="")
        self.session.begin()

    def edit(self, dataset: str, month: int, is_gone: bool) -> None:
        """Take the rows of a dataset in a month away or halve their measure."""
        contract, table = self.catalogue.contracts[dataset], f"core.{dataset}"
        last = "period_to - 1" if "period_to" in contract.columns else str(contract.period)
        where = f"date_trunc('month', {contract.period}) = date '2026-{month:02d}-01'"
        months = self.engine.read(
            f"select distinct unnest(generate_series(date_trunc('month', {contract.period}), date_trunc('month', {last}),"
            f" interval 1 month))::date as month from {table} where {where}"
        )
        self.touch(dataset, set(months.read_all()["month"].to_pylist()))
        change = "delete from {}" if is_gone else f"update {{}} set {MEASURES[dataset]} = {MEASURES[dataset]} / 2"
        self.engine.connection.execute(f"{change.format(table)} where {where}")

    def touch(self, dataset: str, months: set[date] | None) -> None:
        self.session.intake[dataset] = IntakeResult(dataset, months=months, changed=True)

    def compute(self) -> dict[str, set[date] | None]:
        """All tables in the order of their refs; what each of them says was touched."""
        models = [model for model in self.catalogue.model_order() if not model.made_by]
        for model in models:
            if not model.name.startswith("bi."):
                renew_model(self.session, model)
        for indicator in self.catalogue.indicators.values():
            renew_indicator(self.session, indicator)
        register_keys(self.session)
        renew_values(self.session)
        for model in models:
            if model.name.startswith("bi."):
                renew_model(self.session, model)
        self.session.models_done()
        return self.session.touched

    def digests(self) -> dict[str, tuple[int, str]]:
        run = self.engine.connection
        tables = run.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name in"
            " ('ledger', 'indicator', 'publish', 'bi') and table_name not in ('rpt_delivery', 'rpt_rejected_row', 'rpt_check',"
            " 'rpt_correction', 'rpt_unknown_reference', 'waiting_reference', 'candidate')"
        ).fetchall()
        return {table: table_digest(run, table, list(self.engine.columns(table))) for (table,) in tables}


def whole(
    engine: Engine, catalogue: Catalogue, folder: Path, decided: Months | None = None
) -> dict[str, tuple[int, str]]:
    """Digests after everything is computed."""
    engine.connection.execute("delete from run.computed")
    run = Run(engine, catalogue, folder, decided=decided)
    run.compute()
    return run.digests()


@pytest.fixture(scope="module")
def catalogue(demo: Deployment) -> Catalogue:
    return load_catalogue(demo.project)


@pytest.fixture(scope="module")
def computed(demo: Deployment, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine file with everything computed."""
    folder = tmp_path_factory.mktemp("computed")
    shutil.copyfile(demo.home / "engine.duckdb", folder / "engine.duckdb")
    with Engine(folder / "engine.duckdb", folder) as engine:
        whole(engine, catalogue, folder)
    return folder / "engine.duckdb"


@contextmanager
def copied(computed: Path, folder: Path) -> Iterator[Engine]:
    shutil.copyfile(computed, folder / "engine.duckdb")
    with Engine(folder / "engine.duckdb", folder) as engine:
        yield engine


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_what_runs_compute_one_by_one_is_what_one_run_computes(
    computed: Path, catalogue: Catalogue, tmp_path: Path, edits: list[tuple[str, int, bool]]
) -> None:
    with copied(computed, tmp_path) as engine:
        for dataset, month, is_gone in edits:
            run = Run(engine, catalogue, tmp_path)
            run.edit(dataset, month, is_gone)
            run.compute()
        assert run.digests() == whole(engine, catalogue, tmp_path)


def test_a_month_that_is_new_is_computed_beside_the_others(
    computed: Path, catalogue: Catalogue, tmp_path: Path
) -> None:
    """The reporting months follow the day: in July June is new, and its quarter and year have another value."""
    assert catalogue.deployment is not None
    going_on = catalogue.deployment.reporting.model_copy(update={"last": None})
    open_ended = Catalogue(
        **{**vars(catalogue), "deployment": catalogue.deployment.model_copy(update={"reporting": going_on})}
    )
    with copied(computed, tmp_path) as engine:
        Run(engine, open_ended, tmp_path, date(2026, 6, 20)).compute()
        assert engine.read("select max(month) as m from ledger.energy_month").read_all()["m"].to_pylist() == [MAY]
        touched = (run := Run(engine, open_ended, tmp_path)).compute()
        assert touched["ledger.energy_month"] == touched["indicator.energy_intensity"] == {JUNE}
        assert run.digests() == whole(engine, open_ended, tmp_path)


@pytest.mark.parametrize(
    ("dataset", "change"),
    [
        ("site", "update core.site set floor_area_go_m2 = 2 * floor_area_go_m2 where site_id = 'UTR'"),
        ("party", "insert into core.party (party_id, party_name, role_code) values ('00000001', 'New', 'supplier')"),
    ],
)
def test_a_list_without_months_touches_all_that_reads_it(
    computed: Path, catalogue: Catalogue, tmp_path: Path, dataset: str, change: str
) -> None:
    with copied(computed, tmp_path) as engine:
        run = Run(engine, catalogue, tmp_path)
        engine.connection.execute(change)
        run.touch(dataset, None)
        run.compute()
        assert run.digests() == whole(engine, catalogue, tmp_path)


def test_a_month_that_was_closed_is_told_though_no_delivery_touched_it(
    computed: Path, catalogue: Catalogue, tmp_path: Path
) -> None:
    decided = {MAY: Month((Decision("2026-05", "provisional", "Anna", "2026-06-15T08:00:00"),))}
    with copied(computed, tmp_path) as engine:
        run = Run(engine, catalogue, tmp_path, decided=decided)
        assert run.compute()["indicator.energy_intensity"] == set()
        told = "select distinct period_code from bi.rpt_indicator_value where publication_status = 'provisional'"
        assert engine.read(told).read_all()["period_code"].to_pylist() == ["2026-05"]
        assert run.digests() == whole(engine, catalogue, tmp_path, decided)


def test_rows_of_other_months_and_other_tables_stay_where_they_are(
    computed: Path, catalogue: Catalogue, tmp_path: Path
) -> None:
    """Rows that are computed again move to the end of their table, so a row that kept its place was left alone."""
    with copied(computed, tmp_path) as engine:
        run = Run(engine, catalogue, tmp_path)
        before = {name: places(engine, name) for name in run.digests()}
        run.edit("waste_collection", 5, is_gone=False)
        run.compute()
        below = {n for n, i in catalogue.indicators.items() if "waste_collection" in catalogue.datasets_below(i.refs)}
        moved = {name: before[name].keys() - places(engine, name).keys() for name in before}
        assert {n.removeprefix("indicator.") for n in moved if n.startswith("indicator.") and moved[n]} == below
        for name, rows in moved.items():
            told = {before[name][row] for row in rows}
            if name.endswith("rpt_indicator_value"):
                assert told == {"2026-05", "2026-Q2", "2026", "2026-05~12", "2026-06~12"}
            elif told - {f"{MAY}"}:
                model = catalogue.models[name]
                assert not model.months and "waste_collection" in catalogue.datasets_below(model.refs), name


def places(engine: Engine, table: str) -> dict[int, str]:
    """The month or period of each row by its place in the table."""
    part = next((c for c in ("period_code", "month") if c in engine.columns(table)), "''")
    rows = engine.read(f"select rowid as place, {part}::varchar as part from {table}").read_all()
    return dict(zip(rows["place"].to_pylist(), rows["part"].to_pylist(), strict=True))


def test_a_new_day_touches_only_what_fell_due(computed: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    with copied(computed, tmp_path) as engine:
        due = engine.read("select min(due_on) as d from ledger.report_due where month = date '2026-05-01'")
        touched = Run(engine, catalogue, tmp_path, due.read_all()["d"][0].as_py()).compute()
        assert touched["ledger.report_due"] == {MAY}
        assert touched["indicator.supplier_data_on_time_share"] == {MAY}
        assert touched["ledger.energy_month"] == set()
