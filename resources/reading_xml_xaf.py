"""Lines of a Dutch audit file (XAF 3.2, XmlAuditfileFinancieel), of any size and with any prefix for its namespace.

Belongs here: how an audit file hangs together, and whether its own totals hold. Does not belong here: safe parsing
(reading_xml_events), which lines count (a mapping).

A row is a `trLine`. A heading is an element of the standard with the one it stands in, such as `trLine.accID`; `amount` and
`vatAmount` are signed: credit (`amntTp` C) is negative. Accounts and relations are looked up by their code.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from resources.cells import LIST_MARK, plain_number
from resources.errors import KetenError
from resources.reading_xml_events import empty, events, let_go, local

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Row = dict[str, str | None]

ROOTS = ("auditfile",)
_AROUND = {
    "header": ("fiscalYear", "startDate", "endDate", "curCode"),
    "company": ("companyIdent", "companyName", "taxRegIdent"),
    "journal": ("jrnID", "desc", "jrnTp"),
    "transaction": ("nr", "desc", "periodNumber", "trDt"),
}
_LOOKED_UP = {
    "ledgerAccount": ("accID", ("accDesc", "accTp", "leadCode", "leadDescription", "leadReference")),
    "customerSupplier": ("custSupID", ("custSupName", "custSupTp", "commerceNr", "taxRegIdent")),
}
_LINE = (
    *("nr", "accID", "docRef", "effDate", "desc", "amnt", "amntTp", "recRef", "matchKeyID", "custSupID", "invRef", "orderRef"),
    *("receivingDocRef", "shipDocRef", "costID", "prodID", "projID", "artGrpID", "qntityID", "qntity"),
)  # fmt: skip
_VAT = ("vatID", "vatPerc", "vatAmnt", "vatAmntTp")
_CURRENCY = ("curCode", "curAmnt")
_TOTALS = ("linesCount", "totalDebit", "totalCredit")
_LETS_GO = ("obLine", "obSbLine", "sbLine", "taxonomy", "basic", "vatCode", "period", "journal", "transaction")
_SIGNS = {"D": 1, "C": -1}

HEADINGS = (
    *(f"{element}.{name}" for element, names in _AROUND.items() for name in names),
    *(f"trLine.{name}" for name in _LINE),
    "amount",
    *(f"vat.{name}" for name in _VAT),
    "vatAmount",
    *(f"currency.{name}" for name in _CURRENCY),
    *(f"{element}.{name}" for element, (_, names) in _LOOKED_UP.items() for name in names),
)
# What each heading is read from, where that is not the element it is named after.
READ_FROM = {
    "amount": ("trLine.amnt", "trLine.amntTp"),
    "vatAmount": ("vat.vatAmnt", "vat.vatAmntTp"),
}
PERSONS = frozenset(f"customerSupplier.{name}" for name in ("contact", "telephone", "fax", "eMail"))
ORGANISATIONS = frozenset(
    (
        *("company.companyName", "company.companyIdent", "company.taxRegIdent"),
        *("customerSupplier.custSupName", "customerSupplier.taxRegIdent", "customerSupplier.commerceNr"),
    )
)


class AuditFile:
    """The lines of one audit file. After a pass, `incomplete` tells that some came before what they refer to."""

    headings: tuple[str, ...] | None = HEADINGS

    def __init__(self, path: Path, encoding: str | None) -> None:
        self._path = path
        self._encoding = encoding
        self._known: dict[str, dict[str, Row]] = {element: {} for element in _LOOKED_UP}
        self.incomplete = False
        self.several: set[str] = set()
        self.late: set[str] = set()

    def rows(self) -> Iterator[Row]:
        """One pass over the file. Raises KetenError when its own totals are not those of its lines."""
        self._around: dict[str, Row | None] = dict.fromkeys(_AROUND)
        self._told: dict[str, str] = {}
        self._count = 0
        self._sums = {"D": Decimal(), "C": Decimal()}
        tags = ("trLine", *_AROUND, *_LOOKED_UP, *_TOTALS, *_LETS_GO)
        for kind, element in events(self._path, self._encoding, ROOTS, tags):
            name = local(element)
            if kind == "start":
                self._start(name, element)
            elif name == "trLine":
                yield self._line(element)
                let_go_but_first(element)
            else:
                self._end(name, element)
        self._hold_totals()

    def _start(self, name: str, element: Element) -> None:
        """Read what stands before something, as it is let go of when that ends."""
        if name in self._around:
            self._around[name] = None
        around = {"trLine": "transaction", "transaction": "journal", "journal": "company"}.get(name)
        if around and self._around[around] is None:
            found = _ancestor(element, around)
            self._around[around] = {} if found is None else _cells(around, found, _AROUND[around])

    def _end(self, name: str, element: Element) -> None:
        if name in _LOOKED_UP:
            self._note(name, element)
        elif name in _TOTALS:
            parent = element.getparent()
            if parent is not None and local(parent) == "transactions" and element.text:
                self._told[name] = element.text.strip()
            return
        elif name in _AROUND:
            self._check_order(name, element)
            if name == "header":
                self._around[name] = _cells(name, element, _AROUND[name])
        let_go(element)

    def _note(self, name: str, element: Element) -> None:
        """Remember an account or a relation under its code."""
        key, wanted = _LOOKED_UP[name]
        found = {local(child): child.text for child in element}
        code = (found.get(key) or "").strip()
        if code and code not in self._known[name]:
            self._known[name][code] = {f"{name}.{w}": (found.get(w) or "").strip() or None for w in wanted}
            self.incomplete |= self._count > 0

    def _check_order(self, name: str, element: Element) -> None:
        """What tells of lines must stand before them: lines are read as they come."""
        before = self._around[name]
        if not before:
            return
        now = _cells(name, element, _AROUND[name])
        if late := [heading for heading, cell in now.items() if cell and not before.get(heading)]:
            raise KetenError(
                f"'{late[0]}' stands after the lines it is about; ask for the order of the standard (XAF 3.2)"
            )

    def _line(self, element: Element) -> Row:
        self._count += 1
        row: Row = {}
        for around_cells in self._around.values():
            row.update(around_cells or {})
        vats: list[Row] = []
        for child in element:
            name = local(child)
            if name == "vat":
                vats.append({local(part): (part.text or "").strip() or None for part in child})
            elif name == "currency":
                row |= _cells("currency", child, _CURRENCY)
            else:
                row[f"trLine.{name}"] = (child.text or "").strip() or None
        row["amount"] = self._amount(row.get("trLine.amnt"), row.get("trLine.amntTp"))
        self._add_vat(row, vats)
        row.update(self._known["ledgerAccount"].get(row.get("trLine.accID") or "", {}))
        row.update(self._known["customerSupplier"].get(row.get("trLine.custSupID") or "", {}))
        return row

    def _amount(self, digits: str | None, side: str | None) -> str:
        number = plain_number(digits)
        if number is None or side not in _SIGNS:
            raise KetenError(
                f"line {self._count} of its transactions has the amount '{digits}' on the side '{side}';"
                " amnt should be a number and amntTp D or C"
            )
        self._sums[side] += number
        return _signed(number, _SIGNS[side])

    def _add_vat(self, row: Row, vats: list[Row]) -> None:
        for name in _VAT if vats else ():
            row[f"vat.{name}"] = LIST_MARK.join(vat.get(name) or "" for vat in vats)
        total = Decimal()
        for vat in vats:
            number, side = plain_number(vat.get("vatAmnt")), vat.get("vatAmntTp") or row["trLine.amntTp"] or ""
            if number is None or side not in _SIGNS:
                return
            total += number * _SIGNS[side]
        row["vatAmount"] = format(total, "f") if vats else None

    def _hold_totals(self) -> None:
        """Raise KetenError when the file says of itself what its lines do not add up to."""
        found = {"linesCount": Decimal(self._count), "totalDebit": self._sums["D"], "totalCredit": self._sums["C"]}
        for name, digits in self._told.items():
            told = plain_number(digits)
            if told is None:
                raise KetenError(f"its {name} is '{digits}', which is no number; ask for a new export")
            if told != found[name]:
                raise KetenError(
                    f"its {name} says {told:f}, but its lines give {found[name]:f}; ask for a whole export"
                )


def let_go_but_first(element: Element) -> None:
    """Free a line and the lines before it; what stands before the first line tells of them all and was read."""
    empty(element)
    before = element.getprevious()
    if before is not None and local(before) == "trLine":
        parent = element.getparent()
        if parent is not None:
            parent.remove(before)


def _ancestor(element: Element | None, name: str) -> Element | None:
    while element is not None and local(element) != name:
        element = element.getparent()
    return element


def _cells(name: str, element: Element, wanted: tuple[str, ...]) -> Row:
    """Some children of an element, under headings that name both; the first of each counts."""
    found: dict[str, str | None] = {}
    for child in element:
        found.setdefault(local(child), child.text)
    return {f"{name}.{w}": (found.get(w) or "").strip() or None for w in wanted}


def _signed(number: Decimal, sign: int) -> str:
    return format(-number if sign < 0 and number else number, "f")
