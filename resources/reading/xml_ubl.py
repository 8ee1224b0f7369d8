"""Lines of electronic invoices and credit notes in UBL 2 (NLCIUS, SI-UBL, Peppol BIS Billing 3).

Belongs here: how an invoice hangs together, its signs, and whether its lines add up to its own totals. Does not belong here:
safe parsing (xml_events), which supplier an organisation number is (the master data).

A row is a line of an invoice, or an allowance or charge on the whole of it, so that the rows of an invoice add up to its
amount without VAT. Amounts of a credit note are negative. Attachments are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading.cells import plain_number
from resources.reading.xml_events import XmlFile, empty, events, let_go, local

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Row = dict[str, str | None]

ROOTS = ("Invoice", "CreditNote", "StandardBusinessDocument", "Invoices")
_DOCUMENTS = ("Invoice", "CreditNote")
_SKIPPED = ("EmbeddedDocumentBinaryObject", "UBLExtensions")
_CREDIT_CODES = ("81", "83", "381", "396", "532")
_KVK, _OIN = ("0106", "NL:KVK"), ("0190", "NL:OIN", "NL:OINO")
_DOCUMENT = {
    "invoice_id": ("ID",),
    "issue_date": ("IssueDate",),
    "currency": ("DocumentCurrencyCode",),
    "accounting_cost": ("AccountingCost",),
    "order_id": ("OrderReference", "ID"),
    "contract_id": ("ContractDocumentReference", "ID"),
    "period_start": ("InvoicePeriod", "StartDate"),
    "period_end": ("InvoicePeriod", "EndDate"),
}
_PARTIES = {"seller": "AccountingSupplierParty", "buyer": "AccountingCustomerParty"}
_LINE = {
    "line_id": ("ID",),
    "line_accounting_cost": ("AccountingCost",),
    "line_period_start": ("InvoicePeriod", "StartDate"),
    "line_period_end": ("InvoicePeriod", "EndDate"),
    "item": ("Item", "Name"),
    "item_id": ("Item", "SellersItemIdentification", "ID"),
    "item_class": ("Item", "CommodityClassification", "ItemClassificationCode"),
    "vat_category": ("Item", "ClassifiedTaxCategory", "ID"),
    "vat_percent": ("Item", "ClassifiedTaxCategory", "Percent"),
    "price": ("Price", "PriceAmount"),
    "price_quantity": ("Price", "BaseQuantity"),
}
_CHARGE = {
    "item": ("AllowanceChargeReason",),
    "vat_category": ("TaxCategory", "ID"),
    "vat_percent": ("TaxCategory", "Percent"),
}
HEADINGS = (
    *("document", "invoice_id", "type_code", "issue_date", "due_date", "currency"),
    *(f"{party}_{what}" for party in _PARTIES for what in ("organisation", "company_id", "kvk", "oin", "vat")),
    *("accounting_cost", "order_id", "contract_id", "period_start", "period_end"),
    *("line_kind", "line_id", "item", "item_id", "item_class", "quantity", "unit_code", "price", "price_quantity"),
    *("amount", "vat_category", "vat_percent", "line_accounting_cost", "line_period_start", "line_period_end"),
)
# The elements that headings are read from, each with the one it stands in.
READ_FROM = {
    **{heading: tuple(".".join((d, *path)[-2:]) for d in _DOCUMENTS) for heading, path in _DOCUMENT.items()},
    **{heading: tuple(".".join((f"{d}Line", *path)[-2:]) for d in _DOCUMENTS) for heading, path in _LINE.items()},
    "item": ("Item.Name", "AllowanceCharge.AllowanceChargeReason"),
}
PERSONS = frozenset(
    (
        *(f"Contact.{name}" for name in ("Name", "Telephone", "Telefax", "ElectronicMail", "Note")),
        *(f"Person.{name}" for name in ("FirstName", "FamilyName", "MiddleName", "Title", "JobTitle", "BirthDate")),
        *("CardAccount.PrimaryAccountNumberID", "CardAccount.HolderName"),
    )
)
_DOCUMENTS_NAMED = (
    "Order",
    "InvoiceDocument",
    "ContractDocument",
    "OriginatorDocument",
    "ReceiptDocument",
    "DespatchDocument",
)
# Names and numbers of organisations, documents and things: a single number of nine digits would pass for a citizen's too often.
ORGANISATIONS = frozenset(
    (
        *(
            "PartyName.Name",
            "PartyLegalEntity.RegistrationName",
            "PartyLegalEntity.CompanyID",
            "PartyTaxScheme.CompanyID",
        ),
        *("PartyIdentification.ID", "Party.EndpointID", "PayeeFinancialAccount.Name", "FinancialInstitution.Name"),
        *(
            "FinancialInstitutionBranch.Name",
            "Item.Name",
            "AdditionalItemProperty.Name",
            "Country.Name",
            "DeliveryLocation.Name",
        ),
        *(
            "TaxScheme.Name",
            "TaxCategory.Name",
            "ClassifiedTaxCategory.Name",
            "PaymentMeansCode@name",
            "InvoiceTypeCode@name",
        ),
        *(
            "Invoice.ID",
            "CreditNote.ID",
            "PaymentMeans.PaymentID",
            "AdditionalDocumentReference.ID",
            "OrderReference.SalesOrderID",
        ),
        *(f"{document}Reference.ID" for document in _DOCUMENTS_NAMED),
        *(f"{whose}ItemIdentification.ID" for whose in ("Sellers", "Buyers", "Standard")),
        "CommodityClassification.ItemClassificationCode",
    )
)


class Invoices:
    """The lines of the invoices in one file."""

    headings: tuple[str, ...] = HEADINGS

    def __init__(self, file: XmlFile) -> None:
        self._file = file

    def rows(self) -> Iterator[Row]:
        """One pass over the file. Raises KetenError when the lines of an invoice are not what it says they add up to."""
        found = False
        for kind, element in events(self._file, ROOTS, (*_DOCUMENTS, *_SKIPPED)):
            if kind == "start":
                continue
            if local(element) in _DOCUMENTS:
                found = True
                yield from _document(element)
                let_go(element)
            else:
                empty(element)
        if not found:
            raise KetenError("it holds no Invoice or CreditNote")


def _document(element: Element) -> list[Row]:
    name = local(element)
    code = _text(element, "InvoiceTypeCode") or _text(element, "CreditNoteTypeCode")
    credit = name == "CreditNote" or code in _CREDIT_CODES
    shared: Row = {heading: _text(element, *path) for heading, path in _DOCUMENT.items()}
    shared |= {"document": name, "type_code": code or ("381" if name == "CreditNote" else "380")}
    shared["due_date"] = _text(element, "DueDate") or _text(element, "PaymentMeans", "PaymentDueDate")
    for party, place in _PARTIES.items():
        shared |= _party(party, _first(element, place, "Party"))
    where = f"invoice '{shared['invoice_id']}'"
    sign = -1 if credit else 1
    lines = [_line(line, where, sign) for line in _all(element, f"{name}Line")]
    charges = [_charge(charge, where, sign) for charge in _all(element, "AllowanceCharge")]
    _hold_totals(element, where, sign, lines, charges)
    return [shared | row for row in (*lines, *charges)]


def _party(party: str, element: Element | None) -> Row:
    """The names and numbers of an organisation; its number in the trade register may stand in three places."""
    if element is None:
        return {}
    entity = _first(element, "PartyLegalEntity", "CompanyID")
    stated = [entity, *(_first(e, "ID") for e in _all(element, "PartyIdentification")), _first(element, "EndpointID")]
    numbers = [e for e in stated if e is not None]
    schemes = [_first(e, "CompanyID") for e in _all(element, "PartyTaxScheme") if _text(e, "TaxScheme", "ID") == "VAT"]
    return {
        f"{party}_organisation": _text(element, "PartyLegalEntity", "RegistrationName") or _text(element, "PartyName", "Name"),
        f"{party}_company_id": _own(entity),
        f"{party}_kvk": _own(next((e for e in numbers if e.get("schemeID") in _KVK), None)),
        f"{party}_oin": _own(next((e for e in numbers if e.get("schemeID") in _OIN), None)),
        f"{party}_vat": _own(next((e for e in schemes if e is not None), None)),
    }  # fmt: skip


def _line(element: Element, where: str, sign: int) -> Row:
    row: Row = {heading: _text(element, *path) for heading, path in _LINE.items()}
    where = f"{where}, line '{row['line_id']}'"
    quantity = next((e for e in element if local(e) in ("InvoicedQuantity", "CreditedQuantity")), None)
    row["line_kind"] = "line"
    row["amount"] = _signed(_number(_text(element, "LineExtensionAmount"), f"{where}: LineExtensionAmount"), sign)
    if quantity is not None:
        row["quantity"] = _signed(_number(_own(quantity), f"{where}: quantity"), sign)
        row["unit_code"] = quantity.get("unitCode")
    return row


def _charge(element: Element, where: str, sign: int) -> Row:
    """An allowance or charge on the whole invoice, as a line of its own."""
    row: Row = {heading: _text(element, *path) for heading, path in _CHARGE.items()}
    indicator = (_text(element, "ChargeIndicator") or "").lower()
    if indicator not in ("true", "1", "false", "0"):
        raise KetenError(f"{where}: ChargeIndicator of an AllowanceCharge is '{indicator}'; it should be true or false")
    is_charge = indicator in ("true", "1")
    row["line_kind"] = "charge" if is_charge else "allowance"
    number = _number(_text(element, "Amount"), f"{where}: Amount of an AllowanceCharge")
    row["amount"] = _signed(number, sign if is_charge else -sign)
    return row


def _hold_totals(element: Element, where: str, sign: int, lines: list[Row], charges: list[Row]) -> None:
    """Raise KetenError when an invoice says of itself what its parts do not add up to, or does not say it."""
    total = next((e for e in element if local(e) == "LegalMonetaryTotal"), None)
    if total is None:
        raise KetenError(f"{where} has no LegalMonetaryTotal; ask for a whole invoice")
    of_lines = sum((Decimal(row["amount"] or "") for row in lines), Decimal())
    whole = of_lines + sum((Decimal(row["amount"] or "") for row in charges), Decimal())
    for name, found in (("LineExtensionAmount", of_lines), ("TaxExclusiveAmount", whole)):
        text = _text(total, name)
        if text is None:
            raise KetenError(f"{where} has no {name} in its LegalMonetaryTotal; ask for a whole invoice")
        told = _number(text, f"{where}: {name}")
        if told != sign * found:
            raise KetenError(
                f"{where}: {name} says {told:f}, but its lines give {sign * found:f}; ask for a whole invoice"
            )


def _all(element: Element, name: str) -> list[Element]:
    return [child for child in element if local(child) == name]


def _first(element: Element, *path: str) -> Element | None:
    found: Element | None = element
    for name in path:
        found = next((child for child in found if local(child) == name), None) if found is not None else None
    return found


def _own(element: Element | None) -> str | None:
    return (element.text or "").strip() or None if element is not None else None


def _text(element: Element, *path: str) -> str | None:
    return _own(_first(element, *path))


def _number(text: str | None, what: str) -> Decimal:
    number = plain_number(text)
    if number is None:
        raise KetenError(f"{what} is '{text}', which is no number; ask for a new export")
    return number


def _signed(number: Decimal, sign: int) -> str:
    return format(-number if sign < 0 and number else number, "f")
