"""The descriptor of a folder of Parquet files: datapackage.json by the Data Package standard.

Belongs here: what the descriptor says. Does not belong here: writing files (parquet).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from resources.targets.description import Column, Publication, Table

DESCRIPTOR = "datapackage.json"
NAME = "ketenimpact"
_TITLE = "Ketenimpact: People, Planet en Purpose van een facilitaire keten / of a facility chain"
_DESCRIPTION = (
    "Alle gepubliceerde tabellen van een publicatie, met dezelfde inhoud als het DuckDB-bestand. Een waarde die ontbreekt is"
    " leeg, nooit nul. / All published tables of one publication, with the same content as the DuckDB file. A value that is"
    " missing is empty, never zero."
)
_TYPES = {
    "VARCHAR": "string",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DECIMAL": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}


def file_name(table: Table) -> str:
    """The file of a table or view."""
    return f"{table.name}.parquet"


def descriptor(publication: Publication, tables: list[Table], folder: Path, licence: str | None) -> dict[str, Any]:
    """The descriptor of the files in a folder."""
    keys = {table.name: table.key for table in tables}
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "profile": "data-package",
        "name": NAME,
        "id": publication.run_id,
        "title": _TITLE,
        "description": _DESCRIPTION,
        "version": str(publication.number),
        "created": f"{publication.published_at.isoformat(timespec='seconds')}Z",
        **({"licenses": [{"name": licence}]} if licence else {}),
        "status": publication.status,
        "asOf": publication.as_of.isoformat(),
        "resources": [_resource(table, folder / file_name(table), keys) for table in tables],
    }


def _resource(table: Table, path: Path, keys: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    schema: dict[str, Any] = {
        "fields": [_field(column) for column in table.columns],
        # Parquet tells empty from an empty text by itself.
        "missingValues": [],
    }
    if table.key:
        schema["primaryKey"] = list(table.key)
    if references := [_reference(table, column, keys) for column in table.columns if column.refers_to]:
        schema["foreignKeys"] = references
    return {
        "name": table.name,
        "type": "table",
        "description": table.comment,
        "path": path.name,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
        "schema": schema,
    }


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": _TYPES[column.type.split("(")[0]]}
    told = {"description": column.comment, "unit": column.unit, "codeList": column.codes}
    field |= {name: text for name, text in told.items() if text}
    if column.is_key:
        field["constraints"] = {"required": True}
    return field


def _reference(table: Table, column: Column, keys: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """A foreign key; the standard writes a table that refers to itself as an empty text."""
    other = str(column.refers_to)
    return {
        "fields": [column.name],
        "reference": {"resource": "" if other == table.name else other, "fields": list(keys[other])},
    }
