"""What Dagster shows of a table: its checks, its columns with their units, where its values come from.

Belongs here: turning our results and declarations into Dagster's own. Does not belong here: the assets (graph).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from resources.catalogue_models import Column
from resources.expectations import CheckResult
from resources.sql_compiler import Lineage


def key_of(table: str) -> dg.AssetKey:
    """The asset that makes a table: its path is its name."""
    return dg.AssetKey(table.split(".", 1))


def check_specs(key: dg.AssetKey, warns: bool) -> list[dg.AssetCheckSpec]:
    """At most two checks per table: what blocks and, where anything does, what warns."""
    critical = dg.AssetCheckSpec("critical", asset=key, description="Kritieke controles / critical checks")
    warning = dg.AssetCheckSpec("warning", asset=key, description="Waarschuwingen / warnings")
    return [critical, warning] if warns else [critical]


def check_results(key: dg.AssetKey, found: Iterable[CheckResult], warns: bool) -> Iterator[dg.AssetCheckResult]:
    """The checks of a table; each expectation is a line of their metadata."""
    severities = {"critical": dg.AssetCheckSeverity.ERROR, "warning": dg.AssetCheckSeverity.WARN}
    for name, severity in list(severities.items())[: 1 + warns]:
        mine = [c for c in found if (c.severity == "critical") == (name == "critical")]
        lines = [
            f"| {c.check_id} | {c.outcome} | {_cell(c.observed)} | {c.nl} | {c.en} | {c.receipt_id} |" for c in mine
        ]
        head = ["| check | outcome | observed | nl | en | receipt |", "|--|--|--|--|--|--|"]
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


def column_schema(columns: Iterable[Column]) -> dict[str, Any]:
    """Columns of a table with their meaning in both languages; the unit is a tag."""
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    name=c.name,
                    type=c.type,
                    description=f"{c.nl} / {c.en}",
                    tags={"unit": c.unit.replace("/", "_per_")} if c.unit else {},
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
