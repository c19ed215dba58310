"""The original's own SDK for JavaScript (camunda-bpm-sdk-js), unmodified, drives the real server; `sdk.mjs` is what it does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.store.settings import Settings
from tests.browser.serving import served
from tests.engine.interpreter.diagrams import diagram, element
from tests.engine.process.office import choice, form, text
from tests.web.api.client import Program, refusal
from tests.web.api.test_definitions import request_for
from tests.web.cast import PASSWORD, Cast
from tests.web.desk import Desk

PROGRAM = Path(__file__).with_name("sdk.mjs")


def test_the_sdk_for_javascript_deploys_starts_works_and_reads_the_record(cast: Cast, settings: Settings) -> None:
    xml = diagram(
        "start > user:check > end", element("check", name="核对", unit="'007'", post="handler", form="check"),
        key="sdk", startPosts="handler", startForm="ask", actions="delegate, transfer",
    )  # fmt: skip
    forms = {"ask": form(text("wish", required=True)), "check": form(choice("result", "yes", "no", required=True))}
    files = [{"name": "sdk.bpmn", "content": xml.decode()}, *({"name": f"{name}.json", "content": json.dumps(each)} for name, each in forms.items())]
    with served(cast.store, replace(settings, api_deploy="direct")) as address:
        told = subprocess.run(
            [shutil.which("node") or "node", str(PROGRAM)], capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "BASE_URL": f"{address}/engine-rest", "PASSWORD": PASSWORD, "FILES": json.dumps(files)},
        )  # fmt: skip
    assert told.returncode == 0, told.stderr[:3000]
    said = json.loads(told.stdout)
    assert said.pop("faulty")[0] == 400 and said.pop("wrongStart")[0] == 400 and said.pop("stranger")[0] == 401 and said.pop("gone")[0] == 404
    assert said.pop("metrics")[0] == 501, "what is not kept is no 0"
    [version] = said["deployed"]
    assert version.startswith("sdk:1:") and "委派给李民政" in said.pop("assign"), "a refusal reaches the program as its sentence"
    form_of = f"api:/engine-rest/process-definition/{version}/deployed-start-form"
    assert said == {
        "deployed": [version], "deployment": True, "deployments": 1, "resources": ["sdk.bpmn", "ask.json", "check.json"],
        "definitions": [1, 1, True], "definitionCount": 1, "byKey": True, "xml": True, "startForm": {"camundaFormRef": None, "contextPath": None, "key": form_of},
        "startVariables": ["wish"], "started": ["string", True, True], "instances": [True, 2], "instance": False,
        "task": ["核对", None], "taskCount": 1, "got": True, "form": True, "formVariables": ["result"], "comments": ["已核对"],
        "variables": True, "local": "yes", "left": ["more"], "report": 1, "links": ["assignee", "candidate"], "owner": "asker", "resolved": None,
        "history": ["asker"], "historyCount": 1, "ended": 1, "endedCount": 1, "operations": True,
        "users": ["李住建"], "userCount": 1, "profile": "李住建", "groups": ["013/cataloguer", "013/handler", "013/intake"], "group": "住建受理",
        "filter": ["SDK 清单", ["SDK 清单"]], "filtered": 1, "jobs": 0, "incidents": 0,
    }  # fmt: skip


def test_what_the_sdk_says_twice_must_be_the_same_both_times(program: Callable[[str], Program], desk: Callable[[str], Desk]) -> None:
    first, second = (str(desk("asker").ask()) for _ in range(2))
    person = program("asker")
    rows = {"firstResult": 1, "maxResults": 1, "sorting": [{"sortBy": "instanceId", "sortOrder": "asc"}]}
    assert [each["id"] for each in person.post("/process-instance", rows)] == [second]
    assert [each["id"] for each in person.post("/process-instance?firstResult=1&maxResults=1", rows)] == [second]
    for address in ("/process-instance?firstResult=0", "/task?maxResults=2", "/history/task?firstResult=0", "/history/process-instance?maxResults=9"):
        assert refusal(person.send("POST", address, {"firstResult": 1, "maxResults": 1}))[0] == 400, address
    assert refusal(person.send("POST", "/process-instance/count", {"maxResults": 1}))[0] == 400, "a count has no pages"
    assert refusal(person.send("POST", "/process-instance", {"maxResults": 1001}))[0] == 400
    start = "/process-definition/key/conditional_share/start"
    for wrong in ({"key": "supervision"}, {"id": "supervision:1:2"}):
        status, _, said = refusal(person.send("POST", start, {**wrong, "variables": request_for()}))
        assert status == 400 and f"{next(iter(wrong))}: unknown" in said
    assert refusal(person.send("POST", start, {"colour": "conditional_share", "variables": request_for()}))[0] == 400
    assert person.post(start, {"key": "conditional_share", "variables": request_for()})["id"] not in (first, second)
    assert person.get("/group/013%252Fintake") == person.get("/group/013/intake") == person.get("/group/013%2Fintake", id="013/intake")
    assert refusal(person.send("GET", "/group/013%252Fintake?id=013/head"))[0] == 400
    assert refusal(person.send("GET", "/group/013"))[0] == 404


def test_an_engine_is_named_in_the_path(program: Callable[[str], Program]) -> None:
    person = program("asker")
    assert person.get("/engine/default/process-definition/count") == person.get("/process-definition/count")
    assert person.get("/engine") == [{"name": "default"}]
    assert refusal(person.send("GET", "/engine/other/process-definition/count"))[:2] == (404, "NotFoundException")
    assert refusal(Program(person.client).send("GET", "/engine/default/task"))[0] == 401
