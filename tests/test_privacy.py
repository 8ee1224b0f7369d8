"""Columns about persons that no mapping knows are found, and others are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.catalogue_models import Mapping
from resources.privacy import personal_columns

MAPPING = {"title": "t", "files": "*", "origin": "o", "dataset": "site", "format": {"delimiter": ";"}}


def found(folder: Path, text: str, mapped: str = "Code") -> list[str]:
    path = folder / "file.csv"
    path.write_text(text, "utf-8")
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
