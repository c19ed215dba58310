"""What a completion did, kept until somebody acts: so that it can be taken back exactly, tokens, data and clocks alike.

Going back over the diagram would only come near it: an activity around would begin anew, and a vote be counted afresh. So the
instance keeps how it stood before its last completion, a few hundred bytes, replaced by the next one. It is worth nothing any
more as soon as the history goes on, and none is kept where something happened that the case alone cannot undo: an operation, a
call, a message to another case, the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from engine.process.actions import actions_of
from engine.process.case import Case
from engine.process.interpreter.model import Passed
from engine.process.projection import Changes
from engine.process.tables import Instance, Task, Timer
from engine.store.errors import Stale

#: Kinds of steps whose work reaches beyond the case.
_BEYOND = frozenset({"service", "send", "call"})


@dataclass(frozen=True, slots=True)
class Before:
    """How a case stands before a completion."""

    state: bytes
    variables: dict[str, Any]
    clocks: list[tuple[Timer, str, list[Any], datetime | None]]
    tasks: list[tuple[Task, int]]
    """The open tasks, with how many signatures each waits for."""


def before(case: Case, step: str) -> Before | None:
    """How the case stands now; None where the diagram lets nobody take the step back."""
    if "withdraw" not in actions_of(case.diagram, step) or any(timer.id is None for timer in case.timers):
        return None
    clocks = [(timer, timer.state, timer.pauses, timer.restart_at) for timer in case.timers]
    return Before(case.state(), dict(case.variables), clocks, [(task, task.signatures) for task in case.tasks.values()])


def keep(case: Case, was: Before, task: Task, passed: Iterable[Passed], changes: Changes) -> None:
    """Keeps how it was before `task` was completed, if nothing has happened that cannot be taken back."""
    if case.machine.ended or _beyond(passed) or (changes.left and case.instance.supervised):
        return
    cancelled = [(other, signatures) for other, signatures in was.tasks if other.state == "cancelled"]
    if any(signatures for _, signatures in cancelled):
        return  # who was to sign has been told that it is over
    now = case.variables
    case.undo = {
        "task": task.id, "state": was.state.decode(),
        "data": {name: value for name, value in was.variables.items() if name not in now or now[name] != value},
        "added": [name for name in now if name not in was.variables],
        "timers": [
            [timer.id, state, pauses, restart_at.isoformat() if restart_at else None]
            for timer, state, pauses, restart_at in was.clocks
            if (timer.state, timer.pauses, timer.restart_at) != (state, pauses, restart_at)
        ],
        "tasks": [other.id for other, _ in cancelled],
    }  # fmt: skip


def keep_start(case: Case, passed: Iterable[Passed]) -> None:
    """Keeps that the start can be taken back: nothing but the case itself was touched by it."""
    start = start_step(case)
    if case.instance.starter_id is not None and not case.machine.ended and "withdraw" in actions_of(case.diagram, start) and not _beyond(passed):
        case.undo = {"task": None}


def start_step(case: Case) -> str:
    """The start event of the process."""
    return next(step.id for step in case.diagram_steps.values() if step.kind == "start" and step.parent is None)


def _beyond(passed: Iterable[Passed]) -> bool:
    return any(step.kind in _BEYOND for step in passed)


def kept(instance: Instance) -> dict[str, Any] | None:
    """What can be taken back of a case: {"task": id, or None for the start}; None where somebody has acted since, or never could."""
    if instance.state != "running" or not instance.undo:
        return None
    found: dict[str, Any] = orjson.loads(instance.undo)
    return found if found["seq"] == instance.history_seq else None


def restore(case: Case, undo: Mapping[str, Any], task: Task) -> None:
    """Puts the case back to where it stood before `task` was completed; `project` must follow.

    The rows are the ones that there were: the task is open again, and its clocks and those around go on from their beginning.
    """
    session = case.work.session
    case.go_on_from(undo["state"].encode())
    added = set(undo["added"])
    case.variables = {**{name: value for name, value in case.variables.items() if name not in added}, **undo["data"]}
    others = session.scalars(select(Task).where(Task.id.in_(undo["tasks"])).order_by(Task.id)) if undo["tasks"] else ()
    for row in (task, *others):
        row.state, row.completed_at, row.completed_by, row.late = "open", None, None, False
        case.tasks[row.token] = row
    homes = set(case.tasks)
    rows = {timer_id: (state, pauses, restart_at) for timer_id, state, pauses, restart_at in undo["timers"]}
    for timer in session.scalars(select(Timer).where(Timer.id.in_(rows)).order_by(Timer.id)) if rows else ():
        state, timer.pauses, restart_at = rows[timer.id]
        timer.restart_at = datetime.fromisoformat(restart_at) if restart_at else None
        timer.state = state
        if timer not in case.timers:
            case.timers.append(timer)
        homes.add(timer.activity or timer.token)
    case.timers.sort(key=lambda timer: (timer.id is None, timer.id))
    case.work.notes.setdefault(f"recount:{case.instance.id}", set()).update(homes)


def require(instance: Instance, task_id: int | None) -> dict[str, Any]:
    """What was kept for this very task (None: the start). Raises Stale when somebody has acted since."""
    undo = kept(instance)
    if undo is None or undo["task"] != task_id:
        raise Stale("该环节办结后已有后续办理或已不能撤回，如需更正请联系后续经办人退回")
    return undo
