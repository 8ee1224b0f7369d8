"""Contender: the product itself, the Dagster job `refresh` as `keten run` starts it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.data import Delivery


def prepare(out: Path) -> None:
    """Import what a run imports, and let Dagster make its own databases, which a deployment does once."""
    import great_expectations.expectations  # noqa: F401
    import sqlglot.optimizer.qualify  # noqa: F401

    import pipelines.running  # noqa: F401
    from pipelines.instance import instance
    from pipelines.settings import Place

    with instance(Place(out, out)) as dagster:
        dagster.get_runs_count()


def work(delivery: Delivery, out: Path) -> None:
    """Land, judge, expect, merge, compute, publish."""
    from pipelines.running import refresh
    from pipelines.settings import Place
    from resources.catalogue.reading import load_catalogue
    from resources.progress import SILENT

    outcome = refresh(Place(out, delivery.project), load_catalogue(delivery.project), (), False, SILENT)
    if not outcome.success:
        raise SystemExit(f"the run failed: {outcome.failure}")


def outputs(out: Path) -> dict[str, str]:
    """Selects of what the others deliver as tables, from where the product keeps it."""
    core = "made.core.meter_reading"
    return {
        "attach": f"attach '{out}/engine.duckdb' as made (read_only); attach '{out}/published/bi.duckdb' as shown (read_only)",
        "accepted": f"select meter_id, start_utc, end_utc, local_date, quantity, row_no from {core}",
        "quarantine": f"select row_no, array_to_string(list_sort(reasons), ',') as reasons, row_text from {core}__quarantine",
        "ignored": f"select row_no, reason from {core}__ignored",
        "day": "select meter_id, local_date, quantity as energy_kwh from made.ledger.energy_day",
        "month": "select site_id, month, amount as energy_kwh from made.indicator.energy_intensity"
        " where component = 'energy_kwh'",
        "intensity": "select site_id, period_from as month, value as kwh_per_m2 from shown.bi.rpt_indicator_value"
        " join shown.bi.dim_site using (site_key)"
        " where indicator_id = 'energy_intensity' and level_code = 'site' and period_type = 'month'",
    }
