"""`task/{id}/comment` and `task/{id}/attachment`: both go into the record of the case, so neither is ever deleted."""

from __future__ import annotations

from typing import Any

from flask import request, send_file

from engine.people.permissions import Sight
from engine.process.attachments import find_upload
from engine.process.outside import remarks
from engine.process.sheets.seeing import find_instance, require_sight
from engine.store.errors import NotAllowed
from web.api import dates, shapes
from web.api.refusals import bad_request, missing, not_covered
from web.api.routing import Call, route, row_number
from web.api.seeing import open_task, require_case
from web.api.shapes import maybe, record, sound_text, text
from web.context import me, origin, settings, store

_T = "task"
COMMENT = record({
    "id": text(), "userId": maybe(text()), "time": text(), "taskId": text(), "processInstanceId": text(), "rootProcessInstanceId": text(),
    "removalTime": maybe(text()), "message": text(),
}, "a comment 留言")  # fmt: skip
FILE = record({
    "id": text(), "name": text(), "taskId": text(), "description": maybe(text()), "type": maybe(text()), "url": maybe(text()), "createTime": text(),
    "removalTime": maybe(text()), "rootProcessInstanceId": text(),
    "links": shapes.LINKS,
}, "a file of a task")  # fmt: skip
_KEPT = "what belongs to the record of a case goes with it alone"


def _comment(comment: remarks.Comment) -> dict[str, Any]:
    case = str(comment.instance_id)
    return {"id": str(comment.id), "userId": comment.login, "time": dates.write(comment.at), "taskId": str(comment.task_id),
            "processInstanceId": case, "rootProcessInstanceId": case, "removalTime": None, "message": comment.text}


def _comments(instance_id: int, task_id: int | None) -> list[remarks.Comment]:
    """The comments, for who may read what officials write."""
    with store().read() as session:
        seen, _ = require_sight(session, me(), find_instance(session, instance_id))
        if seen is not Sight.FULL:
            raise NotAllowed("您的岗位不能查看办理意见")
        return remarks.comments_of(session, instance_id, task_id)


@route("GET", "/task/<id>/comment", "Comments, the newest first", tag=_T, scope="read", answer={"type": "array", "items": COMMENT})
def comments(call: Call) -> Any:
    row = open_task(call.row("task"))
    return [_comment(comment) for comment in _comments(row.instance_id, row.id)]


@route("GET", "/task/<id>/comment/<comment>", "One comment", tag=_T, scope="read", answer=COMMENT)
def comment(call: Call) -> Any:
    row, number = open_task(call.row("task")), call.row("comment", "comment")
    found = next((each for each in _comments(row.instance_id, row.id) if each.id == number), None)
    if found is None:
        raise missing("comment", number)
    return _comment(found)


@route("GET", "/process-instance/<id>/comment", "Comments of a case", tag="process-instance", scope="read", answer={"type": "array", "items": COMMENT})
def case_comments(call: Call) -> Any:
    instance_id = call.row("process instance")
    require_case(instance_id)
    return [_comment(comment) for comment in _comments(instance_id, None)]


@route("POST", "/task/<id>/comment/create", "Comments 留言", tag=_T, scope="work", answer=COMMENT, refuses=(409,),
       body=shapes.body({"message": text(most=2000, least=1), "processInstanceId": text("left out: the task's", most=64)}, required=("message",)))
def add_comment(call: Call) -> Any:
    row = open_task(call.row("task"))
    remarks.comment_task(store(), row.id, actor=me(), text=call.body["message"], origin=origin())
    return _comment(_comments(row.instance_id, row.id)[0])


# -- files ------------------------------------------------------------------------------------


def _file(file: remarks.FileOf) -> dict[str, Any]:
    return {"id": str(file.id), "name": file.name, "taskId": str(file.task_id), "description": None, "type": file.media_type, "url": None,
            "createTime": dates.write(file.at), "removalTime": None, "rootProcessInstanceId": str(file.instance_id),
            "links": [{"method": "GET", "href": f"/engine-rest/task/{file.task_id}/attachment/{file.id}", "rel": "self"}]}


def _files(call: Call) -> list[remarks.FileOf]:
    row = open_task(call.row("task"))
    with store().read() as session:
        return remarks.files_of(session, row.id)


def _one(call: Call) -> remarks.FileOf:
    number = row_number(call.path["attachment"], "attachment")
    found = next((file for file in _files(call) if file.id == number), None)
    if found is None:
        raise missing("attachment", number)
    return found


@route("GET", "/task/<id>/attachment", "Files of a task", tag=_T, scope="read", answer={"type": "array", "items": FILE})
def attachments(call: Call) -> Any:
    return [_file(file) for file in _files(call)]


@route("GET", "/task/<id>/attachment/<attachment>", "One file", tag=_T, scope="read", answer=FILE)
def attachment(call: Call) -> Any:
    return _file(_one(call))


@route("GET", "/task/<id>/attachment/<attachment>/data", "Its content", tag=_T, scope="read", answer={"type": "string"},
       media="application/octet-stream")
def data(call: Call) -> Any:
    found = find_upload(store(), settings(), _one(call).id)
    if found is None or not found.path.exists():
        raise missing("attachment", call.path["attachment"])
    return send_file(found.path, mimetype="application/octet-stream", as_attachment=True, download_name=found.name)


_UPLOAD = shapes.body({
    "attachment-name": text("the file's name, with its ending", most=200), "attachment-description": text("not kept", most=500),
    "attachment-type": text("not kept: the content decides", most=200),
    "content": {"type": "string", "contentMediaType": "application/octet-stream", "description": "the file"},
}, required=("content",))  # fmt: skip


@route("POST", "/task/<id>/attachment/create", "Adds a file", tag=_T, scope="work", body=_UPLOAD, answer=FILE, multipart=True, refuses=(409,),
       stands="partly", note="files only: an address (`url`) is no part of a record")
def add_attachment(call: Call) -> Any:
    row = open_task(call.row("task"))
    for name, value in request.form.items():
        if name not in _UPLOAD["properties"]:
            raise bad_request(f"{name[:100]}: unknown field, or one that is not covered here")
        try:
            sound_text(value)
        except ValueError:
            raise bad_request(f"{name}: holds characters that cannot be kept") from None
    sent = request.files.get("content")
    if sent is None:
        raise bad_request("content: a file is expected")
    name = request.form.get("attachment-name", "").strip() or sent.filename or ""
    number = remarks.attach(store(), settings(), row.id, actor=me(), name=name, stream=sent.stream, origin=origin())
    return _file(next(file for file in _files(call) if file.id == number))


@route("DELETE", "/task/<id>/attachment/<attachment>", "Removes a file", tag=_T, scope="work", stands="501", note=_KEPT)
def remove_attachment(_: Call) -> Any:
    raise not_covered(_KEPT)
