"""`history/cleanup` and removal times: proposing that cases whose time has come are removed 销毁, which a second person approves."""

from __future__ import annotations

from typing import Any

from engine.people.permissions import require
from engine.process.removing import sheets
from engine.process.removing.commands import propose_removal
from engine.process.removing.times import MOST, set_removal_time
from web.api import dates
from web.api.migrations import BATCH
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import Call, route, row_number
from web.api.shapes import body, flag, many, maybe, moment, number, record, text
from web.api.tasks import ID
from web.context import me, origin, store

_T = "history"
#: The finding on record where a program gives none.
UNSAID = "保管期满，经接口提出销毁"
#: Before the number of a removal, where the original has the id of a job: no timer has such an id.
PREFIX = "removal-"

JOB = record({
    "id": text(), "jobDefinitionId": maybe(text()), "processInstanceId": maybe(text()), "processDefinitionId": maybe(text()),
    "processDefinitionKey": maybe(text()), "executionId": maybe(text()), "retries": number(), "exceptionMessage": maybe(text()),
    "failedActivityId": maybe(text()), "dueDate": maybe(moment()), "suspended": flag(), "priority": number(), "tenantId": maybe(text()),
    "createTime": moment(), "batchId": maybe(text()),
    "office": record({"removal": text(), "state": text(), "cases": number(), "removed": number(), "kept": number()}),
}, "a removal that waits for the second person, or is under way")  # fmt: skip
CONFIGURATION = record({"batchWindowStartTime": maybe(text()), "batchWindowEndTime": maybe(text()), "enabled": flag()})


def _job(line: sheets.RemovalLine) -> dict[str, Any]:
    return {
        "id": f"{PREFIX}{line.id}", "jobDefinitionId": None, "processInstanceId": None, "processDefinitionId": None, "processDefinitionKey": None,
        "executionId": None, "retries": 1, "exceptionMessage": None, "failedActivityId": None, "dueDate": None, "suspended": line.state == "proposed",
        "priority": 0, "tenantId": None, "createTime": dates.write(line.created_at), "batchId": None,
        "office": {"removal": str(line.id), "state": line.state, "cases": line.total, "removed": line.removed, "kept": line.stayed},
    }  # fmt: skip


def _under_way() -> list[sheets.RemovalLine]:
    with store().read() as session:
        return [line for line in sheets.removals(session, me(), limit=200).lines if line.state in ("proposed", "running")]


@route("POST", "/history/cleanup", "Proposes that the cases whose time has come are removed 销毁", tag=_T, scope="operate", stands="partly", answer=JOB,
       note="a list for a second person to approve on its page; nothing is removed before; `suspended` until then; at most 2000 cases each",
       query={"immediatelyDue": flag("there is no other time")})
def propose(call: Call) -> Any:
    if call.query.get("immediatelyDue") is False:
        raise bad_request("immediatelyDue: there is no time window; leave it out")
    require(me(), "propose_removals")
    waiting = next((line for line in _under_way() if line.state == "proposed"), None)
    if waiting is not None:
        return _job(waiting)
    made = propose_removal(store(), actor=me(), reason=UNSAID, origin=origin())
    with store().read() as session:
        return _job(sheets.removal_sheet(session, me(), made).line)


@route("GET", "/history/cleanup/configuration", "When removals take place", tag=_T, scope="read", answer=CONFIGURATION, stands="partly",
       note="no time window: from the approval of the second person on, around the clock")
def configuration(_: Call) -> Any:
    return {"batchWindowStartTime": None, "batchWindowEndTime": None, "enabled": True}


@route("GET", "/history/cleanup/jobs", "Removals that have not ended", tag=_T, scope="read", answer=many(JOB))
def jobs(_: Call) -> Any:
    return [_job(line) for line in _under_way()]


@route("GET", "/history/cleanup/job", "The newest removal that has not ended", tag=_T, scope="read", answer=JOB, refuses=(404,))
def job(_: Call) -> Any:
    found = _under_way()
    if not found:
        raise missing("history cleanup job", "")
    return _job(found[0])


_MODES = ("absoluteRemovalTime", "clearedRemovalTime", "calculatedRemovalTime")


@route("POST", "/history/process-instance/set-removal-time", "From when on ended cases may be removed", tag=_T, scope="operate", answer=BATCH, stands="partly",
       note="never sooner than the diagram says; at once, all or none, at most 200 by their ids; the batch that is told has ended already; no query (501)",
       refuses=(501,),
       body=body({
           "absoluteRemovalTime": moment(), "clearedRemovalTime": flag("kept for ever"), "calculatedRemovalTime": flag("as the diagrams say"),
           "historicProcessInstanceIds": many(ID, most=MOST), "historicProcessInstanceQuery": {"type": "object"},
           "hierarchical": flag("not covered: each case has a time of its own"), "updateInChunks": flag("no difference here"),
           "updateChunkSize": number("no difference here"),
       }))  # fmt: skip
def set_times(call: Call) -> Any:
    sent = call.body
    modes = [name for name in _MODES if sent.get(name)]
    if len(modes) != 1:
        raise bad_request(f"exactly one of {', '.join(_MODES)} is expected")
    if sent.get("historicProcessInstanceQuery"):
        raise not_covered("cases are named by their ids (historicProcessInstanceIds): a time is set for what somebody has looked at")
    if sent.get("hierarchical"):
        raise bad_request("hierarchical: not covered; name the cases below by their ids")
    ids = [row_number(each, "historic process instance") for each in sent.get("historicProcessInstanceIds") or []]
    if not ids:
        raise bad_request("historicProcessInstanceIds is required")
    at = sent.get("absoluteRemovalTime")
    changed = set_removal_time(store(), ids, actor=me(), at=dates.read(at) if at else None, calculated=modes[0] == "calculatedRemovalTime", origin=origin())
    now = dates.write(store().clock.now())
    return {
        "id": f"removal-time-{origin().request_id}", "type": "process-set-removal-time", "totalJobs": changed, "jobsCreated": changed, "batchJobsPerSeed": 1,
        "invocationsPerBatchJob": 1, "seedJobDefinitionId": None, "monitorJobDefinitionId": None, "batchJobDefinitionId": None, "suspended": False,
        "tenantId": None, "createUserId": me().login, "startTime": now, "executionStartTime": now,
    }  # fmt: skip


@route("PUT", "/process-definition/<id>/history-time-to-live", "How long the cases of a version are kept", tag="process-definition", scope="deploy", stands="501")
def time_to_live(_: Call) -> Any:
    raise not_covered("the diagram says it (retention 保管期限), and a version is never changed: deploy another")
