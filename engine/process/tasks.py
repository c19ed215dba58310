"""Commands on tasks 待办: claim, put back, complete. Each checks the actor's right to this task now.

The page may have been open for hours: whatever changed meanwhile (a colleague was quicker, the case ended, the post was
taken away) is answered with a plain sentence and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import undefer

from engine.history import Entry
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.advance import Complete, advance
from engine.process.attachments import take_attachments
from engine.process.definitions import deployed
from engine.process.forms import answers_of, opinion_needed, validate
from engine.process.history_of import append_entry
from engine.process.incidents import reporting
from engine.process.interpreter.model import Step
from engine.process.tables import Instance, Task
from engine.store.errors import Invalid, NotAllowed, NotFound, NotRunning, Stale, TaskClosed, TaskTaken
from engine.store.store import Origin, Store, Work, command

OPINION_MAX = 2000


# Both rows are locked: after waiting for a lock PostgreSQL reads only locked rows anew, the others stay as they were before.
_LOCKED = (
    select(Instance, Task).join(Task, Task.instance_id == Instance.id).where(Task.id == bindparam("task"))
    .options(undefer(Instance.saved)).with_for_update()
)


def lock_task(work: Work, task_id: int) -> tuple[Task, Instance]:
    """A task with its instance, both locked. Raises NotFound."""
    found = work.session.execute(_LOCKED, {"task": task_id}).first()
    if found is None:
        raise NotFound("没有找到该待办")
    instance, task = found
    return task, instance


def _require_open(work: Work, task: Task, instance: Instance, actor: Actor) -> None:
    """The task is open, and the actor may work on it now. The order matters: who may not see it learns nothing of it."""
    if not permissions.may_work(actor, task.unit_id, task.post, task.assignee_id):
        if task.assignee_id is not None and permissions.may_work(actor, task.unit_id, task.post, None):
            if task.state != "open":
                raise TaskClosed
            taken = work.session.get(Account, task.assignee_id)
            raise TaskTaken(f"该待办已被{taken.name}签收" if taken else None)
        raise NotAllowed("该待办不属于您的岗位，不能办理")
    if task.state != "open":
        raise TaskClosed
    if instance.state != "running":
        raise NotRunning


@command
def claim_task(store: Store, task_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Claims 签收 an open task for the actor. Claiming one's own task again changes nothing.

    Raises TaskTaken when a colleague has it, TaskClosed, NotAllowed.
    """
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        _require_open(work, task, instance, actor)
        if task.assignee_id == actor.account_id:
            return
        task.assignee_id = actor.account_id
        append_entry(work, instance, Entry(act="claimed", at=work.now, step=task.step, definition_id=instance.definition_id,
                                           data={"name": task.name}))


@command
def unclaim_task(store: Store, task_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Puts a claimed task back 放回 for the post. Raises TaskClosed, NotAllowed when it is not the actor's."""
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        _require_open(work, task, instance, actor)
        if task.assignee_id != actor.account_id:
            raise Stale("该待办未由您签收，无需放回")
        task.assignee_id = None
        append_entry(work, instance, Entry(act="unclaimed", at=work.now, step=task.step, definition_id=instance.definition_id,
                                           data={"name": task.name}))


@command
def complete_task(
    store: Store, task_id: int, *, actor: Actor, answers: Mapping[str, Any], opinion: str = "", attachments: Sequence[int] = (),
    origin: Origin = Origin(),
) -> None:
    """Completes 办结 a task with the answers of its form and an opinion; claims it on the way if nobody has.

    What is overdue fires first, so a late completion is marked 逾期办结.

    Raises Invalid with a message per field (nothing changed), TaskTaken, TaskClosed, NotRunning, NotAllowed, NotFound;
    CaseFault when the steps behind it fail: the completion is undone and the operator has an incident.
    """
    with reporting(store, task_id=task_id), store.work(actor, origin) as work:
        complete_in(work, task_id, actor=actor, answers=answers, opinion=opinion, attachments=attachments)


def complete_in(
    work: Work, task_id: int, *, actor: Actor, answers: Mapping[str, Any], opinion: str = "", attachments: Sequence[int] = (),
) -> None:  # fmt: skip
    """`complete_task` in the caller's transaction, whose actor is `actor`; what fails behind it is raised as it is."""
    task, instance = lock_task(work, task_id)
    _require_open(work, task, instance, actor)
    definition = deployed(work.session, instance.definition_id)
    step = definition.diagram.steps[task.step]
    form = definition.forms.get(step.form) if step.form else None
    values = _validated(step, form, answers, opinion, instance.variables)
    taken = take_attachments(work, attachments, instance_id=instance.id, actor=actor, task_id=task.id)
    said: dict[str, Any] = {"answers": values, "opinion": opinion.strip(), "task": task.id}
    if taken:
        said["attachments"] = taken
    data = answers_of(form, values) if form else values
    advance(work, instance, Complete(task, values, data, said))


def _validated(
    step: Step, form: Mapping[str, Any] | None, answers: Mapping[str, Any], opinion: str, variables: Mapping[str, Any],
) -> dict[str, Any]:
    """The values of the answers. Raises Invalid naming every field that is wrong, the opinion among them."""
    if form is None:
        values, errors = {}, {key: f"表单中没有“{key}”这一项" for key in answers}
    else:
        checked = validate(form, answers, variables)
        values, errors = checked.values, dict(checked.errors)
    policy = step.properties.get("opinion", "optional")
    if len(opinion) > OPINION_MAX:
        errors["opinion"] = f"意见不能超过{OPINION_MAX}字"
    elif not opinion.strip() and opinion_needed(form, policy, values, variables):
        errors["opinion"] = "请填写意见"
    if errors:
        raise Invalid(errors)
    return values
