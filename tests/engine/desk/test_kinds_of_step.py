"""Every verb against every kind of step: the case goes on and ends as if nobody had used one, and no clock has moved."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.history_seal import seal, verify
from engine.process.desk.copies import copy_case
from engine.process.desk.urging import urge_task
from engine.process.instances import resume_instance, suspend_instance, terminate_instance
from engine.process.returning import return_task
from engine.process.sheets.deadline import deadline_sheet
from engine.process.tables import Task, Timer
from engine.process.timekeeping.recounting import recount
from engine.process.timers import fire_due
from engine.store.errors import NotRunning, TaskClosed
from tests.engine.desk.desk import ALL, FORMS, NEXT, REVIEW, Desk
from tests.engine.interpreter.diagrams import call, element, multi, sub
from tests.engine.timekeeping.acts import closure, publish
from tests.engine.workshop.migrating import moves

OTHER = element("other", name="会办", unit="'B'", post="handler")
BODIES = element("who", body="<bpmn:script>bodies = ['x', 'y']</bpmn:script>")
KINDS = {
    "plain": ("start > user:review > user:file > end", REVIEW, NEXT),
    "parallel": ("start > and:fork > user:review > and:join > user:file > end", "fork > user:other > join", REVIEW, NEXT, OTHER),
    "countersigned": ("start > script:who > user:review > user:file > end", BODIES, REVIEW, multi("review", over="bodies"), NEXT),
    "in order": ("start > script:who > user:review > user:file > end", BODIES, REVIEW, multi("review", over="bodies", sequential=True), NEXT),
    "in a subprocess": ("start > sub:inside > user:file > end", sub("inside", "start > user:review > end", REVIEW), NEXT),
    "in a loop": ("start > user:review > xor:again", "again [result == 'no'] > user:review", "again [default] > user:file > end", REVIEW, NEXT),
    "called": ("start > call:ask > user:file > end", call("ask", "child"), NEXT),
}  # fmt: skip


@pytest.fixture
def office_with_child(desk: Desk) -> Desk:
    desk.office.deploy("start > user:review > end", REVIEW, key="child", forms=FORMS, actions=ALL)
    return desk


def finish(desk: Desk) -> None:
    """Everybody completes whatever comes, until nothing is open."""
    for _ in range(9):
        if not (steps := desk.office.open_steps()):
            return
        step = steps[0]
        if step == "review":
            desk.completes("anna")
        else:
            desk.office.complete("dora" if step == "other" else "anna", step)
    raise AssertionError(f"still open: {desk.office.open_steps()}")


@pytest.mark.parametrize("kind", KINDS)
def test_all_verbs_on_a_step_of_every_kind(office_with_child: Desk, kind: str) -> None:
    desk = office_with_child
    case = desk.opens(*KINDS[kind])
    task = desk.task()
    before = explained(desk, task)
    desk.transfer("anna", "ben", task=task.id)
    desk.delegate("ben", "clara", task=task.id)
    desk.hand_back("clara", "已核对", task=task.id)
    desk.add("ben", "clara", signing="before", task=task.id)
    desk.add("ben", "anna", signing="after", task=task.id)
    urge_task(desk.store, task.id, actor=desk.office["gu"])
    copy_case(desk.store, task.instance_id, actor=desk.office["ben"], people=[desk.id("anna")], task_id=task.id)
    desk.sign("clara")
    desk.completes("ben", task=task.id)
    assert desk.row(task.id).state == "open"
    assert explained(desk, desk.row(task.id)) == before, "no verb moves the clock, and its explanation is the same to the letter"
    desk.sign("anna", "disagree", "再核一遍")
    desk.completes("ben", "已核", task=task.id)
    done = desk.row(task.id)
    assert (done.state, done.completed_by, done.signatures) == ("done", desk.id("ben"), 0)
    assert explained(desk, done) == before
    finish(desk)
    assert desk.office.instance(case).state == "completed"
    seal(desk.store, 1000)
    assert verify(desk.store).ok


def explained(desk: Desk, task: Task) -> object:
    """The deadline of the task, day by day."""
    with desk.store.read() as session:
        timer = session.scalars(select(Timer).where(Timer.token == task.token, Timer.role == "deadline")).one()
        sheet = deadline_sheet(session, desk.office["anna"], timer.id)
        assert task.due_at == timer.due_at
        return sheet.explanation, timer.due_at, timer.pauses, timer.started_at


@pytest.mark.parametrize("signing", ["before", "beside", "after"])
def test_ending_the_case_or_the_branch_ends_its_signatures(desk: Desk, signing: str) -> None:
    case = desk.opens()
    desk.add("anna", "ben", signing=signing)
    signature = desk.signature("ben").id
    terminate_instance(desk.store, case, actor=desk.office["gu"], reason="重复申请")
    assert (desk.row(signature).state, desk.office.open_steps()) == ("cancelled", [])
    with pytest.raises((TaskClosed, NotRunning)):
        desk.completes("ben", task=signature, stance="agree")


def test_a_new_calendar_moves_a_signature_with_its_task(desk: Desk) -> None:
    case = desk.opens()
    desk.add("anna", "ben")
    desk.add("anna", "clara", signing="after")
    before = desk.task()
    publish(desk.office, closure("辽市政办发〔2026〕3号", "2026-02-11", published="2026-02-10"), calendar="city")
    recount(desk.store)
    task = desk.task()
    assert task.due_at is not None and before.due_at is not None and task.due_at > before.due_at
    for signer in ("ben", "clara"):
        signature = desk.signature(signer)
        assert [getattr(signature, name) for name in ("due_at", "due_day", "warn_at", "sort_at", "provisional", "paused")] == [
            getattr(task, name) for name in ("due_at", "due_day", "warn_at", "sort_at", "provisional", "paused")]  # fmt: skip
    assert desk.acts(case).count("redated") == 1


def test_a_reminder_reaches_those_for_whom_the_task_waits(desk: Desk) -> None:
    desk.opens(limitReminder="2")
    desk.add("anna", "ben")
    desk.completes("anna")
    second = desk.office.start()
    desk.delegate("anna", "clara", task=desk.task_of(second).id)
    desk.clock.to("2026-03-05 09:00")
    fire_due(desk.store)
    assert {who: desk.told(who, "reminder") for who in ("anna", "ben", "clara")} == {
        "anna": ["临期提醒：审核"], "ben": ["临期提醒：审核"], "clara": ["临期提醒：审核"]}  # fmt: skip


def test_a_suspension_stops_a_signature_with_its_task_and_a_return_ends_it(desk: Desk) -> None:
    case = desk.opens()
    desk.completes("anna")
    desk.add("anna", "ben", task=desk.task("file").id)
    signature = desk.signature("ben").id
    suspend_instance(desk.store, case, actor=desk.office["gu"], reason="核查")
    with pytest.raises(NotRunning):
        desk.sign("ben")
    resume_instance(desk.store, case, actor=desk.office["gu"], reason="继续")
    return_task(desk.store, desk.task("file").id, actor=desk.office["anna"], to="review", reason="补充意见")
    assert (desk.row(signature).state, desk.office.open_steps(case)) == ("cancelled", ["review"])
    finish(desk)
    assert desk.office.instance(case).state == "completed"


def test_late_is_judged_when_the_last_signature_comes(desk: Desk) -> None:
    desk.opens()
    desk.add("anna", "ben")
    desk.completes("anna")
    desk.clock.to("2026-03-10 09:00")
    desk.sign("ben")
    assert desk.task("review", "done").late and desk.signature("ben").late


def test_a_held_completion_that_is_no_longer_valid_goes_back_with_a_sentence(desk: Desk) -> None:
    """The choices of a form may come from the case's data, and those may change while people sign."""
    office = desk.office
    chosen = {"title": "选择", "fields": [{"key": "body", "type": "select", "label": "承办科室", "required": True, "options_from": "rooms"}]}
    office.deploy(
        "start > script:s > and:fork > user:review > and:join > end", "fork > user:other > script:close > join",
        element("s", body="<bpmn:script>rooms = ['一科', '二科']</bpmn:script>"),
        element("close", body="<bpmn:script>rooms = ['三科']</bpmn:script>"),
        element("review", name="审核", form="chosen", unit="'A'", post="handler"), OTHER, forms={"chosen": chosen}, actions=ALL,
    )  # fmt: skip
    case = office.start()
    desk.add("anna", "ben")
    desk.completes("anna", body="一科")
    office.complete("dora", "other")
    desk.sign("ben")
    task = desk.task()
    assert (task.state, task.completed_by, task.sent_how, task.assignee_id) == ("open", None, "refused", desk.id("anna"))
    assert "“承办科室”没有“一科”这一选项" in (task.sent_note or "")
    assert desk.told("anna", "task")[-1] == "办结未能生效：审核"
    desk.completes("anna", body="三科")
    assert office.instance(case).state == "completed"


def test_a_migrated_task_keeps_its_signatures_as_long_as_its_unit_has_it(desk: Desk) -> None:
    office = desk.office
    plain = ("start > user:review > end",)
    first = office.deploy(*plain, REVIEW, forms=FORMS, actions=ALL)
    case = office.start()
    desk.add("anna", "ben")
    desk.completes("anna")
    second = office.deploy(*plain, element("review", name="复核", form="review", unit="'A'", post="handler", limit="20"), forms=FORMS,
                           actions=ALL, at="2026-02-01")  # fmt: skip
    moves(office, first, second)
    signature = desk.signature("ben")
    assert (signature.name, signature.due_at, signature.state) == ("复核", desk.task().due_at, "open")
    third = office.deploy(*plain, element("review", name="复核", form="review", unit="'B'", post="handler"), forms=FORMS,
                          actions=ALL, at="2026-02-02")  # fmt: skip
    moves(office, second, third)
    assert (desk.row(signature.id).state, desk.task().completed_by, desk.task().signatures) == ("cancelled", None, 0)
    desk.completes("dora")
    assert office.instance(case).state == "completed"
