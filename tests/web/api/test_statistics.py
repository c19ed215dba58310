"""`execution` and `statistics`: the same cases counted in other ways, each of which shows nobody more than they may see."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.process.instances import start_instance
from engine.process.timers import fire_due
from engine.store.clock import MovableClock
from tests.engine.interpreter.diagrams import catches_message, catches_timer, element, message, timer
from tests.web.api.client import Program, refusal
from tests.web.api.test_upkeep import deploys
from tests.web.cast import Cast

Programs = Callable[[str], Program]


@pytest.fixture
def cases(cast: Cast, clock: MovableClock) -> tuple[int, int, int]:
    """Three questions: one answered and waiting for a worker outside, one at a deadline that fails, one for a moment. The first two are the asker's."""
    parts = ("start > user:reply > service:send > catch:rest > end", "due > xor:g", "g [1 / 0 > 1] > end:a", "g [default] > end:b",
             timer("reply", "due", workingDays=5, role="deadline"), element("send", topic="mail"), catches_timer("rest", workingDays=30))
    deploys(cast, *parts)
    first, second = (start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={}) for _ in range(2))
    third = start_instance(cast.store, "asking", actor=cast.actor("outsider"), answers={})
    return first, second, third


def test_an_execution_is_the_case_itself(program: Programs, cases: tuple[int, int, int], cast: Cast) -> None:
    asker, office = program("asker"), program("office_head")
    found = asker.get("/execution", sortBy="instanceId", sortOrder="desc")
    assert [each["id"] for each in found] == [str(cases[1]), str(cases[0])]
    assert asker.get(f"/execution/{cases[0]}") == found[1] == {"id": str(cases[0]), "processInstanceId": str(cases[0]), "ended": False, "tenantId": None}
    assert office.get("/execution/count") == {"count": 3} and program("lawyer").get("/execution") == []
    office.put(f"/process-instance/{cases[0]}/suspended", {"suspended": True})
    number = asker.get(f"/process-instance/{cases[0]}")["businessKey"]
    for sent, ids in (
        ({"processInstanceId": str(cases[1])}, [cases[1]]), ({"businessKey": number}, [cases[0]]), ({"processDefinitionKey": "asking"}, cases[:2]),
        ({"processDefinitionKey": "other"}, []), ({"activityId": "reply"}, cases[:2]), ({"activityId": "send"}, []), ({"active": True}, [cases[1]]),
        ({"suspended": True}, [cases[0]]), ({"processVariables": [{"name": "x", "operator": "eq", "value": 1}]}, []),
    ):
        assert {each["id"] for each in asker.post("/execution", sent)} == {str(each) for each in ids}, sent
        assert asker.post("/execution/count", sent) == {"count": len(ids)}
    page = asker.send("GET", "/execution?maxResults=1")
    assert asker.get("/execution", after=page.headers["X-Next-After"], maxResults=1)[0]["id"] == str(cases[1])
    assert asker.get(f"/execution/{cases[0]}/localVariables") == asker.get(f"/process-instance/{cases[0]}/variables")
    assert refusal(program("outsider").send("GET", f"/execution/{cases[0]}/localVariables"))[0] == 404
    for wrong in ("colour=x", "variables=x_eq_1", "sortBy=instanceId"):
        assert refusal(asker.send("GET", f"/execution?{wrong}"))[0] == 400
    for method, path, sent in (("POST", "", {"modifications": {"x": {"value": 1}}}), ("PUT", "/x", {"value": 1}), ("DELETE", "/x", None)):
        assert refusal(asker.send(method, f"/execution/{cases[1]}/localVariables{path}", sent))[0] in (400, 403), "a correction, for who supervises"


def test_cases_are_counted_by_version_and_by_step(program: Programs, cases: tuple[int, int, int], cast: Cast, clock: MovableClock) -> None:
    provider, operator = program("provider"), program("sysadmin")
    task = provider.get("/task", processInstanceId=str(cases[0]))[0]
    provider.post(f"/task/{task['id']}/complete")
    third = provider.get("/task", processInstanceId=str(cases[2]))[0]
    provider.post(f"/task/{third['id']}/complete")
    worker = program("operator")
    locked = worker.post("/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "mail", "lockDuration": 60000}]})
    done = next(each for each in locked if each["processInstanceId"] == str(cases[2]))
    worker.post(f"/external-task/{done['id']}/complete", {"workerId": "w"})
    clock.to("2026-02-25 09:00")
    fire_due(cast.store)
    [job] = operator.get("/job", withException="true")
    operator.put(f"/job/{job['id']}/retries", {"retries": 0})

    version = provider.get("/process-definition/key/asking")
    mine = {each["definition"]["key"]: each for each in program("asker").get("/process-definition/statistics")}
    assert mine["asking"] == {"id": version["id"], "instances": 2, "failedJobs": 0, "incidents": [], "definition": version}
    assert mine["conditional_share"]["instances"] == 0 and len(mine) == provider.get("/process-definition/count")["count"]
    assert {each["instances"] for each in program("lawyer").get("/process-definition/statistics")} == {0}
    [whole] = [each for each in operator.get("/process-definition/statistics", failedJobs="true", incidents="true") if each["instances"]]
    assert (whole["instances"], whole["failedJobs"], whole["incidents"]) == (3, 1, [{"incidentType": "failedJob", "incidentCount": 1}])

    steps = {each["id"]: each for each in operator.get(f"/process-definition/{version['id']}/statistics", failedJobs="true", incidentsForType="failedJob")}
    assert {step: each["instances"] for step, each in steps.items()} == {"reply": 1, "send": 1, "rest": 1, "due": 0}
    assert (steps["due"]["failedJobs"], steps["due"]["incidents"]) == (1, [{"incidentType": "failedJob", "incidentCount": 1}])
    assert steps["reply"]["incidents"] == []
    seen = program("asker").get("/process-definition/key/asking/statistics", failedJobs="true")
    assert {each["id"]: each["instances"] for each in seen} == {"reply": 1, "send": 1, "due": 0}
    assert program("lawyer").get("/process-definition/key/asking/statistics") == []

    path = f"/history/process-definition/{version['id']}/statistics"
    past = {each["id"]: (each["instances"], each["finished"], each["canceled"]) for each in program("office_head").get(path, finished="true", canceled="true")}
    assert past == {"reply": (1, 2, 0), "send": (1, 1, 0)}
    assert [each["id"] for each in program("office_head").get(path, sortBy="activityId", sortOrder="desc")] == ["send", "reply"]
    assert program("office_head").get(path, finished="true", startedAfter="2026-02-20T00:00:00Z") == []
    assert program("office_head").get(path, finished="true", finishedBefore="2026-12-20T00:00:00Z") == [], "none of the cases has ended"


def test_what_cannot_be_counted_is_refused(program: Programs, cases: tuple[int, int, int]) -> None:
    asker = program("asker")
    for path in ("/process-definition/statistics", "/process-definition/key/asking/statistics"):
        assert refusal(asker.send("GET", f"{path}?incidents=true"))[0] == 403, "as the list of incidents"
        assert refusal(asker.send("GET", f"{path}?incidents=true&rootIncidents=true"))[0] == 400
        assert refusal(asker.send("GET", f"{path}?incidentsForType=other"))[0] == 400
    assert refusal(asker.send("GET", "/process-definition/key/nothing/statistics"))[0] == 404
    version = asker.get("/process-definition/key/asking")["id"]
    for flag in ("completeScope", "incidents"):
        assert refusal(asker.send("GET", f"/history/process-definition/{version}/statistics?{flag}=true"))[0] == 501
    assert refusal(asker.send("GET", f"/history/process-definition/{version}/statistics?sortBy=activityId"))[0] == 400
    assert refusal(asker.send("GET", "/history/process-definition/asking:9:99/statistics"))[0] == 404


def test_what_waits_for_a_message_is_found_and_counted(program: Programs, cast: Cast) -> None:
    deploys(cast, "start > user:reply > catch:news > end", catches_message("news", "answer"), message("reply", "stop", "stop"), "stop > end:s")
    first, second = (start_instance(cast.store, "asking", actor=cast.actor("asker"), answers={}) for _ in range(2))
    provider, asker = program("provider"), program("asker")
    provider.post(f"/task/{provider.get('/task', processInstanceId=str(first))[0]['id']}/complete")
    assert [each["id"] for each in asker.get("/execution", messageEventSubscriptionName="answer")] == [str(first)]
    assert [each["id"] for each in asker.get("/execution", messageEventSubscriptionName="stop")] == [str(second)]
    assert asker.get("/execution", messageEventSubscriptionName="none") == asker.get("/execution", signalEventSubscriptionName="answer") == []
    steps = {each["id"]: each["instances"] for each in asker.get("/process-definition/key/asking/statistics")}
    assert steps == {"reply": 1, "news": 1}, "what waits beside a task is no step of its own"
    program("office_head").put(f"/process-instance/{first}/suspended", {"suspended": True})
    assert asker.get("/execution/count", messageEventSubscriptionName="answer") == {"count": 0}, "nobody is told while it stands still"


def test_a_report_says_how_long_cases_took(program: Programs, cases: tuple[int, int, int], cast: Cast, clock: MovableClock) -> None:
    office, asker = program("office_head"), program("asker")
    clock.to("2026-02-11 09:00")
    assert office.send("DELETE", f"/process-instance/{cases[0]}?deleteReason=重复").status_code == 204
    path = "/history/process-instance/report?reportType=duration&periodUnit"
    day = 24 * 3600_000
    assert asker.fine(asker.send("GET", f"{path}=quarter")) == [{"period": 1, "periodUnit": "QUARTER", "minimum": day, "maximum": day, "average": day}]
    assert office.fine(office.send("GET", f"{path}=month&processDefinitionKeyIn=asking,other"))[0]["period"] == 2
    assert office.fine(office.send("GET", f"{path}=month&startedAfter=2026-03-01T00:00:00Z")) == []
    for wrong in ("/history/process-instance/report", f"{path}=year", f"{path}=month&colour=red", "/history/process-instance/report?reportType=count&periodUnit=month"):
        assert refusal(office.send("GET", wrong))[0] == 400
    assert program("lawyer").send("GET", f"{path}=month").get_json() == []
