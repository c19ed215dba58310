"""What is put beside a task without moving it: comments 留言, which stand in the case's record, and files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.history import Entry, History
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.attachments import take_attachments, upload
from engine.process.history_of import append_entry
from engine.process.tables import Attachment
from engine.process.tasks import lock_task
from engine.store.errors import Invalid, NotAllowed, TaskClosed
from engine.store.settings import Settings
from engine.store.store import Origin, Store, command

COMMENT_MAX = 2000


@dataclass(frozen=True, slots=True)
class Comment:
    id: int
    task_id: int
    instance_id: int
    login: str | None
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class FileOf:
    id: int
    task_id: int
    instance_id: int
    name: str
    media_type: str
    login: str
    at: datetime


@command
def comment_task(store: Store, task_id: int, *, actor: Actor, text: str, origin: Origin = Origin()) -> None:
    """Puts a comment on an open task, and so into the record of its case, where it stays.

    For who belongs to those whom the task concerns. Raises Invalid, NotAllowed, TaskClosed, NotFound.
    """
    words = text.strip()
    if not words or len(words) > COMMENT_MAX:
        raise Invalid({"message": f"请填写留言，不超过{COMMENT_MAX}字"})
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        if not permissions.may_claim_from(actor, task.unit_id, task.post) and task.assignee_id != actor.account_id:
            raise NotAllowed("该待办不属于您的岗位，不能留言")
        if task.state != "open":
            raise TaskClosed
        data = {"name": task.name, "task": task.id, "note": words}
        append_entry(work, instance, Entry(act="commented", at=work.now, step=task.step, definition_id=instance.definition_id, data=data))


def comments_of(session: Session, instance_id: int, task_id: int | None = None) -> list[Comment]:
    """The comments of a case, or of one task of it, the newest first. The caller asks for the right to see opinions. One query."""
    rows = session.execute(
        select(History.id, History.instance_id, Account.login, History.at, History.data)
        .outerjoin(Account, Account.id == History.actor_id)
        .where(History.instance_id == instance_id, History.act == "commented").order_by(History.seq.desc())
    )  # fmt: skip
    found = [Comment(row.id, row.data["task"], row.instance_id, row.login, row.at, row.data["note"]) for row in rows]
    return [comment for comment in found if task_id in (None, comment.task_id)]


def attach(
    store: Store, settings: Settings, task_id: int, *, actor: Actor, name: str, stream: IO[bytes], origin: Origin = Origin()
) -> int:
    """Puts a file on an open task, and so into its case; returns its id. Raises as `upload`, and NotAllowed, TaskClosed, NotFound."""
    kept = upload(store, settings, actor=actor, name=name, stream=stream, origin=origin)
    _take(store, task_id, kept.id, actor=actor, origin=origin)
    return kept.id


@command
def _take(store: Store, task_id: int, file_id: int, *, actor: Actor, origin: Origin) -> None:
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        if not permissions.may_work(actor, task.unit_id, task.post, task.assignee_id):
            raise NotAllowed("该待办不属于您的岗位，不能添加附件")
        if task.state != "open":
            raise TaskClosed
        taken = take_attachments(work, [file_id], instance_id=instance.id, actor=actor, task_id=task.id)
        data = {"name": task.name, "task": task.id, "attachments": taken}
        append_entry(work, instance, Entry(act="attached", at=work.now, step=task.step, definition_id=instance.definition_id, data=data))


def files_of(session: Session, task_id: int) -> list[FileOf]:
    """The files of a task. One query."""
    rows = session.execute(
        select(Attachment, Account.login).join(Account, Account.id == Attachment.uploaded_by)
        .where(Attachment.task_id == task_id, Attachment.instance_id.is_not(None)).order_by(Attachment.id)
    )  # fmt: skip
    return [FileOf(file.id, task_id, file.instance_id or 0, file.name, file.media_type, login, file.uploaded_at) for file, login in rows]
