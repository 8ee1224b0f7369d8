"""The product's reference tables, made from collected sources: `reference_selection.yml` says which rows and under which names.

Belongs here: reading the sources, and turning their rows into ours; the same input gives the same bytes. Does not belong
here: which rows are taken (the selection), how tables are declared and used (catalogue), and hand-written mappings.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from assets.reference_selection import SELECTION, Group, Selection, Spend, read_selection
from resources.catalogue.reading import ROOT
from resources.errors import KetenError

PLACES = Decimal("0.000000001")  # of the type `factor`
ROUNDED = Decimal("0.0011")  # how far the parts of a published total may be from it: each is rounded to three decimals
ALWAYS = "1990-01-01"  # from when what does not change is valid
Row = dict[str, str]


def build_reference(source: Path, target: Path = ROOT / "reference", selection: Path = ROOT / SELECTION) -> list[Path]:
    """Write the tables that are made from the folder `source`; their paths.

    Raises KetenError for a source row without source, licence or unit, for parts that do not make their total, and for
    a selection that finds nothing.
    """
    wanted = read_selection(selection)
    tables = {
        "emission_factor": list(_emission_factors(source, wanted)),
        **{name: list(_spend_factors(source, spend)) for name, spend in wanted.spend_factors.items()},
        "energy_content": list(_energy_content(source, wanted)),
        "waste_code": list(_waste_codes(source, wanted)),
        "treatment_method": list(_treatments(source, wanted)),
    }
    return [_write(target / f"{name}.csv", rows) for name, rows in tables.items()]


def _read(source: Path, name: str, *filled: str) -> list[Row]:
    """The rows of a source file, each with its `line`. Raises KetenError when one of the columns `filled` is empty."""
    path = source / name
    try:
        reader = csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    except OSError as error:
        raise KetenError(f"{path} cannot be read ({error.strerror}); --from names the folder of the sources") from None
    rows: list[Row] = []
    for row in reader:
        for column in filled:
            if not row.get(column):
                raise KetenError(f"{name}: line {reader.line_num}: {column} is empty; a factor without it is not taken")
        rows.append({**row, "line": f"{name}: line {reader.line_num}"})
    return rows


def _emission_factors(source: Path, wanted: Selection) -> Iterator[dict[str, Any]]:
    rows = _read(source, "emission_factors.csv", "source", "licence", "unit", "factor_id", "version", "valid_from")
    found = [made for group in wanted.emission_factors for made in _group(rows, group, wanted)]
    order = list(dict.fromkeys(part for group in wanted.emission_factors for part in group.parts))
    units: dict[tuple[str, str], str] = {}
    for made in found:
        place = made["geography_code"], made["factor_activity_code"]
        if units.setdefault(place, made["unit_code"]) != made["unit_code"]:
            raise KetenError(
                f"{SELECTION}: {place[1]} of {place[0]} comes in {units[place]} and in {made['unit_code']}; choose one unit"
            )
    yield from sorted(
        found,
        key=lambda m: (
            m["geography_code"],
            m["factor_activity_code"],
            m["valid_from"],
            m["edition_code"],
            order.index(m["part_code"]),
        ),
    )


def _group(rows: list[Row], group: Group, wanted: Selection) -> Iterator[dict[str, Any]]:
    for theirs, ours in group.activities.items():
        hits = [row for row in rows if row["activity_code"] == theirs + group.suffix and _in_group(row, group)]
        if not hits:
            raise KetenError(f"{SELECTION}: {group.title}: '{theirs}{group.suffix}' is in no row; correct or remove it")
        for row in hits:
            yield from _parts(row, group, ours or theirs, wanted)


def _in_group(row: Row, group: Group) -> bool:
    return (
        row["factor_id"].startswith(group.ids)
        and row["version"] in group.editions
        and (not group.geographies or row["geography"] in group.geographies)
        and (not group.units or row["unit"] in group.units)
    )


def _parts(row: Row, group: Group, activity: str, wanted: Selection) -> Iterator[dict[str, Any]]:
    """A row for each part of a factor. An empty part is not available (NULL); biogenic CO2 is only told where there is any."""
    if {"ttw", "wtt"} <= set(group.parts.values()) and row["ttw"] and row["wtt"]:
        apart = Decimal(row["ttw"]) + Decimal(row["wtt"]) - Decimal(row["kg_co2e_per_unit"])
        if abs(apart) > ROUNDED:
            raise KetenError(f"{row['line']}: ttw + wtt differs by {apart} from kg_co2e_per_unit; correct the source")
    for part, column in group.parts.items():
        text = row[column]
        if part == "biogenic" and (not text or Decimal(text) == 0):
            continue
        published = row["source_value"] if column == "kg_co2e_per_unit" else text
        made = _factor(row, part, text, activity, wanted)
        yield {**made, "geography_code": group.holds_for or row["geography"], "source_value": published}


def _factor(row: Row, part: str, text: str, activity: str, wanted: Selection) -> dict[str, Any]:
    publisher = next((p for start, p in wanted.publishers.items() if row["factor_id"].startswith(start)), None)
    if publisher is None or row["unit"] not in wanted.units:
        what = f"publisher of '{row['factor_id']}'" if publisher is None else f"unit '{row['unit']}'"
        raise KetenError(f"{row['line']}: the {what} is not known; add it to {SELECTION}")
    if row["evidence"] == "memory":
        raise KetenError(f"{row['line']}: from memory is no source; leave '{row['activity_code']}' out of {SELECTION}")
    unit = wanted.units[row["unit"]]
    return {
        "factor_id": row["factor_id"],
        "edition_code": row["version"],
        "factor_activity_code": activity,
        "part_code": part,
        "unit_code": unit.unit,
        "kg_co2e_per_unit": _number(Decimal(text) * unit.times) if text else "",
        "geography_code": row["geography"],
        "gwp_set_code": row["version"] if publisher.gwp_set == "version" else publisher.gwp_set,
        "valid_from": row["valid_from"],
        "valid_to": _day_after(row["valid_to"]),
        "known_from": publisher.known_from or f"{row['publication_year']}-01-01",
        "known_to": "",
        "is_verified": _yes(row["verified"]),
        "is_erratum": "false",
        "source_value": row["source_value"],
        "source_unit": row["source_unit"],
        "source": row["source"],
        "source_reference": row["source_url_or_repo"],
        "licence": row["licence"],
        "remark": "; ".join(note for note in (row["notes"], unit.remark) if note),
    }


def _spend_factors(source: Path, spend: Spend) -> Iterator[dict[str, Any]]:
    rows = _read(source, spend.file, "source", "licence", "unit", "kg_co2e_per_unit")
    by_sector = {row["sector_code"]: row for row in rows if row["price_basis"] in spend.price_bases}
    for sector in spend.sectors:
        if sector not in by_sector:
            raise KetenError(f"{SELECTION}: {spend.file}: sector '{sector}' is in no row; correct or remove it")
        row = by_sector[sector]
        yield {
            "factor_id": row["factor_id"],
            "edition_code": row["version"],
            "sector_code": sector,
            "sector_name": row["sector_name"],
            "currency_code": row["currency"],
            "price_year": row["price_year"],
            "price_basis_code": spend.price_bases[row["price_basis"]],
            "kg_co2e_per_unit": _number(Decimal(row["kg_co2e_per_unit"])),
            "geography_code": row["geography"],
            "gwp_set_code": spend.gwp_set,
            "valid_from": f"{row['data_year']}-01-01",
            "known_from": f"{row['publication_year']}-01-01",
            "is_verified": _yes(row["verified"]),
            "source": row["source"],
            "source_reference": row["source_url_or_repo"],
            "licence": row["licence"],
            "remark": row["notes"],
        }


def _energy_content(source: Path, wanted: Selection) -> Iterator[dict[str, Any]]:
    constants = {row["constant_id"]: row for row in _read(source, "units_constants.csv", "source", "licence")}
    for carrier in wanted.energy_content:
        for heating_value, content in carrier.values.items():
            if content.constant and content.constant not in constants:
                raise KetenError(f"{SELECTION}: constant '{content.constant}' is in no row; correct it")
            row = constants[content.constant] if content.constant else {}
            value = Decimal(row["value"]) if row else content.value
            if value is None:
                raise KetenError(
                    f"{SELECTION}: energy_content: {carrier.carrier} in {carrier.unit}: write constant or value"
                )
            constant = f"{row['quantity']}: {row['value']} {row['unit']}" if row else ""
            yield {
                "carrier_code": carrier.carrier,
                "unit_code": carrier.unit,
                "heating_value_code": heating_value,
                "valid_from": ALWAYS,
                "valid_to": "",
                "kwh_per_unit": _number((value / content.divided_by).quantize(Decimal(1).scaleb(-content.decimals))),
                "is_verified": _yes(row["verified"]) if row else "true",
                "source": row["source"] if row else content.source,
                "licence": row["licence"] if row else content.licence,
                "remark": "; ".join(note for note in (constant, content.remark) if note),
            }


def _waste_codes(source: Path, wanted: Selection) -> Iterator[dict[str, Any]]:
    ours = {theirs: stream for stream, streams in wanted.waste_streams.items() for theirs in streams}
    for row in _read(source, "waste_codes.csv", "source", "licence"):
        stream = row["fm_stream"]
        if row["fm_relevant"] != "yes":
            continue
        is_hazardous = row["hazardous"] == "yes"
        if stream not in ours and not is_hazardous:
            raise KetenError(f"{row['line']}: fm_stream '{stream}' is not known; add it to {SELECTION}")
        stays = not is_hazardous or stream in wanted.hazardous_streams_that_stay
        yield {
            "waste_code": row["ewc_code"],
            "text_nl": row["description_nl"],
            "text_en": row["description_en"],
            "is_hazardous": _yes(row["hazardous"]),
            "stream_code": ours[stream] if stays else "hazardous",
            "source": row["source"],
            "licence": row["licence"],
        }


def _treatments(source: Path, wanted: Selection) -> Iterator[dict[str, Any]]:
    ours = {
        (system, code): treatment
        for system, kinds in wanted.treatments.items()
        for treatment, codes in kinds.items()
        for code in codes
    }
    for row in _read(source, "treatment_codes.csv", "source", "licence"):
        key = row["code_system"], row["code"]
        if key not in ours:
            raise KetenError(f"{row['line']}: code '{row['code']}' is not known; add it to {SELECTION}")
        yield {
            "code_system": row["code_system"],
            "treatment_method_code": row["code"],
            "text_nl": row["description_nl"],
            "text_en": row["description_en"],
            "treatment_code": ours[key],
            "is_final": _yes(row["is_final_treatment"]),
            "source": row["source"],
            "licence": row["licence"],
        }


def _number(value: Decimal) -> str:
    """A number as it is written, to nine decimals and without zeros at its end."""
    text = format(value.quantize(PLACES), "f") if value != value.quantize(PLACES) else format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _day_after(day: str) -> str:
    """The end of a validity as we write it: the first day after; the sources write the last day."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat() if day else ""


def _yes(word: str) -> str:
    return "true" if word == "yes" else "false"


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode())
    return path
