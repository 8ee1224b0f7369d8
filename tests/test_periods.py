"""States of months: a change of state is a decision by someone, and what is final is closed to what comes later."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.preparing import Horizon
from assets.rollup import period_select
from resources.engine import Engine
from resources.errors import KetenError
from resources.landing import Receipt
from resources.periods import RESTATEMENT_DAYS, Decision, Kind, Month, Periods, fingerprint
from resources.publication.final_values import PERIOD_STATUS, prepare_states

ROOT = Path(__file__).parents[1]
MAY = date(2026, 5, 1)
TODAY = date(2026, 7, 2)

# What a decision makes of a month, by the state before; written from the rules in docs/month-close.md.
EDGES = {
    ("open", "provisional"): "provisional",
    ("provisional", "final"): "final",
    ("final", "restated"): "restated",
    ("restated", "restated"): "restated",
    ("final", "reopened"): "provisional",
    ("restated", "reopened"): "provisional",
    # Closed as final again; not while it is final and nothing was let in since.
    ("restated, open to changes", "final"): "restated",
    ("provisional, once final", "final"): "restated",
}

steps = st.lists(
    st.tuples(
        st.sampled_from(get_args(Kind)),
        st.sampled_from(["Anna", " "]),
        st.sampled_from(["meter read twice", ""]),
        st.sampled_from([TODAY, date(2026, 5, 31)]),
    ),
    max_size=12,
)


def expected(before: str, last: str | None, kind: str, was_final: bool) -> str | None:
    """The state that the table of edges gives; None for what it does not allow."""
    if kind == "final" and before == "restated":
        before = "restated, open to changes" if last == "restated" else "restated, closed again"
    if kind == "final" and before == "provisional" and was_final:
        before = "provisional, once final"
    return EDGES.get((before, kind))


@given(steps)
@settings(max_examples=150)
def test_only_allowed_decisions_are_made_and_none_is_ever_changed(drawn: list[tuple[Any, str, str, date]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        periods, state = Periods(Path(folder)), "open"
        made: list[str] = []
        kept: dict[str, bytes] = {}
        for kind, by, reason, today in drawn:
            new = expected(state, made[-1] if made else None, kind, "final" in made)
            named = by.strip() and (reason or kind in ("provisional", "final"))
            if new and named and today == TODAY:
                periods.decide(MAY, kind, by, today, reason)
                state, made = new, [*made, kind]
            else:
                with pytest.raises(KetenError):
                    periods.decide(MAY, kind, by, today, reason)
            found = periods.read().get(MAY, Month())
            assert (found.status, [d.kind for d in found.decisions]) == (state, made)
            files = {path.name: path.read_bytes() for path in Path(folder).glob("*.json")}
            assert kept.items() <= files.items(), "a decision that was made is changed or gone"
            kept = files


@pytest.mark.parametrize(
    ("made", "kind", "by", "reason", "today", "words"),
    [
        (
            [],
            "provisional",
            "Anna",
            "",
            date(2026, 5, 31),
            "2026-05 is not over yet; it can be closed from 2026-06-01 on",
        ),
        ([], "provisional", "", "", TODAY, "say with --by who decides"),
        (
            [],
            "final",
            "Anna",
            "",
            TODAY,
            "2026-05 is open: a month becomes final from provisional; `keten period close 2026-05",
        ),
        (["provisional", "final"], "restated", "Anna", " ", TODAY, "say with --reason why it may change"),
        (
            ["provisional"],
            "restated",
            "Anna",
            "why",
            TODAY,
            "2026-05 is provisional: only a final month needs a restatement",
        ),
        (["provisional", "final"], "final", "Anna", "", TODAY, "2026-05 is final: "),
    ],
)
def test_a_decision_that_may_not_be_made_is_told_with_its_repair(
    tmp_path: Path, made: list[Any], kind: Any, by: str, reason: str, today: date, words: str
) -> None:
    periods = Periods(tmp_path)
    for earlier in made:
        periods.decide(MAY, earlier, "Anna", TODAY)
    before = fingerprint(periods.read())
    with pytest.raises(KetenError, match=words.replace("(", r"\(")):
        periods.decide(MAY, kind, by, today, reason)
    assert fingerprint(periods.read()) == before


def test_a_close_that_is_killed_leaves_the_month_as_it_was_and_the_next_goes_on(tmp_path: Path) -> None:
    """Killed just before the file gets its name: what was written is not seen, and not in the way."""
    Periods(tmp_path).decide(MAY, "provisional", "Anna", TODAY)
    code = (
        f"import os, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from datetime import date\nfrom pathlib import Path\nfrom resources.periods import Periods\n"
        "os.replace = lambda *names: os._exit(9)\n"
        f"Periods(Path({str(tmp_path)!r})).decide(date(2026, 5, 1), 'final', 'Anna', date(2026, 7, 2))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert any(name.startswith(".writing-") for name in os.listdir(tmp_path))
    assert Periods(tmp_path).read()[MAY].status == "provisional"
    Periods(tmp_path).decide(MAY, "final", "Anna", TODAY)
    assert Periods(tmp_path).read()[MAY].status == "final"
    assert not any(name.startswith(".writing-") for name in os.listdir(tmp_path))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"month": "2026-05", "kind": "sealed", "by": "A", "at": "2026-06-01", "left_out": []}']
)
def test_a_file_that_is_no_decision_is_told_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "2026-05.001.json").write_text(text, "utf-8")
    with pytest.raises(KetenError, match=r"2026-05\.001\.json cannot be read as a decision about a month; put back"):
        Periods(tmp_path).read()


def at(day: int, hour: int = 12) -> str:
    """A moment, `day` days after 1 June 2026."""
    return (datetime(2026, 6, 1, hour) + timedelta(days=day)).isoformat(timespec="microseconds")


def month(*decided: tuple[Any, int], left_out: tuple[str, ...] = ()) -> Month:
    return Month(
        tuple(
            Decision("2026-05", kind, "Anna", at(day), "why", left_out if kind == "final" else ())
            for kind, day in decided
        )
    )


FINAL = [("provisional", 10), ("final", 20)]


@pytest.mark.parametrize(
    ("received", "decided", "left_out", "closed"),
    [
        (15, FINAL[:1], (), False),
        (15, FINAL, (), False),
        (15, FINAL, ("late",), True),  # it had come, but was held or not taken in yet: not in the final figures
        (25, FINAL, (), True),
        (25, [*FINAL, ("restated", 30)], (), False),  # waited, and is let in
        (15, [*FINAL, ("restated", 30)], ("late",), False),
        (25, [*FINAL, ("restated", 22)], (), False),  # comes while changes are let in
        (22 + RESTATEMENT_DAYS + 1, [*FINAL, ("restated", 22)], (), True),  # comes too late for that
        (35, [*FINAL, ("restated", 30), ("final", 33)], (), True),
        (31, [*FINAL, ("restated", 30), ("final", 33)], (), False),  # is in the figures that were closed again
        (31, [*FINAL, ("restated", 30), ("final", 33)], ("late",), True),
        (25, [*FINAL, ("reopened", 22)], (), False),
    ],
)
def test_a_month_is_closed_to_what_is_not_in_its_final_figures(
    received: int, decided: list[Any], left_out: tuple[str, ...], closed: bool
) -> None:
    receipt = Receipt("late", "o", "meter_reading", "f.csv", at(received), None, "", 0)
    assert month(*decided, left_out=left_out).is_closed_to(receipt) == closed


@pytest.mark.parametrize(
    ("decided", "today", "locked"),
    [
        (FINAL[:1], 40, False),
        (FINAL, 40, True),
        ([*FINAL, ("restated", 30)], 40, False),
        ([*FINAL, ("restated", 30)], 30 + RESTATEMENT_DAYS, False),
        ([*FINAL, ("restated", 30)], 31 + RESTATEMENT_DAYS, True),
        ([*FINAL, ("restated", 30), ("final", 31)], 40, True),
        ([*FINAL, ("reopened", 30)], 40, False),
    ],
)
def test_final_values_are_locked_but_for_the_days_of_a_restatement(
    decided: list[Any], today: int, locked: bool
) -> None:
    assert month(*decided).is_locked(datetime.fromisoformat(at(today)).date()) == locked


def states(tmp_path: Path, months: dict[date, Month]) -> dict[str, tuple[Any, ...]]:
    """Status, lock and reason by period, of the months of 2026 with January to November in the reporting months."""
    with Engine(None, tmp_path) as engine:
        span = Horizon(date(2026, 1, 1), date(2026, 11, 1))
        listed = ", ".join(f"(date '{m}')" for m in span.months())
        engine.replace("reference.month", f"select m as month, 30 as days from (values {listed}) t(m)")
        engine.replace("reference.period", period_select())
        prepare_states(engine, months, TODAY)
        columns = "period_code, publication_status, is_locked, reason, decided_by"
        rows = engine.read(f"select {columns} from {PERIOD_STATUS}").read_all().to_pylist()
    return {row["period_code"]: tuple(row.values())[1:] for row in rows}


def test_a_period_is_what_the_weakest_of_its_months_is(tmp_path: Path) -> None:
    final, restated = month(*FINAL), month(*FINAL, ("restated", 30))
    given = {date(2026, n, 1): final for n in (1, 2, 3, 4, 6)}
    given |= {date(2026, 5, 1): restated, date(2026, 7, 1): final, date(2026, 8, 1): month(*FINAL[:1])}
    given |= {date(2026, 9, 1): final, date(2026, 10, 1): final, date(2026, 11, 1): final}
    found = states(tmp_path, given)
    assert found["2026-04"] == ("final", True, None, None)
    assert found["2026-05"] == ("restated", False, "why", "Anna")
    assert found["2026-08"] == ("provisional", False, None, None)
    assert found["2026-Q1"] == ("final", True, None, None)
    assert found["2026-Q2"] == ("restated", False, "why", "Anna")
    assert found["2026-Q3"] == ("provisional", False, None, None)
    assert found["2026-Q4"][0] == "open", "December is not a reporting month yet"
    assert found["2026"][0] == found["2026-11~12"][0] == "open", "they reach outside the reporting months"


def test_a_reopened_month_keeps_the_reason_for_what_changes(tmp_path: Path) -> None:
    found = states(tmp_path, {MAY: month(*FINAL, ("reopened", 30))})
    assert found["2026-05"] == ("provisional", False, "why", "Anna")
    assert found["2026-Q2"][2] is None, "the other months of the quarter were never final"
