"""The delivery that all contenders take in, and the deployment that describes it to the product.

Belongs here: making the file and its planted faults. Does not belong here: what anyone does with them.

Every figure follows from its row number by a fixed hash, so the same size gives the same bytes.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

MAPPINGS = Path(__file__).with_name("mappings")
QUARTERS = 35_040  # of the year 2025, in any time zone: one day of 92 and one of 100 make up for each other
CLIENT = "90000011"
METERS_PER_SITE = 3


@dataclass(frozen=True)
class Delivery:
    """The file of readings, its lists of sites and meters, and the folder that holds the deployment."""

    project: Path
    readings: Path
    sites: Path
    meters: Path


def generate(project: Path, rows: int) -> Delivery:
    """Write a deployment with about `rows` readings, one in a thousand of them at fault."""
    meter_count = max(METERS_PER_SITE, round(rows / QUARTERS))
    site_count = -(-meter_count // METERS_PER_SITE)
    found = Delivery(
        project,
        project / "data/meetbedrijf/kwartierwaarden_2025.csv",
        project / "data/klant/locaties.csv",
        project / "data/meetbedrijf/meters.csv",
    )
    for path in (found.readings, found.sites):
        path.parent.mkdir(parents=True, exist_ok=True)
    _declare(project)
    (project / "data/klant/organisaties.csv").write_text(f"KvK;Naam;Rol\n{CLIENT};Meander;opdrachtgever\n", "utf-8")
    found.sites.write_text(
        "Locatie;Naam;Opdrachtgever;Plaats;Eigendom;GO m2;VVO m2;BVO m2;In gebruik vanaf;In gebruik tot\n"
        + "".join(
            f"S{n:03d};Kantoor {n};{CLIENT};Utrecht;huur;{1000 + 7 * n};;;01-01-2010;\n" for n in range(site_count)
        ),
        "utf-8",
    )
    found.meters.write_text(
        "EAN;Locatie;Energiedrager;Eenheid;Interval;Vanaf;Tot\n"
        + "".join(
            f"M{n:05d};S{n // METERS_PER_SITE:03d};elektriciteit;kWh;15;01-01-2010;\n" for n in range(meter_count)
        ),
        "utf-8",
    )
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'Europe/Amsterdam'")
        connection.execute(
            f"copy ({_rows(meter_count)}) to '{found.readings}' (header, delimiter ';', quote '')",
        )
    past = time.time() - 3600  # the drop folder leaves files alone that changed in the last half minute
    for path in project.rglob("*"):
        os.utime(path, (past, past))
    return found


def _rows(meter_count: int) -> str:
    """SQL of the lines: good rows in order of meter and time, then what is sent twice."""
    first = "timestamptz '2025-01-01 00:00:00+01'"
    return f"""
    with reading as (
        select m * {QUARTERS} + q as n, 'M' || lpad(m::varchar, 5, '0') as ean,
            strftime(({first} + to_minutes(15 * (q + 1)))::timestamp, '%d-%m-%Y %H:%M') as stamp,
            strftime(({first} + to_minutes(15 * (q + 1)))::timestamp, '%m%d') as day,
            replace(format('{{:.3f}}', (hash(m * {QUARTERS} + q) % 40000) / 1000), '.', ',') as quantity
        from range({meter_count}) a(m), range({QUARTERS}) b(q)
    ),
    planted as (
        select *, case when hash(n + 1) % 1000 = 0 and day not in ('1026', '0330') then (hash(n + 2) % 10)::int end as fault
        from reading
    ),
    line as (
        select n, 0 as turn,
            case when fault = 0 then 'M99999' else ean end as "EAN",
            case when fault in (1, 9) then '31-02-2025 10:00' when fault = 2 then '30-03-2025 02:15' else stamp end as "Tijdstip",
            case fault when 3 then 'storing' when 4 then '' when 5 then '-1,500' when 6 then '2000000,000'
                when 9 then '1.2.3' else quantity end as "Verbruik",
            'Gemeten' as "Status", fault
        from planted
    ),
    sent as (
        select * from line
        union all select n, 1, "EAN", "Tijdstip", "Verbruik", "Status", fault from line where fault = 7
        union all select n, 1, "EAN", "Tijdstip", '77,700', "Status", fault from line where fault = 8
    )
    select "EAN", "Tijdstip", "Verbruik", "Status" from sent order by turn, n
    """


def _declare(project: Path) -> None:
    """keten.yml, sources.yml and the mappings of the bench for one file of readings."""
    (project / "mappings").mkdir(parents=True, exist_ok=True)
    sources = []
    for path in sorted(MAPPINGS.glob("*.yml")):
        origin, dataset = path.stem.split("__")
        sources.append({"dataset": dataset, "origin": origin, "path": f"data/{origin}"})
        (project / "mappings" / path.name).write_bytes(path.read_bytes())
    _write(project / "sources.yml", {"sources": sources})
    _write(
        project / "keten.yml",
        {"organisation": "Bench", "zone": "Europe/Amsterdam", "reporting": {"from": "2025-01", "to": "2025-12"}},
    )


def _write(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")


def rows_of_columns(rows: int, columns: int) -> str:
    """SQL of rows that are half text and half numbers, for the readers of files alone."""
    cells = ", ".join(
        f"'word ' || (hash(n + {c}) % 1000)::varchar as \"column {c}\""
        if c % 2
        else f'(hash(n + {c}) % 1000000) / 1000 as "column {c}"'
        for c in range(columns)
    )
    return f"select {cells} from range({rows}) t(n)"
