"""`keten map` proposes what the sender meant, proves it, and never guesses where nothing tells."""

from __future__ import annotations

import csv
import io
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.catalogue import Mapping
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.proposing.choosing import propose
from resources.proposing.dates import date_form
from resources.proposing.evidence import Values
from resources.proposing.next_step import next_step
from resources.proposing.numbers import marks_of
from resources.proposing.proposal import Proposal
from resources.proposing.registers import register_of
from resources.proposing.sample import take_sample
from resources.proposing.trial import Trial, try_out
from resources.proposing.words import likeness, unit_in
from resources.proposing.writing import write
from tests.deployment import Deployment, tiny
from tests.real_run import DATA, require_data

CATALOGUE = load_catalogue()
EXPECTED = yaml.safe_load((Path(__file__).parent / "proposals.yml").read_text("utf-8"))


def proposed(folder: Path, dataset: str, text: str | bytes, name: str = "file.csv") -> Proposal:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return propose(CATALOGUE, take_sample(path), dataset, "sender")


def line(proposal: Proposal, column: str) -> Any:
    return next(entry for entry in [*proposal.top, *proposal.columns] if entry.key == column)


def looked_up(facts: Any, where: str) -> Any:
    for part in where.split("."):
        facts = facts[part]
    return facts


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: Path(case["file"]).name)
def test_a_file_of_others_gets_the_mapping_that_it_needs(case: dict[str, Any]):
    require_data()
    proposal = propose(CATALOGUE, take_sample(DATA / case["file"]), case["dataset"], "sender")
    written = yaml.safe_load(write(CATALOGUE, proposal))
    found = {c: written["columns"][c].get("from") for c in case["columns"]}
    assert found == case["columns"]
    assert {k: looked_up(written, k) for k in case["keys"]} == case["keys"]
    assert sorted(proposal.missing) == case.get("missing", [])
    trial = try_out(CATALOGUE, proposal)
    assert trial.received == trial.accepted + trial.quarantined + trial.ignored
    assert trial.share >= case["share"]


def test_what_is_written_is_a_mapping_of_a_deployment(tmp_path: Path):
    """A proposal that the strict catalogue refuses would be of no use."""
    made = tiny(tmp_path)
    made.drop("incoming/stroom.csv", "EAN;Tijdstip;Verbruik (kWh)\n871687400000000014;01-03-2025 00:15;0,5\n")
    out = made.project / "mappings" / "net__meter_reading.yml"
    told = made.keten("map", str(made.project / "incoming/stroom.csv"), "--dataset", "meter_reading", "--out", str(out))
    assert "1 received = 1 accepted + 0 quarantined + 0 ignored" in told
    mapping = load_catalogue(made.project).mappings["net", "meter_reading"]
    assert mapping.columns["meter_id"].headings() == ("EAN",)
    again = made.keten("map", str(made.project / "incoming/stroom.csv"), "--out", str(out), code=2)
    assert "exists; choose another name, or add --force" in again


def test_nothing_is_written_but_the_output(tmp_path: Path):
    made = tiny(tmp_path)
    made.drop("incoming/spend.csv", "Leverancier;Factuurnummer;Bedrag;Factuurdatum\nA;1;2,50;31-12-2025\n")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    made.keten("map", str(made.project / "incoming/spend.csv"), "--dataset", "spend")
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and not p.name.startswith("out-")}
    assert after == before
    assert not (made.home / "landing").exists()


def test_without_a_dataset_it_tells_which_fit_best_and_why(tmp_path: Path):
    made = tiny(tmp_path)
    made.drop("incoming/a.csv", "Leverancier;Factuurnummer;Bedrag;Factuurdatum\nA;1;2,50;31-12-2025\n")
    told = made.keten("map", str(made.project / "incoming/a.csv"))
    assert "these fit best: spend (" in told
    assert "amount from 'Bedrag'" in told
    assert told.endswith("a.csv --dataset spend")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing.csv",), "nothing.csv is no file"),
        (("sources.yml", "--dataset", "spent"), "there is no dataset 'spent'; choose one of activity"),
    ],
)
def test_a_mistake_on_the_command_line_is_told(tmp_path: Path, arguments: tuple[str, ...], message: str):
    made = tiny(tmp_path)
    assert message in made.keten("map", str(made.project / arguments[0]), *arguments[1:], code=2)


def test_a_column_of_personal_data_is_told_with_what_follows(tmp_path: Path):
    """Such a file is refused when it is delivered; a mapping that ignores the column does not help."""
    made = tiny(tmp_path)
    made.drop("incoming/a.csv", "Locatie,Naam locatie,E-mail\nUTR,Utrecht,jan@voorbeeld.nl\n")
    told = made.keten("map", str(made.project / "incoming/a.csv"), "--dataset", "site")
    assert "- E-mail # CHECK: looks like personal data: a file with it is refused" in told
    assert "REFUSED as it is: personal data in E-mail" in told
    assert "jan@voorbeeld.nl" not in told


def test_a_mapping_learns_from_those_that_were_approved(tmp_path: Path):
    """Peers forget a mapping once made: what one sender calls a column is evidence for the next."""
    text = "Weegbonplek,Gewicht\nUTR,5\n"
    assert "site_id" in proposed(tmp_path, "waste_collection", text).missing
    known = Mapping.model_validate(
        {
            "origin": "other",
            "dataset": "waste_collection",
            "title": "t",
            "files": "*",
            "columns": {"site_id": {"from": "Weegbonplek"}},
        }
    )
    learned = load_catalogue()
    learned.mappings["other", "waste_collection"] = known
    found = propose(learned, take_sample(tmp_path / "file.csv"), "waste_collection", "sender")
    assert line(found, "site_id").value == {"from": "Weegbonplek"}
    assert "mapped so in other__waste_collection" in line(found, "site_id").why


@pytest.mark.parametrize(
    ("texts", "form", "why"),
    [
        (["12-01-2023", "13-01-2023"], "%d-%m-%Y", "13-01-2023 cannot be the other way round"),
        (["01/13/2023", "01/02/2023"], "%m/%d/%Y", "01/13/2023 cannot be the other way round"),
        (["01-02-2023"], "%d-%m-%Y", "could be mm-dd-yyyy too"),
        (["2023-01-31T10:15:00+01:00"], "%Y-%m-%dT%H:%M:%S%z", "1 of 1 values"),
        (["20230131", "19991231"], "%Y%m%d", "2 of 2 values look like yyyymmdd"),
        (["jan-24", "mrt-24", "mei-24", "okt-24"], "%b-%y", "4 of 4 values look like mmm-yy"),
        (["maart 2024", "Oktober 2024"], "%B %Y", "2 of 2 values look like mmmm yyyy"),
    ],
)
def test_the_form_of_a_date_comes_with_its_proof(texts: list[str], form: str, why: str):
    found = date_form(Values("h", texts).counted)
    assert found is not None
    assert found.format == form
    assert why in found.why


@pytest.mark.parametrize("texts", [["abc", "def"], ["1.5", "2.5"], []])
def test_what_is_no_date_is_not_taken_for_one(texts: list[str]):
    assert date_form(Values("h", texts).counted) is None


@pytest.mark.parametrize(
    ("texts", "decimal", "thousands", "sure"),
    [
        (["1.234,5", "0,13"], ",", ".", True),
        (["1,234.50", "3.1"], ".", ",", True),
        (["0,13"], ",", "", True),
        (["12345,678", "12346,123"], ",", "", True),
        (["999,123", "1000,123"], ",", "", True),
        (["-12345,678"], ",", "", True),
        (["12345.678"], ".", "", True),
        (["345,678", "346,123"], ",", "", False),
        (["1.234"], ".", "", False),
        (["1.5", "2,5", "3.5"], ".", "", False),
    ],
)
def test_the_decimal_mark_is_told_by_numbers_that_cannot_be_read_otherwise(
    texts: list[str], decimal: str, thousands: str, sure: bool
):
    """1.234 alone is a thousand and a bit, or one and a bit: it is to be checked."""
    found = marks_of(texts)
    assert found is not None
    assert (found.decimal, found.thousands, found.sure) == (decimal, thousands, sure)


@pytest.mark.parametrize(
    ("heading", "register"),
    [
        ("levering_normaal", "1.8.2"),
        ("teruglevering_laag", "2.8.1"),
        ("StandDal", "1.8.1"),
        ("Import T1 kWh", "1.8.1"),
        ("Export T2 kWh", "2.8.2"),
        ("Electricity 2 Returned (Dutch Users: Normal Tariff)", "2.8.2"),
        ("Injectie Nacht", "2.8.1"),
        ("Gas", None),
        ("buitentemperatuur", None),
    ],
)
def test_a_heading_tells_its_register(heading: str, register: str | None):
    assert register_of(heading) == register


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("Verbruik [kWh]", "kWh"), ("Gewicht (t)", "t"), ("tonnes", "t"), ("Gas m³", "m3"), ("Datum", None), ("t", None)],
)
def test_a_heading_tells_its_unit(heading: str, unit: str | None):
    assert unit_in(heading) == unit


@pytest.mark.parametrize(
    ("heading", "known", "at_least"),
    [
        ("supplier_id", "Supplier ID", 1.0),
        ("Organisatonal Unit", "Organisational Unit", 0.9),
        ("Kilo's", "Locatie", 0.0),
    ],
)
def test_names_are_alike_whatever_their_spelling(heading: str, known: str, at_least: float):
    assert at_least <= likeness(heading, known) <= max(at_least, 0.05) + 0.1


def test_the_interval_and_whether_it_is_start_or_end_follow_from_the_stamps(tmp_path: Path):
    hours = [f"2025-03-0{1 + h // 24} {h % 24:02d}:00" for h in range(1, 25)]
    found = proposed(
        tmp_path, "meter_reading", "EAN,stamp,kWh\n" + "".join(f"871687400000000014,{h},1\n" for h in hours)
    )
    assert line(found, "time").value == {"zone": "Europe/Amsterdam", "stamp": "end", "interval_minutes": 60}
    assert "the first is 01:00, one interval after midnight" in line(found, "time").why


def test_quarter_hours_across_become_records(tmp_path: Path):
    slots = [f"{q // 4:02d}:{q % 4 * 15:02d}" for q in range(96)]
    rows = [f"{day:02d}-03-2025;" + ";".join("0,25" for _ in slots) for day in (13, 14)]
    text = "Datum;" + ";".join(slots) + "\n" + "\n".join(rows) + "\n"
    found = proposed(tmp_path, "meter_reading", text, "871687400000000014.csv")
    assert line(found, "stamp").value == {"from": ["Datum", "slot"], "format": "%d-%m-%Y %H:%M"}
    assert line(found, "time").value["interval_minutes"] == 15
    assert try_out(CATALOGUE, found).accepted == 192


def test_readings_that_only_rise_are_not_taken_for_use(tmp_path: Path):
    rows = "".join(f"871687400000000014,2025-03-{d:02d},{1000 + d}\n" for d in range(1, 20))
    found = proposed(tmp_path, "meter_reading", "EAN,Datum,Verbruik\n" + rows)
    kind = line(found, "kind_code").value["value"]
    assert kind == "register" or "these only rise" in line(found, "quantity").check


def test_a_title_above_the_header_is_skipped_and_a_total_is_ignored(tmp_path: Path):
    text = "Overzicht 2025\n\nLocatie;Gewicht (kg)\nUTR;1,5\nTotaal;1,5\n"
    found = proposed(tmp_path, "waste_collection", text)
    assert line(found, "format").value == {"delimiter": ";", "skip_lines": 1, "decimal": ","}
    assert line(found, "ignore_rows").value == [{"heading": "Locatie", "matches": "^Totaal$", "reason": "total"}]


def test_the_records_of_a_json_file_are_found(tmp_path: Path):
    text = '{"meta": {"n": 1}, "result": {"data": [{"Locatie": "A", "Gewicht": 1}, {"Locatie": "B", "Gewicht": 2}]}}'
    found = proposed(tmp_path, "waste_collection", text, "a.json")
    assert line(found, "format").value == {"records": "result.data"}
    assert line(found, "site_id").value == {"from": "Locatie"}


def test_windows_text_is_told_from_utf_8(tmp_path: Path):
    found = proposed(tmp_path, "site", "Locatie;Naam\nUTR;Café\n".encode("cp1252"))
    assert line(found, "format").value["encoding"] == "cp1252"


REGISTER = (
    "EAN;Tijdstip;Stand laag (kWh)\n871687400000000014;13-03-2025 00:00;{}\n871687400000000014;14-03-2025 00:00;{}\n"
)


def test_a_comma_before_three_decimals_is_that_of_decimals_where_it_can_be_no_other(tmp_path: Path):
    """12345,678 read as it is would be no number, and all of the file would be set apart."""
    found = proposed(tmp_path, "meter_reading", REGISTER.format("12345,678", "12346,123"))
    assert line(found, "format").value["decimal"] == ","
    assert not line(found, "format").check
    assert try_out(CATALOGUE, found).accepted == 2


@pytest.mark.parametrize(("texts", "mark"), [(("345,678", "346,123"), ","), (("345.678", "346.123"), ".")])
def test_numbers_that_can_all_be_read_in_two_ways_are_to_be_checked(tmp_path: Path, texts: tuple[str, str], mark: str):
    found = proposed(tmp_path, "meter_reading", REGISTER.format(*texts))
    assert line(found, "format").value["decimal"] == mark
    assert "they could be thousands" in line(found, "format").check


def test_a_proposal_that_fails_is_not_said_to_need_nothing(tmp_path: Path):
    """`no line needs a CHECK` beside nothing accepted sends a newcomer away with a mapping that does not work."""
    made = tiny(tmp_path)
    rows = "".join(f"871687400000000014;{day}-03-2025 00:00;1.2.3.{day}\n" for day in (13, 14, 15, 16))
    made.drop("incoming/a.csv", "EAN;Tijdstip;Verbruik (kWh)\n" + rows)
    told = made.keten("map", str(made.project / "incoming/a.csv"), "--dataset", "meter_reading")
    assert "Next: only 0 of 4 records that are data are accepted, 4 have not_a_number:quantity" in told
    at = told[told.index("look at line ") :]
    assert "(format)" in at and "(quantity)" in at
    assert "no line needs a CHECK" not in told


@pytest.mark.parametrize(
    ("trial", "told"),
    [
        (Trial(10, 5, 0, {"missing:meter_id": 5}), "keep it as mappings/sender__meter_reading.yml"),
        (
            Trial(10, 4, 0, {"missing:meter_id": 6}),
            "only 4 of 10 records that are data are accepted, 6 have missing:meter_id (",
        ),
        (Trial(10, 0, 10, {}), "all 10 records are ignored; look at ignore_rows"),
        (Trial(0, 0, 0, {}), "the file holds no data rows"),
        (None, "with this mapping the file is rejected, for the reason above"),
    ],
)
def test_the_next_step_follows_from_the_trial(tmp_path: Path, trial: Trial | None, told: str):
    proposal = proposed(tmp_path, "meter_reading", REGISTER.format("12345,678", "12346,123"))
    written = write(CATALOGUE, proposal)
    step = next_step(CATALOGUE, proposal, written, trial)
    assert told in step
    if named := re.search(r"look at line (\d+) \((\w+)\)", step):
        assert written.splitlines()[int(named.group(1)) - 1].strip().startswith(f"{named.group(2)}:")


WASTE = "Pand;Maand;Afvalstroom;Hoeveelheid;Eenheid;Eural\n"


def test_the_unit_that_stands_beside_each_number_is_used(tmp_path: Path):
    """A heading of units that is ignored makes a kilogram of a ton."""
    rows = "UTR;jan-24;Restafval;1,5;ton;200301\nAMS;mrt-24;Papier;20,5;kg;150101\nAMS;mei-24;Papier;20,5;Kilo;150101\n"
    found = proposed(tmp_path, "waste_collection", WASTE + rows)
    assert line(found, "mass_kg").value == {
        "from": "Hoeveelheid",
        "unit_from": "Eenheid",
        "units": {"ton": "t", "Kilo": "kg"},
    }
    assert "Eenheid" not in found.ignored
    assert try_out(CATALOGUE, found).accepted == 3


@pytest.mark.parametrize(
    ("heading", "units", "keys", "check"),
    [
        ("Hoeveelheid", ("zakken", "kg"), {"unit_from": "Eenheid"}, "no unit that fits for zakken under 'Eenheid'"),
        ("Gewicht (kg)", ("ton", "kg"), {"unit_from": "Eenheid", "units": {"ton": "t"}}, "the heading says kg"),
        ("Gewicht (kg)", ("kg", "kg"), {"unit": "kg"}, ""),
        ("Hoeveelheid", ("m3", "m3"), {"unit": "kg"}, "no unit is told; is it kg?"),
    ],
)
def test_a_unit_beside_a_number_is_held_against_our_units(
    tmp_path: Path, heading: str, units: tuple[str, str], keys: dict[str, Any], check: str
):
    text = f"Locatie;Datum;{heading};Eenheid\nUTR;13-03-2025;1,5;{units[0]}\nUTR;14-03-2025;1,5;{units[1]}\n"
    found = line(proposed(tmp_path, "waste_collection", text), "mass_kg")
    assert found.value == {"from": heading, **keys}
    assert found.check.startswith(check) and bool(found.check) == bool(check)


def test_energy_in_units_that_differ_is_brought_to_one(tmp_path: Path):
    """A column of codes for units would keep the number of a MWh as it is written."""
    text = "EAN;Datum;Verbruik;Eenheid\n871687400000000014;13-03-2025;2,5;kWh\n871687400000000014;14-03-2025;1,5;MWh\n"
    found = proposed(tmp_path, "meter_reading", text)
    assert line(found, "quantity").value["unit_from"] == "Eenheid"
    assert "unit_code" not in [entry.key for entry in found.columns]
    assert try_out(CATALOGUE, found).accepted == 2


def test_a_month_by_its_name_is_a_period_of_a_month(tmp_path: Path):
    found = proposed(
        tmp_path, "waste_collection", WASTE + "UTR;jan-24;Papier;1,5;kg;150101\nUTR;okt-24;Papier;2;kg;150101\n"
    )
    assert line(found, "site_id").value == {"from": "Pand"}
    assert line(found, "period_from").value == {"from": "Maand", "format": "%b-%y"}
    assert line(found, "period_to").value == {"from": "Maand", "shift": "1 month", "format": "%b-%y"}
    assert try_out(CATALOGUE, found).accepted == 2


@pytest.mark.parametrize("other", ["Restafval", "Qwx"])
def test_a_word_that_is_only_like_a_code_is_to_be_checked(tmp_path: Path, other: str):
    """A code list that is nearly met is not met: a spelling mistake may be another word."""
    found = proposed(tmp_path, "waste_collection", f"Locatie;Afvalstroom\nUTR;Restafvl\nUTR;{other}\n")
    assert line(found, "stream_code").value["codes"]["Restafvl"] == "residual"
    assert "'Restafvl' looks like 'restafval'" in line(found, "stream_code").check.replace("Restafval", "restafval")
    assert ("no code of waste_stream for Qwx" in line(found, "stream_code").check) == (other == "Qwx")


def test_a_waste_code_that_lost_its_zero_gets_it_back(tmp_path: Path):
    rows = "UTR;jan-24;Papier;1,5;kg;20301\nUTR;feb-24;Papier;1,5;kg;150101\n"
    found = proposed(tmp_path, "waste_collection", WASTE + rows)
    assert line(found, "waste_code").value["code_fixes"] == [{"matches": r"^(\d{5})$", "code": r"0\1"}]
    assert "1 of 2 different codes, such as 20301, have five digits" in line(found, "waste_code").why
    assert try_out(CATALOGUE, found).accepted == 2
    assert "code_fixes" not in line(proposed(tmp_path, "waste_collection", WASTE + rows[33:]), "waste_code").value


@pytest.mark.parametrize("rows", ["Totaal;;20,5;kg\n", ""])
def test_a_file_without_data_rows_is_said_to_have_none(tmp_path: Path, rows: str):
    made = tiny(tmp_path)
    made.drop("incoming/a.csv", "Locatie;Datum;Hoeveelheid;Eenheid\n" + rows)
    told = made.keten("map", str(made.project / "incoming/a.csv"), "--dataset", "waste_collection")
    assert "# Note: there are no data rows: " in told
    assert "period_to: {from: Datum, shift: 1 day} # CHECK" in told
    assert "Next: the file holds no data rows" in told


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title: t\nfiles: x\ncolumns: {}\n", "'site_id' is required by the contract"),
        ("title: [\n", "is not valid YAML"),
        ("title: t\nfiles: x\ncolumns: {}\nfolder: y\n", "folder: is not a known key"),
    ],
)
def test_another_mapping_that_is_not_finished_is_left_out(tmp_path: Path, text: str, reason: str):
    """`map --out` itself writes such a mapping; it must not bar the next proposal. A run stays strict."""
    made = tiny(tmp_path)
    made.drop("incoming/a.csv", "Leverancier;Factuurnummer;Bedrag;Factuurdatum\nA;1;2,50;31-12-2025\n")
    (made.project / "mappings" / "new__site.yml").write_text(text, "utf-8")
    told = made.keten("map", str(made.project / "incoming/a.csv"), "--dataset", "spend")
    assert "Warning: a mapping is left out until it is mended: mappings/new__site.yml" in told
    assert reason in told
    assert "1 received = " in told
    with pytest.raises(KetenError, match="new__site"):
        load_catalogue(made.project)


def test_a_long_file_is_looked_at_in_a_bounded_sample(tmp_path: Path):
    rows = "".join(f"UTR,2025-03-01,{n}\n" for n in range(25_000))
    found = proposed(tmp_path, "waste_collection", "Locatie,Datum,Gewicht\n" + rows)
    assert found.sample.rows == 20_000
    assert any("first 20,000 rows; the file is longer" in note for note in found.notes)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\0\0\0", b"a\n", b"{", b"\xff\xfea\0;\0b\0"])
@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.xlsx", "a.jsonl", "a.csv.gz"])
def test_what_is_no_table_gets_a_clear_message(tmp_path: Path, content: bytes, name: str):
    """A person tries it on whatever lies in the folder: no traceback may come of it."""
    path = tmp_path / name
    path.write_bytes(content)
    try:
        made = write(CATALOGUE, propose(CATALOGUE, take_sample(path), "spend", "sender"))
    except KetenError as error:
        assert str(error)
    else:
        assert yaml.safe_load(made)["columns"]


WORDS = st.text(min_size=1, max_size=12) | st.sampled_from(
    "EAN Datum Tijd Verbruik Gewicht Locatie Van Tot Naam # : - {a} [b] 'c yes null 00:15 00:30 1.5 871687400000000014".split()
)
CELLS = st.text(max_size=10) | st.sampled_from(["", "-", "1,5", "2025-03-01", "31-12-2024", "12:15", "kWh", "Totaal"])


@settings(max_examples=60, deadline=None)
@given(
    headings=st.lists(WORDS, min_size=1, max_size=8),
    dataset=st.sampled_from(sorted(CATALOGUE.contracts)),
    cells=st.lists(CELLS, min_size=1, max_size=30),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_any_soup_of_headings_gives_a_valid_mapping_or_a_clear_message(
    tmp_path_factory: pytest.TempPathFactory, headings: list[str], dataset: str, cells: list[str], delimiter: str
):
    """Headings are the text of strangers: quotes, colons and line breaks must not come out as other YAML."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    turn = random.Random(len(cells))
    writer.writerows([headings, *([turn.choice(cells) for _ in headings] for _ in range(6))])
    path = tmp_path_factory.mktemp("soup") / "soup.csv"
    path.write_bytes(text.getvalue().encode("utf-8", errors="ignore"))
    try:
        proposal = propose(CATALOGUE, take_sample(path), dataset, "sender")
        made = yaml.safe_load(write(CATALOGUE, proposal))
    except KetenError as error:
        assert "\n" not in str(error)
    else:
        read = Mapping.model_validate({"origin": "sender", "dataset": dataset, **made})
        assert read == proposal.mapping()


def test_the_deployment_of_this_test_has_the_command(tmp_path: Path):
    assert "--dataset" in Deployment(tmp_path).keten("map", "--help")
