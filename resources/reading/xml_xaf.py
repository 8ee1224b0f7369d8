"""Lines of a Dutch audit file (XAF 3.2, XmlAuditfileFinancieel), of any size and with any prefix for its namespace.

Belongs here: how an audit file hangs together, and whether its own totals hold. Does not belong here: safe parsing
(xml_events), which lines count (a mapping).

A row is a `trLine`. A heading is an element of the standard with the one it stands in, such as `trLine.accID`; `amount` and
`vatAmount` are signed: credit (`amntTp` C) is negative. Accounts and relations are looked up by their code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import takewhile
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading.cells import LIST_MARK, plain_number
from resources.reading.xml_events import XmlFile, bare, empty, events, let_go, local

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
    "ledgerAccount": ("generalLedger", "accID", ("accDesc", "accTp", "leadCode", "leadDescription", "leadReference")),
    "customerSupplier": ("customersSuppliers", "custSupID", ("custSupName", "custSupTp", "commerceNr", "taxRegIdent")),
}
_LINE = (
    *("nr", "accID", "docRef", "effDate", "desc", "amnt", "amntTp", "recRef", "matchKeyID", "custSupID", "invRef", "orderRef"),
    *("receivingDocRef", "shipDocRef", "costID", "prodID", "projID", "artGrpID", "qntityID", "qntity"),
)  # fmt: skip
_VAT = ("vatID", "vatPerc", "vatAmnt", "vatAmntTp")
_CURRENCY = ("curCode", "curAmnt")
_TOTALS = ("linesCount", "totalDebit", "totalCredit")
_LETS_GO = ("obLine", "obSbLine", "sbLine", "taxonomy", "basic", "vatCode", "period", "journal", "transaction")
_READ_AT = {"trLine": "transaction", "transaction": "journal", "journal": "company"}
_WITHIN = {"trLine.vat": ("vat", _VAT), "trLine.currency": ("currency", _CURRENCY)}
_LATE = "its {} stands after the lines it is about; ask for the order of the standard (XAF 3.2)"
_SIGNS = {"D": 1, "C": -1}

HEADINGS = (
    *(f"{element}.{name}" for element, names in _AROUND.items() for name in names),
    *(f"trLine.{name}" for name in _LINE),
    "amount",
    *(f"vat.{name}" for name in _VAT),
    "vatAmount",
    *(f"currency.{name}" for name in _CURRENCY),
    *(f"{element}.{name}" for element, (_, _, names) in _LOOKED_UP.items() for name in names),
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
    """The lines of one audit file."""

    headings: tuple[str, ...] = HEADINGS

    def __init__(self, file: XmlFile) -> None:
        self._file = file

    def rows(self) -> Iterator[Row]:
        """One pass over the file. Raises KetenError when its own totals are not those of its lines, or come too late."""
        self._around: dict[str, Row | None] = dict.fromkeys(_AROUND)
        self._shared: Row | None = None
        self._known: dict[str, dict[str, Row]] = {element: {} for element in _LOOKED_UP}
        self._told: dict[str, str] = {}
        self._count = 0
        self._sums = {"D": Decimal(), "C": Decimal()}
        self._parts = _Parts()
        tags = ("trLine", *_AROUND, *_LOOKED_UP, *_TOTALS, *_LETS_GO)
        for kind, element in events(self._file, ROOTS, tags):
            name = local(element)
            if kind == "start":
                self._start(name, element)
            elif name == "trLine":
                yield self._line(element)
                _let_go_of_line(element)
            else:
                self._end(name, element)
        self._hold_totals()

    def _start(self, name: str, element: Element) -> None:
        """Read what stands before something, as it is let go of when that ends."""
        if name in self._around:
            self._around[name] = self._shared = None
        around = _READ_AT.get(name)
        if around and self._around[around] is None:
            self._around[around], self._shared = _before(element, around), None

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
        let_go(element)

    def _note(self, name: str, element: Element) -> None:
        """Remember an account or a relation under its code."""
        place, key, wanted = _LOOKED_UP[name]
        parent = element.getparent()
        if parent is None or local(parent) != place:
            return  # an earlier state, in the history of one
        cells = _cells(name, element, (key, *wanted))
        code = cells.pop(f"{name}.{key}")
        if code and code not in self._known[name]:
            self._known[name][code] = cells
            if self._count:
                raise KetenError(_LATE.format(f"{name} '{code}'"))

    def _check_order(self, name: str, element: Element) -> None:
        """What tells of lines must stand before them: lines are read as they come."""
        before = self._around[name]
        now = _cells(name, element, _AROUND[name])
        if name == "header" and not self._count:
            self._around[name], self._shared = now, None
        elif before is not None or name == "header":
            if late := [heading for heading, cell in now.items() if cell and not (before or {}).get(heading)]:
                raise KetenError(_LATE.format(late[0]))

    def _line(self, element: Element) -> Row:
        self._count += 1
        if self._shared is None:
            self._shared = {}
            for cells in self._around.values():
                self._shared |= cells or {}
        row = self._shared.copy()
        vats = self._parts.read(row, element)
        side = row.get("trLine.amntTp") or ""
        number = plain_number(row.get("trLine.amnt"))
        if number is None or side not in _SIGNS:
            raise KetenError(
                f"line {self._count} of its transactions has the amount '{row.get('trLine.amnt')}' on the side '{side}';"
                " amnt should be a number and amntTp D or C"
            )
        self._sums[side] += number
        row["amount"] = _signed(number, _SIGNS[side])
        if vats:
            _add_vat(row, vats, side)
        if account := self._known["ledgerAccount"].get(row.get("trLine.accID") or ""):
            row |= account
        if relation := self._known["customerSupplier"].get(row.get("trLine.custSupID") or ""):
            row |= relation
        return row

    def _hold_totals(self) -> None:
        """Raise KetenError when the file says of itself what its lines do not add up to."""
        if not self._count:
            raise KetenError("it holds no trLine")
        found = {"linesCount": Decimal(self._count), "totalDebit": self._sums["D"], "totalCredit": self._sums["C"]}
        for name, digits in self._told.items():
            told = plain_number(digits)
            if told is None:
                raise KetenError(f"its {name} is '{digits}', which is no number; ask for a new export")
            if told != found[name]:
                raise KetenError(
                    f"its {name} says {told:f}, but its lines give {found[name]:f}; ask for a whole export"
                )


class _Parts:
    """The elements of a line, which come a million times: their headings are told by the whole of their names."""

    def __init__(self) -> None:
        self._headings: dict[object, str] = {}

    def read(self, row: Row, line: Element) -> list[Row]:
        """Put the elements of a line into its row; returns its VAT, of which a line may have several."""
        vats: list[Row] = []
        headings = self._headings
        for child in line:
            tag = child.tag
            heading = headings.get(tag) or self._learn(headings, tag, "trLine")
            if heading in ("trLine.vat", "trLine.currency"):
                part = _cells(_WITHIN[heading][0], child, _WITHIN[heading][1])
                if heading == "trLine.vat":
                    vats.append(part)
                else:
                    row |= part
            elif text := child.text:
                row[heading] = text.strip() or None
        return vats

    @staticmethod
    def _learn(headings: dict[object, str], tag: object, place: str) -> str:
        headings[tag] = f"{place}.{bare(str(tag))}"
        return headings[tag]


def _add_vat(row: Row, vats: list[Row], side: str) -> None:
    """The codes and amounts of VAT on a line, joined, and their sum with the sign of its side."""
    for name in vats[0]:
        row[name] = vats[0][name] if len(vats) == 1 else LIST_MARK.join(vat[name] or "" for vat in vats)
    total = Decimal()
    for vat in vats:
        number, its_side = plain_number(vat["vat.vatAmnt"]), vat["vat.vatAmntTp"] or side
        if number is None or its_side not in _SIGNS:
            return
        total += number * _SIGNS[its_side]
    row["vatAmount"] = format(total, "f")


def _let_go_of_line(element: Element) -> None:
    """Free a line and the lines before it; what stands before the first line tells of them all and was read."""
    empty(element)
    before = element.getprevious()
    if before is not None and local(before) == "trLine":
        parent = element.getparent()
        if parent is not None:
            parent.remove(before)


def _before(element: Element, name: str) -> Row:
    """What stands in the element of that name around this one, before it: what comes after may not be there yet."""
    child, around = element, element.getparent()
    while around is not None and local(around) != name:
        child, around = around, around.getparent()
    return {} if around is None else _cells(name, takewhile(lambda part: part is not child, around), _AROUND[name])


def _cells(name: str, parts: Iterable[Element], wanted: tuple[str, ...]) -> Row:
    """Some children of an element, under headings that name both; the last of each counts."""
    found = {local(part): part.text for part in parts}
    return {f"{name}.{w}": (found.get(w) or "").strip() or None for w in wanted}


def _signed(number: Decimal, sign: int) -> str:
    return format(-number if sign < 0 and number else number, "f")
