"""`task/{id}/variables` and `localVariables`: answers set ahead of the completion, and what programs note on a task."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from engine.process.outside import task_data
from web.api import values
from web.api.refusals import missing
from web.api.routing import Call, route
from web.api.seeing import open_task
from web.api.shapes import flag, many, text
from web.api.task_acts import named
from web.context import me, origin, store

_T = "task"
_NAMES = {"variableNames": many(text(most=200)), "deserializeValues": flag(), "deserializeValue": flag()}
_AHEAD = "answers of the step's form alone, kept on the task until it is completed; the data of the case stay as they are"
_NOTES = "notes of programs, 16 KB a task together; they are no data of the case, and gone with the task"
_Command = Callable[..., None]


def _seen(call: Call) -> dict[str, Any]:
    row = open_task(call.row("task"))
    with store().read() as session:
        return task_data.seen_by_task(session, row.id)


def _notes(call: Call) -> Mapping[str, Any]:
    row = open_task(call.row("task"))
    with store().read() as session:
        return task_data.notes_of(session, row.id)


def _one(call: Call, found: Mapping[str, Any]) -> dict[str, Any]:
    name = call.path["name"]
    if name not in found or name.startswith("_"):
        raise missing("variable", name)
    return values.typed(found[name])


def _set(call: Call, command: _Command, given: Mapping[str, Any], deletions: Collection[str] = ()) -> None:
    command(store(), open_task(call.row("task")).id, actor=me(), values=given, deletions=deletions, origin=origin())


def _put(call: Call, command: _Command) -> None:
    _set(call, command, values.plain({call.path["name"]: call.body}))


def _several(call: Call, command: _Command) -> None:
    _set(call, command, values.plain(call.body.get("modifications")), call.body.get("deletions") or ())


@route("GET", "/task/<id>/variables", "The data of the case, as the task sees them", tag=_T, scope="read", query=_NAMES, answer=values.VARIABLES)
def variables(call: Call) -> Any:
    return named(call, _seen(call))


@route("GET", "/task/<id>/variables/<name>", "One of them", tag=_T, scope="read", query=_NAMES, answer=values.TYPED)
def variable(call: Call) -> Any:
    return _one(call, _seen(call))


@route("PUT", "/task/<id>/variables/<name>", "Sets an answer ahead 预填", tag=_T, scope="work", body=values.SET, stands="partly", note=_AHEAD,
       refuses=(409,))
def prepare(call: Call) -> None:
    _put(call, task_data.prepare)


@route("DELETE", "/task/<id>/variables/<name>", "Takes such an answer back", tag=_T, scope="work", stands="partly", note=_AHEAD, refuses=(409,))
def take_back(call: Call) -> None:
    _set(call, task_data.prepare, {}, (call.path["name"],))


@route("POST", "/task/<id>/variables", "Sets several answers ahead", tag=_T, scope="work", body=values.SETS, stands="partly",
       note=f"{_AHEAD}; all or none", refuses=(409,))
def prepare_several(call: Call) -> None:
    _several(call, task_data.prepare)


@route("GET", "/task/<id>/localVariables", "What programs have noted on the task", tag=_T, scope="read", query=_NAMES, answer=values.VARIABLES)
def notes(call: Call) -> Any:
    return named(call, _notes(call))


@route("GET", "/task/<id>/localVariables/<name>", "One of these notes", tag=_T, scope="read", query=_NAMES, answer=values.TYPED)
def note(call: Call) -> Any:
    return _one(call, _notes(call))


@route("PUT", "/task/<id>/localVariables/<name>", "Notes something on the task", tag=_T, scope="work", body=values.SET, note=_NOTES, refuses=(409,))
def set_note(call: Call) -> None:
    _put(call, task_data.note)


@route("DELETE", "/task/<id>/localVariables/<name>", "Removes a note", tag=_T, scope="work", refuses=(409,))
def remove_note(call: Call) -> None:
    _set(call, task_data.note, {}, (call.path["name"],))


@route("POST", "/task/<id>/localVariables", "Notes several things", tag=_T, scope="work", body=values.SETS, note=f"{_NOTES}; all or none", refuses=(409,))
def set_notes(call: Call) -> None:
    _several(call, task_data.note)
