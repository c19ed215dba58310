"""Restricted cases: whatever happens to them, no letter holds a word of what they are about."""

from __future__ import annotations

import pytest

from engine.process.notices import notify_person, notify_post
from engine.process.notifying.digests import send_digests
from engine.process.notifying.restricting import HEADING, TEXT
from engine.process.tables import Instance
from tests.engine.interpreter.diagrams import element
from tests.engine.notifying.conftest import Desk
from tests.engine.process.office import form, text

SECRET = "低保人员名单"
FORM = {"ask": form(text("about"), text("mark"))}


def case_of(desk: Desk, rule: str, **answers: str) -> int:
    desk.deploy(
        "start > user:ask > user:answer > end", element("ask", form="ask", name="申请", unit="'A'", post="handler"),
        element("answer", name=f"答复{SECRET}", unit="'B'", post="handler", limit="10"), forms=FORM, restricted=rule,
        limitReminder="2",
    )  # fmt: skip
    case = desk.start()
    desk.complete("anna", "ask", about=SECRET, **answers)
    return case


def everything(desk: Desk, case: int) -> None:
    """All kinds of notices about the case, to people with every channel, and to the unit's robots."""
    for login in ("dora", "emil", "anna"):
        desk.wants(login, new_task_page="at_once", new_task_mail="always", case_sms="always", task_mail="digest")
    desk.robot("B")
    with desk.store.work() as work:
        notify_post(work, desk.units["B"], "handler", title=f"资源{SECRET}", text=SECRET, instance_id=case, task_id=7)
        notify_person(work, desk["anna"].account_id, title=SECRET, text=SECRET, kind="task", instance_id=case)
    desk.clock.to("2026-02-27 09:00")
    desk.sweep()  # the reminder of the limit
    send_digests(desk.store, "https://sharing.example.gov.cn")


def test_the_answer_that_makes_a_case_restricted_holds_back_the_notice_of_the_same_move(desk: Desk) -> None:
    desk.deploy(
        "start > user:ask > service:tell > user:answer > end", element("ask", form="ask", unit="'A'", post="handler"),
        element("tell", **{"operation": "notices.send", "in.unit": "'B'", "in.post": "'handler'", "in.title": "about",
                           "in.text": "'请关注'"}),
        element("answer", unit="'B'", post="handler"), forms=FORM, restricted="mark == 'secret'",
    )  # fmt: skip
    desk.start()
    desk.complete("anna", "ask", about=SECRET, mark="secret")
    assert [letter.payload["text"] for letter in desk.letters()] == [TEXT, TEXT]
    assert [notice.title for notice in desk.notices()] == [SECRET, SECRET]


@pytest.mark.parametrize("rule", ["true", "mark == 'secret'", "mark > 5"])
def test_no_letter_of_a_restricted_case_says_anything_of_it(desk: Desk, rule: str) -> None:
    """An expression that cannot be evaluated (text against a number) keeps the content in, too."""
    case = case_of(desk, rule, mark="secret")
    everything(desk, case)
    letters = desk.letters()
    assert {letter.channel for letter in letters} == {"mail", "sms", "wecom"}
    assert {letter.payload["kind"] for letter in letters} >= {"case", "digest", "reminder"}
    instance = desk.instance(case)
    for letter in letters:
        leaving = {name: value for name, value in letter.payload.items() if name != "kind"}
        assert leaving.get("subject", HEADING) == HEADING and leaving["text"] == TEXT
        assert leaving.keys() <= {"subject", "text"}, "not even a link"
        for telling in (SECRET, instance.number, instance.title, f"/cases/{case}", "/tasks/"):
            assert telling not in str(leaving)
    assert any(SECRET in notice.title for notice in desk.notices("dora")), "in the product it says all"


def test_the_same_case_without_the_mark_speaks_plainly(desk: Desk) -> None:
    case = case_of(desk, "mark == 'secret'", mark="open")
    everything(desk, case)
    assert any(SECRET in str(letter.payload) for letter in desk.letters())
    assert any(letter.payload.get("path") == "/tasks/7" for letter in desk.letters())


def test_a_digest_leaves_out_what_has_become_restricted_since(desk: Desk) -> None:
    """It was open when the notice was written; by the time of the digest the case's data say otherwise."""
    case = case_of(desk, "mark == 'secret'", mark="open")
    desk.wants("anna", case_mail="digest", workshop_mail="digest")
    with desk.store.work() as work:
        notify_person(work, desk["anna"].account_id, title=SECRET, text="", instance_id=case)
        notify_person(work, desk["anna"].account_id, title="发布申请已批准", text="", kind="workshop")
    with desk.store.work() as work:
        instance = work.session.get_one(Instance, case)
        instance.variables = {**instance.variables, "mark": "secret"}
    assert send_digests(desk.store, "https://x.example.org") == 1
    (letter,) = [letter for letter in desk.letters() if letter.payload["kind"] == "digest"]
    assert SECRET not in str(letter.payload) and f"/cases/{case}" not in str(letter.payload)
    assert "发布申请已批准" in letter.payload["text"] and "另有1条新消息，请登录系统查看。" in letter.payload["text"]
