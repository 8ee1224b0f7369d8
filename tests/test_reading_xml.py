"""XML by the path of its records: every record with what stands around it, or the file is not trusted at all."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import audit_file
from resources import reading
from resources.catalogue.mapping_models import Mapping
from resources.errors import KetenError
from resources.reading import xml_events, xml_files
from tests.staged import SITE, staged
from tests.xml_files import espi, ubl, xaf

ORDERS = """<?xml version="1.0" encoding="UTF-8"?>
<o:orders xmlns:o="urn:orders" xmlns:p="urn:parts" made="2025-03-01">
  <!-- a comment --><?a processing instruction?>
  <o:order nr="7"><o:date>2025-03-02</o:date><o:by><p:unit code="U1"/></o:by>
    <o:line nr="1"><p:item>Mop</p:item><o:price cur="EUR">2.50</o:price></o:line>
    <p:line nr="2"><p:item>Zeep &amp; sop</p:item><o:price cur="EUR"> 3 </o:price><o:tag>a</o:tag><o:tag>b</o:tag></p:line>
  </o:order>
  <o:order nr="8"><o:date>2025-03-03</o:date><o:line nr="1"><p:item><![CDATA[<b>]]></p:item></o:line></o:order>
</o:orders>
"""


def cells(folder: Path, content: bytes | str, wanted: str = "item", name: str = "file.xml", **form: Any) -> list[dict]:
    """The rows of a file as intake reads them; `wanted` is a heading that a mapping needs."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    shape = {"title": "t", "files": "*", "origin": "o", "dataset": "spend", "format": form or {"records": "line"}}
    mapping = Mapping.model_validate({**shape, "columns": {"amount": {"from": wanted}}})
    with duckdb.connect() as connection:
        found = reading.read_cells(connection, path, mapping, reading.inspect_file(path, mapping), "cell")
        rows = connection.execute(f"from {found.relation} order by row_no").to_arrow_table().to_pylist()
    assert [row["row_no"] for row in rows] == list(range(1, found.rows + 1))
    return [{name.removeprefix("cell "): cell for name, cell in row.items() if cell is not None} for row in rows]


def test_a_record_has_its_own_cells_and_those_around_it_whatever_the_namespace(tmp_path: Path) -> None:
    first, second, third = cells(tmp_path, ORDERS)
    around = {"orders/@made": "2025-03-01", "order/@nr": "7", "order/date": "2025-03-02", "order/by.unit@code": "U1"}
    assert first == {"row_no": 1, "@nr": "1", "item": "Mop", "price": "2.50", "price@cur": "EUR", **around}
    assert second["item"] == "Zeep & sop" and second["price"] == "3" and second["tag"] == "a;b"
    assert third == {
        "row_no": 3,
        "@nr": "1",
        "item": "<b>",
        "order/@nr": "8",
        "order/date": "2025-03-03",
        "orders/@made": "2025-03-01",
    }


def test_the_path_tells_records_of_one_name_apart(tmp_path: Path) -> None:
    content = "<a><b><r>1</r></b><c><r>2</r></c><b><r>3</r></b></a>"
    assert [row["."] for row in cells(tmp_path, content, ".", records="b/r")] == ["1", "3"]
    assert [row["."] for row in cells(tmp_path, content, ".", records="r")] == ["1", "2", "3"]


def test_a_large_file_is_read_again_and_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cells(tmp_path, ORDERS)
    monkeypatch.setattr(xml_files, "ROWS_AT_ONCE", 2)
    assert cells(tmp_path, ORDERS) == whole
    monkeypatch.setattr(xml_files, "KEPT_BYTES", 0)
    assert cells(tmp_path, ORDERS) == whole


def test_the_text_of_a_rejected_record_is_an_object_and_it_is_known_by_its_place(tmp_path: Path) -> None:
    content = (
        "<s><site><Code>A</Code><Naam>a</Naam><GO>1</GO></site><site><Code>B</Code><Naam/><GO>veel</GO></site></s>"
    )
    rows = staged(tmp_path, "site", content, {"format": {"records": "site"}, "columns": SITE}, "file.xml")
    assert [row["row_no"] for row in rows] == [1, 2]
    assert json.loads(rows[1]["row_text"]) == {"Code": "B", "GO": "veel"}
    assert {"missing:site_name", "not_a_number:floor_area_go_m2"} <= set(rows[1]["reasons"])


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a><line><item>€ ’é</item></line></a>'.encode("cp1252"), {}),
        ("<?xml version='1.0' encoding='windows-1252'?><a><line><item>€ ’é</item></line></a>".encode("cp1252"), {}),
        (
            '<?xml version="1.0" encoding="UTF-8"?><a><line><item>€ ’é</item></line></a>'.encode("cp1252"),
            {"encoding": "cp1252"},
        ),
        ("<a><line><item>€ ’é</item></line></a>".encode(), {}),
        ("<a><line><item>€ ’é</item></line></a>".encode("utf-8-sig"), {"encoding": "cp1252"}),
        ('<?xml version="1.0" encoding="UTF-16"?><a><line><item>€ ’é</item></line></a>'.encode("utf-16"), {}),
        ("<a><line><item>€ ’é</item></line></a>".encode("utf-16-le"), {}),
        ("<a><line><item>€ ’é</item></line></a>".encode("utf-16-be"), {}),
        ('<?xml version="1.0" encoding="iso-8859-15"?><a><line><item>€ é</item></line></a>'.encode("iso-8859-15"), {}),
    ],
)
@pytest.mark.parametrize("step", [1, 3, 10**6])
def test_letters_are_read_in_what_the_file_was_really_written_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, form: dict, step: int
) -> None:
    """Also where a step ends within a letter."""
    monkeypatch.setattr(xml_events, "_STEP", max(step, 64) if step > 1 else 64)
    (row,) = cells(tmp_path, content, records="line", **form)
    assert row["item"].replace("’", "") == "€ é"


def test_a_compressed_file_is_read_as_well(tmp_path: Path) -> None:
    assert len(cells(tmp_path, gzip.compress(ORDERS.encode()), name="file.xml.gz")) == 3


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><a><line><item>&b;</item></line></a>'
OUTSIDE = '<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><line><item>&x;</item></line></a>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]><a><line><item>1</item></line></a>'
DEEP = "<a>" * 100_000
TWO = "<a><line><item>1</item><x><y>1</y></x><x><y>2</y></x></line></a>"
LATE = "<a><line><item>1</item></line><total>1</total></a>"


@pytest.mark.parametrize(
    ("content", "wanted", "words"),
    [
        pytest.param(BOMB, "item", "it has a DOCTYPE", id="entities that grow"),
        pytest.param(OUTSIDE, "item", "it has a DOCTYPE", id="a file elsewhere"),
        pytest.param(PARAMETER, "item", "it has a DOCTYPE", id="a parameter entity"),
        pytest.param(BOMB.encode("utf-16"), "item", "it has a DOCTYPE", id="a DOCTYPE in UTF-16"),
        pytest.param("<a><line><item>&x;</item></line></a>", "item", "Entity 'x' not defined", id="an unknown entity"),
        pytest.param("", "item", "it is empty", id="no bytes"),
        pytest.param("  \n", "item", "it is empty", id="blanks"),
        pytest.param("item;price\n1;2\n", "item", "does not begin with an element", id="CSV"),
        pytest.param("<!-- " + "x" * 300_000, "item", "no element begins in its first", id="a comment without end"),
        pytest.param("<?xml", "item", "line 1 is not whole, well-formed XML", id="a beginning"),
        pytest.param(ORDERS[:-20], "item", r"line 8 is not whole, well-formed XML .* if it was not cut off", id="cut off"),
        pytest.param(ORDERS + "<more/>", "item", "not whole, well-formed XML .*Extra content", id="two roots"),
        pytest.param("<a>\n<line><item>1</line></a>", "item", "line 2 is not whole, well-formed XML", id="crossed"),
        pytest.param("<a>\n<line><item>\x01</item></line></a>", "item", "line 2 is not whole, well-formed XML", id="a control character"),
        pytest.param("<a><line><item>\0</item></line></a>", "item", "is not w", id="NUL"),
        pytest.param(b"<a>\n<line><item>\x80</item></line></a>", "item", "line 2 holds bytes that are not UTF-8; write", id="Windows"),
        pytest.param('<?xml version="1.0" encoding="EBCDIC-CP-NL"?><a/>', "item", "declares the encoding ebcdic-cp-nl", id="EBCDIC"),
        pytest.param(b'<?xml version="1.0" encoding="cp1252"?>\n<a>\x81</a>', "item", "line 2 .* are not cp1252", id="not cp1252"),
        pytest.param(DEEP, "item", "it is nested more than 2000 deep", id="deep"),
        pytest.param("<a><line>" + "<i>" * 40 + "</i>" * 40 + "</line></a>", "item", "it is nested more than 32 deep", id="a deep record"),
        pytest.param("<a><b/><c/></a>", "item", "it holds no 'line' of format.records; found: a, b, c", id="no records"),
        pytest.param(TWO, "x.y", r"'x\.y' of mapping o__spend lies in a list of objects", id="several"),
        pytest.param(LATE, "a/total", "'a/total' of mapping o__spend stands after the records", id="late"),
        pytest.param(LATE, "nothing", "'nothing' of mapping o__spend is missing; found: item", id="missing"),
        pytest.param("<a><line><item>1</item><Item>2</Item></line></a>", "item", "two columns have the same heading", id="case"),
        pytest.param("<a><line b.c='1'><b><c>1</c></b></line></a>".replace("b.c=", "x="), "q", "is missing; found: @x, b.c", id="dots"),
        pytest.param("<a><line>" + "".join(f"<k{i}/>" for i in range(2001)) + "</line></a>", "k1", "more than 2000", id="names for values"),
        pytest.param(gzip.compress(b"<a/>"), "item", "does not begin with an element", id="compressed, and not said so"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_it_should_be_is_told(
    tmp_path: Path, content: bytes | str, wanted: str, words: str
) -> None:
    with pytest.raises(KetenError, match=words):
        cells(tmp_path, content, wanted)


def test_one_element_beyond_all_measure_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_events, "MAX_UNREAD_BYTES", 1_000_000)
    with pytest.raises(KetenError, match="it holds an element of more than 1000000 bytes"):
        cells(tmp_path, gzip.compress(b"<a><line><item>" + b"x" * 3_000_000), name="file.xml.gz")


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    orders=st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=4)), min_size=1, max_size=5),
    codec=st.sampled_from(["utf-8", "utf-16"]),
)
def test_what_was_written_is_read_back_once_and_in_order(tmp_path: Path, orders: list, codec: str) -> None:
    from lxml import etree

    root = etree.Element("orders")
    for number, (date, items) in enumerate(orders):
        order = etree.SubElement(root, "order", nr=str(number))
        etree.SubElement(order, "date").text = date
        for item in items:
            etree.SubElement(etree.SubElement(order, "line"), "item").text = item
    written = [(str(n), date.strip(), item.strip()) for n, (date, items) in enumerate(orders) for item in items]
    content = etree.tostring(root, encoding=codec)
    if not written:
        with pytest.raises(KetenError, match="it holds no 'line'"):
            cells(tmp_path, content)
        return
    rows = cells(tmp_path, content)
    assert [(r["order/@nr"], r.get("order/date", ""), r.get("item", "")) for r in rows] == written


FILES = {"xaf": (xaf(), 5), "ubl": (ubl(), 4), "espi": (espi(), 2), None: (ORDERS.encode(), 3)}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    profile=st.sampled_from(list(FILES)),
    place=st.floats(0, 1, exclude_max=True),
    damage=st.one_of(
        st.just(None), st.binary(min_size=1, max_size=3), st.sampled_from([b"<", b">", b"&", b"</", b"<a/>", b"\0"])
    ),
    cut=st.integers(0, 3),
)
def test_a_damaged_file_is_refused_in_words_or_gives_its_lines_once(
    tmp_path: Path, profile: str | None, place: float, damage: bytes | None, cut: int
) -> None:
    """Cut off (no damage), or with some bytes in place of others: no other error, no line more or less than its tags tell."""
    content, count = FILES[profile]
    at = int(place * len(content))
    broken = content[:at] if damage is None else content[:at] + damage + content[at + cut :]
    form = {"profile": profile} if profile else {"records": "line"}
    wanted = {"xaf": "amount", "ubl": "amount", "espi": "value"}.get(profile or "", "item")
    try:
        rows = cells(tmp_path, broken, wanted, **form)
    except KetenError:
        return
    assert damage is not None or broken.strip().endswith(content.strip()[-10:]), "a file that was cut off was read"
    assert len(rows) in {count, count - 1} if profile in (None, "espi", "ubl") else len(rows) == count


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Three times the file, and no more memory than the noise of the allocator."""
    peaks = []
    for megabytes in (4, 12):
        path = tmp_path / f"{megabytes}.xaf"
        lines = audit_file.make(path, megabytes)
        cost = audit_file.measure("one pass to rows", path)
        assert cost["found"] == lines
        peaks.append(cost["megabytes"])
    assert peaks[1] < peaks[0] + 4
