"""Versions, starting by them, and deploying: what a program deploys waits for the second person."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from engine.process.workshop import proposals
from engine.store.settings import Settings
from tests.web.api.client import Program, refusal
from tests.web.cast import HOUSING, RULES, Cast
from tests.web.desk import REQUEST, Desk, text_of

Programs = Callable[[str], Program]
Desks = Callable[[str], Desk]
DIAGRAM = RULES / "conditional_share" / "diagram.bpmn"


def request_for(**more: Any) -> dict[str, Any]:
    """The variables of a complete request for the housing resource."""
    values = {**{name: value == "true" if value == "true" else value for name, value in REQUEST.items()}, "resource_code": HOUSING, **more}
    return {name: {"value": value, "type": "Json"} if isinstance(value, list) else {"value": value} for name, value in values.items()}


def with_text_lists(variables: dict[str, Any]) -> dict[str, Any]:
    """Lists as clients of the original write them: type Json, a text."""
    return {name: {"value": json.dumps(given["value"]), "type": "Json"} if given.get("type") == "Json" else given for name, given in variables.items()}


def test_a_version_is_found_and_read(program: Programs) -> None:
    person = program("asker")
    found = person.get("/process-definition", key="conditional_share")
    assert len(found) == 1 and person.get("/process-definition/count", latestVersion="true", keyLike="cond%") == {"count": 1}
    (version,) = found
    assert version["id"] == f"conditional_share:1:{version['deploymentId']}" and version["suspended"] is False
    assert person.get(f"/process-definition/{version['id']}") == person.get("/process-definition/key/conditional_share") == version
    text = person.get("/process-definition/key/conditional_share/xml")["bpmn20Xml"]
    assert text.encode() == DIAGRAM.read_bytes()
    form = person.get("/process-definition/key/conditional_share/deployed-start-form")
    assert {"basis", "scenario"} <= {field.get("key") for field in form["fields"]}
    for wrong in ("conditional_share:1:999", "other:1:" + version["deploymentId"], "nonsense", "key/nonsense"):
        assert refusal(person.send("GET", f"/process-definition/{wrong}"))[0] == 404, wrong


def test_a_case_is_started_once_whatever_is_lost_on_the_way(program: Programs) -> None:
    person = program("asker")
    sent = {"variables": with_text_lists(request_for()), "withVariablesInReturn": True}
    first = person.send("POST", "/process-definition/key/conditional_share/start", sent, headers={"Idempotency-Key": "a-1"})
    case = Program.fine(first)
    assert case["businessKey"] and case["ended"] is False and case["variables"]["basis"]["type"] == "String"
    again = person.send("POST", "/process-definition/key/conditional_share/start", sent, headers={"Idempotency-Key": "a-1"})
    assert Program.fine(again)["id"] == case["id"] and again.headers["Idempotency-Replayed"] == "true"
    assert person.get("/process-instance/count") == {"count": 1}
    by_id = person.get("/process-definition/key/conditional_share")["id"]
    other = person.post(f"/process-definition/{by_id}/submit-form", {"variables": with_text_lists(request_for())})
    assert other["id"] != case["id"]


def test_a_program_knows_its_case_by_a_key_of_its_own(program: Programs, desk: Desks, cast: Cast) -> None:
    person, office = program("asker"), program("office")
    start = "/process-definition/key/conditional_share/start"
    ordered = person.post(start, {"variables": with_text_lists(request_for()), "businessKey": "ORDER-7"})
    plain = person.post(start, {"variables": with_text_lists(request_for()), "businessKey": None})
    number = ordered["office"]["number"]
    assert ordered["businessKey"] == "ORDER-7" and number.startswith("共享申请") and plain["businessKey"] == plain["office"]["number"]
    for asked in ({"businessKey": "ORDER-7"}, {"businessKey": number}, {"businessKeyLike": "ORDER%"}):
        assert [each["id"] for each in office.get("/process-instance", **asked)] == [ordered["id"]], asked
        assert office.get("/process-instance/count", **asked) == {"count": 1}
    for asked in ({"processInstanceBusinessKey": "ORDER-7"}, {"processInstanceBusinessKeyIn": "ORDER-7,none"}, {"processInstanceBusinessKeyLike": "%R-7"}):
        assert [each["businessKey"] for each in office.get("/history/process-instance", **asked)] == ["ORDER-7"], asked
        assert [each["processInstanceId"] for each in program("asker_head").get("/task", **asked)] == [ordered["id"]], asked
        assert office.get("/history/task/count", **asked) == {"count": 1}
    again = person.post(start, {"variables": with_text_lists(request_for()), "businessKey": "ORDER-7"})
    assert office.get("/execution/count", businessKey="ORDER-7") == {"count": 2} and again["office"]["number"] != number, "a key may come again"
    for wrong in (number, " ", "a\tb", "x" * 201):
        assert refusal(person.send("POST", start, {"variables": with_text_lists(request_for()), "businessKey": wrong}))[0] == 400, wrong
    assert office.get("/process-instance/count") == {"count": 3}
    page = text_of(desk("asker").get(f"/cases/{ordered['id']}"))
    assert "外部编号" in page and "ORDER-7" in page and "外部编号" not in text_of(desk("asker").get(f"/cases/{plain['id']}"))


def test_a_start_that_the_form_refuses_starts_nothing(program: Programs) -> None:
    person = program("asker")
    address = "/process-definition/key/conditional_share/start"
    response = person.send("POST", address, {"variables": {"resource_code": {"value": HOUSING}, "colour": {"value": "red"}}})
    assert refusal(response)[0] == 400 and {"colour", "basis"} <= response.get_json()["fields"].keys()
    assert refusal(person.send("POST", address, {"businessKey": "own-1"}))[0] == 400
    assert "none" in refusal(person.send("POST", address, {"variables": with_text_lists(request_for()), "attachments": ["none"]}))[2]
    assert refusal(person.send("POST", address, {"variables": {"basis": {"value": 7, "type": "String"}}}))[0] == 400
    assert refusal(program("asker_head").send("POST", address, {"variables": with_text_lists(request_for())}))[:2] == (403, "AuthorizationException")
    assert person.get("/process-instance/count") == {"count": 0}


def test_a_suspended_version_starts_nothing(program: Programs) -> None:
    approver, person = program("approver"), program("asker")
    assert refusal(person.send("PUT", "/process-definition/key/conditional_share/suspended", {"suspended": True}))[0] == 403
    approver.put("/process-definition/key/conditional_share/suspended", {"suspended": True})
    assert person.get("/process-definition/count", suspended="true") == {"count": 1}
    start = ("POST", "/process-definition/key/conditional_share/start", {"variables": with_text_lists(request_for())})
    status, _, message = refusal(person.send(*start))
    assert status == 409 and "停用" in message
    approver.put("/process-definition/suspended", {"suspended": False, "processDefinitionKey": "conditional_share"})
    assert person.send(*start).status_code == 200
    version = person.get("/process-definition/key/conditional_share")["id"]
    approver.put("/process-definition/suspended", {"suspended": True, "processDefinitionId": version})
    assert person.get("/process-definition/count", suspended="true") == {"count": 1}
    for wrong in ({"suspended": True}, {"suspended": True, "processDefinitionId": version, "processDefinitionKey": "conditional_share"}):
        assert refusal(approver.send("PUT", "/process-definition/suspended", wrong))[0] == 400, "of one process or of one version, never of all"
    assert refusal(approver.send("PUT", "/process-definition/suspended", {"suspended": True, "processDefinitionKey": "nothing"}))[0] == 404


def test_versions_are_found_by_what_clients_ask_for(program: Programs) -> None:
    person = program("asker")
    every = person.get("/process-definition/count")["count"]
    (found,) = person.get("/process-definition", resourceName="conditional_share.bpmn")
    assert found["resource"] == "conditional_share.bpmn"
    assert [each["key"] for each in person.get("/process-definition", resourceNameLike="conditional_sh%.bpmn")] == ["conditional_share"]
    for asked, expected in (
        ({"categoryLike": "liaoyang%"}, every), ({"categoryLike": "national%"}, 0), ({"versionTag": "v1"}, 0), ({"withoutVersionTag": "true"}, every),
        ({"startableInTasklist": "true"}, every), ({"notStartableInTasklist": "true"}, 0), ({"notStartableInTasklist": "false"}, every),
    ):  # fmt: skip
        assert person.get("/process-definition/count", **asked) == {"count": expected}, asked


def changed_diagram() -> bytes:
    """The rule set's diagram with another name of a step: a new version."""
    return DIAGRAM.read_bytes().replace("部门负责人审签".encode(), "部门负责人签批".encode())


def deploy(person: Program, *files: tuple[bytes, str], **fields: str) -> TestResponse:
    """A deployment as Camunda Modeler's dialog sends it."""
    sent: dict[str, Any] = {name.replace("_", "-"): value for name, value in fields.items()}
    for place, (content, name) in enumerate(files):
        sent[f"file{place}" if place else "data"] = (io.BytesIO(content), name)
    return person.send("POST", "/deployment/create", data=sent, content_type="multipart/form-data")


def test_a_deployment_waits_for_the_second_person(program: Programs, cast: Cast) -> None:
    editor = program("editor")
    created = Program.fine(deploy(editor, (changed_diagram(), "conditional_share.bpmn"), deployment_name="共享", reason="改名"))
    assert created["office"]["state"] == "proposed" and created["deployedProcessDefinitions"] is None
    assert editor.get(f"/deployment/{created['id']}")["source"] == "open"
    assert refusal(program("asker").send("GET", f"/deployment/{created['id']}"))[0] == 404
    assert editor.get("/process-definition/count", key="conditional_share") == {"count": 1}
    again = deploy(editor, (changed_diagram(), "conditional_share.bpmn"))
    assert refusal(again)[0] == 409, "one proposal of a process waits at a time"
    with cast.store.read() as session:
        base = session.execute(proposals.select(proposals.Proposal.base_id)).scalar_one()
    proposals.approve(cast.store, int(created["office"]["proposal"]), actor=cast.actor("approver"), seen_base_id=base)
    newest = editor.get("/process-definition/key/conditional_share")
    assert newest["version"] == 2 and newest["office"]["deployedBy"] == "editor"
    assert {each["name"] for each in editor.get(f"/deployment/{newest['deploymentId']}/resources")} > {"conditional_share.bpmn", "acceptance.json"}
    unchanged = Program.fine(deploy(editor, (changed_diagram(), "conditional_share.bpmn"), enable_duplicate_filtering="true"))
    assert unchanged["office"]["state"] == "unchanged" and newest["id"] in unchanged["deployedProcessDefinitions"]
    assert refusal(editor.send("DELETE", f"/deployment/{newest['deploymentId']}"))[0] == 409, "it is in force"


def test_a_waiting_deployment_is_taken_back_by_who_made_it(program: Programs) -> None:
    editor = program("editor")
    created = Program.fine(deploy(editor, (changed_diagram(), "diagram.bpmn")))
    assert refusal(program("approver").send("DELETE", f"/deployment/{created['id']}"))[0] == 403
    assert editor.send("DELETE", f"/deployment/{created['id']}?cascade=true").status_code == 204
    assert editor.get(f"/deployment/{created['id']}")["source"] == "withdrawn"


def test_a_version_that_no_case_followed_is_deleted_and_no_other(app: Flask, program: Programs, settings: Settings, desk: Callable[[str], Desk]) -> None:
    app.extensions["sharing_settings"] = replace(settings, api_deploy="direct")
    editor = program("editor")
    desk("asker").ask()
    used = editor.get("/process-definition/key/conditional_share")
    before = editor.get("/process-definition", sortBy="id", sortOrder="asc")
    status, kind, said = refusal(editor.send("DELETE", f"/deployment/{used['deploymentId']}?cascade=true"))
    assert (status, kind) == (409, "ProcessEngineException") and "已有办件" in said, "with the cause; cascade deletes no case"
    for path in ("deployment/{deploymentId}?cascade=true&skipCustomListeners=true", "process-definition/{id}"):
        unused = Program.fine(deploy(editor, (changed_diagram(), "diagram.bpmn")))
        [version] = unused["deployedProcessDefinitions"].values()
        assert editor.get("/process-definition/key/conditional_share")["id"] == version["id"]
        for login in ("asker", "approver", "office_head"):
            assert refusal(program(login).send("DELETE", "/" + path.format(**version)))[0] == 403
        assert editor.send("DELETE", "/" + path.format(**version)).status_code == 204
        assert refusal(editor.send("DELETE", "/" + path.format(**version)))[0] == 404
        for gone in (f"/deployment/{unused['id']}", f"/deployment/{unused['id']}/resources", f"/process-definition/{version['id']}", f"/process-definition/{version['id']}/xml"):
            assert refusal(editor.send("GET", gone))[0] == 404, gone
        assert refusal(program("asker").send("POST", f"/process-definition/{version['id']}/start", {}))[0] == 404
        assert editor.get("/process-definition", sortBy="id", sortOrder="asc") == before
        assert editor.get("/process-definition/key/conditional_share") == used, "the one before is in force again"
    app.extensions["sharing_settings"] = settings
    assert refusal(editor.send("DELETE", f"/deployment/{used['deploymentId']}"))[0] == 409
    assert refusal(editor.send("DELETE", "/deployment/99999"))[0] == 404
    assert refusal(editor.send("DELETE", "/process-definition/x:1:99999"))[0] == 404


def test_an_installation_for_development_deploys_at_once(app: Flask, program: Programs, settings: Settings) -> None:
    app.extensions["sharing_settings"] = replace(settings, api_deploy="direct")
    created = Program.fine(deploy(program("editor"), (changed_diagram(), "diagram.bpmn"), deployment_name="Modeler"))
    assert created["office"]["state"] == "deployed" and len(created["deployedProcessDefinitions"]) == 1
    assert program("editor").get("/deployment/count", source="liaoyang_2018")["count"] > 18
    assert refusal(deploy(program("asker"), (changed_diagram(), "diagram.bpmn")))[0] == 403


def test_what_cannot_be_deployed_is_told_beside_the_drawing(program: Programs) -> None:
    editor = program("editor")
    broken = DIAGRAM.read_bytes().replace(b'name="form" value="', b'name="form" value="no_')
    response = deploy(editor, (broken, "diagram.bpmn"))
    status, kind, _ = _refused(response)
    details = response.get_json()["details"]["diagram.bpmn"]
    assert (status, kind) == (400, "ParseException") and details["errors"][0]["message"] and details["errors"][0]["mainElementId"]
    for files, fields in (
        ([], {}), ([(b"<x/>", "x.bpmn"), (b"<x/>", "y.bpmn")], {}), ([(b"MZ", "virus.exe")], {}), ([(b"no xml", "x.bpmn")], {}),
        ([(changed_diagram(), "x.bpmn"), (b"{", "form.json")], {}), ([(changed_diagram(), "x.bpmn")], {"colour": "red"}),
        ([(changed_diagram(), "x.bpmn")], {"deployment_activation_time": "soon"}),
    ):  # fmt: skip
        assert deploy(editor, *files, **fields).status_code == 400, (files, fields)


def _refused(response: TestResponse) -> tuple[int, str, str]:
    told = response.get_json()
    return response.status_code, told["type"], told["message"]
