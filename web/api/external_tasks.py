"""`external-task`: workers outside fetch steps with a topic, and finish them, fail, or give them back (docs/workers.md).

A worker that waits for work (`asyncResponseTimeout`) holds a thread of the server. Only some may wait at a time, and none for
longer than WAIT; whoever may not wait, or has waited enough, gets the empty list that it would have got in the end, and asks
again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Response

from engine.process.outside import external_list, finishing
from engine.process.outside.fetching import FETCH_MAX, LOCK_MAX, TOPICS_MAX, Asked, Fetched, fetch_and_lock, fetched
from engine.process.outside.finishing import NotYours
from engine.process.outside.listing import Cut, definition_number
from engine.process.outside.once import Done
from engine.server import WAITING
from engine.store.errors import NotFound
from web.api import dates, lists
from web.api.once import once, replayed
from web.api.refusals import ApiError, bad_request, missing
from web.api.routing import Answer, Call, route, row_number
from web.api.shapes import COUNT, Shape, body, flag, many, maybe, moment, number, record, table, text
from web.api.values import GIVEN_VARIABLES, VARIABLES, all_typed, plain
from web.context import me, origin, store

#: The longest that a worker is kept waiting, and how often it is looked for work meanwhile (seconds).
WAIT, LOOK = 10.0, 0.5
_slots = threading.BoundedSemaphore(WAITING)
_never = threading.Event()

_MS = number("milliseconds", least=1, most=LOCK_MAX // timedelta(milliseconds=1))
_WORKER = text("who fetches", least=1, most=200)
_TASK: dict[str, Shape] = {
    "id": text(), "topicName": text(), "workerId": maybe(text()), "activityId": text(), "activityInstanceId": text(), "executionId": text(),
    "processInstanceId": text(), "processDefinitionId": text(), "processDefinitionKey": text(), "processDefinitionVersionTag": maybe(text()),
    "businessKey": text("the key of who started the case, else its number"), "tenantId": maybe(text()), "retries": maybe(number()), "suspended": flag(),
    "priority": number(least=-(2**31), most=2**31), "errorMessage": maybe(text()), "lockExpirationTime": maybe(moment()), "createTime": moment(),
}  # fmt: skip
TASK = record(_TASK)
LOCKED = record({**_TASK, "errorDetails": maybe(text()), "variables": VARIABLES, "extensionProperties": table(text())})
_ID = text(least=1, most=100)

#: External tasks whose retries are set at once.
_RETRIED = 500
_ASKING = lists.Asking(
    {
        "externalTaskId": _ID, "externalTaskIdIn": many(_ID), "topicName": text(most=128), "workerId": text(most=200), "locked": flag(),
        "notLocked": flag(), "withRetriesLeft": flag(), "noRetriesLeft": flag(), "lockExpirationAfter": moment(),
        "lockExpirationBefore": moment(), "activityId": text(most=128), "activityIdIn": many(text(most=128)), "executionId": text(most=64),
        "processInstanceId": _ID, "processInstanceIdIn": many(_ID), "processDefinitionId": text(most=200), "processDefinitionKey": text(most=64),
        "active": flag(), "suspended": flag(), "priorityHigherThanOrEquals": number(least=-(2**31), most=2**31 - 1),
        "priorityLowerThanOrEquals": number(least=-(2**31), most=2**31 - 1),
    },
    tuple(external_list.SORTS),
)  # fmt: skip
_TAG = "external-task"
_ONCE = "Idempotency-Key: a retry does nothing twice"


def _told(task: Fetched) -> dict[str, Any]:
    return {
        "id": str(task.id), "topicName": task.topic, "workerId": task.worker, "activityId": task.step, "activityInstanceId": task.token,
        "executionId": task.token, "processInstanceId": str(task.instance_id),
        "processDefinitionId": f"{task.process_key}:{task.version}:{task.definition_id}", "processDefinitionKey": task.process_key,
        "processDefinitionVersionTag": None, "businessKey": task.business_key, "tenantId": None, "retries": task.retries,
        "suspended": task.suspended, "priority": task.priority, "errorMessage": task.error,
        "lockExpirationTime": dates.write(task.locked_until), "createTime": dates.write(task.created_at),
    }  # fmt: skip


# -- what waits -----------------------------------------------------------------------------------------------


@route("POST", "/external-task", "Tasks that wait for a worker", tag=_TAG, scope="read", query=lists.PAGING, body=_ASKING.paged, answer=many(TASK))
@route("GET", "/external-task", "Tasks that wait for a worker", tag=_TAG, scope="read", query=_ASKING.query, answer=many(TASK))
def _list(call: Call) -> Any:
    with store().read() as session:
        found = external_list.external_tasks(session, me(), _ASKING.asked(call), _ASKING.cut(call))
        return lists.answer(found, lambda row: _told(fetched(session, row[0], row[1])))


@route("POST", "/external-task/count", "How many tasks wait for a worker", tag=_TAG, scope="read", body=_ASKING.body, answer=COUNT)
@route("GET", "/external-task/count", "How many tasks wait for a worker", tag=_TAG, scope="read", query=_ASKING.counting, answer=COUNT)
def _count(call: Call) -> Any:
    with store().read() as session:
        return {"count": external_list.count_external_tasks(session, me(), _ASKING.asked(call))}


@route("GET", "/external-task/topic-names", "The topics that tasks wait for", tag=_TAG, scope="read", answer=many(text()),
       query={"withLockedTasks": flag(), "withUnlockedTasks": flag(), "withRetriesLeft": flag()})
def topic_names(call: Call) -> Any:
    asked = call.asked
    with store().read() as session:
        return external_list.topics(session, me(), locked=asked.get("withLockedTasks"), free=asked.get("withUnlockedTasks"),
                                    left=asked.get("withRetriesLeft"))


@route("GET", "/external-task/<id>", "One task", tag=_TAG, scope="read", answer=TASK)
def one(call: Call) -> Any:
    return _told(_one(call))


@route("GET", "/external-task/<id>/errorDetails", "What the worker said of its last failure", tag=_TAG, scope="read", answer=text(),
       media="text/plain")
def details(call: Call) -> Any:
    return Response(_one(call).details or "", mimetype="text/plain")


def _one(call: Call) -> Fetched:
    number_ = call.row("external task")
    with store().read() as session:
        try:
            row = external_list.external_task(session, me(), number_)
        except NotFound:
            raise missing("external task", number_) from None
        return fetched(session, row[0], row[1])


# -- fetching -------------------------------------------------------------------------------------------------

_TOPIC = body(
    {
        "topicName": text(least=1, most=128), "lockDuration": _MS, "variables": many(text(most=200), "names; without it all that the diagram hands over", most=200),
        "localVariables": flag("all that a worker is given is local here"), "businessKey": text("the key of a case, or its number", most=200),
        "processDefinitionId": text(most=200), "processDefinitionIdIn": many(text(most=200), most=100),
        "processDefinitionKey": text(most=64), "processDefinitionKeyIn": many(text(most=64), most=100),
        "processVariables": table(text(), "name → text that the worker must be given"), "deserializeValues": flag("ignored: values are JSON"),
        "includeExtensionProperties": flag(), "withoutTenantId": flag(), "processDefinitionVersionTag": text(most=64),
    },
    required=("topicName", "lockDuration"),
)  # fmt: skip
_FETCH = body(
    {
        "workerId": _WORKER, "maxTasks": number(least=1, most=FETCH_MAX), "usePriority": flag("without it the oldest come first"),
        "asyncResponseTimeout": number(f"milliseconds to wait for work; an empty answer may come sooner (after {WAIT:.0f} s, or at once where too many wait)", most=1_800_000),
        "topics": many(_TOPIC, most=TOPICS_MAX),
        "sorting": many(body({"sortBy": text(only=("createTime",)), "sortOrder": text(only=("asc", "desc"))}, required=("sortBy", "sortOrder")), most=1),
    },
    required=("workerId", "maxTasks"),
)  # fmt: skip


@route("POST", "/external-task/fetchAndLock", "Tasks for a worker, locked for it", tag=_TAG, scope="external", body=_FETCH, answer=many(LOCKED),
       note="variables are those that the diagram hands to the step (`in.*`), never the whole case", stands="better")
def fetch(call: Call) -> Any:
    sent = call.body
    topics, extended = [_asked(topic) for topic in sent.get("topics") or []], {t["topicName"] for t in sent.get("topics") or [] if t.get("includeExtensionProperties")}
    newest = any(each["sortOrder"] == "desc" for each in sent.get("sorting") or [])

    def look() -> list[Fetched]:
        return fetch_and_lock(store(), actor=me(), worker=sent["workerId"], most=int(sent["maxTasks"]), topics=topics,
                              by_priority=bool(sent.get("usePriority")), newest_first=newest, origin=origin())

    found = look()
    patience = min((sent.get("asyncResponseTimeout") or 0) / 1000, WAIT)
    if not found and topics and patience > 0 and _slots.acquire(blocking=False):
        try:
            while not found and patience > 0:
                pause = min(LOOK, patience)
                patience -= pause
                _never.wait(pause)
                found = look()
        finally:
            _slots.release()
    return [
        {**_told(task), "errorDetails": task.details, "variables": all_typed(task.given),
         "extensionProperties": task.properties if task.topic in extended else {}}
        for task in found
    ]  # fmt: skip


def _asked(topic: Mapping[str, Any]) -> Asked:
    ids = [*(topic.get("processDefinitionIdIn") or []), *filter(None, [topic.get("processDefinitionId")])]
    keys = [*(topic.get("processDefinitionKeyIn") or []), *filter(None, [topic.get("processDefinitionKey")])]
    return Asked(
        topic["topicName"], timedelta(milliseconds=topic["lockDuration"]), names=topic.get("variables"), processes=keys or None,
        definitions=[definition_number(each) for each in ids] or None, business_key=topic.get("businessKey"),
        holding=topic.get("processVariables") or {},
    )  # fmt: skip


# -- finishing ------------------------------------------------------------------------------------------------


def _acting(call: Call) -> int:
    return row_number(call.path["id"], "external task")


def _refused(error: NotYours, call: Call) -> ApiError:
    """The original answers 400 to who does not hold the lock."""
    return ApiError(400, "InvalidRequestException", f"{error.message} (external task {call.path['id'][:40]})")


def _told_once(call: Call, act: Callable[[], Done]) -> Answer:
    try:
        return Answer(status=204, headers=replayed(act()))
    except NotYours as error:
        raise _refused(error, call) from None


@route("POST", "/external-task/<id>/complete", "The worker has done it", tag=_TAG, scope="external", refuses=(409, 500), stands="better",
       note=f"the case takes what the diagram names (`out.*`, `out`) and nothing else; {_ONCE}",
       body=body({"workerId": _WORKER, "variables": GIVEN_VARIABLES, "localVariables": GIVEN_VARIABLES}, required=("workerId",)))
def complete(call: Call) -> Answer:
    sent = call.body
    return _told_once(call, lambda: finishing.complete_external(
        store(), _acting(call), actor=me(), worker=sent["workerId"], given=plain(sent.get("variables")), local=plain(sent.get("localVariables")),
        once=once(call.raw), origin=origin(),
    ))  # fmt: skip


@route("POST", "/external-task/<id>/failure", "The worker could not do it", tag=_TAG, scope="external", refuses=(409,), stands="better",
       body=body({"workerId": _WORKER, "errorMessage": text(most=20_000), "errorDetails": text(most=200_000),
                  "retries": number(most=finishing.RETRIES_MAX), "retryTimeout": number(most=LOCK_MAX // timedelta(milliseconds=1)),
                  "variables": GIVEN_VARIABLES, "localVariables": GIVEN_VARIABLES}, required=("workerId",)),
       note=f"at 0 retries an incident waits for the operator; variables are not taken; {_ONCE}")
def failure(call: Call) -> Answer:
    sent = call.body
    return _told_once(call, lambda: finishing.fail_external(
        store(), _acting(call), actor=me(), worker=sent["workerId"], message=sent.get("errorMessage") or "",
        details=sent.get("errorDetails") or "", retries=int(sent.get("retries") or 0),
        again_after=timedelta(milliseconds=sent.get("retryTimeout") or 0), once=once(call.raw), origin=origin(),
    ))  # fmt: skip


@route("POST", "/external-task/<id>/bpmnError", "The worker reports an error that the diagram foresees", tag=_TAG, scope="external",
       refuses=(409, 500), stands="better", note=f"a code that no event catches is refused, instead of ending the case; of the variables it takes what the event names (`out.*`); {_ONCE}",
       body=body({"workerId": _WORKER, "errorCode": text(least=1, most=200), "errorMessage": text(most=4000), "variables": GIVEN_VARIABLES},
                 required=("workerId", "errorCode")))
def bpmn_error(call: Call) -> Answer:
    sent = call.body
    return _told_once(call, lambda: finishing.throw_error(
        store(), _acting(call), actor=me(), worker=sent["workerId"], code=sent["errorCode"], message=sent.get("errorMessage") or "",
        given=plain(sent.get("variables")), once=once(call.raw), origin=origin(),
    ))  # fmt: skip


@route("POST", "/external-task/<id>/extendLock", "The worker needs longer", tag=_TAG, scope="external",
       body=body({"workerId": _WORKER, "newDuration": _MS}, required=("workerId", "newDuration")))
def extend(call: Call) -> None:
    _lock(call, call.body["newDuration"], anew=False)


@route("POST", "/external-task/<id>/lock", "Lock one task for a worker", tag=_TAG, scope="external",
       body=body({"workerId": _WORKER, "lockDuration": _MS}, required=("workerId", "lockDuration")))
def lock(call: Call) -> None:
    _lock(call, call.body["lockDuration"], anew=True)


def _lock(call: Call, milliseconds: int, *, anew: bool) -> None:
    act = finishing.lock_one if anew else finishing.extend_lock
    try:
        act(store(), _acting(call), actor=me(), worker=call.body["workerId"], lock=timedelta(milliseconds=milliseconds), origin=origin())
    except NotYours as error:
        raise _refused(error, call) from None


@route("POST", "/external-task/<id>/unlock", "Give the task back", tag=_TAG, scope="external", body=body({}))
def unlock(call: Call) -> None:
    finishing.unlock(store(), _acting(call), actor=me(), origin=origin())


@route("PUT", "/external-task/<id>/retries", "How often it may still be tried", tag=_TAG, scope="operate",
       body=body({"retries": number(most=finishing.RETRIES_MAX)}, required=("retries",)))
def retries(call: Call) -> None:
    finishing.set_retries(store(), [_acting(call)], int(call.body["retries"]), actor=me(), origin=origin())


@route("PUT", "/external-task/retries", "How often several may still be tried: all or none", tag=_TAG, scope="operate", stands="partly", refuses=(404,),
       note=f"by ids, a query, or the cases that they are of; at most {_RETRIED} at once",
       body=body({"retries": number(most=finishing.RETRIES_MAX), "externalTaskIds": many(_ID, most=_RETRIED),
                  "externalTaskQuery": _ASKING.body, "processInstanceIds": many(_ID, most=_RETRIED)}, required=("retries",)))
def many_retries(call: Call) -> None:
    sent = call.body
    ids = {row_number(each, "external task") for each in sent.get("externalTaskIds") or []}
    named = [name for name in ("externalTaskIds", "externalTaskQuery", "processInstanceIds") if sent.get(name) is not None]
    if not named:
        raise bad_request("give externalTaskIds, externalTaskQuery or processInstanceIds")
    for query in (sent.get("externalTaskQuery"), {"processInstanceIdIn": sent["processInstanceIds"]} if sent.get("processInstanceIds") else None):
        if query is not None:
            asked = _ASKING.asked(Call({}, {}, query))
            with store().read() as session:
                ids |= {row[0].id for row in external_list.external_tasks(session, me(), asked, Cut(most=_RETRIED + 1)).rows}
    if len(ids) > _RETRIED:
        raise bad_request(f"that would be more than {_RETRIED} external tasks: narrow the query")
    finishing.set_retries(store(), ids, int(sent["retries"]), actor=me(), origin=origin())


@route("PUT", "/external-task/<id>/priority", "Which of the waiting ones workers get first", tag=_TAG, scope="operate",
       body=body({"priority": number(least=-(2**31) + 1, most=2**31 - 1)}, required=("priority",)))
def priority(call: Call) -> None:
    finishing.set_priority(store(), _acting(call), int(call.body["priority"]), actor=me(), origin=origin())
