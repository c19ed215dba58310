"""`migration` and `batch`: running cases to another version. A program plans and checks; a second person starts; the worker moves.

Migrations always take all cases that run on a version: who is left behind on a rule that was mended is a question for the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.process.outside.listing import definition_number
from engine.process.workshop.migrating import commands, sheets
from engine.process.workshop.migrating.running import move_now
from engine.process.workshop.migrating.plan import Plan, plan_of, propose_plan
from engine.store.errors import NotFound
from web.api import dates
from web.api.lists import Asking
from web.api.refusals import ApiError, bad_request, missing, not_covered
from web.api.routing import Call, route
from web.api.shapes import ANYTHING, COUNT, Shape, body, flag, many, maybe, moment, number, record, table, text
from web.api.tasks import ID, definition_id
from web.context import me, origin, settings, store

_M, _B = "migration", "batch"
_INSTRUCTION = body({
    "sourceActivityIds": many(text(most=128), most=1), "targetActivityIds": many(text(most=128), most=1), "updateEventTrigger": flag("ignored: clocks follow the new rule"),
}, required=("sourceActivityIds", "targetActivityIds"))  # fmt: skip
_PLAN = body({
    "sourceProcessDefinitionId": text(least=1, most=200), "targetProcessDefinitionId": text(least=1, most=200),
    "instructions": many(_INSTRUCTION, "steps that are not named go as the diagrams suggest"), "variables": table(ANYTHING, "must be empty"),
}, required=("sourceProcessDefinitionId", "targetProcessDefinitionId"))  # fmt: skip
_EXECUTION = body({
    "migrationPlan": _PLAN, "processInstanceIds": many(ID, "must be left out: all cases of the version are migrated"),
    "processInstanceQuery": body({"processDefinitionId": text(most=200)}), "skipCustomListeners": flag("there are none"), "skipIoMappings": flag("there are none"),
    "reason": text("ours: why, for the record", most=1000),
}, required=("migrationPlan",))  # fmt: skip
_TOLD_INSTRUCTION = record({"sourceActivityIds": many(text()), "targetActivityIds": many(text()), "updateEventTrigger": flag()})
PLAN = record({"sourceProcessDefinitionId": text(), "targetProcessDefinitionId": text(), "instructions": many(_TOLD_INSTRUCTION)})
REPORT = record({
    "instructionReports": many(record({"instruction": maybe(_TOLD_INSTRUCTION), "failures": many(text())})), "variableReports": {"type": "object"},
})  # fmt: skip
_BATCH: dict[str, Shape] = {
    "id": text(), "type": text(), "totalJobs": number(), "jobsCreated": number(), "batchJobsPerSeed": number(), "invocationsPerBatchJob": number(),
    "seedJobDefinitionId": maybe(text()), "monitorJobDefinitionId": maybe(text()), "batchJobDefinitionId": maybe(text()), "suspended": flag("it rests, or nobody has started it yet"),
    "tenantId": maybe(text()), "createUserId": text(), "startTime": moment(), "executionStartTime": maybe(moment()),
}  # fmt: skip
BATCH = record(_BATCH)
STATISTICS = record({**_BATCH, "remainingJobs": number(), "completedJobs": number(), "failedJobs": number("cases that stayed as they were")})
#: States of a migration of which no case is moved now, though it has not ended.
_RESTS = ("planned", "resting")
#: The only type of batch.
TYPE = "instance-migration"
#: The reason on record where a program gives none.
UNSAID = "经接口拟定的迁移"


def _ends(plan: Mapping[str, Any]) -> tuple[int, int]:
    return definition_number(plan["sourceProcessDefinitionId"]), definition_number(plan["targetProcessDefinitionId"])


def _chosen(plan: Mapping[str, Any]) -> dict[str, str]:
    if plan.get("variables"):
        raise bad_request("variables: cases keep their data; none can be set by a migration")
    chosen: dict[str, str] = {}
    for each in plan.get("instructions") or []:
        if len(each["sourceActivityIds"]) != 1 or len(each["targetActivityIds"]) != 1:
            raise bad_request("instructions: one source and one target each")
        chosen[each["sourceActivityIds"][0]] = each["targetActivityIds"][0]
    return chosen


def _told(element: str, image: str) -> dict[str, Any]:
    return {"sourceActivityIds": [element], "targetActivityIds": [image], "updateEventTrigger": False}


def _version(definition: Any) -> str:
    return definition_id(definition.key, definition.version, definition.id)


@route("POST", "/migration/generate", "The plan that two versions suggest", tag=_M, scope="deploy", stands="better", answer=PLAN, refuses=(404,),
       note="pairs by id, else by kind and name where that is unmistakable",
       body=body({"sourceProcessDefinitionId": text(least=1, most=200), "targetProcessDefinitionId": text(least=1, most=200),
                  "updateEventTriggers": flag("ignored"), "variables": table(ANYTHING, "must be empty")},
                 required=("sourceProcessDefinitionId", "targetProcessDefinitionId")))
def generate(call: Call) -> Any:
    _chosen(call.body)
    with store().read() as session:
        plan = propose_plan(session, me(), *_ends(call.body))
    lines = [_told(line.element, line.image) for line in plan.lines if line.image]
    return {"sourceProcessDefinitionId": _version(plan.before), "targetProcessDefinitionId": _version(plan.after), "instructions": lines}


@route("POST", "/migration/validate", "What is wrong with a plan", tag=_M, scope="deploy", body=_PLAN, answer=REPORT, refuses=(404,))
def validate(call: Call) -> Any:
    with store().read() as session:
        plan = plan_of(session, me(), *_ends(call.body), _chosen(call.body))
    return {"instructionReports": _reports(plan), "variableReports": {}}


def _reports(plan: Plan) -> list[dict[str, Any]]:
    images = {line.element: line.image for line in plan.lines}
    failures: dict[str, list[str]] = {}
    for finding in plan.errors:
        failures.setdefault(finding.element or "", []).append(finding.message)
    return [
        {"instruction": _told(element, str(images[element])) if images.get(element) else None, "failures": messages}
        for element, messages in failures.items()
    ]


def _planned(call: Call) -> int:
    """Plans the migration that a request describes; started as well where the installation needs no second person."""
    sent = call.body
    plan = sent["migrationPlan"]
    if sent.get("processInstanceIds"):
        raise bad_request("processInstanceIds: all cases that run on the version are migrated; leave them out")
    of = (sent.get("processInstanceQuery") or {}).get("processDefinitionId")
    if of is not None and definition_number(of) != _ends(plan)[0]:
        raise bad_request("processInstanceQuery: only the cases of the plan's source version can be migrated")
    before, after = _ends(plan)
    found = commands.plan_migration(store(), actor=me(), from_id=before, to_id=after, chosen=_chosen(plan),
                                    reason=sent.get("reason") or UNSAID, origin=origin())
    if _alone():
        commands.start_migration(store(), found, actor=me(), alone=True, origin=origin())
    return found


def _alone() -> bool:
    return settings().api_deploy == "direct"


@route("POST", "/migration/executeAsync", "Plan a migration, for a second person to start", tag=_M, scope="deploy", body=_EXECUTION, answer=BATCH,
       stands="partly", refuses=(404, 409), note="nothing moves before somebody else has started it on its page (with SHARING_BPM_API_DEPLOY=direct: at once);"
       " then the worker moves the cases one by one")
def execute_async(call: Call) -> Any:
    return _batch(_sheet(_planned(call)))


@route("POST", "/migration/execute", "Migrate at once", tag=_M, scope="deploy", body=_EXECUTION, stands="partly", refuses=(404, 409, 500, 501),
       note="with SHARING_BPM_API_DEPLOY=direct alone, else a 501: a second person starts a migration. Each case by itself: those that cannot move stay, and the 500 says why")
def execute(call: Call) -> None:
    if not _alone():
        raise not_covered("a migration is started by a second person: POST /migration/executeAsync plans it, and /batch tells how far it is")
    came = move_now(store(), _planned(call))
    if came.stayed:
        raise ApiError(500, "ProcessEngineException", f"{len(came.stayed)} of {came.total} cases stayed as they were: {came.stayed[0]}")


# -- batches --------------------------------------------------------------------------------------------------


def _sheet(migration_id: int) -> sheets.MigrationSheet:
    with store().read() as session:
        try:
            return sheets.migration_sheet(session, me(), migration_id)
        except NotFound:
            raise missing("batch", migration_id) from None


def _batch(sheet: sheets.MigrationSheet) -> dict[str, Any]:
    return _line(sheet.line)


def _line(line: sheets.MigrationLine) -> dict[str, Any]:
    return {
        "id": str(line.id), "type": TYPE, "totalJobs": line.total, "jobsCreated": line.total, "batchJobsPerSeed": 1,
        "invocationsPerBatchJob": 1, "seedJobDefinitionId": None, "monitorJobDefinitionId": None, "batchJobDefinitionId": None,
        "suspended": line.state in _RESTS, "tenantId": None, "createUserId": line.created_by, "startTime": dates.write(line.created_at),
        "executionStartTime": dates.write(line.started_at),
    }  # fmt: skip


#: Filter → whether a migration passes it.
_TESTS: Mapping[str, Callable[[sheets.MigrationLine, Any], bool]] = {
    "batchId": lambda line, value: str(line.id) == value, "type": lambda line, value: value == TYPE,
    "suspended": lambda line, value: (line.state in _RESTS) == value, "createdBy": lambda line, value: line.created_by == value,
    "startedBefore": lambda line, value: line.created_at < value, "startedAfter": lambda line, value: line.created_at > value,
    "withFailures": lambda line, value: line.stayed > 0 or not value, "withoutFailures": lambda line, value: line.stayed == 0 or not value,
    "completed": lambda line, value: (line.ended_at is not None) == value,
}  # fmt: skip
_SORTS: Mapping[str, Callable[[sheets.MigrationLine], Any]] = {
    "batchId": lambda line: line.id, "startTime": lambda line: line.created_at, "endTime": lambda line: (line.ended_at is None, line.ended_at),
}  # fmt: skip
#: Migrations that are looked through, the newest.
_MOST = 200
_BATCHES = Asking({
    "batchId": ID, "type": text(most=64), "suspended": flag(), "createdBy": text(most=64), "startedBefore": moment(), "startedAfter": moment(),
    "withFailures": flag(), "withoutFailures": flag(),
}, ("batchId", "startTime"))  # fmt: skip
_ASKED = {name: shape for name, shape in _BATCHES.query.items() if name != "after"}


def _lines_of(call: Call, asking: Asking, passes: Callable[[sheets.MigrationLine], bool]) -> list[sheets.MigrationLine]:
    """Those that pass the filters, in the order and part that was asked for."""
    with store().read() as session:
        lines = [line for line in sheets.migrations(session, me(), limit=_MOST).lines if passes(line)]
    found = [line for line in lines if all(_TESTS[name](line, value) for name, value in asking.asked(call).items())]
    cut = asking.cut(call)
    for name, down in reversed(cut.order):
        found.sort(key=_SORTS[name], reverse=down)
    return found[cut.first : None if cut.most is None else cut.first + cut.most]


def _open_lines(call: Call) -> list[sheets.MigrationLine]:
    return _lines_of(call, _BATCHES, lambda line: line.state in commands.UNDER_WAY)


@route("GET", "/batch", "Migrations that have not ended", tag=_B, scope="read", answer=many(BATCH), stands="partly", query=_ASKED,
       note="migrations are the only batches; at most the newest 200")
def batches(call: Call) -> Any:
    return [_line(line) for line in _open_lines(call)]


@route("GET", "/batch/statistics/count", "How many have not ended", tag=_B, scope="read", query=_BATCHES.counting, answer=COUNT)
@route("GET", "/batch/count", "How many have not ended", tag=_B, scope="read", query=_BATCHES.counting, answer=COUNT)
def count(call: Call) -> Any:
    return {"count": len(_open_lines(call))}


@route("GET", "/batch/statistics", "How far they are", tag=_B, scope="read", query=_ASKED, answer=many(STATISTICS))
def statistics(call: Call) -> Any:
    return [
        {**_line(line), "remainingJobs": line.total - line.moved - line.stayed, "completedJobs": line.moved, "failedJobs": line.stayed}
        for line in _open_lines(call)
    ]


@route("GET", "/batch/<id>", "One migration", tag=_B, scope="read", answer=BATCH)
def one(call: Call) -> Any:
    return _batch(_sheet(call.row("batch")))


@route("PUT", "/batch/<id>/suspended", "Let it rest, or go on", tag=_B, scope="deploy", body=body({"suspended": flag()}, required=("suspended",)),
       refuses=(409,), note="for its author and who starts migrations; one that nobody has started is started by a second person on its page")
def suspend(call: Call) -> None:
    line = _sheet(call.row("batch")).line
    if line.state not in commands.UNDER_WAY:
        raise missing("batch", line.id)
    if call.body["suspended"] and line.state == "planned":
        return  # it moves nothing as it is
    commands.rest_migration(store(), line.id, resting=call.body["suspended"], actor=me(), origin=origin())


@route("DELETE", "/batch/<id>", "Withdraw it, or stop it: what has moved stays moved", tag=_B, scope="deploy", stands="better",
       query={"cascade": flag("ignored: the record is kept")})
def delete(call: Call) -> None:
    sheet = _sheet(call.row("batch"))
    act = commands.withdraw_migration if sheet.line.state == "planned" else commands.stop_migration
    act(store(), sheet.line.id, actor=me(), origin=origin())


# -- the record -----------------------------------------------------------------------------------------------

_PAST = Asking({"batchId": ID, "type": text(most=64), "completed": flag()}, tuple(_SORTS))
_PAST_ASKED = {name: shape for name, shape in _PAST.query.items() if name != "after"}
PAST_BATCH = record({
    **{name: shape for name, shape in _BATCH.items() if name not in ("jobsCreated", "suspended")}, "endTime": maybe(moment()), "removalTime": maybe(text()),
    "office": record({"state": text(), "moved": number(), "stayed": number("cases that stayed as they were")}),
})  # fmt: skip


def _past(line: sheets.MigrationLine) -> dict[str, Any]:
    told = {name: value for name, value in _line(line).items() if name not in ("jobsCreated", "suspended")}
    return {**told, "endTime": dates.write(line.ended_at), "removalTime": None, "office": {"state": line.state, "moved": line.moved, "stayed": line.stayed}}


@route("GET", "/history/batch", "Migrations, ended or not", tag="history", scope="read", answer=many(PAST_BATCH), stands="partly", query=_PAST_ASKED,
       note=f"migrations are the only batches; at most the newest {_MOST}")
def past_batches(call: Call) -> Any:
    return [_past(line) for line in _lines_of(call, _PAST, lambda line: True)]


@route("GET", "/history/batch/count", "How many there are", tag="history", scope="read", query=_PAST.counting, answer=COUNT, stands="partly",
       note=f"at most the newest {_MOST}")
def count_past_batches(call: Call) -> Any:
    return {"count": len(_lines_of(call, _PAST, lambda line: True))}


@route("GET", "/history/batch/cleanable-batch-report", "Which may be removed", tag="history", scope="read", stands="501")
def cleanable(_: Call) -> Any:
    raise not_covered("the record of a migration is kept as long as that of its process")


@route("GET", "/history/batch/<id>", "One migration, ended or not", tag="history", scope="read", answer=PAST_BATCH)
def past_batch(call: Call) -> Any:
    return _past(_sheet(call.row("batch")).line)
