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
from engine.process import signing
from engine.process.advance import advance
from engine.process.answering import checked_answers
from engine.process.attachments import take_attachments
from engine.process.belonging import delegated, form_of, held, may_work, needed_post, opinion_policy, votes_in_person
from engine.process.definitions import deployed
from engine.process.forms import answers_of
from engine.process.history_of import append_entry
from engine.process.incidents import reporting
from engine.process.instances import submitted_again
from engine.process.moves import Complete
from engine.process.prepared import prepared_of
from engine.process.step_forms import names_at
from engine.process.tables import Instance, Task
from engine.store.errors import NotAllowed, NotFound, NotRunning, Stale, TaskClosed, TaskTaken
from engine.store.store import Origin, Store, Work, command


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


def require_open(work: Work, task: Task, instance: Instance, actor: Actor) -> None:
    """The task is open, and the actor may work on it now. The order matters: who may not see it learns nothing of it."""
    if not may_work(actor, task):
        if task.assignee_id is not None and permissions.may_claim_from(actor, task.unit_id, needed_post(task)):
            if task.state != "open":
                raise TaskClosed
            raise TaskTaken(_whose(work, task, actor))
        raise NotAllowed("该待办不属于您的岗位，不能办理")
    if task.state != "open":
        raise TaskClosed
    if instance.state != "running":
        raise NotRunning


def _whose(work: Work, task: Task, actor: Actor) -> str | None:
    """Whose task it is now, in a sentence for somebody who might have had it."""
    taken = work.session.get(Account, task.assignee_id)
    if taken is None:
        return None
    if task.main_id is not None:
        return f"该加签须由{taken.name}本人签署"
    if delegated(task) and task.owner_id == actor.account_id:
        return f"您已将该待办委派给{taken.name}，请等待交回，或先收回委派"
    return f"该待办已被{taken.name}签收"


def require_own(work: Work, task: Task) -> None:
    """The step's own task, in the hands of who answers for it. Raises Stale for a delegated one and for a signature."""
    if task.main_id is not None:
        raise Stale("加签待办只能签署意见")
    if delegated(task):
        owner = work.session.get(Account, task.owner_id)
        raise Stale(f"该待办由{owner.name if owner else '同事'}委派给您，请办理后交回")


def require_free(task: Task) -> None:
    """The assignee has not completed it yet. Raises Stale where it only waits for signatures."""
    if held(task):
        raise Stale("该待办已提交，正在等待加签人签署意见")


@command
def claim_task(store: Store, task_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Claims 签收 an open task for the actor. Claiming one's own task again changes nothing.

    Raises TaskTaken when a colleague has it, TaskClosed, NotAllowed.
    """
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_open(work, task, instance, actor)
        if task.assignee_id == actor.account_id:
            return
        task.assignee_id, task.for_id = actor.account_id, None
        append_entry(work, instance, Entry(act="claimed", at=work.now, step=task.step, definition_id=instance.definition_id,
                                           data={"name": task.name, "task": task.id}))


@command
def unclaim_task(store: Store, task_id: int, *, actor: Actor, origin: Origin = Origin()) -> None:
    """Puts a claimed task back 放回 for the post.

    Raises TaskClosed, NotAllowed when it is not the actor's, Stale when it was given to the actor in person.
    """
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_open(work, task, instance, actor)
        if task.assignee_id != actor.account_id:
            raise Stale("该待办未由您签收，无需放回")
        require_own(work, task)
        require_free(task)
        if votes_in_person(deployed(work.session, instance.definition_id), task):
            raise Stale("该会签待办由流程指定您本人表决，不能放回岗位")
        task.assignee_id = task.for_id = None
        append_entry(work, instance, Entry(act="unclaimed", at=work.now, step=task.step, definition_id=instance.definition_id,
                                           data={"name": task.name, "task": task.id}))


@command
def complete_task(
    store: Store, task_id: int, *, actor: Actor, answers: Mapping[str, Any], opinion: str = "", attachments: Sequence[int] = (),
    origin: Origin = Origin(),
) -> None:
    """Completes 办结 a task with the answers of its form and an opinion; claims it on the way if nobody has.

    What is overdue fires first, so a late completion is marked 逾期办结. Where signatures 加签 are outstanding, it is held
    until the last one (completing again changes what is held); of a signature, it is the signer's own.

    Raises Stale where it was delegated to the actor, or must be signed before. Raises Invalid with a message per field (nothing changed), TaskTaken, TaskClosed, NotRunning, NotAllowed, NotFound;
    CaseFault when the steps behind it fail: the completion is undone and the operator has an incident.
    """
    with reporting(store, task_id=task_id), store.work(actor, origin) as work:
        complete_in(work, task_id, actor=actor, answers=answers, opinion=opinion, attachments=attachments)


def complete_in(
    work: Work, task_id: int, *, actor: Actor, answers: Mapping[str, Any], opinion: str = "", attachments: Sequence[int] = (),
    fill_in: bool = False,
) -> None:  # fmt: skip
    """`complete_task` in the caller's transaction, whose actor is `actor`; what fails behind it is raised as it is.

    `fill_in`: answers that were set ahead (`prepared`) are taken where none is sent, as programs expect.
    """
    task, instance = lock_task(work, task_id)
    require_open(work, task, instance, actor)
    definition = deployed(work.session, instance.definition_id)
    form = form_of(definition, task)
    if fill_in and (ahead := prepared_of(task, form)):
        answers = {**ahead.values, **answers}
    if task.main_id is not None:
        signing.sign(work, instance, task, actor=actor, answers=answers, opinion=opinion, attachments=attachments)
        return
    require_own(work, task)
    waits = signing.waits_for_signatures(work, task)
    values = checked_answers(form, opinion_policy(definition.diagram.steps[task.step], task), answers, opinion, names_at(instance.variables, task.local))
    earlier = signing.given_files(work, task) if task.answers is not None else []
    taken = [*earlier, *take_attachments(work, attachments, instance_id=instance.id, actor=actor, task_id=task.id)]
    if task.assignee_id is None:
        task.assignee_id, task.for_id = actor.account_id, None
    if waits:
        signing.hold(work, instance, task, values, opinion.strip(), taken)
        return
    said: dict[str, Any] = {"answers": values, "opinion": opinion.strip(), "task": task.id}
    if taken:
        said["attachments"] = taken
    if task.for_id is not None:
        said["for"] = signing.name_of(work, task.for_id)
    if definition.diagram.steps[task.step].kind == "start":
        data = submitted_again(work.session, definition, instance, values)
    else:
        data = answers_of(form, values) if form else values
    advance(work, instance, Complete(task, values, data, said))
