"""`metrics`: sums over time, of what can be counted exactly. What goes on now is at `/metrics`, in the format of Prometheus."""

from __future__ import annotations

from typing import Any

from engine.process.outside import sums
from web.api import dates
from web.api.refusals import missing, not_covered
from web.api.routing import Call, route
from web.api.shapes import moment, number, record
from web.context import me, store

_STEPS = "steps are not counted one by one: the record of each case says which it passed, /history/activity-instance"
_JOBS = "the tries of timers are not kept; those that failed are at /incident, what goes on now at /metrics outside this API, in the format of Prometheus"
_DECISIONS = "decisions (DMN) are no part of this engine"
#: What the original counts and we do not → why.
UNKEPT = {
    **dict.fromkeys(("activity-instance-start", "activity-instance-end", "flow-node-instances"), _STEPS),
    **dict.fromkeys((
        "job-acquisition-attempt", "job-acquired-success", "job-acquired-failure", "job-execution-rejected", "job-successful", "job-failed",
        "job-locked-exclusive",
    ), _JOBS),
    **dict.fromkeys(("executed-decision-instances", "executed-decision-elements", "decision-instances"), _DECISIONS),
    **dict.fromkeys(("history-cleanup-removed-case-instances", "history-cleanup-removed-decision-instances", "history-cleanup-removed-batch-operations",
                     "history-cleanup-removed-task-metrics"), "of the record only cases are removed: history-cleanup-removed-process-instances"),
}  # fmt: skip


@route("GET", "/metrics/<name>/sum", "A sum over time", tag="metrics", scope="read", query={
    "startDate": moment("from then on"), "endDate": moment("before then"),
}, answer=record({"result": number()}), stands="partly", refuses=(501,),
       note="for those who operate the system or see every case; process-instances (root-process-instance-start): cases started, without those that"
            " another case waits for; task-users (unique-task-workers): people who completed a task; history-cleanup-removed-process-instances; the others are a 501")  # fmt: skip
def total(call: Call) -> Any:
    name = call.path["name"]
    if name in UNKEPT:
        raise not_covered(UNKEPT[name])
    if name not in sums.SUMS:
        raise missing("metric", name)
    since, until = (dates.read(call.query[limit]) if limit in call.query else None for limit in ("startDate", "endDate"))
    with store().read() as session:
        return {"result": sums.total(session, me(), name, since, until)}
