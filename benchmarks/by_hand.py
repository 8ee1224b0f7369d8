"""Contender: the same outputs by SQL that an engineer writes by hand for just this file, in DuckDB."""

from __future__ import annotations

from pathlib import Path

from benchmarks.data import Delivery

# The wide cast is for what does not fit the narrow one, which is 25 times as fast: the product knows, so this must too.
NUMBER = """coalesce(try_cast(replace(v, ',', '.') as decimal(18, 6))::decimal(28, 6),
    try_cast(replace(v, ',', '.') as decimal(28, 6)))"""

JUDGED = """
create temp table judged as
with line as (
    select row_number() over () + 1 as row_no, e, t, v, s,
        try_strptime(t, '%d-%m-%Y %H:%M') as stamp, {number} as quantity
    from read_csv('{readings}', delim = ';', header = false, skip = 1, auto_detect = false,
        columns = {{'e': 'VARCHAR', 't': 'VARCHAR', 'v': 'VARCHAR', 's': 'VARCHAR'}})
),
local as (
    select *, stamp >= timestamp '2025-10-26 02:00' and stamp < timestamp '2025-10-26 03:00' as is_double,
        stamp >= timestamp '2025-03-30 02:00' and stamp < timestamp '2025-03-30 03:00' as is_absent,
        stamp - case when stamp >= timestamp '2025-03-30 03:00' and stamp < timestamp '2025-10-26 03:00'
            then interval 2 hour else interval 1 hour end as utc
    from line
)
select row_no, e as meter_id, utc - interval 15 minute as start_utc, utc as end_utc,
    (stamp - interval 15 minute)::date as local_date, quantity, is_double,
    case when stamp is null or is_absent or quantity is null or quantity < 0 or quantity > 1000000 then
        concat_ws(',',
            case when v is null then 'missing:quantity' end,
            case when is_absent then 'nonexistent_local_time' end,
            case when stamp is null then 'not_a_date:stamp' end,
            case when quantity is null and v is not null then 'not_a_number:quantity' end,
            case when quantity not between -1000000 and 1000000 then 'rule:interval_size' end,
            case when quantity < 0 then 'rule:quantity_not_negative' end)
    end as reasons,
    case when reasons is not null then concat_ws(';', e, t, coalesce(v, ''), s) end as row_text
from local
"""

STEPS = (
    "create table site as select column0 as site_id, column5::decimal(28, 6) as m2 from read_csv('{sites}',"
    " delim = ';', skip = 1, header = false)",
    "create table meter as select column0 as meter_id, column1 as site_id from read_csv('{meters}',"
    " delim = ';', skip = 1, header = false)",
    JUDGED,
    # The doubled hour: the second time a meter says it, it is winter.
    """update judged set start_utc = start_utc + interval 1 hour, end_utc = end_utc + interval 1 hour from (
        select row_no as r, row_number() over (partition by meter_id, end_utc order by row_no) as turn from judged where is_double)
        where row_no = r and turn = 2""",
    """create temp table repeated as select row_no, quantity, meter_id, end_utc,
        row_number() over same as turn, min(quantity) over same = max(quantity) over same as is_equal
        from judged where reasons is null and hash(meter_id, end_utc) in (
            select h from (select hash(meter_id, end_utc) as h from judged where reasons is null) group by h having count(*) > 1)
        window same as (partition by meter_id, end_utc order by row_no rows between unbounded preceding and unbounded following)
        qualify count(*) over same > 1""",
    "create table ignored as select row_no, 'exact_repeat' as reason from repeated where is_equal and turn > 1",
    # Of the rows set aside only now the text is not at hand: the file is read again for them alone.
    """create temp table late as select row_no, 'conflicting_repeat' as reason from repeated where not is_equal
        union all select row_no, 'unknown_reference:meter_id' from judged
        where reasons is null and meter_id not in (select meter_id from meter) and row_no not in (select row_no from repeated
            where not is_equal or turn > 1)""",
    """create table quarantine as
        select row_no, reasons, row_text from judged where reasons is not null
        union all select row_no, reason, concat_ws(';', e, t, coalesce(v, ''), s) from (
            select * from (select row_number() over () + 1 as row_no, * from read_csv('{readings}', delim = ';',
                header = false, skip = 1, auto_detect = false,
                columns = {{'e': 'VARCHAR', 't': 'VARCHAR', 'v': 'VARCHAR', 's': 'VARCHAR'}}))
            where row_no in (select row_no from late)) join late using (row_no)""",
    """create table accepted as select meter_id, start_utc, end_utc, local_date, quantity, row_no from judged
        where reasons is null and row_no not in (select row_no from ignored union all select row_no from late)""",
    "create table day as select meter_id, local_date, sum(quantity)::decimal(28, 6) as energy_kwh from accepted group by all",
    """create table month as select site_id, date_trunc('month', local_date)::date as month,
        sum(energy_kwh)::decimal(28, 6) as energy_kwh from day join meter using (meter_id) group by all""",
    # A stock is spread over the days of the year, so that the months add up to it.
    """create table intensity as
        with spread as (
            select *, (m2 * date_diff('day', date '2025-01-01', month + interval 1 month) / 365)::decimal(28, 6)
                - (m2 * date_diff('day', date '2025-01-01', month) / 365)::decimal(28, 6) as m2_year
            from month join site using (site_id)
        )
        select site_id, month, round(energy_kwh / m2_year, 6)::decimal(28, 6) as kwh_per_m2 from spread""",
)


def prepare(out: Path) -> None:
    """Import what the work needs."""
    import duckdb  # noqa: F401


def work(delivery: Delivery, out: Path) -> None:
    """Judge, resolve, sum and divide into one database file."""
    import duckdb

    out.mkdir(parents=True)
    names = {"readings": delivery.readings, "sites": delivery.sites, "meters": delivery.meters, "number": NUMBER}
    with duckdb.connect(str(out / "out.duckdb"), config={"memory_limit": "1GB"}) as connection:
        for step in STEPS:
            connection.execute(step.format(**names))


def outputs(out: Path) -> dict[str, str]:
    """Selects of what was delivered."""
    names = ("accepted", "quarantine", "ignored", "day", "month", "intensity")
    return {
        "attach": f"attach '{out}/out.duckdb' as made (read_only)",
        **{name: f"select * from made.{name}" for name in names},
    }
