"""Why a row was set apart, in plain words.

Belongs here: a sentence for every reason code that judging, repeats and merging give. Does not belong here: the tests
themselves, and how often a reason occurs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.wording import Words, number

if TYPE_CHECKING:
    from resources.catalogue import Catalogue
    from resources.catalogue_models import ContractColumn

# The stamp of a reading is no column of a contract: a mapping makes start and end of it.
_STAMP = Words("Tijdstip", "Time stamp")

_OF_ROW = {
    "conflicting_repeat": Words(
        "Twee regels in één aanlevering hebben dezelfde sleutel en verschillende waarden; geen van beide telt.",
        "Two rows of one delivery have the same key and different values; neither counts.",
    ),
    "unreadable_bytes": Words(
        "De regel bevat tekens die geen tekst zijn; de rest van het bestand is leesbaar.",
        "The row holds bytes that are no text; the rest of the file can be read.",
    ),
    "too_long": Words(
        "Een cel van deze regel telt meer dan 32.767 tekens, meer dan in een cel van een werkblad past.",
        "A cell of this row has more than 32,767 characters, which is more than a cell of a sheet holds.",
    ),
    "nonexistent_local_time": Words(
        "Dit tijdstip bestaat niet: in dit uur werd de klok vooruitgezet.",
        "This time does not exist: the clock was put forward in this hour.",
    ),
    "ambiguous_local_time": Words(
        "Dit uur komt twee keer voor: de klok werd teruggezet, en niet is te zien welk van de twee het is.",
        "This hour occurs twice: the clock was put back, and which of the two it is cannot be told.",
    ),
    "implausible_time": Words(
        "Dit tijdstip ligt niet tussen 1990 en 2060.",
        "This time does not lie between 1990 and 2060.",
    ),
    "missing_earlier_month": Words(
        "Dit is een totaal sinds januari, en de periode ervoor ontbreekt in de aanlevering.",
        "This is a total since January, and the period before it is missing from the delivery.",
    ),
}

_OF_COLUMN = {
    "missing": Words("{} is leeg.", "{} is empty."),
    "not_a_number": Words("{} is geen getal.", "{} is not a number."),
    "ambiguous_number": Words(
        "{}: de punt of komma kan duizendtallen of decimalen scheiden.",
        "{}: the point or comma can be a mark of thousands or of decimals.",
    ),
    "missing_unit": Words("{} heeft geen eenheid.", "{} has no unit."),
    "unknown_unit": Words("{}: de eenheid is niet bekend.", "{}: its unit is not known."),
    "unit_mismatch": Words(
        "{} staat in een eenheid van een andere soort dan is afgesproken.",
        "{} is in a unit of another kind than was agreed.",
    ),
    "unknown_factor": Words(
        "{}: de factor ernaast is leeg of geen getal.", "{}: the factor beside it is empty or not a number."
    ),
    "implausible": Words(
        "{} ligt buiten wat van deze afzender te verwachten is.",
        "{} lies outside what can be expected of this sender.",
    ),
    "ambiguous_date": Words(
        "{} kan als twee verschillende datums worden gelezen.", "{} can be read as two different dates."
    ),
    "not_a_date": Words("{} is geen datum in de afgesproken vorm.", "{} is not a date in the agreed form."),
    "not_a_yes_or_no": Words("{} is geen ja of nee.", "{} is not a yes or a no."),
    "unknown_code": Words("{}: deze aanduiding is niet bekend.", "{}: this code is not known."),
    "unreadable": Words(
        "{} is niet te lezen: een fout, een formule zonder uitkomst of een getal dat cijfers verloor.",
        "{} cannot be read: an error, a formula that was never calculated or a number that lost digits.",
    ),
}


_OTHERS = {
    "out_of_range": Words("Kolom ligt buiten het afgesproken bereik.", "Column lies outside the agreed range."),
    "unknown": Words(
        "Kolom komt niet voor in de stamgegevens; de regel telt vanzelf mee zodra dat wel zo is.",
        "Column does not occur in the master data; the row counts by itself as soon as it does.",
    ),
    "rule": Words("De regel voldoet niet aan deze afspraak.", "The row breaks this agreed rule."),
}


def reason_kinds() -> dict[str, Words]:
    """What stands before the colon of a reason, as a sentence about a column that the reason names."""
    of_column = {kind: Words(t.nl.format("Kolom"), t.en.format("Column")) for kind, t in _OF_COLUMN.items()}
    return {**_OF_ROW, **of_column, **_OTHERS}


def reason_words(catalogue: Catalogue, dataset: str, reason: str) -> Words:
    """A reason of a rejected row as a sentence. A code that is not known is told as it is."""
    kind, _, name = reason.partition(":")
    contract = catalogue.contracts[dataset]
    if kind == "rule":
        return next((Words(rule.nl, rule.en) for rule in contract.rules if rule.id == name), Words(reason, reason))
    if kind in _OF_COLUMN:
        label = _label(catalogue, name)
        return Words(_OF_COLUMN[kind].nl.format(label.nl), _OF_COLUMN[kind].en.format(label.en))
    if kind == "out_of_range":
        return _out_of_range(catalogue, name, contract.columns[name])
    if kind == "unknown":
        return _unknown(catalogue, name, contract.columns[name])
    return _OF_ROW.get(reason, Words(reason, reason))


def _label(catalogue: Catalogue, name: str) -> Words:
    """A column as people name it, between quotes."""
    column = catalogue.columns.get(name)
    label = Words(column.nl, column.en) if column else _STAMP
    return Words(f"\u2018{label.nl}\u2019", f"\u2018{label.en}\u2019")


def _out_of_range(catalogue: Catalogue, name: str, column: ContractColumn) -> Words:
    label = _label(catalogue, name)
    low, high = (number(bound, max(0, -int(bound.normalize().as_tuple().exponent))) for bound in column.range or ())
    unit = catalogue.units.get(catalogue.columns[name].unit or "")
    nl, en = (f"\u00a0{unit.nl}", f"\u00a0{unit.en}") if unit else ("", "")
    return Words(
        f"{label.nl} ligt niet tussen {low.nl} en {high.nl}{nl}.",
        f"{label.en} does not lie between {low.en} and {high.en}{en}.",
    )


def _unknown(catalogue: Catalogue, name: str, column: ContractColumn) -> Words:
    label = _label(catalogue, name)
    listed = catalogue.contracts[str(column.references)].title
    return Words(
        f"{label.nl} komt niet voor in \u2018{listed.nl}\u2019; de regel telt vanzelf mee zodra dat wel zo is.",
        f"{label.en} does not occur in \u2018{listed.en}\u2019; the row counts by itself as soon as it does.",
    )
