"""Where the emission factors in use come from, and under which licence.

Belongs here: the publishers behind the factors that some emission stands on. Does not belong here: choosing a factor
(`dbt_like_sql/ledger/factor_choice.sql`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.publication.published import Read

SHOWN_EDITIONS = 4
_ADDRESS = re.compile(r"https?://[^\s;,]+|\bwww\.[^\s;,]+|\bdoi:[^\s;,]+")


@dataclass(frozen=True)
class FactorSource:
    """A publisher of factors: what is used of it, where it is found (empty when it is no address), and its licence."""

    source: str
    editions: str
    address: str
    licence: str


def factor_sources(engine: Read) -> list[FactorSource]:
    """The sources of every factor that stands behind some emission, by name."""
    return [
        FactorSource(row["source"], _editions(row["editions"]), _address(row["found"]), row["licence"])
        for row in engine(_USED)
    ]


def address_of(reference: str) -> str:
    """The first web address in a text, with its scheme; empty when there is none."""
    found = _ADDRESS.search(reference)
    if not found:
        return ""
    if found[0].startswith("doi:"):
        return f"https://doi.org/{found[0].removeprefix('doi:')}"
    return found[0] if found[0].startswith("http") else f"https://{found[0]}"


def _address(references: list[str]) -> str:
    """Where a source is found: the one page, or the site when its factors stand on several pages."""
    found = sorted({address for reference in references if (address := address_of(reference))})
    if len(found) < 2:
        return found[0] if found else ""
    return "/".join(found[0].split("/")[:3])


def _editions(editions: list[str]) -> str:
    """The newest editions by name; how many more there are."""
    shown = editions[:SHOWN_EDITIONS]
    return ", ".join(shown) + (f" (+{len(editions) - len(shown)})" if len(editions) > len(shown) else "")


_COLUMNS = "factor_id, edition_code, source, licence, source_reference"
_USED = f"""
with used as (select distinct factor_id, edition_code from ledger.impact where emissions_kg_co2e is not null),
known as (
    select {_COLUMNS} from reference.emission_factor
    union all select {_COLUMNS} from reference.spend_factor_exiobase
    union all select {_COLUMNS} from reference.spend_factor_us
)
select known.source, known.licence, list(distinct known.source_reference) as found,
    list(distinct known.edition_code order by known.edition_code desc) as editions
from used join known using (factor_id, edition_code)
group by known.source, known.licence order by known.source, known.licence"""
