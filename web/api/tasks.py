"""`task`: open tasks, asked for in every way that clients know."""

from __future__ import annotations

from typing import Any

from engine.process.definitions import deployed
from engine.process.outside import todo
from web.api import dates
from web.api.lists import Asking, answer
from web.api.once import etag
from web.api.routing import Answer, Call, route
from web.api.seeing import open_task
from web.api.shapes import COUNT, flag, many, maybe, moment, number, record, text
from web.context import me, store

ID = text("an id", most=64)
IDS = many(ID, "ids")
NAME = text(most=200)
PATTERN = text("a pattern with % and _", most=200)

FILTERS = {
    "taskId": ID, "taskIdIn": IDS, "processInstanceId": ID, "processInstanceIdIn": IDS, "executionId": ID, "activityInstanceIdIn": IDS,
    "processInstanceBusinessKey": NAME, "processInstanceBusinessKeyIn": many(NAME), "processInstanceBusinessKeyLike": PATTERN,
    "processDefinitionId": text("key:version:id", most=200), "processDefinitionKey": NAME, "processDefinitionKeyIn": many(NAME),
    "processDefinitionName": NAME, "processDefinitionNameLike": PATTERN, "taskDefinitionKey": NAME, "taskDefinitionKeyIn": many(NAME),
    "taskDefinitionKeyLike": PATTERN, "assignee": text("a login", most=64), "assigneeLike": PATTERN, "assigneeIn": many(NAME),
    "assigneeNotIn": many(NAME), "owner": NAME, "candidateGroup": text("`<unit>/<post>`", most=200), "candidateGroups": many(NAME, most=50),
    "candidateGroupLike": PATTERN, "candidateUser": NAME, "includeAssignedTasks": flag(), "involvedUser": NAME, "assigned": flag(),
    "unassigned": flag(), "withCandidateGroups": flag(), "withoutCandidateGroups": flag(), "withCandidateUsers": flag(),
    "withoutCandidateUsers": flag(), "name": NAME, "nameNotEqual": NAME, "nameLike": PATTERN, "nameNotLike": PATTERN, "dueDate": moment(),
    "dueAfter": moment(), "dueBefore": moment(), "withoutDueDate": flag(), "createdOn": moment(), "createdAfter": moment(),
    "createdBefore": moment(), "delegationState": text(only=("PENDING", "RESOLVED")), "active": flag(), "suspended": flag(), "parentTaskId": ID,
    "priority": number(), "minPriority": number(), "maxPriority": number(), "followUpDate": moment(), "followUpAfter": moment(), "followUpBefore": moment(),
    "followUpBeforeOrNotExistent": moment(), "description": NAME, "descriptionLike": PATTERN,
}  # fmt: skip
ASKING = Asking(FILTERS, tuple(todo.SORTS), ("processVariables", "taskVariables"), either=True)

TASK = record({
    "id": text(), "name": text(), "assignee": maybe(text()), "created": text(), "due": maybe(text()), "followUp": maybe(text()),
    "lastUpdated": maybe(text()), "delegationState": maybe(text()), "description": maybe(text()), "executionId": text(), "owner": maybe(text()),
    "parentTaskId": maybe(text()), "priority": number(), "processDefinitionId": text(), "processInstanceId": text(), "taskDefinitionKey": text(),
    "caseExecutionId": maybe(text()), "caseInstanceId": maybe(text()), "caseDefinitionId": maybe(text()), "suspended": flag(),
    "formKey": maybe(text()), "camundaFormRef": {"type": ["object", "null"]}, "tenantId": maybe(text()), "taskState": text(),
    "office": record({
        "number": text("the case's number, its business key"), "title": text(), "candidateGroup": text("`<unit>/<post>`"), "unitName": text(),
        "dueDay": maybe(text("the last day in time")), "warnAt": maybe(text()), "paused": flag(), "provisional": flag(), "urges": number(),
    }, "what the original does not know"),
}, "a task")  # fmt: skip


def definition_id(key: str, version: int, number: int) -> str:
    """The id of a version as clients know it."""
    return f"{key}:{version}:{number}"


def task_json(row: Any, form: str | None) -> dict[str, Any]:
    """A task in the shape of the original."""
    return {
        "id": str(row.id), "name": row.name, "assignee": row.assignee, "created": dates.write(row.opened_at), "due": dates.write(row.due_at),
        "followUp": None, "lastUpdated": None, "delegationState": row.delegation.upper() if row.delegation else None, "description": None,
        "executionId": str(row.instance_id), "owner": row.owner, "parentTaskId": str(row.main_id) if row.main_id else None,
        "priority": todo.PRIORITY, "processDefinitionId": definition_id(row.process_key, row.version, row.definition_id),
        "processInstanceId": str(row.instance_id), "taskDefinitionKey": row.step, "caseExecutionId": None, "caseInstanceId": None,
        "caseDefinitionId": None, "suspended": row.case_state == "suspended", "formKey": form, "camundaFormRef": None, "tenantId": None,
        "taskState": "Created" if row.assignee is None else "Updated",
        "office": {
            "number": row.number, "title": row.title, "candidateGroup": f"{row.unit_code}/{row.post}", "unitName": row.unit_name,
            "dueDay": row.due_day.isoformat() if row.due_day else None, "warnAt": dates.write(row.warn_at), "paused": row.paused,
            "provisional": row.provisional, "urges": row.urges,
        },
    }  # fmt: skip


def form_of(session: Any, row: Any) -> str | None:
    """The name of a task's form; no query beside the first of each version in this process."""
    if row.main_id is not None:
        return None
    step = deployed(session, row.definition_id).diagram.steps.get(row.step)
    return step.form if step else None


_STANDS = "keyset paging with `after`; unknown filters are refused; more than 1000 rows need maxResults"
_MANY = {"type": "array", "items": TASK}


@route("POST", "/task", "Open tasks", tag="task", scope="read", query=ASKING.query, body=ASKING.paged, answer=_MANY, stands="better", note=_STANDS)
@route("GET", "/task", "Open tasks", tag="task", scope="read", query=ASKING.query, answer=_MANY, stands="better", note=_STANDS)
def _list(call: Call) -> Answer:
    with store().read() as session:
        listed = todo.open_tasks(session, me(), ASKING.asked(call), ASKING.cut(call))
        return answer(listed, lambda row: task_json(row, form_of(session, row)))


@route("POST", "/task/count", "How many open tasks", tag="task", scope="read", body=ASKING.body, answer=COUNT)
@route("GET", "/task/count", "How many open tasks", tag="task", scope="read", query=ASKING.counting, answer=COUNT)
def count(call: Call) -> Any:
    with store().read() as session:
        return {"count": todo.count_open(session, me(), ASKING.asked(call))}


@route("GET", "/task/<id>", "One open task", tag="task", scope="read", answer=TASK, stands="better",
       note="the ETag names the state of its case, for If-Match when it is completed")
def task(call: Call) -> Any:
    row = open_task(call.row("task"))
    with store().read() as session:
        return Answer(task_json(row, form_of(session, row)), headers=etag(row.revision))
