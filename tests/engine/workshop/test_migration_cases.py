"""Cases that move to another version: their tasks, claims, branches, children and items; and what stays exactly as it was."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine.process.instances import resume_instance, suspend_instance
from engine.process.sheets.case import case_sheet
from engine.process.sheets.task import task_sheet
from engine.process.tables import Task
from engine.process.tasks import complete_task
from engine.process.workshop.migrating.commands import plan_migration, start_migration
from engine.process.workshop.migrating.running import move_waiting
from engine.process.workshop.migrating.sheets import migration_sheet
from engine.store.clock import MovableClock, shanghai
from engine.store.errors import Invalid, NotAllowed
from engine.store.store import Store
from tests.engine.interpreter.diagrams import call, catches_timer, element, message, multi, timer
from tests.engine.process.office import Office, form, text
from tests.engine.workshop.migrating import FRAME, PLAIN, WORK, entry, moves, reply, rows, short, stayed


@pytest.fixture
def office(store: Store, clock: MovableClock) -> Office:
    return Office(store, clock)


# -- tasks ------------------------------------------------------------------------------------


def test_an_open_task_stays_the_same_row_and_says_what_the_new_version_says(office: Office) -> None:
    before = office.deploy(*PLAIN)
    office.start()
    office.claim("dora", "reply")
    row = office.task("reply")
    after = office.deploy(
        "start > user:answer > user:file > end", element("answer", name="作出答复", form="f", **WORK), element("file", **WORK),
        forms={"f": form(text("x", required=True))}, at="2026-02-01")
    moves(office, before, after, reply="answer")
    now = office.task("answer")
    assert (now.id, now.assignee_id, now.name) == (row.id, office["dora"].account_id, "作出答复")
    with pytest.raises(Invalid):
        office.complete("dora", "answer")
    office.complete("dora", "answer", x="好")
    assert office.open_steps() == ["file"]


def test_a_claim_is_released_where_the_new_version_gives_the_task_to_another_post(office: Office) -> None:
    before = office.deploy(*PLAIN)
    case = office.start()
    office.claim("dora", "reply")
    after = office.deploy("start > user:reply > user:file > end", element("reply", name="答复", unit="'B'", post="head"),
                          element("file", name="归档", **WORK), at="2026-02-01")
    moves(office, before, after)
    task = office.task("reply")
    assert (task.post, task.assignee_id) == ("head", None)
    assert [fact["released"] for fact in entry(office, case)["reassigned"]] == ["Dora"]
    with pytest.raises(NotAllowed):
        office.complete("dora", "reply")
    office.complete("fritz", "reply")
    with office.store.read() as session:
        assert case_sheet(session, office["fritz"], case).instance_id == case, "who got the task sees the case"


def test_what_was_done_is_still_shown_as_it_was_done(office: Office) -> None:
    first = ("start > user:ask > user:reply > end", element("ask", name="询问", form="f", **WORK), element("reply", **WORK))
    before = office.deploy(*first, forms={"f": form(text("question", required=True))})
    case = office.start()
    asked = office.task("ask").id
    office.complete("dora", "ask", question="为何")
    after = office.deploy("start > user:reply > end", element("reply", **WORK), at="2026-02-01")
    moves(office, before, after)
    with office.store.read() as session:
        sheet = case_sheet(session, office["dora"], case)
        assert task_sheet(session, office["dora"], asked).task.name == "询问"
    [done] = sheet.done_tasks
    assert [(fact.label, fact.value) for fact in done.facts] == [("question", "为何")]
    assert "迁移：由第1版改按第2版办理" in [line.title for line in sheet.timeline]


def test_answers_of_a_step_are_found_under_its_new_name(office: Office) -> None:
    def drawn(step: str) -> tuple[object, ...]:
        return (
            f"start > user:{step} > user:wait > service:collect > user:read > end", element(step, form="f", **WORK), element("wait", **WORK),
            element("read", **WORK), element("collect", operation="cases.answers", in_step=f"'{step}'", out="found"))

    forms = {"f": form(text("said", required=True))}
    before = office.deploy(*drawn("ask"), forms=forms)
    case = office.start()
    office.complete("dora", "ask", said="同意")
    moves(office, before, office.deploy(*drawn("inquire"), forms=forms, at="2026-02-01"), ask="inquire")
    office.complete("dora", "wait")
    assert [answer["said"] for answer in office.instance(case).variables["found"]] == ["同意"]


# -- branches, children, items ----------------------------------------------------------------


def both(*more: object) -> tuple[object, ...]:
    return (
        "start > and:fork > user:a > and:join > user:c > end", "fork > user:b > join", *more,
        *(element(step, name=f"环节{step}", **WORK) for step in "abc"),
    )  # fmt: skip


def test_parallel_branches_go_on_and_a_branch_that_never_began_keeps_the_case(office: Office) -> None:
    before = office.deploy(*both())
    inside, through = office.start(), office.start()
    office.complete("dora", "a")
    with office.store.read() as session:
        tasks = session.scalars(select(Task).where(Task.instance_id == through, Task.state == "open")).all()
    for task in tasks:
        complete_task(office.store, task.id, actor=office["dora"], answers={})
    wider = office.deploy(*both("fork > user:d > join", element("d", name="环节d", **WORK)), at="2026-02-01")
    was = rows(office, inside)
    migration = moves(office, before, wider)
    assert stayed(office, migration) == {inside: "新版本在此处还要并行办理“环节d”，该办件没有走过这一分支，汇合处会一直等待"}
    assert rows(office, inside) == was
    assert office.instance(through).definition_id == wider
    office.complete("dora", "b")
    office.complete("dora", "c")
    office.complete("dora", "c")
    assert {office.instance(case).state for case in (inside, through)} == {"completed"}


def test_a_running_child_returns_to_its_parent_in_the_new_version(office: Office) -> None:
    office.deploy("start > user:think > end:good", element("think", **WORK), key="opinion")
    before = office.deploy("start > call:ask > end", call("ask", "opinion"))
    case = office.start()
    [child] = office.instances("opinion")
    after = office.deploy("start > call:inquire > user:read > end", call("inquire", "opinion", out_said="outcome"), element("read", **WORK),
                          at="2026-02-01")
    moves(office, before, after, ask="inquire")
    assert [one.id for one in office.instances("opinion")] == [child.id], "no second child is started"
    office.complete("dora", "think")
    assert office.open_steps(case) == ["read"] and office.instance(case).variables["said"] == "good"


def test_items_keep_their_tasks(office: Office) -> None:
    def drawn(step: str) -> tuple[object, ...]:
        return (f"start > user:{step} > user:read > end", multi(step, over='["A", "B"]', item="who", into="all", result="said"),
                element(step, unit="who", post="handler", form="f"), element("read", **WORK))

    forms = {"f": form(text("said", required=True))}
    before = office.deploy(*drawn("ask"), forms=forms)
    case = office.start()
    office.complete("anna", "ask", said="是")
    left = office.task("ask")
    moves(office, before, office.deploy(*drawn("inquire"), forms=forms, at="2026-02-01"), ask="inquire")
    assert office.task("inquire").id == left.id and office.task("inquire").unit_id == office.units["B"]
    office.complete("dora", "inquire", said="否")
    assert office.instance(case).variables["all"] == ["是", "否"]


def test_a_supervision_that_a_missed_deadline_started_is_closed_when_the_activity_is_left_later(office: Office) -> None:
    office.deploy("start > user:watch > end", "closed > end:closed_end", element("watch", unit="'O'", post="supervisor"),
                  message("watch", "closed", "source_closed"), key="watching")
    before = office.deploy(*short(5), limitSupervision="watching", **FRAME)
    office.start()
    office.sweep("2026-02-25 09:00")
    after = office.deploy("start > user:answer > end", element("answer", name="答复", limit=10, **WORK), at="2026-02-01",
                          limitSupervision="watching", **FRAME)
    moves(office, before, after)
    assert office.open_steps() == ["answer", "watch"]
    office.complete("dora", "answer")
    assert office.open_steps() == []


def test_a_waiting_timer_keeps_its_beginning(office: Office) -> None:
    def drawn(hours: int) -> tuple[object, ...]:
        return ("start > catch:rest > user:read > end", catches_timer("rest", duration=f"PT{hours}H"), element("read", **WORK))

    before = office.deploy(*drawn(48))
    office.start()
    office.clock.to("2026-02-10 12:00")
    moves(office, before, office.deploy(*drawn(24), at="2026-02-01"))
    [rest] = office.timers()
    assert rest.due_at == shanghai("2026-02-11 09:00")
    assert office.sweep("2026-02-11 09:01") == 1 and office.open_steps() == ["read"]


# -- what cannot move -------------------------------------------------------------------------


def test_what_cannot_move_stays_exactly_as_it_was_with_the_reason(office: Office) -> None:
    before = office.deploy(*PLAIN)
    gone, moved = office.start(), office.start()
    office.complete("dora", "reply")
    office.claim("dora", "file")
    was = rows(office, gone, moved)
    nobody = office.deploy("start > user:reply > end", element("reply", name="答复", unit="'Z'", post="handler"), at="2026-02-01")
    migration = moves(office, before, nobody)
    reasons = stayed(office, migration)
    assert "“归档”" in str(reasons[gone]) and "承办单位“Z”不存在" in str(reasons[moved])
    assert rows(office, gone, moved) == was
    with office.store.read() as session:
        line = migration_sheet(session, office["petra"], migration).line
    assert (line.state, line.total, line.moved, line.stayed) == ("done", 2, 0, 2)


def test_a_case_that_ended_or_moved_meanwhile_is_left_alone(office: Office) -> None:
    before = office.deploy(*short(None))
    office.start()
    after = office.deploy(*short(5), at="2026-02-01")
    migration = plan_migration(office.store, actor=office["petra"], from_id=before, to_id=after, reason="r")
    start_migration(office.store, migration, actor=office["paul"])
    office.complete("dora", "reply")
    move_waiting(office.store)
    assert list(stayed(office, migration).values()) == ["办件已办结，无需迁移"]


def test_a_diagram_whose_timer_failed_is_mended_by_moving_the_case(office: Office) -> None:
    def drawn(then: str) -> tuple[object, ...]:
        return ("start > user:reply > end", f"ring > script:note > user:{then} > end:rung", timer("reply", "ring", duration="PT1H"),
                element("reply", **WORK), element(then, unit="'B'" if then == "good" else "'Z'", post="handler"),
                element("note", body="<bpmn:script>x = 1</bpmn:script>"))

    before = office.deploy(*drawn("bad"))
    case = office.start()
    office.sweep("2026-02-10 11:00")
    assert len(office.incidents()) == 1
    moves(office, before, office.deploy(*drawn("good"), at="2026-02-01"))
    office.sweep("2026-02-10 12:00")
    assert office.open_steps(case) == ["good", "reply"] and office.incidents() == []


def test_a_suspended_case_stays_and_says_so(office: Office) -> None:
    before = office.deploy(*short(10), **FRAME)
    case = office.start()
    suspend_instance(office.store, case, actor=office["gu"], reason="核查")
    was = rows(office, case)
    migration = moves(office, before, office.deploy(*short(5), at="2026-02-01", **FRAME))
    assert stayed(office, migration) == {case: "办件已暂停办理，恢复办理后可另行迁移"}
    assert rows(office, case) == was


def test_a_deadline_that_is_added_knows_of_a_suspension_that_is_over(office: Office) -> None:
    before = office.deploy(*short(None))
    case = office.start()
    office.clock.to("2026-02-11 10:00")
    suspend_instance(office.store, case, actor=office["gu"], reason="核查")
    office.clock.to("2026-02-13 10:00")
    resume_instance(office.store, case, actor=office["gu"], reason="核查完毕")
    moves(office, before, office.deploy(*short(5), at="2026-02-01", **FRAME))
    assert office.task("reply").due_day == date(2026, 2, 26), "two working days were left out"
