"""Moving the tokens of a case as other programs ask for it: as far as that is a return 退回.

A case stands where people work; what a program asks for is done where it is one return that ends exactly what is named, and
refused otherwise, so that nothing happens that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people.actor import Actor
from engine.process.actions import STARTER
from engine.process.definitions import deployed
from engine.process.returning import return_targets, return_task
from engine.process.tables import ExternalTask, Instance, Task
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to end: one waiting token, or all that wait at a step."""

    token: str | None = None
    step: str | None = None


def go_back(store: Store, instance_id: int, *, actor: Actor, ends: Sequence[Ending], to: str, reason: str, origin: Origin = Origin()) -> None:
    """Returns the case to the step `to` (the start event: to its starter), ending exactly what is named.

    Raises Invalid where a name fits nothing that waits, nothing named is a task, or the return would end something else;
    NotFound; and as `return_task`.
    """
    with store.read() as session:
        tasks, tokens = _named(session, instance_id, ends)
        instance = session.get(Instance, instance_id)
        if instance is None:
            raise NotFound("没有找到该办件")
        step = deployed(session, instance.definition_id).diagram.steps.get(to)
        if step is not None and step.kind == "start" and step.parent is None:
            to = STARTER
        ways = (task for task in tasks if any(target.step == to for target in return_targets(session, actor, task)))
        chosen = next(ways, tasks[0])
    return_task(store, chosen, actor=actor, to=to, reason=reason, ends=tokens, origin=origin)


def _named(session: Session, instance_id: int, ends: Sequence[Ending]) -> tuple[list[int], frozenset[str]]:
    """The named tasks, and the tokens of all that is named. Two queries. Raises Invalid."""
    tasks = session.execute(
        select(Task.id, Task.token, Task.step).where(Task.instance_id == instance_id, Task.state == "open", Task.main_id.is_(None)).order_by(Task.id)
    ).all()
    outside = session.execute(
        select(ExternalTask.token, ExternalTask.step).where(ExternalTask.instance_id == instance_id, ExternalTask.state == "waiting")
    ).all()
    found: set[str] = set()
    for end in ends:
        fits = {row.token for row in (*tasks, *outside) if end.token == row.token or (end.token is None and end.step == row.step)}
        if not fits:
            raise Invalid({"instructions": f"没有正在等待办理的环节“{end.token or end.step}”"})
        found |= fits
    own = [row.id for row in tasks if row.token in found]
    if not own:
        raise Invalid({"instructions": "退回应当从一个待办开始"})
    return own, frozenset(found)
