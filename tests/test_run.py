"""The main job: what is published, what a change touches, and that the results are a function of what was received."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from demo.generate import generate
from resources.catalogue.reading import load_catalogue
from resources.publication.published_file import wal_of
from tests.deployment import READINGS, Deployment, tiny

CATALOGUE = load_catalogue()


def test_every_row_is_accounted_for_and_the_planted_events_are_found(demo: Deployment) -> None:
    counts = {
        row[0]: row[1:]
        for row in demo.rows(
            "select dataset, sum(received_rows), sum(accepted_rows), sum(quarantined_rows), sum(ignored_rows),"
            " sum(restating_rows), sum(withdrawing_rows) from bi.rpt_delivery group by 1"
        )
    }
    for received, accepted, quarantined, ignored, *_ in counts.values():
        assert received == accepted + quarantined + ignored > 0
    planted = {p["id"]: p for p in yaml.safe_load((demo.project / "planted.yml").read_text("utf-8"))}
    assert counts["meter_reading"][4] == planted["late_correction"]["rows"]
    assert counts["waste_collection"][4] == planted["kilograms_as_tonnes"]["rows"]
    assert counts["waste_collection"][5] == planted["reported_twice"]["rows"]
    reasons = sorted(r[0] for r in demo.rows("select reasons from bi.rpt_rejected_row"))
    assert reasons == ["not_a_number:mass_kg", "unknown_code:stream_code"]
    files = [r[0] for r in demo.rows("select file_name from bi.rpt_delivery")]
    assert len([f for f in files if f.endswith("kwartierwaarden_2026-03_issued-20260403T0600.csv.gz")]) == 1, (
        "the same bytes twice are one receipt"
    )


def test_a_list_with_names_is_refused_and_not_a_byte_of_it_is_kept(demo: Deployment) -> None:
    assert not any("per_medewerker" in name for name in demo.states())
    (refusal,) = demo.landing.refusals()
    assert refusal["headings"] == ["Naam", "BSN", "Geboortedatum"]
    kept = b"".join(p.read_bytes() for p in demo.home.rglob("*") if p.is_file())
    assert b"111222333" not in kept and b"J. Voorbeeld" not in kept


def test_the_summary_tells_rows_checks_values_and_where_the_results_are(demo: Deployment, tmp_path: Path) -> None:
    text = demo.copy(tmp_path).keten("run", "--month", "2026-03")
    assert "dataset deliveries received accepted quarantined ignored held rejected" in text
    assert re.search(r"waste_collection 10 [\d,]+ [\d,]+ 2 \d+ 0 0", text)
    assert re.search(r"Checks: \d+ passed, 0 warned, 0 failed", text)
    for pillar, title in (
        ("People", "Sickness absence"),
        ("Planet", "Energy per m² GO"),
        ("Purpose", "Progress of the twelve-month programme"),
    ):
        assert re.search(rf"{pillar} .*{title}[ :].*; and \d+ more", text)
    assert "refused verzuim_per_medewerker_issued-20260512T1200.csv: personal data in Naam, BSN, Geboortedatum" in text
    assert f"Results: {tmp_path / 'home/published/bi.duckdb'}" in text


def test_nothing_new_starts_no_run(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    made.keten("run")  # a copy lies elsewhere, so its files may be others
    before = made.rows("select max(publication_id) from bi.publication")
    assert "no run was started" in made.keten("run")
    assert made.rows("select max(publication_id) from bi.publication") == before


def test_rebuild_gives_the_same_digests(demo: Deployment, tmp_path: Path) -> None:
    made = demo.copy(tmp_path)
    before = made.digests()
    (made.home / "engine.duckdb").unlink()
    made.keten("rebuild")
    assert made.digests() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("energy_intensity", "--site", "UTR", "--period", "2026-03"),
        ("energy_intensity", "--scope", "site=AMF;carrier=gas", "--period", "2026-Q2"),
        ("residual_waste_per_fte", "--site", "AMF", "--period", "2026-Q2"),
        ("sickness_absence_share", "--scope", "contractor=90000035", "--period", "2026-04"),
        ("sickness_absence_share", "--period", "2026-04"),
        ("pso_spend_share", "--period", "2026-04"),
        ("emissions_scope_1_2", "--period", "2026-05"),
        ("twelve_month_programme_progress", "--period", "2026-06"),
    ],
)
def test_trace_recomputes_what_is_published(demo: Deployment, arguments: tuple[str, ...]) -> None:
    engine = (demo.home / "engine.duckdb").read_bytes()
    text = demo.keten("trace", *arguments)
    assert text.endswith("equal") and "NOT EQUAL" not in text
    assert (demo.home / "engine.duckdb").read_bytes() == engine, "a trace opened the engine"


def test_trace_shows_file_and_lines_and_says_when_a_value_is_not_what_the_files_give(
    small: Deployment, tmp_path: Path
) -> None:
    made = small.copy(tmp_path)
    traced = ("trace", "energy_intensity", "--site", "S", "--period", "2025-01")
    assert "energy_intensity.yml" not in made.keten(*traced)
    assert "meter_reading meter_reading_20250128.csv 2-32 31" in made.keten(*traced)
    receipt = made.landing.path(made.receipt("meter_reading_20250128.csv"))
    receipt.chmod(0o644)
    receipt.write_text(receipt.read_text("utf-8").replace("2025-01-05,10", "2025-01-05,11"), "utf-8")
    assert "NOT EQUAL" in made.keten(*traced, code=1)


def test_trace_names_what_can_be_traced(demo: Deployment) -> None:
    assert "choose one of client=90000011" in demo.keten("trace", "energy_intensity", "--site", "NOWHERE", code=2)
    assert "periods are written 2025-03" in demo.keten("trace", "energy_intensity", "--period", "1999", code=2)
    assert "`keten catalogue` lists them" in demo.keten("trace", "energy", code=2)


def test_one_changed_reading_changes_exactly_its_closure(demo: Deployment, tmp_path: Path) -> None:
    made = demo.copy(tmp_path)
    before = made.values()
    (source,) = (made.project / "data/meetbedrijf").glob("kwartierwaarden_2026-05_*")
    lines = gzip.decompress(source.read_bytes()).decode().splitlines()
    ean, stamp, *_ = lines[500].split(";")
    made.drop(
        "data/meetbedrijf/kwartierwaarden_2026-05-herstel_issued-20260701T0600.csv",
        f"{lines[0]}\n{ean};{stamp};77,000;Gecorrigeerd\n",
    )
    made.keten("run")
    after = made.values()
    changed = {key for key in before if before[key] != after[key]}
    assert after.keys() == before.keys()
    touched = {i.id for i in CATALOGUE.indicators.values() if "meter_reading" in CATALOGUE.datasets_below(i.refs)}
    assert touched - {"emissions_scope_1"} == {k[0] for k in changed}, "electricity is not burnt at the site"
    assert {k[3] for k in changed} == {"2026-05", "2026-Q2", "2026", "2026-05~12", "2026-06~12"}
    assert {k[2] for k in changed} >= {"total"} and not any("AMF" in k[2] for k in changed)
    told = made.rows("select count(*) from bi.publication_value_change where publication_id = 2")
    assert told == [(len(changed),)]


def test_one_changed_mapping_line_judges_its_receipts_again_and_no_others(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    path = made.project / "mappings/us__waste_collection.yml"
    made.drop("mappings/us__waste_collection.yml", path.read_text("utf-8").replace("unit: kg", "unit: t"))
    before = judged(made)
    made.keten("run")
    after = judged(made)
    assert {name.split("_2025")[0] for name in after if after[name] != before[name]} == {"waste_collection"}
    assert made.rows("select sum(amount) from bi.fact_indicator_month where component = 'residual_kg'") == [
        (8 * 60_000,)
    ]


def judged(made: Deployment) -> dict[str, str]:
    """What each receipt was judged by, from the engine."""
    import duckdb

    with duckdb.connect(str(made.home / "engine.duckdb"), read_only=True) as engine:
        return dict(engine.execute("select file_name, judged_by from intake.receipt").fetchall())


def core(made: Deployment) -> dict[str, list[tuple[object, ...]]]:
    """The rows of core but for receipt, line and known_from."""
    import duckdb

    with duckdb.connect(str(made.home / "engine.duckdb"), read_only=True) as engine:
        names = [
            n
            for (n,) in engine.execute("select table_name from duckdb_tables() where schema_name = 'core'").fetchall()
            if "__" not in n
        ]
        shown = "* exclude (receipt_id, row_no, record_no, known_from)"
        return {n: engine.execute(f"select {shown} from core.{n} order by all").fetchall() for n in names}


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The tiny deployment and a later correction and window, all received in one run."""
    made = tiny(tmp_path_factory.mktemp("at-once"))
    for path, text in LATER.items():
        made.drop(path, text)
    made.keten("run")
    return made


LATER = {
    "data/meter_reading_20250301.csv": f"{READINGS}\nE,2025-01-05,99\n",
    "data/waste_collection_20250301.csv": "collector,site,day,stream,kg\nW,S,2025-02-03,rest,60\nW,S,2025-02-10,rest,61\n",
}


@pytest.mark.parametrize("first", ["the older", "the newer"])
def test_deliveries_in_either_order_give_the_same_core(at_once: Deployment, tmp_path: Path, first: str) -> None:
    made = tiny(tmp_path)
    held_back = (
        list(LATER)
        if first == "the older"
        else ["data/meter_reading_20250128.csv", "data/waste_collection_20250228.csv"]
    )
    texts = {path: LATER.get(path) or (made.project / path).read_text("utf-8") for path in {*LATER, *held_back}}
    for path, text in texts.items():
        made.drop(path, text)
    for path in held_back:
        (made.project / path).unlink()
    made.keten("run")
    assert core(made) != core(at_once)
    for path in held_back:
        made.drop(path, texts[path])
    made.keten("run")
    assert core(made) == core(at_once)
    assert made.values() == at_once.values()


def test_a_stale_wal_beside_the_published_file_does_not_reach_the_new_one(small: Deployment, tmp_path: Path) -> None:
    made = small.copy(tmp_path)
    code = textwrap.dedent(f"""
        import duckdb, os
        c = duckdb.connect({str(tmp_path / "other.duckdb")!r})
        c.execute("create schema bi; create table bi.ghost (a int); insert into bi.ghost values (1)")
        os._exit(1)
    """)
    subprocess.run([sys.executable, "-c", code], check=False)
    wal_of(made.published).write_bytes(wal_of(tmp_path / "other.duckdb").read_bytes())
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\n")
    made.keten("run")
    assert not wal_of(made.published).exists()
    assert made.rows("select count(*) from duckdb_tables() where table_name = 'ghost'") == [(0,)]
    assert made.rows("select count(*) from bi.publication") == [(2,)]


def test_the_same_seed_makes_the_same_demo(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(tmp_path / name, sites=3, month_count=4)
    first, second = (
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        for name in ("one", "two")
    )
    assert first == second
