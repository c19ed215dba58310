"""Withdrawing 撤回: who completed a step, or started a case, takes it back while nobody has acted since.

The case then stands exactly as before, and its clocks go on as if they had never been interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.store.errors import NotAllowed
from engine.store.store import Origin, Store, command


@dataclass(frozen=True, slots=True)
class Withdrawable:
    """What somebody may take back now."""

    task_id: int | None
    """The completed task; None where it is the start of the case."""
    name: str
    """The step's name."""


def withdrawable(session: Session, actor: Actor, instance_id: int) -> Withdrawable | None:
    """What the actor may take back of a case now; None where nothing."""
    return None


@command
def withdraw_task(store: Store, task_id: int, *, actor: Actor, reason: str = "", origin: Origin = Origin()) -> None:
    """Takes back 撤回 the completion of a task: the step is the actor's again, with its clocks.

    Raises NotAllowed, Stale when somebody has acted since, NotRunning, NotFound.
    """
    raise NotAllowed("该环节不能撤回")


@command
def withdraw_start(store: Store, instance_id: int, *, actor: Actor, reason: str = "", origin: Origin = Origin()) -> None:
    """Takes back 撤回 the start of a case: its starter has the start form again as a task, to correct it or to give the case up.

    Raises as `withdraw_task`.
    """
    raise NotAllowed("该办件不能撤回")


@command
def give_up(store: Store, task_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """The starter gives up a case that was returned to them, or that they took back: it ends as withdrawn 已撤回.

    `task_id` is the task to correct and submit again. Raises NotAllowed, Invalid without a reason, TaskClosed, NotRunning, NotFound.
    """
    raise NotAllowed("该办件不能撤回")
