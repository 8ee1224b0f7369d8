"""How each figure that others published about the real data is read from published tables, or from core.

Belongs here: one way to a figure per row of their files. Does not belong here: running the deployment (real_run), and
what a figure should be (test_real).
"""

from __future__ import annotations

from collections.abc import Callable

from tests.real_run import Real

Row = dict[str, str]


def mean_load(real: Real, meter: str) -> list[float]:
    """kWh by the hours of the months that are measured, from the published leaves."""
    building, carrier = meter.split("/")
    rows = real.published(
        "select sum(f.amount), sum(24 * date_diff('day', f.month, f.month + interval 1 month))"
        " from bi.fact_indicator_month f join bi.dim_site s using (site_key) join bi.dim_carrier c using (carrier_key)"
        f" where f.indicator_id = 'energy_intensity' and f.component = 'energy_kwh' and f.amount is not null"
        f" and s.site_id = 'UCam_Building_{building}' and c.carrier_code = '{carrier}'"
    )
    return [float(rows[0][0] / rows[0][1])]


def intensity(real: Real, building: str) -> list[float]:
    """kWh per m² and year over the years with electricity, from the published values of these years."""
    rows = real.published(
        "select sum(numerator) / sum(denominator) from bi.rpt_indicator_value"
        f" where indicator_id = 'energy_intensity' and scope_code = 'site=UCam_Building_{building};carrier=electricity'"
        " and period_type = 'year' and coverage = 1"
    )
    return [float(rows[0][0])]


def annual(real: Real, file: str) -> list[float]:
    """The published sum of a year; the hours of zero and the rows of its file, from core."""
    building, carrier, name = file.split("/")
    year = name[:4]
    scope = f"site=UCam_Building_{building};carrier={carrier}"
    rows = real.published(
        "select numerator from bi.rpt_indicator_value where indicator_id = 'energy_intensity'"
        f" and scope_code = '{scope}' and period_code = '{year}'"
    )
    counts = real.one(
        f"select count(*) filter (quantity = 0), count(*) from core.meter_reading where meter_id = '{building}/{carrier}'"
        f" and year(local_date) = {year}"
    )
    return [float(rows[0][0]), *map(float, counts)]


def cambridge(real: Real, row: Row) -> list[float]:
    metric = row["metric"]
    if metric.startswith("mean load"):
        return mean_load(real, row["file"])
    if metric.startswith("electricity use intensity"):
        return intensity(real, row["file"])
    assert metric == "annual sum; zero hours; rows"
    return annual(real, row["file"])


def kg(real: Real, year: int, what: str, where: str = "true") -> float:
    condition = {"all": "true"}.get(what, f"treatment_code = '{what}'")
    (mass,) = real.one(
        f"select sum(mass_kg) from core.waste_collection where year(period_from) = {year} and {condition} and {where}"
    )
    return float(mass)


def recycled_share(real: Real, year: int, where: str = "true") -> float:
    return 100 * kg(real, year, "recycling", where) / kg(real, year, "all", where)


def per_person(real: Real, year: int) -> list[float]:
    (persons,) = real.one(f"select sum(person_count) from core.site_month where year(month) = {year}")
    kinds = ("all", "recycling", "landfill", "other_diversion")
    return [kg(real, year, kind) / 1000 / float(persons) for kind in kinds]


SCOTTISH: dict[str, Callable[[Real], list[float]]] = {
    "scotland-hou-01": lambda real: [recycled_share(real, 2018)],
    "scotland-hou-02": lambda real: [recycled_share(real, 2019)],
    "scotland-hou-03": lambda real: [recycled_share(real, 2014)],
    "scotland-hou-04": lambda real: [kg(real, 2017, "all") / 1e9],
    "scotland-hou-05": lambda real: [kg(real, 2019, kind) / 1e9 for kind in ("all", "landfill", "other_diversion")],
    "scotland-hou-06": lambda real: [
        (kg(real, year, "landfill") - kg(real, 2019, "landfill")) / 1e6 for year in (2018, 2011)
    ],
    "scotland-hou-07": lambda real: per_person(real, 2019),
    "scotland-hou-08": lambda real: [
        recycled_share(real, 2017, f"site_id = '{site}'")
        for site in ("West Lothian", "Shetland Islands", "East Renfrewshire")
    ],
}


def scotland(real: Real, row: Row) -> list[float]:
    return SCOTTISH[row["id"]](real)


def oxford(real: Real, row: Row) -> list[float]:
    """Rows and payments of a file; suppliers by name, so not those who are known by the number of a payment alone."""
    ((receipt, rows),) = real.published(
        f"select receipt_id, received_rows from bi.rpt_delivery where dataset = 'spend' and file_name = '{row['file']}'"
    )
    spent, suppliers = real.one(
        r"select sum(amount), count(distinct party_id) filter (not regexp_full_match(party_id, '\d+(_\d+)?'))"
        f" from core.spend where receipt_id = '{receipt}' and currency_code = 'GBP'"
    )
    return [float(rows), float(spent), float(suppliers)]


GAPS = {
    "median hourly gap": "median_hourly_pay",
    "mean hourly gap": "mean_hourly_pay",
    "median bonus gap": "median_bonus_pay",
    "mean bonus gap": "mean_bonus_pay",
}


def uk_pay_gap(real: Real, row: Row) -> list[float]:
    """Employers and those in facility services; shares of employers with a gap; the middle employer."""
    what, _, asked = row["metric"].partition(": ")
    if not asked:
        facility = r"regexp_matches(p.industry_codes, '(^|\s)81\d{3}(,|$)')"
        found = real.one(
            f"select count(distinct contractor_id), count(distinct contractor_id) filter ({facility})"
            " from core.supplier_report r join core.party p on p.party_id = r.contractor_id"
        )
    else:
        gap = "100 * numerator / denominator"
        shares = ", ".join(f"100 * count(*) filter (numerator {test} 0) / count(*)" for test in (">", "<", "="))
        wanted = f"median({gap})" if asked == "median over employers" else shares
        found = real.one(f"select {wanted} from core.supplier_report where metric_code = '{GAPS[what]}'")
    return [float(figure) for figure in found]


def knmi(real: Real, row: Row) -> list[float]:
    """Degree days from the published months; temperatures and days from core."""
    year, metric = row["scope"], row["metric"]
    if "degree days" in metric:
        column = "weighted_degree_days" if metric.startswith("weighted") else "degree_days"
        found = real.published(
            f"select sum({column}) from bi.fact_degree_day_month where station_id = '260' and year(month) = {year}"
        )[0]
    elif metric == "mean temperature":
        found = real.one(f"select avg(mean_temperature_c) from core.weather_day where year(local_date) = {year}")
    elif metric.startswith("ice days"):
        tests = ("max_temperature_c < 0", "min_temperature_c < 0", "max_temperature_c >= 25", "max_temperature_c >= 30")
        counts = ", ".join(f"count(*) filter ({test})" for test in tests)
        found = real.one(f"select {counts} from core.weather_day where year(local_date) = {year}")
    else:
        assert metric == "rows; first and last day; gaps"
        ends = ", ".join(f"strftime({end}(local_date), '%Y%m%d')" for end in ("min", "max"))
        gaps = "date_diff('day', min(local_date), max(local_date)) + 1 - count(distinct local_date)"
        found = real.one(f"select count(*), {ends}, {gaps} from core.weather_day")
    return [float(figure) for figure in found]


FIGURES: dict[str, Callable[[Real, Row], list[float]]] = {
    "cambridge-estates-a": cambridge,
    "scotland-household-waste": scotland,
    "oxford-spend-2014-2016": oxford,
    "uk-gender-pay-gap-2017": uk_pay_gap,
    "knmi-debilt-daily": knmi,
}
