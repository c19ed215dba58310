"""What a case has done that a return does not undo: operations that took effect beyond it, such as a grant or an issued
letter, and signals that it threw.

They would run again on the way back, and what they did first would stand. So nobody returns over one of their own accord; where
that is meant, the diagram names the step. What only reads or tells people (`Operation.repeatable`) counts for nothing, and so
does what ran on a branch beside the way, such as a reminder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.history import History
from engine.process.definitions import deployed
from engine.process.interpreter.model import Diagram, Step
from engine.process.operations import OPERATIONS
from engine.process.tables import Instance


@dataclass(frozen=True, slots=True)
class Lasting:
    """The operations of a case that took effect, by the record."""

    diagram: Diagram
    effects: tuple[tuple[int, str], ...] = ()
    """(number of the history entry, element)"""
    completed: Mapping[int, int] | None = None
    """Task → number of the entry that completed it."""

    def between(self, task_id: int | None, target: str, present: str) -> bool:
        """Whether one of them lies on the way from `target` (completed as that task; None: the start) to the step `present`."""
        since = (self.completed or {}).get(task_id, 0) if task_id is not None else 0
        later = {element for number, element in self.effects if number >= since}
        if not later:
            return False
        onward = {element: _onward(self.diagram, element) for element in (target, *later) if element in self.diagram.steps}
        return any(element not in onward or (element in onward[target] and present in onward[element]) for element in later)


def lasting(session: Session, instance: Instance, diagram: Diagram) -> Lasting:
    """What of a case lasts. No query where the diagram has no such operation, else one."""
    if not any(map(_lasts, diagram.steps.values())):
        return Lasting(diagram)
    effects, completed = [], {}
    rows = session.execute(
        select(History.seq, History.act, History.definition_id, History.data).where(History.instance_id == instance.id).order_by(History.seq)
    )
    for number, act, definition_id, data in rows:
        steps = deployed(session, definition_id).diagram.steps if definition_id is not None else diagram.steps
        for element, how in data.get("passed", ()):
            if how == "completed" and element in steps and _lasts(steps[element]):
                effects.append((number, element))
        if act == "completed" and "task" in data:
            completed[data["task"]] = number
    return Lasting(diagram, tuple(effects), completed)


def _lasts(step: Step) -> bool:
    if step.topic or (step.signal and step.kind in ("event", "end")):
        return True  # a worker outside has done it; a signal has moved other cases
    found = OPERATIONS.get(step.operation) if step.operation else None
    return found is not None and not found.repeatable


def _onward(diagram: Diagram, element: str) -> frozenset[str]:
    """Every step that can follow; not what only an event beside it opens."""
    seen: set[str] = set()
    todo = list(_next(diagram, element))
    while todo:
        step = todo.pop()
        if step not in seen:
            seen.add(step)
            todo += _next(diagram, step)
    return frozenset(seen)


def _next(diagram: Diagram, element: str) -> Iterable[str]:
    step = diagram.steps[element]
    found = [diagram.flows[flow].target for flow in step.outgoing]
    found += [other.id for other in diagram.steps.values() if other.attached_to == element and not _beside(diagram, other)]
    if step.kind == "subprocess":
        found += [other.id for other in diagram.steps.values() if other.parent == element and other.kind == "start"]
    if not step.outgoing and step.parent is not None:
        found += [diagram.flows[flow].target for flow in diagram.steps[step.parent].outgoing]
    return found


def _beside(diagram: Diagram, event: Step) -> bool:
    """Whether a boundary event opens a branch beside its activity."""
    rule = diagram.timers.get(event.id)
    return rule is not None and not rule.interrupting
