"""`message`, `execution` and `event-subscription`: cases that wait for a message, and telling them. For who operates the engine.

A case is named by its id or its number: a message to whatever case happens to wait would be a guess. There are no signals.
"""

from __future__ import annotations

from typing import Any

from engine.process.instances import deliver_message
from engine.process.outside import cases, upkeep
from engine.process.outside.tree import Expected, messages_of
from engine.store.errors import NotFound
from web.api import shapes, values
from web.api.lists import PAGING, Asking, answer
from web.api.refusals import ApiError, bad_request, missing, not_covered
from web.api.routing import Answer, Call, route, row_number
from web.api.seeing import require_case
from web.api.shapes import COUNT, flag, maybe, record, text
from web.api.tasks import ID, NAME
from web.context import me, origin, store

_T = "message"
EXECUTION = record({"id": text(), "processInstanceId": text(), "ended": flag(), "tenantId": maybe(text())}, "an execution: a case has one, itself")
SUBSCRIPTION = record({
    "id": text(), "eventType": text(only=("message",)), "eventName": text(), "executionId": text(), "processInstanceId": text(), "activityId": text(),
    "createdDate": maybe(text()), "tenantId": maybe(text()),
}, "a message that a step waits for")  # fmt: skip
RESULT = record({"resultType": text(), "execution": EXECUTION, "processInstance": {"type": ["object", "null"]}, "variables": {"type": ["object", "null"]}})


def _execution(instance_id: int) -> dict[str, Any]:
    return {"id": str(instance_id), "processInstanceId": str(instance_id), "ended": False, "tenantId": None}


def _waiting(instance_id: int) -> list[Expected]:
    with store().read() as session:
        try:
            return messages_of(session, instance_id)
        except NotFound:
            raise missing("execution", instance_id) from None


def _mismatch(name: str) -> ApiError:
    return ApiError(400, "MismatchingMessageCorrelationException", f"Cannot correlate message '{name[:200]}': 该办件现在没有等待此消息的环节")


CORRELATION = shapes.body({
    "messageName": text(most=200, least=1), "businessKey": NAME, "processInstanceId": ID, "processVariables": values.GIVEN_VARIABLES,
    "all": flag("must be false"), "resultEnabled": flag(), "variablesInResultEnabled": flag(),
}, required=("messageName",))  # fmt: skip


@route("POST", "/message", "Tells a case a message", tag=_T, scope="operate", body=CORRELATION, answer={"type": "array", "items": RESULT}, stands="partly",
       note="businessKey or processInstanceId is required; correlation by data, to all, or to a start event is not covered", refuses=(404, 409, 500))
def correlate(call: Call) -> Any:
    sent = call.body
    if sent.get("all") or not (sent.get("businessKey") or sent.get("processInstanceId")):
        raise bad_request("give businessKey or processInstanceId: a message goes to one case")
    instance_id = _named(sent)
    if sent["messageName"] not in [each.message for each in _waiting(instance_id)]:
        raise _mismatch(sent["messageName"])
    deliver_message(store(), instance_id, sent["messageName"], values.plain(sent.get("processVariables")), actor=me(), origin=origin())
    if not sent.get("resultEnabled"):
        return Answer(status=204)
    return [{"resultType": "Execution", "execution": _execution(instance_id), "processInstance": None, "variables": None}]


def _named(sent: dict[str, Any]) -> int:
    """The case that a message names; who operates the engine may tell every case, without seeing it."""
    if sent.get("processInstanceId"):
        return row_number(sent["processInstanceId"], "process instance")
    with store().read() as session:
        found = cases.by_number(session, sent["businessKey"])
    if found is None:
        raise _mismatch(sent["messageName"])
    return found


@route("POST", "/signal", "Throws a signal", tag=_T, scope="operate", stands="501",
       body=shapes.body({"name": text(most=200), "executionId": ID, "variables": values.GIVEN_VARIABLES}))
def signal(_: Call) -> Any:
    raise not_covered("diagrams have no signals here: a message names the case that it is for")


EXECUTIONS = Asking({
    "processInstanceId": ID, "businessKey": NAME, "processDefinitionId": text("key:version:id", most=200), "processDefinitionKey": NAME,
    "activityId": NAME, "active": flag(), "suspended": flag(), "incidentId": ID, "incidentType": text(only=upkeep.INCIDENT_TYPES), "incidentMessage": text(most=500),
    "incidentMessageLike": text(most=500),
}, ("instanceId", "definitionId", "definitionKey"), ("processVariables",))  # fmt: skip
_MANY = {"type": "array", "items": EXECUTION}
_ITSELF = "an execution is the running case itself; activityId finds tasks, external tasks and timers that wait"


@route("POST", "/execution", "Executions", tag="execution", scope="read", query=PAGING, body=EXECUTIONS.body, answer=_MANY, stands="partly", note=_ITSELF)
@route("GET", "/execution", "Executions", tag="execution", scope="read", query=EXECUTIONS.query, answer=_MANY, stands="partly", note=_ITSELF)
def executions(call: Call) -> Any:
    with store().read() as session:
        return answer(cases.executions(session, me(), EXECUTIONS.asked(call), EXECUTIONS.cut(call)), lambda row: _execution(row.id))


@route("POST", "/execution/count", "How many executions", tag="execution", scope="read", body=EXECUTIONS.body, answer=COUNT, stands="partly", note=_ITSELF)
@route("GET", "/execution/count", "How many executions", tag="execution", scope="read", query=EXECUTIONS.counting, answer=COUNT, stands="partly", note=_ITSELF)
def count_executions(call: Call) -> Any:
    with store().read() as session:
        return {"count": cases.count_executions(session, me(), EXECUTIONS.asked(call))}


@route("GET", "/execution/<id>", "One execution", tag="execution", scope="read", answer=EXECUTION)
def execution(call: Call) -> Any:
    instance_id = call.row("execution")
    require_case(instance_id, "execution")
    _waiting(instance_id)
    return _execution(instance_id)


@route("GET", "/execution/<id>/messageSubscriptions/<message>", "A message that it waits for", tag="execution", scope="read", answer=SUBSCRIPTION)
def subscription(call: Call) -> Any:
    instance_id = call.row("execution")
    require_case(instance_id, "execution")
    found = next((each for each in _waiting(instance_id) if each.message == call.path["message"]), None)
    if found is None:
        raise missing("message subscription", call.path["message"])
    return _subscription(instance_id, found)


@route("POST", "/execution/<id>/messageSubscriptions/<message>/trigger", "Tells it the message", tag="execution", scope="operate",
       body=shapes.body({"variables": values.GIVEN_VARIABLES}), refuses=(409, 500))
def trigger(call: Call) -> None:
    instance_id, name = call.row("execution"), call.path["message"]
    if name not in [each.message for each in _waiting(instance_id)]:
        raise missing("message subscription", name)
    deliver_message(store(), instance_id, name, values.plain(call.body.get("variables")), actor=me(), origin=origin())


def _subscription(instance_id: int, each: Expected) -> dict[str, Any]:
    return {"id": each.token, "eventType": "message", "eventName": each.message, "executionId": str(instance_id),
            "processInstanceId": str(instance_id), "activityId": each.step, "createdDate": None, "tenantId": None}


@route("GET", "/event-subscription", "The messages that a case waits for", tag="execution", scope="read", stands="partly",
       note="processInstanceId is required", refuses=(404,), answer={"type": "array", "items": SUBSCRIPTION},
       query={"processInstanceId": ID, "eventType": text(only=("message",)), "eventName": NAME, "activityId": NAME})
def subscriptions(call: Call) -> Any:
    if "processInstanceId" not in call.query:
        raise bad_request("processInstanceId is required here")
    instance_id = row_number(call.query["processInstanceId"], "process instance")
    require_case(instance_id)
    return [
        _subscription(instance_id, each) for each in _waiting(instance_id)
        if call.query.get("eventName") in (None, each.message) and call.query.get("activityId") in (None, each.step)
    ]  # fmt: skip
