"""Drafts of what somebody is filling in 草稿: saved while they type, there again when the browser was closed.

A draft belongs to one person and one task, and is shown to nobody else. It holds what was typed, not what is valid: the
completion judges. No history, since nothing has been done yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process import belonging
from engine.process.answering import OPINION_MAX
from engine.process.definitions import deployed
from engine.process.desk.tables import TaskDraft
from engine.process.forms import TEXT_MAX, FormDefinition, fields_of
from engine.process.tables import Instance, Task
from engine.store.errors import Invalid, NotAllowed, NotFound, TaskClosed
from engine.store.store import Origin, Store, Work, command

#: Characters of all answers together; a form of ours asks for far less.
MOST_TEXT = 40_000
#: Choices of one field.
MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """A kept draft: the answers as they were typed, by field key."""

    answers: Mapping[str, Any]
    opinion: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save came to."""

    at: datetime
    overtaken: bool
    """Another window had saved since this one last did: its text is replaced by this one's."""


def draft_of(session: Session, actor: Actor, task_id: int) -> Draft | None:
    """The actor's own draft of a task; None where there is none. One query."""
    row = session.get(TaskDraft, (task_id, actor.account_id))
    return Draft(row.answers, row.opinion, row.saved_at) if row is not None else None


@command
def save_draft(
    store: Store, task_id: int, *, actor: Actor, answers: Mapping[str, Any], opinion: str, known: datetime | None = None,
    origin: Origin = Origin(),
) -> Saved:  # fmt: skip
    """Keeps what the actor has typed into an open task that is theirs to work on; the later save wins.

    `known` is when the window that saves last saw the draft saved. Files are left out: they are kept by themselves.
    Raises Invalid for what no form of ours sends, NotFound, NotAllowed, TaskClosed.
    """
    with store.work(actor, origin) as work:
        kept = _readable(_form_of_own(work, task_id, actor), answers)
        if len(opinion) > OPINION_MAX * 2 or "\x00" in opinion:
            raise Invalid({"opinion": f"意见不能超过{OPINION_MAX}字"})
        row = work.session.get(TaskDraft, (task_id, actor.account_id), with_for_update=True)
        overtaken = row is not None and known is not None and row.saved_at > known
        write_draft(work, task_id, actor.account_id, answers=kept, opinion=opinion)
        work.session.flush()
        return Saved(work.now, overtaken)


def write_draft(work: Work, task_id: int, account_id: int, *, answers: Mapping[str, Any], opinion: str) -> None:
    """Puts a draft onto somebody's desk, in the caller's transaction: handing back a delegation leaves the owner one."""
    row = work.session.get(TaskDraft, (task_id, account_id))
    if row is None:
        row = TaskDraft(task_id=task_id, account_id=account_id)
        work.session.add(row)
    row.answers, row.opinion, row.saved_at = dict(answers), opinion, work.now


@command
def discard_draft(store: Store, task_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Throws the actor's own draft away; nothing where there is none."""
    with store.work(actor, origin) as work:
        work.session.execute(delete(TaskDraft).where(TaskDraft.task_id == task_id, TaskDraft.account_id == actor.account_id))


def sweep_drafts(work: Work) -> int:
    """Removes the drafts of tasks that are over: nobody can open them any more. Returns how many."""
    over = select(Task.id).where(Task.id == TaskDraft.task_id, Task.state != "open").exists()
    return len(work.session.execute(delete(TaskDraft).where(over).returning(TaskDraft.task_id)).all())


def _form_of_own(work: Work, task_id: int, actor: Actor) -> FormDefinition | None:
    """The form of an open task that is the actor's to work on. Nothing is locked: whoever completes it need not wait.

    Raises NotFound, NotAllowed, TaskClosed.
    """
    row = work.session.execute(
        select(Task, Instance.definition_id).join(Instance, Instance.id == Task.instance_id).where(Task.id == task_id)
    ).first()
    if row is None:
        raise NotFound("没有找到该待办")
    task, definition_id = row
    if not belonging.may_work(actor, task):
        raise NotAllowed("该待办不由您办理，未保存草稿")
    if task.state != "open":
        raise TaskClosed
    return belonging.form_of(deployed(work.session, definition_id), task)


def _readable(form: FormDefinition | None, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that belong to the form and are of a shape that its fields can show again. Raises Invalid."""
    known = {field["key"] for field in fields_of(form or {}) if field["type"] != "file"}
    kept: dict[str, Any] = {}
    size = 0
    for key, value in answers.items():
        if key not in known:
            continue  # the form may have been changed under the open page
        texts = value if isinstance(value, list) else [] if value is None or isinstance(value, bool) else [value]
        if not all(isinstance(text, str) and len(text) <= TEXT_MAX * 2 and "\x00" not in text for text in texts):
            raise Invalid({key: "草稿含有无法保存的内容"})
        size += sum(map(len, texts))
        if len(texts) > MOST_CHOICES or size > MOST_TEXT:
            raise Invalid({key: "内容过长，无法保存为草稿"})
        kept[key] = value
    return kept
