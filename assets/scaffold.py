"""Stubs of a new indicator: its declaration, its SQL and its golden case.

Belongs here: writing the three files. Does not belong here: registering them anywhere; their path is their name.
"""

from __future__ import annotations

import re
from pathlib import Path

from resources.errors import KetenError

ROOT = Path(__file__).resolve().parent.parent
PILLARS = ("people", "planet", "purpose")

_YML = """title: {{nl: {label}, en: {label}}}
description:
  nl: Kilogrammen afval van een locatie. Vervang deze tekst door wat de indicator betekent.
  en: Kilograms of waste of a site. Replace this text by what the indicator means.
method:
  nl: Som van het gewicht per locatie en maand.
  en: Sum of the mass by site and month.
pitfall:
  nl: Een maand zonder lediging ontbreekt en is geen maand zonder afval.
  en: A month without a collection is missing, and is no month without waste.
owner: facility data team
unit: kg
decimals: 0
direction: lower
core: false
kind: amount
numerator: mass_kg
standards: []
components:
  mass_kg: {{keys: [client_id, site_id], unit: kg, over_time: sum, over_keys: sum, nl: afval, en: waste}}
levels: [[site_id], [client_id], []]
range: [0, 100000000]
"""

_SQL = """-- Grain: one row per site and month with a waste collection.
select
    'mass_kg' as component,
    date_trunc('month', w.period_from)::date as month,
    s.client_id,
    w.site_id,
    sum(w.mass_kg)::decimal(28, 6) as amount,
    null::varchar as entity_id,
    null::varchar as gap_code
from {{ ref('core.waste_collection') }} as w
inner join {{ ref('core.site') }} as s on w.site_id = s.site_id
inner join {{ ref('run.month') }} as m on date_trunc('month', w.period_from)::date = m.month
group by 1, 2, 3, 4
"""

_GOLDEN = """- title: two collections of a month add up; a month without a collection has no value; a corrected one changes it
  months: [2025-01, 2025-02]
  core:
    site: [{site_id: S, client_id: C, in_use_from: 2010-01-01}]
    waste_collection:
      - {collector_id: W, site_id: S, period_from: 2025-01-05, period_to: 2025-01-06, mass_kg: 40}
      - {collector_id: W, site_id: S, period_from: 2025-01-06, period_to: 2025-01-07, mass_kg: 2}
  expect:
    - {level: site, site_id: S, period: 2025-01, value: 42}   # 40 + 2
    - {level: site, site_id: S, period: 2025-02, absent: true}
  restate: [{core: waste_collection, where: "mass_kg = 2", set: "mass_kg = 3"}]
  then:
    - {level: site, site_id: S, period: 2025-01, value: 43}   # 40 + 3
"""


def write_indicator(pillar: str, indicator_id: str, root: Path = ROOT) -> list[Path]:
    """Write the stubs and return their paths. Raises KetenError for a bad name or files that exist."""
    if pillar not in PILLARS:
        raise KetenError(f"'{pillar}' is not a pillar; choose people, planet or purpose")
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,62}", indicator_id):
        raise KetenError(f"'{indicator_id}' is not a name; use snake_case, ASCII, 3 to 63 characters")
    folder = root / "dbt_like_sql" / "indicators" / pillar
    label = indicator_id.replace("_", " ").capitalize()
    files = {
        folder / f"{indicator_id}.yml": _YML.format(label=label),
        folder / f"{indicator_id}.sql": _SQL,
        root / "tests" / "golden" / f"{indicator_id}.yml": _GOLDEN,
    }
    for path in files:
        if path.exists():
            raise KetenError(f"{path} exists; choose another name or remove it")
    for path, text in files.items():
        path.write_text(text, "utf-8")
    return list(files)
