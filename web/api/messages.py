"""`message`, `signal`, `execution` and `event-subscription`: what cases wait for from outside, and telling them.

Whoever operates the engine may tell every case, without seeing it. A message that begins a process needs what any start needs.
"""

from __future__ import annotations

from typing import Any

from engine.people.permissions import may, require
from engine.process.outside import cases, correlating, subscription_list, upkeep
from engine.process.outside import once as programs
from engine.process.outside.correlating import MOST, Mismatch, Sought
from engine.process.outside.listing import Cut, number
from engine.process.signals import NobodyHears, throw_signal
from engine.store.errors import NotFound
from web.api import dates, shapes, values
from web.api.cases import INSTANCE, case_json, one
from web.api.lists import PAGING, Asking, answer
from web.api.refusals import ApiError, bad_request, missing
from web.api.routing import Answer, Call, route
from web.api.seeing import require_case
from web.api.shapes import COUNT, flag, maybe, record, text
from web.api.tasks import ID, NAME
from web.context import me, origin, store

_T = "message"
EXECUTION = record({"id": text(), "processInstanceId": text(), "ended": flag(), "tenantId": maybe(text())}, "an execution: a case has one, itself")
SUBSCRIPTION = record({
    "id": text(), "eventType": text(only=("message", "signal")), "eventName": text(), "executionId": text(), "processInstanceId": text(),
    "activityId": text(), "createdDate": text(), "tenantId": maybe(text()),
}, "a message or signal that a step waits for")  # fmt: skip
RESULT = record({"resultType": text(only=("Execution", "ProcessDefinition")), "execution": maybe(EXECUTION), "processInstance": maybe(INSTANCE),
                 "variables": maybe(values.VARIABLES)})


def _execution(instance_id: int) -> dict[str, Any]:
    return {"id": str(instance_id), "processInstanceId": str(instance_id), "ended": one(instance_id).ended_at is not None, "tenantId": None}


# -- messages -------------------------------------------------------------------------------------

CORRELATION = shapes.body({
    "messageName": text(most=200, least=1), "businessKey": NAME, "processInstanceId": ID,
    "correlationKeys": shapes.table(values.GIVEN, "values that the data of the case must have: name → typed value"),
    "processVariables": values.GIVEN_VARIABLES, "all": flag("to every case that it finds; without it there must be exactly one"),
    "resultEnabled": flag(), "variablesInResultEnabled": flag("wants resultEnabled"), "withoutTenantId": flag("there are no tenants"),
}, required=("messageName",))  # fmt: skip


@route("POST", "/message", "Tells cases a message, or begins one by it", tag=_T, scope="operate", body=CORRELATION,
       answer={"type": "array", "items": RESULT}, stands="better", refuses=(409, 500), silent=True,
       note=f"each case in a transaction of its own, at most {MOST}; a message goes to a case: all of its steps that wait for it hear it")
def correlate(call: Call) -> Any:
    sent = call.body
    if sent.get("variablesInResultEnabled") and not sent.get("resultEnabled"):
        raise bad_request("variablesInResultEnabled: wants resultEnabled")
    sought = Sought(
        sent["messageName"], number(sent["processInstanceId"]) if sent.get("processInstanceId") else None,
        sent.get("businessKey") or None, values.plain(sent.get("correlationKeys")),
    )  # fmt: skip
    payload = values.plain(sent.get("processVariables"))
    told, begun = (_all if sent.get("all") else _single)(sought, payload)
    if not sent.get("resultEnabled"):
        return Answer(status=204)
    with_data = bool(sent.get("variablesInResultEnabled"))
    return [*(_result(each, False, with_data) for each in told), *(_result(each, True, with_data) for each in begun)]


def _begun_by(sought: Sought) -> list[str]:
    """The processes that the message may begin: only one that names no case by its id."""
    if sought.instance_id is not None:
        return []
    with store().read() as session:
        return [definition.key for definition in correlating.processes_begun_by(session, sought.message)]


def _waiting(sought: Sought, begins: list[str]) -> list[int]:
    """The cases that the message finds. Whoever does not operate the engine learns of none, and can only begin one."""
    if not begins:
        require(me(), "operate")
    return correlating.cases_waiting(store(), sought) if may(me(), "operate") else []


def _begin(key: str, sought: Sought, payload: dict[str, Any]) -> int:
    done = programs.start(store(), key, actor=me(), given=payload, business_key=sought.business_key, origin=origin())
    return int(done.answer["id"])


def _single(sought: Sought, payload: dict[str, Any]) -> tuple[list[int], list[int]]:
    begins = _begun_by(sought)
    found = _waiting(sought, begins)
    if len(found) > 1:
        raise _mismatch(sought, f"{len(found) if len(found) <= MOST else f'more than {MOST}'} cases wait for it; name one, or say all")
    if found:
        try:
            correlating.tell_case(store(), found[0], sought, payload, actor=me(), origin=origin())
        except Mismatch:
            raise _mismatch(sought, "no case waits for it any more") from None
        return found, []
    if len(begins) > 1:
        raise _mismatch(sought, f"{len(begins)} processes begin with it: {', '.join(begins)}")
    if not begins:
        raise _mismatch(sought, "0 cases wait for it, and no process begins with it")
    return [], [_begin(begins[0], sought, payload)]


def _all(sought: Sought, payload: dict[str, Any]) -> tuple[list[int], list[int]]:
    begins = _begun_by(sought)
    found = _waiting(sought, begins)
    if len(found) > MOST:
        raise bad_request(f"more than {MOST} cases wait for it: narrow it, by correlationKeys for instance")
    begun = [_begin(key, sought, payload) for key in begins]
    done = correlating.tell_cases(store(), found, sought, payload, actor=me(), origin=origin()) if found else correlating.Told(())
    if done.failed:
        numbers = ", ".join(str(each) for each in done.failed[:20])
        raise ApiError(500, "ProcessEngineException",
                       f"{len(done.cases)} cases were told, {len(done.failed)} could not take it, and are incidents now: {numbers}")
    return list(done.cases), begun


def _mismatch(sought: Sought, why: str) -> ApiError:
    return ApiError(400, "MismatchingMessageCorrelationException", f"Cannot correlate message '{sought.message[:200]}': {why}")


def _result(instance_id: int, begun: bool, with_data: bool) -> dict[str, Any]:
    data = None
    if with_data:
        with store().read() as session:
            data = values.all_typed(cases.data_of(session, instance_id).variables)
    return {
        "resultType": "ProcessDefinition" if begun else "Execution", "execution": None if begun else _execution(instance_id),
        "processInstance": case_json(one(instance_id)) if begun else None, "variables": data,
    }  # fmt: skip


# -- signals --------------------------------------------------------------------------------------


@route("POST", "/signal", "Throws a signal", tag=_T, scope="operate", stands="better", refuses=(409, 500),
       body=shapes.body({"name": text(most=200, least=1), "executionId": ID, "variables": values.GIVEN_VARIABLES,
                         "withoutTenantId": flag("there are no tenants")}, required=("name",)),
       note="204 as soon as it is kept: a worker lets each case that waits now hear it, one after the other, and begins what it begins; "
            "with executionId (a case) at once")
def signal(call: Call) -> None:
    sent = call.body
    case = number(sent["executionId"]) if sent.get("executionId") else None
    try:
        throw_signal(store(), sent["name"], values.plain(sent.get("variables")), actor=me(), instance_id=case, origin=origin())
    except NobodyHears:
        raise ApiError(500, "ProcessEngineException", f"Execution '{case}' has not subscribed to a signal event with name '{sent['name']}'") from None
    except NotFound:
        raise ApiError(400, "InvalidRequestException", f"Cannot throw signal '{sent['name']}': execution '{case}' does not exist") from None


# -- what waits -----------------------------------------------------------------------------------

ASKING = Asking({
    "eventSubscriptionId": ID, "eventName": NAME, "eventType": text(only=("message", "signal")), "executionId": ID, "processInstanceId": ID,
    "activityId": NAME, "withoutTenantId": flag("there are no tenants"), "includeEventSubscriptionsWithoutTenantId": flag("there are no tenants"),
}, tuple(subscription_list.SORTS))  # fmt: skip


def _asked(call: Call) -> dict[str, Any]:
    return {name: value for name, value in ASKING.asked(call).items() if not name.endswith("WithoutTenantId") and name != "withoutTenantId"}


def _subscription(row: Any) -> dict[str, Any]:
    found = row[0]
    return {"id": str(found.id), "eventType": found.kind, "eventName": found.name, "executionId": str(found.instance_id),
            "processInstanceId": str(found.instance_id), "activityId": found.step, "createdDate": dates.write(found.created_at), "tenantId": None}


@route("GET", "/event-subscription", "The messages and signals that cases wait for", tag="execution", scope="read", query=ASKING.query,
       answer={"type": "array", "items": SUBSCRIPTION}, stands="better", note="of running cases that the caller may see; all of them for who operates the engine; keyset paging")
def subscriptions(call: Call) -> Any:
    return answer(subscription_list.awaited_events(store(), me(), _asked(call), ASKING.cut(call)), _subscription)


@route("GET", "/event-subscription/count", "How many they are", tag="execution", scope="read", query=ASKING.counting, answer=COUNT)
def count(call: Call) -> Any:
    return {"count": subscription_list.count_awaited_events(store(), me(), _asked(call))}


EXECUTIONS = Asking({
    "processInstanceId": ID, "businessKey": NAME, "processDefinitionId": text("key:version:id", most=200), "processDefinitionKey": NAME,
    "activityId": NAME, "active": flag(), "suspended": flag(), "incidentId": ID, "incidentType": text(only=upkeep.INCIDENT_TYPES), "incidentMessage": text(most=500),
    "incidentMessageLike": text(most=500), "messageEventSubscriptionName": NAME, "signalEventSubscriptionName": NAME,
}, ("instanceId", "definitionId", "definitionKey"), ("processVariables",))  # fmt: skip
_MANY = {"type": "array", "items": EXECUTION}
_ITSELF = "an execution is the running case itself; activityId finds tasks, external tasks, timers, messages and signals that wait"


@route("POST", "/execution", "Executions", tag="execution", scope="read", query=PAGING, body=EXECUTIONS.paged, answer=_MANY, stands="partly", note=_ITSELF)
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
    told = _execution(instance_id)
    if told["ended"]:
        raise missing("execution", instance_id)
    return told


@route("GET", "/execution/<id>/messageSubscriptions/<message>", "A message that it waits for", tag="execution", scope="read", answer=SUBSCRIPTION)
def subscription(call: Call) -> Any:
    instance_id = call.row("execution")
    require_case(instance_id, "execution")
    asked = {"executionId": str(instance_id), "eventType": "message", "eventName": call.path["message"]}
    rows = subscription_list.awaited_events(store(), me(), asked, Cut(most=1)).rows
    if not rows:
        raise missing("message subscription", call.path["message"])
    return _subscription(rows[0])


@route("POST", "/execution/<id>/messageSubscriptions/<message>/trigger", "Tells it the message", tag="execution", scope="operate",
       body=shapes.body({"variables": values.GIVEN_VARIABLES}), refuses=(409, 500))
def trigger(call: Call) -> None:
    instance_id, name = call.row("execution"), call.path["message"]
    try:
        correlating.tell_case(store(), instance_id, Sought(name, instance_id), values.plain(call.body.get("variables")), actor=me(), origin=origin())
    except Mismatch:
        raise missing("message subscription", name) from None
