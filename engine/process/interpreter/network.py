"""From the index of a file to SpiffWorkflow specs, node by node.

Built directly, without SpiffWorkflow's recursive parser: what this file does not name does not exist, and
nothing of a diagram is silently taken in. The structure check has run before; here everything fits.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.process.interpreter.countersign import countersign_of
from engine.process.interpreter.document import BPMN, Document, Element, text_of
from engine.process.interpreter.events import Boundary, Catch, End, Start, Throw
from engine.process.interpreter.gateways import EventGateway, Exclusive, Inclusive, Parallel
from engine.process.interpreter.graph import nearest_dominators, sources_of
from engine.process.interpreter.model import Step
from engine.process.interpreter.multi import Loop, Multi
from engine.process.interpreter.nodes import (
    ActivitySplit,
    HumanTask,
    Node,
    ProcessSpec,
    Script,
    Service,
    Subprocess,
)


@dataclass(frozen=True, slots=True)
class Network:
    """The specs of a diagram: immutable once built, shared by all machines and threads."""

    root: ProcessSpec
    subprocesses: dict[str, ProcessSpec]
    has_inclusive_joins: bool


def build(document: Document, steps: dict[str, Step]) -> Network:
    """The network of a checked document."""
    scopes = [None, *(element.id for element in document.elements.values() if element.tag == "subProcess")]
    specs = {scope: _Scope(document, steps, scope).build() for scope in scopes}
    joins = any(
        isinstance(node, Inclusive) and len(node._inputs) > 1
        for spec in specs.values()
        for node in spec.task_specs.values()
    )
    return Network(specs[None], {scope: spec for scope, spec in specs.items() if scope is not None}, joins)


class _Scope:
    """Builds the specs of the process or of one subprocess."""

    def __init__(self, document: Document, steps: dict[str, Step], scope: str | None) -> None:
        self.document = document
        self.steps = steps
        self.elements = document.inside(scope)
        self.spec = ProcessSpec(scope or document.key)

    def build(self) -> ProcessSpec:
        """Nodes first, then what follows each."""
        nodes = {element.id: self._node(element) for element in self.elements}
        entry = {}
        for element in self.elements:
            events = [nodes[event.id] for event in self.document.attached(element.id)]
            if events:
                split = ActivitySplit(self.spec, f"{element.id}[split]", None)
                split.following = (nodes[element.id], *events)
            entry[element.id] = split if events else nodes[element.id]
        for element in self.elements:
            self._follow(element, nodes[element.id], entry)
            if element.tag == "startEvent":
                self.spec.start.following = (nodes[element.id],)
        joins = [node for node in nodes.values() if isinstance(node, Inclusive) and len(node._inputs) > 1]
        if joins:
            edges = self._edges(nodes, entry)
            forks = nearest_dominators(self.spec.start.name, edges)
            for join in joins:
                join.sources = sources_of(join.name, join._inputs, forks.get(join.name), edges)
        return self.spec

    def _node(self, element: Element) -> Node:
        loop = loop_of(element)
        if loop is None:
            return self._plain(element, element.id)
        inner = self._plain(element, f"{element.id}[item]")
        container = Multi(self.spec, element.id, self.steps[element.id], loop, inner)
        inner.instance_of = container
        return container

    def _plain(self, element: Element, name: str) -> Node:
        spec, step = self.spec, self.steps[element.id]
        match element.tag:
            case "userTask" | "manualTask" | "callActivity":
                return HumanTask(spec, name, step)
            case "serviceTask" | "sendTask":
                if step.topic:
                    return HumanTask(spec, name, step)
                prefix = "in."
                parameters = {
                    key.removeprefix(prefix): text for key, text in step.properties.items() if key.startswith(prefix)
                }
                return Service(spec, name, step, parameters, step.properties.get("out"))
            case "scriptTask":
                return Script(spec, name, step, tuple(script_lines(text_of(element.xml, "script") or "")))
            case "subProcess":
                return Subprocess(spec, name, step, element.id)
            case "exclusiveGateway":
                return Exclusive(spec, name, step)
            case "parallelGateway":
                return Parallel(spec, name, step)
            case "inclusiveGateway":
                return Inclusive(spec, name, step)
            case "eventBasedGateway":
                return EventGateway(spec, name, step)
        return self._event(element, name, step)

    def _event(self, element: Element, name: str, step: Step) -> Node:
        spec, event = self.spec, element.event
        code = code_of(element, self.document)
        match element.tag:
            case "startEvent":
                return Start(spec, name, step)
            case "endEvent":
                return End(spec, name, step, event, code)
            case "intermediateThrowEvent":
                return Throw(spec, name, step, code if event == "escalation" else None)
            case "boundaryEvent":
                return Boundary(
                    spec, name, step, event, code=code, interrupting=element.interrupting
                )
        return Catch(spec, name, step)

    def _follow(self, element: Element, node: Node, entry: dict[str, Node]) -> None:
        flows = [self.document.flows[flow] for flow in element.outgoing]
        node.following = tuple(entry[flow.target] for flow in flows)
        for spec in node.following:
            node.connect(spec)
        if isinstance(node, Exclusive | Inclusive):
            node.choices = tuple(
                (None if flow.id == element.default else flow.condition, entry[flow.target]) for flow in flows
            )

    def _edges(self, nodes: dict[str, Node], entry: dict[str, Node]) -> dict[str, set[str]]:
        """From each node to those that a token on it may reach next, events of its activity included."""
        edges: dict[str, set[str]] = {self.spec.start.name: {node.name for node in self.spec.start.following}}
        for name, node in nodes.items():
            edges.setdefault(name, set()).update(spec.name for spec in node.following)
            first = entry[name]
            if first is not node:
                edges[first.name] = {spec.name for spec in first.following}
                edges[name] |= {spec.name for spec in first.following if spec is not node}
        return edges


def loop_of(element: Element) -> Loop | None:
    """How a multi-instance activity repeats; None for a plain one."""
    found = element.xml.find(f"{{{BPMN}}}multiInstanceLoopCharacteristics")
    if found is None:
        return None

    def name_in(tag: str) -> str | None:
        item = found.find(f"{{{BPMN}}}{tag}")
        return (item.get("name") or item.get("id")) if item is not None else None

    return Loop(
        sequential=found.get("isSequential") == "true",
        collection=text_of(found, "loopDataInputRef"),
        cardinality=text_of(found, "loopCardinality"),
        item=name_in("inputDataItem"),
        output=text_of(found, "loopDataOutputRef"),
        output_item=name_in("outputDataItem"),
        condition=text_of(found, "completionCondition"),
        sign=countersign_of(element.properties) if element.tag in ("userTask", "manualTask") else None,
    )


def script_lines(text: str) -> list[tuple[str, str]]:
    """The assignments of a script task: one `name = expression` a line; empty lines and # comments are skipped.

    Raises ValueError for any other line.
    """
    lines = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, expression = line.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier() or name.startswith("_") or expression.startswith("="):
            raise ValueError(line)
        lines.append((name, expression.strip()))
    return lines


def code_of(element: Element, document: Document) -> str | None:
    """Error or escalation code of an event; None where it has no reference (a catch-all)."""
    if element.event == "error":
        reference = element.events[0].get("errorRef")
        return document.errors.get(reference or "") or None
    if element.event == "escalation":
        reference = element.events[0].get("escalationRef")
        return document.escalations.get(reference or "") or None
    return None
