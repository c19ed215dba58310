"""A county with closures of its own: its units' clocks count by its calendar, everybody else's by the city's."""

from __future__ import annotations

import pytest

from engine.process.sheets.case import case_sheet
from engine.process.sheets.deadline import deadline_sheet
from engine.process.timekeeping.keeping import bind_unit, create_calendar, kept_calendars
from engine.process.timekeeping.recounting import recount
from engine.store.errors import Invalid, NotAllowed, NotFound
from tests.engine.interpreter.diagrams import call, element, sub, timer
from tests.engine.process.office import Office
from tests.engine.timekeeping.acts import acts, closure, national, publish

SNOW = closure("甲县政办发〔2026〕3号", "2026-02-26", "2026-02-27", published="2026-02-10")
CITY_SNOW = closure("辽市政办发〔2026〕8号", "2026-02-25", published="2026-02-10")


@pytest.fixture
def county(office: Office) -> Office:
    """Units A and B reply within ten working days each, at once; unit B belongs to a county that follows the city."""
    office.deploy("start > and:fork > user:a > and:join > end", "fork > user:b > join",
                  element("a", name="市级答复", unit="'A'", post="handler", limit="10"),
                  element("b", name="县级答复", unit="'B'", post="handler", limit="10"))
    create_calendar(office.store, "jia", "甲县工作日历", actor=office["petra"])
    return office


def bind(office: Office, unit: str, calendar: str = "jia") -> None:
    bind_unit(office.store, office.units[unit], calendar, actor=office["petra"])


def days(office: Office) -> dict[str, str]:
    return {step: str(office.task(step).due_day) for step in ("a", "b")}


def calendars(office: Office) -> dict[str, str | None]:
    return {timer.element: timer.calendar for timer in office.timers()}


def test_a_limit_counts_by_the_calendar_of_the_unit_that_must_act(county: Office) -> None:
    bind(county, "B")
    publish(county, SNOW, calendar="jia")
    county.start()
    assert calendars(county) == {"a": None, "b": "jia"}
    assert days(county) == {"a": "2026-03-02", "b": "2026-03-04"}


def test_a_closure_of_the_county_moves_only_its_own_deadlines(county: Office) -> None:
    bind(county, "B")
    case = county.start()
    publish(county, SNOW, calendar="jia")
    assert recount(county.store) == 1
    assert days(county) == {"a": "2026-03-02", "b": "2026-03-04"}
    with county.store.read() as session:
        told = next(line for line in case_sheet(session, county["gu"], case).timeline if line.act == "redated")
    assert told.title == "日历更新，重新推算时限（甲县政办发〔2026〕3号）"
    assert told.details == ["“县级答复”的截止日由2026年3月2日24时调整为2026年3月4日24时"]


def test_the_explanation_names_the_county_s_order(county: Office) -> None:
    bind(county, "B")
    county.start()
    publish(county, SNOW, calendar="jia")
    recount(county.store)
    [limit] = county.timers(element="b")
    with county.store.read() as session:
        explanation = deadline_sheet(session, county["dora"], limit.id).explanation
    assert explanation is not None and SNOW.doc in explanation.edition_title
    assert [str(day.day) for day in explanation.skipped if day.notice == SNOW.doc] == ["2026-02-26", "2026-02-27"]


def test_the_city_s_closure_reaches_a_county_that_follows_it_and_no_other(county: Office) -> None:
    create_calendar(county.store, "yi", "乙县工作日历", actor=county["petra"], follows_city=False)
    bind(county, "B")
    bind(county, "A", "yi")
    county.start()
    publish(county, CITY_SNOW, calendar="city")
    recount(county.store)
    assert days(county) == {"a": "2026-03-02", "b": "2026-03-03"}


def test_binding_changes_nothing_that_runs(county: Office) -> None:
    case = county.start()
    bind(county, "B")
    publish(county, SNOW, calendar="jia")
    recount(county.store)
    assert (calendars(county), days(county)) == ({"a": None, "b": None}, {"a": "2026-03-02", "b": "2026-03-02"})
    assert acts(county, case) == ["started"]
    again = county.start()
    assert [timer.calendar for timer in county.timers(instance_id=again)] == [None, "jia"]


def test_a_clock_keeps_the_calendar_that_its_unit_has_left(county: Office) -> None:
    create_calendar(county.store, "yi", "乙县工作日历", actor=county["petra"], follows_city=False)
    county.clock.to("2026-12-18 10:00")
    bind(county, "B", "yi")
    county.start()
    county.complete("anna", "a")
    bind(county, "B", "city")
    assert (str(county.task("b").due_day), county.task("b").provisional) == ("2027-01-04", True)
    county.clock.to("2026-12-21 09:00")
    publish(county, national(county))
    assert recount(county.store) == 1
    assert [timer.calendar for timer in county.timers(element="b")] == ["yi"]  # nobody is bound to it any more
    assert (str(county.task("b").due_day), county.task("b").provisional) == ("2027-01-05", False)


def test_a_completion_counts_the_county_s_clocks_first(county: Office) -> None:
    bind(county, "B")
    case = county.start()
    county.clock.to("2026-03-02 20:00")
    publish(county, closure("甲县政办发〔2026〕4号", "2026-03-03", published="2026-03-02"), calendar="jia")  # its clock ends before
    publish(county, closure("甲县政办发〔2026〕5号", "2026-03-02", published="2026-03-02"), calendar="jia")
    county.clock.to("2026-03-04 15:00")
    county.complete("dora", "b")
    assert not county.task("b", state="done").late
    assert acts(county, case)[:3] == ["started", "redated", "timer_fired"]  # A's, by the city's calendar, was over on 2 March


def test_a_timer_on_an_activity_counts_by_the_calendar_of_its_lane(office: Office) -> None:
    office.deploy("start > user:work > end", element("work", unit="'A'", post="handler"), key="slow")
    office.deploy("start > call:child > end", call("child", "slow", unit="'B'"), timer("child", "due", workingDays=10, role="deadline"),
                  "due > end:late")
    create_calendar(office.store, "jia", "甲县工作日历", actor=office["petra"])
    bind(office, "B")
    publish(office, SNOW, calendar="jia")
    office.start()
    [due] = office.timers(element="due")
    assert (due.calendar, str(due.last_day)) == ("jia", "2026-03-04")


def test_where_no_lane_names_a_unit_the_city_s_calendar_counts(office: Office) -> None:
    office.deploy("start > sub:answer > end", sub("answer", "start > user:work > end", element("work", unit="'B'", post="handler")),
                  timer("answer", "due", workingDays=10, role="deadline"), "due > end:late")
    create_calendar(office.store, "jia", "甲县工作日历", actor=office["petra"])
    bind(office, "B")
    publish(office, SNOW, calendar="jia")
    office.start()
    [due] = office.timers(element="due")
    assert (due.calendar, str(due.last_day)) == (None, "2026-03-02")


# -- the keepers --------------------------------------------------------------------------------


def test_the_newest_binding_counts_and_the_old_ones_stay_on_record(county: Office) -> None:
    bind(county, "B")
    with county.store.read() as session:
        assert [(kept.key, kept.follows_city, kept.units) for kept in kept_calendars(session)] == [("city", True, []), ("jia", True, ["B"])]
    bind(county, "B", "city")
    bind(county, "B", "city")  # nothing to do
    with county.store.read() as session:
        assert [kept.units for kept in kept_calendars(session)] == [[], []]


@pytest.mark.parametrize("person", ["anna", "gu", "otto", "paul"])
def test_only_who_draws_processes_keeps_the_calendars(county: Office, person: str) -> None:
    with pytest.raises(NotAllowed):
        create_calendar(county.store, "yi", "乙县工作日历", actor=county[person])
    with pytest.raises(NotAllowed):
        bind_unit(county.store, county.units["B"], "jia", actor=county[person])


@pytest.mark.parametrize(("key", "name"), [("City", "城"), ("city", "城"), ("jia", "又一个"), ("a b", "空格"), ("yi", "  "), ("yi", "长" * 201)])
def test_a_calendar_wants_a_code_of_its_own_and_a_name(county: Office, key: str, name: str) -> None:
    with pytest.raises(Invalid):
        create_calendar(county.store, key, name, actor=county["petra"])


def test_only_what_is_there_can_be_bound(county: Office) -> None:
    with pytest.raises(Invalid):
        bind(county, "B", "bing")
    with pytest.raises(NotFound):
        bind_unit(county.store, 999, "jia", actor=county["petra"])


def test_an_order_wants_a_calendar_that_is_there(county: Office) -> None:
    with pytest.raises(Invalid):
        publish(county, SNOW, calendar="bing")
