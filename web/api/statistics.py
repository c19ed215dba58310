"""How many cases stand where: by version, by step, and over the record. Only what the caller may see is counted."""

from __future__ import annotations

from typing import Any

from engine.process.outside import statistics, upkeep
from engine.process.outside.statistics import Standing
from web.api import dates
from web.api.definitions import DEFINITION, definition_json, version_number
from web.api.refusals import bad_request, not_covered
from web.api.routing import Call, route
from web.api.shapes import flag, many, moment, number, record, text
from web.api.tasks import definition_id
from web.context import me, store

_T = "process-definition"
ASKED = {
    "failedJobs": flag("with the timers that have no try left"), "incidents": flag("with what failed and waits; for operators"),
    "rootIncidents": flag("the same: each is a cause of its own"), "incidentsForType": text("incidents of one kind", only=upkeep.INCIDENT_TYPES),
}  # fmt: skip
INCIDENTS = {"type": "array", "items": record({"incidentType": text(), "incidentCount": number()})}
OF_VERSION = record({"id": text(), "instances": number(), "failedJobs": number(), "incidents": INCIDENTS, "definition": DEFINITION})
OF_STEP = record({"id": text("the element"), "instances": number(), "failedJobs": number(), "incidents": INCIDENTS})
_WAITING = "tasks, external tasks, and moments, messages and signals that are waited for; steps that wait for another case are not counted"


def _wanted(call: Call) -> dict[str, bool]:
    asked = call.query
    kinds = [name for name in ("incidents", "rootIncidents", "incidentsForType") if asked.get(name)]
    if len(kinds) > 1:
        raise bad_request("Only one of the query parameter incidents, rootIncidents or incidentsForType can be set.")
    return {"failed": asked.get("failedJobs", False), "incidents": bool(kinds)}


def _told(call: Call, ident: str, standing: Standing) -> dict[str, Any]:
    kind = call.query.get("incidentsForType")
    incidents = [
        {"incidentType": name, "incidentCount": found} for name, found in sorted(standing.incidents.items()) if kind in (None, name)
    ]
    return {"id": ident, "instances": standing.instances, "failedJobs": standing.failed, "incidents": incidents}


@route("GET", "/process-definition/statistics", "Running cases by version", tag=_T, scope="read", query=ASKED, answer={"type": "array", "items": OF_VERSION})
def by_version(call: Call) -> Any:
    wanted = _wanted(call)
    with store().read() as session:
        return [
            {**_told(call, definition_id(row.key, row.version, row.id), standing), "definition": definition_json(row)}
            for row, standing in statistics.by_version(session, me(), **wanted)
        ]


@route("GET", "/process-definition/key/<key>/statistics", "Where the cases of the version in force stand", tag=_T, scope="read", query=ASKED,
       answer={"type": "array", "items": OF_STEP}, stands="partly", note=_WAITING)
@route("GET", "/process-definition/<id>/statistics", "Where the cases of a version stand", tag=_T, scope="read", query=ASKED,
       answer={"type": "array", "items": OF_STEP}, stands="partly", note=_WAITING)
def by_step(call: Call) -> Any:
    wanted, version = _wanted(call), version_number(call)
    with store().read() as session:
        found = statistics.by_step(session, me(), version, **wanted)
    return [_told(call, step, standing) for step, standing in sorted(found.items())]


_SPANS = ("startedAfter", "startedBefore", "finishedAfter", "finishedBefore")
PASSED = record({"id": text("the element"), "instances": number(), "canceled": number(), "finished": number(), "completeScope": number(),
                 "openIncidents": number(), "resolvedIncidents": number(), "deletedIncidents": number()})  # fmt: skip


@route("GET", "/history/process-definition/<id>/statistics", "How often the steps of a version were come to", tag="history", scope="read",
       answer={"type": "array", "items": PASSED}, stands="partly", refuses=(501,),
       note="tasks and external tasks; completeScope and incidents are a 501",
       query={"canceled": flag(), "finished": flag(), "completeScope": flag("501"), "incidents": flag("501"), "sortBy": text(only=("activityId",)),
              "sortOrder": text(only=("asc", "desc")), **{name: moment("of the case") for name in _SPANS}})
def passed(call: Call) -> Any:
    asked, version = call.query, version_number(call)
    if asked.get("completeScope") or asked.get("incidents"):
        raise not_covered("how often a path or a scope ended, and incidents that are over, are in the record of each case and not counted")
    if ("sortBy" in asked) != ("sortOrder" in asked):
        raise bad_request("Only a single sorting parameter specified. sortBy and sortOrder required")
    spans = {name: dates.read(asked[name]) for name in _SPANS if name in asked}
    with store().read() as session:
        found = statistics.passed_by_step(session, me(), version, spans)
    return [
        {"id": step, "instances": line.instances, "canceled": line.canceled if asked.get("canceled") else 0,
         "finished": line.finished if asked.get("finished") else 0, "completeScope": 0, "openIncidents": 0, "resolvedIncidents": 0, "deletedIncidents": 0}
        for step, line in sorted(found.items(), reverse=asked.get("sortOrder") == "desc")
        if line.instances or (line.canceled and asked.get("canceled")) or (line.finished and asked.get("finished"))
    ]  # fmt: skip


REPORT = record({"period": number("1 to 12, or to 4"), "periodUnit": text(only=("MONTH", "QUARTER")), "minimum": number("milliseconds"),
                 "maximum": number("milliseconds"), "average": number("milliseconds")})  # fmt: skip


@route("GET", "/history/process-instance/report", "How long cases took, by the month or quarter in which they were started", tag="history", scope="read",
       answer={"type": "array", "items": REPORT}, note="of cases that have ended; the same month of all years together, unless startedAfter and startedBefore say which",
       query={"reportType": text(only=("duration",)), "periodUnit": text(only=("month", "quarter")), "processDefinitionIdIn": many(text(most=200), most=100),
              "processDefinitionKeyIn": many(text(most=64), most=100), "startedBefore": moment(), "startedAfter": moment()})
def report(call: Call) -> Any:
    asked = {**call.query}
    kind, unit = asked.pop("reportType", None), asked.pop("periodUnit", None)
    if kind is None or unit is None:
        raise bad_request("reportType (duration) and periodUnit (month, quarter) are required")
    for name in ("startedBefore", "startedAfter"):
        if name in asked:
            asked[name] = dates.read(asked[name])
    with store().read() as session:
        found = statistics.durations(session, me(), asked, quarters=unit == "quarter")
    return [{"period": each.period, "periodUnit": unit.upper(), "minimum": each.least, "maximum": each.most, "average": each.average} for each in found]
