"""The dialogs of Camunda Modeler: what they send, byte for byte (`modeler/recording.py`), and what they read of the answers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPResponse
from typing import Any

import pytest

from engine.store.settings import Settings
from tests.browser.serving import served
from tests.web.api.client import Program
from tests.web.api.modeler.recording import DEFINITION, FAULTY, LOGIN, REQUESTS, SOUND, basic, recorded
from tests.web.cast import Cast

#: What the Modeler takes for a diagram's fault: it then shows `message` in its log.
PARSE_ERROR = "ENGINE-09005 Could not parse BPMN process."
Modeler = Callable[..., tuple[int, Any]]


def _modeler(address: str) -> Modeler:
    """A Modeler whose requests are the recorded ones, unchanged but for what `changes` put in the place of something else."""
    place = address.removeprefix("http://").split(":")

    def sends(name: str, *changes: tuple[str, str]) -> tuple[int, Any]:
        request = recorded(name)
        for old, new in changes:
            assert request.count(old.encode()) == 1
            request = request.replace(old.encode(), new.encode())
        with socket.create_connection((place[0], int(place[1])), timeout=30) as connection:
            connection.sendall(request)
            answer = HTTPResponse(connection)
            answer.begin()
            body = answer.read()
        return answer.status, json.loads(body) if body else None

    return sends


@pytest.fixture
def modeler(cast: Cast, settings: Settings) -> Iterator[Modeler]:
    """At a server where a second person approves."""
    with served(cast.store, settings) as address:
        yield _modeler(address)


@pytest.fixture
def developing(cast: Cast, settings: Settings) -> Iterator[Modeler]:
    """At a server where deployments take effect at once."""
    with served(cast.store, replace(settings, api_deploy="direct")) as address:
        yield _modeler(address)


def test_the_recordings_are_of_the_diagrams_that_they_are_said_to_be() -> None:
    for name, xml in (("deploy", SOUND), ("deploy_faulty", FAULTY)):
        request = recorded(name)
        boundary = request.split(b"boundary=")[1].split(b"\r\n")[0]
        assert boundary.startswith(b"----WebKitFormBoundary") and request.count(boundary) == 1 + len(REQUESTS[name][3]) + 1
        assert xml in request and b"Chrome/" in request


def test_the_dialog_checks_the_address_and_the_password_before_it_deploys(modeler: Modeler) -> None:
    assert modeler("asked_without_password")[0] == 401, "so the dialog asks for a password instead of another address"
    assert modeler("asked") == (200, [])
    status, told = modeler("version")
    assert status == 200 and told["version"].startswith("7.")
    wrong = ("authorization: Basic ZWRp", "authorization: Basic ZWRq")
    assert modeler("asked", wrong)[0] == modeler("deploy", wrong)[0] == 401
    with_origin = ("accept: application/json\r\n", "accept: application/json\r\nOrigin: file://\r\n")
    assert modeler("asked", with_origin)[0] == 200, "the page that asks is a file"


def test_a_diagram_is_deployed_and_its_process_started(developing: Modeler, program: Callable[[str], Program]) -> None:
    status, told = developing("deploy")
    assert status == 200 and told["id"] and told["name"] == "核对"
    (version,) = told["deployedProcessDefinitions"].values()
    assert version["id"] in told["deployedProcessDefinitions"] and version["key"] == "modeler_trial"
    again = developing("deploy")[1]["deployedProcessDefinitions"]
    assert [each["id"] for each in again.values()] == [version["id"]], "unchanged: the dialog starts what is there"

    of_it = (f"/{DEFINITION}/", f"/{version['id']}/")
    status, refused = developing("start", of_it)
    assert (status, refused["type"]) == (403, "AuthorizationException"), "who draws does not start cases, in the Modeler neither"
    status, case = developing("start", of_it, (basic(LOGIN), basic("asker")))
    assert status == 200 and case["definitionId"] == version["id"] and case["businessKey"], "its number, as the dialog's field was empty"
    assert [each["id"] for each in program("asker").get("/process-instance", processDefinitionKey="modeler_trial")] == [case["id"]]
    status, other = developing("start", of_it, (basic(LOGIN), basic("asker")), ('"businessKey":""', '"businessKey":"default"'), ("Content-Length: 18", "Content-Length: 25"))
    assert (status, other["businessKey"]) == (200, "default"), "as the field stands when nobody has touched it"


def test_under_the_second_person_the_dialog_is_told_success_and_no_version_yet(modeler: Modeler, program: Callable[[str], Program]) -> None:
    status, told = modeler("deploy")
    assert status == 200 and told["id"].startswith("proposal-") and told["office"]["state"] == "proposed"
    assert told["deployedProcessDefinitions"] is None, "the Modeler reads: deployed, and nothing to start yet"
    assert program("editor").get("/process-definition/count", key="modeler_trial") == {"count": 0}


@pytest.mark.parametrize("kind", ["modeler", "developing"])
def test_a_faulty_diagram_is_told_by_file_element_and_line(kind: str, request: pytest.FixtureRequest) -> None:
    status, told = request.getfixturevalue(kind)("deploy_faulty")
    assert (status, told["type"]) == (400, "ParseException")
    assert told["message"].startswith(PARSE_ERROR) and "核对材料" in told["message"] and "resource 核对.bpmn | line 2 |" in told["message"]
    [problem] = told["details"]["核对.bpmn"]["errors"]
    line = FAULTY.decode().splitlines()[problem["line"] - 1]
    assert line[problem["column"] - 1 :].startswith('<bpmn:userTask id="check"')
    assert problem["mainElementId"] == "check" and problem["elementIds"] == ["check"] and "nobody_has_it" in problem["message"]
    assert told["details"]["核对.bpmn"]["warnings"] == []
