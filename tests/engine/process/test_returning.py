"""Returning a task: to whom, from where, what becomes of what is open beside it, of the clocks and of who is told."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from engine.history import History
from engine.people.tables import Appointment
from engine.process.instances import suspend_instance, terminate_instance
from engine.process.operations import OPERATIONS, Operation
from engine.process.returning import return_targets, return_task
from engine.process.sheets.case import case_sheet
from engine.process.sheets.task import task_sheet
from engine.process.tables import Notice, Task
from engine.process.tasks import claim_task, complete_task
from engine.process.withdrawing import give_up
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Stale, TaskClosed, TaskTaken
from tests.engine.interpreter.diagrams import call, element, multi, sub, timer
from tests.engine.process.office import Office, form, text
from tests.engine.process.test_timers import FRAME, WATCH

A, HEAD, B = {"unit": "'A'", "post": "handler"}, {"unit": "'A'", "post": "head"}, {"unit": "'B'", "post": "handler"}
LINE = ("start > user:draft > user:check > user:sign > end:signed", element("draft", name="拟稿", form="draft", **A), element("check", name="审核", **A),
        element("sign", name="签发", **HEAD))
FORMS = {"apply": form(text("why", required=True)), "draft": form(text("words"))}


@pytest.fixture
def line(office: Office) -> Office:
    """A case that Anna applied for, Ben drafted, Anna checked, and Clara is to sign."""
    office.deploy(*LINE, forms=FORMS, actions="return,withdraw", startForm="apply")
    office.start("anna", why="需要")
    office.complete("ben", "draft", words="初稿")
    office.complete("anna", "check")
    return office


def back(office: Office, who: str, step: str, to: str, reason: str = "请更正") -> None:
    return_task(office.store, office.task(step).id, actor=office[who], to=to, reason=reason)


def targets(office: Office, who: str, step: str) -> list[str]:
    with office.store.read() as session:
        return [target.step for target in return_targets(session, office[who], office.task(step).id)]


def told(office: Office, who: str) -> list[str]:
    with office.store.read() as session:
        return list(session.scalars(select(Notice.title).where(Notice.account_id == office[who].account_id).order_by(Notice.id)))


# -- where to, and to whom ----------------------------------------------------------------------


def test_every_step_that_was_done_and_the_starter_are_offered_the_last_first(line: Office) -> None:
    with line.store.read() as session:
        offered = return_targets(session, line["clara"], line.task("sign").id)
    assert [(target.step, target.label) for target in offered] == [
        ("starter", "发起人（Anna）：修改后重新提交"), ("check", "审核（Anna）"), ("draft", "拟稿（Ben）")]  # fmt: skip


def test_what_is_returned_goes_to_who_did_it_with_the_reason_and_comes_the_same_way_again(line: Office) -> None:
    back(line, "clara", "sign", "draft", " 依据不全 ")
    task = line.task("draft")
    assert (task.assignee_id, task.sent_how, task.sent_by, task.sent_note) == (
        line["ben"].account_id, "returned", line["clara"].account_id, "依据不全")  # fmt: skip
    assert line.open_steps() == ["draft"]
    with pytest.raises(TaskTaken):
        claim_task(line.store, task.id, actor=line["anna"])
    assert told(line, "ben")[-1] == "退回办理：拟稿"
    line.complete("ben", "draft", words="二稿")
    line.complete("anna", "check")
    line.complete("clara", "sign")
    with line.store.read() as session:
        titles = [(entry.title, entry.opinion) for entry in case_sheet(session, line["anna"], task.instance_id).timeline]
    assert ("退回：由“签发”退回“拟稿”", "依据不全") in titles
    assert line.instance(task.instance_id).outcome == "signed"


def test_previous_is_the_step_before(line: Office) -> None:
    back(line, "clara", "sign", "previous")
    assert (line.open_steps(), line.task("check").assignee_id) == (["check"], line["anna"].account_id)


def test_who_has_left_the_post_does_not_get_it_again(line: Office) -> None:
    with line.store.work() as work:
        work.session.query(Appointment).filter_by(account_id=line["ben"].account_id).delete()
    back(line, "clara", "sign", "draft")
    assert line.task("draft").assignee_id is None, "the post has it"


def test_several_rounds_leave_one_open_task_each_time(line: Office) -> None:
    for _ in range(3):
        back(line, "clara", "sign", "draft")
        line.complete("ben", "draft", words="又一稿")
        line.complete("anna", "check")
        assert line.open_steps() == ["sign"]
    line.complete("clara", "sign")
    assert line.open_steps() == []


@pytest.mark.parametrize(("text", "offered"), [("draft", ["draft"]), ("previous", ["check"]), ("starter", ["starter"]), ("any", ["check", "draft"])])
def test_the_diagram_says_where_to(office: Office, text: str, offered: list[str]) -> None:
    office.deploy(*LINE, element("sign", returnTo=text), forms=FORMS, actions="return")
    office.start()
    office.complete("ben", "draft")
    office.complete("anna", "check")
    assert targets(office, "clara", "sign") == offered
    with pytest.raises(Invalid, match="请更正|按提示|修改"):
        back(office, "clara", "sign", "sign")


def test_where_the_diagram_says_nothing_nothing_is_returned(office: Office) -> None:
    office.deploy(*LINE, forms=FORMS)
    office.start()
    office.complete("ben", "draft")
    assert targets(office, "anna", "check") == []
    with pytest.raises(NotAllowed, match="未设“退回”"):
        back(office, "anna", "check", "draft")


# -- the starter --------------------------------------------------------------------------------


def test_the_starter_corrects_what_they_applied_for_and_submits_it_again(line: Office) -> None:
    back(line, "clara", "sign", "starter")
    task = line.task("start")
    assert (task.name, task.post, task.assignee_id) == ("修改后重新提交", "handler", line["anna"].account_id)
    with line.store.read() as session:
        sheet = task_sheet(session, line["anna"], task.id)
    assert sheet.form is not None and sheet.first_values == {"why": "需要"}, "to be corrected, not to be typed again"
    with pytest.raises(Invalid) as refused:
        line.complete("anna", "start")
    assert "why" in refused.value.fields
    line.complete("anna", "start", why="另有依据")
    assert line.open_steps() == ["draft"]
    assert line.instance(task.instance_id).variables["why"] == "另有依据"


def test_the_starter_may_give_the_case_up_instead(line: Office) -> None:
    back(line, "clara", "sign", "starter")
    task = line.task("start")
    with pytest.raises(TaskTaken):
        give_up(line.store, task.id, actor=line["ben"], reason="不办了")
    with pytest.raises(Invalid):
        give_up(line.store, task.id, actor=line["anna"], reason=" ")
    give_up(line.store, task.id, actor=line["anna"], reason="不再需要")
    case = line.instance(task.instance_id)
    assert (case.state, case.outcome_name, line.open_steps()) == ("terminated", "已撤回", [])


def test_nobody_gives_up_from_another_step(line: Office) -> None:
    with pytest.raises(NotAllowed):
        give_up(line.store, line.task("sign").id, actor=line["clara"], reason="不办了")


def test_a_case_that_another_one_started_has_no_starter_to_return_to(office: Office) -> None:
    office.deploy("start > user:one > user:two > end", element("one", **B), element("two", **B), key="child", actions="return")
    office.deploy("start > call:ask > end", call("ask", "child"))
    office.start()
    office.complete("dora", "one")
    assert targets(office, "dora", "two") == ["one"], "and nothing of its parent"


# -- what is open beside it ---------------------------------------------------------------------


def test_out_of_a_parallel_block_the_others_are_told_that_it_is_over(office: Office) -> None:
    office.deploy("start > user:draft > and:fork > user:law > and:join > end", "fork > user:money > join",
                  element("draft", name="拟稿", **A), element("law", name="法制审核", **A), element("money", name="财务审核", **B), actions="return")
    office.start()
    office.complete("anna", "draft")
    office.claim("dora", "money")
    assert targets(office, "ben", "law") == ["starter", "draft"]
    back(office, "ben", "law", "draft")
    assert (office.open_steps(), office.task("money", "cancelled").assignee_id) == (["draft"], office["dora"].account_id)
    assert told(office, "dora")[-1] == "待办已撤销：财务审核"
    office.complete("anna", "draft")
    office.complete("ben", "law")
    assert office.open_steps() == ["money"], "both are asked again"


@pytest.mark.parametrize("sequential", [False, True])
def test_out_of_a_countersign_no_item_is_left(office: Office, sequential: bool) -> None:
    office.deploy("start > user:draft > user:sign > end", element("draft", **A), element("sign", unit="body", post="handler"),
                  multi("sign", over="['A', 'B', 'A']", item="body", sequential=sequential), actions="return")
    office.start()
    office.complete("anna", "draft")
    office.complete("ben", "sign")
    back(office, "dora", "sign", "draft")
    assert office.open_steps() == ["draft"]
    office.complete("anna", "draft")
    assert len(office.open_steps()) == (1 if sequential else 3)
    assert [task.unit_id for task in _open(office)][0] == office.units["A"]


def _open(office: Office) -> list[Task]:
    with office.store.read() as session:
        return list(session.scalars(select(Task).where(Task.state == "open").order_by(Task.id)))


def test_back_into_a_countersign_each_has_their_own_item_again(office: Office) -> None:
    office.deploy("start > user:sign > user:sum > end", element("sign", unit="body", post="handler"), element("sum", **A),
                  multi("sign", over="['A', 'B']", item="body"), actions="return")
    office.start()
    office.complete("ben", "sign")
    office.complete("emil", "sign")
    back(office, "anna", "sum", "sign")
    assert {task.unit_id: task.assignee_id for task in _open(office)} == {
        office.units["A"]: office["ben"].account_id, office.units["B"]: office["emil"].account_id}  # fmt: skip


def test_the_child_of_a_call_that_is_withdrawn_does_not_live_on(office: Office) -> None:
    office.deploy("start > user:judge > end", element("judge", **B), key="child")
    office.deploy("start > user:draft > and:fork > call:ask > and:join > end", "fork > user:own > join",
                  element("draft", **A), element("own", **A), call("ask", "child"), actions="return")
    case = office.start()
    office.complete("anna", "draft")
    back(office, "anna", "own", "draft")
    assert ([child.state for child in office.instances("child")], office.open_steps()) == (["terminated"], ["draft"])
    office.complete("anna", "draft")
    office.complete("anna", "own")
    office.complete("dora", "judge")
    assert office.instance(case).state == "completed", "the second round has a child of its own"


def test_what_was_done_out_of_a_subprocess_cancels_its_clock_and_what_it_had_started(office: Office) -> None:
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:draft > sub:answer > end", "due > call:supervise > end:s",
                  sub("answer", "start > user:reply > end", element("reply", **B)), timer("answer", "due", workingDays=10, role="deadline"),
                  call("supervise", "watch"), element("draft", **A), actions="return")
    office.start()
    office.complete("anna", "draft")
    back(office, "dora", "reply", "draft")
    assert [clock.state for clock in office.timers(role="deadline")] == ["cancelled"]
    office.complete("anna", "draft")
    assert [clock.state for clock in office.timers(role="deadline")] == ["cancelled", "waiting"]


# -- clocks -------------------------------------------------------------------------------------


def test_the_own_limit_ends_and_the_target_begins_anew(office: Office) -> None:
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:draft > user:reply > end", element("draft", limit="5", **A), element("reply", limit="10", **B),
                  actions="return", **FRAME)
    office.start()
    office.complete("anna", "draft")
    office.clock.to("2026-02-12 10:00")
    back(office, "dora", "reply", "draft")
    assert str(office.task("draft").due_day) == "2026-02-26", "five working days from the day of the return"
    assert office.timers(element="reply", state="waiting") == []


def test_what_is_overdue_fires_first_and_supervision_is_closed_when_it_is_returned(office: Office) -> None:
    office.deploy(*WATCH, key="watch")
    office.deploy("start > user:draft > user:reply > end", element("draft", **A), element("reply", name="答复", limit="10", **B), actions="return", **FRAME)
    case = office.start()
    office.complete("anna", "draft")
    office.clock.to("2026-03-10 10:00")
    back(office, "dora", "reply", "draft")
    [watch] = office.instances("watch")
    assert (watch.source_id, watch.state) == (case, "completed")
    assert office.open_steps(case) == ["draft"]


STATUTORY = element("reply", limit="10", statutoryMax="10", article="第一条", **B)


@pytest.mark.parametrize(("returns", "offered"), [
    ({}, []), ({"returnTo": "any"}, []), ({"returnTo": "draft"}, ["draft"]), ({"returnTo": "starter,previous"}, ["starter"])])
def test_nobody_escapes_a_statutory_limit_by_returning_unless_the_diagram_names_the_step(
    office: Office, returns: dict[str, str], offered: list[str]
) -> None:
    office.deploy("start > user:draft > user:reply > end", element("draft", **A), STATUTORY, element("reply", **returns), actions="return")
    office.start()
    office.complete("anna", "draft")
    assert targets(office, "dora", "reply") == offered


def test_within_an_activity_with_a_statutory_limit_one_may_go_back_as_its_clock_runs_on(office: Office) -> None:
    office.deploy("start > user:draft > sub:answer > end", "due > end:late",
                  sub("answer", "start > user:one > user:two > end", element("one", **B), element("two", **B)),
                  timer("answer", "due", workingDays=10, statutoryMax=10, article="第一条", role="deadline"), element("draft", **A), actions="return")
    office.start()
    office.complete("anna", "draft")
    office.complete("dora", "one")
    assert targets(office, "dora", "two") == ["one"]
    before = office.task("two").due_day
    office.clock.to("2026-02-12 10:00")
    back(office, "dora", "two", "one")
    assert office.task("one").due_day == before


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anna", "dora", "gu", "otto"])
def test_who_may_not_work_on_it_may_not_return_it(line: Office, who: str) -> None:
    assert targets(line, who, "sign") == []
    with pytest.raises(NotAllowed):
        back(line, who, "sign", "draft")
    assert line.open_steps() == ["sign"]


def test_a_return_needs_a_reason_and_a_target_that_is_one(line: Office) -> None:
    for to, reason in (("draft", "  "), ("draft", "长" * 501), ("nowhere", "更正"), ("", "更正")):
        with pytest.raises(Invalid):
            back(line, "clara", "sign", to, reason)
    with pytest.raises(NotFound):
        return_task(line.store, 999_999, actor=line["clara"], to="draft", reason="更正")
    assert line.open_steps() == ["sign"]


def test_nothing_is_returned_of_what_is_over_stands_still_or_was_done(line: Office) -> None:
    task = line.task("sign")
    suspend_instance(line.store, task.instance_id, actor=line["gu"], reason="核查")
    with pytest.raises(NotRunning):
        back(line, "clara", "sign", "draft")
    terminate_instance(line.store, task.instance_id, actor=line["gu"], reason="无需办理")
    with pytest.raises(TaskClosed):
        return_task(line.store, task.id, actor=line["clara"], to="draft", reason="更正")
    with pytest.raises(TaskClosed):
        return_task(line.store, line.task("draft", "done").id, actor=line["ben"], to="starter", reason="更正")


def test_two_at_once_one_completes_or_returns_and_the_other_is_told(line: Office) -> None:
    task = line.task("sign").id
    line.joins("cora", "A", "head")
    said: list[str] = []
    gate = threading.Barrier(2)

    def act(what: str) -> None:
        gate.wait()
        try:
            if what == "return":
                return_task(line.store, task, actor=line["clara"], to="draft", reason="更正")
            else:
                complete_task(line.store, task, actor=line["cora"], answers={})
            said.append("ok")
        except (TaskClosed, TaskTaken, NotRunning, Stale) as told:
            said.append(type(told).__name__)

    people = [threading.Thread(target=act, args=(what,)) for what in ("return", "complete")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert said.count("ok") == 1
    assert line.open_steps() in (["draft"], [])


def test_the_history_says_it_once_and_holds(line: Office) -> None:
    case = line.task("sign").instance_id
    back(line, "clara", "sign", "draft")
    with line.store.read() as session:
        [entry] = session.scalars(select(History).where(History.instance_id == case, History.act == "returned"))
    assert (entry.step, entry.data["to"], entry.data["reason"], entry.data["opened"][0]["step"]) == ("sign", "draft", "请更正", "draft")


# -- what took effect ---------------------------------------------------------------------------


def test_nobody_returns_over_what_took_effect_unless_the_diagram_names_the_step(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A grant would be given twice. Looking something up, or what a reminder beside the way did, is no matter."""
    for name, repeatable in (("test.grant", False), ("test.look", True), ("test.scold", False)):
        monkeypatch.setitem(OPERATIONS, name, Operation(name, {}, "", lambda call: None, repeatable=repeatable))
    parts = ("start > user:draft > service:give > user:check > service:look > user:sign > end", "late > service:scold > end:scolded",
             element("draft", **A), element("check", **A), element("sign", **HEAD), timer("check", "late", workingDays=1),
             element("give", operation="test.grant"), element("look", operation="test.look"), element("scold", operation="test.scold"))
    office.deploy(*parts, actions="return")
    office.start()
    office.complete("anna", "draft")
    assert targets(office, "anna", "check") == []
    office.sweep("2026-02-14 09:00")
    office.complete("anna", "check")
    assert targets(office, "clara", "sign") == ["check"]
    office.deploy(*parts, element("sign", returnTo="draft, previous"), actions="return")
    case = office.start()
    office.complete("anna", "draft")
    office.complete("anna", "check")
    with office.store.read() as session:
        task = session.scalars(select(Task.id).where(Task.instance_id == case, Task.step == "sign")).one()
        assert [target.step for target in return_targets(session, office["clara"], task)] == ["check", "draft"]
