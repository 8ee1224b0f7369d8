"""The catalogue of reasons: each is given by some delivery, and none is given that it does not know."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter
import yaml

from resources.catalogue.correction_models import Correction
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.intake.dataset_intake import DatasetIntake
from resources.intake.receipt_list import intake_modules
from resources.periods import Decision, Month
from resources.progress import SILENT
from resources.reason_words import reason_of_file, reason_words, repair_words
from tests.deployment import READINGS, tiny
from tests.intake_run import IntakeRun
from tests.staged import READING, SITE, staged

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = load_catalogue()
CASES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "tests" / "reasons.yml").read_text("utf-8"))
FORM = {"format": {"delimiter": ";", "decimal": ","}}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "sites": ("site", {**FORM, "columns": SITE}),
    "zip": ("site", {**FORM, "columns": SITE}),
    "json": ("site", {"columns": {**SITE, "site_name": {"value": "x"}, "floor_area_go_m2": {"value": "1"}}}),
    "readings": (
        "meter_reading",
        {
            **FORM,
            "columns": READING,
            "time": {"zone": "Europe/Amsterdam", "stamp": "start", "interval_minutes": 15},
        },
    ),
}


def bytes_of(content: Any, case: dict[str, Any]) -> bytes:
    """The file of a case: a text as it stands, rows as a workbook."""
    if isinstance(content, str):
        text = content.replace("DEEP", "[" * 2000 + "]" * 2000).replace("LONG", "x" * 40_000)
        return text.encode(case.get("encoding", "utf-8"))
    out = io.BytesIO()
    if "zip" in case:
        with zipfile.ZipFile(out, "w") as archive:
            for name in case["zip"]:
                archive.writestr(name, "Code;Naam;GO\nA;a;1\n")
        return out.getvalue()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(content):
            sheet.write_row(number, 0, row)
    if not case.get("without"):
        return out.getvalue()
    rest = io.BytesIO()
    with zipfile.ZipFile(out) as whole, zipfile.ZipFile(rest, "w") as part:
        for name in whole.namelist():
            if name != case["without"]:
                part.writestr(name, whole.read(name))
    return rest.getvalue()


def merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return base | {
        k: merged(base.get(k, {}), v) if isinstance(v, dict) and k != k.upper() else v for k, v in more.items()
    }


def judged(folder: Path, case: dict[str, Any]) -> list[dict]:
    """The records of a case."""
    shape = next((key for key in SHAPES if key in case), None)
    dataset, mapping = SHAPES[shape] if shape else (case["dataset"], example_mapping(case["dataset"]))
    content = case[shape] if shape else case["text"]
    plain = {**mapping, "columns": {k: v for k, v in mapping["columns"].items() if k not in changed(case)}}
    entries = [Correction.model_validate({"origin": "o", "dataset": dataset, **c}) for c in case.get("corrections", ())]
    name = case.get("name", "file.csv" if isinstance(content, str) else "file.xlsx")
    form = {} if name.endswith((".xlsx", ".json", ".jsonl")) else plain.get("format", {})
    mapping = merged({**plain, "format": form}, case.get("mapping", {}))
    return staged(folder, dataset, bytes_of(content, case), mapping, name, entries)


def changed(case: dict[str, Any]) -> set[str]:
    return set(case.get("mapping", {}).get("columns", {}))


def example_mapping(dataset: str) -> dict[str, Any]:
    """Every column as the example of its contract."""
    columns = CATALOGUE.contracts[dataset].columns.items()
    return {"columns": {name: {"value": column.example} for name, column in columns if column.example}}


def reasons_given(folder: Path, case: dict[str, Any]) -> set[str]:
    """The ids of all reasons that a case gives."""
    try:
        rows = judged(folder, case)
    except (KetenError, duckdb.Error) as error:
        known = reason_of_file(CATALOGUE, str(error))
        return {known.id if known else f"not in the catalogue: {error}"}
    given = {reason.partition(":")[0] for row in rows for reason in row["reasons"]}
    ignored = {row["ignored_reason"].partition(":")[0] for row in rows if row["ignored_reason"]}
    given |= {reason for row in rows for _, reason in row["set_aside"]}
    given |= {reason if reason in CATALOGUE.reasons else "declared" for reason in ignored}
    return given | ({"blank"} if any(row["blank_rows"] for row in rows) else set())


def unknown_reference(run: IntakeRun) -> None:
    run.made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nNOBODY,2025-01-05,1\n")
    run.take_in()
    assert run.rows("select reasons from core.meter_reading__unmatched") == [(["unknown_reference:meter_id"],)]


def mapping_missing(run: IntakeRun) -> None:
    run.take_in()
    (run.made.project / "mappings/us__waste_collection.yml").unlink()
    sources = yaml.safe_load((run.made.project / "sources.yml").read_text("utf-8"))
    kept = [source for source in sources["sources"] if source["dataset"] != "waste_collection"]
    run.made.declare("sources.yml", {"sources": kept})
    told = run.take_in()["waste_collection"].rejected
    assert {(reason_of_file(CATALOGUE, message) or message) for message in told.values()} == {
        CATALOGUE.reasons["mapping_missing"]
    }


def expectation(run: IntakeRun) -> None:
    run.take_in()
    run.made.drop("data/party_20250301.csv", "party_id,party_name,role_code\n")
    assert len(run.take_in()["party"].held) == 1


def final_period(run: IntakeRun) -> None:
    run.take_in()
    decided = {date(2025, 1, 1): Month((Decision("2025-01", "final", "Anna", "2020-01-01T00:00:00"),))}
    run.made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,99\n")
    run.take_in()
    late = next(r for r in run.landing.receipts() if r.file_name == "meter_reading_20250301.csv")
    run.landing.write(replace(late, received_at="2030-01-01T00:00:00.000000"))
    run.engine.connection.execute("update intake.receipt set judged_by = null where receipt_id = ?", [late.receipt_id])
    taking = DatasetIntake(run.engine, run.landing, run.catalogue, "meter_reading", SILENT, decided)
    held = taking.take_in().held
    assert "final months" in held[late.receipt_id]


def personal_data(run: IntakeRun) -> None:
    run.made.drop(
        "data/waste_collection_20250301.csv", "collector,site,day,stream,kg,naam medewerker\nW,S,2025-02-03,rest,1,J\n"
    )
    run.take_in()
    assert [facts["headings"] for facts in run.landing.refusals()] == [["naam medewerker"]]


# Reasons that need more than one file: what was there before it, what was declared, what was decided.
LONGER: dict[str, Callable[[IntakeRun], None]] = {
    given.__name__: given for given in (unknown_reference, mapping_missing, expectation, final_period, personal_data)
}


@pytest.mark.parametrize("reason", CATALOGUE.reasons)
def test_every_reason_is_given_by_a_small_delivery(reason: str, tmp_path: Path) -> None:
    assert (reason in CASES) != (reason in LONGER), f"tests/reasons.yml: write one small delivery that gives '{reason}'"
    if reason in CASES:
        assert reason in reasons_given(tmp_path, CASES[reason])
        return
    run = IntakeRun(tiny(tmp_path), tmp_path / "spill")
    LONGER[reason](run)
    assert run.unbalanced() == []


def test_there_is_no_case_for_a_reason_that_is_not_in_the_catalogue() -> None:
    assert CASES.keys() | LONGER.keys() == CATALOGUE.reasons.keys()


@pytest.mark.parametrize("reason", CATALOGUE.reasons)
def test_a_reason_is_told_in_both_languages_without_names_of_the_code(reason: str) -> None:
    known = CATALOGUE.reasons[reason]
    for told in (known.meaning, known.repair):
        assert told.nl != told.en
        for text in (told.nl, told.en):
            assert text.endswith(".") and " " in text, text
    for text in (known.meaning.nl, known.meaning.en):
        assert not re.search(r"\b[a-z]+_[a-z_]+\b", text), f"{reason} is told with a name of the code: {text}"
        assert ("{}" in text) == (known.about == "column")


def test_the_words_and_the_repair_of_a_reason_name_its_column() -> None:
    assert reason_words(CATALOGUE, "waste_collection", "missing:site_id").nl == "‘Locatie’ is leeg."
    assert repair_words(CATALOGUE, "missing:site_id").en == CATALOGUE.reasons["missing"].repair.en
    assert repair_words(CATALOGUE, "brand_new") == ("", "")


REASON = re.compile(r"[a-z]+(?:_[a-z]+)*")
OF_COLUMN = re.compile(r"([a-z]+(?:_[a-z{}]+)*):\{\}")
SET_IN_SQL = re.compile(r"(?:\b(?:ignored_reason|reasons?) =|\bthen) '([a-z_]+)(?::\{\})?'")


# What becomes of an accepted row, and of a row that a correction meets.
STATES = {"withdrawn", "restated", "unchanged", "current", "applied", "mended"}


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    return tuple((path.name, ast.parse(path.read_text("utf-8"))) for path in intake_modules())


@cache
def constants() -> dict[str, str]:
    """Texts that modules of intake give a name."""
    found: dict[str, str] = {}
    for _, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.Assign):
                for names, values in [(node.targets[0], node.value)]:
                    pairs = zip(elements(names), elements(values), strict=False)
                    found |= {ast.unparse(n): str(v.value) for n, v in pairs if isinstance(v, ast.Constant)}
    return found


def elements(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else [node]


def template(node: ast.expr | None) -> str:
    """A text in the code with {} for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return constants().get(node.id, "{}")
    if isinstance(node, ast.FormattedValue):
        return template(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(template, node.values))
    if isinstance(node, ast.BinOp):
        return template(node.left) + template(node.right)
    return "{}"


def row_reasons_in_code() -> set[str]:
    """Reasons of rows, as the code of intake gives them: after a condition, before a colon and a column, or set in SQL."""
    found: set[str] = set()
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, (ast.JoinedStr, ast.Constant)):
                text = template(node)
                found |= {match[1] for match in [OF_COLUMN.fullmatch(text)] if match} | set(SET_IN_SQL.findall(text))
            pair = node.elts if isinstance(node, ast.Tuple) else arguments(node, "Test")
            if len(pair) == 2 and not isinstance(pair[0], ast.Constant) and isinstance(pair[1], ast.Constant):
                found |= {str(pair[1].value)} if REASON.fullmatch(str(pair[1].value)) else set()
    return found - CATALOGUE.columns.keys() - STATES


def arguments(node: ast.AST, function: str) -> list[ast.expr]:
    """What a function is called with here; nothing where it is another."""
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
    return node.args if is_call and isinstance(node, ast.Call) else []


@cache
def errors() -> frozenset[str]:
    """The error that people see, and its kinds."""
    classes = [node for _, tree in modules() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return frozenset({"KetenError", *(c.name for c in classes if any(ast.unparse(b) == "KetenError" for b in c.bases))})


def file_messages_in_code() -> Iterator[tuple[str, str]]:
    """The messages by which readers and judging reject a file as a whole: raised, or noted as the fault of a file."""
    for name, tree in modules():
        for node in ast.walk(tree):
            told: list[ast.expr | None] = [argument for kind in errors() for argument in arguments(node, kind)[:1]]
            if isinstance(node, ast.FunctionDef) and node.name == "fault":
                told += [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
            if isinstance(node, ast.keyword) and node.arg == "fault":
                told.append(node.value)
            for text in map(template, told):
                if len(text.replace("{}", "").strip()) > 3:
                    yield name, text


# Raised when declarations are read: no delivery is rejected by them.
NOT_OF_INTAKE = {"correction_rules.py", "receipt_list.py"}


def test_the_code_gives_no_reason_of_a_row_that_the_catalogue_does_not_know() -> None:
    given = row_reasons_in_code()
    assert {"missing", "conflicting_repeat", "exact_repeat", "unknown_reference", "not_a_{}"} <= given, (
        "or nothing is proved"
    )
    for reason in given:
        known = [r for r in CATALOGUE.reasons if re.fullmatch(reason.replace("{}", "[a-z_]+"), r)]
        assert known, f"dbt_like_sql/reasons.yml: '{reason}' is missing; say what it means and what to do"


@pytest.mark.parametrize(
    ("module", "message"), sorted({m for m in file_messages_in_code() if m[0] not in NOT_OF_INTAKE})
)
def test_a_message_that_rejects_a_file_belongs_to_a_reason(module: str, message: str) -> None:
    told = message.replace("{}", "x")
    assert reason_of_file(CATALOGUE, told), f"dbt_like_sql/reasons.yml: no reason is told by '{message}' ({module})"
