"""Contender: the same outputs with pandas, and Great Expectations on the accepted rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.data import Delivery


def prepare(out: Path) -> None:
    """Import what the work needs."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    import great_expectations.expectations  # noqa: F401
    import pandas  # noqa: F401


def work(delivery: Delivery, out: Path) -> None:
    """Judge, resolve, check, sum and divide in memory; write Parquet files."""
    import pandas as pd

    out.mkdir(parents=True)
    text = {"sep": ";", "dtype": "str", "keep_default_na": False}
    lines = pd.read_csv(delivery.readings, **text)
    lines["row_no"] = range(2, len(lines) + 2)
    sites, meters = pd.read_csv(delivery.sites, **text), pd.read_csv(delivery.meters, **text)
    rows = _judged(lines)
    good = rows["reasons"] == ""
    repeated = rows[good & rows.duplicated(["meter_id", "end_utc"], keep=False)].sort_values("row_no")
    same = repeated.groupby(["meter_id", "end_utc"])["micro_kwh"]
    conflict = same.transform("nunique") > 1
    ignored = repeated[~conflict & (same.cumcount() > 0)]
    rows.loc[repeated.index[conflict], "reasons"] = "conflicting_repeat"
    is_left = (rows["reasons"] == "") & ~rows.index.isin(ignored.index)
    rows.loc[is_left & ~rows["meter_id"].isin(set(meters["EAN"])), "reasons"] = "unknown_reference:meter_id"
    aside = rows[rows["reasons"] != ""]
    accepted = rows[(rows["reasons"] == "") & ~rows.index.isin(ignored.index)]
    _expect(accepted)
    texts = lines.loc[aside.index].drop(columns="row_no").agg(";".join, axis=1)
    aside.assign(row_text=texts)[["row_no", "reasons", "row_text"]].to_parquet(out / "quarantine.parquet")
    ignored.assign(reason="exact_repeat")[["row_no", "reason"]].to_parquet(out / "ignored.parquet")
    wanted = ["meter_id", "start_utc", "end_utc", "local_date", "micro_kwh", "row_no"]
    accepted[wanted].to_parquet(out / "accepted.parquet")
    _sum_up(accepted, sites, meters, out)


def _judged(lines: Any) -> Any:
    """Typed columns and the reasons of each row, joined by commas; quantities as whole micro-kWh, so that sums are exact."""
    import numpy as np
    import pandas as pd

    stamp = pd.to_datetime(lines["Tijdstip"], format="%d-%m-%Y %H:%M", errors="coerce")
    quantity = pd.to_numeric(lines["Verbruik"].str.replace(",", ".", regex=False), errors="coerce")
    double = (stamp >= "2025-10-26 02:00") & (stamp < "2025-10-26 03:00")
    turn = lines[double].groupby(["EAN", "Tijdstip"]).cumcount()
    summer = np.ones(len(lines), dtype=bool)
    summer[turn.index[turn > 0]] = False
    aware = stamp.dt.tz_localize("Europe/Amsterdam", ambiguous=summer, nonexistent="NaT")
    end = aware.dt.tz_convert("UTC").dt.tz_localize(None)
    step = pd.Timedelta(minutes=15)
    tests = {
        "missing:quantity": lines["Verbruik"] == "",
        "nonexistent_local_time": stamp.notna() & aware.isna(),
        "not_a_date:stamp": stamp.isna(),
        "not_a_number:quantity": quantity.isna() & (lines["Verbruik"] != ""),
        "rule:interval_size": quantity.abs() > 1_000_000,
        "rule:quantity_not_negative": quantity < 0,
    }
    reasons = pd.Series("", index=lines.index, dtype="str")
    for reason, bad in tests.items():
        reasons[bad] = reasons[bad] + np.where(reasons[bad] == "", "", ",") + reason
    return pd.DataFrame(
        {
            "row_no": lines["row_no"],
            "meter_id": lines["EAN"],
            "start_utc": end - step,
            "end_utc": end,
            "local_date": (stamp - step).dt.normalize(),
            "micro_kwh": (quantity * 1e6).round().astype("Int64"),
            "reasons": reasons,
        }
    )


def _expect(accepted: Any) -> None:
    """The expectations of the contract: a unique key, filled columns, no day above 25 hours, plausible quantities."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("accepted")
    columns = ("meter_id", "start_utc", "end_utc", "local_date", "micro_kwh")
    suite = gx.ExpectationSuite(
        name="accepted",
        expectations=[
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["meter_id", "end_utc"]),
            *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in columns),
            gxe.ExpectColumnValuesToBeBetween(column="micro_kwh", max_value=5_000_000_000, mostly=0.999),
        ],
    )
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": accepted[list(columns)]})
    result = batch.validate(suite, result_format="BOOLEAN_ONLY")
    longest = accepted.groupby(["meter_id", "local_date"]).size().max()
    if not result.success or longest > 100:
        raise SystemExit("an expectation failed")


def _sum_up(accepted: Any, sites: Any, meters: Any, out: Path) -> None:
    day = accepted.groupby(["meter_id", "local_date"], as_index=False)["micro_kwh"].sum()
    day.to_parquet(out / "day.parquet")
    site_of = dict(zip(meters["EAN"], meters["Locatie"], strict=True))
    monthly = day.assign(
        site_id=day["meter_id"].map(site_of), month=day["local_date"].dt.to_period("M").dt.to_timestamp()
    )
    month = monthly.groupby(["site_id", "month"], as_index=False)["micro_kwh"].sum()
    month.to_parquet(out / "month.parquet")
    area = month["site_id"].map(dict(zip(sites["Locatie"], sites["GO m2"].astype(float), strict=True)))
    until = month["month"].dt.dayofyear - 1 + month["month"].dt.days_in_month
    before = month["month"].dt.dayofyear - 1
    exposure = ((area * until / 365).round(6) - (area * before / 365).round(6)).round(6)
    month.assign(kwh_per_m2=(month["micro_kwh"] / 1e6 / exposure).round(6)).to_parquet(out / "intensity.parquet")


_SOURCE = "select {columns} from read_parquet('{out}/{name}.parquet')"
_KWH = "(micro_kwh::decimal(28, 0) / 1000000)::decimal(28, 6)"
OUTPUTS = {
    "accepted": f"meter_id, start_utc, end_utc, local_date::date as local_date, {_KWH} as quantity, row_no",
    "quarantine": "row_no, reasons, row_text",
    "ignored": "row_no, reason",
    "day": f"meter_id, local_date::date as local_date, {_KWH} as energy_kwh",
    "month": f"site_id, month::date as month, {_KWH} as energy_kwh",
    "intensity": "site_id, month::date as month, kwh_per_m2::decimal(28, 6) as kwh_per_m2",
}


def outputs(out: Path) -> dict[str, str]:
    """Selects of what was delivered."""
    return {name: _SOURCE.format(columns=columns, out=out, name=name) for name, columns in OUTPUTS.items()}
