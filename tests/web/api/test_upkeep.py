"""`job`, `incident`, `migration`, `batch`: what operators and the workshop do from a program, and what nobody may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from engine.process import incidents
from engine.process.definitions import deploy_in
from engine.process.instances import start_instance
from engine.process.package import Package
from engine.process.timers import fire_due
from engine.process.workshop.migrating.commands import start_migration
from engine.process.workshop.migrating.running import move_waiting
from engine.store.clock import MovableClock, shanghai
from engine.store.settings import Settings
from tests.engine.interpreter.diagrams import diagram, element, timer
from tests.web.api.client import Program, refusal
from tests.web.cast import Cast

Tokens = Callable[..., Program]


def deploys(cast: Cast, *parts: object, at: str = "2026-01-01", key: str = "asking", **properties: str) -> int:
    xml = diagram(*parts, element("reply", name="答复", unit="'013'", post="handler"), key=key, startPosts="handler", **properties)
    with cast.store.work() as work:
        return deploy_in(work, Package("liaoyang_2018", xml, {}), by="x", approved_by="y", reason="测试", effective_at=shanghai(at))


@pytest.fixture
def case(cast: Cast) -> int:
    """A question to 013, whose deadline leads to a gateway that divides by zero."""
    deploys(cast, "start > user:reply > end", "due > xor:g", "g [1 / 0 > 1] > end:a", "g [default] > end:b",
            timer("reply", "due", workingDays=5, role="deadline"))
    return start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={})


def test_timers_are_jobs_of_those_who_see_the_case(with_token: Tokens, case: int) -> None:
    [job] = with_token("asker", "read").get("/job", processInstanceId=str(case))
    assert (job["dueDate"], job["retries"], job["exceptionMessage"]) == ("2026-02-25T00:00:00.000+0800", 6, None)
    assert job["office"] | {"provisional": None} == {
        "role": "deadline", "activityId": "due", "activityName": "答复", "lastDay": "2026-02-24", "provisional": None, "paused": False, "setByHand": False,
    }
    assert with_token("outsider").get("/job") == []
    assert refusal(with_token("outsider").send("GET", f"/job/{job['id']}"))[0] == 404
    operator = with_token("sysadmin")
    assert operator.get(f"/job/{job['id']}") == job
    assert operator.get("/job/count", executable="true") == {"count": 0}
    assert operator.post("/job", {"dueDatesBefore": "2026-02-25T00:00:01Z", "sorting": [{"sortBy": "jobDueDate", "sortOrder": "asc"}]}) == [job]


def test_no_deadline_is_missed_before_its_day(with_token: Tokens, case: int) -> None:
    operator = with_token("sysadmin")
    [job] = operator.get("/job")
    assert refusal(operator.send("POST", f"/job/{job['id']}/execute", {}))[0] == 400
    operator.post(f"/job/{job['id']}/duedate/recalculate")
    assert operator.get("/job") == [job]
    for login in ("asker", "office", "editor"):
        assert refusal(with_token(login).send("POST", f"/job/{job['id']}/execute", {}))[0] == 403
        assert refusal(with_token(login).send("PUT", f"/job/{job['id']}/retries", {"retries": 1}))[0] == 403
        assert refusal(with_token(login).send("POST", f"/job/{job['id']}/duedate/recalculate", {}))[0] == 403


def test_who_supervises_gives_a_job_another_date_and_takes_it_back(with_token: Tokens, case: int) -> None:
    office = with_token("supervisor")
    [job] = office.get("/job")
    path, tighter = f"/job/{job['id']}/duedate", {"duedate": "2026-02-14T00:00:00.000+0800"}
    for login, status in (("sysadmin", 403), ("asker", 403), ("editor", 404), ("outsider", 404)):
        assert refusal(with_token(login).send("PUT", path, tighter))[0] == status
    for sent, word in (
        ({}, "duedate"), ({"duedate": None}, "duedate"), ({"duedate": "2026-02-14"}, "offset"), ({**tighter, "retries": 1}, "retries"),
        ({"duedate": "2026-02-01T00:00:00Z"}, "之后"), ({"duedate": "2026-02-14T08:00:00.000+0800"}, "24时"),
        ({"duedate": "9999-12-31T23:59:59.000+0000"}, "日历"),
    ):
        status, _, said = refusal(office.send("PUT", path, sent))
        assert status == 400 and word in said
    assert refusal(office.send("PUT", "/job/999/duedate", tighter))[0] == refusal(office.send("PUT", "/job/x/duedate", tighter))[0] == 404
    assert office.send("PUT", path, {**tighter, "cascade": True, "reason": "上级要求"}).status_code == 204
    moved = office.get(f"/job/{job['id']}")
    assert (moved["dueDate"], moved["office"]["lastDay"], moved["office"]["setByHand"]) == ("2026-02-14T00:00:00.000+0800", "2026-02-13", True)
    assert with_token("provider").get("/task")[0]["due"] == "2026-02-14T00:00:00.000+0800"
    told = office.get(f"/deadline/{job['id']}")["set_by_hand"]
    assert (told["last_day"], told["by"]) == ("2026-02-13", "王经发")
    assert refusal(with_token("sysadmin").send("POST", f"{path}/recalculate", {}))[0] == 403, "what the office set is the office's to take back"
    assert office.send("POST", f"{path}/recalculate", {"reason": "不再需要"}).status_code == 204
    assert office.get("/job") == [job] and office.get(f"/deadline/{job['id']}")["set_by_hand"] is None
    assert refusal(office.send("POST", f"{path}/recalculate", {}))[0] == 403, "counting again what nobody has set is for operators"


def test_what_failed_is_found_and_tried_again(with_token: Tokens, case: int, cast: Cast, clock: MovableClock) -> None:
    operator = with_token("sysadmin")
    clock.to("2026-02-25 09:00")
    assert fire_due(cast.store) == 0
    [incident] = operator.get("/incident")
    [job] = operator.get("/job", withException="true")
    assert (incident["incidentType"], incident["configuration"], incident["activityId"]) == ("failedJob", job["id"], "due")
    for asked, there in (
        ({"activityId": "due"}, 1), ({"failedActivityId": "other"}, 0), ({"rootCauseIncidentId": incident["id"]}, 1), ({"executionId": str(case)}, 1),
        ({"executionId": str(case + 1)}, 0),
    ):  # fmt: skip
        assert operator.get("/incident/count", **asked) == {"count": there}, asked
    office = with_token("office")
    for asked, there in (
        ({"incidentId": incident["id"]}, 1), ({"incidentType": "failedJob"}, 1), ({"incidentType": "failedTask"}, 0), ({"incidentMessage": incident["incidentMessage"]}, 1),
        ({"incidentMessageLike": "nothing%"}, 0), ({"withIncident": "true"}, 1),
    ):  # fmt: skip
        assert office.get("/process-instance/count", **asked) == {"count": there}, asked
    for asked, there in (
        ({"incidentStatus": "open"}, 1), ({"incidentStatus": "resolved"}, 0), ({"withRootIncidents": "true"}, 1), ({"internallyTerminated": "true"}, 0),
        ({"incidentType": "failedExternalTask"}, 0),
    ):  # fmt: skip
        assert office.get("/history/process-instance/count", **asked) == {"count": there}, asked
    assert job["retries"] == 5 and "ExpressionError" in job["exceptionMessage"]
    assert "Traceback" in operator.send("GET", f"/job/{job['id']}/stacktrace").get_data(as_text=True)
    assert refusal(operator.send("POST", f"/job/{job['id']}/execute", {}))[:2] == (500, "ProcessEngineException")
    assert operator.get(f"/job/{job['id']}")["retries"] == 4
    operator.put(f"/job/{job['id']}/retries", {"retries": 0})
    assert operator.get("/job/count", noRetriesLeft="true") == {"count": 1} and fire_due(cast.store) == 0
    assert operator.send("DELETE", f"/incident/{incident['id']}").status_code == 204
    assert operator.get("/job", executable="true")[0]["id"] == job["id"], "it is tried again"
    assert operator.get("/incident/count", incidentType="failedExternalTask") == {"count": 0}
    for login in ("asker", "office"):
        assert refusal(with_token(login).send("GET", "/incident"))[0] == refusal(with_token(login).send("GET", "/history/incident"))[0] == 403
    told = {**incident, "createTime": incident["incidentTimestamp"], "endTime": None, "removalTime": None, "historyConfiguration": None, "open": True,
            "deleted": False, "resolved": False, "processDefinitionKey": "asking", "rootProcessInstanceId": str(case)}
    del told["incidentTimestamp"]
    assert operator.get("/history/incident") == operator.get("/history/incident", open="true", processInstanceId=str(case)) == [told]
    clock.to("2026-02-25 10:00")
    with cast.store.work() as work:
        incidents.resolve(work, timer_id=int(job["id"]))
    [over] = operator.get("/history/incident", sortBy="endTime", sortOrder="desc", resolved="true")
    assert (over["id"], over["endTime"], over["open"], over["resolved"]) == (incident["id"], "2026-02-25T10:00:00.000+0800", False, True)
    assert operator.get("/history/incident/count", open="true") == {"count": 0} and operator.get("/incident") == []
    for wrong in ("incidentTimestampAfter=2026-01-01T00:00:00Z", "historyConfiguration=1", "sortBy=incidentTimestamp&sortOrder=asc"):
        assert refusal(operator.send("GET", f"/history/incident?{wrong}"))[0] == 400
    for asked in ("deleted=true", "createTimeAfter=2026-03-01T00:00:00Z", "endTimeBefore=2026-01-01T00:00:00Z", "processDefinitionKey=other", "incidentType=failedTask"):
        assert operator.fine(operator.send("GET", f"/history/incident?{asked}")) == []


def test_a_program_plans_a_migration_and_a_person_starts_it(with_token: Tokens, case: int, cast: Cast) -> None:
    editor = with_token("editor", "read", "deploy")
    new = deploys(cast, "start > user:reply > user:sign > end", element("sign", name="签发", unit="'013'", post="head"), at="2026-02-01")
    old_id = editor.get("/job") or None
    assert old_id is None, "who edits diagrams sees no case"
    ends = {"sourceProcessDefinitionId": f"asking:1:{new - 1}", "targetProcessDefinitionId": f"asking:2:{new}"}
    plan = editor.post("/migration/generate", ends)
    assert plan["instructions"] == [{"sourceActivityIds": ["reply"], "targetActivityIds": ["reply"], "updateEventTrigger": False}]
    assert editor.post("/migration/validate", plan) == {"instructionReports": [], "variableReports": {}}
    wrong = {**plan, "instructions": [{"sourceActivityIds": ["reply"], "targetActivityIds": ["nowhere"]}]}
    [report] = editor.post("/migration/validate", wrong)["instructionReports"]
    assert report["failures"]
    assert refusal(editor.send("POST", "/migration/execute", {"migrationPlan": plan}))[0] == 501
    assert refusal(editor.send("POST", "/migration/executeAsync", {"migrationPlan": plan, "processInstanceIds": [str(case)]}))[0] == 400
    batch = editor.post("/migration/executeAsync", {"migrationPlan": plan, "reason": "按新规定"})
    assert (batch["type"], batch["totalJobs"], batch["suspended"]) == ("instance-migration", 1, True)
    assert move_waiting(cast.store) == 0 and editor.get("/batch/count") == {"count": 1}
    assert refusal(editor.send("PUT", f"/batch/{batch['id']}/suspended", {"suspended": False}))[0] == 409, "a second person starts it"
    assert editor.send("PUT", f"/batch/{batch['id']}/suspended", {"suspended": True}).status_code == 204
    for asked, there in (
        ({"suspended": "true"}, 1), ({"suspended": "false"}, 0), ({"createdBy": batch["createUserId"]}, 1), ({"createdBy": "nobody"}, 0), ({"batchId": batch["id"]}, 1),
        ({"type": "instance-deletion"}, 0), ({"withFailures": "true"}, 0), ({"withoutFailures": "true"}, 1), ({"startedBefore": batch["startTime"]}, 0),
    ):  # fmt: skip
        assert editor.get("/batch/count", **asked) == editor.get("/batch/statistics/count", **asked) == {"count": there}, asked
        assert len(editor.get("/batch", sortBy="startTime", sortOrder="desc", **asked)) == len(editor.get("/batch/statistics", **asked)) == there
    assert editor.get("/batch", firstResult=1) == [] == editor.get("/batch", maxResults=0)
    start_migration(cast.store, int(batch["id"]), actor=cast.actor("approver"))
    rests = f"/batch/{batch['id']}/suspended"
    assert refusal(with_token("asker").send("PUT", rests, {"suspended": True}))[0] == 403 and refusal(editor.send("PUT", rests, {}))[0] == 400
    assert editor.send("PUT", rests, {"suspended": True}).status_code == 204 and move_waiting(cast.store) == 0
    assert [each["id"] for each in editor.get("/batch", suspended="true")] == [batch["id"]] and editor.get("/batch/statistics")[0]["remainingJobs"] == 1
    assert editor.send("PUT", rests, {"suspended": False}).status_code == 204
    move_waiting(cast.store)
    assert editor.get("/batch") == [] and refusal(editor.send("PUT", rests, {"suspended": True}))[0] == 404
    [past] = editor.get("/history/batch", completed="true", sortBy="endTime", sortOrder="asc")
    assert past == editor.get(f"/history/batch/{batch['id']}") and past["endTime"] and past["executionStartTime"]
    assert (past["createUserId"], past["office"]) == (batch["createUserId"], {"state": "done", "moved": 1, "stayed": 0})
    assert editor.get("/history/batch/count", completed="false") == editor.get("/history/batch/count", type="other") == {"count": 0}
    assert refusal(editor.send("GET", "/history/batch/999"))[0] == 404 and refusal(editor.send("DELETE", f"/history/batch/{batch['id']}"))[0] == 501
    assert refusal(editor.send("GET", "/history/batch/cleanable-batch-report"))[0] == 501 and refusal(with_token("asker").send("GET", "/history/batch"))[0] == 403
    assert editor.get(f"/batch/{batch['id']}")["executionStartTime"]
    assert with_token("asker").get(f"/process-instance/{case}")["definitionId"] == f"asking:2:{new}"
    assert refusal(with_token("asker").send("POST", "/migration/generate", ends))[0] == 403


def test_where_deploying_needs_nobody_else_neither_does_migrating(with_token: Tokens, app: Flask, settings: Settings, case: int, cast: Cast) -> None:
    app.extensions["sharing_settings"] = replace(settings, api_deploy="direct")
    editor, asker, office = with_token("editor", "read", "deploy"), with_token("asker"), with_token("office")
    waits = start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={})
    office.put(f"/process-instance/{waits}/suspended", {"suspended": True})
    new = deploys(cast, "start > user:reply > user:sign > end", element("sign", name="签发", unit="'013'", post="head"), at="2026-02-01")
    plan = editor.post("/migration/generate", {"sourceProcessDefinitionId": f"asking:1:{new - 1}", "targetProcessDefinitionId": f"asking:2:{new}"})
    assert refusal(asker.send("POST", "/migration/execute", {"migrationPlan": plan}))[0] == 403
    status, kind, said = refusal(editor.send("POST", "/migration/execute", {"migrationPlan": plan}))
    assert (status, kind) == (500, "ProcessEngineException") and "1 of 2" in said and "暂停" in said, "the one that is suspended stays"
    assert [asker.get(f"/process-instance/{each}")["definitionId"] for each in (case, waits)] == [f"asking:2:{new}", f"asking:1:{new - 1}"]
    assert editor.get("/batch") == [], "it is done, not under way"
    office.put(f"/process-instance/{waits}/suspended", {"suspended": False})
    assert editor.send("POST", "/migration/execute", {"migrationPlan": plan}).status_code == 204
    assert asker.get(f"/process-instance/{waits}")["definitionId"] == f"asking:2:{new}"
    assert refusal(editor.send("POST", "/migration/execute", {"migrationPlan": plan}))[0] == 400, "no case follows the old one any more"
    late = start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={})
    back = {"sourceProcessDefinitionId": f"asking:2:{new}", "targetProcessDefinitionId": f"asking:1:{new - 1}"}
    assert editor.post("/migration/executeAsync", {"migrationPlan": back})["suspended"] is False, "started, for the worker to move"
    move_waiting(cast.store)
    assert asker.get(f"/process-instance/{late}")["definitionId"] == f"asking:1:{new - 1}"


def test_what_is_not_covered_says_why(with_token: Tokens) -> None:
    someone = with_token("sysadmin")
    for path, word in (("/metrics/job-successful/sum", "Prometheus"), ("/job-definition", "diagram")):
        status, _, said = refusal(someone.send("GET", path))
        assert status == 501 and word in said


def test_retries_of_several_jobs_are_set_all_or_none(with_token: Tokens, case: int, cast: Cast) -> None:
    start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={})
    operator = with_token("sysadmin")
    first, second = (job["id"] for job in operator.get("/job"))
    assert refusal(operator.send("PUT", "/job/retries", {"jobIds": [first, "999"], "retries": 2}))[0] == 404
    assert {job["retries"] for job in operator.get("/job")} == {6}
    assert operator.send("PUT", "/job/retries", {"jobIds": [second, first, first], "retries": 2}).status_code == 204
    assert {job["retries"] for job in operator.get("/job")} == {2}
    assert refusal(operator.send("PUT", "/job/retries", {"jobIds": [first], "retries": 7}))[0] == 400
    assert refusal(with_token("supervisor").send("PUT", "/job/retries", {"jobIds": [first], "retries": 1}))[0] == 403
    assert refusal(operator.send("POST", "/job/retries", {"jobIds": [first], "retries": 1}))[0] == 501


def test_several_cases_are_stopped_all_or_none(with_token: Tokens, case: int, cast: Cast) -> None:
    other = start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={})
    office, ids = with_token("supervisor"), [str(other), str(case)]
    for sent, status in (
        ({"processInstanceIds": [*ids, "999"], "suspended": True}, 404), ({"processInstanceIds": [], "suspended": True}, 400), ({"suspended": True}, 400),
        ({"processInstanceIds": ids}, 400), ({"processInstanceIds": ids, "suspended": True, "processDefinitionKey": "asking"}, 400),
    ):
        assert refusal(office.send("PUT", "/process-instance/suspended", sent))[0] == status
    assert office.get("/process-instance/count", suspended="true") == {"count": 0}
    office.put(f"/process-instance/{case}/suspended", {"suspended": True})
    assert office.send("PUT", "/process-instance/suspended", {"processInstanceIds": ids, "suspended": True, "reason": "核查"}).status_code == 204
    assert office.get("/process-instance/count", suspended="true") == {"count": 2} and {job["suspended"] for job in office.get("/job")} == {True}
    assert refusal(with_token("asker").send("PUT", "/process-instance/suspended", {"processInstanceIds": ids, "suspended": False}))[0] == 403
    assert office.send("PUT", "/process-instance/suspended", {"processInstanceIds": ids, "suspended": False}).status_code == 204
    acts = [act["office"]["act"] for act in office.get("/history/user-operation", processInstanceId=str(case), sortBy="timestamp", sortOrder="asc")]
    assert acts == ["started", "suspended", "resumed"], "what stands so already is not stopped once more"
