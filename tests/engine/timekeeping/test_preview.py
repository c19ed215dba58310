"""The preview tells exactly what the publication then does: the same dates, line by line, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, select

from calendars.reading import Reading
from engine.process.instances import suspend_instance
from engine.process.tables import Timer
from engine.process.timekeeping.keeping import bind_unit, create_calendar, recount_sheet
from engine.process.timekeeping.preview import Preview, preview
from engine.process.timekeeping.publishing import confirm_notice, proposal_sheet, propose_notice
from engine.process.timekeeping.recounting import recount
from engine.store.errors import NotAllowed
from tests.engine.interpreter.diagrams import element, sub, timer
from tests.engine.process.office import Office
from tests.engine.process.test_timers import FRAME, WATCH
from tests.engine.timekeeping.acts import closure, order

SNOW = closure("辽市政办发〔2026〕8号", "2026-02-26", "2026-02-27", published="2026-02-12")
SUNDAY = order("辽市政办发〔2026〕9号", "2026-02-12", worked=("2026-03-01",))
BOTH = order("辽市政办发〔2026〕10号", "2026-02-12", off=("2026-03-05",), worked=("2026-03-01",))
COUNTY = closure("甲县政办发〔2026〕3号", "2026-02-26", published="2026-02-12")


@pytest.fixture
def town(office: Office) -> Office:
    """Everything that can run: limits with their frame, timers on subprocesses, fixed days, pauses, a county, finished work."""
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="10"), **FRAME)
    office.deploy("start > user:long > end", element("long", name="整改", unit="'A'", post="handler", limit="30"), key="long", **FRAME)
    office.deploy("start > user:short > end", element("short", name="签收", unit="'A'", post="handler", limit="2"), key="short", **FRAME)
    for policy in ("pause", "restart", "none"):
        office.deploy(
            "start > sub:answer > end",
            sub("answer", "start > user:work > user:supplement > end", element("work", unit="'B'", post="handler"),
                element("supplement", unit="'A'", post="handler", clock="pause")),
            timer("answer", "due", workingDays=10, role="deadline", onPause=policy),
            timer("answer", "warn", beforeDeadline=2, role="reminder", onPause=policy), "due > end:d", "warn > end:w", key=f"s_{policy}",
        )
    office.deploy("start > user:report > end", element("report", name="年报", unit="'B'", post="handler"),
                  timer("report", "due", calendarDate="'2026-03-08'", role="deadline"),
                  timer("report", "warn", beforeDeadline=5, role="reminder"), "due > end:d", "warn > end:w", key="report")
    create_calendar(office.store, "jia", "甲县工作日历", actor=office["petra"])
    bind_unit(office.store, office.units["A"], "jia", actor=office["petra"])
    for key in ("test", "test", "long", "short", "s_pause", "s_restart", "s_none", "s_pause", "report"):
        office.start(key=key)
    office.complete("dora", "reply")  # finished work is no matter of a publication
    for _ in range(3):
        office.complete("dora", "work")  # three of the four subprocesses stand, one of them with a clock that runs on
    office.clock.to("2026-02-12 10:00")
    held = office.start()
    suspend_instance(office.store, held, actor=office["gu"], reason="核查")
    return office


def dates(office: Office) -> dict[int, tuple[str, date | None]]:
    """All clocks that run: role, and the day on which each ends."""
    with office.store.read() as session:
        rows = session.execute(select(Timer.id, Timer.role, Timer.last_day).where(Timer.state.in_(("waiting", "paused"))).order_by(Timer.id))
        return {row[0]: (row[1], row[2]) for row in rows}


def seen(office: Office, proposal: int, **more: Any) -> Preview:
    with office.store.read() as session:
        sheet = proposal_sheet(session, office["paul"], proposal)
        return preview(session, office["paul"], sheet.notice, sheet.calendar, sheet.policy, **more)


@pytest.mark.parametrize("policy", ["keep", "move"])
@pytest.mark.parametrize(("given", "calendar"), [(SNOW, "city"), (SUNDAY, "city"), (BOTH, "city"), (COUNTY, "jia")])
def test_what_was_foreseen_is_what_happens(town: Office, given: Reading, calendar: str, policy: str) -> None:
    proposal = propose_notice(town.store, given, actor=town["petra"], calendar=calendar, policy=policy)
    before = dates(town)
    foreseen = seen(town, proposal, lines=None)
    run = confirm_notice(town.store, proposal, actor=town["paul"])
    recount(town.store)
    after = dates(town)
    assert after.keys() == before.keys()
    moved = sorted((role, str(day), str(after[timer][1])) for timer, (role, day) in before.items() if after[timer][1] != day)
    words = {"截止": "deadline", "提醒": "reminder", "升级": "escalation"}
    assert sorted((words[line.role], str(line.from_day), str(line.to_day)) for line in foreseen.lines if not line.kept) == moved
    assert foreseen.lines, "each of these notices moves something"
    with town.store.read() as session:
        done = recount_sheet(session, town["paul"], run)
    assert (done.moved, done.kept) == (foreseen.moved, foreseen.kept)
    told = sorted((line.number, line.activity, line.units or None, line.from_day, line.to_day, line.computed_day, line.provisional) for line in foreseen.lines
                  if line.role == "截止")
    assert sorted(done.moves) == told


def test_the_numbers_say_what_becomes_of_whom(town: Office) -> None:
    proposal = propose_notice(town.store, SUNDAY, actor=town["petra"], calendar="city")
    foreseen = seen(town, proposal)
    assert (foreseen.later, foreseen.earlier, foreseen.kept > 0) == (0, 0, True)
    assert {line.role for line in foreseen.lines if line.kept} == {"截止"}
    moving = propose_notice(town.store, order("辽市政办发〔2026〕11号", "2026-02-12", worked=("2026-03-01",)), actor=town["petra"],
                            calendar="city", policy="move")
    assert seen(town, moving).earlier == foreseen.kept


def test_a_page_shows_some_lines_and_the_numbers_count_all(town: Office) -> None:
    proposal = propose_notice(town.store, SNOW, actor=town["petra"], calendar="city")
    everything, some = seen(town, proposal, lines=None), seen(town, proposal, lines=2)
    assert len(some.lines) == 2 < len(everything.lines)
    assert (some.cases, some.later, some.by_unit) == (everything.cases, everything.later, everything.by_unit)


def test_looking_writes_nothing(town: Office) -> None:
    proposal = propose_notice(town.store, SNOW, actor=town["petra"], calendar="city")
    written: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            written.append(statement)

    event.listen(town.store.engine, "before_cursor_execute", note)
    before = dates(town)
    seen(town, proposal)
    event.remove(town.store.engine, "before_cursor_execute", note)
    assert written == [] and dates(town) == before


@pytest.mark.parametrize("person", ["anna", "gu", "otto"])
def test_whose_deadlines_would_move_is_for_the_keepers(town: Office, person: str) -> None:
    proposal = propose_notice(town.store, SNOW, actor=town["petra"], calendar="city")
    with town.store.read() as session, pytest.raises(NotAllowed):
        preview(session, town[person], proposal_sheet(session, town["paul"], proposal).notice, "city", "keep")


def test_a_notice_that_reaches_nothing_says_so(town: Office) -> None:
    proposal = propose_notice(town.store, closure("辽市政办发〔2026〕12号", "2026-11-04", published="2026-02-12"), actor=town["petra"],
                              calendar="city")
    foreseen = seen(town, proposal)
    assert (foreseen.cases, foreseen.moved, foreseen.lines) == (0, 0, [])
