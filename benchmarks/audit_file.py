"""What it costs to read a large audit file (XAF), beside lxml's bare iterparse over the same file.

Belongs here: making such a file, and reading it in processes of their own. Does not belong here: how it is read.

    python -m benchmarks.audit_file --megabytes 200
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MEGABYTE = 1_000_000
_SUPPLIERS = 500
_ACCOUNTS = 200
_LINES_OF_ONE = 4
SHAPE = {
    **{"title": "t", "files": "*", "origin": "o", "dataset": "spend", "format": {"profile": "xaf"}},
    "columns": {"amount": {"from": "amount"}},
}
_LINE = (
    "<x:trLine><x:nr>{n}</x:nr><x:accID>{account}</x:accID><x:docRef>INK-2025-{t:07d}</x:docRef><x:effDate>2025-{month:02d}-15</x:effDate>"
    "<x:desc>Schoonmaak kantoren maand {month}, caf\xe9 \x80</x:desc><x:amnt>{euros}.25</x:amnt><x:amntTp>{side}</x:amntTp>"
    "<x:custSupID>{supplier}</x:custSupID><x:invRef>F-{t}</x:invRef><x:costID>KP-{cost}</x:costID><x:vat><x:vatID>1</x:vatID>"
    "<x:vatPerc>21.00</x:vatPerc><x:vatAmnt>{euros}.05</x:vatAmnt><x:vatAmntTp>{side}</x:vatAmntTp></x:vat></x:trLine>\n"
)


def make(path: Path, megabytes: float) -> int:
    """Write an audit file of about that size, as a vendor would: own prefix, Windows letters, totals; its number of lines."""
    line_bytes = len(_line(0, 0))
    transactions = max(1, int(megabytes * MEGABYTE / (line_bytes * _LINES_OF_ONE + 110)))
    count = transactions * _LINES_OF_ONE
    debit = sum((t * _LINES_OF_ONE + n) % 9_000 + 0.25 for t in range(transactions) for n in (0, 2))
    credit = sum((t * _LINES_OF_ONE + n) % 9_000 + 0.25 for t in range(transactions) for n in (1, 3))
    with path.open("w", encoding="latin-1", newline="") as out:
        out.write(
            '<?xml version="1.0" encoding="ISO-8859-1"?>\n<x:auditfile xmlns:x="http://www.auditfiles.nl/XAF/3.2">'
        )
        out.write("<x:header><x:fiscalYear>2025</x:fiscalYear><x:curCode>EUR</x:curCode></x:header><x:company>")
        out.write("<x:companyIdent>12345678</x:companyIdent><x:companyName>Groot</x:companyName><x:customersSuppliers>")
        for n in range(_SUPPLIERS):
            out.write(f"<x:customerSupplier><x:custSupID>{n}</x:custSupID><x:custSupName>L {n}</x:custSupName>")
            out.write(f"<x:commerceNr>{10_000_000 + n}</x:commerceNr></x:customerSupplier>")
        out.write("</x:customersSuppliers><x:generalLedger>")
        for n in range(_ACCOUNTS):
            out.write(
                f"<x:ledgerAccount><x:accID>{4000 + n}</x:accID><x:accDesc>Rekening {n}</x:accDesc></x:ledgerAccount>"
            )
        out.write(f"</x:generalLedger><x:transactions><x:linesCount>{count}</x:linesCount><x:totalDebit>{debit:.2f}")
        out.write(f"</x:totalDebit><x:totalCredit>{credit:.2f}</x:totalCredit><x:journal><x:jrnID>INK</x:jrnID>")
        for t in range(transactions):
            out.write(f"<x:transaction><x:nr>{t}</x:nr><x:periodNumber>{t % 12 + 1}</x:periodNumber>")
            out.write(f"<x:trDt>2025-{t % 12 + 1:02d}-15</x:trDt>\n")
            out.writelines(_line(t, n) for n in range(_LINES_OF_ONE))
            out.write("</x:transaction>")
        out.write("</x:journal></x:transactions></x:company></x:auditfile>")
    return count


def _line(t: int, n: int) -> str:
    euros = (t * _LINES_OF_ONE + n) % 9_000
    where = {"account": 4000 + t % _ACCOUNTS, "month": t % 12 + 1, "supplier": t % _SUPPLIERS, "cost": t % 40}
    return _LINE.format(n=n + 1, t=t, euros=euros, side="DC"[n % 2], **where)


def read_bare(path: Path) -> int:
    """lxml's iterparse over the lines, letting go of each, and nothing else."""
    from lxml import etree

    count = 0
    for _, element in etree.iterparse(str(path), tag="{*}trLine"):
        count += 1
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]
    return count


def read_lines(path: Path) -> int:
    """One pass of the product, to rows with all their cells."""
    from resources.reading.xml_events import XmlFile
    from resources.reading.xml_xaf import AuditFile

    return sum(1 for _ in AuditFile(XmlFile(path)).rows())


def read_cells(path: Path) -> int:
    """What intake does to have the cells, some rows at a time."""
    from resources.catalogue.mapping_models import Mapping
    from resources.reading import inspect_file

    facts = inspect_file(path, Mapping.model_validate(SHAPE))
    assert facts.pieces is not None
    return sum(piece.num_rows for piece in facts.pieces())


def look_for_persons(path: Path) -> int:
    """The look at all texts of a file before a byte is kept."""
    from resources.catalogue.mapping_models import Mapping
    from resources.landing.privacy import personal_columns

    return len(personal_columns(path, Mapping.model_validate(SHAPE)))


WAYS: dict[str, Callable[[Path], int]] = {
    "bare iterparse": read_bare,
    "one pass to rows": read_lines,
    "cells of intake": read_cells,
    "look for persons": look_for_persons,
}


def measure(way: str, path: Path) -> dict[str, float]:
    """Seconds, what was found and the highest memory in MB of one way of reading, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.audit_file", "--one", way, "--file", str(path)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    return dict(json.loads(done.stdout))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit_file", description=__doc__)
    parser.add_argument("--megabytes", type=float, default=200)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        began = time.perf_counter()
        found = WAYS[chosen.one](chosen.file)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(json.dumps({"seconds": seconds, "found": found, "megabytes": peak}))
        return
    with tempfile.TemporaryDirectory(prefix="keten-bench-") as folder:
        path = Path(folder) / "audit.xaf"
        count = make(path, chosen.megabytes)
        print(f"{count} lines, {path.stat().st_size / MEGABYTE:.0f} MB")
        for way in WAYS:
            cost = measure(way, path)
            rate = count / cost["seconds"]
            print(f"{way:18} {cost['seconds']:7.1f} s {rate:10,.0f} lines/s {cost['megabytes']:7.0f} MB memory")


if __name__ == "__main__":
    main()
