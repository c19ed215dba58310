"""Countersigns over people: who is asked, what each sees, when the others need not sign any more, and what the record says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.people.absences import stand_in
from engine.people.tables import Absence, AbsencePost, Account
from engine.process.assigning import holders
from engine.process.incidents import CaseFault
from engine.process.returning import return_task
from engine.process.sheets.case import case_sheet
from engine.process.tables import Task
from engine.process.tasks import complete_task, unclaim_task
from engine.process.withdrawing import withdraw_task
from engine.store.errors import Invalid, Stale, TaskTaken
from tests.engine.interpreter.diagrams import element, multi
from tests.engine.process.office import Office, choice, form, text

VOTE = {"vote": form(choice("stance", "yes", "no", required=True), text("remark"))}
SIGN = {"countersign": "all", "vote": "stance", "approve": "yes", "result": "signed", "form": "vote", "unit": "'A'", "post": "handler"}


def everybody_signs(office: Office, *, sequential: bool = False, **says: str) -> int:
    """All handlers of unit A sign, each in person; then the head publishes or the starter amends."""
    office.deploy(
        "start > user:sign > xor:came", "came [signed.passed] > user:publish > end:published", "came [default] > user:amend > end:amended",
        multi("sign", over="holders('A', 'handler')", item="signer", sequential=sequential),
        element("sign", name="会签", **{**SIGN, "assignee": "signer", **says}),
        element("publish", unit="'A'", post="head"), element("amend", unit="'A'", post="handler"), forms=VOTE,
    )  # fmt: skip
    return office.start()


def open_tasks(office: Office) -> list[Task]:
    with office.store.read() as session:
        return list(session.scalars(select(Task).where(Task.state == "open").order_by(Task.id)))


def sign(office: Office, who: str, stance: str, **more: Any) -> None:
    """One signs the task that is theirs."""
    (own,) = [task for task in open_tasks(office) if task.assignee_id == office[who].account_id]
    complete_task(office.store, own.id, actor=office[who], answers={"stance": stance}, **more)


def told(office: Office, case: int, act: str = "completed") -> list[str]:
    """The details of the last entry of that act."""
    with office.store.read() as session:
        sheet = case_sheet(session, office["anna"], case)
    return [line for line in sheet.timeline if line.act == act][-1].details


def goes_on_leave(office: Office, who: str, substitute: str | None) -> None:
    with office.store.work() as work:
        ids = {login: account.id for login, account in ((a.login, a) for a in work.session.scalars(select(Account)))}
        leave = Absence(account_id=ids[who], starts_at=work.now - timedelta(hours=1), ends_at=None, reason="年休假", take_open=False,
                        state="running", set_by=ids[who], created_at=work.now)
        work.session.add(leave)
        work.session.flush()
        if substitute is not None:
            work.session.add(AbsencePost(absence_id=leave.id, unit_id=office.units["A"], post="handler", substitute_id=ids[substitute]))


# -- everybody of a post --------------------------------------------------------------------------


def test_each_holder_gets_a_task_of_their_own_and_cannot_sign_for_another(office: Office) -> None:
    everybody_signs(office)
    annas, bens = open_tasks(office)
    assert [(task.assignee_id, task.local) for task in (annas, bens)] == [
        (office["anna"].account_id, {"loopCounter": 0, "signer": "anna"}), (office["ben"].account_id, {"loopCounter": 1, "signer": "ben"}),
    ]  # fmt: skip
    with pytest.raises(TaskTaken, match="Ben"):
        complete_task(office.store, bens.id, actor=office["anna"], answers={"stance": "yes"})


def test_a_vote_asked_of_a_person_is_not_put_back_for_a_colleague_to_vote_twice(office: Office) -> None:
    everybody_signs(office)
    annas = open_tasks(office)[0]
    with pytest.raises(Stale, match="指定您本人表决"):
        unclaim_task(office.store, annas.id, actor=office["anna"])
    assert open_tasks(office)[0].assignee_id == office["anna"].account_id


def test_when_all_have_agreed_it_passes(office: Office) -> None:
    case = everybody_signs(office)
    sign(office, "anna", "yes")
    assert office.open_steps() == ["sign"]
    sign(office, "ben", "yes")
    assert (office.open_steps(), office.instance(case).variables["signed"]) == (["publish"], {"passed": True, "yes": 2, "no": 0, "total": 2})
    assert told(office, case)[0] == "会签结果已定：“会签”通过（同意2份，不同意0份，共2份）"


def test_the_first_objection_decides_and_the_others_need_not_sign_any_more(office: Office) -> None:
    office.joins("cora", "A", "handler")
    case = everybody_signs(office)
    sign(office, "ben", "no")
    assert (office.open_steps(), office.instance(case).variables["signed"]["passed"]) == (["amend"], False)
    assert told(office, case)[0] == "会签结果已定：“会签”未通过（同意0份，不同意1份，共3份，其余2份不再办理）"
    assert not any("已撤销" in line for line in told(office, case))
    with office.store.read() as session:
        assert sorted(session.scalars(select(Task.state).where(Task.step == "sign"))) == ["cancelled", "cancelled", "done"]


@pytest.mark.parametrize("stance", ["yes", "no"])
def test_a_vote_that_is_taken_back_counts_no_more_though_it_had_decided(office: Office, stance: str) -> None:
    case = everybody_signs(office, actions="withdraw")
    sign(office, "ben", stance)
    done = office.task("sign", state="done")
    withdraw_task(office.store, done.id, actor=office["ben"], reason="看错了")
    assert sorted(task.assignee_id or 0 for task in open_tasks(office)) == sorted([office["anna"].account_id, office["ben"].account_id])
    for who in ("ben", "anna"):
        sign(office, who, "yes")
    assert (office.open_steps(), office.instance(case).variables["signed"]) == (["publish"], {"passed": True, "yes": 2, "no": 0, "total": 2})


def test_a_case_returned_out_of_a_countersign_leaves_no_task_behind_and_votes_afresh(office: Office) -> None:
    office.deploy(
        "start > user:draft > user:sign > end", multi("sign", over="holders('A', 'handler')", item="signer"),
        element("draft", name="拟稿", unit="'A'", post="head"), element("sign", name="会签", **SIGN, assignee="signer"), forms=VOTE,
        actions="return", startPosts="head",
    )  # fmt: skip
    case = office.start("clara")
    office.complete("clara", "draft")
    office.joins("cora", "A", "handler")
    sign(office, "ben", "yes")
    annas = open_tasks(office)[0]
    return_task(office.store, annas.id, actor=office["anna"], to="draft", reason="漏了附件")
    assert office.open_steps() == ["draft"]
    office.complete("clara", "draft")
    assert len(open_tasks(office)) == 3, "whoever holds the post by now is asked"
    for who in ("anna", "ben", "cora"):
        sign(office, who, "yes")
    assert office.instance(case).variables["signed"] == {"passed": True, "yes": 3, "no": 0, "total": 3}


def test_in_order_the_next_gets_it_when_the_one_before_has_signed(office: Office) -> None:
    case = everybody_signs(office, sequential=True)
    assert [task.assignee_id for task in open_tasks(office)] == [office["anna"].account_id]
    assert told(office, case, "started") == ["转入“会签”，由Anna办理"]
    sign(office, "anna", "yes")
    assert [task.assignee_id for task in open_tasks(office)] == [office["ben"].account_id]


def test_where_nobody_holds_the_post_nobody_has_approved(office: Office) -> None:
    office.deploy(
        "start > user:sign > xor:came", "came [signed.passed] > end:published", "came [default] > end:amended",
        multi("sign", over="holders('A', 'legal_reviewer')", item="signer"), element("sign", name="会签", **SIGN, assignee="signer"), forms=VOTE,
    )  # fmt: skip
    case = office.start()
    assert office.instance(case).outcome == "amended"
    assert told(office, case, "started")[0] == "会签结果已定：“会签”没有会签人，视为未通过"


def test_holders_are_the_active_people_of_the_post_by_login(office: Office) -> None:
    with office.store.read() as session:
        assert holders(session, "A", "handler") == ["anna", "ben"]
        assert holders(session, "A", "supervisor") == holders(session, "nowhere", "handler") == []
    with office.store.work() as work:
        work.session.scalars(select(Account).where(Account.login == "anna")).one().active = False
    with office.store.read() as session:
        assert holders(session, "A", "handler") == ["ben"]


# -- leave ----------------------------------------------------------------------------------------


def test_who_is_on_leave_is_stood_in_for_and_both_are_on_record(office: Office) -> None:
    goes_on_leave(office, "anna", "ben")
    case = everybody_signs(office)
    assert [(task.assignee_id, task.for_id) for task in open_tasks(office)] == [
        (office["ben"].account_id, office["anna"].account_id), (office["ben"].account_id, None),
    ]  # fmt: skip
    assert told(office, case, "started") == ["转入“会签”，应由Anna办理，请假期间由Ben代理", "转入“会签”，由Ben办理"]


def test_where_nobody_stands_in_the_post_has_it(office: Office) -> None:
    goes_on_leave(office, "anna", None)
    case = everybody_signs(office)
    first = open_tasks(office)[0]
    assert (first.assignee_id, first.for_id) == (None, office["anna"].account_id)
    assert told(office, case, "started")[0] == "转入“会签”，应由Anna办理，请假期间无人代理，由本岗位办理"
    with office.store.read() as session:
        assert stand_in(session, office["anna"].account_id, office.units["A"], "handler", office.clock.now()).account_id is None


# -- a task for one person ------------------------------------------------------------------------


def given_to(office: Office, assignee: str, **variables: Any) -> None:
    office.deploy(
        "start > user:first > user:second > end", element("first", unit="'A'", post="handler"),
        element("second", name="复核", unit="'A'", post="handler", assignee=assignee), startForm="who", forms={"who": form(text("reviewer"))},
    )  # fmt: skip
    office.start(**variables)


def test_a_task_opens_in_the_hands_of_the_person_that_the_diagram_names(office: Office) -> None:
    given_to(office, "reviewer", reviewer="Ben")
    office.complete("anna", "first")
    assert office.task("second").assignee_id == office["ben"].account_id


def test_without_a_person_it_is_the_posts(office: Office) -> None:
    given_to(office, "reviewer")
    office.complete("anna", "first")
    assert office.task("second").assignee_id is None


@pytest.mark.parametrize("who", ["clara", "dora", "nobody"])
def test_a_person_without_the_post_is_an_incident_with_a_clear_sentence_and_nothing_moves(office: Office, who: str) -> None:
    given_to(office, "reviewer", reviewer=who)
    with pytest.raises(CaseFault):
        office.complete("anna", "first")
    assert office.open_steps() == ["first"]
    (incident,) = office.incidents()
    assert f"环节“复核”（second）的经办人（assignee）“{who}”不是单位A“经办”岗位的在岗人员" in incident.error


# -- the form of one of several -------------------------------------------------------------------


def test_the_form_of_each_sees_its_own_item(office: Office) -> None:
    ask = form(choice("stance", "yes", "no", required=True), text("why", required=True, when="signer == 'ben' and stance == 'no'"))
    office.deploy(
        "start > user:sign > end", multi("sign", over="holders('A', 'handler')", item="signer"),
        element("sign", **{**SIGN, "countersign": "any", "assignee": "signer", "form": "ask"}), forms={"ask": ask},
    )  # fmt: skip
    office.start()
    sign(office, "anna", "no")
    with pytest.raises(Invalid) as refused:
        sign(office, "ben", "no")
    assert refused.value.fields == {"why": "请填写“why”"}

