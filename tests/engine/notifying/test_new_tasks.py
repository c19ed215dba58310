"""New tasks: told of to whoever asked for it and to the unit's robot, at the price of one question."""

from __future__ import annotations

from typing import Any

from engine.process.tasks import complete_task
from engine.store.clock import shanghai
from tests.engine.interpreter.diagrams import element
from tests.engine.notifying.conftest import Desk

FLOW = ("start > user:ask > user:answer > end", element("ask", name="申请", unit="'A'", post="handler"),
        element("answer", name="答复", unit="'B'", post="handler"))  # fmt: skip


def asks(desk: Desk, **more: Any) -> int:
    """Anna asks, and unit B has something to answer."""
    desk.deploy(*FLOW, **more)
    case = desk.start()
    desk.complete("anna", "ask")
    return case


def test_nobody_is_told_who_has_not_asked_for_it(desk: Desk) -> None:
    asks(desk)
    assert (desk.notices(), desk.letters()) == ([], [])


def test_whoever_asked_for_it_is_told_and_a_colleague_is_not(desk: Desk) -> None:
    desk.wants("dora", new_task_page="at_once", new_task_mail="at_once")
    asks(desk)
    (notice,) = desk.notices()
    assert (notice.account_id, notice.kind, notice.title) == (desk["dora"].account_id, "new_task", "新待办：答复")
    assert notice.task_id == desk.task("answer").id
    (letter,) = desk.letters()
    assert (letter.recipient, letter.payload["path"]) == ("dora@example.gov.cn", f"/tasks/{notice.task_id}")


def test_who_brought_the_task_about_knows_of_it(desk: Desk) -> None:
    desk.wants("anna", new_task_page="at_once")
    desk.wants("ben", new_task_page="at_once")
    desk.deploy(*FLOW)
    desk.start()
    assert [notice.account_id for notice in desk.notices()] == [desk["ben"].account_id]


def test_a_units_robot_says_that_there_is_something_but_not_what(desk: Desk) -> None:
    number = desk.robot("B")
    desk.robot("O")
    case = asks(desk)
    (letter,) = desk.letters()
    assert (letter.channel, letter.recipient) == ("wecom", f"robot:{number}")
    assert letter.payload == {
        "kind": "new_task", "text": "【新待办】经办岗位有新消息，请登录系统查看。", "path": f"/tasks/{desk.task('answer').id}",
    }  # fmt: skip
    assert desk.instance(case).number not in str(letter.payload)


def test_a_robot_speaks_in_working_hours(desk: Desk) -> None:
    desk.robot("B")
    desk.clock.to("2026-02-14 19:00")
    asks(desk)
    assert desk.letters()[0].next_at == shanghai("2026-02-24 08:30")


def test_several_tasks_for_one_post_are_one_announcement(desk: Desk) -> None:
    desk.robot("B")
    desk.deploy("start > and:split > user:one > and:join > end", "split > user:two > join",
                element("one", unit="'B'", post="handler"), element("two", unit="'B'", post="handler"))  # fmt: skip
    desk.start()
    assert [letter.payload["text"] for letter in desk.letters()] == ["【新待办】经办岗位有2条新消息，请登录系统查看。"]


def test_a_task_that_is_closed_in_the_same_breath_is_told_of_to_nobody(desk: Desk) -> None:
    """The task's limit lies in the past when the case is started late: it opens, and its deadline ends it at once."""
    desk.wants("dora", new_task_page="at_once")
    asks(desk)
    assert len(desk.notices()) == 1
    task = desk.task("answer")
    complete_task(desk.store, task.id, actor=desk["dora"], answers={})
    assert len(desk.notices()) == 1, "the end of the case opens nothing"


def test_a_completed_step_costs_one_question_more_and_none_without_a_new_task(desk: Desk, statements: list[str]) -> None:
    desk.deploy(*FLOW)
    for _ in range(2):  # the second time everything is known that a process remembers
        desk.start()
        statements.clear()
        desk.complete("anna", "ask")
        asked = [statement for statement in statements if "notice_preference" in statement]
        statements.clear()
        desk.complete("dora", "answer")
        asked_at_end = [statement for statement in statements if "notice_preference" in statement]
    assert (len(asked), len(asked_at_end)) == (1, 0)
