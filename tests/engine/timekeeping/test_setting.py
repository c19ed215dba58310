"""A date set by hand: within the law, with all that leans on it, and standing until somebody takes it back."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest
from sqlalchemy import select

from engine.history_seal import verify
from engine.process.instances import resume_instance, suspend_instance
from engine.process.sheets.case import case_sheet
from engine.process.sheets.deadline import deadline_sheet
from engine.process.tables import Notice, Timer
from engine.process.timekeeping.recounting import recount
from engine.process.timekeeping.setting import let_count, set_due
from engine.store.clock import shanghai
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Refused, Stale
from tests.engine.interpreter.diagrams import element, sub, timer
from tests.engine.process.office import Office
from tests.engine.process.test_timers import FRAME, SUPPLEMENT, WATCH
from tests.engine.timekeeping.acts import acts, closure, order, publish
from tests.engine.workshop.migrating import WORK, moves, reply

FORMS = {"intake": {"title": "受理", "fields": [{"key": "more", "type": "text", "label": "补正"}]}}


@pytest.fixture
def limited(office: Office) -> Office:
    """A reply within ten working days of at most twelve, due on 2 March 2026: reminder on 27 February, escalation on 5 March."""
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end",
                  element("reply", name="答复", unit="'B'", post="handler", limit="10", statutoryMax="12", article="第十五条"), **FRAME)
    return office


def moments(office: Office) -> dict[str, datetime | None]:
    return {timer.role: timer.due_at for timer in office.timers() if timer.state == "waiting"}


def deadline(office: Office) -> Timer:
    return next(timer for timer in office.timers(role="deadline") if timer.state in ("waiting", "paused"))


def by_hand(office: Office, at: str, who: str = "gu", reason: str = "上级要求提前", role: str = "deadline") -> None:
    timer = next(timer for timer in office.timers(role=role) if timer.state in ("waiting", "paused"))
    set_due(office.store, timer.id, actor=office[who], due=shanghai(at), reason=reason)


def test_a_deadline_is_tightened_with_all_that_leans_on_it_and_everybody_knows(limited: Office) -> None:
    case = limited.start()
    limited.claim("dora", "reply")
    was = moments(limited)
    by_hand(limited, "2026-02-27")
    now = moments(limited)
    assert now["deadline"] == shanghai("2026-02-27") and limited.task("reply").due_day == date(2026, 2, 26)
    assert now["reminder"] == shanghai("2026-02-24") and limited.task("reply").warn_at == now["reminder"], "two working days before"
    assert now["escalation"] == shanghai("2026-03-02") and was["escalation"] == shanghai("2026-03-05")
    with limited.store.read() as session:
        told = [(line.title, line.opinion, line.details) for line in case_sheet(session, limited["gu"], case).timeline]
        sheet = deadline_sheet(session, limited["dora"], deadline(limited).id)
        [notice] = session.scalars(select(Notice).where(Notice.title.startswith("时限调整")))
    assert told[-1] == ("手工调整时限：答复", "上级要求提前", ["“答复”的截止日由2026年3月2日24时调整为2026年2月26日24时"])
    assert (sheet.set_by, sheet.set_at) == ("Gu", limited.clock.now()) and sheet.clock.by_hand
    assert sheet.explanation is not None and sheet.explanation.deadline.last_day == date(2026, 3, 2), "the days say what the calendar would give"
    assert (notice.account_id, notice.task_id) == (limited["dora"].account_id, limited.task("reply").id)
    assert "2026年2月26日" in notice.text and "上级要求提前" in notice.text
    assert limited.sweep("2026-02-27 00:00") == 2 and [one.process_key for one in limited.instances("watch")] == ["watch"]
    limited.complete("dora", "reply")
    assert limited.task("reply", "done").late and verify(limited.store).ok


def test_the_law_is_above_the_hand_and_named(limited: Office) -> None:
    limited.start()
    by_hand(limited, "2026-03-05", reason="情况复杂")
    assert limited.task("reply").due_day == date(2026, 3, 4), "the twelfth working day"
    for far in ("2026-03-06", "2027-03-05"):
        with pytest.raises(Invalid) as refused:
            by_hand(limited, far)
        assert refused.value.fields == {"duedate": "第十五条规定的期限最长为12个工作日，按日历最晚到2026年3月4日，不能再延长"}
    assert limited.task("reply").due_day == date(2026, 3, 4)


def test_pauses_and_extensions_count_towards_the_maximum(limited: Office) -> None:
    case = limited.start()
    limited.clock.to("2026-02-11 10:00")
    suspend_instance(limited.store, case, actor=limited["gu"], reason="核查")
    with pytest.raises(NotRunning):
        by_hand(limited, "2026-02-20")
    limited.clock.to("2026-02-13 10:00")
    resume_instance(limited.store, case, actor=limited["gu"], reason="核查完毕")
    with limited.store.work() as work:
        row = work.session.get_one(Timer, deadline(limited).id)
        row.rule = {**row.rule, "working_days": 13, "extended": 3}
    by_hand(limited, "2026-03-12")
    with pytest.raises(Invalid, match="3月11日|有误"):
        by_hand(limited, "2026-03-13")


def test_what_cannot_be_a_date_is_refused(limited: Office) -> None:
    case = limited.start()
    before = acts(limited, case)
    for at, role, word in (
        ("2026-02-10 09:00", "deadline", "之后"), ("2026-02-10 00:00", "deadline", "之后"), ("2026-02-27 15:00", "deadline", "24时"),
        ("2400-01-01", "deadline", "日历"), ("2026-03-03", "reminder", "早于"), ("2026-03-02", "escalation", "不能早于"), ("2026-02-09", "reminder", "之后"),
    ):
        with pytest.raises(Invalid) as refused:
            by_hand(limited, at, role=role)
        assert word in refused.value.fields["duedate"]
    with pytest.raises(Invalid):
        by_hand(limited, "2026-02-27", reason=" ")
    for who in ("anna", "dora", "fritz", "otto", "petra"):
        with pytest.raises(NotAllowed):
            by_hand(limited, "2026-02-27", who=who)
    with pytest.raises(NotFound):
        set_due(limited.store, 999, actor=limited["gu"], due=shanghai("2026-02-27"), reason="x")
    gone = deadline(limited).id
    with pytest.raises(Refused, match="没有手工调整"):
        let_count(limited.store, gone, actor=limited["gu"], reason="恢复")
    assert acts(limited, case) == before
    limited.complete("dora", "reply")
    with pytest.raises(NotRunning):
        set_due(limited.store, gone, actor=limited["gu"], due=shanghai("2026-02-27"), reason="x")


def test_a_limit_of_our_own_is_free_and_a_reminder_may_be_set_alone(office: Office) -> None:
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="10"), limitReminder="2")
    case = office.start()
    by_hand(office, "2026-02-24 08:30", role="reminder")
    by_hand(office, "2026-06-01")
    assert moments(office) == {"deadline": shanghai("2026-06-01"), "reminder": shanghai("2026-02-24 08:30")}
    with office.store.read() as session:
        lines = [(line.title, line.details) for line in case_sheet(session, office["gu"], case).timeline][1:]
    assert lines[0] == ("手工调整提醒：答复", ["由2026年2月26日24时调整为2026年2月24日08:30"])
    assert office.sweep("2026-02-24 08:30") == 1
    by_hand(office, "2026-06-02")
    assert moments(office)["reminder"] is not None, "one that has fired reminds again of a later day"


def test_a_day_that_an_article_names_is_never_put_off(office: Office) -> None:
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler"),
                  timer("reply", "due", calendarDate="'2026-12-31'", role="deadline", article="第十一条"), "due > end:d")
    office.start()
    with pytest.raises(Invalid) as refused:
        by_hand(office, "2027-01-02")
    assert refused.value.fields == {"duedate": "第十一条规定的截止日为2026年12月31日，只能提前"}
    by_hand(office, "2026-12-26")
    assert office.task("reply").due_day == date(2026, 12, 25)
    by_hand(office, "2027-01-01")
    assert office.task("reply").due_day == date(2026, 12, 31)


def test_it_stands_when_a_calendar_is_published_and_can_be_taken_back(limited: Office) -> None:
    case = limited.start()
    by_hand(limited, "2026-02-27")
    publish(limited, closure("辽市政办发〔2026〕8号", "2026-02-25", "2026-02-27", published="2026-02-10"), calendar="city")
    recount(limited.store)
    assert limited.task("reply").due_day == date(2026, 2, 26) and "redated" not in acts(limited, case)
    assert moments(limited)["reminder"] == shanghai("2026-02-14"), "its reminder counts by the new calendar: the 25th is closed"
    assert recount(limited.store) == 0
    let_count(limited.store, deadline(limited).id, actor=limited["gu"], reason="不再需要提前")
    assert limited.task("reply").due_day == date(2026, 3, 4), "two days more than before: they are closed"
    with limited.store.read() as session:
        told = case_sheet(session, limited["gu"], case).timeline[-1]
        sheet = deadline_sheet(session, limited["gu"], deadline(limited).id)
    assert (told.title, told.opinion) == ("恢复按日历推算时限：答复", "不再需要提前") and sheet.set_by is None
    limited.complete("dora", "reply")
    assert verify(limited.store).ok


def test_a_day_that_was_kept_is_kept_again_when_the_hand_is_taken_away(limited: Office) -> None:
    limited.start()
    publish(limited, order("辽市政办发〔2026〕9号", "2026-02-10", worked=("2026-02-21",)), calendar="city")
    recount(limited.store)
    assert limited.task("reply").due_day == date(2026, 3, 2), "kept, though the calendar gives the 28th"
    by_hand(limited, "2026-02-26")
    assert limited.task("reply").due_day == date(2026, 2, 25), "what was kept does not keep the hand away"
    let_count(limited.store, deadline(limited).id, actor=limited["gu"], reason="恢复")
    assert limited.task("reply").due_day == date(2026, 3, 2)


def test_nothing_is_taken_back_into_the_past(office: Office) -> None:
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="10"))
    office.start()
    by_hand(office, "2026-06-01")
    assert office.sweep("2026-03-20 09:00") == 0
    with pytest.raises(Refused, match="3月2日届满"):
        let_count(office.store, deadline(office).id, actor=office["gu"], reason="恢复")
    assert moments(office) == {"deadline": shanghai("2026-06-01")}


@pytest.mark.parametrize(("policy", "last_day"), [("pause", "2026-05-13"), ("restart", "2026-05-21"), ("none", "2026-05-11")])
def test_a_clock_that_stands_cannot_be_set_and_what_was_left_is_left(office: Office, policy: str, last_day: str) -> None:
    office.deploy(*SUPPLEMENT, timer("answer", "due", workingDays=10, role="deadline", onPause=policy), "due > end:d", forms=FORMS)
    office.clock.to("2026-04-28 10:00")
    office.start()
    by_hand(office, "2026-05-12")
    office.clock.to("2026-05-06 11:00")
    office.complete("dora", "intake", more="yes")
    if policy != "none":
        with pytest.raises(Refused, match="暂停计时"):
            by_hand(office, "2026-05-20")
        with pytest.raises(Refused, match="暂停计时"):
            let_count(office.store, deadline(office).id, actor=office["gu"], reason="恢复")
    office.clock.to("2026-05-08 15:00")
    office.complete("anna", "supplement")
    assert str(office.task("intake").due_day) == last_day  # paused: two working days later; begun anew: as counted


def test_a_step_that_extends_the_limit_extends_what_was_set(office: Office) -> None:
    office.deploy("start > sub:part > end", sub("part", "start > user:ask > service:more > user:review > end",
                  element("ask", unit="'B'", post="handler"), element("review", unit="'B'", post="handler"),
                  element("more", operation="cases.extend", in_activity="'part'", in_days="3")),
                  timer("part", "late", role="deadline", workingDays=10, statutoryMax=10, article="第十五条"), "late > end:l")
    office.start()
    by_hand(office, "2026-02-27")
    office.complete("dora", "ask")
    assert office.task("review").due_day == date(2026, 3, 2), "three working days behind the 26th, the worked Saturday among them"
    by_hand(office, "2026-03-06")
    with pytest.raises(Invalid):
        by_hand(office, "2026-03-07")


def test_another_version_leaves_it_unless_its_law_does_not(office: Office) -> None:
    first = office.deploy(*reply(10))
    case = office.start()
    by_hand(office, "2026-03-10")
    second = office.deploy(*reply(5), at="2026-02-01")
    moves(office, first, second)
    assert office.task("reply").due_day == date(2026, 3, 9) and "due_set" in acts(office, case)
    strict = ("start > user:reply > user:file > end", element("file", name="归档", **WORK), element("reply", name="答复", **WORK),
              timer("reply", "late", role="deadline", workingDays=8, statutoryMax=8, article="第十五条"))
    moves(office, second, office.deploy(*strict, at="2026-02-02"))
    assert office.task("reply").due_day == date(2026, 2, 27), "the eighth working day: the law of the new version gives no more"
    with office.store.read() as session:
        told = case_sheet(session, office["gu"], case).timeline[-1]
    assert "“答复”不再按手工调整的日期，恢复推算时限" in told.details


def test_the_worker_and_the_hand_at_once(limited: Office) -> None:
    limited.start()
    limited.sweep("2026-02-26 00:00")
    limited.clock.to("2026-03-03 00:00")
    gate, said = threading.Barrier(2), []

    def hand() -> None:
        gate.wait()
        try:
            by_hand(limited, "2026-03-05")
            said.append("set")
        except (Stale, StopIteration):
            said.append("late")

    def worker() -> None:
        gate.wait()
        limited.sweep()

    both = [threading.Thread(target=one) for one in (hand, worker)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    limited.sweep()
    assert said == ["late"] and len(limited.instances("watch")) == 1, "what is over is over, whoever comes first"
