"""The core values: each with its course, its change, its target and what is known of it.

Belongs here: reading published values and telling them in words. Does not belong here: computing any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.page.charts import Line, line, widths
from resources.wording import Quantity, Words, day, month, number, percent, period, quantity

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Indicator
    from resources.publication.published import Read

Row = dict[str, Any]
PILLARS = {
    "people": Words("People \u2013 mensen", "People"),
    "planet": Words("Planet \u2013 milieu", "Planet"),
    "purpose": Words("Purpose \u2013 richting en keten", "Purpose \u2013 direction and chain"),
}
ENOUGH_FOR_A_COURSE = 4
SHOWN_POINTS = 36
# A change of coverage above this share may explain a change of the value.
COVERAGE_MOVED = Decimal("0.1")


@dataclass(frozen=True)
class Value:
    """One value as told: `figure` is the number, or the status in words where there is none."""

    figure: Quantity
    is_known: bool
    note: Words
    period: Words


@dataclass(frozen=True)
class Change:
    """The difference with the twelve months before; `verdict` is better, worse, same or unknown."""

    words: Words
    verdict: str


@dataclass(frozen=True)
class Target:
    """A target and how far it is; `state` is a code of `target_state`, or none."""

    words: Words
    state: str


@dataclass(frozen=True)
class Course:
    """A line chart with the text that stands for it."""

    line: Line
    words: Words


@dataclass(frozen=True)
class OfClient:
    """The value of one client beside the total; `note` only where the value is not simply measured and whole."""

    name: str
    value: Value
    note: Words | None
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Card:
    """All that the page tells of one core indicator."""

    indicator: Indicator
    value: Value
    change: Change
    course: Course | None
    targets: tuple[Target, ...]
    clients: tuple[OfClient, ...]


@dataclass(frozen=True)
class Bar:
    """One of several figures that go by the same name."""

    indicator: Indicator
    value: Value
    width: float


class Values:
    """What is published of some indicators in complete periods, for the total and by client."""

    def __init__(self, catalogue: Catalogue, read: Read, indicators: list[Indicator]) -> None:
        self.catalogue = catalogue
        self.indicators = sorted(indicators, key=lambda i: i.id)
        listed = ", ".join(f"'{i.id}'" for i in indicators) or "''"
        self._rows: dict[tuple[str, str, str], list[Row]] = {}
        for row in read(
            "select v.indicator_id, v.level_code, v.period_type, v.period_from, v.period_to, v.value, v.coverage,"
            " v.value_status, v.publication_status, p.party_name"
            " from bi.rpt_indicator_value v join bi.dim_party p on p.party_key = v.client_key"
            f" where v.indicator_id in ({listed}) and v.level_code in ('total', 'client') and v.is_complete_period"
            " and v.period_type in ('month', 'rolling12') order by v.period_from"
        ):
            name = row["party_name"] if row["level_code"] == "client" else ""
            self._rows.setdefault((row["indicator_id"], name, row["period_type"]), []).append(row)
        self._targets = read(
            "select t.*, p.party_name from bi.rpt_target_progress t join bi.dim_party p on p.party_key = t.client_key"
            " order by t.indicator_id, p.party_name, t.due_on"
        )

    def clients(self, indicator: Indicator) -> list[str]:
        """The clients that have a value, in order of name."""
        return sorted({name for known, name, _ in self._rows if known == indicator.id and name})

    def last(self, indicator: Indicator, client: str = "") -> Row | None:
        """The last complete twelve months."""
        rows = self._rows.get((indicator.id, client, "rolling12"), [])
        return rows[-1] if rows else None

    def card(self, indicator: Indicator) -> Card:
        """All that the page tells of an indicator. Where no total is published, the only client stands in its place."""
        clients = self.clients(indicator)
        has_total = any(known == indicator.id and not name for known, name, _ in self._rows)
        main = "" if has_total or len(clients) != 1 else clients[0]
        targets = [t for t in self._targets if t["indicator_id"] == indicator.id]
        beside = clients if len(clients) > 1 else []
        alone = [t for t in targets if t["party_name"] not in beside]
        return Card(
            indicator,
            self.told(indicator, self.last(indicator, main)),
            self._change(indicator, main),
            # The target of one client says nothing of the line of all clients together.
            self._course(indicator, main, [] if beside else targets),
            tuple(self._target(indicator, t, bool(beside)) for t in alone)
            if targets
            else (Target(_NO_TARGET, "none"),),
            tuple(self._of_client(indicator, name, targets) for name in beside),
        )

    def told(self, indicator: Indicator, row: Row | None) -> Value:
        """A value in words; a missing one says why, never a dash."""
        if row is None:
            return Value(Quantity(_NOT_YET, Words("", "")), False, Words("", ""), Words("", ""))
        status = code_words(self.catalogue, "value_status", row["value_status"])
        if row["coverage"] is None:
            note = _NO_COVERAGE
        else:
            share = percent(row["coverage"])
            note = Words(f"dekking {share.nl}", f"coverage {share.en}")
        months = period(row["period_from"], row["period_to"])
        if row["publication_status"] != "open":
            months = months + ", " + code_words(self.catalogue, "period_state", row["publication_status"])
        if row["value"] is None:
            return Value(Quantity(status, Words("", "")), False, note, months)
        return Value(self.shown(indicator, row["value"]), True, status + ", " + note, months)

    def shown(self, indicator: Indicator, value: Decimal, sign: bool = False) -> Quantity:
        """A stored value in the unit that people read."""
        unit = self.catalogue.units[indicator.display_unit or indicator.unit]
        return quantity(value * self.catalogue.display_factor(indicator), unit, indicator.decimals, sign)

    def _change(self, indicator: Indicator, client: str) -> Change:
        now = self.last(indicator, client)
        rows = self._rows.get((indicator.id, client, "rolling12"), [])
        before = next((r for r in rows if now and r["period_to"] == now["period_from"]), None)
        if now is None or before is None or now["value"] is None or before["value"] is None:
            return Change(_NO_COMPARISON, "unknown")
        moved = now["value"] - before["value"]
        seen = round(moved * self.catalogue.display_factor(indicator), indicator.decimals)
        verdict = "same" if not seen else "better" if (seen < 0) == (indicator.direction == "lower") else "worse"
        known, months = (
            self.shown(indicator, before["value"]).figure,
            period(before["period_from"], before["period_to"]),
        )
        if verdict == "same":
            words = _EQUAL if not moved else _NEARLY
            words += Words(f": was {known.nl} in {months.nl}.", f": was {known.en} in {months.en}.")
        else:
            words = self._moved(indicator, moved, before["value"])
            words += Words(f" t.o.v. {known.nl} in {months.nl}", f" against {known.en} in {months.en}")
            words += _VERDICTS[verdict]
        if abs((now["coverage"] or 0) - (before["coverage"] or 0)) > COVERAGE_MOVED:
            share = percent(before["coverage"] or Decimal(0))
            words += Words(f" Let op: toen was de dekking {share.nl}.", f" Mind: coverage was {share.en} then.")
        return Change(words, verdict)

    def _moved(self, indicator: Indicator, moved: Decimal, before: Decimal) -> Words:
        """A difference: of a percentage in points, else with its share of the value before."""
        if (indicator.display_unit or indicator.unit) == "percent":
            points = number(moved * self.catalogue.display_factor(indicator), indicator.decimals, sign=True)
            return Words(f"{points.nl} procentpunt", f"{points.en} percentage points")
        difference = self.shown(indicator, moved, sign=True).figure
        if not before:
            return difference
        share = percent(moved / abs(before), 1, sign=True)
        return difference + Words(f" ({share.nl})", f" ({share.en})")

    def _course(self, indicator: Indicator, client: str, targets: list[Row]) -> Course | None:
        """The rolling twelve months where there are enough of them, else the months by themselves."""
        rolling = self._rows.get((indicator.id, client, "rolling12"), [])
        is_rolling = sum(r["value"] is not None for r in rolling) >= ENOUGH_FOR_A_COURSE
        rows = (rolling if is_rolling else self._rows.get((indicator.id, client, "month"), []))[-SHOWN_POINTS:]
        target = targets[0]["target_value"] if is_rolling and len(targets) == 1 else None
        drawn = line([r["value"] for r in rows], target)
        if drawn is None:
            return None
        known = [r for r in rows if r["value"] is not None]
        low, high = min(r["value"] for r in known), max(r["value"] for r in known)
        first, last = known[0], known[-1]
        words = self._from_to(indicator, first, last)
        if {low, high} != {first["value"], last["value"]}:
            lowest, highest = (self.shown(indicator, bound).figure for bound in (low, high))
            words += Words(
                f"; laagste {lowest.nl}, hoogste {highest.nl}", f"; lowest {lowest.en}, highest {highest.en}"
            )
        if len(known) < len(rows):
            gaps = number(len(rows) - len(known))
            words += Words(f"; {gaps.nl} keer geen waarde", f"; no value {gaps.en} times")
        if not is_rolling:
            words += _BY_MONTH
        if target is not None:
            words += _GOAL
        return Course(drawn, words + ".")

    def _from_to(self, indicator: Indicator, first: Row, last: Row) -> Words:
        """Where a course begins and ends; a period is named by its last month."""
        begin, end = (self.shown(indicator, row["value"]).figure for row in (first, last))
        since, until = (month(row["period_to"] - timedelta(days=1)) for row in (first, last))
        return Words(
            f"Van {begin.nl} ({since.nl}) naar {end.nl} ({until.nl})",
            f"From {begin.en} ({since.en}) to {end.en} ({until.en})",
        )

    def _target(self, indicator: Indicator, row: Row, named: bool) -> Target:
        goal = self.shown(indicator, row["target_value"]).figure
        due = day(row["due_on"])
        state = code_words(self.catalogue, "target_state", row["target_state_code"])
        who = f"{row['party_name']}: " if named else ""
        words = Words(
            f"{who}streefwaarde {goal.nl} per {due.nl}: {state.nl}",
            f"{who}target {goal.en} by {due.en}: {state.en}",
        )
        return Target(words, row["target_state_code"])

    def _of_client(self, indicator: Indicator, name: str, targets: list[Row]) -> OfClient:
        row = self.last(indicator, name)
        value = self.told(indicator, row)
        is_plain = row is not None and row["value_status"] == "measured" and row["coverage"] == 1
        mine = tuple(self._target(indicator, t, False) for t in targets if t["party_name"] == name)
        return OfClient(name, value, None if is_plain or not value.note.nl else value.note, mine)


_NO_TARGET = Words("Geen streefwaarde vastgelegd.", "No target is set.")
_NOT_YET = Words("nog geen twaalf volledige maanden", "no complete twelve months yet")
_NO_COVERAGE = Words("dekking onbekend", "coverage unknown")
_NO_COMPARISON = Words(
    "Geen vergelijking: van de twaalf maanden ervoor is er geen waarde.",
    "No comparison: there is no value of the twelve months before.",
)
_BY_MONTH = Words("; per maand", "; by month")
_GOAL = Words("; stippellijn: streefwaarde", "; dotted line: target")
_EQUAL = Words("Gelijk", "The same")
_NEARLY = Words("Vrijwel gelijk", "Nearly the same")
_VERDICTS = {
    "better": Words(": beter.", ": better."),
    "worse": Words(": slechter.", ": worse."),
}


def code_words(catalogue: Catalogue, code_list: str, code: str) -> Words:
    """A code as people read it."""
    named = catalogue.code_lists[code_list][code]
    return Words(named["nl"], named["en"])


def namesakes(catalogue: Catalogue) -> list[Indicator]:
    """The largest group of ratios that people call by one name: same pillar, unit, numerator and denominator."""
    groups: dict[tuple[str, ...], list[Indicator]] = {}
    for item in catalogue.indicators.values():
        if item.kind == "ratio" and item.unit != "share":
            groups.setdefault((item.pillar, item.unit, item.numerator, str(item.denominator)), []).append(item)
    largest = max(groups.values(), key=len, default=[])
    return largest if len(largest) > 1 else []


def bars(values: Values) -> list[Bar]:
    """Figures that share a name, side by side over one period, the longest first."""
    rows = {i.id: row for i in values.indicators if (row := values.last(i))}
    end = max((row["period_to"] for row in rows.values()), default=None)
    told = [(i, row if (row := rows.get(i.id)) and row["period_to"] == end else None) for i in values.indicators]
    lengths = widths([row["value"] if row else None for _, row in told])
    found = [Bar(i, values.told(i, row), width) for (i, row), width in zip(told, lengths, strict=True)]
    return sorted(found, key=lambda bar: (-bar.width, bar.indicator.id))
