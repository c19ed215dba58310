"""Transfer 转办, delegate 委派, hand back 交回, take back: who may, what the colleague finds, and that no clock moves."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine.process.desk.tables import TaskDraft
from engine.process.instances import resume_instance, suspend_instance
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Stale, TaskClosed, TaskTaken
from tests.engine.desk.desk import Desk


def test_what_is_transferred_is_the_colleagues_and_keeps_its_deadline(desk: Desk) -> None:
    case = desk.opens()
    before = desk.task()
    desk.transfer("anna", "ben", "我明天出差")
    after = desk.task()
    assert (after.id, after.assignee_id, after.due_at, after.warn_at) == (before.id, desk.id("ben"), before.due_at, before.warn_at)
    assert (after.sent_how, after.sent_by, after.sent_note) == ("transferred", desk.id("anna"), "我明天出差")
    assert desk.entry(case, "transferred").data["to"] == "Ben"
    assert desk.told("ben", "task") == ["转办：审核"]
    with pytest.raises(TaskTaken, match="Ben"):
        desk.completes("anna")
    desk.completes("ben")
    assert desk.office.open_steps(case) == ["file"]


def test_only_another_holder_of_the_post_may_be_given_a_task_for_good(desk: Desk) -> None:
    desk.opens()
    for to, said in (("anna", "自己"), ("clara", "岗位"), ("dora", "岗位"), ("otto", "岗位")):
        with pytest.raises(Invalid, match=None) as refused:
            desk.transfer("anna", to)
        assert said in refused.value.fields["to"]
    assert desk.task().assignee_id is None


def test_who_has_nothing_to_do_with_the_task_can_give_it_to_nobody(desk: Desk) -> None:
    desk.opens()
    for stranger in ("clara", "dora", "gu", "otto"):
        with pytest.raises(NotAllowed):
            desk.transfer(stranger, "ben")
        with pytest.raises(NotAllowed):
            desk.delegate(stranger, "ben")
    desk.office.claim("ben", "review")
    with pytest.raises(TaskTaken, match="Ben"):
        desk.transfer("anna", "ben")


def test_the_delegate_works_and_hands_back_and_the_owner_finds_the_draft(desk: Desk) -> None:
    case = desk.opens()
    due = desk.task().due_at
    desk.delegate("anna", "clara", "请核对数据项")
    task = desk.task()
    assert (task.assignee_id, task.owner_id, task.delegation, task.due_at) == (desk.id("clara"), desk.id("anna"), "pending", due)
    with pytest.raises(Stale, match="Anna委派给您"):
        desk.completes("clara")
    with pytest.raises(TaskTaken, match="委派给Clara"):
        desk.completes("anna")
    desk.hand_back("clara", "数据项无误", result="yes", unknown="x")
    task = desk.task()
    assert (task.assignee_id, task.delegation, task.sent_how, task.sent_note) == (desk.id("anna"), "resolved", "handed_back", "数据项无误")
    with desk.store.read() as session:
        draft = session.scalars(select(TaskDraft)).one()
    assert (draft.account_id, draft.answers, draft.opinion) == (desk.id("anna"), {"result": "yes"}, "数据项无误")
    desk.completes("anna")
    assert desk.acts(case) == ["started", "delegated", "handed_back", "completed"]
    assert (desk.told("clara"), desk.told("anna", "task")) == (["委派：审核"], ["交回：审核"])


def test_what_was_delegated_may_be_taken_back_by_its_owner_alone(desk: Desk) -> None:
    case = desk.opens()
    desk.delegate("anna", "clara")
    with pytest.raises(NotAllowed):
        desk.take_back("ben")
    desk.take_back("anna")
    assert desk.task().assignee_id == desk.id("anna")
    assert desk.entry(case, "taken_back").data["from"] == "Clara"
    with pytest.raises(NotAllowed):
        desk.hand_back("clara")
    with pytest.raises(NotAllowed):
        desk.take_back("anna")


def test_a_delegate_hands_back_only_what_was_delegated_to_them(desk: Desk) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    with pytest.raises(Stale, match="不是委派"):
        desk.hand_back("anna")
    desk.delegate("anna", "ben")
    for act in (lambda: desk.delegate("ben", "clara"), lambda: desk.transfer("ben", "anna"), lambda: desk.add("ben", "clara")):
        with pytest.raises(Stale, match="交回"):
            act()
    with pytest.raises(Invalid):
        desk.hand_back("ben", "  ")


@pytest.mark.parametrize("verb", ["transfer", "delegate"])
def test_a_note_has_a_bearable_length(desk: Desk, verb: str) -> None:
    desk.opens()
    with pytest.raises(Invalid) as refused:
        getattr(desk, verb)("anna", "ben", "长" * 501)
    assert "501" in refused.value.fields["note"]


@pytest.mark.parametrize("verb", ["transfer", "delegate"])
def test_finished_unknown_suspended_and_unlisted_are_refused_with_a_sentence(desk: Desk, verb: str) -> None:
    case = desk.opens()
    act = getattr(desk, verb)
    task = desk.task().id
    with pytest.raises(NotFound):
        act("anna", "ben", task=4711)
    suspend_instance(desk.store, case, actor=desk.office["gu"], reason="核查")
    with pytest.raises(NotRunning):
        act("anna", "ben")
    resume_instance(desk.store, case, actor=desk.office["gu"], reason="继续")
    desk.completes("anna")
    with pytest.raises(TaskClosed):
        act("anna", "ben", task=task)


def test_a_diagram_that_names_no_verb_allows_none(desk: Desk) -> None:
    desk.opens(actions="none")
    for act in (lambda: desk.transfer("anna", "ben"), lambda: desk.delegate("anna", "ben"), lambda: desk.add("anna", "ben")):
        with pytest.raises(NotAllowed, match="流程未设"):
            act()
