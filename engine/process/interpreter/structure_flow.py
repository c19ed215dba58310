"""Rules of the flow: where it starts and ends, which arrows mean something, what can be reached."""

from __future__ import annotations

from collections.abc import Iterable

from engine.process.interpreter.document import TASKS, Arrow, Document, Element
from engine.process.interpreter.expressions import ExpressionError, constant
from engine.process.interpreter.findings import Findings
from engine.process.interpreter.graph import nearest_dominators

CHOOSING = frozenset({"exclusiveGateway", "inclusiveGateway"})
FORKING = frozenset({"exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway"})

#: Elements at which a token never waits for anybody.
AUTOMATIC = frozenset(
    {"scriptTask", "exclusiveGateway", "inclusiveGateway", "parallelGateway", "intermediateThrowEvent"}
)


def check(document: Document, findings: Findings) -> None:
    """All rules of this file."""
    scopes = [None, *(element.id for element in document.elements.values() if element.tag == "subProcess")]
    for scope in scopes:
        _ends(document, scope, findings)
    for element in document.elements.values():
        _arrows(element, document, findings)
        if element.tag in CHOOSING:
            _choice(element, document, findings)
        if element.tag == "eventBasedGateway":
            _race(element, document, findings)
    for scope in scopes:
        _reach(document, scope, findings)
        _joins(document, scope, findings)
    _automatic_loops(document, findings)
    _calls_itself(document, findings)


def _ends(document: Document, scope: str | None, findings: Findings) -> None:
    owner = document.elements[scope] if scope else None
    place = "" if owner else f"流程“{document.name}”"
    inside = document.inside(scope)
    starts = [element for element in inside if element.tag == "startEvent"]
    if not starts:
        findings.add(owner, "no-start", f"{place}没有开始事件")
    if len(starts) > 1:
        names = "、".join(element.label() for element in starts)
        findings.add(owner, "several-starts", f"{place}只能有一个开始事件，现有{len(starts)}个：{names}")
    if not any(element.tag == "endEvent" for element in inside):
        findings.add(owner, "no-end", f"{place}没有结束事件")


def _may_end(element: Element) -> bool:
    """A reminder needs no arrow: it rings beside the activity, which goes on."""
    return element.tag == "boundaryEvent" and not element.interrupting


def _flows(document: Document, ids: Iterable[str]) -> list[Arrow]:
    return [document.flows[flow] for flow in ids]


def _arrows(element: Element, document: Document, findings: Findings) -> None:
    if element.tag in ("startEvent", "boundaryEvent") and element.incoming:
        findings.add(element, "flow-into-event", "不能有流入的箭头")
    if element.tag == "endEvent":
        if element.outgoing:
            findings.add(element, "flow-out-of-end", "结束事件不能有流出的箭头")
    elif not element.outgoing and not _may_end(element):
        findings.add(element, "dead-end", "没有流出的箭头，走到这里流程就停住")
    if len(element.outgoing) > 1 and element.tag not in FORKING:
        findings.add(element, "several-outgoing", "有多条流出的箭头，请用网关写明是选择还是并行")
    if element.tag not in CHOOSING:
        if element.default is not None:
            findings.add(element, "default-ignored", "只有排他网关和包容网关可以有默认流向")
        for flow in _flows(document, element.outgoing):
            if flow.condition is not None:
                findings.add(
                    element, "condition-ignored", f"流出箭头 {flow.id} 上的条件不起作用，请在其后加排他网关"
                )


def _choice(element: Element, document: Document, findings: Findings) -> None:
    flows = _flows(document, element.outgoing)
    if element.default is not None and element.default not in element.outgoing:
        findings.add(element, "unknown-default", f"默认流向 {element.default} 不是从它流出的箭头")
    conditional = [flow for flow in flows if flow.id != element.default]
    for flow in flows:
        if flow.id == element.default and flow.condition is not None:
            findings.warn(element, "condition-on-default", f"默认流向 {flow.id} 上的条件不起作用")
    if len(flows) == 1:
        if conditional and conditional[0].condition is not None and not _always(conditional[0].condition):
            findings.warn(element, "no-default", "只有一条带条件的流出箭头：条件不成立时流程会出错停住")
        return
    for flow in conditional:
        if flow.condition is None:
            findings.add(element, "missing-condition", f"流出箭头 {flow.id} 既没有条件，也不是默认流向")
    if element.default is None and not any(_always(flow.condition) for flow in conditional):
        findings.warn(element, "no-default", "没有默认流向：如果没有一个条件成立，流程会出错停住")


def _always(condition: str | None) -> bool:
    try:
        return condition is not None and bool(constant(condition))
    except ExpressionError:
        return False


def _race(element: Element, document: Document, findings: Findings) -> None:
    if len(element.outgoing) < 2:
        findings.add(element, "race-target", "事件网关至少要有两条流出的箭头")
    for flow in _flows(document, element.outgoing):
        target = document.elements[flow.target]
        waits = target.tag in ("intermediateCatchEvent", "receiveTask")
        if not waits or len(target.incoming) > 1 or document.attached(target.id):
            findings.add(
                element,
                "race-target",
                f"事件网关之后只能直接是捕获事件或接收任务，且不带边界事件、没有其他流入：{target.label()}不是",
            )


def _forward(document: Document, inside: dict[str, Element]) -> dict[str, set[str]]:
    """From each element to those that a token on it may reach next, boundary events included."""
    forward: dict[str, set[str]] = {name: set() for name in inside}
    for element in inside.values():
        forward[element.id].update(flow.target for flow in _flows(document, element.outgoing))
        if element.attached_to in inside:
            assert element.attached_to is not None
            forward[element.attached_to].add(element.id)
    return forward


def _joins(document: Document, scope: str | None, findings: Findings) -> None:
    """A parallel join must be able to get a token by each of its arrows."""
    inside = {element.id: element for element in document.inside(scope)}
    joins = [element for element in inside.values() if element.tag == "parallelGateway" and len(element.incoming) > 1]
    starts = [element.id for element in inside.values() if element.tag == "startEvent"]
    if not joins or len(starts) != 1:
        return
    forward = _forward(document, inside)
    nearest = nearest_dominators(starts[0], forward)
    for join in joins:
        if join.id not in nearest:
            continue
        without = _closure(starts, {name: targets - {join.id} for name, targets in forward.items()})
        for flow in _flows(document, join.incoming):
            if flow.source not in without:
                findings.add(
                    join, "join-waits-for-itself", f"流入箭头 {flow.id} 要先经过它自己才能到达，永远等不齐；循环的入口请用排他网关"
                )
        if inside[nearest[join.id]].tag == "exclusiveGateway":
            fork = inside[nearest[join.id]].label()
            findings.warn(join, "join-after-choice", f"汇合{fork}只选其一的分支，可能永远等不齐；请用排他网关汇合")


def _reach(document: Document, scope: str | None, findings: Findings) -> None:
    """Every element must be on some way from the start to an end."""
    inside = {element.id: element for element in document.inside(scope)}
    forward = _forward(document, inside)
    backward: dict[str, set[str]] = {name: set() for name in inside}
    for name, targets in forward.items():
        for target in targets:
            backward[target].add(name)
    reached = _closure((name for name in inside if inside[name].tag == "startEvent"), forward)
    ending = _closure((name for name in inside if inside[name].tag == "endEvent"), backward)
    for name, element in inside.items():
        if name not in reached:
            findings.add(element, "unreachable", "从开始事件走不到这里")
        elif name not in ending and element.outgoing:
            findings.add(element, "no-way-out", "从这里走不到任何结束事件")


def _closure(first: Iterable[str], edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    stack = list(first)
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack.extend(edges[name])
    return seen


def _automatic_loops(document: Document, findings: Findings) -> None:
    """Circles in which nobody ever acts: endless where nothing chooses, else only if a script makes no condition fail."""
    edges: dict[str, set[str]] = {}
    for element in document.elements.values():
        if _automatic(element):
            targets = (flow.target for flow in _flows(document, element.outgoing))
            edges[element.id] = {target for target in targets if _automatic(document.elements[target])}
    sure = {name: targets for name, targets in edges.items() if not _chooses(document.elements[name])}
    endless = _on_a_circle({name: targets & sure.keys() for name, targets in sure.items()})
    circling = _on_a_circle(edges)
    if endless is not None:
        findings.add(document.elements[endless], "endless-loop", "在一个没有人办理、也没有条件可以走出的循环里，永远走不完")
    elif circling is not None:
        findings.warn(document.elements[circling], "automatic-loop", "在一个没有人办理的循环里，可能永远走不完")


def _chooses(element: Element) -> bool:
    return element.tag in CHOOSING and len(element.outgoing) > 1


def _calls_itself(document: Document, findings: Findings) -> None:
    """A process that calls itself before anybody acts starts case after case, without end."""
    seen: set[str] = set()
    stack = [element.id for element in document.inside(None) if element.tag == "startEvent"]
    while stack:
        element = document.elements[stack.pop()]
        if element.id in seen:
            continue
        seen.add(element.id)
        if element.tag == "callActivity" and element.xml.get("calledElement") == document.key:
            findings.add(element, "calls-itself", "流程一开始就调用自己，永远走不完")
        elif element.tag == "subProcess":
            stack += [inner.id for inner in document.inside(element.id) if inner.tag == "startEvent"]
        elif element.tag == "startEvent" or (_automatic(element) and not _chooses(element)):
            stack += [flow.target for flow in _flows(document, element.outgoing)]


def _on_a_circle(edges: dict[str, set[str]]) -> str | None:
    """An element from which a way leads back to it; None where there is none."""
    # Peel off what leads nowhere: what remains lies on or before a circle.
    changed = True
    while changed:
        dead = {name for name, targets in edges.items() if not targets & edges.keys()}
        edges = {name: targets for name, targets in edges.items() if name not in dead}
        changed = bool(dead)
    left = {name: targets & edges.keys() for name, targets in edges.items()}
    # From anything that is left a walk can go on for ever: where it comes by twice lies on a circle.
    seen: set[str] = set()
    at = next(iter(left), None)
    while at is not None and at not in seen:
        seen.add(at)
        at = min(left[at])
    return at


def _automatic(element: Element) -> bool:
    if element.tag in ("serviceTask", "sendTask"):
        return "topic" not in element.properties
    return element.tag in AUTOMATIC and element.tag not in (TASKS - AUTOMATIC)
