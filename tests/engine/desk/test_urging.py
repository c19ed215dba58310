"""Urging 催办: who may, how often, whom it reaches; copies 抄送 with their receipts; and what a page offers whom."""

from __future__ import annotations

import pytest

from engine.process.desk.colleagues import colleagues
from engine.process.desk.copies import acknowledge_copy, copy_case, unread_copies
from engine.process.desk.offers import offers
from engine.process.desk.tables import Copy
from engine.process.desk.urging import urge_task
from engine.process.instances import suspend_instance
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Stale, TaskClosed
from tests.engine.desk.desk import Desk
from tests.engine.interpreter.diagrams import element

FOREIGN = ("start > user:review > user:file > end", element("review", name="审核", unit="'B'", post="handler", limit="10"),
           element("file", name="归档", unit="'A'", post="handler"))  # fmt: skip


def urge(desk: Desk, who: str, note: str = "", *, task: int | None = None) -> None:
    urge_task(desk.store, task or desk.task().id, actor=desk.office[who], note=note)


def copy(desk: Desk, who: str, *people: str, note: str = "", case: int = 1, task: int | None = None) -> None:
    copy_case(desk.store, case, actor=desk.office[who], people=[desk.id(one) for one in people], note=note, task_id=task)


def verbs(desk: Desk, who: str, task: int | None = None) -> list[str]:
    with desk.store.read() as session:
        return [offer.verb for offer in offers(session, desk.office[who], task or desk.task().id)]


# -- urging -------------------------------------------------------------------------------------


def test_the_starter_urges_the_post_then_the_assignee_and_the_task_shows_it(desk: Desk) -> None:
    case = desk.opens(*FOREIGN)
    due = desk.task().due_at
    urge(desk, "anna", "群众在等")
    assert (desk.told("dora", "urge"), desk.told("emil", "urge"), desk.told("fritz", "urge")) == (["催办：审核"], ["催办：审核"], [])
    desk.office.claim("emil", "review")
    urge(desk, "gu")
    assert (desk.told("dora", "urge"), len(desk.told("emil", "urge"))) == (["催办：审核"], 2)
    task = desk.task()
    assert (task.urges, task.urged_at, task.due_at) == (2, desk.clock.now(), due)
    assert desk.entry(case, "urged").actor_name == "Gu"


def test_one_person_urges_one_task_once_in_four_hours(desk: Desk) -> None:
    desk.opens(*FOREIGN)
    urge(desk, "anna")
    desk.clock.to("2026-02-10 12:59")
    with pytest.raises(Stale, match="02月10日09:00催办过"):
        urge(desk, "anna")
    urge(desk, "gu")
    desk.clock.to("2026-02-10 13:00")
    urge(desk, "anna")
    assert desk.task().urges == 3


def test_who_does_not_wait_for_the_case_cannot_urge_it(desk: Desk) -> None:
    desk.opens(*FOREIGN)
    for stranger in ("ben", "clara", "dora", "otto"):
        with pytest.raises(NotAllowed):
            urge(desk, stranger)
    task = desk.task().id
    with pytest.raises(NotFound):
        urge(desk, "anna", task=4711)
    with pytest.raises(Invalid):
        urge(desk, "anna", "长" * 201)
    suspend_instance(desk.store, 1, actor=desk.office["gu"], reason="核查")
    with pytest.raises(NotRunning):
        urge(desk, "anna")
    assert desk.row(task).urges == 0


def test_whoever_completed_a_step_may_urge_the_next_but_nobody_their_own(desk: Desk) -> None:
    desk.opens()
    desk.office.claim("anna", "review")
    with pytest.raises(Invalid, match="无需催办"):
        urge(desk, "anna")
    first = desk.task().id
    desk.completes("anna")
    desk.office.claim("ben", "file")
    urge(desk, "anna", task=desk.task("file").id)
    assert desk.told("ben", "urge") == ["催办：归档"]
    with pytest.raises(TaskClosed):
        urge(desk, "anna", task=first)


def test_where_only_signatures_are_missing_the_signers_are_urged(desk: Desk) -> None:
    desk.opens()
    desk.add("anna", "ben", "clara")
    desk.completes("anna")
    desk.sign("ben")
    urge(desk, "gu")
    assert (desk.told("clara", "urge"), desk.told("ben", "urge"), desk.told("anna", "urge")) == (["催办：审核"], [], [])


# -- copies -------------------------------------------------------------------------------------


def test_a_copy_reaches_who_may_see_the_case_and_is_read_with_a_receipt(desk: Desk) -> None:
    case = desk.opens()
    copy(desk, "anna", "ben", "gu", note="请阅", case=case)
    with desk.store.read() as session:
        assert (unread_copies(session, desk.office["ben"]), unread_copies(session, desk.office["anna"])) == (1, 0)
        mine = session.query(Copy).filter_by(account_id=desk.id("ben")).one().id
    assert desk.told("gu", "copy") == ["抄送：测试流程"]
    with pytest.raises(NotFound):
        acknowledge_copy(desk.store, mine, actor=desk.office["gu"], remark="")
    acknowledge_copy(desk.store, mine, actor=desk.office["ben"], remark="已阅，无意见")
    with pytest.raises(Stale):
        acknowledge_copy(desk.store, mine, actor=desk.office["ben"], remark="")
    with desk.store.read() as session:
        assert (session.get_one(Copy, mine).remark, unread_copies(session, desk.office["ben"])) == ("已阅，无意见", 0)
    assert desk.told("anna", "copy") == ["抄送已阅：测试流程"]
    assert desk.acts(case) == ["started", "copied", "copy_read"]


def test_a_copy_gives_no_right_and_strangers_send_none(desk: Desk) -> None:
    case = desk.opens()
    for stranger in ("dora", "otto"):
        with pytest.raises(Invalid) as refused:
            copy(desk, "anna", "ben", stranger, case=case)
        assert "无权查看" in refused.value.fields["people"]
        with pytest.raises(NotAllowed):
            copy(desk, stranger, "ben", case=case)
    for people in ((), ("anna",)):
        with pytest.raises(Invalid):
            copy(desk, "anna", *people, case=case)
    with pytest.raises(NotFound):
        copy(desk, "anna", "ben", case=4711)
    with pytest.raises(NotFound):
        copy(desk, "anna", "ben", case=case, task=4711)
    copy(desk, "anna", "ben", case=case)
    with pytest.raises(Invalid, match=None) as refused:
        copy(desk, "anna", "ben", case=case)
    assert "未阅" in refused.value.fields["people"]
    assert desk.acts(case).count("copied") == 1


def test_a_finished_case_may_still_be_shown(desk: Desk) -> None:
    case = desk.opens("start > user:review > end", element("review", name="审核", unit="'A'", post="handler"))
    task = desk.task().id
    desk.office.complete("ben", "review")
    copy(desk, "ben", "gu", case=case, task=task)
    assert desk.told("gu", "copy") == ["抄送：测试流程"]


# -- what a page offers ---------------------------------------------------------------------------


def test_a_page_offers_each_person_what_they_may_do_now(desk: Desk) -> None:
    desk.opens()
    assert verbs(desk, "anna") == verbs(desk, "ben") == ["return", "transfer", "delegate", "add_signer", "copy_to"]
    assert verbs(desk, "gu") == ["urge"]
    assert verbs(desk, "dora") == []
    desk.delegate("anna", "clara")
    assert (verbs(desk, "anna"), verbs(desk, "clara"), verbs(desk, "ben")) == (["take_back", "urge", "copy_to"], ["hand_back", "copy_to"], ["copy_to"])
    desk.hand_back("clara")
    desk.add("anna", "ben")
    assert verbs(desk, "ben", desk.signature("ben").id) == ["copy_to"]
    desk.completes("anna")
    assert verbs(desk, "anna") == ["urge", "copy_to"]
    suspend_instance(desk.store, 1, actor=desk.office["gu"], reason="核查")
    assert verbs(desk, "anna") == ["copy_to"]


def test_who_completed_a_step_is_offered_to_take_it_back_until_somebody_acts(desk: Desk) -> None:
    desk.opens()
    task = desk.task().id
    desk.completes("anna")
    assert (verbs(desk, "anna", task), verbs(desk, "ben", task)) == (["withdraw", "copy_to"], ["copy_to"])
    desk.office.claim("ben", "file")
    assert verbs(desk, "anna", task) == ["copy_to"]


def test_every_offer_says_what_it_does_to_the_clock(desk: Desk) -> None:
    desk.opens()
    with desk.store.read() as session:
        found = offers(session, desk.office["anna"], desk.task().id)
    assert all("时限" in offer.effect for offer in found)


def test_a_dialog_offers_whom_the_verb_may_reach(desk: Desk) -> None:
    desk.opens()
    task = desk.task().id

    def offered(who: str, verb: str) -> list[str]:
        with desk.store.read() as session:
            return [one.name for one in colleagues(session, desk.office[who], task, verb)]

    assert offered("anna", "transfer") == ["Ben"]
    assert offered("anna", "delegate") == offered("anna", "add_signer") == ["Ben", "Clara"]
    assert offered("anna", "copy_to") == ["Ben", "Clara", "Gu"]
    desk.add("anna", "clara")
    assert offered("anna", "add_signer") == ["Ben"]
    assert offered("anna", "urge") == []
    with pytest.raises(NotAllowed):
        offered("dora", "transfer")
