"""The layouts in which contractors send their reports.

Belongs here: headings, words and forms of each sender. Does not belong here: the figures (people).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from demo.writing import Cell, Demo


@dataclass(frozen=True)
class Figure:
    """One reported figure."""

    contract_id: str
    month: date
    metric: str
    definition: str
    numerator: float
    denominator: float
    persons: int
    reported_on: date
    scope: str = "contract"


_LONG = {
    "sickness_absence_hours": "Ziekteverzuim (uren)",
    "leavers": "Uitstroom (personen)",
    "lost_time_accidents": "Ongevallen met verzuim",
    "recordable_accidents": "Geregistreerde ongevallen",
    "permanent_contracts": "Vaste contracten",
    "training_hours": "Opleidingsuren",
    "daytime_hours": "Uren overdag",
}
_SHORT = {
    "sickness_absence_hours": "VERZ",
    "leavers": "UITST",
    "lost_time_accidents": "ONG-V",
    "recordable_accidents": "ONG-R",
    "permanent_contracts": "VAST",
    "training_hours": "OPL",
    "daytime_hours": "DAG",
}
_DEFINITIONS = {
    "cbs": "CBS",
    "without_contract_change": "zonder contractwissel",
    "with_contract_change": "met contractwissel",
    "vca": "VCA",
    "esrs": "ESRS",
    "contract": "contract",
}
_SCOPES = {"contract": "contract", "company_nl": "bedrijf"}


@dataclass(frozen=True)
class Layout:
    """How a sender writes: its words, its headings in the order of `_cells`, and whether a month is a date or a text."""

    words: dict[str, str]
    headings: Sequence[str]
    has_dates: bool = False
    before: Sequence[str] = ()


_PLAIN = ("Contract", "Maand", "Kengetal", "Definitie", "Teller", "Noemer", "Personen", "Opgegeven op")
LAYOUTS = {
    "schoonmaak_a": Layout(_LONG, ("Contractnr.", "Periode", *_PLAIN[2:6], "Medewerkers", "Gemeld op")),
    "schoonmaak_b": Layout(
        _LONG,
        ("Contract", "Maand", "Prestatie", *_PLAIN[3:7], "Rapportdatum", "Soort"),
        True,
        ("Managementrapportage schoonmaak", "Maandregels en regels vanaf januari (cumulatief)"),
    ),
    "catering": Layout(
        _LONG,
        (
            "contract",
            "maand",
            "kpi.naam",
            "kpi.definitie",
            "waarde.teller",
            "waarde.noemer",
            "team",
            "verzonden",
            "bereik",
        ),
        True,
    ),
    "beveiliging": Layout(_SHORT, ("Contract", "Maand", "Code", *_PLAIN[3:7], "Datum"), True),
    "receptie": Layout(_LONG, _PLAIN),
    "techniek": Layout(_SHORT, ("contract", "maand", "code", "definitie", "teller", "noemer", "personen", "datum")),
    "koffie": Layout(_LONG, _PLAIN),
    "glas": Layout(_LONG, _PLAIN),
    "glas_nieuw": Layout(_SHORT, _PLAIN),
}


def send(demo: Demo, sender: str, block: list[date], found: list[Figure], earlier: list[Figure], issued: date) -> None:
    """Write the report of a sender for some months; `earlier` are its figures of the year before them."""
    layout = LAYOUTS[sender]
    rows = [_cells(layout, figure) for figure in found]
    if sender == "schoonmaak_b":
        rows = [[*row, "maand"] for row in rows]
        rows += [[*_cells(layout, total), "cumulatief"] for total in _totals(earlier, found)]
    if sender == "catering":
        rows = [[*row, _SCOPES[figure.scope]] for row, figure in zip(rows, found, strict=True)]
    name = f"rapportage_{block[0]:%Y-%m}"
    demo.writer.deliver(f"{sender}__supplier_report", name, layout.headings, rows, issued, before=layout.before)


def _cells(layout: Layout, figure: Figure) -> list[Cell]:
    words = (layout.words[figure.metric], _DEFINITIONS[figure.definition])
    counts = (round(figure.numerator, 1), round(figure.denominator, 1), figure.persons)
    month = figure.month if layout.has_dates else f"{figure.month:%m-%Y}"
    return [figure.contract_id, month, *words, *counts, figure.reported_on]


def _totals(earlier: list[Figure], found: list[Figure]) -> list[Figure]:
    """The absence since January, below the month itself: whoever adds all rows counts most months many times."""
    totals = []
    for figure in found:
        if figure.metric == "sickness_absence_hours":
            same = [f for f in earlier if (f.contract_id, f.metric) == (figure.contract_id, figure.metric)]
            hours, of = (sum(getattr(f, side) for f in same) for side in ("numerator", "denominator"))
            totals.append(replace(figure, numerator=figure.numerator + hours, denominator=figure.denominator + of))
    return totals
