"""The sheets around the values: guide, core values, definitions, targets, what is late, deliveries, rejected rows.

Belongs here: what is on these sheets. Does not belong here: the values (workbook_values), and how cells are written
(workbook_cells).

The text of a rejected row is not in the workbook: it may be about a person, and a workbook is mailed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.targets.workbook_cells import (
    Cells,
    Heading,
    Sheet,
    height,
    hidden,
    number_format,
    safe_text,
    shown,
    words,
)

if TYPE_CHECKING:
    from resources.targets.description import Publication

GUIDE = "Leeswijzer"
_DAY = "datediff('day', date '1899-12-30', {}::date)"

CORE = Sheet(
    "Kernwaarden",
    (
        Heading("Indicator", "i.title_nl", width=48),
        Heading("Pijler", "upper(i.pillar[1]) || i.pillar[2:]", width=10),
        Heading("Opdrachtgever", "case v.level_code when 'total' then '(alle)' else p.party_name end", width=30),
        Heading("Waarde", shown("v.value", "i"), "shown"),
        Heading("Eenheid", "i.unit_nl", width=18),
        Heading("Status", words("v.value_status", "value_status"), width=24),
        Heading("Dekking", "v.coverage::double", "share", 9),
        Heading("Van", _DAY.format("v.period_from"), "date", 12),
        Heading("Tot en met", f"{_DAY.format('v.period_to')} - 1", "date", 12),
    ),
    "(select * from bi.rpt_indicator_value where level_code in ('total', 'client') and period_type = 'rolling12'"
    " and is_complete_period qualify row_number() over"
    " (partition by indicator_id, level_code, scope_code order by period_to desc) = 1) v"
    " join bi.dim_indicator i using (indicator_id) join bi.dim_party p on p.party_key = v.client_key where i.is_core",
    "i.pillar, i.indicator_id, v.level_code desc, p.party_name",
    "(v.period_to - 1)",
    number_format("i"),
)

DEFINITIONS = Sheet(
    "Definities",
    (
        Heading("Indicator", "i.title_nl", width=48),
        Heading("Wat het zegt", "i.description_nl", width=60),
        Heading("Formule", "i.formula_nl", width=60),
        Heading("Eenheid", "i.unit_nl", width=18),
        Heading("Beter is", "case i.direction when 'lower' then 'lager' else 'hoger' end", width=9),
        Heading("Kernset", "case when i.is_core then 'ja' else 'nee' end", width=9),
        Heading("Werkwijze", "i.method_nl", width=60),
        Heading("Valkuil", "i.pitfall_nl", width=60),
        Heading("Normen", "i.standards", width=24),
        Heading("Indicator (English)", "i.title_en", width=38),
        Heading("What it says", "i.description_en", width=60),
        Heading("Formula", "i.formula_en", width=60),
        Heading("Unit", "i.unit_en", width=18),
        Heading("Method", "i.method_en", width=60),
        Heading("Pitfall", "i.pitfall_en", width=60),
        *hidden("indicator_id", "pillar", "unit_code", "display_unit_code", "direction", "kind", table="i"),
        Heading("display_factor", "i.display_factor::varchar", width=0),
        Heading("decimals", "i.decimals", "count", 0),
    ),
    "bi.dim_indicator i where true",
    "i.indicator_id",
)

TARGETS = Sheet(
    "Streefwaarden",
    (
        Heading("Indicator", "i.title_nl", width=48),
        Heading("Opdrachtgever", "p.party_name", width=26),
        Heading("Beginwaarde", shown("t.base_value", "i"), "shown"),
        Heading("Streefwaarde", shown("t.target_value", "i"), "shown"),
        Heading("Streefdatum", _DAY.format("t.due_on"), "date", 12),
        Heading("Laatste waarde", shown("t.value", "i"), "shown"),
        Heading("Eenheid", "i.unit_nl", width=18),
        Heading("Periode", "t.period_code", width=12),
        Heading("Afgelegd", "t.progress_share::double", "share", 10),
        Heading("Verwacht", "t.expected_share::double", "share", 10),
        Heading("Stand", words("t.target_state_code", "target_state"), width=20),
    ),
    "bi.rpt_target_progress t join bi.dim_indicator i using (indicator_id)"
    " join bi.dim_party p on p.party_key = t.client_key where true",
    "t.indicator_id, t.client_key, t.due_on",
    "t.due_on",
    number_format("i"),
)

LATE = Sheet(
    "Te laat",
    (
        Heading("Opdrachtnemer", "n.party_name", width=30),
        Heading("Contract", "c.contract_name", width=38),
        Heading("Opdrachtgever", "o.party_name", width=26),
        Heading("Maand", _DAY.format("d.month"), "date", 12),
        Heading("Uiterste datum", _DAY.format("d.due_on"), "date", 14),
        Heading("Ontvangen op", _DAY.format("d.reported_on"), "date", 14),
        Heading("Stand", words("d.report_state_code", "report_state"), width=20),
        Heading("Dagen te laat", "d.days_late", "count", 12),
    ),
    "bi.rpt_report_due d join bi.dim_contract c on c.contract_key = d.contract_key"
    " join bi.dim_party n on n.party_key = d.contractor_key join bi.dim_party o on o.party_key = d.client_key"
    " where d.report_state_code <> 'on_time'",
    "d.month desc, n.party_name, d.contract_key",
    "d.month",
)

_DELIVERY = (
    Heading("Soort gegevens", words("d.dataset", "dataset"), width=30),
    Heading("Afzender", "d.origin", width=22),
    Heading("Bestand", "d.file_name", width=44),
    Heading("Ontvangen op", _DAY.format("d.received_at"), "date", 14),
)

DELIVERIES = Sheet(
    "Aanleveringen",
    (
        *_DELIVERY,
        Heading("Staat", words("d.state", "delivery_state"), width=22),
        Heading("Reden", "d.reason", width=60),
        Heading("Ontvangen regels", "d.received_rows", "count", 12),
        Heading("Aanvaard", "d.accepted_rows", "count", 12),
        Heading("Afgekeurd", "d.quarantined_rows", "count", 12),
        Heading("Genegeerd", "d.ignored_rows", "count", 12),
        Heading("Ontvangstbewijs", "d.receipt_id", width=44),
    ),
    "bi.rpt_delivery d where (d.state <> 'loaded' or d.quarantined_rows > 0)",
    "d.received_at desc, d.receipt_id",
    "d.received_at::date",
)

REJECTED = Sheet(
    "Afgekeurde regels",
    (
        *_DELIVERY,
        Heading("Regel", "r.row_no", "count", 9),
        Heading("Nummer binnen de regel", "r.record_no", "count", 12),
        Heading("Redenen", "r.reasons", width=60),
        Heading("Ontvangstbewijs", "r.receipt_id", width=44),
    ),
    "bi.rpt_rejected_row r join bi.rpt_delivery d using (receipt_id) where true",
    "d.received_at desc, r.receipt_id, r.row_no, r.record_no",
    "d.received_at::date",
)

_HOW_TO_READ = (
    (
        "Kies één soort periode en één niveau voordat u vergelijkt: totalen staan naast hun delen, dus tel of middel de"
        " waarden niet.",
        "Choose one kind of period and one level before you compare: totals stand beside their parts, so do not add or"
        " average the values.",
    ),
    (
        "Een waarde die ontbreekt is leeg, nooit nul; de status zegt waarom. Kijk ook naar de dekking: het aandeel"
        " waarvoor alle gegevens er zijn.",
        "A value that is missing is empty, never zero; the status says why. Look at the coverage too: the share for"
        " which all data is there.",
    ),
    (
        "Waarde is afgerond getoond, in de eenheid ernaast. Opgeslagen waarde, teller en noemer hebben zes cijfers achter"
        " de komma; een percentage is daar een deel van 1. Verborgen kolommen zijn voor programma's.",
        "Waarde is shown rounded, in the unit beside it. The stored value, numerator and denominator have six decimals;"
        " a percentage is a part of 1 there. Hidden columns are for programs.",
    ),
    (
        "Een tekst die met = + - of @ begint, heeft een apostrof ervoor, zodat geen programma haar voor een formule houdt.",
        "A text that begins with = + - or @ has an apostrophe before it, so that no program takes it for a formula.",
    ),
    (
        "Van afgekeurde regels staan hier bestand, regel en reden; hun tekst niet, want die kan over een persoon gaan.",
        "Of rejected rows this tells file, line and reason; not their text, as it may be about a person.",
    ),
)

_GUIDE_WIDTH = 84  # characters
_LISTS = (
    ("Statuswoorden", "value_status"),
    ("Stand van de periode", "period_state"),
    ("Soorten periode", "period_type"),
    ("Redenen van afkeuring", "reason"),
)


def write_guide(cells: Cells, publication: Publication, left_out: list[str]) -> None:
    """The first sheet: which publication this is, how it is read, what is left out, and what the words mean."""
    page = cells.workbook.add_worksheet(GUIDE)
    page.set_column(0, 0, 26, cells.workbook.add_format({"bold": True, "valign": "top"}))
    page.set_column(1, 2, _GUIDE_WIDTH, cells.workbook.add_format({"text_wrap": True, "valign": "top"}))
    rows: list[tuple[str, ...]] = [
        (
            "Ketenimpact",
            "People, Planet en Purpose van een facilitaire keten",
            "People, Planet and Purpose of a facility chain",
        ),
        ("Publicatie", str(publication.number), "Publication"),
        ("Gepubliceerd op", f"{publication.published_at:%d-%m-%Y %H:%M} UTC", "Published at"),
        ("Peildatum", f"{publication.as_of:%d-%m-%Y}", "Reference date"),
        ("Status", publication.status, "Status"),
        ("Run", publication.run_id, "Run"),
        (),
        ("Zo leest u dit", "", "How to read this"),
        *(("", nl, en) for nl, en in _HOW_TO_READ),
        (),
        ("Weggelaten", "" if left_out else "niets", "Left out" if left_out else "nothing"),
        *(("", *told.split(" / ", 1)) for told in left_out),
    ]
    for title, code_list in _LISTS:
        rows += [(), (title, "", ""), *_codes(cells, code_list)]
    rows += [(), ("Controlegetallen", "Regels en controlegetal van elke tabel", "Rows and digest of each table")]
    rows += _digests(cells, publication.number)
    for number, row in enumerate(rows):
        page.set_row(number, height((text, _GUIDE_WIDTH) for text in row))
        for column, text in enumerate(row):
            page.write_string(number, column, safe_text(text))


def _codes(cells: Cells, code_list: str) -> list[tuple[str, ...]]:
    return cells.connection.execute(
        "select code, nl, en from bi.dim_code where code_list = ? order by code", [code_list]
    ).fetchall()


def _digests(cells: Cells, number: int) -> list[tuple[str, ...]]:
    return cells.connection.execute(
        "select table_name, row_count::varchar, digest from bi.publication_digest where publication_id = ?"
        " order by table_name",
        [number],
    ).fetchall()
