"""The month close: the cut-off day, the schedule that keeps to it, and what a final month lets in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.definitions import build_definitions
from pipelines.month_close import BY, cut_off, month_close
from pipelines.settings import Place
from resources.catalogue.reading import load_catalogue
from resources.periods import Periods
from tests.deployment import AS_OF, READINGS, WASTE, Deployment, tiny

JANUARY = date(2025, 1, 1)


# Counted by hand on a calendar of 2026 with the Dutch public holidays: 1 January, Good Friday 3 April, Easter Monday 6 April,
# King's Day 27 April, Ascension Day 14 May, Whit Monday 25 May, 25 and 26 December.
@pytest.mark.parametrize(
    ("closing", "working_day", "on"),
    [
        ("2025-12", 10, "2026-01-15"),
        ("2026-01", 10, "2026-02-13"),
        ("2026-02", 10, "2026-03-13"),
        ("2026-03", 10, "2026-04-16"),
        ("2026-04", 10, "2026-05-15"),
        ("2026-05", 10, "2026-06-12"),
        ("2026-06", 10, "2026-07-14"),
        ("2026-07", 10, "2026-08-14"),
        ("2026-08", 10, "2026-09-14"),
        ("2026-09", 10, "2026-10-14"),
        ("2026-10", 10, "2026-11-13"),
        ("2026-11", 10, "2026-12-14"),
        ("2026-12", 10, "2027-01-15"),
        ("2025-12", 1, "2026-01-02"),
        ("2026-03", 3, "2026-04-07"),
        ("2026-03", 17, "2026-04-28"),
        ("2026-04", 16, "2026-05-26"),
        ("2026-11", 19, "2026-12-28"),
    ],
)
def test_the_cut_off_is_a_working_day(closing: str, working_day: int, on: str) -> None:
    assert cut_off(date.fromisoformat(f"{closing}-01"), working_day) == date.fromisoformat(on)


@pytest.fixture
def unpublished(tmp_path: Path) -> Deployment:
    """A deployment that reports from September 2026 on, and never ran."""
    made = tiny(tmp_path)
    made.declare("keten.yml", {"organisation": "Tiny", "reporting": {"from": "2026-09"}})
    return made


def tick(made: Deployment, monkeypatch: pytest.MonkeyPatch, day: str) -> dg.RunRequest | dg.SkipReason:
    """What the schedule does on a day."""
    monkeypatch.setenv("KETEN_AS_OF", day)
    (schedule,) = month_close(Place(made.home, made.project), load_catalogue(made.project).settings, "refresh")
    answer = schedule(dg.build_schedule_context())
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


def publish_states(made: Deployment, **states: str) -> None:
    """A published file that shows these states."""
    made.published.parent.mkdir(parents=True, exist_ok=True)
    made.published.unlink(missing_ok=True)
    with duckdb.connect(str(made.published)) as connection:
        connection.execute("create schema bi")
        connection.execute("create table bi.bi.rpt_period (month DATE, publication_status VARCHAR)")
        for month, state in states.items():
            connection.execute("insert into bi.bi.rpt_period values (?, ?)", [month.replace("_", "-"), state])


def test_a_month_is_closed_on_its_day_and_a_run_is_asked_for_until_readers_see_it(
    unpublished: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    periods = Periods(unpublished.home / "periods")
    before = tick(unpublished, monkeypatch, "2026-10-13")
    assert isinstance(before, dg.SkipReason) and " ".join(str(before.skip_message).split()) == (
        "sep 2026 wordt voorlopig afgesloten op 14-10-2026, de 10e werkdag na de maand"
        " / Sep 2026 is closed as provisional on 14 Oct 2026, the 10th working day after it"
    )
    assert periods.read() == {}
    for _ in range(2):  # the run may fail, or the daemon be killed before it asks for one
        request = tick(unpublished, monkeypatch, "2026-10-14")
        assert isinstance(request, dg.RunRequest) and request.run_key == "month_close 2026-09"
    (decision,) = periods.read()[date(2026, 9, 1)].decisions
    assert (decision.kind, decision.by) == ("provisional", BY)
    publish_states(unpublished, **{"2026_09_01": "provisional"})
    assert isinstance(tick(unpublished, monkeypatch, "2026-10-15"), dg.SkipReason)


def test_months_that_were_missed_are_closed_on_the_first_tick_and_no_other(
    unpublished: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    periods = Periods(unpublished.home / "periods")
    monkeypatch.setenv("KETEN_AS_OF", "2026-10-20")
    periods.decide(date(2026, 9, 1), "provisional", "Anna", date(2026, 10, 20))
    request = tick(unpublished, monkeypatch, "2027-01-06")
    assert isinstance(request, dg.RunRequest) and request.run_key == "month_close 2026-09, 2026-10, 2026-11"
    assert {f"{m:%Y-%m}": month.decisions[-1].by for m, month in periods.read().items()} == {
        "2026-09": "Anna",
        "2026-10": BY,
        "2026-11": BY,
    }, "December is over, but its 10th working day is 15 January"


def test_when_every_month_is_closed_the_schedule_says_so(
    unpublished: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpublished.declare("keten.yml", {"organisation": "Tiny", "reporting": {"from": "2026-09", "to": "2026-09"}})
    tick(unpublished, monkeypatch, "2026-12-01")
    publish_states(unpublished, **{"2026_09_01": "provisional"})
    skipped = tick(unpublished, monkeypatch, "2026-12-02")
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message == "Elke rapportagemaand is afgesloten / Every reporting month is closed"


@pytest.mark.parametrize(
    ("setting", "cron"), [({}, "30 6 * * *"), ({"month_close": {"at": "7:05"}}, None), ({"month_close": None}, "")]
)
def test_the_schedule_is_on_by_itself_at_the_time_of_the_deployment(
    unpublished: Deployment, setting: dict[str, object], cron: str | None
) -> None:
    unpublished.declare("keten.yml", {"organisation": "Tiny", "reporting": {"from": "2026-09"}, **setting})
    if cron is None:
        with pytest.raises(Exception, match="month_close.at"):
            load_catalogue(unpublished.project)
        return
    place = Place(unpublished.home, unpublished.project)
    made = {s.name: s for s in build_definitions(place).schedules or () if isinstance(s, dg.ScheduleDefinition)}
    assert ("month_close" in made) == bool(cron)
    if cron:
        schedule = made["month_close"]
        assert (schedule.cron_schedule, schedule.execution_timezone) == (cron, "Europe/Amsterdam")
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


@pytest.fixture(scope="module")
def closed(small: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """January is final. Since then four deliveries came, of which two change January. To be read, not changed."""
    made = small.copy(tmp_path_factory.mktemp("closed"))
    made.keten("period", "close", "2025-01", "--by", "Anna")
    told = made.keten("period", "close", "2025-01", "--final", "--by", "Anna", "--yes")
    assert "2025-01 is final" in told
    assert "2025-01 misses: Residual waste per FTE: coverage 0%, missing; no amount of site=S;client=C" in told
    assert "Energy per m² GO" not in told, "of which nothing is missing"
    made.drop("data/meter_reading_20250301.csv", f"{READINGS}\nE,2025-01-05,20\nE,2025-02-05,20\n")
    made.drop("data/meter_reading_20250302.csv", f"{READINGS}\nE,2025-01-06,10\nE,2025-02-06,30\n")
    # A window: the lifting of 3 January is not in it, so it would be withdrawn.
    made.drop("data/waste_collection_20250303.csv", f"{WASTE}\nW,S,2025-01-10,rest,60\n")
    made.drop("data/waste_collection_20250304.csv", f"{WASTE}\nV,S,2025-02-10,rest,7\n")
    made.keten("run")
    return made


def january(made: Deployment) -> set[tuple[object, ...]]:
    """The values of January by indicator and level."""
    columns = "indicator_id, level_code, scope_code, value, value_status"
    return set(made.rows(f"select {columns} from bi.rpt_indicator_value where period_code = '2025-01'"))


def test_what_would_change_a_final_month_is_held_and_a_repeat_is_not(closed: Deployment, small: Deployment) -> None:
    states = closed.states()
    assert states["meter_reading_20250301.csv"] == states["waste_collection_20250303.csv"] == "held"
    assert states["meter_reading_20250302.csv"] == states["waste_collection_20250304.csv"] == "loaded"
    assert january(closed) == january(small), "a final month changed"
    reasons = closed.rows("select distinct reason from bi.rpt_delivery where state = 'held'")
    assert reasons == [
        (
            "It would change rows of final months; `keten period restate MONTH --by NAME --reason REASON` lets it in (2025-01)",
        )
    ]
    assert closed.rows(
        "select numerator from bi.rpt_indicator_value where indicator_id = 'energy_consumption'"
        " and level_code = 'total' and period_code = '2025-02'"
    ) == [(300,)]


def test_readers_see_the_state_of_every_period(closed: Deployment) -> None:
    by_period = dict(closed.rows("select distinct period_code, publication_status from bi.rpt_indicator_value"))
    assert by_period["2025-01"] == "final"
    assert {state for code, state in by_period.items() if code != "2025-01"} == {"open"}
    assert closed.rows(
        "select month, publication_status, decided_by, reason, change_count from bi.rpt_period order by 1"
    ) == [
        (JANUARY, "final", "Anna", None, 0),
        (date(2025, 2, 1), "open", None, None, 0),
    ]
    page = " ".join((closed.home / "published" / "index.html").read_text("utf-8").split())
    assert "definitief jan 2025" in page
    assert "2025-01 final Anna" in closed.keten("period", "list")


def test_a_final_month_is_let_in_by_a_restatement_and_tells_its_reason(closed: Deployment, tmp_path: Path) -> None:
    made = closed.copy(tmp_path)
    before = made.digests()
    made.keten("rebuild")
    assert made.digests() == before, "a rebuilt engine holds the same deliveries"
    assert "say with --reason why" in made.keten("period", "restate", "2025-01", "--by", "Bo", "--reason", " ", code=2)
    made.keten("period", "restate", "2025-01", "--by", "Bo", "--reason", "meter was read twice")
    made.keten("run")
    assert set(made.states().values()) == {"loaded"}
    changed = made.rows(
        "select period_code, reason, decided_by from bi.publication_value_change where publication_id = 3"
    )
    told = {(reason, by) for code, reason, by in changed if code == "2025-01"}
    assert told == {("meter was read twice", "Bo")}
    assert {reason for code, reason, _ in changed if code != "2025-01"} == {None}, "February is not final"
    count = sum(code == "2025-01" for code, *_ in changed)
    assert made.rows(
        f"select publication_status, decided_by, reason, change_count from bi.rpt_period where month = '{JANUARY}'"
    ) == [("restated", "Bo", "meter was read twice", count)]
    assert "no run was started" in made.keten("run"), "what is told of changes is no change itself"
    after = made.digests()
    made.keten("rebuild")
    assert made.digests() == after
    assert made.rows("select max(publication_id) from bi.publication") == [(3,)]


def test_another_cause_blocks_the_publication_until_it_is_given_a_reason(closed: Deployment, tmp_path: Path) -> None:
    """A site turns out to be larger: master data, so no delivery of January is to blame."""
    made = closed.copy(tmp_path)
    made.drop("data/site_20250301.csv", "site_id,site_name,client_id,m2\nS,Site,C,730\n")
    before = made.published.read_bytes()
    text = made.keten("run", code=2)
    assert "published values of final periods would change without a reason (2025-01: " in text
    assert "`keten period restate 2025-01 --by NAME --reason REASON`" in text
    assert "KetenError" not in text, "a person reads this"
    assert made.published.read_bytes() == before, "readers keep the last good publication"
    periods = Periods(made.home / "periods")
    periods.decide(JANUARY, "restated", "Bo", date(2026, 7, 2), "measured again")
    made.keten("run")
    reasons = made.rows(
        "select distinct reason from bi.publication_value_change where period_code = '2025-01' and indicator_id = 'energy_intensity'"
    )
    assert reasons == [("measured again",)]


def test_before_a_month_is_final_its_gaps_are_told(closed: Deployment, tmp_path: Path) -> None:
    made = closed.copy(tmp_path)
    made.keten("period", "close", "2025-02", "--by", "Anna")
    close = ["period", "close", "2025-02", "--final", "--by", "Anna"]
    place = ["--home", str(made.home), "--project", str(made.project)]
    refused = CliRunner(env={"KETEN_AS_OF": AS_OF}).invoke(app, [*close, *place], input="n\n")
    assert refused.exit_code == 1 and "Make 2025-02 final with that missing?" in refused.output
    assert Periods(made.home / "periods").read()[date(2025, 2, 1)].status == "provisional"
    text = made.keten(*close, "--yes")
    assert "2025-02 misses: delivery held, meter_reading_20250301.csv: It would change rows of final months" in text
    left_out = Periods(made.home / "periods").read()[date(2025, 2, 1)].decisions[-1].left_out
    held = ("meter_reading_20250301.csv", "waste_collection_20250303.csv")
    assert set(left_out) == {made.receipt(name).receipt_id for name in held}
    assert "2025-03 is not one of the reporting months" in made.keten(
        "period", "close", "2025-03", "--by", "Anna", code=2
    )
