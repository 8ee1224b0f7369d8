"""The reference pages of `docs/` that are generated: reasons, codes, and the keys of what people write.

Belongs here: making the text of these pages from the declarations and their models. Does not belong here: any fact that
they tell. Run as `python -m assets.reference_docs docs` (`make docs`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.catalogue.reading import load_catalogue
from resources.catalogue.reason_models import OUTCOMES, Reason
from resources.catalogue.schemas import DESCRIBED, json_schemas, parts_of

if TYPE_CHECKING:
    from resources.catalogue import Catalogue

_MADE = "<!-- Made by `make docs`; do not edit. -->"
_OUTCOMES = {
    "quarantined": "Rows in quarantine: something in the row is wrong. It does not count, and its text is kept.",
    "waiting": "Rows that wait: they are released by themselves.",
    "ignored": "Rows that are ignored: they are no data. They are counted.",
    "rejected": "Files rejected as a whole: their rows cannot be trusted. What was there before stays.",
    "held": "Deliveries held back: core is as if they had not come, and they are tried again in every run.",
    "refused": "Files refused: no byte of them is kept.",
}
_FILES = {
    "mapping": "mappings/<origin>__<dataset>.yml",
    "corrections": "corrections/<origin>.yml",
    "sources": "sources.yml",
    "keten": "keten.yml",
}
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "yes or no", "null": "nothing"}
_FORMS = {"date": "day"}


def reasons_page(catalogue: Catalogue) -> str:
    """Every reason for which a row or a delivery is set apart."""
    lines = [
        _MADE,
        "# Reasons",
        "",
        "Why a row or a delivery does not count, from `dbt_like_sql/reasons.yml`. A reason of a row names its column after",
        "a colon: `missing:site_id`. `keten receipt show ID` and `rpt_rejected_row` tell the reasons of a delivery with",
        "their repair; how rows are counted: [how it works](how-it-works.md#what-happens-to-a-row).",
        "",
    ]
    for outcome in OUTCOMES:
        lines += [f"## {outcome.capitalize()}", "", _OUTCOMES[outcome], ""]
        for reason in catalogue.reasons.values():
            if reason.outcome == outcome:
                lines += _reason(reason)
    return "\n".join(lines).rstrip() + "\n"


def _reason(reason: Reason) -> list[str]:
    behind = {"column": ":<column>", "rule": ":<rule>", "correction": ":<entry>", None: ""}[reason.about]
    meaning = [
        text.replace("{}", word) for text, word in ((reason.meaning.nl, "De kolom"), (reason.meaning.en, "The column"))
    ]
    return [
        f"### `{reason.id}{behind}`",
        "",
        f"* nl: {meaning[0]} *Herstel:* {reason.repair.nl}",
        f"* en: {meaning[1]} *Repair:* {reason.repair.en}",
        f"* Example: {reason.example}",
        "",
    ]


def keys_page(_: Catalogue) -> str:
    """Every key of the files of a deployment, with its type, its default and what it means."""
    lines = [
        _MADE,
        "# Keys of a deployment",
        "",
        "From the models and `dbt_like_sql/keys.yml`; `keten catalogue --schemas DIR` writes the same for your editor.",
        "How they are used: [sources and mappings](sources-and-mappings.md), [corrections](corrections.md).",
        "",
    ]
    schemas = json_schemas()
    for name in DESCRIBED:
        lines += [f"## `{_FILES[name]}`", ""]
        for part in parts_of(schemas[name]):
            lines += _entry(part)
    return "\n".join(lines).rstrip() + "\n"


def _entry(part: dict[str, Any]) -> list[str]:
    required = part.get("required", ())
    rows = [
        f"| `{key}` | {_told(facts)} | {'required' if key in required else _default(facts)} | {_cell(facts.get('description', ''))} |"
        for key, facts in part["properties"].items()
    ]
    about = " ".join(part.get("description", "").split())
    return [f"### {part['title']}", "", about, "", "| key | type | default | meaning |", "|---|---|---|---|", *rows, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _told(facts: dict[str, Any]) -> str:
    """A type in words."""
    if "anyOf" in facts or "oneOf" in facts:
        kinds = [_told(kind) for kind in facts.get("anyOf", facts.get("oneOf", ()))]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "nothing"))
    if "$ref" in facts:
        title = facts["$ref"].rpartition("/")[2]
        return f"[{title}](#{title.lower()})"
    if "enum" in facts or "const" in facts:
        return ", ".join(f"`{word}`" for word in facts.get("enum", [facts.get("const")]))
    if facts.get("type") == "array":
        return _several(facts)
    if facts.get("type") == "object":
        values = facts.get("additionalProperties")
        return f"names, each with {_told(values)}" if isinstance(values, dict) else "names with values"
    return _FORMS.get(facts.get("format", ""), _TYPES.get(facts.get("type", ""), "any"))


def _several(facts: dict[str, Any]) -> str:
    if "prefixItems" in facts:
        return "[" + ", ".join(_told(item) for item in facts["prefixItems"]) + "]"
    return f"list of {_told(facts.get('items', {}))}"


def _default(facts: dict[str, Any]) -> str:
    default = facts.get("default")
    if default in (None, [], {}, ""):
        return ""
    return "" if isinstance(default, (dict, list)) else f"`{_cell(str(default))}`"


def codes_page(catalogue: Catalogue) -> str:
    """Every code that a mapping may write, by code list, with the columns that take it."""
    takers: dict[str, dict[str, None]] = {}
    for contract in catalogue.contracts.values():
        for name in contract.columns:
            if codes := catalogue.columns[name].codes:
                takers.setdefault(codes, {})[f"`{name}`"] = None
    lines = [
        _MADE,
        "# Codes",
        "",
        "What a mapping may write in a column of codes: `codes: {the sender's word: our code}`. A deployment adds codes of its",
        "own in `reference/<list>.csv`. How a mapping uses them: [sources and mappings](sources-and-mappings.md#columns).",
        "",
    ]
    for codes, columns in sorted(takers.items()):
        lines += [f"## {codes}", "", f"Taken by {', '.join(columns)}.", "", "| code | nl | en |", "|---|---|---|"]
        rows = catalogue.code_lists[codes].items()
        lines += [f"| `{code}` | {_cell(words['nl'])} | {_cell(words['en'])} |" for code, words in rows]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


PAGES: dict[str, Callable[[Catalogue], str]] = {
    "reasons.md": reasons_page,
    "mapping-reference.md": keys_page,
    "codes.md": codes_page,
}


def main(folder: Path) -> None:
    """Write the pages into a folder."""
    catalogue = load_catalogue()
    for name, made in PAGES.items():
        (folder / name).write_text(made(catalogue), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
