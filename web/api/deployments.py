"""`deployment`: what was deployed, and deploying: by default a deployment waits as a proposal for the second person."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from flask import Response, request

from engine.process.definitions import NotDeployable, deployed
from engine.process.interpreter.model import DiagramError, Problem
from engine.process.outside import versions
from engine.process.outside.versions import Brought, Files
from engine.process.workshop.contents import DOCUMENT_BYTES, FORMS_BYTES, checked_documents, checked_forms
from engine.process.workshop.proposals import withdraw
from engine.store.errors import NotFound
from web.api import dates
from web.api.definitions import DEFINITION, definition_json, delete_by_program
from web.api.lists import PAGING, Asking, answer
from web.api.refusals import ApiError, bad_request, missing
from web.api.routing import Call, route, row_number
from web.api.shapes import COUNT, LINKS, body, flag, maybe, moment, record, sound_text, text
from web.api.tasks import ID, NAME, PATTERN, definition_id
from web.context import me, origin, settings, store

_T = "deployment"
#: The id of a deployment that still waits for the second person begins so.
WAITING = "proposal-"
FILES_MAX = 60
XML_BYTES = 5 * 1024 * 1024
#: So begins the message about a faulty diagram: modelers know it by these very words.
NOT_PARSED = "ENGINE-09005 Could not parse BPMN process. Errors:"
PROBLEMS_TOLD = 20

ASKING = Asking({
    "id": ID, "name": NAME, "nameLike": PATTERN, "source": NAME, "withoutSource": flag(), "after": moment("deployed after"),
    "before": moment("deployed before"),
}, tuple(versions.DEPLOYMENT_SORTS))  # fmt: skip
# `after` is a date here, as in the original: this short list has no keyset pages.
_QUERY = {**ASKING.filters, **ASKING.sorting, "firstResult": PAGING["firstResult"], "maxResults": PAGING["maxResults"]}

_FIELDS = {
    "id": text(), "name": text(), "source": maybe(text()), "deploymentTime": text(), "tenantId": maybe(text()), "links": LINKS,
}  # fmt: skip
DEPLOYMENT = record(_FIELDS, "a deployment: one version of one process")
_NONE = {"type": ["object", "null"]}
CREATED = record({
    **_FIELDS, "deployedProcessDefinitions": {"type": ["object", "null"], "additionalProperties": DEFINITION}, "deployedCaseDefinitions": _NONE,
    "deployedDecisionDefinitions": _NONE, "deployedDecisionRequirementsDefinitions": _NONE,
    "office": record({"proposal": maybe(text("the id of the proposal that waits for approval")), "state": text(only=("deployed", "proposed", "unchanged"))}),
}, "what the deployment became")  # fmt: skip
RESOURCE = record({"id": text(), "name": text(), "deploymentId": text()})


def _links(number: object) -> list[dict[str, str]]:
    return [{"method": "GET", "href": f"/engine-rest/deployment/{number}", "rel": "self"}]


def deployment_json(row: Any) -> dict[str, Any]:
    """A deployment in the shape of the original."""
    return {
        "id": str(row.id), "name": row.name, "source": row.rule_set, "deploymentTime": dates.write(row.deployed_at), "tenantId": None,
        "links": _links(row.id),
    }  # fmt: skip


def _asked(call: Call) -> dict[str, Any]:
    found = {name: value for name, value in call.query.items() if name in ASKING.filters}
    return {name: dates.read(value) if name in ("after", "before") else value for name, value in found.items()}


@route("GET", "/deployment", "Deployments", tag=_T, scope="read", query=_QUERY, answer={"type": "array", "items": DEPLOYMENT})
def search(call: Call) -> Any:
    paged = Call(call.path, {name: value for name, value in call.query.items() if name != "after"})
    with store().read() as session:
        return answer(versions.deployments(session, _asked(call), ASKING.cut(paged)), deployment_json)


@route("GET", "/deployment/count", "How many deployments", tag=_T, scope="read", query=ASKING.filters, answer=COUNT)
def count(call: Call) -> Any:
    with store().read() as session:
        return {"count": versions.count_deployments(session, _asked(call))}


@route("GET", "/deployment/<id>", "One deployment", tag=_T, scope="read", answer=DEPLOYMENT,
       note=f"`{WAITING}<n>` is one that waits for the second person")
def one(call: Call) -> Any:
    if call.path["id"].startswith(WAITING):
        number = row_number(call.path["id"].removeprefix(WAITING), "deployment")
        with store().read() as session:
            try:
                row = versions.proposal_of(session, me(), number)
            except NotFound:
                raise missing("deployment", call.path["id"]) from None
        return {"id": call.path["id"], "name": row.name, "source": row.state, "deploymentTime": dates.write(row.proposed_at), "tenantId": None,
                "links": _links(call.path["id"])}
    return deployment_json(_version(call))


def _version(call: Call) -> Any:
    number = call.row("deployment")
    with store().read() as session:
        try:
            return versions.one_definition(session, number)
        except NotFound:
            raise missing("deployment", number) from None


# -- resources --------------------------------------------------------------------------------


def _resources(call: Call) -> dict[str, tuple[str, bytes]]:
    """Name → (media type, content) of what was deployed together."""
    row = _version(call)
    with store().read() as session:
        found = deployed(session, row.id)
    forms = {f"{name}.json": ("application/json", json.dumps(form, ensure_ascii=False).encode()) for name, form in found.forms.items()}
    letters = {f"{kind}.docx": ("application/octet-stream", template) for kind, template in found.documents.items()}
    return {f"{found.key}.bpmn": ("application/xml", found.diagram.xml), **forms, **letters}


@route("GET", "/deployment/<id>/resources", "What was deployed together", tag=_T, scope="read", answer={"type": "array", "items": RESOURCE})
def resources(call: Call) -> Any:
    return [{"id": name, "name": name, "deploymentId": call.path["id"]} for name in _resources(call)]


@route("GET", "/deployment/<id>/resources/<resource>", "One of them", tag=_T, scope="read", answer=RESOURCE)
def resource(call: Call) -> Any:
    name = call.path["resource"]
    if name not in _resources(call):
        raise missing("resource", name)
    return {"id": name, "name": name, "deploymentId": call.path["id"]}


@route("GET", "/deployment/<id>/resources/<resource>/data", "Its content", tag=_T, scope="read", media="application/octet-stream",
       answer={"type": "string"})
def data(call: Call) -> Any:
    found = _resources(call).get(call.path["resource"])
    if found is None:
        raise missing("resource", call.path["resource"])
    return Response(found[1], mimetype="application/octet-stream", headers={"Content-Disposition": "attachment"})


# -- deploying --------------------------------------------------------------------------------

_FORM = body({
    "deployment-name": text(most=200), "deployment-source": text(most=200), "enable-duplicate-filtering": text(only=("true", "false")),
    "deploy-changed-only": text(only=("true", "false")), "deployment-activation-time": moment("effective from then on"),
    "tenant-id": text("there are no tenants", most=1), "reason": text("why, for the second person (ours)", most=1000),
    "data": {"type": "string", "contentMediaType": "application/octet-stream", "description": "one .bpmn file; .json forms, .docx letters beside it"},
}, required=("data",))  # fmt: skip


@route("POST", "/deployment/create", "Deploys a diagram, or proposes its deployment", tag=_T, scope="deploy", body=_FORM, answer=CREATED,
       multipart=True, stands="better", refuses=(409,),
       note="it waits for the second person (`office.proposal`) unless the installation is set to deploy at once; one diagram each time")
def create(call: Call) -> Any:
    given = _given()
    sent_as, files = _files()
    name = given.get("deployment-name", "")
    why = given.get("reason", "").strip() or f"接口提交：{name or '未命名'}（{given.get('deployment-source') or '未说明来源'}）"
    start = given.get("deployment-activation-time", "").strip()
    try:
        brought = versions.bring(
            store(), files, actor=me(), reason=why, rule_set=settings().rule_set, direct=settings().api_deploy == "direct",
            only_changed="true" in (given.get("enable-duplicate-filtering"), given.get("deploy-changed-only")),
            effective_at=dates.read(start) if start else None, origin=origin(),
        )  # fmt: skip
    except (DiagramError, NotDeployable) as refused:
        raise _parse_error(sent_as, files.xml, refused.problems) from None
    return _created(brought, name)


def _given() -> dict[str, str]:
    """The fields of the form. Raises 400 naming what is unknown or wrong."""
    found: dict[str, str] = {}
    for name, value in request.form.items():
        if name not in _FORM["properties"] or name == "data":
            raise bad_request(f"{name[:100]}: unknown field, or one that is not covered here")
        try:
            sound_text(name + value)
        except ValueError:
            raise bad_request(f"{name[:100]}: holds characters that cannot be kept") from None
        if len(value) > _FORM["properties"][name].get("maxLength", 10):
            raise bad_request(f"{name}: too long")
        # Clients in Python write True: the original reads it so too.
        found[name] = value.lower() if name in ("enable-duplicate-filtering", "deploy-changed-only") else value
    for name in ("enable-duplicate-filtering", "deploy-changed-only"):
        if found.get(name, "false") not in ("true", "false", ""):
            raise bad_request(f"{name}: true or false is expected")
    if start := found.get("deployment-activation-time", "").strip():
        try:
            dates.read(start)
        except ValueError:
            raise bad_request("deployment-activation-time: a date with offset is expected") from None
    return found


def _files() -> tuple[str, Files]:
    """The name of the diagram, and the files by what they are. Raises 400."""
    sent = [file for _, files in request.files.lists() for file in files if file.filename]
    if not sent:
        raise bad_request("No deployment resources contained in the form upload.")
    if len(sent) > FILES_MAX:
        raise bad_request(f"at most {FILES_MAX} files")
    diagrams: list[tuple[str, bytes]] = []
    forms: dict[str, Any] = {}
    documents: dict[str, bytes] = {}
    for file in sent:
        path = PurePosixPath((file.filename or "").replace("\\", "/"))
        kind = path.suffix.lower()
        most = {".bpmn": XML_BYTES, ".xml": XML_BYTES, ".json": FORMS_BYTES, ".form": FORMS_BYTES, ".docx": DOCUMENT_BYTES}.get(kind)
        if most is None:
            raise bad_request(f"{path.name[:100]}: a .bpmn diagram, .json forms or .docx letters are expected")
        content = file.stream.read(most + 1)
        if len(content) > most:
            raise ApiError(413, "InvalidRequestException", f"{path.name[:100]}: at most {most} octets")
        if kind in (".bpmn", ".xml"):
            diagrams.append((path.name, content))
        elif kind == ".docx":
            documents[path.stem] = content
        else:
            try:
                forms[path.stem] = json.loads(content)
            except (ValueError, RecursionError):
                raise bad_request(f"{path.name[:100]}: no JSON") from None
    if len(diagrams) != 1:
        raise bad_request(f"exactly one .bpmn diagram is expected, {len(diagrams)} came: each process is approved by itself")
    (name, xml), = diagrams
    return name, Files(xml, checked_forms(forms), checked_documents(documents))


def _parse_error(name: str, xml: bytes, problems: list[Problem]) -> ApiError:
    """The error that modelers show beside the drawing: by file, element and line."""
    told: dict[str, list[dict[str, Any]]] = {"errors": [], "warnings": []}
    lines = []
    for problem in problems:
        line, column = _place(xml, problem.element)
        told["errors" if problem.severity == "error" else "warnings"].append({
            "message": problem.message, "line": line, "column": column, "mainElementId": problem.element,
            "elementIds": [problem.element] if problem.element else [],
        })  # fmt: skip
        lines.append(f"* {problem.message} | resource {name} | line {line} | column {column}")
    return ApiError(400, "ParseException", "\n".join([NOT_PARSED, *lines[:PROBLEMS_TOLD]]), more={"details": {name: told}})


def _place(xml: bytes, element: str | None) -> tuple[int, int]:
    """Line and column at which the tag of an element begins, from 1; 0 and 0 where no element is named, or the file is in no UTF-8."""
    text_ = xml.decode(errors="replace")
    found = re.search(rf"""<[^<>]*\sid\s*=\s*["']{re.escape(element)}["']""", text_) if element else None
    if found is None:
        return 0, 0
    return text_.count("\n", 0, found.start()) + 1, found.start() - text_.rfind("\n", 0, found.start())


def _created(brought: Brought, name: str) -> dict[str, Any]:
    empty: Mapping[str, None] = dict.fromkeys(("deployedCaseDefinitions", "deployedDecisionDefinitions", "deployedDecisionRequirementsDefinitions"))
    if brought.definition_id is None:
        identity = f"{WAITING}{brought.proposal_id}"
        return {
            "id": identity, "name": name or brought.name, "source": "proposed", "deploymentTime": dates.write(store().clock.now()), "tenantId": None,
            "links": _links(identity), "deployedProcessDefinitions": None, **empty,
            "office": {"proposal": str(brought.proposal_id), "state": "proposed"},
        }  # fmt: skip
    with store().read() as session:
        row = versions.one_definition(session, brought.definition_id)
    return {
        **deployment_json(row), "name": name or row.name,
        "deployedProcessDefinitions": {definition_id(row.key, row.version, row.id): definition_json(row)}, **empty,
        "office": {"proposal": None, "state": "deployed" if brought.fresh else "unchanged"},
    }  # fmt: skip


@route("DELETE", "/deployment/<id>", "Deletes a deployment that no case followed, or takes back one that waits", tag=_T, scope="deploy", stands="partly",
       refuses=(409,), query={"cascade": flag("cases are never deleted with it"), "skipCustomListeners": flag(), "skipIoMappings": flag()},
       note="409 with the cause for a version that any case ever followed, the one in force (but where the installation deploys at once), the first of its rule set")
def delete(call: Call) -> None:
    identity = call.path["id"]
    if not identity.startswith(WAITING):
        delete_by_program(_version(call).id)
        return
    try:
        withdraw(store(), row_number(identity.removeprefix(WAITING), "deployment"), actor=me(), origin=origin())
    except NotFound:
        raise missing("deployment", identity) from None
