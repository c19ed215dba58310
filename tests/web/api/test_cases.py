"""Running cases and the record at the API."""

from __future__ import annotations

from collections.abc import Callable

from engine.store.clock import MovableClock
from tests.web.api.client import Program, refusal
from tests.web.cast import Cast
from tests.web.desk import Desk

Programs = Callable[[str], Program]
Desks = Callable[[str], Desk]


def test_a_case_is_found_read_stopped_and_ended(program: Programs, desk: Desks) -> None:
    number = desk("asker").ask()
    asker, office = program("asker"), program("office_head")
    (case,) = asker.get("/process-instance", processDefinitionKey="conditional_share", active="true")
    assert case["id"] == str(number) and asker.get(f"/process-instance/{number}") == case
    assert asker.get("/process-instance", businessKey=case["businessKey"], activityIdIn="nowhere") == []
    assert asker.get(f"/process-instance/{number}/variables")["basis"]["value"] == "《社会救助暂行办法》第五条"
    assert refusal(asker.send("GET", f"/process-instance/{number}/variables/colour"))[0] == 404
    tree = asker.get(f"/process-instance/{number}/activity-instances")
    assert tree["activityType"] == "processDefinition" and tree["childActivityInstances"]
    assert refusal(asker.send("PUT", f"/process-instance/{number}/suspended", {"suspended": True}))[0] == 403
    office.put(f"/process-instance/{number}/suspended", {"suspended": True, "reason": "等待批复"})
    assert asker.get(f"/process-instance/{number}")["suspended"] is True and asker.get("/process-instance/count", suspended="true") == {"count": 1}
    assert program("asker_head").get("/task", suspended="true")[0]["suspended"] is True
    office.put(f"/process-instance/{number}/suspended", {"suspended": False})
    assert office.send("DELETE", f"/process-instance/{number}?deleteReason=重复").status_code == 204
    assert refusal(asker.send("GET", f"/process-instance/{number}"))[0] == 404
    past = asker.get(f"/history/process-instance/{number}")
    assert past["state"] == "EXTERNALLY_TERMINATED" and past["endTime"] == "2026-02-10T09:00:00.000+0800"


def test_cases_of_others_are_not_there(program: Programs, desk: Desks) -> None:
    number = desk("asker").ask()
    stranger = program("outsider")
    for path in ("", "/variables", "/activity-instances"):
        assert refusal(stranger.send("GET", f"/process-instance/{number}{path}"))[0] == 404
    assert refusal(stranger.send("DELETE", f"/process-instance/{number}"))[0] == 404
    assert refusal(stranger.send("GET", f"/history/process-instance/{number}"))[0] == 404
    for path in ("/process-instance", "/history/process-instance", "/history/task", "/history/user-operation"):
        assert stranger.get(path) == [], path
    for path in ("/history/activity-instance", "/history/variable-instance"):
        assert stranger.get(path, processInstanceId=number) == [], path


def test_the_record_tells_what_happened(program: Programs, desk: Desks, cast: Cast, clock: MovableClock) -> None:
    number = desk("asker").ask()
    clock.to("2026-02-10 10:00")
    head = program("asker_head")
    (task,) = head.get("/task", processInstanceId=number)
    head.post(f"/task/{task['id']}/complete", {"variables": {"sign": {"value": "agree"}}})
    asker = program("asker")
    done, opened = asker.get("/history/task", processInstanceId=number, sortBy="startTime", sortOrder="asc")
    assert done["assignee"] == "asker_head" and done["duration"] == 3600_000 and done["office"]["state"] == "done"
    assert opened["endTime"] is None and asker.get("/history/task/count", finished="true", processInstanceId=number) == {"count": 1}
    for asked, there in (
        ({"taskAssigneeLike": "asker_h%"}, [done]), ({"taskInvolvedUser": "asker_head"}, [done]), ({"taskInvolvedUser": "provider"}, []),
        ({"taskHadCandidateUser": "provider"}, [opened]), ({"taskHadCandidateGroup": "013/intake"}, [opened]), ({"taskDeleteReason": "completed"}, [done]),
        ({"taskDeleteReason": "deleted"}, []), ({"taskParentTaskId": done["id"]}, []), ({"taskPriority": 50}, [done, opened]), ({"taskOwnerLike": "%"}, []),
    ):  # fmt: skip
        assert asker.get("/history/task", processInstanceId=number, sortBy="startTime", sortOrder="asc", **asked) == there, asked
    acts = asker.get("/history/user-operation", processInstanceId=number, sortBy="timestamp", sortOrder="asc")
    assert [act["operationType"] for act in acts] == ["Create", "Complete"] and acts[1]["userId"] == "asker_head"
    steps = asker.get("/history/activity-instance", processInstanceId=number)
    signed = next(step for step in steps if step["activityId"] == task["taskDefinitionKey"])
    assert signed["taskId"] == task["id"] and signed["endTime"] == "2026-02-10T10:00:00.000+0800" and signed["activityType"] == "userTask"
    going = asker.get("/history/activity-instance", processInstanceId=number, unfinished="true")
    assert opened["taskDefinitionKey"] in [step["activityId"] for step in going]
    data = {each["name"]: each for each in asker.get("/history/variable-instance", processInstanceId=number)}
    assert data["sign"]["value"] == "agree" and asker.get("/history/variable-instance/count", processInstanceId=number, variableName="sign") == {"count": 1}
    assert refusal(asker.send("GET", "/history/activity-instance"))[0] == 400
    assert refusal(asker.send("DELETE", f"/history/process-instance/{number}"))[0] == 501


def test_people_and_groups_are_read_only(program: Programs) -> None:
    person = program("asker")
    assert person.get("/user", memberOfGroup="013/intake") == [{"id": "provider", "firstName": "", "lastName": "李住建", "email": None}]
    assert person.get("/user/provider/profile")["lastName"] == "李住建" and person.get("/user/count")["count"] == 20
    logins = [each["id"] for each in person.get("/user", sortBy="userId", sortOrder="desc")]
    assert logins == sorted(logins, reverse=True) and len(logins) == 20
    assert [each["id"] for each in person.get("/user", idIn="provider,asker,nobody")] == ["asker", "provider"]
    assert {each["id"] for each in person.get("/user", lastNameLike="%住建")} == {"provider", "provider_reviewer", "provider_head"}
    page = person.send("GET", "/user?maxResults=12")
    rest = person.get("/user", maxResults=12, after=page.headers["X-Next-After"])
    assert sorted(each["id"] for each in [*page.get_json(), *rest]) == sorted(logins)
    assert {"id": "013/intake", "name": "住建受理", "type": "WORKFLOW"} in person.get("/group", member="provider")
    assert person.get("/group", idIn="013/intake,013/nothing") == person.post("/group", {"nameLike": "住建受_"}) == person.get("/group", name="住建受理")
    assert person.post("/group/count", {"type": "WORKFLOW"})["count"] == person.get("/group/count")["count"] > 10
    assert person.get("/group", type="SYSTEM") == [] == person.get("/group", nameLike="住建受\\_")
    names = [each["name"] for each in person.post("/group", {"sorting": [{"sortBy": "name", "sortOrder": "asc"}]})]
    assert names == sorted(names) and refusal(person.send("GET", "/group?sortBy=name"))[0] == 400
    assert person.get("/group/013/intake")["name"] == "住建受理"
    assert refusal(person.send("GET", "/group/013/nothing"))[0] == 404 and refusal(person.send("GET", "/user/nobody/profile"))[0] == 404
    assert refusal(person.send("POST", "/user/create", {}))[0] == 501
