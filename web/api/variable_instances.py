"""`variable-instance`: single data of running cases, and what programs have noted on tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.people.permissions import watches
from engine.process.outside import variable_list
from engine.store.errors import NotFound
from web.api import values
from web.api.lists import Asking
from web.api.refusals import bad_request, missing
from web.api.routing import Answer, Call, route
from web.api.seeing import require_case
from web.api.shapes import ANYTHING, COUNT, flag, many, maybe, record, text
from web.api.tasks import ID, NAME, PATTERN, definition_id
from web.context import me, store

_T = "variable-instance"
_IDS = many(ID, "ids", most=100)
ASKING = Asking({
    "variableName": NAME, "variableNameLike": PATTERN, "processInstanceIdIn": _IDS, "executionIdIn": _IDS, "activityInstanceIdIn": _IDS,
    "taskIdIn": many(ID, "local variables of these tasks", most=100),
}, variable_list.SORTS, ("variableValues",))  # fmt: skip
ONE = record({
    "id": text("`<case>:<name>`, or `task:<task>:<name>` of a local variable"), "name": text(), "value": ANYTHING, "type": text(),
    "valueInfo": {"type": "object"}, "processDefinitionId": text(), "processInstanceId": text(), "executionId": text(), "caseInstanceId": maybe(text()),
    "caseExecutionId": maybe(text()), "taskId": maybe(text()), "batchId": maybe(text()), "activityInstanceId": text(), "errorMessage": maybe(text()),
    "tenantId": maybe(text()),
}, "one value")  # fmt: skip
NARROW = "the cases, or the very name, must be given: all values of all cases would be looked at"
#: Cases that one answer shows to an auditor.
MOST_LOOKS = 100
_QUERY = {**ASKING.query, "deserializeValues": flag()}
_MANY = {"type": "array", "items": ONE}


def narrow(asking: Asking, call: Call) -> dict[str, Any]:
    """The filters of a list of values. Raises 400 where they leave all values of all cases."""
    asked = asking.asked(call)
    asked.pop("deserializeValues", None)
    if not variable_list.is_narrow(asked):
        given = [name for name in (*variable_list.CASES, *variable_list.NAMES) if name in asking.query]
        raise bad_request(f"one of {', '.join(given)} is required: {NARROW}")
    return asked


def page(found: Sequence[variable_list.Variable], after: str | None, line: Callable[[variable_list.Variable], Any]) -> Answer:
    """Values as JSON, and where to go on. An auditor's looks go on record, case by case. Raises 400 where those are too many."""
    if watches(me()):
        cases = list(dict.fromkeys(one.instance_id for one in found))
        if len(cases) > MOST_LOOKS:
            raise bad_request(f"maxResults: each look of an auditor goes on record; ask for at most {MOST_LOOKS} cases at a time")
        for instance_id in cases:
            require_case(instance_id)
    return Answer([line(one) for one in found], headers={"X-Next-After": after} if after else {})


def _one(one: variable_list.Variable) -> dict[str, Any]:
    case = str(one.instance_id)
    return {
        "id": one.id, "name": one.name, **values.typed(one.value), "processDefinitionId": definition_id(one.process_key, one.version, one.definition_id),
        "processInstanceId": case, "executionId": case, "caseInstanceId": None, "caseExecutionId": None,
        "taskId": str(one.task_id) if one.task_id is not None else None, "batchId": None, "activityInstanceId": case, "errorMessage": None,
        "tenantId": None,
    }  # fmt: skip


@route("POST", "/variable-instance", "Data of running cases", tag=_T, scope="read", query=_QUERY, body=ASKING.paged, answer=_MANY, stands="partly",
       note=f"{NARROW}; local variables of tasks by taskIdIn alone; keyset paging")
@route("GET", "/variable-instance", "Data of running cases", tag=_T, scope="read", query=_QUERY, answer=_MANY, stands="partly",
       note=f"{NARROW}; local variables of tasks by taskIdIn alone; keyset paging")
def _list(call: Call) -> Any:
    asked = narrow(ASKING, call)
    with store().read() as session:
        found, after = variable_list.of_running(session, me(), asked, ASKING.cut(call))
    return page(found, after, _one)


@route("POST", "/variable-instance/count", "How many values", tag=_T, scope="read", body=ASKING.body, answer=COUNT, stands="partly", note=NARROW)
@route("GET", "/variable-instance/count", "How many values", tag=_T, scope="read", query=ASKING.counting, answer=COUNT, stands="partly", note=NARROW)
def count(call: Call) -> Any:
    with store().read() as session:
        return {"count": variable_list.count_running(session, me(), narrow(ASKING, call))}


@route("GET", "/variable-instance/<id>", "One value", tag=_T, scope="read", query={"deserializeValue": flag()}, answer=ONE)
def one(call: Call) -> Any:
    task, number, name = _named(call.path["id"])
    with store().read() as session:
        try:
            found = variable_list.one_of_running(session, me(), number, name, task=task)
        except NotFound:
            raise missing("variable instance", call.path["id"]) from None
    require_case(found.instance_id, "variable instance", call.path["id"])
    return _one(found)


def of_record(whole: str) -> variable_list.Variable:
    """One value of a case in whatever state, by its id. Raises 404."""
    task, number, name = _named(whole)
    with store().read() as session:
        try:
            if task:
                raise NotFound
            found = variable_list.one_of_record(session, me(), number, name)
        except NotFound:
            raise missing("historic variable instance", whole) from None
    require_case(found.instance_id, "historic variable instance", whole)
    return found


def _named(whole: str) -> tuple[bool, int, str]:
    """What an id names: whether a note on a task, the number of the task or case, the name. Raises 404 for what is none."""
    head, _, rest = whole.partition(":")
    number, name = (rest.partition(":")[0], rest.partition(":")[2]) if head == "task" else (head, rest)
    if not (name and number.isascii() and number.isdigit() and len(number) <= 18):
        raise missing("variable instance", whole)
    return head == "task", int(number), name
