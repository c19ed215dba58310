"""Clocks that stand while a notice comes (S16): afterwards they count the days that were left by the calendar as it is then."""

from __future__ import annotations

import pytest

from engine.history_seal import verify
from engine.process.instances import resume_instance, suspend_instance
from engine.process.sheets.case import case_sheet
from engine.process.sheets.deadline import deadline_sheet
from engine.process.timekeeping.recounting import recount
from tests.engine.interpreter.diagrams import element, sub, timer
from tests.engine.process.office import Office
from tests.engine.process.test_timers import SUPPLEMENT
from tests.engine.timekeeping.acts import acts, closure, order, publish

FORMS = {"intake": {"title": "受理", "fields": [{"key": "more", "type": "text", "label": "补正"}]}}


@pytest.mark.parametrize("counted", [True, False], ids=["counted-by-the-worker", "before-the-worker-came"])
@pytest.mark.parametrize(("policy", "last_day"), [("pause", "2026-05-19"), ("restart", "2026-05-22"), ("none", "2026-05-15")])
def test_a_closure_in_the_middle_of_a_pause_gives_its_day(office: Office, policy: str, last_day: str, counted: bool) -> None:
    office.deploy(*SUPPLEMENT, timer("answer", "due", workingDays=10, role="deadline", onPause=policy),
                  timer("answer", "warn", beforeDeadline=2, role="reminder", onPause=policy), "due > end:d", "warn > end:w", forms=FORMS)
    office.clock.to("2026-04-28 10:00")
    case = office.start()
    office.clock.to("2026-05-06 11:00")
    office.complete("dora", "intake", more="yes")
    office.clock.to("2026-05-07 09:00")
    publish(office, closure("辽市政办发〔2026〕8号", "2026-05-12", published="2026-05-07"), calendar="city")
    if counted:
        recount(office.store)
        assert office.task("supplement").paused is (policy != "none")
    office.clock.to("2026-05-08 15:00")
    office.complete("anna", "supplement")
    task = office.task("intake")
    assert str(task.due_day) == last_day  # one day more each than without the closure
    [warn] = office.timers(role="reminder", state="waiting")
    assert warn.due_at is not None and task.due_at is not None and warn.due_at < task.due_at
    # A clock that stood has no date to move: what is told is that it runs again, and until when.
    assert ("redated" in acts(office, case)) is (policy == "none")
    assert recount(office.store) == 0 and verify(office.store).ok


def test_a_closure_inside_the_pause_gives_nothing(office: Office) -> None:
    office.deploy(*SUPPLEMENT, timer("answer", "due", workingDays=10, role="deadline"), "due > end:d", forms=FORMS)
    office.clock.to("2026-04-28 10:00")
    office.start()
    office.clock.to("2026-05-06 11:00")
    office.complete("dora", "intake", more="yes")
    publish(office, closure("辽市政办发〔2026〕8号", "2026-05-07", published="2026-05-06"), calendar="city")
    recount(office.store)
    office.clock.to("2026-05-08 15:00")
    office.complete("anna", "supplement")
    assert str(office.task("intake").due_day) == "2026-05-18"  # the day was no day of the limit anyway


def test_a_suspended_case_counts_by_the_new_calendar_when_it_goes_on(office: Office) -> None:
    office.deploy(*SUPPLEMENT, timer("answer", "due", workingDays=10, role="deadline"), "due > end:d", forms=FORMS)
    case = office.start()  # due on 2 March
    office.clock.to("2026-02-12 10:00")
    suspend_instance(office.store, case, actor=office["gu"], reason="等待上级批复")
    publish(office, closure("辽市政办发〔2026〕8号", "2026-03-10", published="2026-02-12"), calendar="city")
    recount(office.store)
    assert office.task("intake").paused and acts(office, case) == ["started", "suspended"]
    office.clock.to("2026-03-05 10:00")
    resume_instance(office.store, case, actor=office["gu"], reason="批复已下达")
    assert str(office.task("intake").due_day) == "2026-03-18"  # eight days were left, and one of them is closed
    [deadline] = office.timers(role="deadline")
    with office.store.read() as session:
        explanation = deadline_sheet(session, office["gu"], deadline.id).explanation
    assert explanation is not None and "辽市政办发〔2026〕8号" in explanation.edition_title


def test_a_kept_day_is_kept_over_a_suspension(office: Office) -> None:
    office.deploy(*SUPPLEMENT, timer("answer", "due", workingDays=10, role="deadline"), "due > end:d", forms=FORMS)
    case = office.start()
    publish(office, order("辽市政办发〔2026〕9号", "2026-02-10", worked=("2026-02-21",)), calendar="city")
    recount(office.store)
    assert str(office.task("intake").due_day) == "2026-03-02"  # by the calendar: Saturday, 28 February
    office.clock.to("2026-02-12 10:00")
    suspend_instance(office.store, case, actor=office["gu"], reason="核查")
    office.clock.to("2026-02-12 16:00")
    resume_instance(office.store, case, actor=office["gu"], reason="核查完毕")
    assert str(office.task("intake").due_day) == "2026-03-02"


def test_the_record_says_what_stopped_a_clock_and_what_let_it_run_again(office: Office) -> None:
    inner = sub("answer", "start > user:intake > xor:ok", "ok [more == 'yes'] > user:supplement > intake", "ok [default] > end",
                element("intake", name="受理", form="intake", unit="'B'", post="handler"),
                element("supplement", name="补正", unit="applicant_unit", post="handler", clock="pause"))
    inner.attributes["name"] = "答复"
    office.deploy("start > sub:answer > end", inner, timer("answer", "due", workingDays=10, role="deadline"), "due > end:d", forms=FORMS)
    office.clock.to("2026-04-28 10:00")
    case = office.start()
    office.clock.to("2026-05-06 11:00")
    office.complete("dora", "intake", more="yes")
    office.clock.to("2026-05-08 15:00")
    office.complete("anna", "supplement")
    suspend_instance(office.store, case, actor=office["gu"], reason="等待上级批复")
    office.clock.to("2026-05-11 10:00")
    resume_instance(office.store, case, actor=office["gu"], reason="批复已下达")
    with office.store.read() as session:
        told = [(line.title, line.opinion, line.details) for line in case_sheet(session, office["gu"], case).timeline]
    assert told[1][0] == "办结“受理”" and "“答复”暂停计时（“补正”期间）" in told[1][2]
    assert told[2][0] == "办结“补正”" and told[2][2][-2:] == ["“答复”恢复计时", "“答复”的截止日为2026年5月18日24时"]
    assert told[3] == ("暂停办理", "等待上级批复", ["“答复”暂停计时"])
    assert told[4] == ("恢复办理", "批复已下达", ["“答复”恢复计时", "“答复”的截止日为2026年5月20日24时"])  # Saturday the 9th was to be worked
