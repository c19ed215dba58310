"""Suspending a case: clocks stand still, nothing can be done, and afterwards exactly as many working days are left as before."""

from __future__ import annotations

import pytest

from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.sheets.case import case_sheet
from engine.process.sheets.deadline import deadline_sheet
from engine.process.tasks import claim_task
from engine.store.errors import Invalid, NotAllowed, NotRunning
from tests.engine.interpreter.diagrams import call, element, sub, timer
from tests.engine.process.office import Office
from tests.engine.process.test_timers import FRAME, WATCH


@pytest.fixture
def limited(office: Office) -> Office:
    """A reply within ten working days, due on 2026-03-02."""
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:reply > end", element("reply", name="答复", unit="'B'", post="handler", limit="10"), **FRAME)
    return office


def test_the_days_of_a_suspension_are_left_out_and_the_explanation_says_so(limited: Office) -> None:
    case = limited.start()
    limited.clock.to("2026-02-12 10:00")
    suspend_instance(limited.store, case, actor=limited["gu"], reason="等待上级批复")
    task = limited.task("reply")
    assert (task.due_at, task.paused) == (None, True)
    assert limited.sweep("2026-03-05 09:00") == 0  # long after the limit
    limited.clock.to("2026-03-05 10:00")
    resume_instance(limited.store, case, actor=limited["gu"], reason="批复已下达")
    assert str(limited.task("reply").due_day) == "2026-03-17"  # eight days were left
    [deadline] = limited.timers(role="deadline")
    with limited.store.read() as session:
        explanation = deadline_sheet(session, limited["gu"], deadline.id).explanation
        assert explanation is not None
        assert [(str(pause.start_day), str(pause.end_day)) for pause in explanation.pauses] == [("2026-02-12", "2026-03-05")]
        told = [(line.title, line.opinion) for line in case_sheet(session, limited["gu"], case).timeline]
    assert told[1:] == [("暂停办理", "等待上级批复"), ("恢复办理", "批复已下达")]


def test_nothing_can_be_done_to_a_suspended_case(limited: Office) -> None:
    case = limited.start()
    suspend_instance(limited.store, case, actor=limited["gu"], reason="核查")
    with pytest.raises(NotRunning):
        limited.complete("dora", "reply")
    with pytest.raises(NotRunning):
        claim_task(limited.store, limited.task("reply").id, actor=limited["dora"])
    with pytest.raises(NotRunning):
        suspend_instance(limited.store, case, actor=limited["gu"], reason="再次")
    assert limited.open_steps() == ["reply"]


def test_a_suspended_case_may_still_be_terminated(limited: Office) -> None:
    case = limited.start()
    suspend_instance(limited.store, case, actor=limited["gu"], reason="核查")
    terminate_instance(limited.store, case, actor=limited["gu"], reason="无需办理")
    assert limited.instance(case).state == "terminated"
    assert limited.open_steps() == []
    with pytest.raises(NotRunning):
        resume_instance(limited.store, case, actor=limited["gu"], reason="反悔")


def test_what_the_case_has_started_stands_still_with_it(office: Office) -> None:
    office.deploy("start > user:inner > end", element("inner", unit="'B'", post="handler", limit="3"), key="child")
    office.deploy("start > call:ask > end", call("ask", "child"))
    case = office.start()
    [child] = office.instances("child")
    suspend_instance(office.store, case, actor=office["gu"], reason="核查")
    assert office.instance(child.id).state == "suspended"
    with pytest.raises(NotRunning):
        office.complete("dora", "inner")
    with pytest.raises(Invalid, match="上级办件"):
        resume_instance(office.store, child.id, actor=office["gu"], reason="单独恢复")
    with pytest.raises(NotRunning, match="上级办件"):
        # The case that waits for it stands still, and would never hear that it has ended.
        terminate_instance(office.store, child.id, actor=office["gu"], reason="单独终止")
    resume_instance(office.store, case, actor=office["gu"], reason="核查完毕")
    office.complete("dora", "inner")
    assert office.instance(case).state == "completed"


def test_a_pause_for_missing_material_goes_on_after_the_suspension(office: Office) -> None:
    office.deploy(
        "start > sub:answer > end",
        sub("answer", "start > user:supplement > end", element("supplement", unit="'A'", post="handler", clock="pause")),
        timer("answer", "due", workingDays=10, role="deadline"), "due > end:late",
    )  # fmt: skip
    case = office.start()
    assert [clock.state for clock in office.timers(role="deadline")] == ["paused"]
    office.clock.to("2026-02-12 10:00")
    suspend_instance(office.store, case, actor=office["gu"], reason="核查")
    office.clock.to("2026-02-25 10:00")
    resume_instance(office.store, case, actor=office["gu"], reason="核查完毕")
    assert [clock.state for clock in office.timers(role="deadline")] == ["paused"]


@pytest.mark.parametrize("who", ["anna", "otto", "petra"])
def test_only_the_office_may_suspend(limited: Office, who: str) -> None:
    case = limited.start()
    with pytest.raises(NotAllowed):
        suspend_instance(limited.store, case, actor=limited[who], reason="不想办")
    with pytest.raises(Invalid):
        suspend_instance(limited.store, case, actor=limited["gu"], reason="  ")
    assert limited.instance(case).state == "running"
