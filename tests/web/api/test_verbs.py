"""The office's verbs, comments, files, messages and deadlines at the API."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

from flask import Flask

from engine.store.settings import Settings
from tests.web.api.client import Program, refusal
from tests.web.api.test_definitions import DIAGRAM, deploy
from tests.web.desk import Desk, text_of

Programs = Callable[[str], Program]
Desks = Callable[[str], Desk]


def _signing(program: Programs, desk: Desks) -> tuple[Program, str, str]:
    """The head of the asking department with a new case: program, task and case."""
    case = desk("asker").ask()
    head = program("asker_head")
    (task,) = head.get("/task", processInstanceId=case)
    return head, task["id"], str(case)


def test_comments_stand_in_the_record_of_the_case(program: Programs, desk: Desks) -> None:
    head, task, case = _signing(program, desk)
    made = head.post(f"/task/{task}/comment/create", {"message": "请补充依据原文"})
    assert made["userId"] == "asker_head" and made["time"] == "2026-02-10T09:00:00.000+0800"
    assert head.get(f"/task/{task}/comment") == head.get(f"/process-instance/{case}/comment") == [made]
    assert head.get(f"/task/{task}/comment/{made['id']}") == made
    assert "请补充依据原文" in text_of(desk("asker").get(f"/cases/{case}"))
    assert refusal(program("asker").send("POST", f"/task/{task}/comment/create", {"message": "好"}))[0] == 403
    assert refusal(program("outsider").send("GET", f"/task/{task}/comment"))[0] == 404
    assert refusal(head.send("POST", f"/task/{task}/comment/create", {"message": " "}))[0] == 400


def test_a_file_is_added_to_a_task_and_read_again(program: Programs, desk: Desks) -> None:
    head, task, _ = _signing(program, desk)
    sent = {"attachment-name": "函.pdf", "content": (io.BytesIO(b"%PDF-1.7 x"), "upload.bin")}
    made = Program.fine(head.send("POST", f"/task/{task}/attachment/create", data=sent, content_type="multipart/form-data"))
    assert head.get(f"/task/{task}/attachment") == [made] and made["name"] == "函.pdf"
    assert head.get(f"/task/{task}/attachment/{made['id']}/data") == b"%PDF-1.7 x"
    assert refusal(head.send("DELETE", f"/task/{task}/attachment/{made['id']}"))[0] == 501
    wrong = {"attachment-name": "函.exe", "content": (io.BytesIO(b"MZ"), "x")}
    assert refusal(head.send("POST", f"/task/{task}/attachment/create", data=wrong, content_type="multipart/form-data"))[0] == 400


def test_the_assignee_is_oneself_nobody_or_a_colleague_of_the_post(program: Programs, desk: Desks) -> None:
    head, task, _ = _signing(program, desk)
    head.post(f"/task/{task}/assignee", {"userId": "asker_head"})
    assert head.get(f"/task/{task}/identity-links")[0] == {"userId": "asker_head", "groupId": None, "type": "assignee"}
    head.post(f"/task/{task}/assignee", {"userId": None})
    assert head.get(f"/task/{task}")["assignee"] is None
    status, _, message = refusal(head.send("POST", f"/task/{task}/assignee", {"userId": "nobody-here"}))
    assert status == 400 and "nobody-here" in message
    assert refusal(head.send("POST", f"/task/{task}/transfer", {"userId": "outsider"}))[0] in (400, 403)


def test_verbs_that_the_diagram_gives_are_done_by_login(app: Flask, program: Programs, desk: Desks, settings: Settings) -> None:
    app.extensions["sharing_settings"] = replace(settings, api_deploy="direct")
    every = b'<spiffworkflow:property name="actions" value="return,withdraw,transfer,delegate,add_signer,copy_to,urge"/>'
    properties = b"<spiffworkflow:properties>"
    given = re.sub(rb'\s*<spiffworkflow:property name="actions"[^>]*/>', b"", DIAGRAM.read_bytes()).replace(properties, properties + every, 1)
    Program.fine(deploy(program("editor"), (given, "diagram.bpmn")))
    head, task, case = _signing(program, desk)
    asker = program("asker")
    assert "add_signer" in {offer["verb"] for offer in head.get(f"/task/{task}/verbs")}
    asker.post(f"/task/{task}/urge", {"note": "请尽快"})
    assert head.get(f"/task/{task}")["office"]["urges"] == 1
    assert refusal(asker.send("POST", f"/task/{task}/urge", {}))[0] == 409, "once in four hours"
    head.post(f"/task/{task}/copy-to", {"userIds": ["asker"], "note": "请知悉"})
    head.post(f"/task/{task}/delegate", {"userId": "asker"})
    assert head.get(f"/task/{task}")["delegationState"] == "PENDING" and head.get(f"/task/{task}")["owner"] == "asker_head"
    assert asker.get("/task/count", assignee="asker", delegationState="PENDING") == {"count": 1}
    asker.post(f"/task/{task}/resolve", {"variables": {"sign": {"value": "agree"}}, "opinion": "拟同意"})
    assert head.get(f"/task/{task}")["delegationState"] == "RESOLVED" and head.get(f"/task/{task}")["assignee"] == "asker_head"
    head.post(f"/task/{task}/add-signer", {"userIds": ["asker"], "signing": "before"})
    (signature,) = asker.get("/task", parentTaskId=task)
    assert refusal(head.send("POST", f"/task/{task}/complete", {"variables": {"sign": {"value": "agree"}}}))[0] in (403, 409)
    asker.post(f"/task/{signature['id']}/complete", {"variables": {"stance": {"value": "agree"}}})
    head.post(f"/task/{task}/complete", {"variables": {"sign": {"value": "agree"}}})
    assert head.get("/history/task/count", processInstanceId=case, finished="true") == {"count": 2}


def test_verbs_that_are_not_possible_say_why(program: Programs, desk: Desks) -> None:
    head, task, case = _signing(program, desk)
    assert refusal(head.send("POST", f"/task/{task}/return", {"to": "nowhere", "reason": "不全"}))[0] in (400, 403)
    assert refusal(head.send("POST", f"/task/{task}/take-back", {}))[0] in (403, 409)
    assert refusal(program("outsider").send("POST", f"/task/{task}/copy-to", {"userIds": ["asker"]}))[0] == 404
    assert refusal(head.send("POST", f"/process-instance/{case}/modification", {"instructions": [{"type": "cancel"}]}))[0] == 501


def test_a_message_goes_to_a_case_that_waits_for_it(program: Programs, desk: Desks) -> None:
    _, _, case = _signing(program, desk)
    operator, asker = program("sysadmin"), program("asker")
    assert asker.get("/event-subscription", processInstanceId=case) == []
    sent = {"messageName": "reply", "processInstanceId": case}
    assert refusal(operator.send("POST", "/message", sent))[:2] == (400, "MismatchingMessageCorrelationException")
    assert refusal(operator.send("POST", "/message", {"messageName": "reply", "businessKey": "none"}))[0] == 400
    assert asker.get(f"/execution/{case}") == {"id": case, "processInstanceId": case, "ended": False, "tenantId": None}


def test_a_deadline_is_explained_and_a_day_looked_up(program: Programs, desk: Desks) -> None:
    _, _, case = _signing(program, desk)
    asker = program("asker")
    asker.get(f"/process-instance/{case}/deadlines")
    asker_head = desk("asker_head")
    asker_head.do("部门负责人审签", sign="agree")
    clocks = asker.get(f"/process-instance/{case}/deadlines")
    clock = next(clock for clock in clocks if clock["explainable"])
    told = asker.get(f"/deadline/{clock['id']}")
    assert len(told["counted"]) == clock["workingDays"] and told["last_day"] == clock["lastDay"]
    assert refusal(program("outsider").send("GET", f"/deadline/{clock['id']}"))[0] == 404
    due = asker.get("/calendar/due", start="2026-02-10T09:00:00.000+0800", workingDays=1)
    assert due["last_day"] == "2026-02-11"
    long = asker.get("/calendar/due", start="2026-02-10T09:00:00.000+0800", workingDays=10)
    assert "春节放假" in {day["why"] for day in long["skipped"]} and len(long["counted"]) == 10
    assert asker.get("/calendar/day/2026-02-17")["works"] is False
    assert refusal(asker.send("GET", "/calendar/day/someday"))[0] == 400 and refusal(asker.send("GET", "/calendar/due"))[0] == 400


def test_a_case_goes_back_to_its_starter_and_the_start_is_taken_back(program: Programs, desk: Desks) -> None:
    head, task, case = _signing(program, desk)
    asker = program("asker")
    targets = head.get(f"/task/{task}/return-targets")
    assert "starter" in {target["step"] for target in targets}
    head.post(f"/task/{task}/return", {"to": "starter", "reason": "依据不全"})
    assert refusal(head.send("GET", f"/task/{task}"))[0] == 404
    (again,) = asker.get("/task", processInstanceId=case)
    assert again["assignee"] == "asker"
    assert "Complete" not in [act["operationType"] for act in asker.get("/history/user-operation", processInstanceId=case)]
    _, _, other = _signing(program, desk)
    asker.post(f"/process-instance/{other}/withdraw", {"reason": "填错了"})
    (own,) = asker.get("/task", processInstanceId=other)
    assert own["assignee"] == "asker"
