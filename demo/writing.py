"""Calendar, codes and files of the demo's senders.

Belongs here: what every delivery is written with. Does not belong here: what a delivery says (generate).
"""

from __future__ import annotations

import gzip
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FIRST = date(2025, 3, 1)


def months(count: int) -> list[date]:
    """The first days of the demo's months."""
    return [date(FIRST.year + (FIRST.month - 1 + i) // 12, (FIRST.month - 1 + i) % 12 + 1, 1) for i in range(count)]


def following(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def ean(number: int) -> str:
    """An 18-digit EAN with its GS1 check digit (weights 3 and 1 from the right)."""
    body = f"87168740{number:09d}"
    total = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(body)))
    return body + str((10 - total % 10) % 10)


class Writer:
    """Writes deliveries below one folder, with fixed bytes (no time in the gzip header)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def csv(self, path: str, header: str, rows: list[str]) -> None:
        """Write one file; compressed when its name ends in .gz."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        data = ("\n".join([header, *rows]) + "\n").encode()
        if path.endswith(".gz"):
            buffer = io.BytesIO()
            with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed:
                packed.write(data)
            data = buffer.getvalue()
        target.write_bytes(data)

    def yaml(self, path: str, content: object) -> None:
        """Write one YAML file."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110), "utf-8")


def quarters(month: date) -> list[datetime]:
    """Interval ends of a month as instants, every quarter-hour: 92 or 100 on days of clock change."""
    start = datetime(month.year, month.month, 1, tzinfo=AMSTERDAM).astimezone(ZoneInfo("UTC"))
    end_month = following(month)
    end = datetime(end_month.year, end_month.month, 1, tzinfo=AMSTERDAM).astimezone(ZoneInfo("UTC"))
    count = int((end - start).total_seconds() // 900)
    return [start + timedelta(minutes=15 * (i + 1)) for i in range(count)]
