"""Readings of a Green Button file: ESPI (NAESB REQ.21) resources in an Atom feed, linked to each other by address.

Belongs here: following the links, scaling values, codes of units. Does not belong here: safe parsing (xml_events),
which meter a usage point is (the master data).

A row is an `IntervalReading`. A feed may name the type of a reading after the readings themselves, so the first pass reads
the links and the second the values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from resources.errors import KetenError
from resources.reading.cells import LIST_MARK, plain_number
from resources.reading.xml_events import XmlFile, events, let_go, local

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

Row = dict[str, str | None]

ROOTS = ("feed", "entry")
# Codes of ServiceKind and UnitSymbolKind in ESPI, in the words of reference/unit.csv where it knows the unit.
_SERVICES = {"0": "electricity", "1": "gas", "2": "water", "5": "heat", "6": "cold"}
_UNITS = {
    **{
        "72": "Wh",
        "31": "J",
        "132": "Btu",
        "169": "therm",
        "38": "W",
        "71": "VAh",
        "73": "varh",
        "61": "VA",
        "63": "var",
    },
    **{"42": "m3", "134": "l", "119": "ft3", "128": "gal_us", "130": "gal_imp"},
}
_VOLUMES = ("42", "134", "119", "128", "130")
_TYPE = {
    "accumulation_behaviour": "accumulationBehaviour",
    "flow_direction": "flowDirection",
    "reading_kind": "kind",
    "commodity": "commodity",
    "currency": "currency",
    "uom": "uom",
}
HEADINGS = (
    *("usage_point_id", "service_kind", "service", "meter_reading_id", "uom", "unit", "value"),
    *("flow_direction", "accumulation_behaviour", "reading_kind", "commodity", "currency", "cost", "quality"),
    *("start_utc", "end_utc", "start_epoch", "duration_seconds", "tz_offset_seconds", "dst_offset_seconds"),
)
READ_FROM: dict[str, tuple[str, ...]] = {}
PERSONS = frozenset(("Customer.name", "electronicAddress.email1", "electronicAddress.email2"))
ORGANISATIONS = frozenset(("IntervalReading.value", "timePeriod.start", "interval.start"))
_POWER = re.compile(r"[+-]?[0-9]{1,2}")
_RESOURCES = ("UsagePoint", "MeterReading", "ReadingType", "IntervalBlock", "LocalTimeParameters")


@dataclass
class _Entry:
    """A resource with its address, the addresses it names, and the values of its own."""

    kind: str = ""
    own: str = ""
    up: str = ""
    related: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)


class Feed:
    """The readings of one file."""

    headings: tuple[str, ...] = HEADINGS

    def __init__(self, file: XmlFile) -> None:
        self._file = file
        self._shared: list[Row] | None = None
        self._scales: list[int] = []

    def rows(self) -> Iterator[Row]:
        """One pass over the readings, after one over their links. Raises KetenError when a reading has no type or meter."""
        if self._shared is None:
            self._shared = self._link()
        at = count = 0
        for kind, element in events(self._file, ROOTS, ("entry", "IntervalReading")):
            if kind == "start":
                continue
            if local(element) == "IntervalReading":
                count += 1
                if at == len(self._shared) or not self._shared[at]:
                    raise KetenError(
                        f"IntervalReading {count} stands in no IntervalBlock of an entry; ask for a whole feed"
                    )
                yield self._reading(element, self._shared[at], self._scales[at], count)
            else:
                at += 1
            let_go(element)

    def _link(self) -> list[Row]:
        """What the readings of each entry share, by the place of the entry."""
        entries: list[_Entry] = []
        for kind, element in events(self._file, ROOTS, ("entry", "IntervalReading")):
            if kind == "end" and local(element) == "entry":
                entries.append(_entry(element))
            if kind == "end":
                let_go(element)
        links = _Links(entries)
        shared = []
        for entry in entries:
            row, scale = links.shared(entry) if entry.kind == "IntervalBlock" else ({}, 0)
            shared.append(row)
            self._scales.append(scale)
        if not any(entry.kind == "IntervalBlock" for entry in entries):
            raise KetenError("it holds no IntervalBlock, so no readings")
        return shared

    def _reading(self, element: Element, shared: Row, scale: int, count: int) -> Row:
        found = _values(element)
        try:
            start, duration = int(found["timePeriod.start"]), int(found["timePeriod.duration"])
            begins = datetime.fromtimestamp(start, UTC).replace(tzinfo=None)
            ends = begins + timedelta(seconds=duration)
            number = plain_number(found["value"])
        except (KeyError, ValueError, OverflowError, OSError):
            number = None
        if number is None:
            raise KetenError(
                f"IntervalReading {count} lacks a start, duration or value that is a number; ask for a new export"
            )
        value = format(number.scaleb(scale), "f")
        return {
            **shared,
            "value": value,
            "cost": found.get("cost"),
            "quality": found.get("ReadingQuality.quality"),
            "start_utc": begins.isoformat(),
            "end_utc": ends.isoformat(),
            "start_epoch": str(start),
            "duration_seconds": str(duration),
        }


class _Links:
    """Who belongs to whom in a feed."""

    def __init__(self, entries: list[_Entry]) -> None:
        self._of: dict[str, list[_Entry]] = {}
        self._naming: dict[tuple[str, str], _Entry] = {}
        for entry in entries:
            self._of.setdefault(entry.kind, []).append(entry)
            for address in entry.related:
                self._naming.setdefault((entry.kind, address), entry)
        self._by_address = {(entry.kind, entry.own): entry for entry in entries if entry.own}

    def _owner(self, entry: _Entry, kind: str) -> _Entry:
        """The resource that names this one, or the list it is in, or whose address it lies under."""
        for address in (entry.own, entry.up):
            if address and (found := self._naming.get((kind, address))):
                return found
        parts = entry.own.split("/")
        for length in range(len(parts) - 1, 0, -1):
            if found := self._by_address.get((kind, "/".join(parts[:length]))):
                return found
        raise KetenError(f"the {entry.kind} '{entry.own}' is linked to no {kind}; ask for a whole feed")

    def _named(self, entry: _Entry, kind: str) -> _Entry | None:
        return next((found for a in sorted(entry.related) if (found := self._by_address.get((kind, a)))), None)

    def shared(self, block: _Entry) -> tuple[Row, int]:
        """The cells of all readings of a block, and the power of ten of their values."""
        meter_reading = self._owner(block, "MeterReading")
        point = self._owner(meter_reading, "UsagePoint")
        kind = self._named(meter_reading, "ReadingType")
        if kind is None:
            raise KetenError(
                f"the MeterReading '{meter_reading.own}' is linked to no ReadingType; ask for a whole feed"
            )
        clocks = self._of.get("LocalTimeParameters", [])
        clock = self._named(point, "LocalTimeParameters") or (clocks[0] if len(clocks) == 1 else _Entry())
        row: Row = {heading: kind.values.get(name) for heading, name in _TYPE.items()}
        service, uom = point.values.get("ServiceCategory.kind"), row["uom"] or ""
        row |= {
            "usage_point_id": _last(point.own),
            "meter_reading_id": _last(meter_reading.own),
            "service_kind": service,
            "service": _SERVICES.get(service or ""),
            "unit": _UNITS.get(uom),
            "tz_offset_seconds": clock.values.get("tzOffset"),
            "dst_offset_seconds": clock.values.get("dstOffset"),
        }
        if service == "0" and uom in _VOLUMES:
            raise KetenError(
                f"the UsagePoint '{point.own}' is of electricity, but its readings are in {_UNITS[uom]};"
                " ask which of the two is right"
            )
        power = kind.values.get("powerOfTenMultiplier", "0")
        if not _POWER.fullmatch(power):
            raise KetenError(f"powerOfTenMultiplier of '{kind.own}' is '{power}', which is no small whole number")
        return row, int(power)


def _entry(element: Element) -> _Entry:
    """An entry with its links, whatever their order."""
    entry = _Entry()
    for child in element:
        if local(child) == "link":
            address = str(child.get("href") or "").rstrip("/")
            if child.get("rel") == "self":
                entry.own = address
            elif child.get("rel") == "up":
                entry.up = address
            elif child.get("rel") == "related":
                entry.related.add(address)
        elif local(child) == "content" and len(child):
            entry.kind = local(child[0])
            if entry.kind in _RESOURCES and entry.kind != "IntervalBlock":
                entry.values = _values(child[0])
    return entry


def _values(element: Element, place: str = "") -> dict[str, str]:
    """The texts within an element under dotted names; what repeats is joined."""
    found: dict[str, str] = {}
    for child in element:
        name = place + local(child)
        more = _values(child, f"{name}.") if len(child) else {name: (child.text or "").strip()}
        for key, text in more.items():
            found[key] = f"{found[key]}{LIST_MARK}{text}" if key in found else text
    return found


def _last(address: str) -> str | None:
    return address.rpartition("/")[2] or None
