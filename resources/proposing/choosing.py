"""Choosing every line of a mapping for a file and a dataset.

Belongs here: what follows from headings matched to columns: formats, units, codes, periods, constants, wide columns.
Does not belong here: weighing a heading (matching), stamps (stamps), YAML (writing).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from resources.proposing.codes import look_at_codes, lost_zero
from resources.proposing.dates import shown
from resources.proposing.evidence import DATED, NUMERIC, number_of
from resources.proposing.matching import Match, match_columns, name_score
from resources.proposing.matching import known_names as names_of
from resources.proposing.numbers import marks_of
from resources.proposing.proposal import Line, Proposal
from resources.proposing.sample import SAMPLE_ROWS, Sample
from resources.proposing.stamps import Stamps, find_stamps
from resources.proposing.standing_in import StandIns
from resources.proposing.units import Told, Units
from resources.proposing.wide import Wide, find_wide, is_reading, looks_wide

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract

_TIMED = ("start_utc", "end_utc", "local_date")
_TOTAL = re.compile(r"(sub)?tota+l\b|som\b|sum\b|grand total", re.IGNORECASE)
_MOST_HEADINGS = 400


def propose(catalogue: Catalogue, sample: Sample, dataset: str, origin: str) -> Proposal:
    """A mapping for a file to a dataset, with the reason of every line."""
    return _Choosing(catalogue, sample, catalogue.contracts[dataset], origin).proposal()


class _Choosing:
    def __init__(self, catalogue: Catalogue, sample: Sample, contract: Contract, origin: str) -> None:
        self.catalogue = catalogue
        self.sample = sample
        self.contract = contract
        self.is_timed = set(_TIMED) <= set(contract.columns)
        self.made = Proposal(origin, contract.name, sample)
        self.zone = catalogue.deployment.zone if catalogue.deployment else "Europe/Amsterdam"
        looked = [h for h in sample.headings if not looks_wide(h)][:_MOST_HEADINGS]
        self.values = {h: sample.values(h) for h in looked}
        self.wide: Wide | None = find_wide(sample.headings, self.values) if self.is_timed else None
        wide = self.wide.headings if self.wide else ()
        self.values = {h: v for h, v in self.values.items() if h not in wide}
        self.unseen = [h for h in sample.headings if h not in looked and h not in wide]
        self.marks = marks_of(self._numbers())
        self.stamps: Stamps | None = None
        if self.is_timed and not self._has_both_stamps():
            self.stamps = find_stamps(self.values, sample.columns, self.zone, sample.is_whole)
        self.matches: dict[str, Match] = {}
        self.units = Units(catalogue, contract, sample.headings, self.values, self.marks)
        self.made_units: dict[str, Told] = {}

    def _numbers(self) -> list[str]:
        """The texts of columns that may be numbers; a date with points is none."""
        found = [t for v in self.values.values() if not v.date and v.numeric > 0.5 for t in list(v.counted)[:500]]
        if self.wide:
            found += [t for h in self.wide.headings[:10] for t in self.sample.filled(h)[:200]]
        return found

    def _has_both_stamps(self) -> bool:
        """Whether a sender tells start, end and day, in UTC."""
        for column in _TIMED:
            names = [n for n in names_of(self.catalogue, self.contract, column) if n.told == column]
            learned = [n for n in names_of(self.catalogue, self.contract, column) if "mapped so" in n.source]
            if not any(name_score(h, [*names, *learned])[0] > 0.9 for h in self.values):
                return False
        return True

    def proposal(self) -> Proposal:
        """The whole of it."""
        taken = set(_TIMED) if self.stamps else set()
        used = {*self.stamps.headings, *self.stamps.others} if self.stamps else set()
        free = {h: v for h, v in self.values.items() if h not in used}
        if self.wide:
            taken |= {"quantity", *([self.wide.column] if self.wide.column else [])}
        self.matches = match_columns(self.catalogue, self.contract, free, self.marks, taken)
        self._columns()
        self._top()
        self._ignore()
        self._score()
        return self.made

    def _columns(self) -> None:
        if self.stamps:
            self._stamp(self.stamps)
        if self.wide:
            self._wide_columns(self.wide)
        # Before the lines: a unit that must be converted takes its heading from the column of units.
        for column, match in list(self.matches.items()):
            if self.catalogue.columns[column].type in NUMERIC:
                self.made_units[column] = self.units.told(column, match.heading, self.matches)
        for column in self.contract.columns:
            if column in self.matches:
                self.made.columns.append(self._matched(self.matches[column]))
        done = {line.key for line in self.made.columns} | (set(_TIMED) if self.stamps else set())
        done |= (
            {"unit_code"}
            if any({"unit", "unit_from"} & set(line.value) and line.key == "quantity" for line in self.made.columns)
            else set()
        )
        other = StandIns(self.catalogue, self.contract, self.sample, self.matches, self.made.origin, self._rises())
        for column, how in self.contract.columns.items():
            if how.required and column not in done:
                self._unmatched(column, other)

    def _stamp(self, stamps: Stamps) -> None:
        source = stamps.headings[0] if len(stamps.headings) == 1 else list(stamps.headings)
        if self.wide and self.wide.is_time:
            source = [*stamps.headings, self.wide.name]
        form = f"{stamps.format} {self.wide.format}" if self.wide and self.wide.is_time else stamps.format
        keys = {"from": source, "format": form}
        self.made.columns.append(Line("stamp", keys, stamps.why["from"], stamps.check.get("from", "")))

    def _wide_columns(self, wide: Wide) -> None:
        unit = self.units.told("quantity", " ".join(wide.headings), self.matches)
        self.made.columns.append(Line("quantity", {"from": wide.value, **unit.keys}, unit.why, unit.check))
        if wide.column:
            keys: dict[str, Any] = {"from": wide.name}
            if wide.codes and self.catalogue.columns[wide.column].type == "code":
                keys["codes"] = dict(wide.codes)
            self.made.columns.append(Line(wide.column, keys, wide.why, wide.check))

    def _matched(self, match: Match) -> Line:
        """The line of a column that has a heading."""
        column = self.catalogue.columns[match.column]
        keys: dict[str, Any] = {"from": match.heading}
        why, check = match.why, match.check
        values = self.values[match.heading]
        if column.type in DATED and values.date:
            if values.date.format != "%Y-%m-%d" or column.type == "timestamp":
                keys["format"] = values.date.format
            if values.date.other and not check:
                check = f"day and month could be the other way round ({shown(values.date.other)})"
        if column.type in NUMERIC:
            keys |= (unit := self.made_units[match.column]).keys
            why, check = f"{why}; {unit.why}" if unit.why else why, check or unit.check
        if column.type == "code":
            if match.fit.codes:
                keys["codes"] = dict(match.fit.codes)
            check = look_at_codes(self.catalogue, self.contract, match, values) or check
        fixes, lost = lost_zero(match.column, values)
        keys |= fixes
        why = f"{why}; {lost}" if lost else why
        return Line(match.column, keys, why, check)

    def _unmatched(self, column: str, other: StandIns) -> None:
        if line := other.line(column):
            self.made.columns.append(line)
        else:
            self.made.missing[column] = other.repair(column)

    def _top(self) -> None:
        sample, top = self.sample, self.made.top
        top.append(Line("title", f"{self.contract.title.en} of {self.made.origin}"))
        top.append(Line("files", re.sub(r"\d+", "*", _literal(sample.path.name)), "the name with * for its numbers"))
        form, why = dict(sample.form), dict(sample.why)
        look = ""
        if self.marks and self.marks.decimal != ".":
            form["decimal"], why["decimal"] = self.marks.decimal, self.marks.why
        if self.marks and self.marks.thousands:
            form["thousands"] = self.marks.thousands
        if self.marks and not self.marks.sure:
            form["decimal"], look = self.marks.decimal, self.marks.why
        if form:
            top.append(Line("format", form, "; ".join(f"{k}: {v}" for k, v in why.items()), look))
        if self.stamps:
            self._time(self.stamps)
        if self.wide:
            keys = {"headings": self.wide.pattern, "name": self.wide.name, "value": self.wide.value, "skip_empty": True}
            why_wide = f"{len(self.wide.headings)} headings are {self.wide.told}; an empty cell is no record"
            top.append(Line("unpivot", keys, why_wide))
        self._totals()

    def _time(self, stamps: Stamps) -> None:
        keys: dict[str, Any] = {"zone": stamps.zone, "stamp": stamps.stamp, "interval_minutes": stamps.minutes}
        if stamps.zone == "UTC" != self.zone:
            keys["site_zone"] = self.zone
        why = [f"{k}: {stamps.why[k]}" for k in keys if k in stamps.why]
        checks = [f"{k}: {stamps.check[k]}" for k in keys if k in stamps.check]
        if self._kind() == "register":
            keys = {k: v for k, v in keys.items() if k != "interval_minutes"} | {"stamp": "moment"}
            why = [f"zone: {stamps.why['zone']}", "stamp: a register is read at a moment"]
            checks = []
        if self.wide and self.wide.is_time:
            keys |= {"interval_minutes": self.wide.minutes, "stamp": "start"}
            why = [f"zone: {stamps.why['zone']}", f"interval_minutes: {len(self.wide.headings)} columns a day"]
            checks = [] if self.wide.starts_at_midnight else ["stamp: the first column is not 00:00; start or end?"]
        if stamps.newest_first and stamps.zone != "UTC":
            keys["ambiguous"] = "first_is_winter"
            why.append("ambiguous: the newest row stands first")
        self.made.top.append(Line("time", keys, "; ".join(why), "; ".join(checks)))

    def _totals(self) -> None:
        """Rows that look like totals, by the first column of texts that has them."""
        if not self.sample.rows:
            self._no_rows("nothing stands under its headings")
        for heading, values in self.values.items():
            found = [t for t in values.counted if _TOTAL.match(t)]
            if found and len(found) <= 3 and values.numeric < 0.5:
                if values.share(found.__contains__) == 1 and len(values.texts) == self.sample.rows:
                    self._no_rows(f"every row looks like a total ('{found[0]}' under '{heading}')")
                elif len(values.counted) == len(found):
                    continue
                rules = [{"heading": heading, "matches": f"^{re.escape(t)}$", "reason": "total"} for t in found]
                self.made.top.append(Line("ignore_rows", rules, f"'{found[0]}' looks like a total", "is it one?"))
                return

    def _no_rows(self, why: str) -> None:
        self.made.without_rows = True
        self.made.notes.append(f"there are no data rows: {why}")

    def _ignore(self) -> None:
        used = self.made.used()
        for heading, values in self.values.items():
            if heading not in used:
                self.made.ignored[heading] = values.looks()
        for heading in self.unseen:
            self.made.ignored[heading] = "not looked at"
        if self.unseen:
            self.made.notes.append(f"the first {_MOST_HEADINGS} of {len(self.sample.headings)} headings were looked at")
        if not self.sample.is_whole:
            self.made.notes.append(f"values were looked at in the first {SAMPLE_ROWS:,} rows; the file is longer")
        self._cumulative()

    def _rises(self) -> bool:
        """Whether quantities only rise over time, as the readings of a register do."""
        if self.stamps is None:
            return False
        match = self.matches.get("quantity")
        headings = self.wide.headings if self.wide and not self.wide.is_time else [match.heading] if match else []
        rising = 0
        for heading in headings:
            numbers = [v for t in self.sample.filled(heading) if (v := number_of(t, self.marks)) is not None]
            if self.stamps.newest_first:
                numbers.reverse()
            if any(a > b for a, b in zip(numbers, numbers[1:], strict=False)):
                return False
            rising += len(numbers) > 5 and numbers[-1] > numbers[0]
        return rising > 0 or bool(headings) and all(map(is_reading, headings))

    def _kind(self) -> str:
        """The kind of reading that is proposed for every row."""
        return next((str(line.value.get("value")) for line in self.made.columns if line.key == "kind_code"), "")

    def _cumulative(self) -> None:
        """Say of quantities that only rise, where they are taken for use, that they are readings of a register."""
        quantity = next((line for line in self.made.columns if line.key == "quantity"), None)
        if quantity and self._kind() != "register" and self._rises():
            quantity.check = "these only rise, as the readings of a register do, and not the use of an interval"

    def _score(self) -> None:
        """How well the dataset fits: the share of its required columns that a heading tells."""
        required = [c for c, how in self.contract.columns.items() if how.required]
        told = {line.key: 0.4 if line.check else 1.0 for line in self.made.columns if self.made.headings(line.key)}
        if self.stamps:
            told |= dict.fromkeys(_TIMED, told.get("stamp", 0.0) / 2)
        found = sum(told.get(c, 0.15 if c not in self.made.missing else 0.0) for c in required)
        self.made.score = found / max(len(required), 1)


def _literal(name: str) -> str:
    """A file name without what a pattern for names would read as more than itself."""
    return re.sub(r"[\[\]?*]+", "*", name)
