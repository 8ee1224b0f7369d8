"""Audit files, invoices and Green Button feeds: signs, links and lookups right, and totals that hold or the file does not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from resources.catalogue.mapping_models import Mapping
from resources.catalogue.reading import load_catalogue
from resources.errors import KetenError
from resources.landing.privacy import personal_columns
from tests.real_run import DATA, require_data
from tests.test_reading_xml import cells
from tests.xml_files import BSN, LINES, espi, ubl, xaf

READING = b"<IntervalReading><timePeriod><duration>1</duration><start>1</start></timePeriod><value>1</value></IntervalReading>"
MISORDERED = "<v:generalLedger><v:ledgerAccount><v:accID>9</v:accID></v:ledgerAccount></v:generalLedger>"


def test_a_line_of_an_audit_file_knows_its_journal_its_account_and_its_supplier(tmp_path: Path) -> None:
    first, tax, creditor, _, credit = cells(tmp_path, xaf(), "amount", "file.xaf", profile="xaf")
    told = {
        **{
            "header.fiscalYear": "2025",
            "header.curCode": "EUR",
            "company.companyIdent": "12345678",
            "journal.jrnTp": "P",
        },
        **{"transaction.nr": "1", "transaction.periodNumber": "3", "transaction.trDt": "2025-03-01", "trLine.nr": "1"},
        **{"trLine.accID": "4310", "ledgerAccount.accDesc": "Schoonmaakkosten", "ledgerAccount.leadCode": "WBedHuiSch"},
        **{"customerSupplier.custSupName": "Schoon’ BV", "customerSupplier.commerceNr": "87654321"},
        **{"trLine.desc": "Schoonmaak € kantoor", "trLine.invRef": "F-1", "amount": "100.50", "vatAmount": "21.11"},
    }
    assert first.items() >= told.items()
    assert (tax["ledgerAccount.accDesc"], "customerSupplier.custSupName" in tax) == ("Btw", False)
    assert creditor["amount"] == "-121.61"
    assert (credit["amount"], credit["vat.vatID"], credit["vatAmount"]) == ("-50.00", "H;L", "-7.00")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (xaf(totals=("6", "171.61", "171.61")), "its linesCount says 6, but its lines give 5"),
        (xaf(totals=("5", "171.62", "171.61")), r"its totalDebit says 171\.62, but its lines give 171\.61"),
        (xaf(totals=("5", "171.61", "0")), r"its totalCredit says 0, but its lines give 171\.61"),
        (xaf(totals=("5", "171.61", "veel")), "its totalCredit is 'veel', which is no number"),
        (xaf([("1", "4310", "1e9", "D", "", (), "x")], ("1", "1", "0")), "line 1 of its transactions has the amount '1e9'"),
        (xaf([("1", "4310", "1", "X", "", (), "x")]), "on the side 'X'; amnt should be a number and amntTp D or C"),
        (xaf([], ("0", "0", "0")), "it holds no trLine"),
        (xaf(extra=MISORDERED), "its ledgerAccount '9' stands after the lines it is about"),
        (xaf().replace(b"<v:periodNumber>3</v:periodNumber>", b"").replace(
            b"</v:transaction>", b"<v:periodNumber>3</v:periodNumber></v:transaction>"), "its transaction.periodNumber stands after"),
        (b"<Invoice/>", "its root element is 'Invoice', not 'auditfile'; mend format.profile or files"),
        (xaf()[:-60], "is not whole, well-formed XML"),
    ],
)  # fmt: skip
def test_an_audit_file_that_does_not_hold_is_rejected_with_both_figures(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(KetenError, match=words):
        cells(tmp_path, content, "amount", "file.xaf", profile="xaf")


def test_totals_that_an_audit_file_does_not_tell_are_not_held_against_it(tmp_path: Path) -> None:
    assert len(cells(tmp_path, xaf(LINES, ("", "", "")), "amount", profile="xaf")) == len(LINES)


def test_what_a_supplier_was_called_before_does_not_count(tmp_path: Path) -> None:
    was = "<v:customerSupplierHistory><v:customerSupplier><v:custSupID>1001</v:custSupID><v:custSupName>Oud</v:custSupName>"
    content = xaf(relation=f"{was}</v:customerSupplier></v:customerSupplierHistory>")
    assert cells(tmp_path, content, "amount", profile="xaf")[0]["customerSupplier.custSupName"] == "Schoon’ BV"


def amounts(rows: list[dict]) -> list[tuple[str, str]]:
    return [(row["line_kind"], row["amount"]) for row in rows]


def test_the_rows_of_an_invoice_add_up_to_its_amount_without_vat(tmp_path: Path) -> None:
    rows = cells(tmp_path, ubl(), "amount", profile="ubl")
    assert amounts(rows) == [("line", "200.00"), ("line", "50.00"), ("allowance", "-30.00"), ("charge", "5.50")]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("225.50")
    told = {
        **{
            "document": "Invoice",
            "invoice_id": "F-2025-7",
            "type_code": "380",
            "issue_date": "2025-03-10",
            "currency": "EUR",
        },
        **{
            "due_date": "2025-04-09",
            "seller_organisation": "Schoon BV",
            "seller_kvk": "87654321",
            "seller_vat": "NL008765432B01",
        },
        **{
            "buyer_kvk": "12345678",
            "line_id": "1",
            "quantity": "2",
            "unit_code": "HUR",
            "item": "Schoonmaak",
            "price": "100",
        },
        **{"vat_category": "S", "vat_percent": "21"},
    }
    assert rows[0].items() >= told.items()


def test_a_credit_note_is_negative_and_its_allowance_positive(tmp_path: Path) -> None:
    rows = cells(tmp_path, ubl("CreditNote"), "amount", profile="ubl")
    assert amounts(rows) == [("line", "-200.00"), ("line", "-50.00"), ("allowance", "30.00"), ("charge", "-5.50")]
    assert (rows[0]["type_code"], rows[0]["quantity"]) == ("381", "-2")


def test_an_invoice_that_corrects_another_keeps_its_own_signs(tmp_path: Path) -> None:
    content = ubl(lines=(("-7", "-2800"), ("3", "1500")), charges=(("true", "-25"),))
    assert amounts(cells(tmp_path, content, "amount", profile="ubl")) == [
        ("line", "-2800"),
        ("line", "1500"),
        ("charge", "-25"),
    ]


def test_invoices_in_one_envelope_are_told_apart_and_attachments_are_skipped(tmp_path: Path) -> None:
    both = ubl(prefix="", attachment="QUJD" * 1000) + ubl("CreditNote", prefix="", charges=(), number="C-1")
    rows = cells(tmp_path, b"<e:Invoices xmlns:e='urn:e'>" + both + b"</e:Invoices>", "amount", profile="ubl")
    assert [row["invoice_id"] for row in rows] == ["F-2025-7"] * 4 + ["C-1"] * 2
    assert not any("QUJD" in str(cell) for row in rows for cell in row.values())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ubl(totals={"LineExtensionAmount": "250.00", "TaxExclusiveAmount": "250.00"}),
         r"invoice 'F-2025-7': TaxExclusiveAmount says 250\.00, but its lines give 225\.50"),
        (ubl(totals={"LineExtensionAmount": "1", "TaxExclusiveAmount": "1"}), r"LineExtensionAmount says 1, but its lines give 250\.00"),
        (ubl("CreditNote", totals={"LineExtensionAmount": "1", "TaxExclusiveAmount": "1"}), r"says 1, but its lines give 250\.00"),
        (ubl(totals={"LineExtensionAmount": "250.00"}), "has no TaxExclusiveAmount in its LegalMonetaryTotal"),
        (ubl().replace(b"LegalMonetaryTotal", b"Total"), "has no LegalMonetaryTotal"),
        (ubl(lines=[("x", "1.00")]), "line '1': quantity is 'x', which is no number"),
        (ubl().replace(b">false<", b">perhaps<"), "ChargeIndicator of an AllowanceCharge is 'perhaps'"),
        (b"<Invoices/>", "it holds no Invoice or CreditNote"),
        (xaf(), "its root element is 'auditfile', not 'Invoice'"),
    ],
)  # fmt: skip
def test_an_invoice_that_does_not_add_up_is_rejected_with_both_figures(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(KetenError, match=words):
        cells(tmp_path, content, "amount", profile="ubl")


@pytest.mark.parametrize("late", [False, True])
def test_a_reading_follows_its_links_whatever_their_order(tmp_path: Path, late: bool) -> None:
    first, second = cells(tmp_path, espi(late=late), "value", profile="espi")
    assert first == {
        **{"row_no": 1, "usage_point_id": "9", "meter_reading_id": "3", "service_kind": "0", "service": "electricity"},
        **{
            "uom": "72",
            "unit": "Wh",
            "value": "179.0",
            "flow_direction": "19",
            "accumulation_behaviour": "4",
        },
        **{
            "start_utc": "2012-01-01T05:00:00",
            "end_utc": "2012-01-01T05:15:00",
            "start_epoch": "1325394000",
            "quality": "8",
        },
        **{"duration_seconds": "900", "tz_offset_seconds": "-18000", "dst_offset_seconds": "3600", "cost": "0"},
    }
    assert (second["start_utc"], second["quality"]) == ("2012-01-01T05:15:00", "17")


@pytest.mark.parametrize(
    ("power", "value"),
    [("0", "1790"), ("3", "1790000"), ("-3", "1.790"), ("-12", "0.000000001790"), ("9", "1790000000000")],
)
def test_a_value_is_scaled_without_losing_a_digit(tmp_path: Path, power: str, value: str) -> None:
    assert cells(tmp_path, espi(power=power), "value", profile="espi")[0]["value"] == value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (espi(linked=False), "the MeterReading '/UsagePoint/9/MeterReading/3' is linked to no ReadingType"),
        (espi().replace(b"/MeterReading/3/IntervalBlock", b"/elsewhere", 1), "the IntervalBlock '/blocks/77' is linked to no MeterReading"),
        (espi(uom="42"), "the UsagePoint '/UsagePoint/9' is of electricity, but its readings are in m3"),
        (espi(value="12,5"), "IntervalReading 1 lacks a start, duration or value that is a number"),
        (espi(power="999999999"), "powerOfTenMultiplier of '/ReadingType/5' is '999999999'"),
        (espi().replace(b"</feed>", READING + b"</feed>"), "IntervalReading 3 stands in no IntervalBlock"),
        (espi().replace(b"<content><MeterReading", b"<content>" + READING + b"<MeterReading"), "in no IntervalBlock|linked to no"),
        (b"<feed><entry/></feed>", "it holds no IntervalBlock"),
    ],
)  # fmt: skip
def test_a_feed_whose_readings_cannot_be_understood_is_rejected(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(KetenError, match=words):
        cells(tmp_path, content, "value", profile="espi")


GREEN_BUTTON = {
    "example-GreenButton-data.xml": (
        "electricity",
        [("2011-03-06T05:00:00", "1790", "Wh"), ("2011-03-06T05:15:00", "1791", "Wh")],
    ),
    "example-GreenButton-data-1-overlapping.xml": (
        "electricity",
        [("2011-03-06T05:15:00", "100", "Wh"), ("2011-03-06T05:30:00", "200", "Wh")],
    ),
    "greenbutton-gas-therms--3.xml": (
        "gas",
        [("2011-03-06T05:00:00", "1.790", "therm"), ("2011-03-06T05:15:00", "1.792", "therm")],
    ),
}


@pytest.mark.parametrize("name", GREEN_BUTTON)
def test_real_feeds_give_their_readings(tmp_path: Path, name: str) -> None:
    require_data()
    rows = cells(tmp_path, (DATA / "portfolio-manager-seed-a" / name).read_bytes(), "value", profile="espi")
    service, readings = GREEN_BUTTON[name]
    assert [(row["start_utc"], row["value"], row["unit"]) for row in rows] == readings
    assert {(row["usage_point_id"], row["service"], row["duration_seconds"]) for row in rows} == {
        ("409483", service, "900")
    }


def test_a_real_feed_of_electricity_in_cubic_feet_is_refused(tmp_path: Path) -> None:
    require_data()
    content = (DATA / "portfolio-manager-seed-a" / "greenbutton-invalid-electricity-cf.xml").read_bytes()
    with pytest.raises(KetenError, match="is of electricity, but its readings are in ft3"):
        cells(tmp_path, content, "value", profile="espi")


def persons(folder: Path, content: bytes, mapped: str = "amount", **form: Any) -> list[str]:
    path = folder / "file.xml"
    path.write_bytes(content)
    shape = {"title": "t", "files": "*", "origin": "o", "dataset": "spend", "format": form}
    return personal_columns(path, Mapping.model_validate({**shape, "columns": {"amount": {"from": mapped}}}))


MAIL = [("1", "4310", "1", "D", "1001", (), "jan@example.nl")]
ORDER = "<a><order><buyer><name>Jan</name></buyer><line><amount>1</amount><naam>x</naam></line></order><nr>111222333</nr></a>"


@pytest.mark.parametrize(
    ("content", "form", "found"),
    [
        pytest.param(xaf(), {"profile": "xaf"}, [], id="names and numbers of organisations"),
        pytest.param(xaf(relation="<v:contact/>"), {"profile": "xaf"}, [], id="an empty contact"),
        pytest.param(xaf(relation="<v:contact>Jan</v:contact><v:fax>1</v:fax>"), {"profile": "xaf"},
                     ["customerSupplier.contact", "customerSupplier.fax"], id="a contact"),
        pytest.param(xaf(MAIL), {"profile": "xaf"}, ["trLine.desc"], id="an address for mail"),
        pytest.param(xaf(extra="<v:staff><v:achternaam>J</v:achternaam></v:staff>"), {"profile": "xaf"}, ["staff.achternaam"], id="own"),
        pytest.param(xaf(extra=f"<v:x><v:y>{BSN}</v:y></v:x>"), {"profile": "xaf"}, ["x.y"], id="a citizen number"),
        pytest.param(xaf(extra="<v:x>a<v:b/>jan@x.nl<v:b/>c</v:x>"), {"profile": "xaf"}, [], id="an address among words"),
        pytest.param(xaf(extra="<v:x><v:b/>jan@x.nl<v:b/></v:x>"), {"profile": "xaf"}, ["company.x"], id="an address between elements"),
        pytest.param(ubl(), {"profile": "ubl"}, [], id="an invoice"),
        pytest.param(ubl(contact="Jan"), {"profile": "ubl"}, ["Contact.Name"], id="a contact on an invoice"),
        pytest.param(espi(), {"profile": "espi"}, [], id="a feed"),
        pytest.param(ORDER.encode(), {"records": "line"}, ["a.order.buyer.name", "naam", "a.nr"], id="records"),
    ],
)  # fmt: skip
def test_what_concerns_persons_is_found_wherever_it_stands(
    tmp_path: Path, content: bytes, form: dict, found: list[str]
) -> None:
    assert persons(tmp_path, content, **form) == found


def test_what_the_mapping_uses_is_known_also_around_the_records(tmp_path: Path) -> None:
    assert persons(tmp_path, ORDER.encode(), "order/buyer.name", records="line") == ["naam", "a.nr"]
    assert persons(tmp_path, xaf(MAIL), "trLine.desc", profile="xaf") == []


@pytest.mark.parametrize(
    ("files", "form", "words"),
    [
        ("*.xml", {}, "format: write the path of the record in XML, or a profile"),
        ("*.xaf", {"profile": "xaf", "records": "trLine"}, "format.profile: it knows the records"),
        ("*.xml", {"profile": "ubl", "decimal": ","}, "format.profile: it knows the records and their numbers"),
        ("*.csv", {"profile": "xaf"}, "format.profile: it is for .xml, not for .csv"),
        ("*.xml", {"records": "a/b", "delimiter": ";"}, "format.delimiter: it is for .csv, not for .xml"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_right_is_told(tmp_path: Path, files: str, form: dict, words: str) -> None:
    import yaml

    columns = {name: {"value": "x"} for name in ("client_id", "party_id", "invoice_id")}
    columns |= {"spend_category_code": {"value": "other"}, "currency_code": {"value": "EUR"}}
    columns |= {"amount": {"from": "amount"}, "invoice_on": {"from": "day"}}
    (tmp_path / "mappings").mkdir()
    text = yaml.safe_dump({"title": "t", "files": files, "format": form, "columns": columns})
    (tmp_path / "mappings" / "o__spend.yml").write_text(text)
    with pytest.raises(KetenError, match=words):
        load_catalogue(project=tmp_path)
