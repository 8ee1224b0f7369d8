"""Columns about persons that no mapping knows are found, and others are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resources.catalogue.mapping_models import Mapping
from resources.landing.privacy import personal_columns
from tests.test_reading_xlsx import workbook

MAPPING = {"title": "t", "files": "*", "origin": "o", "dataset": "site", "format": {"delimiter": ";"}}


def found(folder: Path, content: str | bytes, mapped: str = "Code", name: str = "file.csv") -> list[str]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return personal_columns(path, Mapping.model_validate({**MAPPING, "columns": {"site_id": {"from": mapped}}}))


@pytest.mark.parametrize(
    "heading",
    [
        "Naam",
        "Achternaam",
        "Voornaam",
        "BSN",
        "Geboortedatum",
        "geb.datum",
        "E-mail",
        "email_adres",
        "Employee name",
        "Birth date",
        "EmployeeFirstName",
        "birthDate",
        "ResponsiblePerson",
        "Contactpersoon",
        "supplier_name",
        "CurrentName",
        "Naam van de eigenaar",
    ],
)
def test_a_heading_tells(tmp_path: Path, heading: str) -> None:
    assert found(tmp_path, f"Code;{heading}\nA;x\n") == [heading]


@pytest.mark.parametrize(
    "heading",
    [
        *["Namens", "Locatienaamgeving", "Bedrag", "Besnoeiing", "Mailing", "Sitecode"],
        *["Body Name", "EmployerName", "company_name", "Naam van het gebouw", "naam organisatie", "Persons"],
    ],
)
def test_another_heading_does_not(tmp_path: Path, heading: str) -> None:
    assert found(tmp_path, f"Code;{heading}\nA;x\n") == []


def test_citizen_numbers_are_known_by_their_check(tmp_path: Path) -> None:
    """111222333 and 123456782 pass the eleven test of a BSN; 123456789 does not."""
    assert found(tmp_path, "Code;nr\nA;111222333\nB;123456782\nC;\n") == ["nr"]
    assert found(tmp_path, "Code;nr\nA;123456789\nB;123456788\nC;111222333\n") == []
    assert found(tmp_path, "Code;nr\nA;000000000\n") == []


def test_an_address_for_mail_is_known_by_its_form(tmp_path: Path) -> None:
    assert found(tmp_path, "Code;contact\nA;j.voorbeeld@example.nl\n") == ["contact"]
    assert found(tmp_path, "Code;contact\nA;balie @ hal 2\n") == []


def test_a_column_that_the_mapping_uses_is_known(tmp_path: Path) -> None:
    assert found(tmp_path, "Naam;x\nHoofdkantoor;1\n", mapped="Naam") == []


def test_a_row_of_another_length_does_not_hide_the_others(tmp_path: Path) -> None:
    assert found(tmp_path, "Code;nr\nA;111222333\nB;1;2\nC;123456782\n") == ["nr"]


def test_a_heading_tells_also_where_the_mapping_misses_one(tmp_path: Path) -> None:
    """Such a file is rejected later, and its bytes would be kept."""
    assert found(tmp_path, "Cod;Naam;x\nA;y;1\n") == ["Naam"]
    assert found(tmp_path, "Code;Naam;Naam;x\nA;y;z;1\n") == ["Naam", "Naam"]


CLEAN = [["Code", "GO"], ["A", 1]]


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([[["Code", "Achternaam"], ["A", "x"]]], ["Achternaam"]),
        ([[["Code", "nr"], ["A", 111222333], ["B", 123456782]]], ["nr"]),
        ([[["Code", "contact"], ["A", "j.voorbeeld@example.nl"]]], ["contact"]),
        ([[["Code", None], ["A", "111222333"]]], ["column B"]),
        ([CLEAN, [["Personeel 2025"], [], ["Naam", "Uren"], ["x", 3]]], ["Blad 2: Naam"]),
        ([CLEAN, [["Uren", "nr"], [3, 111222333]]], ["Blad 2: nr"]),
        ([CLEAN, [], [["111222333"], ["111222333"]]], ["Blad 3: 111222333"]),
        ([CLEAN, [["Toelichting"], ["vragen aan balie @ hal 2"]]], []),
        ([[["Toelichting"]], CLEAN], []),
    ],
)
def test_every_sheet_of_a_workbook_is_looked_at(tmp_path: Path, tables: list[Any], expected: list[str]) -> None:
    names = tuple(f"Blad {place}" for place in range(1, len(tables) + 1))
    content = workbook(*tables, names=names, hidden=names[1:])
    assert found(tmp_path, content, name="file.XLSX") == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[{"Code": "A", "achternaam": "x"}]', ["achternaam"]),
        ('[{"Code": "A", "who": {"nr": 111222333}}]', ["who.nr"]),
        ('[{"Code": "A", "crew": [{"nr": "1"}, {"nr": 111222333}, {"nr": 123456782}]}]', ["crew.nr"]),
        ('[{"Code": "A", "crew": [{"achternaam": "x"}]}]', ["crew.achternaam"]),
        ('[{"Code": "A", "to": ["a", "j.voorbeeld@example.nl"]}]', ["to"]),
        ('{"by": {"name": "Firm"}, "rows": [{"Code": "A"}]}', []),
        ('{"by": {"post": "j.voorbeeld@example.nl"}, "rows": [{"Code": "A"}]}', ["around the records: by.post"]),
        ('{"crew": [{"achternaam": "x"}], "rows": [{"Code": "A"}]}', ["around the records: crew.achternaam"]),
        ('{"people": [{"achternaam": "x"}]}', ["around the records: people.achternaam"]),
        ('{"rows": ["j.voorbeeld@example.nl"]}', ["around the records: rows"]),
    ],
)
def test_all_that_a_json_file_holds_is_looked_at(tmp_path: Path, content: str, expected: list[str]) -> None:
    path = tmp_path / "file.json"
    path.write_text(content, "utf-8")
    where = "rows" if '"rows"' in content else None
    shape = {"format": {"records": where}, "columns": {"site_id": {"from": "Code"}}}
    assert personal_columns(path, Mapping.model_validate({**MAPPING, **shape})) == expected


def test_lines_of_json_are_looked_at(tmp_path: Path) -> None:
    content = '{"Code": "A", "nr": "111222333"}\n{"Code": "B"}\n'
    assert found(tmp_path, content, name="file.jsonl") == ["nr"]
