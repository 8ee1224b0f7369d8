"""The files in broken shapes of KETEN_TEST_DATA/dirty, each taken in by the deployment tests/dirty into an empty core.

What should become of each is told by their `manifest.csv`; nothing of it is repeated here. OURS says which of two actions is
ours where the manifest allows both.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from assets.conservation import deliveries_select
from assets.modelling import compute
from assets.preparing import Horizon, prepare_reference, set_months
from assets.pulling import pull
from resources.catalogue import Catalogue
from resources.catalogue.mapping_models import MappedColumn, Mapping
from resources.catalogue.reading import load_catalogue
from resources.catalogue.source_models import Source
from resources.engine import Engine
from resources.intake.dataset_intake import DatasetIntake
from resources.intake.receipt_list import prepare
from resources.landing import Landing
from resources.progress import SILENT
from tests.real_run import DATA, ROOT, require_data

PROJECT = ROOT / "tests" / "dirty"

# The files that no mapping in tests/dirty reads as the manifest says.
COMING: tuple[str, ...] = ()

# Which of the actions that the manifest allows is ours, and why.
OURS = {
    "02": "read: a byte order mark tells the encoding",
    "07": "the rows are accepted; how complete a day is, the ledger tells",
    "10": "the rows are accepted; the ledger flags the time between the two meters and leaves it unknown",
    "13": "the row with 1e-400 is quarantined: nothing that was measured is so small",
    "14": "24:00 is read as 00:00 of the next day; 44927.5 is no date, as the source is not declared as Excel",
    "17": "rejected: an empty file says nothing, not that there is nothing",
    "20": "rejected: so many columns are values, and which of them count nobody said",
    "24": "three rows are quarantined: what a damaged byte does not touch is as good as before",
    "25": "the row is quarantined: to cut a text would make another of it",
}

# What the reason of a rejected file must tell whoever has to mend it.
TOLD = {
    "15": ("'ean' of mapping d15__meter_reading is missing",),
    "16": ("cannot be read to its end", "ask for it to be sent again"),
    "17": ("it is empty",),
    "18": ("it is JSON, not a table", "token expired"),
    "20": ("it has 10001 columns",),
    "21": ("it unpacks to more than 250 times its 48857 bytes",),
}

# Why rows are quarantined, so that it is never for another reason than theirs.
REASONS = {
    "05": {"nonexistent_local_time"},
    "08": {"conflicting_repeat"},
    "03": {"ambiguous_date:stamp"},
    "11": {"rule:quantity_not_negative"},
    "12": {"unit_mismatch:quantity", "unknown_unit:quantity", "missing_unit:quantity", "implausible:quantity"},
    "13": {"not_a_number:quantity", "missing:quantity"},
    "14": {"not_a_date:stamp", "implausible_time"},
    "22": {
        "rule:waste_code_form",
        "unknown_unit:mass_kg",
        "out_of_range:mass_kg",
        "ambiguous_number:mass_kg",
        "missing:mass_kg",
        "unknown_code:treatment_code",
    },
    "24": {"unreadable_bytes"},
    "25": {"too_long"},
}

# Rows that the manifest quarantines and lets be accepted too, and their sum, where that is ours.
ALSO_ACCEPTED = {"14": (1, Decimal("0.20"))}

# Ignored rows that the manifest does not count, as they are no data, beside those that it counts as dropped.
NO_DATA = ("preamble", "blank", "footer", "total")


@cache
def catalogue() -> Catalogue:
    return load_catalogue(PROJECT)


def manifest() -> dict[str, dict[str, str]]:
    """The rows of manifest.csv by the number of the file; none where the data are not here."""
    path = DATA / "dirty" / "manifest.csv"
    rows = csv.DictReader(path.read_text("utf-8").splitlines()) if path.exists() else []
    return {row["file"][:2]: row for row in rows}


MANIFEST = manifest()
TESTED = [number for number in MANIFEST if number not in COMING]


@dataclass
class Taken:
    """What became of one file: numbers of source rows, and the sum over what was accepted by register or as a whole."""

    state: str
    reason: str
    accepted: int = 0
    quarantined: int = 0
    dropped: int = 0
    number_evidence: str | None = None
    reasons: set[str] = field(default_factory=set)
    total: dict[str, Decimal] = field(default_factory=dict)


def take_in(folder: Path, source: Source) -> Taken:
    """Pull, land, judge, expect and merge one file, with all that it refers to known before it."""
    found = catalogue()
    only = replace(found, sources=[source])
    landing = Landing(folder / "landing")
    with Engine(None, folder / "temp") as engine:
        done = pull(only, PROJECT, landing, source.dataset)
        assert len(done.landed) == 1 and not done.failed, done
        prepare(engine, landing, only)
        know(engine, found.mappings[source.origin, source.dataset])
        DatasetIntake(engine, landing, only, source.dataset, SILENT).take_in()
        return outcome(engine, source.dataset)


def know(engine: Engine, mapping: Mapping) -> None:
    """Master data: every meter or organisation that the file names; what else stands in them is no part of this."""
    for column, dataset, key in (
        *(("meter_id", "meter", "meter_id"), ("party_id", "party", "party_id")),
        *(("collector_id", "party", "party_id"), ("site_id", "site", "site_id")),
    ):
        if how := mapping.columns.get(column):
            engine.connection.executemany(
                f"insert into core.{dataset} ({key}) values (?)", [(name,) for name in sorted(named(mapping, how))]
            )
    engine.connection.execute("insert into core.party (party_id) values ('buyer')")


def named(mapping: Mapping, how: MappedColumn) -> set[str]:
    """The names in one column of a file, read with no code of the product."""
    if how.value is not None:
        return {how.value}
    path = next((DATA / "dirty").glob(mapping.patterns[0]))
    form = mapping.format
    encoding = "utf-16" if path.read_bytes().startswith(codecs.BOM_UTF16_LE) else form.encoding
    csv.field_size_limit(2**30)
    text = path.read_bytes().decode(encoding, errors="ignore").replace("\0", "")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=form.delimiter)
    names = {str(row.get(str(how.from_)) or "").strip(" ") for row in rows}
    return {unicodedata.normalize("NFC", name) for name in names} | {"871687991002514062"}


def outcome(engine: Engine, dataset: str) -> Taken:
    """What the tables of the engine say of the only delivery in them."""
    run = engine.connection.execute
    state, reason = run("select state, coalesce(reason, '') from intake.receipt").fetchall()[0]
    taken = Taken(state, reason)
    told = run(f"select number_evidence from ({deliveries_select(catalogue())})").fetchall()
    taken.number_evidence = told[0][0]
    core = f"core.{dataset}"
    rows = "select count(distinct row_no) from"
    taken.accepted = run(f"{rows} {core}").fetchall()[0][0]
    aside = f"(select row_no, reasons from {core}__rejected union all select row_no, reasons from {core}__unmatched)"
    taken.quarantined = run(f"{rows} {aside}").fetchall()[0][0]
    taken.reasons = {reason for (reason,) in run(f"select distinct unnest(reasons) from {aside}").fetchall()}
    taken.dropped = run(f"{rows} {core}__ignored where reason not in {NO_DATA}").fetchall()[0][0]
    if dataset == "meter_reading" and run(f"select count(*) from {core} where kind_code = 'register'").fetchall()[0][0]:
        taken.total = used(engine)
    elif dataset == "meter_reading":
        taken.total = dict(run(f"select register_code, sum(quantity) from {core} group by 1").fetchall())
    elif dataset == "waste_collection":
        taken.total = {"all": Decimal(run(f"select sum(mass_kg) from {core}").fetchall()[0][0]) / 1000}
    else:
        taken.total = dict(run(f"select 'all', sum(amount) from {core} having count(*) > 0").fetchall())
    return taken


def used(engine: Engine) -> dict[str, Decimal]:
    """What the ledger tells of registers that were read as they stand."""
    run = engine.connection.execute
    first, last = run("select min(local_date), max(local_date) from core.meter_reading").fetchall()[0]
    span = Horizon(first.replace(day=1), last.replace(day=1))
    prepare_reference(engine, catalogue(), span, last, "dirty")
    set_months(engine, span.months())
    for model in catalogue().models_below(["ledger.metered_day"]):
        compute(engine, model)
    return dict(run("select register_code, sum(quantity) from ledger.metered_day group by 1").fetchall())


def expected_totals(number: str) -> list[Decimal]:
    """The totals of the manifest: one, or one for each measure that stands in a row."""
    return [Decimal(part) for part in MANIFEST[number]["expected_total_of_ok_rows"].split(" / ") if part]


def sources_of(number: str) -> list[Source]:
    """The lines of sources.yml that read a file: one for each measure that stands beside others in it."""
    return [s for s in catalogue().sources if s.origin.startswith(f"d{number}")]


def test_every_file_of_the_manifest_is_tested_or_named() -> None:
    """A file that somebody adds to the collection, or forgets in it, is seen."""
    require_data()
    assert set(COMING) | set(TESTED) == MANIFEST.keys()
    assert {number for number in MANIFEST if sources_of(number)} >= set(TESTED)
    assert sorted(path.name for path in (DATA / "dirty").iterdir()) == sorted(
        [row["file"] for row in MANIFEST.values()] + ["README.md", "manifest.csv"]
    )


@pytest.mark.parametrize("number", TESTED)
def test_a_file_becomes_what_the_manifest_says(tmp_path: Path, number: str) -> None:
    """Not one row is lost, doubled, or taken for what it is not."""
    expected = MANIFEST[number]
    taken = [take_in(tmp_path / source.origin, source) for source in sources_of(number)]
    if expected["expected_action"].startswith("reject"):
        (only,) = taken
        assert (only.state, only.accepted, only.quarantined) == ("rejected", 0, 0), only
        for words in TOLD[number]:
            assert words in only.reason
        return
    totals: list[Decimal] = []
    more, amount = ALSO_ACCEPTED.get(number, (0, 0))
    for one in taken:
        assert one.state == "loaded", one.reason
        assert one.accepted == int(expected["rows_ok"]) + more, one
        assert one.quarantined == int(expected["rows_quarantined"]) - more, one
        assert one.accepted + one.quarantined + one.dropped == int(expected["rows_in"]), one
        assert one.reasons == REASONS.get(number, set())
        totals += [one.total[register] for register in sorted(one.total)]
    assert totals == [total + amount for total in expected_totals(number)]


def test_what_decided_the_mark_of_decimals_is_told_with_the_delivery(tmp_path: Path) -> None:
    """Whoever wonders why 607,0 became 607 reads it from the file itself; where the mapping says it, nothing was decided."""
    require_data()
    decided, declared = (take_in(tmp_path / n, sources_of(n)[0]).number_evidence for n in ("22", "01"))
    assert (decided, declared) == ("decided ',' from 16 cells such as 18.885.000,0", None)


def test_where_the_manifest_allows_two_actions_ours_is_told() -> None:
    """The reader of a test must not guess which of two expectations it holds."""
    require_data()
    assert set(OURS) <= MANIFEST.keys()
    allowing = {n for n, row in MANIFEST.items() if re.search(r"\b(or|flag|may)\b", row["expected_action"])}
    assert allowing - set(COMING) == set(OURS)
