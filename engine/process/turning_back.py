"""The road's part of returning 退回 and withdrawing 撤回: tokens and rows; who may, and where to, was asked before.

A task that comes again goes to whoever did it before, if they may still work there; the revision task at the start of the case
goes to its starter.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from engine.people import permissions
from engine.people.absences import stand_in
from engine.people.actor import load_actor
from engine.process.case import Case
from engine.process.forms import fields_of
from engine.process.notices import notify_post
from engine.process.projection import Changes
from engine.process.step_forms import form_at
from engine.process.tables import Task


def sent(case: Case, changes: Changes, step: str, reason: str) -> None:
    """Gives the tasks of `step` that a return has opened to who did them before, and says how they came there."""
    for task in (task for task in changes.opened if task.step == step):
        _give_again(case, task)
        _came(case, task, "returned", reason)
        tell(case, task, f"退回办理：{task.name}", f"已退回“{task.name}”，理由：{reason}")
    for task in changes.closed:
        tell(case, task, f"待办已撤销：{task.name}", f"已退回以前的环节，“{task.name}”不再需要办理。")


def taken_back(case: Case, changes: Changes, task: Task | None, reason: str) -> None:
    """Says of the task that was taken back how it came there; a start that was taken back is its starter's task again."""
    if task is None:
        [task] = changes.opened
        _give_again(case, task)
    _came(case, task, "withdrawn", reason)
    for gone in changes.closed:
        tell(case, gone, f"待办已撤销：{gone.name}", f"上一环节已撤回，“{gone.name}”不再需要办理。")


def _came(case: Case, task: Task, how: str, reason: str) -> None:
    actor = case.work.actor
    task.sent_how, task.sent_by, task.sent_note = how, actor.account_id if actor else None, reason or None


def _give_again(case: Case, task: Task) -> None:
    """The task goes to who did it before, with what they had answered: to be corrected, not to be typed again."""
    who: int | None
    answers: dict[str, Any] | None
    if case.diagram_steps[task.step].kind == "start":
        form = form_at(case.definition, task.step)
        keys = [field["key"] for field in fields_of(form)] if form else []
        who, answers = case.instance.starter_id, {key: case.variables[key] for key in keys if case.variables.get(key) is not None}
    else:
        who, answers = _did_before(case, task)
    if who is not None:
        give(case, task, who)
        if who in (task.assignee_id, task.for_id):
            task.answers = answers or None


def give(case: Case, task: Task, account_id: int) -> None:
    """Assigns a task to a person, or to who stands in for them, if they may work on it; else it stays the post's."""
    session = case.work.session
    person = load_actor(session, account_id)
    if person is None or not permissions.may_work(person, task.unit_id, task.post, account_id):
        return
    found = stand_in(session, account_id, task.unit_id, task.post, case.at)
    task.assignee_id, task.for_id = found.account_id, found.for_id


def _did_before(case: Case, task: Task) -> tuple[int | None, dict[str, Any] | None]:
    """Who did the step last for the same unit and post, and for the same item of a multi-instance activity; and their answers."""
    rows = case.work.session.execute(
        select(Task.completed_by, Task.local, Task.answers).where(
            Task.instance_id == case.instance.id, Task.step == task.step, Task.state == "done", Task.unit_id == task.unit_id,
            Task.post == task.post, Task.completed_by.is_not(None),
        ).order_by(Task.id.desc())
    ).all()
    return next(((who, answers) for who, local, answers in rows if local == task.local), (None, None))


def tell(case: Case, task: Task, title: str, text: str) -> None:
    """A notice to whoever has the task now."""
    case.work.session.flush()  # the notice leads to the task, which may have no id yet
    notify_post(
        case.work, task.unit_id, task.post, assignee_id=task.assignee_id, kind="task", instance_id=case.instance.id, task_id=task.id,
        title=title, text=f"{case.instance.number}《{case.instance.title}》{text}",
    )  # fmt: skip


def facts(task: Task, to: str, to_name: str, reason: str) -> dict[str, Any]:
    """What the history keeps of a return."""
    return {"name": task.name, "task": task.id, "to": to, "to_name": to_name, "reason": reason}
