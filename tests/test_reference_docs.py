"""The generated pages of docs/ are current, and every key that people write is told of once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from assets.reference_docs import PAGES
from resources.catalogue.reading import load_catalogue
from resources.catalogue.schemas import DESCRIBED, json_schemas, key_meanings, parts_of

DOCS = Path(__file__).resolve().parent.parent / "docs"
CATALOGUE = load_catalogue()


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_what_the_declarations_say(page: str) -> None:
    assert (DOCS / page).read_text("utf-8") == PAGES[page](CATALOGUE), f"docs/{page} is not current; run `make docs`"


def parts() -> dict[str, dict[str, Any]]:
    schemas = json_schemas()
    return {part["title"]: part for name in DESCRIBED for part in parts_of(schemas[name])}


def test_every_key_has_a_meaning_and_every_meaning_a_key() -> None:
    told = {name: list(keys) for name, keys in key_meanings().items()}
    written = {name: list(part["properties"]) for name, part in parts().items()}
    missing = {f"{name}.{key}" for name, keys in written.items() for key in keys if key not in told.get(name, ())}
    left = {f"{name}.{key}" for name, keys in told.items() for key in keys if key not in written.get(name, ())}
    assert not missing, f"dbt_like_sql/keys.yml: say what these keys mean: {sorted(missing)}"
    assert not left, f"dbt_like_sql/keys.yml: these are no keys any more; remove them: {sorted(left)}"


def test_the_meaning_of_a_key_is_shown_by_editors() -> None:
    assert parts()["MappedColumn"]["properties"]["unit"]["description"].startswith("Unit in which it is sent")


@pytest.mark.parametrize(("name", "reason"), [(n, r) for n, r in CATALOGUE.reasons.items()])
def test_the_page_of_reasons_tells_meaning_example_and_repair_in_both_languages(name: str, reason: Any) -> None:
    page = PAGES["reasons.md"](CATALOGUE)
    part = next(p for p in page.split("### ") if re.match(rf"`{name}[:`]", p))
    assert reason.repair.nl in part and reason.repair.en in part and reason.example in part
