"""The files of the demo's senders, each written as its mapping says.

Belongs here: encodings, compression, workbooks, JSON, and fixed bytes. Does not belong here: what a delivery says (the
themes).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from demo.figures import HERE, Site

Cell = str | float | int | date | None
Row = str | Sequence[Cell]


class Writer:
    """Writes deliveries below one folder, with the same bytes every time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mappings: dict[str, dict[str, Any]] = {
            path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted((HERE / "mappings").glob("*.yml"))
        }

    def deliver(
        self,
        mapping: str,
        name: str,
        headings: Sequence[str],
        rows: Iterable[Row],
        issued: date,
        *,
        before: Sequence[str] = (),
        room: str = "data",
        hour: str = "0800",
        packed: bool = False,
    ) -> None:
        """Write a delivery in the form its mapping declares: text, a workbook (`sheet`) or JSON (`records`).

        `before` are lines above the header. Rows are cells, or lines of a text file already.
        """
        origin = mapping.split("__")[0]
        form = self.mappings[mapping].get("format", {})
        suffix, write = next((kind for key, kind in _KINDS.items() if key in form), (".csv", _lines))
        stem = f"{name}_issued-{issued:%Y%m%d}T{hour}"
        target = self.folder / room / origin / f"{stem}{suffix}{'.gz' if packed else ''}"
        target.parent.mkdir(parents=True, exist_ok=True)
        data = write(form, headings, rows, before)
        target.write_bytes(_packed(data) if packed else data)

    def yaml(self, path: str, content: object) -> None:
        """Write one YAML file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110), "utf-8")

    def declare(self) -> None:
        """The mappings, and sources.yml with one line for each; a sender that has nothing to send has an empty folder."""
        sources = []
        (self.folder / "mappings").mkdir(parents=True)
        for name in self.mappings:
            origin, dataset = name.split("__")
            shutil.copyfile(HERE / "mappings" / f"{name}.yml", self.folder / "mappings" / f"{name}.yml")
            (self.folder / "data" / origin).mkdir(parents=True, exist_ok=True)
            sources.append({"dataset": dataset, "origin": origin, "path": f"data/{origin}"})
        self.yaml("sources.yml", {"sources": sources})

    def send_lists(self) -> None:
        """The lists that are sent as they stand in deliveries/, in the encoding of their mapping."""
        for path in sorted((HERE / "deliveries").glob("*/*.csv")):
            target = self.folder / "data" / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_text("utf-8").encode(self._encoding_of(path)))

    def _encoding_of(self, path: Path) -> str:
        forms = [
            mapping.get("format", {}).get("encoding", "utf-8")
            for name, mapping in self.mappings.items()
            if name.startswith(f"{path.parent.name}__") and path.match(mapping["files"])
        ]
        if len(forms) != 1:
            raise ValueError(
                f"{path.name}: {len(forms)} mappings read it; give each list of a sender a name of its own"
            )
        return str(forms[0])


def _text(cell: Cell, decimal: str) -> str:
    if isinstance(cell, float):
        return str(cell).replace(".", decimal)
    if isinstance(cell, date):
        return f"{cell:%d-%m-%Y}"
    return "" if cell is None else str(cell)


def _lines(form: dict[str, Any], headings: Sequence[str], rows: Iterable[Row], before: Sequence[str]) -> bytes:
    delimiter, decimal = form.get("delimiter", ","), form.get("decimal", ".")
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    buffer.writelines(f"{line}\n" for line in before)
    writer.writerow(headings)
    for row in rows:
        if isinstance(row, str):
            buffer.write(row + "\n")
        else:
            writer.writerow([_text(cell, decimal) for cell in row])
    return buffer.getvalue().encode(form.get("encoding", "utf-8"))


def _packed(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed:
        packed.write(data)
    return buffer.getvalue()


def _workbook(form: dict[str, Any], headings: Sequence[str], rows: Iterable[Row], before: Sequence[str]) -> bytes:
    """A sheet with numbers and dates as such, below lines of text; a sheet before it explains."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2026, 1, 1), "company": "fictief"})
        day = book.add_format({"num_format": "dd-mm-yyyy"})
        book.add_worksheet("Toelichting").write_string(0, 0, "Alle namen en cijfers zijn fictief.")
        sheet = book.add_worksheet(form["sheet"])
        for number, line in enumerate(before):
            sheet.write_string(number, 0, line)
        sheet.write_row(len(before), 0, headings)
        for number, row in enumerate(rows, start=len(before) + 1):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, datetime(cell.year, cell.month, cell.day), day)
                elif cell is not None:
                    sheet.write(number, column, cell)
    return buffer.getvalue()


def _records(form: dict[str, Any], headings: Sequence[str], rows: Iterable[Row], before: Sequence[str]) -> bytes:
    """A list of records below the keys of `records`; a heading with a dot is a key within a key."""
    found = []
    for row in rows:
        record: dict[str, Any] = {}
        for heading, cell in zip(headings, row, strict=True):
            *outer, key = heading.split(".")
            inner = record
            for part in outer:
                inner = inner.setdefault(part, {})
            inner[key] = f"{cell:%Y-%m-%d}" if isinstance(cell, date) else cell
        found.append(record)
    document: Any = found
    for part in reversed(form["records"].split(".")):
        document = {part: document}
    return (json.dumps({"bericht": " ".join(before), **document}, ensure_ascii=False, indent=1) + "\n").encode()


_KINDS = {"sheet": (".xlsx", _workbook), "records": (".json", _records)}


@dataclass
class Demo:
    """What every theme writes with: files, months, sites, chance of its own, and the events it plants."""

    writer: Writer
    span: list[date]
    sites: list[Site]
    seed: int
    interval_share: float
    hold_back: bool
    planted: list[dict[str, Any]] = field(default_factory=list)

    @property
    def later(self) -> str:
        """The folder for what mends an earlier delivery; it lies outside the sources when it is held back."""
        return "later" if self.hold_back else "data"

    def chance(self, theme: str) -> np.random.Generator:
        """Chance that other themes do not move."""
        return np.random.default_rng([self.seed, *theme.encode()])

    def site(self, site_id: str) -> Site | None:
        """A site, when this demo is large enough to hold it."""
        return next((site for site in self.sites if site.site_id == site_id), None)

    def holds(self, *months: date) -> bool:
        """Whether the demo spans all of these months."""
        return all(month in self.span for month in months)

    def plant(self, event: str, rows: int, **facts: object) -> None:
        """Note an event; events.yml says what it is in Dutch and English."""
        told = _events()[event]
        texts = {language: told[language].format(rows=rows, **facts) for language in ("nl", "en")}
        known = {"id": event, "number": told["number"], "dataset": told["dataset"], "rows": rows}
        self.planted.append({**known, **facts, **texts})


def _events() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((HERE / "events.yml").read_text("utf-8")))
