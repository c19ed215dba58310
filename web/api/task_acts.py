"""`task/{id}/…`: claiming, completing, and what belongs to one task: its form, variables and identity links.

Answers are judged by the step's form, as on its page; a variable that the form does not have is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.process.forms import FormDefinition, fields_of, options_of, prefill
from engine.process.interpreter.expressions import ExpressionError
from engine.process.outside import once
from engine.process.outside.cases import data_of
from engine.process.outside.task_data import set_ahead
from engine.process.sheets.task import task_form
from engine.process.tasks import claim_task, unclaim_task
from engine.store.errors import NotAllowed
from web.api import shapes, values
from web.api.once import etag, replayed, seen
from web.api.once import once as same_request
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import Answer, Call, route
from web.api.seeing import open_task
from web.api.shapes import flag, many, maybe, record, text
from web.context import me, origin, store

WHO = shapes.body({"userId": maybe(text("a login", most=64))})
COMPLETION = shapes.body({
    "variables": values.GIVEN_VARIABLES, "withVariablesInReturn": flag(), "opinion": text("意见; may also be sent as a variable of that name"),
    "attachments": many(text(most=19), "ids of uploaded files", most=20),
})  # fmt: skip
_ONCE = "Idempotency-Key: a retry does nothing twice; If-Match with the task's ETag: refused with 409 when the case moved on"


@route("POST", "/task/<id>/claim", "Claims 签收 for the caller", tag="task", scope="work", body=WHO, refuses=(409,),
       note="only for oneself: another userId is refused")
def claim(call: Call) -> None:
    row = open_task(call.row("task"))
    if call.body.get("userId") not in (None, me().login):
        raise NotAllowed("只能为本人签收")
    claim_task(store(), row.id, actor=me(), origin=origin())


@route("POST", "/task/<id>/unclaim", "Puts back 放回 for the post", tag="task", scope="work", body=shapes.body({}), refuses=(409,))
def unclaim(call: Call) -> None:
    unclaim_task(store(), open_task(call.row("task")).id, actor=me(), origin=origin())


def _complete(call: Call) -> once.Done:
    row = open_task_or_again(call)
    given = values.plain(call.body.get("variables"))
    opinion = call.body.get("opinion") or given.pop("opinion", None) or ""
    if not isinstance(opinion, str):
        raise bad_request("opinion: a text is expected")
    files = values.files(call.body.get("attachments"))
    return once.complete(
        store(), row, actor=me(), answers=given, opinion=opinion, attachments=files, seen=seen(), once=same_request(call.raw), origin=origin()
    )


def open_task_or_again(call: Call) -> int:
    """The number of the task: an open one, or, for a retry, one that the first request has completed."""
    number = call.row("task")
    if same_request(call.raw) is None:
        return int(open_task(number).id)
    return number


def _completed(call: Call, done: once.Done) -> Any:
    headers = replayed(done)
    if not call.body.get("withVariablesInReturn"):
        return Answer(status=204, headers=headers)
    with store().read() as session:
        return Answer(values.all_typed(data_of(session, int(done.answer["id"])).variables), headers=headers)


@route("POST", "/task/<id>/complete", "Completes 办结", tag="task", scope="work", body=COMPLETION, answer=values.VARIABLES, stands="better",
       note=_ONCE, refuses=(409, 412, 500))
def complete(call: Call) -> Any:
    return _completed(call, _complete(call))


@route("POST", "/task/<id>/submit-form", "Completes 办结 with the answers of its form", tag="task", scope="work", body=COMPLETION,
       answer=values.VARIABLES, stands="better", note=_ONCE, refuses=(409, 412, 500))
def submit_form(call: Call) -> Any:
    return _completed(call, _complete(call))


# -- the form ---------------------------------------------------------------------------------


@route("GET", "/task/<id>/form", "The key of the form", tag="task", scope="read",
       answer=record({"key": maybe(text()), "camundaFormRef": {"type": ["object", "null"]}, "contextPath": maybe(text())}))
def form(call: Call) -> Any:
    row = open_task(call.row("task"))
    with store().read() as session:
        found = task_form(session, row.id)
    return {"key": f"api:/engine-rest/task/{row.id}/deployed-form" if found else None, "camundaFormRef": None, "contextPath": None}


@route("GET", "/task/<id>/deployed-form", "The form: our JSON definition, with its choices", tag="task", scope="read",
       answer={"type": "object"}, stands="better", note="the definition is ours: {title, fields: [{key, type, label, required, options}]}")
def deployed_form(call: Call) -> Any:
    row, found, names = _form(call)
    if found is None:
        raise missing("form for task", row.id)
    return Answer(shown(found, names), headers=etag(row.revision))


@route("GET", "/task/<id>/rendered-form", "HTML of the form", tag="task", scope="read", stands="501")
def rendered_form(_: Call) -> Any:
    raise not_covered("forms are shown by the pages; here their definition is given: deployed-form")


@route("GET", "/task/<id>/form-variables", "The first values of the form, with what was set ahead", tag="task", scope="read", answer=values.VARIABLES,
       query={"variableNames": many(text(most=200)), "deserializeValues": flag()})
def form_variables(call: Call) -> Any:
    row, found, names = _form(call)
    with store().read() as session:
        ahead = set_ahead(session, row.id)
    return named(call, {name: ahead.get(name, value) for name, value in first_values(found, names).items()} if found else {})


def _form(call: Call) -> tuple[Any, FormDefinition | None, Mapping[str, Any]]:
    row = open_task(call.row("task"))
    with store().read() as session:
        found = task_form(session, row.id)
        names = data_of(session, row.instance_id).variables
    return row, found, names


def shown(form: FormDefinition, names: Mapping[str, Any]) -> dict[str, Any]:
    """A form as a client shows it: choices that depend on the case are written out."""
    fields = []
    for field in form.get("fields", []):
        told = dict(field)
        if "options_from" in field:
            try:
                told["options"] = options_of(field, names)
            except ExpressionError:
                told["options"] = []
        fields.append(told)
    return {**form, "fields": fields}


def first_values(form: FormDefinition, names: Mapping[str, Any]) -> dict[str, Any]:
    """What each field of a form begins with."""
    return {field["key"]: prefill(form, names).get(field["key"]) for field in fields_of(form)}


def named(call: Call, found: Mapping[str, Any]) -> dict[str, Any]:
    """The values with their types: those that `variableNames` asks for, or all."""
    wanted = call.query.get("variableNames")
    return values.all_typed({name: value for name, value in found.items() if wanted is None or name in wanted})


# -- people -----------------------------------------------------------------------------------

LINK = record({"userId": maybe(text()), "groupId": maybe(text()), "type": text(only=("assignee", "owner", "candidate"))})


@route("GET", "/task/<id>/identity-links", "Who may work on it", tag="task", scope="read", answer={"type": "array", "items": LINK},
       query={"type": text(only=("assignee", "owner", "candidate"))})
def identity_links(call: Call) -> Any:
    row = open_task(call.row("task"))
    links = [
        {"userId": row.assignee, "groupId": None, "type": "assignee"}, {"userId": row.owner, "groupId": None, "type": "owner"},
        {"userId": None, "groupId": f"{row.unit_code}/{row.post}", "type": "candidate"},
    ]  # fmt: skip
    wanted = call.query.get("type")
    return [link for link in links if (link["userId"] or link["groupId"]) and wanted in (None, link["type"])]


@route("POST", "/task/<id>/identity-links", "Adds one", tag="task", scope="work", stands="501",
       body=shapes.body({"userId": text(most=64), "groupId": text(most=100), "type": text(most=64)}))
def add_identity_link(_: Call) -> Any:
    raise not_covered("who may work on a task is said by the diagram; transfer, delegate or add signers instead")
