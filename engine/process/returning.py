"""Returning 退回: whoever works on a task sends the case back to its starter or to a step that was done before.

The case then stands as a case could stand there (`interpreter.going_back`): no branch is orphaned and no task is lost, or the
step is not offered. Nobody escapes a statutory limit by returning, and nobody returns over what took effect beyond the case (`lasting`),
unless the diagram names the step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session, undefer

from engine.people.actor import Actor
from engine.people.tables import Account
from engine.process.actions import ANY, PREVIOUS, STARTER, actions_of, listed, return_targets_named, works
from engine.process.advance import advance
from engine.process.answering import checked_reason
from engine.process.belonging import delegated, held, may_work
from engine.process.definitions import Deployed, deployed
from engine.process.incidents import reporting
from engine.process.interpreter.machine import Machine, Onlooker
from engine.process.interpreter.model import CannotGoBack
from engine.process.lasting import lasting
from engine.process.moves import Return
from engine.process.projection import REVISION
from engine.process.tables import ExternalTask, Instance, Task, Timer
from engine.process.tasks import lock_task, require_free, require_open, require_own
from engine.store.errors import Invalid, NotAllowed, Stale
from engine.store.store import Origin, Store, command


@dataclass(frozen=True, slots=True)
class ReturnTarget:
    """Where a task may be returned to."""

    step: str
    """Id of the step, or `starter` for whoever started the case."""
    name: str
    """The step's name."""
    person: str
    """Who did it, and gets it again if they may still work there; empty where nobody is known."""
    label: str
    """Both, for a list to choose from."""


def return_targets(session: Session, actor: Actor, task_id: int) -> list[ReturnTarget]:
    """Where the actor may return this task now, the starter first, then the steps that were done last; empty where nowhere.

    Up to six queries.
    """
    found = session.execute(
        select(Instance, Task).join(Task, Task.instance_id == Instance.id).where(Task.id == task_id).options(undefer(Instance.saved))
    ).first()
    if found is None:
        return []
    instance, task = found
    closed = task.state != "open" or instance.state != "running"
    if closed or task.main_id is not None or delegated(task) or held(task) or not may_work(actor, task):
        return []
    return targets_of(session, instance, task)


@command
def return_task(
    store: Store, task_id: int, *, actor: Actor, to: str, reason: str, ends: Collection[str] | None = None, origin: Origin = Origin()
) -> None:
    """Returns 退回 a task to `to` (a step's id, `starter` or `previous`), with a reason that stays on record.

    `ends`: the tokens of the tasks and external tasks that may end by it, which must be exactly those; None asks for nothing.

    What is overdue fires first. Raises Invalid without a reason or where `to` is no target, NotAllowed where the diagram lets
    nothing be returned from here or the actor may not work on it, TaskTaken, TaskClosed, Stale where it was delegated to the
    actor or is held, NotRunning, NotFound; CaseFault as `complete_task`.
    """
    said = checked_reason(reason, "请填写退回理由")
    with reporting(store, task_id=task_id), store.work(actor, origin) as work:
        task, instance = lock_task(work, task_id)
        require_open(work, task, instance, actor)
        require_own(work, task)
        require_free(task)
        if "return" not in actions_of(deployed(work.session, instance.definition_id).diagram, task.step):
            raise NotAllowed("该环节的流程未设“退回”")
        offered = targets_of(work.session, instance, task)
        if to == PREVIOUS:
            to = next((target.step for target in offered if target.step != STARTER), to)
        if all(target.step != to for target in offered):
            raise Invalid({"to": "不能退回该环节，请重新选择"})
        before = _waiting(work.session, instance.id) if ends is not None else {}
        try:
            advance(work, instance, Return(task, None if to == STARTER else to, said))
        except CannotGoBack:
            # What was overdue has fired first, and the case stands elsewhere now.
            raise Stale from None
        if ends is not None:
            gone = before.keys() - _waiting(work.session, instance.id).keys()
            if gone != set(ends):
                raise Invalid({"instructions": _otherwise(before, gone, set(ends))})


def _waiting(session: Session, instance_id: int) -> dict[str, str]:
    """Token → name of the tasks, token → topic of the external tasks that wait. Two queries."""
    tasks = select(Task.token, Task.name).where(Task.instance_id == instance_id, Task.state == "open", Task.main_id.is_(None))
    outside = select(ExternalTask.token, ExternalTask.topic).where(ExternalTask.instance_id == instance_id, ExternalTask.state == "waiting")
    return {token: name for query in (tasks, outside) for token, name in session.execute(query)}


def _otherwise(names: Mapping[str, str], gone: Set[str], asked: Set[str]) -> str:
    """What a return ends that nobody named, or does not end although somebody did."""
    more, less = ("、".join(sorted(f"“{names[token]}”" for token in tokens if token in names)) for tokens in (gone - asked, asked - gone))
    return f"退回还会撤销{more}，请一并写明" if more else f"退回到该环节时{less or '所写的环节'}仍将继续，不能撤销"


# -- where to -----------------------------------------------------------------------------------


def targets_of(session: Session, instance: Instance, task: Task) -> list[ReturnTarget]:
    """Where an open task may be returned to, whoever asks. The instance must hold its `saved` state."""
    definition = deployed(session, instance.definition_id)
    diagram = definition.diagram
    if "return" not in actions_of(diagram, task.step) or not works(diagram.steps[task.step]):
        return []
    named = return_targets_named(diagram, task.step)
    explicit = diagram.steps[task.step].properties.get("returnTo") is not None
    machine = Machine.load(diagram, instance.saved, host=Onlooker())
    done: dict[str, Any] = {}
    for row in _done(session, instance, definition):
        done.setdefault(row.step, row)
    ways = machine.could_go_back(task.token, done)
    statutory, lasts = _statutory(session, instance.id), lasting(session, instance, diagram)
    found: list[ReturnTarget] = []
    start = next(step.id for step in diagram.steps.values() if step.kind == "start" and step.parent is None)
    free = explicit or not (statutory or lasts.between(None, start, task.step))
    if STARTER in named and free and _has_starter(instance, definition) and not machine.is_beside(task.token):
        starter = session.get_one(Account, instance.starter_id).name
        found.append(ReturnTarget(STARTER, "发起人", starter, f"发起人（{starter}）：{REVISION}"))
    previous = True
    for step, row in done.items():
        if step not in ways:
            continue
        free = not statutory & ways[step] and not lasts.between(row.id, step, task.step) and (ANY in named or (PREVIOUS in named and previous))
        previous = False
        if step in named or free:
            name, person = diagram.steps[step].name, row.person or ""
            found.append(ReturnTarget(step, name, person, f"{name}（{person}）" if person else name))
    return found


def _done(session: Session, instance: Instance, definition: Deployed) -> list[Row[int, str, str, str | None]]:
    """Which steps people have done in this case, and who; the last first. What another version calls otherwise is none of them."""
    steps = definition.diagram.steps
    rows = session.execute(
        select(Task.id, Task.step, Task.name, Account.name.label("person"))
        .outerjoin(Account, Account.id == Task.completed_by)
        .where(Task.instance_id == instance.id, Task.state == "done", Task.main_id.is_(None)).order_by(Task.completed_at.desc(), Task.id.desc())
    ).all()
    return [row for row in rows if row.step in steps and works(steps[row.step]) and steps[row.step].name == row.name]


def _statutory(session: Session, instance_id: int) -> frozenset[str]:
    """The tokens of the activities whose clock the law limits."""
    timers = session.scalars(
        select(Timer).where(Timer.instance_id == instance_id, Timer.role == "deadline", Timer.state.in_(("waiting", "paused", "fired")))
    )
    return frozenset(timer.activity or timer.token for timer in timers if "statutory_max" in timer.rule)


def _has_starter(instance: Instance, definition: Deployed) -> bool:
    """Whether a person started the case, and may do so again."""
    by_a_person = instance.starter_id is not None and instance.unit_id is not None and instance.parent_id is None
    return by_a_person and bool(listed(definition.diagram.properties.get("startPosts", "")))
