"""A new notice and the deadlines that run: settled, moved, kept, never lost; whatever comes first, the worker or a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy import select

from calendars.reading import Reading
from engine.history_seal import verify
from engine.process.calendar_tables import Recount, RecountMove
from engine.process.editions import edition_at
from engine.process.notifying.reading import notices
from engine.process.sheets.case import case_sheet
from engine.process.timekeeping.recounting import recount
from engine.store.clock import MovableClock, shanghai
from engine.store.store import Store
from tests.engine.interpreter.diagrams import element
from tests.engine.process.office import Office
from tests.engine.process.test_timers import FRAME, WATCH
from tests.engine.timekeeping.acts import acts, closure, national, order, publish


def replies(office: Office, days: int = 10) -> Office:
    """Unit B replies within some working days, with the common frame."""
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit=str(days)), **FRAME)
    return office


# -- S10: the year end ------------------------------------------------------------------------


def test_a_deadline_over_the_year_end_is_provisional_until_the_notice_comes_and_says_so_no_longer(office: Office) -> None:
    office.clock.to("2026-12-18 10:00")
    case = replies(office).start()
    task = office.task("reply")
    assert (str(task.due_day), task.provisional) == ("2027-01-04", True)  # only 1 January is known
    office.clock.to("2026-12-21 09:00")
    run = publish(office, national(office))
    assert recount(office.store) == 1
    task = office.task("reply")
    assert (str(task.due_day), task.provisional) == ("2027-01-05", False)
    with office.store.read() as session:
        found = session.get_one(Recount, run)
        assert (found.state, found.moved, found.kept, found.told) == ("done", 1, 0, 2)
        assert [line.title for line in notices(session, office["dora"]).lines] == ["日历更新：1项待办的截止日有变化"]
        assert "2027年1月4日 → 2027年1月5日" in notices(session, office["emil"]).lines[0].text
        told = [line for line in case_sheet(session, office["gu"], case).timeline if line.act == "redated"]
        assert [line.title for line in told] == ["日历更新，重新推算时限（国办发明电〔2026〕99号）"]
        assert told[0].details == ["“答复”的截止日由2027年1月4日24时调整为2027年1月5日24时"]
    assert verify(office.store).ok


def test_reminder_and_escalation_move_with_their_deadline(office: Office) -> None:
    office.clock.to("2026-12-18 10:00")
    replies(office).start()
    before = {timer.role: timer.due_at for timer in office.timers()}
    office.clock.to("2026-12-21 09:00")
    publish(office, national(office))
    recount(office.store)
    after = {timer.role: timer.due_at for timer in office.timers()}
    assert before == {"deadline": shanghai("2027-01-05"), "reminder": shanghai("2026-12-30"), "escalation": shanghai("2027-01-07")}
    assert after == {"deadline": shanghai("2027-01-06"), "reminder": shanghai("2026-12-30"), "escalation": shanghai("2027-01-08")}


def test_a_settled_date_is_recorded_but_nobody_is_bothered(office: Office) -> None:
    office.clock.to("2026-12-11 10:00")
    case = replies(office).start()  # due on 25 December, which may yet become a bridge
    assert office.task("reply").provisional
    office.clock.to("2026-12-21 09:00")
    publish(office, national(office))
    recount(office.store)
    assert not office.task("reply").provisional
    assert acts(office, case) == ["started", "redated"]
    with office.store.read() as session:
        assert notices(session, office["dora"]).lines == []


# -- the amendments of 2019 and 2020, on open cases ---------------------------------------------


@pytest.fixture
def office_of(database_url: str) -> Iterator[Callable[[str], Office]]:
    """An office whose clock begins in another year."""
    opened: list[Store] = []

    def found(moment: str) -> Office:
        clock = MovableClock(shanghai(moment))
        opened.append(Store(database_url, clock))
        return Office(opened[-1], clock)

    yield found
    for store in opened:
        store.close()


def test_the_longer_spring_festival_of_2020_gives_two_more_days(office_of: Callable[[str], Office]) -> None:
    office = replies(office_of("2020-01-22 10:00"))
    office.start()
    assert str(office.task("reply").due_day) == "2020-02-11"  # 1 February was to be worked
    office.clock.to("2020-01-27 08:00")
    assert recount(office.store) == 1
    assert str(office.task("reply").due_day) == "2020-02-13"


def test_the_new_labour_day_of_2019_moves_a_deadline_by_what_it_gives_and_takes(office_of: Callable[[str], Office]) -> None:
    office = replies(office_of("2019-03-20 10:00"), days=30)
    office.start()
    before = office.task("reply").due_day
    office.clock.to("2019-03-22 12:00")
    recount(office.store)
    after = office.task("reply").due_day
    # Sunday 28 April is worked, 2 to 4 May are off, and Sunday 5 May is worked.
    assert (str(before), str(after)) == ("2019-05-03", "2019-05-05")


# -- closures of the city -----------------------------------------------------------------------


def test_a_snowstorm_closes_the_city_for_two_days_and_deadlines_follow(office: Office) -> None:
    replies(office).start()
    assert str(office.task("reply").due_day) == "2026-03-02"
    office.clock.to("2026-02-25 20:00")
    publish(office, closure("辽市政办发〔2026〕8号", "2026-02-26", "2026-02-27", published="2026-02-25"), calendar="city")
    recount(office.store)
    assert str(office.task("reply").due_day) == "2026-03-04"


def test_a_deadline_that_would_fall_earlier_is_kept_unless_the_publication_moves_it(office: Office) -> None:
    extra = Reading("辽市政办发〔2026〕9号", 2026, date(2026, 2, 10), date(2026, 2, 10), add_work=(date(2026, 2, 21),))
    case = replies(office).start()
    publish(office, extra, calendar="city")
    recount(office.store)
    assert str(office.task("reply").due_day) == "2026-03-02"
    with office.store.read() as session:
        [move] = session.scalars(select(RecountMove)).all()
        assert (str(move.from_day), str(move.to_day), str(move.computed_day)) == ("2026-03-02", "2026-03-02", "2026-02-28")
        told = [line for line in case_sheet(session, office["gu"], case).timeline if line.act == "redated"]
        assert told[0].details == ["“答复”按新日历应为2026-02-28截止，时间提前，保留原截止日2026年3月2日24时"]


def test_with_the_other_policy_it_moves(office: Office) -> None:
    extra = Reading("辽市政办发〔2026〕9号", 2026, date(2026, 2, 10), date(2026, 2, 10), add_work=(date(2026, 2, 21),))
    replies(office).start()
    publish(office, extra, calendar="city", policy="move")
    recount(office.store)
    assert str(office.task("reply").due_day) == "2026-02-28"


def test_a_kept_date_stays_kept_through_a_later_notice(office: Office) -> None:
    replies(office).start()
    publish(office, Reading("辽市政办发〔2026〕9号", 2026, date(2026, 2, 10), date(2026, 2, 10), add_work=(date(2026, 2, 21),)), calendar="city")
    recount(office.store)
    publish(office, closure("辽市政办发〔2026〕10号", "2026-02-26", published="2026-02-10"), calendar="city")
    recount(office.store)
    assert str(office.task("reply").due_day) == "2026-03-02"  # one day came, one went


# -- who comes first ----------------------------------------------------------------------------


def test_a_timer_that_is_due_by_the_old_calendar_does_not_fire_when_a_notice_has_moved_it(office: Office) -> None:
    replies(office).start()
    office.clock.to("2026-03-01 20:00")
    publish(office, closure("辽市政办发〔2026〕8号", "2026-03-02", published="2026-03-01"), calendar="city")
    office.sweep("2026-03-03 00:05")  # the worker fires before anybody has counted again
    assert office.instances("watch") == []
    assert str(office.task("reply").due_day) == "2026-03-03"
    office.sweep("2026-03-04 00:00")
    assert len(office.instances("watch")) == 1


def test_a_completion_is_in_time_by_the_new_date_even_before_the_worker_came(office: Office) -> None:
    replies(office).start()
    office.clock.to("2026-03-01 20:00")
    publish(office, closure("辽市政办发〔2026〕8号", "2026-03-02", published="2026-03-01"), calendar="city")
    office.clock.to("2026-03-03 15:00")
    office.complete("dora", "reply")
    assert not office.task("reply", state="done").late
    assert office.instances("watch") == []


def test_finished_work_is_untouched(office: Office) -> None:
    case = replies(office).start()
    office.complete("dora", "reply")
    before = acts(office, case), [(timer.state, timer.due_at, timer.edition) for timer in office.timers()]
    publish(office, closure("辽市政办发〔2026〕8号", "2026-02-26", published="2026-02-10"), calendar="city")
    recount(office.store)
    assert (acts(office, case), [(timer.state, timer.due_at, timer.edition) for timer in office.timers()]) == before


def test_cases_that_the_change_cannot_reach_get_the_new_edition_and_no_entry(office: Office) -> None:
    case = replies(office, days=2).start()
    publish(office, closure("辽市政办发〔2026〕8号", "2026-02-26", published="2026-02-10"), calendar="city")
    recount(office.store)
    assert acts(office, case) == ["started"]
    with office.store.read() as session:
        assert {timer.edition for timer in office.timers(state="waiting")} == {edition_at(session, office.clock.now()).id}
    assert recount(office.store) == 0


def test_a_case_that_cannot_be_counted_stops_nobody_else(office: Office) -> None:
    replies(office)
    cases = [office.start() for _ in range(3)]
    with office.store.work() as work:
        broken = next(timer for timer in office.timers(instance_id=cases[1]) if timer.role == "deadline")
        work.session.merge(broken).rule = {"working_days": -7, "on_pause": "pause"}
    publish(office, closure("辽市政办发〔2026〕8号", "2026-02-26", published="2026-02-10"), calendar="city")
    recount(office.store)
    days = [str(timer.last_day) for case in (cases[0], cases[2]) for timer in office.timers(instance_id=case, role="deadline")]
    assert days == ["2026-03-03", "2026-03-03"]
    assert [incident.instance_id for incident in office.incidents()] == [cases[1]]
    with office.store.read() as session:
        assert session.scalar(select(Recount.state)) == "done"


def test_a_notice_that_comes_in_late_is_the_cause_although_a_newer_one_stands(office: Office) -> None:
    office.clock.to("2026-12-18 10:00")
    case = replies(office).start()
    office.clock.to("2026-12-23 09:00")
    publish(office, closure("辽市政办发〔2026〕8号", "2026-12-24", published="2026-12-22"), calendar="city", policy="move")
    recount(office.store)
    publish(office, national(office))  # published on the 21st, typed in on the 23rd
    recount(office.store)
    with office.store.read() as session:
        told = [line.title for line in case_sheet(session, office["gu"], case).timeline if line.act == "redated"]
    assert told == ["日历更新，重新推算时限（辽市政办发〔2026〕8号）", "日历更新，重新推算时限（国办发明电〔2026〕99号）"]


def test_the_policy_is_that_of_the_notice_that_came_in_last(office: Office) -> None:
    replies(office).start()
    office.clock.to("2026-02-12 09:00")
    publish(office, order("辽市政办发〔2026〕9号", "2026-02-12", off=("2026-03-12",)), calendar="city", policy="move")
    recount(office.store)
    publish(office, order("辽市政办发〔2026〕7号", "2026-02-11", worked=("2026-02-21",)), calendar="city", policy="keep")
    recount(office.store)
    assert str(office.task("reply").due_day) == "2026-03-02"
