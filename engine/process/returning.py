"""Returning 退回: whoever works on a task sends the case back to its starter or to a step that was done before.

The case then stands as a case could stand there (`interpreter.going_back`): no branch is orphaned and no task is lost, or the
step is not offered. Nobody escapes a statutory limit by returning, unless the diagram names the step.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.store.errors import NotAllowed
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
    """Where the actor may return this task now, the starter first, then the steps that were done last; empty where nowhere."""
    return []


@command
def return_task(store: Store, task_id: int, *, actor: Actor, to: str, reason: str, origin: Origin = Origin()) -> None:
    """Returns 退回 a task to `to` (a step's id, `starter` or `previous`), with a reason that stays on record.

    Raises Invalid without a reason or where `to` is no target, NotAllowed, TaskTaken, TaskClosed, NotRunning, NotFound.
    """
    raise NotAllowed("该环节不能退回")
