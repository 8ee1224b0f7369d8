"""What Dagster shows of a table: its checks, its columns with their units, where its values come from.

Belongs here: turning our results and declarations into Dagster's own. Does not belong here: the assets (graph).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from resources.intake.expectations import CheckResult, suite_of
from resources.wording import Words

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Column, Contract, Model
    from resources.sql_compiler import Lineage


# What a critical check holds back.
DELIVERY = Words("een aanlevering", "a delivery")
RESULTS = Words("de publicatie", "the publication")


def key_of(table: str) -> dg.AssetKey:
    """The asset that makes a table: its path is its name."""
    return dg.AssetKey(table.split(".", 1))


def check_specs(key: dg.AssetKey, blocks: Words, sentences: Iterable[tuple[str, Words]]) -> list[dg.AssetCheckSpec]:
    """At most two checks per table: what holds back what it `blocks`, and what warns; each with its sentences."""
    heads = {
        "critical": f"Houdt {blocks.nl} tegen / holds back {blocks.en}",
        "warning": "Waarschuwt / warns",
    }
    told: dict[str, list[str]] = {"critical": []}
    for severity, words in sentences:
        name = "critical" if severity == "critical" else "warning"
        told.setdefault(name, []).append(f"- {words.nl} / {words.en}")
    return [
        dg.AssetCheckSpec(name, asset=key, description="\n".join([f"{heads[name]}:", "", *lines]))
        for name, lines in told.items()
    ]


def contract_sentences(contract: Contract) -> Iterator[tuple[str, Words]]:
    """What is expected of a delivery, with its severity."""
    for item in suite_of(contract):
        yield item["severity"], Words(item["nl"], item["en"])


def model_sentences(model: Model) -> Iterator[tuple[str, Words]]:
    """What must hold for a computed table, with its severity."""
    key = ", ".join(model.key)
    yield "critical", Words("De kolommen zijn zoals gedeclareerd.", "The columns are as declared.")
    yield "critical", Words(f"De sleutel {key} is uniek en gevuld.", f"The key {key} is unique and filled.")
    for check in model.checks:
        yield check.severity, Words(check.nl, check.en)


def value_sentences(catalogue: Catalogue) -> Iterator[tuple[str, Words]]:
    """What must hold for the values of all indicators, with its severity."""
    yield from model_sentences(catalogue.models["bi.rpt_indicator_value"])
    yield "warning", Words("Elke code is bekend in haar dimensie.", "Every code is known in its dimension.")
    for item in catalogue.indicators.values():
        if item.range:
            low, high = item.range
            yield (
                "warning",
                Words(
                    f"{item.title.nl}: {low} tot {high} {item.unit}.", f"{item.title.en}: {low} to {high} {item.unit}."
                ),
            )


def check_results(key: dg.AssetKey, found: Iterable[CheckResult], warns: bool) -> Iterator[dg.AssetCheckResult]:
    """The checks of a table; each expectation is a line of their metadata."""
    severities = {"critical": dg.AssetCheckSeverity.ERROR, "warning": dg.AssetCheckSeverity.WARN}
    for name, severity in list(severities.items())[: 1 + warns]:
        mine = [c for c in found if (c.severity == "critical") == (name == "critical")]
        lines = [
            f"| {_cell(c.nl)} | {_cell(c.en)} | {c.outcome} | {_cell(c.observed)} | {c.receipt_id} | {c.check_id} |"
            for c in mine
        ]
        head = ["| nl | en | outcome | observed | receipt | check |", "|--|--|--|--|--|--|"]
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=name,
            passed=all(c.outcome == "passed" for c in mine if c.severity != "info"),
            severity=severity,
            metadata={
                "checks": dg.MetadataValue.md("\n".join([*head, *lines])),
                "failed": sum(c.outcome == "failed" for c in mine),
                "could_not_be_checked": sum(c.outcome == "not_checked" for c in mine),
            },
        )


def _cell(text: str) -> str:
    """Text that stays within one cell of a Markdown table."""
    return " ".join(text.replace("|", "/").split())


def tag_of(unit: str) -> str:
    """A unit as the value of a tag, which may not hold a slash."""
    return unit.replace("/", "_per_")


def column_schema(columns: Iterable[Column]) -> dict[str, Any]:
    """Columns of a table with their meaning in both languages; the unit is a tag."""
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=c.name,
                    type=c.type,
                    description=f"{c.nl} / {c.en}",
                    tags={"unit": tag_of(c.unit)} if c.unit else {},
                )
                for c in columns
            ]
        )
    }


def column_lineage(lineage: Lineage) -> dict[str, Any]:
    """Where values come from; columns of filters and joins apart, as they carry no value."""
    deps = {
        out: [dg.TableColumnDep(asset_key=key_of(table), column_name=column) for table, column in _split(sources)]
        for out, sources in lineage.values.items()
    }
    return {
        "dagster/column_lineage": dg.TableColumnLineage(deps),
        "filter_columns": ", ".join(sorted(lineage.filters)) or "-",
    }


def _split(references: Iterable[str]) -> list[tuple[str, str]]:
    """Table and column of each `schema.table.column`, in order."""
    return [(r.rpartition(".")[0], r.rpartition(".")[2]) for r in sorted(references)]
