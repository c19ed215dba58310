"""Every page against every kind of account: who gets in, who is refused, and nobody ever sees a failure.

Whoever adds a route adds it here: a route that the table does not know fails the test.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from engine.history import History
from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from tests.web.cast import PEOPLE, Cast
from tests.web.desk import Desk, text_of

Desks = Callable[[str], Desk]

EVERYBODY = frozenset(PEOPLE)
OFFICE = frozenset({"office", "office_reviewer", "office_head", "supervisor"})
#: Who works with cases at all: tasks can come to them.
WORKING = EVERYBODY - {"editor", "approver", "auditor", "sysadmin", "secadmin", "auditadmin"}
#: Who sees the case that 007 asks of 013, which has been supervised since its deadline passed.
PARTIES = frozenset({"asker", "asker_head", "provider", "provider_reviewer", "provider_head"})
SEES_CASE = PARTIES | OFFICE | {"auditor"}
#: Who enters plans and rules of their unit: handlers and heads.
KEEPS_RULES = frozenset({"asker", "asker_head", "provider", "provider_head", "outsider", "office", "office_head"})

#: Route → who may open it. Everybody else is refused with 403 (never told whether it exists) or, where noted, 404.
READERS = {
    "/": EVERYBODY,
    "/inbox": EVERYBODY,
    "/inbox/<tab>": EVERYBODY,
    "/cases": EVERYBODY,
    "/cases/<int:instance_id>": SEES_CASE,
    "/tasks/<int:task_id>": SEES_CASE,
    "/deadlines/<int:timer_id>": SEES_CASE,
    "/attachments/<int:attachment_id>": SEES_CASE,
    "/documents/<int:document_id>": SEES_CASE,
    "/documents/<int:document_id>.docx": SEES_CASE,
    "/diagrams/<int:definition_id>.bpmn": EVERYBODY,
    "/start/<key>": frozenset({"asker", "provider", "outsider", "office"}),
    "/catalogue": EVERYBODY,
    "/catalogue/<path:code>": EVERYBODY,
    "/own-catalogue": EVERYBODY,
    "/negative-list": EVERYBODY,
    "/negative-list/<int:entry_id>": EVERYBODY,
    "/board": OFFICE,
    "/board/tasks": OFFICE,
    "/supervision": OFFICE,
    "/rectifications": EVERYBODY,
    "/reports": EVERYBODY,
    "/reports/<int:report_id>": frozenset(),  # there is none: who would ask is told no more than that it is not theirs
    "/evaluations": EVERYBODY,
    "/projects": EVERYBODY,
    "/rule-documents": EVERYBODY,
    "/notices": EVERYBODY,
    "/operations": frozenset({"sysadmin"}),
    "/sign-in": EVERYBODY,
    "/healthz": EVERYBODY,
    "/readyz": EVERYBODY,
    "/static/<path:filename>": EVERYBODY,
}  # fmt: skip

PLACES = {
    "<tab>": "mine", "<int:instance_id>": "1", "<int:task_id>": "2", "<int:attachment_id>": "1", "<int:definition_id>": "1",
    "<path:code>": "209001/000001", "<int:entry_id>": "1", "<path:filename>": "icon.svg", "<int:document_id>": "1",
    "<int:report_id>": "1",
    "<key>": "conditional_share",
}  # fmt: skip


def _address(rule: str, deadline: str) -> str:
    for place, value in {**PLACES, "<int:timer_id>": deadline}.items():
        rule = rule.replace(place, value)
    return rule + ("?resource_code=209001/000001" if rule.startswith("/start/") else "")


def test_every_page_opens_for_those_it_is_for_and_for_nobody_else(
    app: Flask, desk: Desks, cast: Cast, clock: MovableClock, stranger: Desk
) -> None:
    routes = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert routes == set(READERS), "a new page needs its line in the table"
    _a_supervised_case(desk, cast, clock)
    link = re.search(r'href="/deadlines/(\d+)" aria-label="提供部门答复', text_of(desk("asker").get("/cases/1")))
    assert link
    wrong = []
    for login in sorted(EVERYBODY):
        person = desk(login)
        for rule, readers in READERS.items():
            status = person.get(_address(rule, link[1])).status_code
            # 422: may start, but not about this; the provider does not ask itself.
            expected = {200, 302, 422, 503} if login in readers else {403}
            if (login, rule) == ("provider", "/start/<key>"):
                expected = {422}  # their post may ask, but nobody asks themselves
            if status not in expected:
                wrong.append(f"{login} {rule}: {status}")
    assert wrong == []
    for rule in sorted(set(READERS) - {"/sign-in", "/healthz", "/readyz", "/static/<path:filename>"}):
        assert stranger.get(_address(rule, link[1])).status_code == 303, rule


def test_no_post_moves_what_is_not_ones_own(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    _a_supervised_case(desk, cast, clock)
    number = desk("provider").task("受理")
    for login in sorted(EVERYBODY - {"provider"}):
        person = desk(login)
        for path in (f"/tasks/{number}", f"/tasks/{number}/claim", f"/tasks/{number}/unclaim"):
            assert person.post(path, {"completeness": "complete"}).status_code == 403, f"{login} {path}"
        if login != "sysadmin":
            assert person.post("/operations/incidents/1/retry").status_code == 403, login
        keeps = login in KEEPS_RULES
        assert person.post("/rule-documents", {"kind": ""}).status_code == (422 if keeps else 403), login
        if not keeps:
            assert person.post("/rule-documents/1/result", {"result": "revised"}).status_code == 403, login
        if login not in READERS["/start/<key>"]:
            assert person.post("/start/conditional_share", {"resource_code": "209001/000001"}).status_code == 403, login
    assert desk("provider").do("受理", completeness="complete").status_code == 303


def _a_supervised_case(desk: Desks, cast: Cast, clock: MovableClock) -> None:
    """Case 1 of 007, its document of supervision (case 2), and an attachment."""
    desk("asker").ask(upload=(io.BytesIO(b"%PDF-1.7"), "函.pdf"))
    clock.to("2026-02-10 09:30")
    desk("asker_head").do("部门负责人审签", sign="agree")
    clock.to("2026-03-03 00:00")
    fire_due(cast.store)


def test_an_auditors_look_and_a_refused_one_go_on_record(desk: Desks, cast: Cast) -> None:
    case = desk("asker").ask()
    desk("asker").get(f"/cases/{case}")
    desk("auditor").get(f"/cases/{case}")
    desk("outsider").get(f"/cases/{case}")
    with cast.store.read() as session:
        looks = session.execute(
            select(History.act, History.actor_name).where(History.act.in_(("looked", "look_refused"))).order_by(History.id)
        ).all()
    assert [tuple(look) for look in looks] == [("looked", "郑审计"), ("look_refused", "冯交通")]


def test_the_office_stops_a_case_and_lets_it_go_on_with_reasons(desk: Desks) -> None:
    case = desk("asker").ask()
    assert "办公室处理" not in text_of(desk("asker").get(f"/cases/{case}"))
    office = desk("office_head")
    assert "暂停办理" in text_of(office.get(f"/cases/{case}"))
    assert office.post(f"/cases/{case}/suspend", {"reason": " "}).status_code == 422
    assert office.post(f"/cases/{case}/suspend", {"reason": "等待上级批复"}).status_code == 303
    page = text_of(office.get(f"/cases/{case}"))
    assert "已暂停" in page and "恢复办理" in page and "等待上级批复" in page
    head = desk("asker_head")
    task = head.task("部门负责人审签")
    head.get(f"/tasks/{task}")
    refused = head.post(f"/tasks/{task}", {"sign": "agree"})
    assert refused.status_code == 409 and "已暂停" in text_of(refused)
    assert desk("asker").post(f"/cases/{case}/resume", {"reason": "想继续"}).status_code == 403
    assert office.post(f"/cases/{case}/resume", {"reason": "批复已下达"}).status_code == 303
    assert "已恢复办理。" in text_of(office.get(f"/cases/{case}"))
