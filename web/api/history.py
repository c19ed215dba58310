"""`history`: cases, tasks, steps, data and acts of the record. How a case is removed from it: `removals`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from engine.process.outside import cases, records, todo, variable_list
from engine.process.outside.keys import business_key
from engine.process.outside.listing import MOST, number
from engine.store.errors import NotFound
from web.api import dates, values
from web.api.cases import COMMON as CASE_FILTERS
from web.api.lists import Asking, answer
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import Call, route
from web.api.seeing import require_case
from web.api.shapes import ANYTHING, COUNT, Shape, flag, many, maybe, moment, record, text
from web.api.shapes import number as whole
from web.api.tasks import ID, IDS, NAME, PATTERN, definition_id
from web.api.variable_instances import NARROW, narrow, of_record, page
from web.context import me, store

_T = "history"

# -- cases ------------------------------------------------------------------------------------

CASES = Asking({
    **CASE_FILTERS, "processInstanceId": ID, "processInstanceBusinessKey": NAME, "processInstanceBusinessKeyIn": many(NAME),
    "processInstanceBusinessKeyLike": PATTERN, "processDefinitionName": NAME, "processDefinitionNameLike": PATTERN, "startedBefore": moment(),
    "startedAfter": moment(), "finishedBefore": moment(), "finishedAfter": moment(), "startedBy": NAME, "finished": flag(), "unfinished": flag(),
    "completed": flag(), "externallyTerminated": flag(), "superProcessInstanceId": ID, "subProcessInstanceId": ID, "withIncidents": flag(),
    "withRootIncidents": flag(), "incidentStatus": text(only=("open", "resolved")), "internallyTerminated": flag(), "activeActivityIdIn": many(NAME),
}, tuple(cases.PAST_SORTS), ("variables",), either=True)  # fmt: skip

CASE = record({
    "id": text(), "businessKey": text(), "processDefinitionId": text(), "processDefinitionKey": text(), "processDefinitionName": text(),
    "processDefinitionVersion": whole(), "startTime": text(), "endTime": maybe(text()), "removalTime": maybe(text()),
    "durationInMillis": {"type": ["integer", "null"]}, "startUserId": maybe(text()), "startActivityId": maybe(text()), "deleteReason": maybe(text()),
    "rootProcessInstanceId": text(), "superProcessInstanceId": maybe(text()), "superCaseInstanceId": maybe(text()), "caseInstanceId": maybe(text()),
    "tenantId": maybe(text()), "state": text(only=("ACTIVE", "SUSPENDED", "COMPLETED", "EXTERNALLY_TERMINATED")), "restartedProcessInstanceId": maybe(text()),
    "office": record({"number": text(), "title": text(), "outcome": maybe(text()), "unit": maybe(text())}),
}, "a case of the record")  # fmt: skip
_STATES = {"running": "ACTIVE", "suspended": "SUSPENDED", "completed": "COMPLETED", "terminated": "EXTERNALLY_TERMINATED"}


def _millis(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else int((end - start).total_seconds() * 1000)


def _case(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id), "businessKey": business_key(row), "processDefinitionId": definition_id(row.process_key, row.version, row.definition_id),
        "processDefinitionKey": row.process_key, "processDefinitionName": row.process_name, "processDefinitionVersion": row.version,
        "startTime": dates.write(row.started_at), "endTime": dates.write(row.ended_at), "removalTime": dates.write(row.removal_at),
        "durationInMillis": _millis(row.started_at, row.ended_at), "startUserId": row.starter, "startActivityId": None, "deleteReason": None,
        "rootProcessInstanceId": str(row.parent_id or row.id), "superProcessInstanceId": str(row.parent_id) if row.parent_id else None,
        "superCaseInstanceId": None, "caseInstanceId": None, "tenantId": None, "state": _STATES[row.state], "restartedProcessInstanceId": None,
        "office": {"number": row.number, "title": row.title, "outcome": row.outcome_name, "unit": row.unit_code},
    }  # fmt: skip


@route("POST", "/history/process-instance", "Cases of the record", tag=_T, scope="read", query=CASES.query, body=CASES.paged,
       answer={"type": "array", "items": CASE})
@route("GET", "/history/process-instance", "Cases of the record", tag=_T, scope="read", query=CASES.query, answer={"type": "array", "items": CASE})
def _cases(call: Call) -> Any:
    with store().read() as session:
        return answer(cases.past_cases(session, me(), CASES.asked(call), CASES.cut(call)), _case)


@route("POST", "/history/process-instance/count", "How many cases", tag=_T, scope="read", body=CASES.body, answer=COUNT)
@route("GET", "/history/process-instance/count", "How many cases", tag=_T, scope="read", query=CASES.counting, answer=COUNT)
def count_cases(call: Call) -> Any:
    with store().read() as session:
        return {"count": cases.count_past(session, me(), CASES.asked(call))}


@route("GET", "/history/process-instance/<id>", "One case of the record", tag=_T, scope="read", answer=CASE)
def one_case(call: Call) -> Any:
    instance_id = call.row("historic process instance")
    require_case(instance_id, "historic process instance")
    with store().read() as session:
        try:
            return _case(cases.one_case(session, instance_id))
        except NotFound:
            raise missing("historic process instance", instance_id) from None


@route("DELETE", "/history/process-instance/<id>", "Deletes a case from the record", tag=_T, scope="operate", stands="501")
def delete_case(_: Call) -> Any:
    raise not_covered("nobody removes a case alone: when its time has come one person proposes it (POST /history/cleanup), and a second one approves")


# -- tasks ------------------------------------------------------------------------------------

TASKS = Asking({
    "taskId": ID, "processInstanceId": ID, "processInstanceIdIn": IDS, "processInstanceBusinessKey": NAME, "processInstanceBusinessKeyIn": many(NAME),
    "processInstanceBusinessKeyLike": PATTERN, "processDefinitionId": text(most=200), "processDefinitionKey": NAME, "processDefinitionKeyIn": many(NAME),
    "processDefinitionName": NAME, "processDefinitionNameLike": PATTERN, "executionId": ID, "activityInstanceIdIn": IDS, "taskName": NAME,
    "taskNameLike": PATTERN, "taskAssignee": NAME, "taskOwner": NAME, "finished": flag(), "unfinished": flag(), "processFinished": flag(),
    "processUnfinished": flag(), "taskDueDate": moment(), "taskDueDateBefore": moment(), "taskDueDateAfter": moment(), "withoutTaskDueDate": flag(),
    "startedBefore": moment(), "startedAfter": moment(), "finishedBefore": moment(), "finishedAfter": moment(), "taskDefinitionKey": NAME,
    "taskDefinitionKeyIn": many(NAME), "assigned": flag(), "unassigned": flag(), "taskInvolvedGroup": NAME,
    "taskAssigneeLike": PATTERN, "taskOwnerLike": PATTERN, "taskInvolvedUser": NAME, "taskHadCandidateUser": NAME, "taskHadCandidateGroup": NAME,
    "taskParentTaskId": ID, "taskDeleteReason": text(only=tuple(todo.DELETE_REASONS)), "taskPriority": whole(), "taskDescription": NAME,
    "taskDescriptionLike": PATTERN, "taskFollowUpDate": moment(), "taskFollowUpDateAfter": moment(), "taskFollowUpDateBefore": moment(),
}, tuple(todo.PAST_SORTS), ("processVariables",))  # fmt: skip

TASK = record({
    "id": text(), "processDefinitionKey": text(), "processDefinitionId": text(), "processInstanceId": text(), "executionId": text(),
    "caseDefinitionKey": maybe(text()), "caseDefinitionId": maybe(text()), "caseInstanceId": maybe(text()), "caseExecutionId": maybe(text()),
    "activityInstanceId": text(), "name": text(), "description": maybe(text()), "deleteReason": maybe(text()), "owner": maybe(text()),
    "assignee": maybe(text()), "startTime": text(), "endTime": maybe(text()), "duration": {"type": ["integer", "null"]}, "taskDefinitionKey": text(),
    "priority": whole(), "due": maybe(text()), "parentTaskId": maybe(text()), "followUp": maybe(text()), "tenantId": maybe(text()),
    "removalTime": maybe(text()), "rootProcessInstanceId": text(),
    "office": record({"number": text(), "candidateGroup": text(), "late": flag(), "state": text(only=("open", "done", "cancelled", "held"))}),
}, "a task of the record")  # fmt: skip


def _task(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id), "processDefinitionKey": row.process_key, "processDefinitionId": definition_id(row.process_key, row.version, row.definition_id),
        "processInstanceId": str(row.instance_id), "executionId": str(row.instance_id), "caseDefinitionKey": None, "caseDefinitionId": None,
        "caseInstanceId": None, "caseExecutionId": None, "activityInstanceId": row.token, "name": row.name, "description": None,
        "deleteReason": {"open": None, "done": "completed"}.get(row.state, "deleted"), "owner": row.owner, "assignee": row.doer or row.assignee,
        "startTime": dates.write(row.opened_at), "endTime": dates.write(row.completed_at), "duration": _millis(row.opened_at, row.completed_at),
        "taskDefinitionKey": row.step, "priority": todo.PRIORITY, "due": dates.write(row.due_at), "parentTaskId": str(row.main_id) if row.main_id else None,
        "followUp": None, "tenantId": None, "removalTime": None, "rootProcessInstanceId": str(row.instance_id),
        "office": {"number": row.number, "candidateGroup": f"{row.unit_code}/{row.post}", "late": row.late, "state": row.state},
    }  # fmt: skip


@route("POST", "/history/task", "Tasks of the record", tag=_T, scope="read", query=TASKS.query, body=TASKS.paged, answer={"type": "array", "items": TASK})
@route("GET", "/history/task", "Tasks of the record", tag=_T, scope="read", query=TASKS.query, answer={"type": "array", "items": TASK})
def _tasks(call: Call) -> Any:
    with store().read() as session:
        return answer(todo.past_tasks(session, me(), TASKS.asked(call), TASKS.cut(call)), _task)


@route("POST", "/history/task/count", "How many tasks", tag=_T, scope="read", body=TASKS.body, answer=COUNT)
@route("GET", "/history/task/count", "How many tasks", tag=_T, scope="read", query=TASKS.counting, answer=COUNT)
def count_tasks(call: Call) -> Any:
    with store().read() as session:
        return {"count": todo.count_past(session, me(), TASKS.asked(call))}


# -- acts -------------------------------------------------------------------------------------

ACTS = Asking({
    "processInstanceId": ID, "userId": NAME, "processDefinitionId": text(most=200), "processDefinitionKey": NAME, "operationId": ID,
    "operationType": NAME, "afterTimestamp": moment(), "beforeTimestamp": moment(),
}, tuple(records.SORTS))  # fmt: skip
ACT = record({
    "id": text(), "processDefinitionId": maybe(text()), "processDefinitionKey": text(), "processInstanceId": text(), "taskId": maybe(text()),
    "userId": text(), "timestamp": text(), "operationId": text(), "operationType": text(), "entityType": text(), "property": maybe(text()),
    "orgValue": maybe(text()), "newValue": maybe(text()), "category": maybe(text()), "annotation": maybe(text()), "rootProcessInstanceId": text(),
    "office": record({"act": text(), "step": maybe(text()), "requestId": text()}),
}, "what somebody did; what they wrote is shown by the page of the case alone")  # fmt: skip


def _act(row: Any) -> dict[str, Any]:
    task = row.data.get("task")
    return {
        "id": str(row.id), "processDefinitionId": definition_id(row.process_key, row.version, row.definition_id) if row.version else None,
        "processDefinitionKey": row.process_key, "processInstanceId": str(row.instance_id), "taskId": str(task) if isinstance(task, int) else None,
        "userId": row.login, "timestamp": dates.write(row.at), "operationId": str(row.id), "operationType": records.OPERATIONS.get(row.act, row.act),
        "entityType": "Task" if row.step else "ProcessInstance", "property": None, "orgValue": None, "newValue": None, "category": "TaskWorker",
        "annotation": None, "rootProcessInstanceId": str(row.instance_id),
        "office": {"act": row.act, "step": row.step, "requestId": row.request_id},
    }  # fmt: skip


@route("GET", "/history/user-operation", "What people did", tag=_T, scope="read", query=ACTS.query, answer={"type": "array", "items": ACT})
def operations(call: Call) -> Any:
    with store().read() as session:
        return answer(records.operations(session, me(), ACTS.asked(call), ACTS.cut(call)), _act)


@route("GET", "/history/user-operation/count", "How many acts", tag=_T, scope="read", query=ACTS.counting, answer=COUNT)
def count_operations(call: Call) -> Any:
    with store().read() as session:
        return {"count": records.count_operations(session, me(), ACTS.asked(call))}


# -- steps ------------------------------------------------------------------------------------

_STEPS: dict[str, Shape] = {
    "processInstanceId": ID, "processInstanceIdIn": many(ID, most=100), "activityId": NAME, "activityIdIn": many(NAME), "activityName": NAME,
    "activityType": NAME, "activityInstanceId": text(most=300), "finished": flag(), "unfinished": flag(), "canceled": flag(), "taskAssignee": NAME,
}  # fmt: skip
_STEP_SORTS = ("startTime", "endTime", "activityId", "activityName", "occurrence", "instanceId")
STEPS = Asking(_STEPS, _STEP_SORTS)
_STEP_NOTE = "processInstanceId or processInstanceIdIn is required"
STEP = record({
    "id": text(), "parentActivityInstanceId": text(), "activityId": text(), "activityName": maybe(text()), "activityType": text(),
    "processDefinitionKey": text(), "processDefinitionId": text(), "processInstanceId": text(), "executionId": text(), "taskId": maybe(text()),
    "calledProcessInstanceId": maybe(text()), "calledCaseInstanceId": maybe(text()), "assignee": maybe(text()), "startTime": text(),
    "endTime": maybe(text()), "durationInMillis": {"type": ["integer", "null"]}, "canceled": flag(), "completeScope": flag(), "tenantId": maybe(text()),
    "removalTime": maybe(text()), "rootProcessInstanceId": text(),
}, "one pass through a step")  # fmt: skip


def _step(row: records.Activity) -> dict[str, Any]:
    case = str(row.instance_id)
    return {
        "id": row.id, "parentActivityInstanceId": case, "activityId": row.step, "activityName": row.name, "activityType": row.kind,
        "processDefinitionKey": row.process_key, "processDefinitionId": definition_id(row.process_key, row.version, row.definition_id),
        "processInstanceId": case, "executionId": case, "taskId": str(row.task_id) if row.task_id else None, "calledProcessInstanceId": None,
        "calledCaseInstanceId": None, "assignee": row.assignee, "startTime": dates.write(row.started_at), "endTime": dates.write(row.ended_at),
        "durationInMillis": _millis(row.started_at, row.ended_at), "canceled": row.cancelled, "completeScope": False, "tenantId": None,
        "removalTime": None, "rootProcessInstanceId": case,
    }  # fmt: skip


def _case_ids(asked: dict[str, Any]) -> list[int]:
    given = [*asked.pop("processInstanceIdIn", []), *([asked.pop("processInstanceId")] if "processInstanceId" in asked else [])]
    if not given:
        raise bad_request("processInstanceId or processInstanceIdIn is required here; the tasks of all cases are at /history/task")
    return [number(each) for each in given]


def _steps(call: Call) -> list[records.Activity]:
    asked = STEPS.asked(call)
    ids = _case_ids(asked)
    with store().read() as session:
        found = records.activities(session, records.visible(session, me(), ids))
    tests: dict[str, Callable[[records.Activity, Any], bool]] = {
        "activityId": lambda row, value: row.step == value, "activityIdIn": lambda row, value: row.step in value,
        "activityName": lambda row, value: row.name == value, "activityType": lambda row, value: row.kind == value,
        "activityInstanceId": lambda row, value: row.id == value, "finished": lambda row, value: not value or row.ended_at is not None,
        "unfinished": lambda row, value: not value or row.ended_at is None, "canceled": lambda row, value: not value or row.cancelled,
        "taskAssignee": lambda row, value: row.assignee == value,
    }  # fmt: skip
    return [row for row in found if all(tests[name](row, value) for name, value in asked.items())]


@route("POST", "/history/activity-instance", "Passes through steps", tag=_T, scope="read", query=STEPS.query, body=STEPS.paged, stands="partly",
       note=_STEP_NOTE, answer={"type": "array", "items": STEP})
@route("GET", "/history/activity-instance", "Passes through steps", tag=_T, scope="read", query=STEPS.query, stands="partly", note=_STEP_NOTE,
       answer={"type": "array", "items": STEP})
def _paged_steps(call: Call) -> Any:
    found, cut = _steps(call), STEPS.cut(call)
    if cut.after is not None:
        raise bad_request("after: this list is paged with firstResult and maxResults")
    keys: dict[str, Any] = {
        "endTime": lambda row: (row.ended_at is None, row.ended_at), "activityId": lambda row: row.step, "activityName": lambda row: row.name or "",
    }  # fmt: skip
    for name, down in reversed(cut.order):
        if name in keys:
            found.sort(key=keys[name], reverse=down)
        elif down:
            found.reverse()
    if cut.most is None and len(found) > MOST:
        raise bad_request(f"more than {MOST}: give maxResults")
    return [_step(row) for row in found[cut.first : cut.first + (MOST if cut.most is None else cut.most)]]


@route("POST", "/history/activity-instance/count", "How many passes", tag=_T, scope="read", body=STEPS.body, stands="partly", note=_STEP_NOTE,
       answer=COUNT)
@route("GET", "/history/activity-instance/count", "How many passes", tag=_T, scope="read", query=STEPS.counting, stands="partly", note=_STEP_NOTE,
       answer=COUNT)
def count_steps(call: Call) -> Any:
    return {"count": len(_steps(call))}


# -- data -------------------------------------------------------------------------------------

_DATA = Asking({
    "processInstanceId": ID, "processInstanceIdIn": many(ID, most=100), "variableName": NAME, "variableNameIn": many(NAME, most=50),
    "variableNameLike": PATTERN,
}, variable_list.PAST_SORTS)  # fmt: skip
_DATA_QUERY = {**_DATA.query, "deserializeValues": flag()}
_DATA_NOTE = f"{NARROW}; the latest values"
DATUM = record({
    "id": text(), "name": text(), "value": ANYTHING, "type": text(), "valueInfo": {"type": "object"}, "processDefinitionKey": text(),
    "processDefinitionId": text(), "processInstanceId": text(), "executionId": text(), "activityInstanceId": text(), "taskId": maybe(text()),
    "tenantId": maybe(text()), "errorMessage": maybe(text()), "state": text(), "createTime": text(), "removalTime": maybe(text()),
    "rootProcessInstanceId": text(),
}, "one value of a case")  # fmt: skip


def _datum(one: variable_list.Variable) -> dict[str, Any]:
    case = str(one.instance_id)
    return {
        "id": one.id, "name": one.name, **values.typed(one.value), "processDefinitionKey": one.process_key,
        "processDefinitionId": definition_id(one.process_key, one.version, one.definition_id), "processInstanceId": case, "executionId": case,
        "activityInstanceId": case, "taskId": None, "tenantId": None, "errorMessage": None, "state": "CREATED",
        "createTime": dates.write(one.started_at), "removalTime": None, "rootProcessInstanceId": case,
    }  # fmt: skip


@route("POST", "/history/variable-instance", "Data of cases", tag=_T, scope="read", query=_DATA_QUERY, body=_DATA.paged, stands="partly",
       note=_DATA_NOTE, answer={"type": "array", "items": DATUM})
@route("GET", "/history/variable-instance", "Data of cases", tag=_T, scope="read", query=_DATA_QUERY, stands="partly", note=_DATA_NOTE,
       answer={"type": "array", "items": DATUM})
def _data(call: Call) -> Any:
    asked = narrow(_DATA, call)
    with store().read() as session:
        found, after = variable_list.of_record(session, me(), asked, _DATA.cut(call))
    return page(found, after, _datum)


@route("POST", "/history/variable-instance/count", "How many values", tag=_T, scope="read", body=_DATA.body, stands="partly", note=NARROW,
       answer=COUNT)
@route("GET", "/history/variable-instance/count", "How many values", tag=_T, scope="read", query=_DATA.counting, stands="partly", note=NARROW,
       answer=COUNT)
def count_data(call: Call) -> Any:
    with store().read() as session:
        return {"count": variable_list.count_record(session, me(), narrow(_DATA, call))}


@route("GET", "/history/variable-instance/<id>", "One value of a case", tag=_T, scope="read", query={"deserializeValue": flag()}, answer=DATUM)
def datum(call: Call) -> Any:
    return _datum(of_record(call.path["id"]))
