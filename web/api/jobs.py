"""`job` and `incident`: timers that wait, what failed, and trying again."""

from __future__ import annotations

from typing import Any

from flask import Response

from engine.process.clocks import set_by_hand
from engine.process.incidents import MOST_ATTEMPTS, retry_incident
from engine.process.outside import upkeep
from engine.process.timekeeping.setting import set_due
from engine.store.errors import NotFound
from web.api import dates
from web.api.cases import UNSAID
from web.api.lists import PAGING, Asking, answer
from web.api.refusals import missing
from web.api.routing import Call, route, row_number
from web.api.shapes import COUNT, body, flag, many, maybe, moment, number, record, text
from web.api.tasks import ID, IDS, NAME, definition_id
from web.context import me, origin, store

_J, _I = "job", "incident"
_REASON = text("stays on record (ours)", most=500)
JOBS = Asking({
    "jobId": ID, "jobIds": IDS, "processInstanceId": ID, "processInstanceIds": IDS, "executionId": NAME, "processDefinitionId": text(most=200),
    "processDefinitionKey": NAME, "activityId": NAME, "withRetriesLeft": flag(), "noRetriesLeft": flag(), "executable": flag("due now"),
    "timers": flag("every job is a timer"), "messages": flag("there are none"), "withException": flag(), "failedActivityId": NAME, "active": flag(),
    "suspended": flag(), "dueDatesAfter": moment(), "dueDatesBefore": moment(), "role": text("ours", only=("deadline", "reminder", "escalation", "timer")),
}, tuple(upkeep.JOB_SORTS))  # fmt: skip
JOB = record({
    "id": text(), "jobDefinitionId": maybe(text()), "processInstanceId": text(), "processDefinitionId": text(), "processDefinitionKey": text(),
    "executionId": text(), "retries": number(), "exceptionMessage": maybe(text()), "failedActivityId": maybe(text()), "dueDate": maybe(moment()),
    "suspended": flag(), "priority": number(), "tenantId": maybe(text()), "createTime": moment(), "batchId": maybe(text()),
    "office": record({"role": text(), "activityId": text(), "activityName": text(), "lastDay": maybe(text()), "provisional": flag(), "paused": flag(),
                      "setByHand": flag("its date was set by hand")}),
}, "a timer that waits")  # fmt: skip
_MANY_JOBS = {"type": "array", "items": JOB}


def _job(row: Any) -> dict[str, Any]:
    timer = row[0]
    return {
        "id": str(timer.id), "jobDefinitionId": None, "processInstanceId": str(timer.instance_id),
        "processDefinitionId": definition_id(row.process_key, row.version, row.definition_id), "processDefinitionKey": row.process_key,
        "executionId": timer.token, "retries": max(0, MOST_ATTEMPTS - timer.attempts), "exceptionMessage": row.error,
        "failedActivityId": timer.element if row.error else None, "dueDate": dates.write(timer.due_at),
        "suspended": row.case_state == "suspended", "priority": 0, "tenantId": None, "createTime": dates.write(timer.started_at), "batchId": None,
        "office": {
            "role": timer.role, "activityId": timer.element, "activityName": timer.activity_name, "provisional": timer.provisional,
            "lastDay": timer.last_day.isoformat() if timer.last_day else None, "paused": timer.state == "paused",
            "setByHand": set_by_hand(timer) is not None,
        },
    }  # fmt: skip


@route("POST", "/job", "Timers that wait", tag=_J, scope="read", query=PAGING, body=JOBS.paged, answer=_MANY_JOBS)
@route("GET", "/job", "Timers that wait", tag=_J, scope="read", query=JOBS.query, answer=_MANY_JOBS)
def _jobs(call: Call) -> Any:
    with store().read() as session:
        return answer(upkeep.jobs(session, me(), JOBS.asked(call), JOBS.cut(call)), _job)


@route("POST", "/job/count", "How many timers wait", tag=_J, scope="read", body=JOBS.body, answer=COUNT)
@route("GET", "/job/count", "How many timers wait", tag=_J, scope="read", query=JOBS.counting, answer=COUNT)
def _count_jobs(call: Call) -> Any:
    with store().read() as session:
        return {"count": upkeep.count_jobs(session, me(), JOBS.asked(call))}


@route("GET", "/job/<id>", "One timer", tag=_J, scope="read", answer=JOB)
def one_job(call: Call) -> Any:
    with store().read() as session:
        try:
            return _job(upkeep.job(session, me(), call.row("job")))
        except NotFound:
            raise missing("job", call.path["id"]) from None


@route("GET", "/job/<id>/stacktrace", "What its last failure said", tag=_J, scope="read", answer=text(), media="text/plain")
def trace(call: Call) -> Any:
    with store().read() as session:
        return Response(upkeep.trace_of(session, me(), call.row("job")), mimetype="text/plain")


@route("PUT", "/job/<id>/retries", "How often it may still fail", tag=_J, scope="operate",
       body=body({"retries": number(most=MOST_ATTEMPTS)}, required=("retries",)))
def job_retries(call: Call) -> None:
    upkeep.set_job_retries(store(), [call.row("job")], int(call.body["retries"]), actor=me(), origin=origin())


@route("PUT", "/job/retries", "How often several may still fail: all or none", tag=_J, scope="operate", stands="own", refuses=(404,),
       note="at once, in place of the original's batch by POST",
       body=body({"jobIds": many(ID, most=500), "retries": number(most=MOST_ATTEMPTS)}, required=("jobIds", "retries")))
def many_retries(call: Call) -> None:
    upkeep.set_job_retries(store(), [row_number(each, "job") for each in call.body["jobIds"]], int(call.body["retries"]), actor=me(), origin=origin())


@route("POST", "/job/<id>/execute", "Fire a timer that is due now", tag=_J, scope="operate", stands="better", refuses=(500,),
       note="one that is not due yet is refused: nobody misses a deadline before its day", body=body({}))
def execute(call: Call) -> None:
    upkeep.execute_job(store(), call.row("job"), actor=me(), origin=origin())


@route("POST", "/job/<id>/duedate/recalculate", "Count it again by the calendar as it is known now", tag=_J, scope="operate", stands="better",
       note="with all clocks of its case; a worker does the same by itself whenever a calendar is published. Takes back a date set by hand, for who supervises",
       query={"creationDateBased": flag("ignored: a clock always counts from its beginning, without its pauses")},
       body=body({"reason": _REASON}), refuses=(409,))
def recalculate(call: Call) -> None:
    upkeep.recount_job(store(), call.row("job"), actor=me(), reason=call.body.get("reason") or UNSAID, origin=origin())


@route("PUT", "/job/<id>/duedate", "Another due date 调整时限", tag=_J, scope="operate", stands="better", refuses=(409, 500),
       note="for those who supervise; in the future, of a deadline 00:00 of the day after its last day; a limit with a statutory maximum ends at the latest "
            "where that ends, and a day that an article names is never put off. It stands when a calendar is published; what leans on a deadline moves with it. One that stands still is refused",
       body=body({"duedate": moment(), "cascade": flag("there is nothing to cascade to: no timer repeats"), "reason": _REASON}, required=("duedate",)))
def due_date(call: Call) -> None:
    timer_id = call.row("job")
    with store().read() as session:
        try:
            upkeep.job(session, me(), timer_id)
        except NotFound:
            raise missing("job", call.path["id"]) from None
    set_due(store(), timer_id, actor=me(), due=dates.read(call.body["duedate"]), reason=call.body.get("reason") or UNSAID, origin=origin())


# -- incidents ------------------------------------------------------------------------------------------------

INCIDENTS = Asking({
    "incidentId": ID, "incidentType": text(only=upkeep.INCIDENT_TYPES), "incidentMessage": text(most=500),
    "causeIncidentId": ID, "rootCauseIncidentId": ID, "executionId": ID, "activityId": NAME, "failedActivityId": NAME, "incidentMessageLike": text(most=500), "processInstanceId": ID, "processInstanceIdIn": IDS, "processDefinitionId": text(most=200),
    "processDefinitionKeyIn": {"type": "array", "items": NAME, "maxItems": 100}, "configuration": ID, "incidentTimestampAfter": moment(),
    "incidentTimestampBefore": moment(),
}, tuple(upkeep.INCIDENT_SORTS))  # fmt: skip
INCIDENT = record({
    "id": text(), "processDefinitionId": text(), "processInstanceId": text(), "executionId": text(), "incidentTimestamp": moment(),
    "incidentType": text(), "activityId": maybe(text()), "failedActivityId": maybe(text()), "causeIncidentId": text(),
    "rootCauseIncidentId": text(), "configuration": maybe(text("id of the job, external task or task")), "incidentMessage": text(),
    "tenantId": maybe(text()), "jobDefinitionId": maybe(text()), "annotation": maybe(text()),
}, "something that failed")  # fmt: skip


def _incident(row: Any) -> dict[str, Any]:
    found = row[0]
    kind = "failedJob" if found.timer_id else "failedExternalTask" if found.external_id else "failedTask" if found.task_id else "failedMessage"
    kind = "failedSignal" if found.delivery_id else kind
    step = row.timer_step or row.external_step or row.task_step
    about = found.timer_id or found.external_id or found.task_id
    return {
        "id": str(found.id), "processDefinitionId": definition_id(row.process_key, row.version, row.definition_id),
        "processInstanceId": str(found.instance_id), "executionId": str(found.instance_id), "incidentTimestamp": dates.write(found.opened_at),
        "incidentType": kind, "activityId": step, "failedActivityId": step, "causeIncidentId": str(found.id), "rootCauseIncidentId": str(found.id),
        "configuration": str(about) if about else None, "incidentMessage": found.error, "tenantId": None, "jobDefinitionId": None, "annotation": None,
    }  # fmt: skip


@route("GET", "/incident", "What failed and waits", tag=_I, scope="read", query=INCIDENTS.query, answer={"type": "array", "items": INCIDENT},
       stands="partly", note="for operators; each is a cause of its own")
def incidents(call: Call) -> Any:
    with store().read() as session:
        return answer(upkeep.open_incidents(session, me(), INCIDENTS.asked(call), INCIDENTS.cut(call)), _incident)


@route("GET", "/incident/count", "How many wait", tag=_I, scope="read", query=INCIDENTS.counting, answer=COUNT)
def count_incidents(call: Call) -> Any:
    with store().read() as session:
        return {"count": upkeep.count_incidents(session, me(), INCIDENTS.asked(call))}


@route("GET", "/incident/<id>", "One incident", tag=_I, scope="read", answer=INCIDENT)
def one_incident(call: Call) -> Any:
    with store().read() as session:
        try:
            return _incident(upkeep.open_incident(session, me(), call.row("incident")))
        except NotFound:
            raise missing("incident", call.path["id"]) from None


@route("DELETE", "/incident/<id>", "Resolve it: what failed is tried again", tag=_I, scope="operate", stands="better",
       note="a timer is tried again at once, and its incident closes when that goes well; that of an external task closes as it may be fetched again, that of a person's completion closes")
def resolve(call: Call) -> None:
    retry_incident(store(), call.row("incident"), actor=me(), origin=origin())


# -- what has failed ------------------------------------------------------------------------------------------

PAST = Asking({
    **{name: shape for name, shape in INCIDENTS.filters.items() if not name.startswith("incidentTimestamp")}, "processDefinitionKey": NAME,
    "createTimeAfter": moment(), "createTimeBefore": moment(), "endTimeAfter": moment(), "endTimeBefore": moment(), "open": flag(), "resolved": flag(),
    "deleted": flag("none is"),
}, tuple(upkeep.PAST_INCIDENT_SORTS))  # fmt: skip
PAST_INCIDENT = record({
    **{name: shape for name, shape in INCIDENT["properties"].items() if name != "incidentTimestamp"}, "processDefinitionKey": text(),
    "rootProcessInstanceId": text(), "createTime": moment(), "endTime": maybe(moment()), "removalTime": maybe(text()), "historyConfiguration": maybe(text()),
    "open": flag(), "deleted": flag(), "resolved": flag(),
}, "something that failed, and whether it still waits")  # fmt: skip


def _past_incident(row: Any) -> dict[str, Any]:
    told, resolved = _incident(row), row[0].resolved_at
    told["createTime"] = told.pop("incidentTimestamp")
    return {
        **told, "processDefinitionKey": row.process_key, "rootProcessInstanceId": told["processInstanceId"], "endTime": dates.write(resolved),
        "removalTime": None, "historyConfiguration": None, "open": resolved is None, "deleted": False, "resolved": resolved is not None,
    }  # fmt: skip


@route("GET", "/history/incident", "What has failed, resolved or not", tag="history", scope="read", query=PAST.query, note="for operators",
       answer={"type": "array", "items": PAST_INCIDENT})
def past_incidents(call: Call) -> Any:
    with store().read() as session:
        return answer(upkeep.past_incidents(session, me(), PAST.asked(call), PAST.cut(call)), _past_incident)


@route("GET", "/history/incident/count", "How much has failed", tag="history", scope="read", query=PAST.counting, answer=COUNT, note="for operators")
def count_past_incidents(call: Call) -> Any:
    with store().read() as session:
        return {"count": upkeep.count_past_incidents(session, me(), PAST.asked(call))}
