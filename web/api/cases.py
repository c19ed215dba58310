"""`process-instance`: running cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from engine.process.correcting import correct_data
from engine.process.instances import resume_instance, set_all_going, suspend_instance, terminate_instance
from engine.process.outside import cases, upkeep
from engine.process.outside.keys import business_key
from engine.process.outside.tree import Node, tree_of
from engine.process.tables import OPEN_STATES
from engine.store.errors import NotFound
from web.api import shapes, values
from web.api.lists import Asking, answer
from web.api.once import etag, seen
from web.api.refusals import missing
from web.api.routing import Answer, Call, route, row_number
from web.api.seeing import require_case
from web.api.shapes import COUNT, flag, many, maybe, record, text
from web.api.tasks import ID, IDS, NAME, PATTERN, definition_id
from web.context import me, origin, store

#: Filters of running cases and of the record alike.
COMMON = {
    "processInstanceIds": IDS, "businessKey": NAME, "businessKeyLike": PATTERN, "processDefinitionId": text("key:version:id", most=200),
    "processDefinitionKey": NAME, "processDefinitionKeyIn": many(NAME), "processDefinitionKeyNotIn": many(NAME), "active": flag(),
    "suspended": flag(), "rootProcessInstances": flag(), "incidentType": text(only=upkeep.INCIDENT_TYPES), "incidentMessage": text(most=500),
    "incidentMessageLike": text(most=500),
}  # fmt: skip
ASKING = Asking({
    **COMMON, "processInstanceIdNotIn": IDS, "deploymentId": ID, "superProcessInstance": ID, "subProcessInstance": ID, "withIncident": flag(),
    "leafProcessInstances": flag(), "activityIdIn": many(NAME), "incidentId": ID,
}, tuple(cases.SORTS), ("variables",), either=True)  # fmt: skip

INSTANCE = record({
    "links": shapes.LINKS, "id": text(), "definitionId": text(), "definitionKey": text(), "businessKey": text("the key that a program gave when it started the case, else the case's number"),
    "caseInstanceId": maybe(text()), "ended": flag(), "suspended": flag(), "tenantId": maybe(text()),
    "office": record({"number": text("the case's number"), "title": text(), "state": text(), "unit": maybe(text()), "startedBy": maybe(text()), "superProcessInstanceId": maybe(text())}),
}, "a case")  # fmt: skip
_T = "process-instance"
#: The reason on record where a program of the original ends or stops a case and can give none.
UNSAID = "经接口办理，未填写理由"


def case_json(row: Any) -> dict[str, Any]:
    """A case in the shape of the original."""
    return {
        "links": [{"method": "GET", "href": f"/engine-rest/process-instance/{row.id}", "rel": "self"}], "id": str(row.id),
        "definitionId": definition_id(row.process_key, row.version, row.definition_id), "definitionKey": row.process_key, "businessKey": business_key(row),
        "caseInstanceId": None, "ended": row.ended_at is not None, "suspended": row.state == "suspended", "tenantId": None,
        "office": {
            "number": row.number, "title": row.title, "state": row.state, "unit": row.unit_code, "startedBy": row.starter,
            "superProcessInstanceId": str(row.parent_id) if row.parent_id else None,
        },
    }  # fmt: skip


def one(instance_id: int) -> Any:
    """A case, whoever may see it. Raises 404."""
    with store().read() as session:
        try:
            return cases.one_case(session, instance_id)
        except NotFound:
            raise missing("process instance", instance_id) from None


def _open(call: Call) -> Any:
    """The running case that the path names, which the account may see. Raises 404."""
    instance_id = call.row("process instance")
    require_case(instance_id)
    row = one(instance_id)
    if row.state not in OPEN_STATES:
        raise missing("process instance", instance_id)
    return row


_MANY = {"type": "array", "items": INSTANCE}


@route("POST", "/process-instance", "Running cases", tag=_T, scope="read", query=ASKING.query, body=ASKING.paged, answer=_MANY, stands="better",
       note="keyset paging")
@route("GET", "/process-instance", "Running cases", tag=_T, scope="read", query=ASKING.query, answer=_MANY, stands="better", note="keyset paging")
def _list(call: Call) -> Any:
    with store().read() as session:
        return answer(cases.open_cases(session, me(), ASKING.asked(call), ASKING.cut(call)), case_json)


@route("POST", "/process-instance/count", "How many running cases", tag=_T, scope="read", body=ASKING.body, answer=COUNT)
@route("GET", "/process-instance/count", "How many running cases", tag=_T, scope="read", query=ASKING.counting, answer=COUNT)
def count(call: Call) -> Any:
    with store().read() as session:
        return {"count": cases.count_open(session, me(), ASKING.asked(call))}


@route("GET", "/process-instance/<id>", "One running case", tag=_T, scope="read", answer=INSTANCE)
def case(call: Call) -> Any:
    row = _open(call)
    return Answer(case_json(row), headers=etag(row.revision))


@route("DELETE", "/process-instance/<id>", "Ends a case before its time 终止", tag=_T, scope="operate", refuses=(409, 500),
       query={"deleteReason": text("stays on record", most=500), "failIfNotExists": flag(), "skipCustomListeners": flag(),
              "skipIoMappings": flag(), "skipSubprocesses": flag()},
       stands="better", note="for those who supervise; `deleteReason` (ours) stays on record, and so does the case")
def terminate(call: Call) -> None:
    row = _open(call)
    terminate_instance(store(), row.id, actor=me(), reason=call.query.get("deleteReason") or UNSAID, origin=origin())


@route("PUT", "/process-instance/<id>/suspended", "Stops a case 暂停办理, or lets it go on", tag=_T, scope="operate", refuses=(409, 500),
       body=shapes.body({"suspended": flag(), "reason": text("stays on record (ours)", most=500)}, required=("suspended",)), stands="better",
       note="for those who supervise; its clocks stand still meanwhile")
def suspended(call: Call) -> None:
    row = _open(call)
    wanted = call.body["suspended"]
    if wanted != (row.state == "suspended"):
        act = suspend_instance if wanted else resume_instance
        act(store(), row.id, actor=me(), reason=call.body.get("reason") or UNSAID, origin=origin())


@route("PUT", "/process-instance/suspended", "Stops several cases, or lets them go on: all or none", tag=_T, scope="operate", refuses=(404, 409, 500),
       body=shapes.body({"suspended": flag(), "processInstanceIds": {**many(ID, most=100), "minItems": 1}, "reason": text("stays on record (ours)", most=500)},
                        required=("suspended", "processInstanceIds")),
       stands="partly", note="by ids; for those who supervise; one that stands so already is passed over")
def all_suspended(call: Call) -> None:
    ids = [row_number(each, "process instance") for each in call.body["processInstanceIds"]]
    set_all_going(store(), ids, suspended=call.body["suspended"], actor=me(), reason=call.body.get("reason") or UNSAID, origin=origin())


# -- variables --------------------------------------------------------------------------------

_NAMES = {"deserializeValues": flag(), "deserializeValue": flag()}


def _data(call: Call) -> dict[str, Any]:
    row = _open(call)
    with store().read() as session:
        return dict(cases.data_of(session, row.id).variables)


@route("GET", "/execution/<id>/localVariables", "The data of an execution: those of its case", tag="execution", scope="read", query=_NAMES, answer=values.VARIABLES)
@route("GET", "/process-instance/<id>/variables", "The data of a case", tag=_T, scope="read", query=_NAMES, answer=values.VARIABLES)
def variables(call: Call) -> Any:
    return values.all_typed(_data(call))


@route("GET", "/execution/<id>/localVariables/<name>", "One of them", tag="execution", scope="read", query=_NAMES, answer=values.TYPED)
@route("GET", "/process-instance/<id>/variables/<name>", "One of them", tag=_T, scope="read", query=_NAMES, answer=values.TYPED)
def variable(call: Call) -> Any:
    found, name = _data(call), call.path["name"]
    if name not in found or name.startswith("_"):
        raise missing("variable", name)
    return values.typed(found[name])


_REASON = {"reason": text("stays on record (ours)", most=500)}
_BEYOND = "of what the case's version knows, never what it stands on; answers are judged by their forms, nothing moves by it"
_AS_CASE = "an execution is its case: as PUT, DELETE and POST /process-instance/{id}/variables"
_REFUSES = (409, 412)
_ONE_BODY = shapes.body({**values.SET["properties"], **_REASON})
_MANY_BODY = shapes.body({**values.SETS["properties"], **_REASON})


def _correct(call: Call, given: Mapping[str, Any], deletions: Collection[str], reason: str | None) -> None:
    row = _open(call)
    correct_data(store(), row.id, actor=me(), values=given, deletions=deletions, reason=reason or UNSAID, seen=seen(), origin=origin())


@route("PUT", "/execution/<id>/localVariables/<name>", "Corrects a value of its case 更正数据", tag="execution", scope="operate", refuses=_REFUSES,
       stands="partly", body=_ONE_BODY, note=_AS_CASE)
@route("PUT", "/process-instance/<id>/variables/<name>", "Corrects one 更正数据", tag=_T, scope="operate", refuses=_REFUSES, stands="partly",
       body=_ONE_BODY, note=f"for those who supervise; {_BEYOND}; `reason` and If-Match are ours")
def correct(call: Call) -> None:
    given = {name: value for name, value in call.body.items() if name != "reason"}
    _correct(call, values.plain({call.path["name"]: given}), (), call.body.get("reason"))


@route("DELETE", "/execution/<id>/localVariables/<name>", "Empties a value of its case 更正数据", tag="execution", scope="operate", refuses=_REFUSES,
       query=_REASON, stands="partly", note=_AS_CASE)
@route("DELETE", "/process-instance/<id>/variables/<name>", "Empties one 更正数据", tag=_T, scope="operate", refuses=_REFUSES, query=_REASON,
       stands="partly", note="for those who supervise; an answer of a form becomes empty, unless it must be given; what steps made stays")
def clear(call: Call) -> None:
    _correct(call, {}, (call.path["name"],), call.query.get("reason"))


@route("POST", "/execution/<id>/localVariables", "Corrects values of its case 更正数据", tag="execution", scope="operate", refuses=_REFUSES,
       stands="partly", body=_MANY_BODY, note=_AS_CASE)
@route("POST", "/process-instance/<id>/variables", "Corrects several 更正数据", tag=_T, scope="operate", refuses=_REFUSES, stands="partly",
       body=_MANY_BODY,
       note=f"for those who supervise; all or none; {_BEYOND}; `reason` and If-Match are ours")
def correct_several(call: Call) -> None:
    _correct(call, values.plain(call.body.get("modifications")), call.body.get("deletions") or (), call.body.get("reason"))


# -- the tree ---------------------------------------------------------------------------------

_NODE = {
    "type": "object", "required": ["id", "activityId", "activityType", "childActivityInstances"],
    "properties": {
        "id": text(), "parentActivityInstanceId": maybe(text()), "activityId": text(), "activityName": maybe(text()), "activityType": text(),
        "processInstanceId": text(), "processDefinitionId": text(), "childActivityInstances": {"type": "array"},
        "childTransitionInstances": {"type": "array"}, "executionIds": {"type": "array", "items": text()},
        "incidentIds": {"type": "array", "items": text()}, "incidents": {"type": "array"}, "name": maybe(text()),
    },
}  # fmt: skip


@route("GET", "/process-instance/<id>/activity-instances", "Where the case stands", tag=_T, scope="read", answer=_NODE)
def activity_instances(call: Call) -> Any:
    row = _open(call)
    whole = definition_id(row.process_key, row.version, row.definition_id)

    def told(node: Node, parent: str | None) -> dict[str, Any]:
        return {
            "id": node.id, "parentActivityInstanceId": parent, "activityId": node.step, "activityName": node.name, "name": node.name,
            "activityType": node.kind, "processInstanceId": str(row.id), "processDefinitionId": whole,
            "childActivityInstances": [told(child, node.id) for child in node.children], "childTransitionInstances": [],
            "executionIds": [str(row.id)], "incidentIds": [], "incidents": [],
        }  # fmt: skip

    with store().read() as session:
        return told(tree_of(session, row.id), None)
