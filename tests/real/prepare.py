"""What is asked of a sender, done by hand: a file without the columns that the product refuses.

Belongs here: leaving out columns of files of others before they are taken in. Does not belong here: changing a cell.

    python tests/real/prepare.py ../shared/data var/prepared
"""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

PAY_GAP = "uk-gender-pay-gap-2017/gpg_2017_2018_part_a.csv"
REFUSED = ("ResponsiblePerson", "CurrentName")


def without(source: Path, target: Path, headings: tuple[str, ...]) -> None:
    """Write a CSV file again without some of its columns."""
    with source.open(encoding="utf-8", newline="") as given, target.open("w", encoding="utf-8", newline="") as made:
        rows = csv.reader(given)
        head = next(rows)
        kept = [i for i, heading in enumerate(head) if heading not in headings]
        writer = csv.writer(made)
        writer.writerow([head[i] for i in kept])
        writer.writerows([row[i] for i in kept] for row in rows)


def prepare(data: Path, folder: Path) -> None:
    """Fill a source folder with the pay gaps as published, which are refused, and without what they are refused for."""
    folder.mkdir(parents=True, exist_ok=True)
    published = data / PAY_GAP
    shutil.copyfile(published, folder / published.name)
    without(published, folder / f"{published.stem}_without_persons.csv", REFUSED)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
