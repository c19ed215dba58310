"""`process-definition`: versions of processes. By key means the version in force now, which a case started now would follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response

from engine.people.units import unit_id_of
from engine.process.definitions import Deployed, deployed
from engine.process.forms import FormDefinition
from engine.process.instances import start_form
from engine.process.outside import once as programs
from engine.process.outside import versions
from engine.process.outside.cases import data_of
from engine.process.outside.listing import Cut, definition_number
from engine.process.retention import time_to_live
from engine.process.workshop.deleting import delete_version
from engine.store.errors import NotFound
from web.api import dates, shapes, values
from web.api.cases import INSTANCE, UNSAID, case_json, one
from web.api.lists import Asking, answer
from web.api.once import once, replayed
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import Answer, Call, View, route
from web.api.shapes import COUNT, flag, many, maybe, moment, number, record, text
from web.api.task_acts import first_values, shown
from web.api.tasks import ID, IDS, NAME, PATTERN, definition_id
from web.context import me, origin, settings, store

ASKING = Asking({
    "processDefinitionId": text("key:version:id", most=200), "processDefinitionIdIn": IDS, "name": NAME, "nameLike": PATTERN, "deploymentId": ID,
    "key": NAME, "keysIn": many(NAME), "keyLike": PATTERN, "version": number(), "latestVersion": flag(), "active": flag(), "suspended": flag(),
    "deployedAfter": moment(), "deployedAt": moment(), "category": NAME, "categoryLike": PATTERN, "resourceName": NAME, "resourceNameLike": PATTERN,
    "versionTag": NAME, "versionTagLike": PATTERN, "withoutVersionTag": flag(), "startableInTasklist": flag(), "notStartableInTasklist": flag(),
}, tuple(versions.SORTS))  # fmt: skip

DEFINITION = record({
    "id": text(), "key": text(), "category": maybe(text("the rule set")), "description": maybe(text()), "name": text(), "version": number(),
    "resource": text(), "deploymentId": text(), "diagram": maybe(text()), "suspended": flag(), "tenantId": maybe(text()),
    "versionTag": maybe(text()), "historyTimeToLive": {"type": ["integer", "null"]}, "startableInTasklist": flag(),
    "office": record({"effectiveAt": text(), "deployedBy": text(), "approvedBy": text(), "reason": text()}),
}, "a version of a process")  # fmt: skip
SUSPENSION = shapes.body({"suspended": flag(), "includeProcessInstances": flag(), "executionDate": moment()}, required=("suspended",))
_T = "process-definition"


def definition_json(row: Any) -> dict[str, Any]:
    """A version in the shape of the original."""
    return {
        "id": definition_id(row.key, row.version, row.id), "key": row.key, "category": row.rule_set, "description": None, "name": row.name,
        "version": row.version, "resource": f"{row.key}{versions.SUFFIX}", "deploymentId": str(row.id), "diagram": None, "suspended": row.suspended,
        "tenantId": None, "versionTag": None, "historyTimeToLive": time_to_live({"retention": row.retention or ""}), "startableInTasklist": True,
        "office": {
            "effectiveAt": dates.write(row.effective_at), "deployedBy": row.deployed_by, "approvedBy": row.approved_by, "reason": row.reason,
        },
    }  # fmt: skip


@route("GET", "/process-definition", "Versions", tag=_T, scope="read", query=ASKING.query, answer={"type": "array", "items": DEFINITION})
def search(call: Call) -> Any:
    with store().read() as session:
        return answer(versions.definitions(session, ASKING.asked(call), ASKING.cut(call)), definition_json)


@route("GET", "/process-definition/count", "How many versions", tag=_T, scope="read", query=ASKING.counting, answer=COUNT)
def count(call: Call) -> Any:
    with store().read() as session:
        return {"count": versions.count_definitions(session, ASKING.asked(call))}


def version_number(call: Call) -> int:
    """The version that the path names, by id or by key. Raises 404."""
    if "key" in call.path:
        with store().read() as session:
            try:
                return versions.id_in_force(session, call.path["key"])
            except NotFound:
                raise missing("process definition with key", call.path["key"]) from None
    found = definition_number(call.path["id"])
    with store().read() as session:
        try:
            row = versions.one_definition(session, found)
        except NotFound:
            raise missing("process definition", call.path["id"]) from None
    if call.path["id"] not in (str(row.id), definition_id(row.key, row.version, row.id)):
        raise missing("process definition", call.path["id"])
    return found


def _both(
    method: str, end: str, summary: str, *, scope: str, answer: Any = None, body: Any = None, query: Mapping[str, Any] | None = None,
    stands: str = "same", note: str = "", media: str = "application/json", refuses: tuple[int, ...] = (),
) -> Callable[[View], View]:  # fmt: skip
    """Declares a view twice: by id and by key."""

    def declare(view: View) -> View:
        for path, which in (("<id>", "of a version"), ("key/<key>", "of the version in force")):
            route(
                method, f"/process-definition/{path}{end}", f"{summary} ({which})", tag=_T, scope=scope, answer=answer, body=body, query=query,
                stands="better" if "key" in path and stands == "same" else stands, media=media, refuses=refuses,
                note=note or ("the version in force now, not merely the newest" if "key" in path else ""),
            )(view)  # fmt: skip
        return view

    return declare


@_both("GET", "", "One version", scope="read", answer=DEFINITION)
def one_version(call: Call) -> Any:
    number_ = version_number(call)
    with store().read() as session:
        return definition_json(versions.one_definition(session, number_))


def _deployed(call: Call) -> Deployed:
    number_ = version_number(call)
    with store().read() as session:
        return deployed(session, number_)


@_both("GET", "/xml", "The BPMN file", scope="read", answer=record({"id": text(), "bpmn20Xml": {"type": "string"}}))
def xml(call: Call) -> Any:
    found = _deployed(call)
    return {"id": definition_id(found.key, found.version, found.id), "bpmn20Xml": found.diagram.xml.decode()}


@_both("GET", "/diagram", "The drawing", scope="read", media="application/xml", answer={"type": "string"}, stands="partly",
       note="the BPMN file itself, which holds its drawing; no picture is made")
def diagram(call: Call) -> Any:
    return Response(_deployed(call).diagram.xml, mimetype="application/xml")


# -- starting ---------------------------------------------------------------------------------

START = shapes.body({
    "variables": values.GIVEN_VARIABLES, "businessKey": maybe(text("how the caller knows the case; the engine numbers it all the same", most=200)),
    "withVariablesInReturn": flag(), "unitId": text("the code of the unit that asks, where the caller holds posts in several", most=32),
    "attachments": many(text(most=19), "ids of uploaded files", most=20),
    "startInstructions": many({"type": "object"}, "not covered: must be empty", most=0), "caseInstanceId": text("there are no CMMN cases", most=0),
    "skipCustomListeners": flag("there are none"), "skipIoMappings": flag("not covered: must be false"),
})  # fmt: skip
_STARTED = {**INSTANCE, "properties": {**INSTANCE["properties"], "variables": values.VARIABLES}}


@_both("POST", "/submit-form", "Starts a case with the answers of the start form", scope="start", body=START, answer=_STARTED, stands="better",
       refuses=(409, 500), note="as start")
@_both("POST", "/start", "Starts a case", scope="start", body=START, answer=_STARTED, stands="better", refuses=(409, 500),
       note="variables are the answers of the start form, and what the case is about (resource_code, grant, source); Idempotency-Key")
def _start(call: Call) -> Any:
    if call.body.get("skipIoMappings"):
        raise bad_request("skipIoMappings: not covered")
    found = _deployed(call)
    unit = _unit(call.body.get("unitId"))
    files = values.files(call.body.get("attachments"))
    done = programs.start(
        store(), found.key, actor=me(), given=values.plain(call.body.get("variables")), definition_id=found.id if "id" in call.path else None,
        unit_id=unit, attachments=files, business_key=call.body.get("businessKey") or None, once=once(call.raw), origin=origin(),
    )  # fmt: skip
    told = case_json(one(int(done.answer["id"])))
    if call.body.get("withVariablesInReturn"):
        with store().read() as session:
            told["variables"] = values.all_typed(data_of(session, int(done.answer["id"])).variables)
    return Answer(told, headers=replayed(done))


def _unit(code: str | None) -> int | None:
    if code is None:
        return None
    with store().read() as session:
        return unit_id_of(session, code)


# -- the start form ---------------------------------------------------------------------------


def _start_form(call: Call) -> FormDefinition:
    form = start_form(_deployed(call))
    if form is None:
        raise missing("start form for process definition", call.path.get("id") or call.path.get("key"))
    return form


@_both("GET", "/startForm", "The key of the start form", scope="read",
       answer=record({"key": maybe(text()), "camundaFormRef": {"type": ["object", "null"]}, "contextPath": maybe(text())}))
def start_form_key(call: Call) -> Any:
    found = _deployed(call)
    there = start_form(found) is not None
    return {"key": f"api:/engine-rest/process-definition/{definition_id(found.key, found.version, found.id)}/deployed-start-form" if there else None,
            "camundaFormRef": None, "contextPath": None}


@_both("GET", "/deployed-start-form", "The start form: our JSON definition", scope="read", answer={"type": "object"}, stands="better",
       note="the definition is ours: {title, fields: [{key, type, label, required, options}]}")
def deployed_start_form(call: Call) -> Any:
    return shown(_start_form(call), {"applicant_unit": me().unit_code})


@_both("GET", "/form-variables", "The first values of the start form", scope="read", answer=values.VARIABLES,
       query={"variableNames": many(text(most=200)), "deserializeValues": flag()})
def form_variables(call: Call) -> Any:
    wanted, form = call.query.get("variableNames"), start_form(_deployed(call))
    found = first_values(form, {"applicant_unit": me().unit_code}) if form else {}
    return values.all_typed({name: value for name, value in found.items() if wanted is None or name in wanted})


@_both("GET", "/rendered-form", "HTML of the start form", scope="read", stands="501")
def rendered_form(_: Call) -> Any:
    raise not_covered("forms are shown by the pages; here their definition is given: deployed-start-form")


# -- suspending -------------------------------------------------------------------------------


def _suspend(ids: list[int], sent: Mapping[str, Any]) -> None:
    if sent.get("includeProcessInstances") or sent.get("executionDate"):
        raise bad_request("includeProcessInstances and executionDate are not covered: cases are suspended one by one, with a reason")
    versions.set_suspended(store(), ids, sent["suspended"], actor=me(), origin=origin())


def _all_of(key: str) -> list[int]:
    """Every version of a process. Raises 404."""
    with store().read() as session:
        rows = versions.definitions(session, {"key": key}, Cut()).rows
    if not rows:
        raise missing("process definition with key", key)
    return [row.id for row in rows]


@_both("PUT", "/suspended", "Stops new cases, or lets them be started again", scope="deploy", body=SUSPENSION)
def suspend(call: Call) -> None:
    _suspend(_all_of(call.path["key"]) if "key" in call.path else [version_number(call)], call.body)


@route("PUT", "/process-definition/suspended", "Stops new cases of a process, or lets them be started again", tag=_T, scope="deploy", refuses=(404,),
       body=shapes.body({**SUSPENSION["properties"], "processDefinitionId": text(most=200), "processDefinitionKey": NAME,
                         "processDefinitionWithoutTenantId": flag("there are no tenants")}, required=("suspended",)))
def suspend_named(call: Call) -> None:
    key, whole = call.body.get("processDefinitionKey"), call.body.get("processDefinitionId")
    if (key is None) == (whole is None):
        raise bad_request("give either processDefinitionId or processDefinitionKey")
    _suspend(_all_of(key) if key is not None else [version_number(Call({"id": whole}, {}))], call.body)


def delete_by_program(definition_id_: int) -> None:
    """Deletes a version that no case followed; more goes at once where the installation deploys at once."""
    delete_version(
        store(), definition_id_, actor=me(), reason=UNSAID, direct=settings().api_deploy == "direct", origin=origin(),
    )  # fmt: skip


@route("DELETE", "/process-definition/<id>", "Deletes a version that no case followed", tag=_T, scope="deploy", stands="partly", refuses=(409,),
       query={"cascade": flag("cases are never deleted with it"), "skipCustomListeners": flag(), "skipIoMappings": flag()}, note="as DELETE /deployment/{id}")
def delete(call: Call) -> None:
    delete_by_program(version_number(call))
