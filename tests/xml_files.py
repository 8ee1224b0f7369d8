"""Small files of the standards in XML, as a vendor would write them, with what can be wrong in them as arguments.

Belongs here: making such files. Does not belong here: any assertion.
"""

from __future__ import annotations

from collections.abc import Sequence

BSN = "111222333"
RELATIONS = (("1001", "Schoon’ BV", "87654321", ""), ("1002", "Café Groen", "76543210", ""))
ACCOUNTS = (("4310", "Schoonmaakkosten", "WBedHuiSch"), ("1600", "Crediteuren", "BSchCreHac"), ("1520", "Btw", ""))
# Transaction, account, amount, side, relation, VAT (code, amount, side), description.
LINES = (
    ("1", "4310", "100.50", "D", "1001", (("H", "21.11", "D"),), "Schoonmaak € kantoor"),
    ("1", "1520", "21.11", "D", "", (), "Btw"),
    ("1", "1600", "121.61", "C", "1001", (), "Inkoop"),
    ("2", "1600", "50.00", "D", "1002", (), "Credit"),
    ("2", "4310", "50.00", "C", "1002", (("H", "5.00", "C"), ("L", "2.00", "C")), "Credit"),
)


def tag(name: str, text: str) -> str:
    """An element; nothing without text."""
    return f"<v:{name}>{text}</v:{name}>" if text else ""


def xaf(
    lines: Sequence[tuple] = LINES,
    totals: tuple[str, str, str] | None = None,
    relation: str = "",
    encoding: str = "ISO-8859-1",
    codec: str = "cp1252",
    extra: str = "",
) -> bytes:
    """An audit file with a prefix of its vendor, declared ISO-8859-1 while Windows wrote it."""
    debit = sum(round(float(line[2]) * 100) for line in lines if line[3] == "D") / 100
    credit = sum(round(float(line[2]) * 100) for line in lines if line[3] == "C") / 100
    told = totals or (str(len(lines)), f"{debit:.2f}", f"{credit:.2f}")
    parts = [f'<?xml version="1.0" encoding="{encoding}"?>\n<v:auditfile xmlns:v="http://www.auditfiles.nl/XAF/3.2">\n']
    parts.append("<v:header><v:fiscalYear>2025</v:fiscalYear><v:curCode>EUR</v:curCode></v:header>\n<v:company>")
    parts.append("<v:companyIdent>12345678</v:companyIdent><v:companyName>Wij</v:companyName>")
    parts.append("<v:taxRegIdent>" + BSN + "</v:taxRegIdent><v:customersSuppliers>")
    for number, name, kvk, contact in RELATIONS:
        cells = tag("custSupID", number) + tag("custSupName", name) + tag("contact", contact) + relation
        parts.append(
            f"<v:customerSupplier>{cells}{tag('commerceNr', kvk)}<v:custSupTp>S</v:custSupTp></v:customerSupplier>\n"
        )
    parts.append("</v:customersSuppliers><v:generalLedger>")
    for number, name, rgs in ACCOUNTS:
        cells = tag("accID", number) + tag("accDesc", name) + tag("accTp", "P") + tag("leadCode", rgs)
        parts.append(f"<v:ledgerAccount>{cells}</v:ledgerAccount>\n")
    parts.append("</v:generalLedger><v:openingBalance><v:linesCount>1</v:linesCount><v:totalDebit>7</v:totalDebit>")
    parts.append("<v:obLine><v:nr>1</v:nr><v:accID>1600</v:accID><v:amnt>7</v:amnt><v:amntTp>D</v:amntTp></v:obLine>")
    parts.append("</v:openingBalance><v:transactions>")
    parts += [f"<v:{n}>{t}</v:{n}>" for n, t in zip(("linesCount", "totalDebit", "totalCredit"), told, strict=True)]
    parts.append("<v:journal><v:jrnID>INK</v:jrnID><v:desc>Inkoop</v:desc><v:jrnTp>P</v:jrnTp>")
    for number in dict.fromkeys(line[0] for line in lines):
        parts.append(
            f"<v:transaction><v:nr>{number}</v:nr><v:periodNumber>3</v:periodNumber><v:trDt>2025-03-0{number}</v:trDt>\n"
        )
        parts += [_xaf_line(n, line) for n, line in enumerate(lines, start=1) if line[0] == number]
        parts.append("</v:transaction>\n")
    parts.append(f"</v:journal></v:transactions>{extra}</v:company></v:auditfile>\n")
    return "".join(parts).encode(codec)


def _xaf_line(number: int, line: tuple) -> str:
    transaction, account, amount, side, relation, vats, text = line
    cells = tag("nr", str(number)) + tag("accID", account) + tag("docRef", f"D{transaction}") + tag("desc", text)
    cells += tag("amnt", amount) + tag("amntTp", side) + tag("custSupID", relation) + tag("invRef", f"F-{transaction}")
    for code, vat, vat_side in vats:
        cells += f"<v:vat>{tag('vatID', code)}{tag('vatPerc', '21')}{tag('vatAmnt', vat)}{tag('vatAmntTp', vat_side)}</v:vat>"
    return f"<v:trLine>{cells}</v:trLine>\n"


def party(role: str, name: str, kvk: str, contact: str = "") -> str:
    """A party of an invoice, with its number in the Dutch trade register."""
    inside = f"<cac:Contact><cbc:Name>{contact}</cbc:Name></cac:Contact>" if contact else ""
    return (
        f'<cac:{role}><cac:Party><cbc:EndpointID schemeID="0106">{kvk}</cbc:EndpointID>'
        f"<cac:PartyName><cbc:Name>{name}</cbc:Name></cac:PartyName><cac:PostalAddress><cbc:StreetName>Straat 1</cbc:StreetName>"
        "<cbc:AdditionalStreetName>Postbus 2</cbc:AdditionalStreetName><cbc:CityName>Utrecht</cbc:CityName></cac:PostalAddress>"
        "<cac:PartyTaxScheme>"
        f"<cbc:CompanyID>NL00{kvk[:7]}B01</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"
        f"<cac:PartyLegalEntity><cbc:RegistrationName>{name}</cbc:RegistrationName>"
        f'<cbc:CompanyID schemeID="0106">{kvk}</cbc:CompanyID></cac:PartyLegalEntity>{inside}</cac:Party></cac:{role}>'
    )


def ubl(
    root: str = "Invoice",
    lines: Sequence[tuple[str, str]] = (("2", "200.00"), ("1", "50.00")),
    charges: Sequence[tuple[str, str]] = (("false", "30.00"), ("true", "5.50")),
    totals: dict[str, str] | None = None,
    number: str = "F-2025-7",
    contact: str = "",
    attachment: str = "",
    prefix: str = '<?xml version="1.0" encoding="UTF-8"?>\n',
) -> bytes:
    """An invoice or credit note of Peppol BIS Billing 3, with allowances and charges on the whole."""
    kind, quantity = ("CreditNoteTypeCode", "Credited") if root == "CreditNote" else ("InvoiceTypeCode", "Invoiced")
    whole = sum(float(amount) for _, amount in lines)
    net = whole + sum(float(amount) * (1 if flag == "true" else -1) for flag, amount in charges)
    told = totals or {"LineExtensionAmount": f"{whole:.2f}", "TaxExclusiveAmount": f"{net:.2f}"}
    due = "" if root == "CreditNote" else "<cbc:DueDate>2025-04-09</cbc:DueDate>"
    parts = [f'{prefix}<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2" ']
    parts.append('xmlns:cac="urn:x:CommonAggregateComponents-2" xmlns:cbc="urn:x:CommonBasicComponents-2">')
    parts.append(f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2025-03-10</cbc:IssueDate>{due}")
    parts.append(f"<cbc:{kind}>{'381' if root == 'CreditNote' else '380'}</cbc:{kind}>")
    parts.append("<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>")
    if attachment:
        parts.append("<cac:AdditionalDocumentReference><cac:Attachment><cbc:EmbeddedDocumentBinaryObject>")
        parts.append(
            f"{attachment}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
        )
    parts.append(party("AccountingSupplierParty", "Schoon BV", "87654321", contact))
    parts.append(party("AccountingCustomerParty", "Wij", "12345678"))
    parts.append('<cac:PaymentMeans><cbc:PaymentMeansCode name="Credit transfer">30</cbc:PaymentMeansCode>')
    parts.append(f"<cbc:PaymentID>{BSN}</cbc:PaymentID></cac:PaymentMeans>")
    for flag, amount in charges:
        parts.append(f"<cac:AllowanceCharge><cbc:ChargeIndicator>{flag}</cbc:ChargeIndicator>")
        parts.append("<cbc:AllowanceChargeReason>Volume</cbc:AllowanceChargeReason>")
        parts.append(f'<cbc:Amount currencyID="EUR">{amount}</cbc:Amount></cac:AllowanceCharge>')
    parts.append("<cac:LegalMonetaryTotal>" + "".join(f"<cbc:{n}>{t}</cbc:{n}>" for n, t in told.items()))
    parts.append("</cac:LegalMonetaryTotal>")
    for n, (count, amount) in enumerate(lines, start=1):
        parts.append(
            f'<cac:{root}Line><cbc:ID>{n}</cbc:ID><cbc:{quantity}Quantity unitCode="HUR">{count}</cbc:{quantity}Quantity>'
        )
        parts.append(
            f"<cbc:LineExtensionAmount>{amount}</cbc:LineExtensionAmount><cac:Item><cbc:Name>Schoonmaak</cbc:Name>"
        )
        parts.append(
            "<cac:ClassifiedTaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>21</cbc:Percent></cac:ClassifiedTaxCategory>"
        )
        parts.append(f"</cac:Item><cac:Price><cbc:PriceAmount>100</cbc:PriceAmount></cac:Price></cac:{root}Line>")
    return "".join([*parts, f"</{root}>"]).encode()


def entry(kind: str, links: dict[str, Sequence[str]], inside: str = "") -> str:
    """An entry of a feed with its links by relation."""
    told = "".join(f'<link rel="{rel}" href="{href}"/>' for rel, hrefs in links.items() for href in hrefs)
    return f'<entry>{told}<content><{kind} xmlns="http://naesb.org/espi">{inside}</{kind}></content></entry>'


def espi(
    value: str = "1790", power: str = "-1", uom: str = "72", service: str = "0", late: bool = False, linked: bool = True
) -> bytes:
    """A feed in the newer style: lists are named, resources point up to the list they are in, the clock stands apart."""
    point = entry(
        "UsagePoint",
        {"self": ["/UsagePoint/9"], "related": ["/UsagePoint/9/MeterReading", "/LocalTimeParameters/1"]},
        f"<ServiceCategory><kind>{service}</kind></ServiceCategory>",
    )
    meter = entry(
        "MeterReading",
        {
            "self": ["/UsagePoint/9/MeterReading/3"],
            "up": ["/UsagePoint/9/MeterReading"],
            "related": ["/UsagePoint/9/MeterReading/3/IntervalBlock", *(["/ReadingType/5"] if linked else [])],
        },
    )
    kind = entry(
        "ReadingType",
        {"self": ["/ReadingType/5"]},
        "<accumulationBehaviour>4</accumulationBehaviour><flowDirection>19</flowDirection>"
        f"<powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{uom}</uom>",
    )
    clock = entry(
        "LocalTimeParameters",
        {"self": ["/LocalTimeParameters/1"]},
        "<dstOffset>3600</dstOffset><tzOffset>-18000</tzOffset>",
    )
    readings = "".join(
        f"<IntervalReading><cost>{n}</cost><ReadingQuality><quality>{q}</quality></ReadingQuality>"
        f"<timePeriod><duration>900</duration><start>{1_325_394_000 + 900 * n}</start></timePeriod><value>{value}</value></IntervalReading>"
        for n, q in enumerate(("8", "17"))
    )  # fmt: skip
    block = entry(
        "IntervalBlock", {"self": ["/blocks/77"], "up": ["/UsagePoint/9/MeterReading/3/IntervalBlock"]}, readings
    )
    entries = [block, kind, clock, meter, point] if late else [point, clock, meter, kind, block]
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Energie</title>{"".join(entries)}</feed>'.encode()
