"""A date that leans on days of which no notice has come says so wherever it is told, and no longer when the notice is there."""

from __future__ import annotations

import pytest

from engine.process.notifying.reading import notices
from engine.process.sheets.case import case_sheet
from engine.process.sheets.deadline import deadline_sheet
from engine.process.timekeeping.keeping import bind_unit, create_calendar, recount_sheet
from engine.process.timekeeping.recounting import recount
from tests.engine.interpreter.diagrams import element, sub, timer
from tests.engine.process.office import Office, choice, form
from tests.engine.process.test_timers import FRAME, WATCH
from tests.engine.timekeeping.acts import closure, national, publish


def texts(office: Office, who: str) -> list[str]:
    with office.store.read() as session:
        return [line.text for line in notices(session, office[who]).lines]


@pytest.fixture
def watched(office: Office) -> Office:
    """A reply within ten working days with the common frame, begun on 18 December: due on 4 January, provisionally."""
    office.clock.to("2026-12-18 10:00")
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="10"), **FRAME)
    office.start()
    return office


def test_the_reminder_says_that_its_day_is_not_certain(watched: Office) -> None:
    watched.sweep("2026-12-30 00:00")
    assert any("“答复”将于2027年1月4日（暂定）到期" in text for text in texts(watched, "dora"))


def test_and_no_longer_when_the_notice_has_come(watched: Office) -> None:
    watched.clock.to("2026-12-21 09:00")
    publish(watched, national(watched))
    recount(watched.store)
    watched.sweep("2026-12-31 00:00")
    assert any("“答复”将于2027年1月5日到期" in text for text in texts(watched, "dora"))


def test_what_was_missed_is_settled_whatever_comes(watched: Office) -> None:
    watched.sweep("2027-01-05 09:00")
    with watched.store.read() as session:
        sheet = case_sheet(session, watched["gu"], watched.task("reply").instance_id)
        [task], [clock] = sheet.open_tasks, sheet.clocks
    assert (task.light, task.provisional, clock.provisional) == ("red", False, False)


@pytest.fixture
def extensible(office: Office) -> Office:
    """A subprocess of ten working days in unit B's lane that a form may extend by five, with notices that name its day."""
    office.clock.to("2026-12-11 10:00")
    inner = sub(
        "answer", "start > user:work > xor:more", "more [longer == 'yes'] > service:extend > service:tell > work", "more [default] > end",
        element("work", name="研究", unit="'B'", post="handler", form="work"),
        element("extend", name="批准延期", operation="cases.extend", in_activity="'answer'", in_days="5", out="extension"),
        element("tell", operation="notices.send", in_unit="'B'", in_post="'handler'", in_title="'已延期'",
                in_text="'请于' + extension.due_text + '前答复。'", in_deadline="'answer'"),
    )
    inner.attributes["name"], inner.properties["unit"] = "限期答复", "'B'"
    office.deploy("start > sub:answer > end", inner, timer("answer", "due", workingDays=10, role="deadline"), "due > end:late",
                  forms={"work": form(choice("longer", "yes", "no"))})
    return office


def test_an_extension_says_by_which_step_and_that_its_day_is_not_certain(extensible: Office) -> None:
    case = extensible.start()
    extensible.complete("dora", "work", longer="yes")
    assert texts(extensible, "dora") == ["请于2027年1月4日（暂定）前答复。截止日：2027年1月4日（暂定）。"]
    with extensible.store.read() as session:
        told = case_sheet(session, extensible["gu"], case).timeline[1]
    assert told.title == "办结“研究”"
    assert "“限期答复”的时限延长5个工作日（环节“批准延期”）" in told.details
    assert "“限期答复”的截止日由2026年12月25日24时调整为2027年1月4日24时（暂定）" in told.details


def test_an_extension_counts_by_the_calendar_of_its_clock(extensible: Office) -> None:
    create_calendar(extensible.store, "jia", "甲县工作日历", actor=extensible["petra"])
    bind_unit(extensible.store, extensible.units["B"], "jia", actor=extensible["petra"])
    publish(extensible, closure("甲县政办发〔2026〕3号", "2026-12-28", published="2026-12-11"), calendar="jia")
    extensible.start()
    extensible.complete("dora", "work", longer="yes")
    assert str(extensible.task("work").due_day) == "2027-01-05"
    assert texts(extensible, "dora") == ["请于2027年1月5日（暂定）前答复。截止日：2027年1月5日（暂定）。"]


def test_the_json_and_the_page_say_the_same(watched: Office) -> None:
    [limit] = watched.timers(role="deadline")
    with watched.store.read() as session:
        assert deadline_sheet(session, watched["dora"], limit.id).clock.provisional
    watched.clock.to("2026-12-21 09:00")
    publish(watched, national(watched))
    recount(watched.store)
    with watched.store.read() as session:
        sheet = deadline_sheet(session, watched["dora"], limit.id)
    assert not sheet.clock.provisional and sheet.explanation is not None and not sheet.explanation.deadline.provisional


def test_a_digest_says_which_of_its_days_are_not_certain(watched: Office) -> None:
    closed = publish(watched, closure("辽市政办发〔2026〕8号", "2026-12-22", published="2026-12-18"), calendar="city")
    recount(watched.store)
    assert any("“答复”：2027年1月4日 → 2027年1月5日（暂定）" in text for text in texts(watched, "dora"))
    with watched.store.read() as session:
        [line] = recount_sheet(session, watched["paul"], closed).moves
    assert line[-1]
    watched.clock.to("2026-12-21 09:00")
    publish(watched, national(watched))
    recount(watched.store)
    assert any("“答复”：2027年1月5日 → 2027年1月6日" in text and "暂定" not in text for text in texts(watched, "dora"))
