"""Withdrawing 撤回: who completed a step, or started a case, takes it back while nobody has acted since.

The case then stands exactly as before (`undoing`), and its clocks go on as if they had never been interrupted. Whoever takes the
start back has its form again as a task: to correct it and submit it again, or to give the case up.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from engine.people import permissions
from engine.people.actor import Actor
from engine.process import undoing
from engine.process.actions import actions_of
from engine.process.advance import advance
from engine.process.answering import checked_reason
from engine.process.case import lock_instance
from engine.process.definitions import deployed
from engine.process.incidents import reporting
from engine.process.instances import may_start_again
from engine.process.moves import Terminate, Withdraw
from engine.process.tables import Instance, Task
from engine.process.tasks import lock_task, require_open
from engine.store.errors import NotAllowed, NotRunning
from engine.store.store import Origin, Store, Work, command


@dataclass(frozen=True, slots=True)
class Withdrawable:
    """What somebody may take back now."""

    task_id: int | None
    """The completed task; None where it is the start of the case."""
    name: str
    """The step's name."""


def withdrawable(session: Session, actor: Actor, instance_id: int) -> Withdrawable | None:
    """What the actor may take back of a case now; None where nothing. One or two queries."""
    instance = session.scalars(select(Instance).where(Instance.id == instance_id).options(undefer(Instance.undo))).first()
    undo = undoing.kept(instance) if instance is not None else None
    if instance is None or undo is None:
        return None
    if undo["task"] is None:
        mine = instance.starter_id == actor.account_id and may_start_again(session, actor, instance)
        return Withdrawable(None, "发起") if mine else None
    task = session.get_one(Task, undo["task"])
    return Withdrawable(task.id, task.name) if _may_take_back(actor, task) else None


@command
def withdraw_task(store: Store, task_id: int, *, actor: Actor, reason: str = "", origin: Origin = Origin()) -> None:
    """Takes back 撤回 the completion of a task: the step is the actor's again, with its clocks and with what they had answered.

    Raises NotAllowed for a task of somebody else, or where the diagram lets nothing be taken back; Stale when somebody has
    acted since or something is overdue, NotRunning, NotFound.
    """
    said = checked_reason(reason)
    with reporting(store, task_id=task_id), store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        if not _may_take_back(actor, task):
            raise NotAllowed("只有办结该待办的经办人可以撤回")
        _require_running(work, instance, task.step)
        advance(work, instance, Withdraw(task, undoing.require(instance, task.id), said))


@command
def withdraw_start(store: Store, instance_id: int, *, actor: Actor, reason: str = "", origin: Origin = Origin()) -> None:
    """Takes back 撤回 the start of a case: its starter has the start form again as a task, to correct it or to give the case up.

    Raises as `withdraw_task`.
    """
    said = checked_reason(reason)
    with store.work(actor, origin) as work:
        instance = lock_instance(work, instance_id)
        if instance.starter_id != actor.account_id or not may_start_again(work.session, actor, instance):
            raise NotAllowed("只有发起人可以撤回该办件")
        diagram = deployed(work.session, instance.definition_id).diagram
        _require_running(work, instance, next(step.id for step in diagram.steps.values() if step.kind == "start" and step.parent is None))
        advance(work, instance, Withdraw(None, undoing.require(instance, None), said))


@command
def give_up(store: Store, task_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """The starter gives up a case that was returned to them, or that they took back: it ends as withdrawn 已撤回.

    `task_id` is the task to correct and submit again. Raises NotAllowed, Invalid without a reason, TaskClosed, NotRunning, NotFound.
    """
    said = checked_reason(reason, "请填写撤回理由")
    with store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_open(work, task, instance, actor)
        steps = deployed(work.session, instance.definition_id).diagram.steps
        if steps[task.step].kind != "start" or instance.starter_id != actor.account_id:
            raise NotAllowed("只有发起人可以撤回退回给自己的办件")
        advance(work, instance, Terminate(said, given_up=True))


def _may_take_back(actor: Actor, task: Task) -> bool:
    """Whether the actor completed the task, and still holds its post."""
    own = task.state == "done" and task.completed_by == actor.account_id and task.main_id is None
    return own and permissions.may_work(actor, task.unit_id, task.post, None)


def _require_running(work: Work, instance: Instance, step: str) -> None:
    if instance.state != "running":
        raise NotRunning
    if "withdraw" not in actions_of(deployed(work.session, instance.definition_id).diagram, step):
        raise NotAllowed("该环节的流程未设“撤回”")
