"""Generate the demo deployment: `python -m demo.generate --out DIR`.

Belongs here: synthetic deliveries in each sender's own layout, with planted events. Does not belong here: anything the
product needs to run. The same seed and size give the same bytes. All names are fictional.
"""

from __future__ import annotations

import argparse
import os
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from demo.mappings import ISSUED, MAPPINGS, NL
from demo.writing import AMSTERDAM, Writer, ean, following, months, quarters

CLIENT = "90000011"
COLLECTOR, CLEANER, CATERER, GUARD, GLAZIER = "90000028", "90000035", "90000042", "90000059", "90000066"
# Site, name, town, tenure, BVO, VVO, GO, FTE, electricity kWh per m² GO: section 1 of the figures the demo is built on.
SITES = [
    ("UTR", "Hoofdkantoor Utrecht", "Utrecht", "eigendom", 24000, 20160, 22080, 1400, 78),
    ("AMF", "Kantoor Amersfoort", "Amersfoort", "eigendom", 9000, 7560, 8280, 525, 58),
    ("BRE", "Kantoor Breda", "Breda", "huur", 4000, 3360, 3680, 233, 59),
]
STREAMS = [
    ("Restafval", 35.0, "verbranding"),
    ("Papier", 14.0, "recycling"),
    ("Swill", 14.0, "recycling"),
    ("PMD", 5.0, "recycling"),
]


def readings(
    writer: Writer, rng: np.random.Generator, sites: list[tuple], span: list[date], planted: list[dict]
) -> None:
    """Quarter-hour electricity per site and month, stamped at the END in local time without offset."""
    for number, site in enumerate(sites):
        yearly = site[6] * site[8]
        for month in span:
            ends = quarters(month)
            local = [e.astimezone(AMSTERDAM) for e in ends]
            busy = np.array([1.0 if t.weekday() < 5 and 7 <= t.hour < 19 else 0.36 for t in local])
            kwh = np.round(busy * yearly / 8766 / 4 / 0.59 * rng.uniform(0.9, 1.1, len(local)), 3)
            rows = [
                f"{ean(number + 1)};{t:%d-%m-%Y %H:%M};{v:.3f};Gemeten".replace(".", ",")
                for t, v in zip(local, kwh, strict=True)
            ]
            name = f"kwartierwaarden_{site[0]}_{month:%Y-%m}_issued-{following(month):%Y%m}03T0600.csv.gz"
            writer.csv(f"data/meetbedrijf/{name}", "EAN;Tijdstip;Verbruik;Status", rows)
            if number == 0 and month == span[1]:
                late = [r.rsplit(";", 2)[0] + ";99,500;Gecorrigeerd" for r in rows[100:104]]
                writer.csv(
                    f"data/meetbedrijf/kwartierwaarden_{site[0]}_{month:%Y-%m}-correctie_issued-{following(month):%Y%m}20T0600.csv",
                    "EAN;Tijdstip;Verbruik;Status",
                    late,
                )
            if number == 0 and month == span[0]:
                writer.csv(f"data/meetbedrijf/kopie_{name}", "EAN;Tijdstip;Verbruik;Status", rows)
    planted += [
        {
            "id": "late_correction",
            "dataset": "meter_reading",
            "rows": 4,
            "nl": "Vier kwartieren zijn later gecorrigeerd.",
            "en": "Four quarter-hours were corrected later.",
        },
        {
            "id": "duplicate_delivery",
            "dataset": "meter_reading",
            "rows": 0,
            "nl": "Hetzelfde bestand is twee keer gestuurd.",
            "en": "The same file was sent twice.",
        },
        {
            "id": "summer_time_starts",
            "dataset": "meter_reading",
            "rows": 92,
            "nl": "30 maart 2025 telt 92 kwartieren.",
            "en": "30 March 2025 has 92 quarter-hours.",
        },
        {
            "id": "summer_time_ends",
            "dataset": "meter_reading",
            "rows": 100,
            "nl": "26 oktober 2025 telt 100 kwartieren.",
            "en": "26 October 2025 has 100 quarter-hours.",
        },
    ]


def waste(writer: Writer, rng: np.random.Generator, sites: list[tuple], span: list[date], planted: list[dict]) -> None:
    """Liftings of 1,100 litre containers per site and stream, one file a month; one month is sent again with three fewer."""
    header = "Inzamelaar;Locatie;Datum lediging;Afvalstroom;Container;Verwerking;Gewicht (kg);Gewogen"
    for month in span:
        rows = []
        for site in sites:
            for stream, per_fte, treatment in STREAMS:
                count = max(1, round(site[7] * per_fte / 12 / 62))
                for i in range(count):
                    day = month + timedelta(days=int(i * 28 / count))
                    mass = round(float(rng.normal(62, 8)), 1)
                    rows.append(
                        f"{COLLECTOR};{site[0]};{day:%d-%m-%Y};{stream};1100L;{treatment};{mass:.1f};ja".replace(
                            ".", ","
                        )
                    )
        if month == span[2]:
            equal = f"{COLLECTOR};UTR;{month:%d-%m-%Y};Restafval;1100L;verbranding;61,5;ja"
            rows += [equal, equal]
        if month == span[3]:
            rows.append(f"{COLLECTOR};UTR;{month:%d-%m-%Y};Onbekende stroom;1100L;recycling;20,0;ja")
            rows.append(f"{COLLECTOR};UTR;{month:%d-%m-%Y};Restafval;1100L;verbranding;zestig;ja")
        rows.append(f"{COLLECTOR};Totaal;;;;;{9999};")
        stem = f"data/inzamelaar/ledigingen_{month:%Y-%m}_issued-{following(month):%Y%m}"
        writer.csv(f"{stem}05T0900.csv", header, rows)
        if month == span[1]:
            writer.csv(f"{stem}19T0900.csv", header, rows[3:])
    planted += [
        {
            "id": "three_rows_fewer",
            "dataset": "waste_collection",
            "rows": 3,
            "nl": "Een maand is opnieuw gestuurd met drie ledigingen minder; die zijn ingetrokken.",
            "en": "A month was sent again with three liftings fewer; they are withdrawn.",
        },
        {
            "id": "two_equal_liftings",
            "dataset": "waste_collection",
            "rows": 2,
            "nl": "Twee gelijke ledigingen op een dag zijn beide echt.",
            "en": "Two equal liftings on one day are both real.",
        },
        {
            "id": "unknown_stream",
            "dataset": "waste_collection",
            "rows": 1,
            "nl": "De afvalstroom is niet bekend.",
            "en": "The waste stream is not known.",
        },
        {
            "id": "no_number",
            "dataset": "waste_collection",
            "rows": 1,
            "nl": "Het gewicht is geen getal.",
            "en": "The mass is not a number.",
        },
    ]


def master(writer: Writer, sites: list[tuple], span: list[date], hold_back: bool, planted: list[dict]) -> None:
    """Organisations, sites (Breda in a later list), meters, people per month."""
    parties = [
        (CLIENT, "Meander Verzekeringen", "opdrachtgever"),
        (COLLECTOR, "Kringloop Inzameling", "opdrachtnemer"),
        (CLEANER, "Helder Schoonmaak", "opdrachtnemer"),
        (CATERER, "De Gedekte Tafel", "opdrachtnemer"),
        (GUARD, "Wachter Beveiliging", "opdrachtnemer"),
        (GLAZIER, "Blik Glasbewassing", "opdrachtnemer"),
    ]
    writer.csv("data/klant/organisaties_issued-20250301T0800.csv", "KvK;Naam;Rol", [";".join(p) for p in parties])
    header = "Locatie;Naam;Opdrachtgever;Plaats;Eigendom;GO m2;VVO m2;BVO m2;In gebruik vanaf;In gebruik tot"
    rows = [f"{s[0]};{s[1]};{CLIENT};{s[2]};{s[3]};{s[6]};{s[5]};{s[4]};01-01-2010;" for s in sites]
    first = [r for r in rows if not r.startswith("BRE")]
    writer.csv("data/klant/locaties_issued-20250301T0800.csv", header, first)
    later = "later/klant" if hold_back else "data/klant"
    writer.csv(f"{later}/locaties_issued-20250601T0800.csv", header, rows)
    meters = [f"{ean(i + 1)};{s[0]};elektriciteit;kWh;15;01-01-2010;" for i, s in enumerate(sites)]
    writer.csv(
        "data/meetbedrijf/meters_issued-20250301T0800.csv",
        "EAN;Locatie;Energiedrager;Eenheid;Interval;Vanaf;Tot",
        meters,
    )
    for month in span:
        people = [f"{s[0]};{month:%Y-%m};{s[7]};{round(s[7] * 1.15)}" for s in sites]
        name = f"data/klant/bezetting_{month:%Y-%m}_issued-{following(month):%Y%m}02T0800.csv"
        writer.csv(name, "Locatie;Maand;FTE;Personen", people)
    planted.append(
        {
            "id": "unknown_site",
            "dataset": "site_month",
            "rows": len(span),
            "site": "BRE",
            "nl": "Breda ontbreekt in de eerste lijst van locaties; de regels wachten tot de lijst van juni er is.",
            "en": "Breda is not in the first list of sites; its rows wait until the list of June is there.",
        }
    )


CREWS = [
    (CLEANER, "C-SCH", "schoonmaak", 48, 3833, 0.068),
    (CATERER, "C-CAT", "catering", 26, 2250, 0.054),
    (GUARD, "C-BEV", "beveiliging", 14, 1458, 0.063),
    (GLAZIER, "C-GLA", "schoonmaak", 4, 175, 0.06),
]


def people(writer: Writer, rng: np.random.Generator, span: list[date], planted: list[dict]) -> None:
    """Sickness absence by contractor and month, and one sheet about persons that must be refused."""
    contracts = [
        f"{c[1]};{c[2].capitalize()} Meander;{CLIENT};{c[0]};{c[2]};{c[4] * 460};01-01-2024;;15" for c in CREWS
    ]
    writer.csv(
        "data/klant/contracten_issued-20250301T0800.csv",
        "Contract;Naam;Opdrachtgever;Opdrachtnemer;Dienst;Jaarwaarde;Vanaf;Tot;Aanlevertermijn",
        contracts,
    )
    header = "Opdrachtnemer;Contract;Dienst;Van;Tot;Verzuimuren;Beschikbare uren;Personen"
    for month in span:
        rows = []
        for party, contract, service, persons, hours, share in CREWS:
            absent = f"{hours * share * rng.uniform(0.8, 1.2):.1f}".replace(".", ",")
            rows.append(
                f"{party};{contract};{service};{month:%d-%m-%Y};{following(month):%d-%m-%Y};{absent};{hours};{persons}"
            )
        writer.csv(f"data/opdrachtnemers/verzuim_{month:%Y-%m}_issued-{following(month):%Y%m}10T1200.csv", header, rows)
    writer.csv(
        "data/verzuimbureau/verzuim_per_medewerker_issued-20250410T1200.csv",
        f"{header};Naam;BSN;Geboortedatum",
        [f"{CLEANER};C-SCH;schoonmaak;01-03-2025;01-04-2025;8,0;160;48;J. Voorbeeld;111222333;01-01-1980"],
    )
    planted.append(
        {
            "id": "personal_data",
            "dataset": "supplier_report",
            "rows": 0,
            "nl": "Een verzuimlijst met namen en burgerservicenummers is geweigerd en niet bewaard.",
            "en": "A list of absence with names and citizen numbers was refused and not kept.",
        }
    )


def programme(writer: Writer) -> None:
    """Three chains and their twelve requirements."""
    chains = [
        ("CH-AFV", "Afval Meander", COLLECTOR, "waste", "01-02-2025", 289),
        ("CH-CAT", "Catering Meander", CATERER, "catering", "01-04-2025", 331),
        ("CH-SCH", "Schoonmaak Meander", CLEANER, "cleaning", "01-08-2025", 340),
    ]
    rows = [f"{c[0]};{c[1]};{CLIENT};{c[2]};{c[3]};{c[4]};" for c in chains]
    writer.csv(
        "data/klant/ketens_issued-20250801T0800.csv", "Keten;Naam;Opdrachtgever;Opdrachtnemer;Dienst;Start;Einde", rows
    )
    for issued in (date(2025, 9, 1), date(2026, 3, 31)):
        lines = []
        for chain, *_, start, ready in chains:
            begin = datetime.strptime(start, "%d-%m-%Y").date()
            for number in range(12):
                met = begin + timedelta(days=round(ready * (number + 1) / 12))
                planned = begin + timedelta(days=round(365 * (number + 1) / 12))
                shown = f"{met:%d-%m-%Y};verslag-{number + 1:02d}.pdf" if met < issued else ";"
                lines.append(f"{chain};R{number + 1:02d};{planned:%d-%m-%Y};{shown};contractmanager")
        writer.csv(
            f"data/klant/mijlpalen_issued-{issued:%Y%m%d}T0800.csv", "Keten;Eis;Gepland;Gehaald;Bewijs;Rol", lines
        )


def declarations(writer: Writer, span: list[date]) -> None:
    """keten.yml, sources.yml and the mappings."""
    writer.yaml(
        "keten.yml",
        {
            "organisation": "Meander Verzekeringen (fictief)",
            "languages": ["nl", "en"],
            "zone": "Europe/Amsterdam",
            "reporting": {"from": f"{span[0]:%Y-%m}", "to": f"{span[-1]:%Y-%m}"},
        },
    )
    sources = []
    for name, (files, columns) in MAPPINGS.items():
        origin, dataset = name.split("__")
        sources.append({"dataset": dataset, "origin": origin, "path": f"data/{origin}"})
        mapping: dict[str, object] = {
            "title": f"{dataset} van {origin}",
            "files": files,
            "format": NL,
            "issued_at": ISSUED,
        }
        if dataset == "meter_reading":
            mapping["time"] = {
                "zone": "Europe/Amsterdam",
                "stamp": "end",
                "interval_minutes": 15,
                "ambiguous": "first_is_summer",
            }
        if dataset == "waste_collection":
            mapping["ignore_rows"] = [{"heading": "Locatie", "matches": "^Totaal", "reason": "total"}]
        writer.yaml(f"mappings/{name}.yml", {**mapping, "columns": columns})
    writer.yaml("sources.yml", {"sources": sources})


def generate(out: Path, seed: int = 2025, sites: int = 3, month_count: int = 13, hold_back: bool = False) -> None:
    """Write the deployment folder as a whole, or not at all."""
    building = out.with_name(f".{out.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    planted: list[dict] = []
    writer, rng, span = Writer(building), np.random.default_rng(seed), months(month_count)
    chosen = SITES[:sites]
    declarations(writer, span)
    master(writer, chosen, span, hold_back, planted)
    readings(writer, rng, chosen, span, planted)
    waste(writer, rng, chosen, span, planted)
    people(writer, rng, span, planted)
    programme(writer)
    writer.yaml("planted.yml", planted)
    past = datetime(2026, 4, 1).timestamp()
    for path in building.rglob("*"):
        os.utime(path, (past, past))
    os.replace(building, out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.generate", description="Generate the synthetic demo deployment."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to make; must not exist")
    parser.add_argument("--seed", type=int, default=2025, help="same seed, same bytes (default 2025)")
    parser.add_argument("--sites", type=int, default=3, choices=range(1, 4), help="number of sites (default 3)")
    parser.add_argument(
        "--months", type=int, default=13, help="number of months from March 2025 (default 13, at least 4)"
    )
    parser.add_argument("--hold-back", action="store_true", help="keep the later list of sites in OUT/later")
    chosen = parser.parse_args()
    if chosen.out.exists():
        parser.error(f"{chosen.out} exists; remove it or choose another folder")
    if chosen.months < 4:
        parser.error("--months is at least 4: the planted events need them")
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    generate(chosen.out, chosen.seed, chosen.sites, chosen.months, chosen.hold_back)


if __name__ == "__main__":
    main()
