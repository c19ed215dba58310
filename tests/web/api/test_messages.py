"""`message`, `signal`, `event-subscription`: cases found by name, id, number and data; one, all, none, several; what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from engine.history import History
from engine.process.definitions import deploy_in
from engine.process.instances import start_instance, suspend_instance
from engine.process.package import Package
from engine.process.signals import deliver_signals
from engine.store.clock import shanghai
from tests.engine.interpreter.diagrams import catches_message, diagram, element, message, of_signal, script, signal
from tests.web.api.client import Program, refusal
from tests.web.cast import Cast

Programs = Callable[[str], Program]
WORK = {"unit": "'007'", "post": "handler"}
FORM = {"title": "报险", "fields": [{"key": "place", "type": "text", "label": "地点", "required": True}, {"key": "level", "type": "integer", "label": "级别"}]}
GONE = "MismatchingMessageCorrelationException"


def deploy(cast: Cast, key: str, *parts: object, forms: dict[str, Any] | None = None, **properties: object) -> None:
    xml = diagram(*parts, key=key, **{"startPosts": "handler", **properties})
    with cast.store.work() as work:
        deploy_in(work, Package("liaoyang_2018", xml, forms or {}), by="x", approved_by="y", reason="测试", effective_at=shanghai("2026-01-01"))


@pytest.fixture
def cases(cast: Cast) -> list[str]:
    """Three cases that wait for a report, two of them in the east; on the edge of their work they hear of a flood, and of material."""
    deploy(
        cast, "alarm", "start > catch:report > user:check > end", "material > end:x", "flood > user:rescue > end:y",
        catches_message("report", "report"), message("check", "material", "material", interrupting=False), signal("check", "flood", "flood"),
        element("check", **WORK), element("rescue", **WORK), startForm="ask", forms={"ask": FORM},
    )  # fmt: skip
    given = (("东", 1), ("西", 1), ("东", 2))
    return [str(start_instance(cast.store, "alarm", actor=cast.actor("asker"), answers={"place": place, "level": level})) for place, level in given]


def steps(program: Program, case: str) -> list[str]:
    return sorted(task["taskDefinitionKey"] for task in program.get("/task", processInstanceId=case))


def typed(**values: Any) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def test_a_message_reaches_the_case_that_it_names_and_brings_its_data(program: Programs, cases: list[str]) -> None:
    operator, asker = program("sysadmin"), program("asker")
    assert steps(asker, cases[0]) == []
    operator.post("/message", {"messageName": "report", "processInstanceId": cases[0], "processVariables": typed(depth=3)})
    assert steps(asker, cases[0]) == ["check"] and asker.get(f"/process-instance/{cases[0]}/variables/depth")["value"] == 3
    number = asker.get(f"/process-instance/{cases[1]}")["businessKey"]
    sent = {"messageName": "report", "businessKey": number, "resultEnabled": True, "variablesInResultEnabled": True}
    (told,) = operator.post("/message", sent)
    assert (told["resultType"], told["execution"]["id"], told["processInstance"]) == ("Execution", cases[1], None)
    assert told["variables"]["place"] == {"value": "西", "type": "String", "valueInfo": {}}
    assert refusal(operator.send("POST", "/message", sent))[:2] == (400, GONE), "it waits no more"


def test_by_its_data_exactly_one_case_or_all_of_them(program: Programs, cases: list[str]) -> None:
    operator, asker = program("sysadmin"), program("asker")
    status, kind, why = refusal(operator.send("POST", "/message", {"messageName": "report", "correlationKeys": typed(place="东")}))
    assert (status, kind) == (400, GONE) and "2 cases" in why
    status, kind, why = refusal(operator.send("POST", "/message", {"messageName": "report", "correlationKeys": typed(place="北")}))
    assert (status, kind) == (400, GONE) and "0 cases" in why
    assert all(steps(asker, case) == [] for case in cases), "what was refused told nobody"
    sent = {"messageName": "report", "correlationKeys": typed(place="东", level=2), "resultEnabled": True}
    assert [told["execution"]["id"] for told in operator.post("/message", sent)] == [cases[2]]
    told = operator.post("/message", {"messageName": "report", "all": True, "resultEnabled": True})
    assert [each["execution"]["id"] for each in told] == cases[:2] and {each["variables"] for each in told} == {None}
    assert operator.post("/message", {"messageName": "report", "all": True, "resultEnabled": True}) == []
    asked = {"messageName": "material", "processInstanceId": cases[0], "correlationKeys": typed(place="西")}
    assert refusal(operator.send("POST", "/message", asked))[:2] == (400, GONE), "what is given must all hold"


def test_who_cannot_take_it_does_not_stop_the_others(program: Programs, cast: Cast) -> None:
    deploy(cast, "alarm", "start > catch:report > script:s > user:check > end", catches_message("report", "report"), script("s", "x = 10 / level"),
           element("check", **WORK), startForm="ask", forms={"ask": FORM})
    first, bad, last = (str(start_instance(cast.store, "alarm", actor=cast.actor("asker"), answers={"place": "东", "level": level})) for level in (1, 0, 2))
    operator = program("sysadmin")
    status, kind, why = refusal(operator.send("POST", "/message", {"messageName": "report", "all": True}))
    assert (status, kind) == (500, "ProcessEngineException") and "2 cases were told" in why and bad in why
    assert steps(program("asker"), first) == steps(program("asker"), last) == ["check"]
    (incident,) = operator.get("/incident", incidentType="failedMessage")
    assert (incident["processInstanceId"], incident["incidentType"]) == (bad, "failedMessage")
    assert refusal(operator.send("POST", "/message", {"messageName": "report"}))[0] == 500
    assert operator.get("/incident/count") == {"count": 1}


def test_what_cases_wait_for_is_listed_for_who_may_see_them(program: Programs, cases: list[str], cast: Cast) -> None:
    asker, operator, outsider = program("asker"), program("sysadmin"), program("outsider")
    assert [each["processInstanceId"] for each in asker.get("/event-subscription")] == cases
    assert asker.get("/event-subscription/count") == operator.get("/event-subscription/count") == {"count": 3}
    assert outsider.get("/event-subscription") == [] and outsider.get("/event-subscription", processInstanceId=cases[0]) == []
    operator.post("/message", {"messageName": "report", "processInstanceId": cases[0]})
    found = asker.get("/event-subscription", processInstanceId=cases[0], sortBy="created", sortOrder="desc")
    assert [(each["eventType"], each["eventName"], each["activityId"]) for each in found] == [
        ("signal", "flood", "flood"), ("message", "material", "material")]  # fmt: skip
    assert found[0]["createdDate"] == "2026-02-10T09:00:00.000+0800" and found[0]["executionId"] == cases[0]
    assert asker.get("/event-subscription", eventSubscriptionId=found[0]["id"]) == [found[0]]
    assert asker.get("/event-subscription", eventType="signal") == [found[0]] == asker.get("/event-subscription", activityId="flood", executionId=cases[0])
    assert asker.get("/event-subscription/count", eventName="report") == {"count": 2}
    page = asker.send("GET", "/event-subscription", query_string={"maxResults": 2, "sortBy": "created", "sortOrder": "asc"})
    rest = asker.get("/event-subscription", maxResults=5, sortBy="created", sortOrder="asc", after=page.headers["X-Next-After"])
    assert len(page.get_json()) == len(rest) == 2 and asker.get("/event-subscription", firstResult=3) == rest[1:]
    for wrong in ({"eventType": "conditional"}, {"tenantIdIn": "a"}, {"sortBy": "tenantId", "sortOrder": "asc"}, {"sortBy": "created"}, {"maxResults": "x"}):
        assert refusal(asker.send("GET", "/event-subscription", query_string=wrong))[0] == 400
    assert asker.get("/event-subscription", processInstanceId="99999") == asker.get("/event-subscription", eventSubscriptionId="x") == []
    suspend_instance(cast.store, int(cases[1]), actor=cast.actor("supervisor"), reason="暂停")
    assert asker.get("/event-subscription/count", eventName="report") == {"count": 1}
    assert refusal(operator.send("POST", "/message", {"messageName": "report", "processInstanceId": cases[1]}))[:2] == (400, GONE)


def test_one_execution_is_asked_and_triggered(program: Programs, cases: list[str]) -> None:
    asker, operator = program("asker"), program("sysadmin")
    place = f"/execution/{cases[0]}/messageSubscriptions/report"
    assert asker.get(place)["eventName"] == "report"
    assert refusal(asker.send("GET", f"/execution/{cases[0]}/messageSubscriptions/other"))[0] == 404
    assert refusal(program("outsider").send("GET", place))[0] == 404
    assert refusal(asker.send("POST", f"{place}/trigger", {}))[0] == 403
    operator.post(f"{place}/trigger", {"variables": typed(depth=7)})
    assert steps(asker, cases[0]) == ["check"] and asker.get(f"/process-instance/{cases[0]}/variables/depth")["value"] == 7
    assert refusal(operator.send("POST", f"{place}/trigger", {}))[0] == 404
    assert refusal(operator.send("POST", "/execution/99999/messageSubscriptions/report/trigger", {}))[0] == 404


def test_a_signal_is_kept_at_once_and_heard_by_the_worker(program: Programs, cases: list[str], cast: Cast) -> None:
    asker, operator = program("asker"), program("sysadmin")
    operator.post("/message", {"messageName": "report", "all": True})
    suspend_instance(cast.store, int(cases[2]), actor=cast.actor("supervisor"), reason="暂停")
    assert operator.send("POST", "/signal", {"name": "flood", "variables": typed(water="大")}).status_code == 204
    assert [steps(asker, case) for case in cases] == [["check"]] * 3
    assert deliver_signals(cast.store) == 2
    assert [steps(asker, case) for case in cases] == [["rescue"], ["rescue"], ["check"]]
    assert asker.get(f"/process-instance/{cases[0]}/variables/water")["value"] == "大"
    with cast.store.read() as session:
        (thrown,) = session.scalars(select(History).where(History.act == "signal_thrown")).all()
    assert (thrown.actor_name, thrown.data["signal"], thrown.stream) == ("王系统", "flood", "signals")
    operator.post("/signal", {"name": "nobody"})
    assert deliver_signals(cast.store) == 0


def test_a_case_that_cannot_take_a_signal_is_an_incident_that_is_tried_again(program: Programs, cast: Cast) -> None:
    deploy(cast, "alarm", "start > catch:wait > script:s > user:check > end", of_signal("wait", "flood"), script("s", "x = 10 / level"), element("check", **WORK))
    bad = str(start_instance(cast.store, "alarm", actor=cast.actor("asker"), answers={}))
    operator = program("sysadmin")
    operator.post("/signal", {"name": "flood", "variables": typed(level=0)})
    assert deliver_signals(cast.store) == 0
    (incident,) = operator.get("/incident", incidentType="failedSignal")
    assert (incident["processInstanceId"], incident["incidentType"]) == (bad, "failedSignal") and operator.get("/incident", incidentType="failedJob") == []
    operator.fine(operator.send("DELETE", f"/incident/{incident['id']}"))
    assert deliver_signals(cast.store) == 0 and operator.get("/incident/count") == {"count": 1}, "it fails again"
    operator.post("/signal", {"name": "flood", "executionId": bad, "variables": typed(level=2)})
    operator.fine(operator.send("DELETE", f"/incident/{incident['id']}"))
    assert deliver_signals(cast.store) == 0 and operator.get("/incident/count") == {"count": 0}, "it waits no more"


def test_a_signal_for_one_execution_comes_at_once(program: Programs, cases: list[str]) -> None:
    asker, operator = program("asker"), program("sysadmin")
    operator.post("/message", {"messageName": "report", "all": True})
    operator.post("/signal", {"name": "flood", "executionId": cases[1]})
    assert [steps(asker, case) for case in cases] == [["check"], ["rescue"], ["check"]]
    status, kind, why = refusal(operator.send("POST", "/signal", {"name": "flood", "executionId": cases[1]}))
    assert (status, kind) == (500, "ProcessEngineException") and "has not subscribed" in why
    assert refusal(operator.send("POST", "/signal", {"name": "flood", "executionId": "99999"}))[0] == 400


def test_a_message_begins_a_process_like_any_start(program: Programs, cast: Cast) -> None:
    deploy(cast, "order", "start > user:check > end", catches_message("start", "order"), element("check", **WORK), startForm="ask", forms={"ask": FORM})
    asker, operator = program("asker"), program("sysadmin")
    sent = {"messageName": "order", "processVariables": typed(place="东"), "resultEnabled": True, "variablesInResultEnabled": True}
    (told,) = asker.post("/message", sent)
    assert (told["resultType"], told["execution"], told["processInstance"]["definitionKey"]) == ("ProcessDefinition", None, "order")
    assert told["variables"]["place"]["value"] == "东" and steps(asker, told["processInstance"]["id"]) == ["check"]
    status, _, why = refusal(asker.send("POST", "/message", {**sent, "processVariables": {}}))
    assert status == 400 and "地点" in why, "the form of the start judges"
    assert refusal(operator.send("POST", "/message", sent))[0] == 403, "whoever may not start it does not"
    assert refusal(program("auditor").send("POST", "/message", sent))[0] == 403
    named = {"processInstanceId": told["processInstance"]["id"]}
    assert refusal(operator.send("POST", "/message", {**sent, **named}))[:2] == (400, GONE)
    assert refusal(asker.send("POST", "/message", {**sent, **named}))[0] == 403
    (told,) = asker.post("/message", {**sent, "businessKey": "ORDER-7"})
    assert told["processInstance"]["businessKey"] == "ORDER-7", "no case waits under that key: one begins under it"
    deploy(cast, "order2", "start > user:check > end", catches_message("start", "order"), element("check", **WORK))
    status, kind, why = refusal(asker.send("POST", "/message", sent))
    assert (status, kind) == (400, GONE) and "order, order2" in why
    deploy(cast, "waits", "start > catch:c > end", catches_message("c", "order"))
    start_instance(cast.store, "waits", actor=cast.actor("asker"), answers={})
    operator.post("/message", {"messageName": "order"})  # the case that waits goes first


def test_a_process_that_a_signal_starts_is_begun_by_the_worker(program: Programs, cast: Cast) -> None:
    deploy(cast, "flooding", "start > user:check > end", of_signal("start", "flood"), element("check", **WORK), startPosts="")
    program("sysadmin").post("/signal", {"name": "flood", "variables": typed(place="东")})
    assert deliver_signals(cast.store) == 1
    (case,) = program("supervisor").get("/process-instance", processDefinitionKey="flooding")
    assert case["office"]["startedBy"] is None and case["office"]["unit"] == "024"


def test_bad_input_is_named_and_nothing_happens(program: Programs, cases: list[str], cast: Cast) -> None:
    operator = program("sysadmin")
    for path, sent, word in (
        ("/message", {}, "messageName"), ("/message", {"messageName": ""}, "messageName"), ("/message", {"messageName": "x" * 201}, "messageName"),
        ("/message", {"messageName": "report", "localCorrelationKeys": {}}, "localCorrelationKeys"),
        ("/message", {"messageName": "report", "tenantId": "a"}, "tenantId"),
        ("/message", {"messageName": "report", "processVariablesLocal": {}}, "processVariablesLocal"),
        ("/message", {"messageName": "report", "variablesInResultEnabled": True}, "resultEnabled"),
        ("/message", {"messageName": "report", "correlationKeys": {"place": "东"}}, "correlationKeys"),
        ("/message", {"messageName": "report", "processInstanceId": cases[0], "processVariables": {"x": {"value": "a", "type": "Long"}}}, "x"),
        ("/signal", {}, "name"), ("/signal", {"name": ""}, "name"), ("/signal", {"name": "flood", "tenantId": "a"}, "tenantId"),
        ("/signal", {"name": "flood", "variables": []}, "variables"),
    ):  # fmt: skip
        status, _, why = refusal(operator.send("POST", path, sent))
        assert status == 400 and word in why, (path, sent, why)
    for path, sent in (("/message", {"messageName": "report", "all": True}), ("/signal", {"name": "flood"})):
        assert refusal(program("asker").send("POST", path, sent))[0] == 403
    assert refusal(operator.send("POST", "/message", {"messageName": "report", "processInstanceId": "abc"}))[:2] == (400, GONE)
    assert deliver_signals(cast.store) == 0 and operator.get("/event-subscription/count", eventName="report") == {"count": 3}
