"""Where a case stands: the waiting steps inside of the activities that enclose them, as a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sqlalchemy.orm import Session, undefer

from engine.process.definitions import deployed
from engine.process.interpreter.machine import Machine
from engine.process.interpreter.model import Step
from engine.process.tables import OPEN_STATES, Instance
from engine.store.errors import NotFound

#: Kind of a step → what the original calls it.
KINDS = {
    "user": "userTask", "manual": "manualTask", "service": "serviceTask", "script": "scriptTask", "send": "sendTask", "receive": "receiveTask",
    "call": "callActivity", "subprocess": "subProcess", "start": "noneStartEvent", "end": "noneEndEvent", "gateway": "exclusiveGateway",
    "timer": "intermediateTimer", "message": "intermediateMessageCatch", "signal": "intermediateSignalCatch", "event": "intermediateEvent",
}  # fmt: skip


def kind_of(step: Step | None) -> str:
    """What the original calls a step; boundary events by what they wait for."""
    if step is None:
        return "userTask"
    if step.attached_to:
        return {"timer": "boundaryTimer", "message": "boundaryMessage", "signal": "boundarySignal"}.get(step.kind, "boundaryEvent")
    return KINDS[step.kind]


@dataclass(slots=True)
class Node:
    """An activity that goes on; `id` is the interpreter's token, the case's own for the root."""

    id: str
    step: str
    name: str | None
    kind: str
    children: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """A host that only lets the state be read."""

    variables: dict[str, Any]
    words: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def operate(self, step: Step, parameters: Mapping[str, Any]) -> NoReturn:
        raise RuntimeError("reading where a case stands runs nothing")


def tree_of(session: Session, instance_id: int) -> Node:
    """Where a running case stands. Boundary events are left out: they wait with their activity. One query. Raises NotFound."""
    row = session.get(Instance, instance_id, options=[undefer(Instance.saved)])
    if row is None or row.state not in OPEN_STATES:
        raise NotFound(f"No matching process instance with id {instance_id}")
    diagram = deployed(session, row.definition_id).diagram
    root = Node(str(row.id), diagram.key, diagram.name, "processDefinition")
    known: dict[str, Node] = {}
    for waiting in Machine.load(diagram, row.saved, host=_Reader(dict(row.variables))).waiting():
        if waiting.activity is not None:
            continue
        above, places = root, _enclosing(diagram.steps, waiting.step)
        for token, step in zip(waiting.path, places[-len(waiting.path) :] if waiting.path else [], strict=False):
            above = _under(above, known, token, diagram.steps.get(step), step)
        _under(above, known, waiting.token, diagram.steps.get(waiting.step), waiting.step)
    return root


def _under(above: Node, known: dict[str, Node], token: str, step: Step | None, step_id: str) -> Node:
    if token not in known:
        known[token] = Node(token, step_id, step.name if step else None, kind_of(step))
        above.children.append(known[token])
    return known[token]


def _enclosing(steps: Mapping[str, Step], step: str) -> list[str]:
    """The subprocesses around a step, outermost first."""
    found: list[str] = []
    parent = steps[step].parent if step in steps else None
    while parent is not None:
        found.insert(0, parent)
        parent = steps[parent].parent if parent in steps else None
    return found
