"""Clocks of cases that move to another version: their beginning, pauses and extensions stay, the numbers follow the diagram."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine.history import History
from engine.history_seal import verify
from engine.process.inbox import inbox
from engine.process.tables import Instance, Timer
from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element, sub, timer
from tests.engine.process.office import Office, form, text
from tests.engine.workshop.migrating import FRAME, WORK, due, entry, moves, reply, short


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


# -- clocks -----------------------------------------------------------------------------------


def test_ten_days_become_five_counted_from_the_same_start(office: Office) -> None:
    before = office.deploy(*reply(10))
    case = office.start()
    assert due(office, "reply") == date(2026, 3, 2)  # the Spring Festival lies between
    after = office.deploy(*reply(5), at="2026-02-01")
    office.clock.to("2026-02-11 10:00")
    moves(office, before, after)
    assert office.instance(case).definition_id == after
    assert due(office, "reply") == date(2026, 2, 24)
    [deadline] = office.timers(role="deadline")
    assert deadline.started_at == shanghai("2026-02-10 09:00") and deadline.rule["working_days"] == 5
    said = entry(office, case)
    assert (said["from_version"], said["to_version"]) == (1, 2)
    assert said["planned_by"] == "Petra" and said["approved_by"] == "Paul" and said["reason"] == "按新规定办理"
    [moved] = said["deadlines"]
    assert (moved["from"], moved["to"]) == (shanghai("2026-03-03").isoformat(), shanghai("2026-02-25").isoformat())
    assert verify(office.store).ok
    office.complete("dora", "reply")
    office.complete("dora", "file")
    assert office.instance(case).state == "completed"


def test_what_is_overdue_under_the_new_version_fires_afterwards_as_of_when_it_was_due(office: Office) -> None:
    before = office.deploy(*reply(10))
    office.start()
    after = office.deploy(*reply(5), at="2026-02-01")
    office.clock.to("2026-02-26 09:00")
    moves(office, before, after)
    assert [one.state for one in office.timers(role="deadline")] == ["waiting"]
    office.sweep()
    [deadline] = office.timers(role="deadline")
    assert deadline.state == "fired" and deadline.due_at == shanghai("2026-02-25")
    with office.store.read() as session:
        fired = session.scalars(select(History).where(History.act == "timer_fired").order_by(History.id.desc())).first()
    assert fired is not None and fired.at == shanghai("2026-02-25")


def test_a_version_that_says_the_same_changes_no_date_and_asks_no_expression_again(office: Office) -> None:
    """What an expression gave when the clock began holds, however the data have changed."""
    days = {"key": "days", "type": "integer", "label": "天数"}
    forms = {"s": form(days), "f": form(days)}
    before = office.deploy(*reply("days"), forms=forms, startForm="s")
    case = office.start(days=10)
    with office.store.work() as work:
        row = work.session.get_one(Instance, case)
        row.variables = {**row.variables, "days": 3}
    after = office.deploy(*reply("days"), element("file", article="第一条"), forms=forms, startForm="s", at="2026-02-01")
    before_it = due(office, "reply")
    moves(office, before, after)
    assert due(office, "reply") == before_it == date(2026, 3, 2)
    assert not {"deadlines", "timers"} & entry(office, case).keys()


def test_a_changed_expression_is_evaluated_with_the_data_of_the_case(office: Office) -> None:
    forms = {"s": form({"key": "days", "type": "integer", "label": "天数"})}
    before = office.deploy(*reply(10), forms=forms, startForm="s")
    office.start(days=3)
    moves(office, before, office.deploy(*reply("days + 2"), forms=forms, startForm="s", at="2026-02-01"))
    assert due(office, "reply") == date(2026, 2, 24)


SUPPLEMENT = (
    "start > sub:part > end", element("part", name="办理"),
    sub("part", "start > user:mend > user:review > end", element("review", name="审核", **WORK),
        element("mend", name="补正", unit="'A'", post="handler", clock="pause")),
)  # fmt: skip


def limited(days: int) -> tuple[object, ...]:
    return (*SUPPLEMENT, timer("part", "late", role="deadline", workingDays=days), timer("part", "soon", role="reminder", beforeDeadline=2))


def test_a_pause_that_is_over_is_kept(office: Office) -> None:
    before = office.deploy(*limited(10))
    office.start()
    office.clock.to("2026-02-12 10:00")
    office.complete("anna", "mend")
    [was] = office.timers(role="deadline")
    after = office.deploy(*limited(5), at="2026-02-01")
    moves(office, before, after)
    [clock] = office.timers(role="deadline")
    assert clock.id == was.id and clock.pauses == was.pauses != []
    assert clock.last_day == date(2026, 2, 26) and due(office, "review") == clock.last_day


def test_a_clock_that_stands_still_goes_on_standing_and_counts_by_the_new_rule_when_it_runs_again(office: Office) -> None:
    before = office.deploy(*limited(10))
    office.start()
    moves(office, before, office.deploy(*limited(5), at="2026-02-01"))
    [clock] = office.timers(role="deadline")
    assert clock.state == "paused" and clock.due_at is None and office.task("mend").paused
    office.clock.to("2026-02-12 10:00")
    office.complete("anna", "mend")
    assert due(office, "review") == date(2026, 2, 26)


@pytest.mark.parametrize("done", [True, False], ids=["over", "open"])
def test_a_deadline_that_is_added_counts_from_when_the_activity_began_and_knows_of_its_pauses(office: Office, done: bool) -> None:
    before = office.deploy(*SUPPLEMENT)
    office.start()
    office.clock.to("2026-02-12 10:00")
    if done:
        office.complete("anna", "mend")
    office.clock.to("2026-02-13 10:00")
    moves(office, before, office.deploy(*limited(5), at="2026-02-01"))
    [clock] = office.timers(role="deadline")
    assert clock.started_at == shanghai("2026-02-10 09:00")
    if not done:
        assert clock.state == "paused"
        office.complete("anna", "mend")
    assert due(office, "review") == (date(2026, 2, 26) if done else date(2026, 2, 27))


def test_a_deadline_that_was_added_to_a_task_counts_from_when_the_task_was_opened(office: Office) -> None:
    bare = ("start > user:reply > user:file > end", element("reply", name="答复", **WORK), element("file", name="归档", **WORK))
    before = office.deploy(*bare)
    case = office.start()
    office.clock.to("2026-02-12 10:00")
    moves(office, before, office.deploy(*reply(5), at="2026-02-01"))
    assert due(office, "reply") == date(2026, 2, 24)
    assert {(fact["what"], fact["role"]) for fact in entry(office, case)["timers"]} == {("added", "deadline"), ("added", "reminder")}


def test_a_deadline_that_is_gone_is_cancelled_and_one_that_had_passed_colours_nothing_any_more(office: Office) -> None:
    bare = ("start > user:reply > user:file > end", element("reply", name="答复", **WORK), element("file", name="归档", **WORK))
    before = office.deploy(*reply(5))
    late = office.start()
    office.sweep("2026-02-25 09:00")
    fresh = office.start()
    after = office.deploy(*bare, at="2026-02-01")
    moves(office, before, after)
    with office.store.read() as session:
        states = {
            case: sorted(session.scalars(select(Timer.state).where(Timer.instance_id == case))) for case in (late, fresh)
        }
        lights = [line.light for line in inbox(session, office["dora"], "posts").lines]
    assert states == {late: ["past", "past"], fresh: ["cancelled", "cancelled"]}
    assert lights == ["none", "none"]
    office.sweep("2026-06-01")
    assert office.open_steps() == ["reply", "reply"]


def test_days_that_were_added_stay_added(office: Office) -> None:
    def extended(days: int) -> tuple[object, ...]:
        return (
            "start > sub:part > end", element("part", name="办理"),
            sub("part", "start > user:ask > service:more > user:review > end", element("ask", **WORK), element("review", **WORK),
                element("more", operation="cases.extend", in_activity="'part'", in_days="3")),
            timer("part", "late", role="deadline", workingDays=days), timer("part", "soon", role="reminder", beforeDeadline=1))

    before = office.deploy(*extended(10))
    case = office.start()
    office.complete("dora", "ask")
    assert due(office, "review") == date(2026, 3, 5)
    moves(office, before, office.deploy(*extended(5), at="2026-02-01"))
    assert due(office, "review") == date(2026, 2, 27)
    assert [fact["extended"] for fact in entry(office, case)["timers"]] == [3]


def test_the_short_form_of_a_limit_follows_as_well(office: Office) -> None:
    before = office.deploy(*short(10), **FRAME)
    office.start()
    kept = {timer.role: timer.id for timer in office.timers()}
    after = office.deploy(*short(5), at="2026-02-01", **FRAME)
    fresh = office.start()
    moves(office, before, after)
    assert due(office, "reply") == date(2026, 2, 24)
    assert {timer.role: timer.id for timer in office.timers() if timer.instance_id != fresh} == kept
    dates = [[timer.due_at for timer in office.timers(role=role)] for role in kept]
    assert len(kept) == 3 and all(moved == counted for moved, counted in dates), "as if it had been so from the start"


def test_a_limit_comes_and_goes_with_the_version(office: Office) -> None:
    before = office.deploy(*short(None))
    office.start()
    middle = office.deploy(*short(5), at="2026-02-01", **FRAME)
    office.clock.to("2026-02-11 10:00")
    moves(office, before, middle)
    assert due(office, "reply") == date(2026, 2, 24)
    moves(office, middle, office.deploy(*short(None), at="2026-02-02"))
    assert due(office, "reply") is None
    assert {timer.state for timer in office.timers()} == {"cancelled"}


def test_a_part_of_the_frame_that_has_rung_does_not_ring_again(office: Office) -> None:
    before = office.deploy(*short(10), **FRAME)
    office.start()
    office.sweep("2026-02-27 09:00")
    assert {timer.role for timer in office.timers(state="fired")} == {"reminder"}
    moves(office, before, office.deploy(*short(9), at="2026-02-01", **FRAME))
    assert len(office.timers(role="reminder")) == 1
    assert due(office, "reply") == date(2026, 2, 28)


def test_a_frame_of_which_a_part_has_had_its_time_is_left_alone_by_a_version_that_says_the_same(office: Office) -> None:
    """A limit of two days has no reminder two days before: it was passed over, and is not begun anew."""
    before = office.deploy(*short(2), **FRAME)
    case = office.start()
    was = {timer.id: (timer.state, timer.due_at) for timer in office.timers()}
    moves(office, before, office.deploy(*short(2), element("reply", form="f"), forms={"f": form(text("x"))}, at="2026-02-01", **FRAME))
    assert {timer.id: (timer.state, timer.due_at) for timer in office.timers()} == was
    assert "timers" not in entry(office, case)


def test_a_task_that_comes_to_stop_the_clock_stops_it_from_the_move_on(office: Office) -> None:
    def drawn(**clock: str) -> tuple[object, ...]:
        return (
            "start > sub:part > end", element("part", name="办理"), timer("part", "late", role="deadline", workingDays=10),
            sub("part", "start > user:mend > user:review > end", element("review", name="审核", **WORK),
                element("mend", name="补正", unit="'A'", post="handler", **clock)),
        )  # fmt: skip

    plain = drawn()
    before = office.deploy(*plain)
    office.start()
    office.clock.to("2026-02-11 10:00")
    pausing = office.deploy(*drawn(clock="pause"), at="2026-02-01")
    moves(office, before, pausing)
    [clock] = office.timers(role="deadline")
    assert clock.state == "paused" and clock.pauses[0][:2] == ["2026-02-11", None]
    office.clock.to("2026-02-12 10:00")
    moves(office, pausing, office.deploy(*plain, at="2026-02-02"))
    [clock] = office.timers(role="deadline")
    assert clock.state == "waiting" and clock.pauses[0][:2] == ["2026-02-11", "2026-02-12"]
    assert clock.last_day == date(2026, 3, 3), "one working day was left out"
