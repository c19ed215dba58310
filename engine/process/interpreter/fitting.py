"""Which element of one version of a diagram may stand for which of another: the rules, and a proposal.

A token at a task cannot go on as one at a timer, and a running child case of one process not as one of another. What
fits is judged here element by element; whether a whole case fits is for `moving` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.process.interpreter.events import Boundary, Catch
from engine.process.interpreter.gateways import Inclusive, Parallel
from engine.process.interpreter.model import Diagram, InterpreterError, Step
from engine.process.interpreter.multi import Multi
from engine.process.interpreter.network import Network
from engine.process.interpreter.nodes import HumanTask, Node, ProcessSpec, Subprocess

_KINDS = {
    "user": "任务", "manual": "任务", "call": "调用活动", "subprocess": "子流程", "timer": "定时事件", "message": "消息事件", "signal": "信号事件",
    "receive": "消息事件", "service": "自动环节", "send": "自动环节", "script": "自动环节", "gateway": "网关", "start": "开始",
    "end": "结束", "event": "事件",
}  # fmt: skip
#: A message is waited for by an event and by a receive task alike.
_SAME = {"manual": "user", "receive": "message"}


class CannotMove(InterpreterError):
    """This case cannot go on under the other version; the message is a plain Chinese sentence that names the step."""


def called(diagram: Diagram, element: str | None) -> str:
    """How a sentence names an element."""
    step = diagram.steps.get(element or "")
    return f"“{label(diagram, step)}”" if step is not None else f"“{element}”"


def label(diagram: Diagram, step: Step) -> str:
    """How a list names an element: one without a name by what it sits on, or by what comes before it."""
    if step.name:
        return step.name
    if step.attached_to:
        return f"{label(diagram, diagram.steps[step.attached_to])}上的{_KINDS[step.kind]}"
    before = [diagram.steps[diagram.flows[flow].source].name for flow in step.incoming]
    if step.kind == "gateway" and any(before):
        return f"{'、'.join(filter(None, before))}之后的{'汇合' if len(before) > 1 else '网关'}"
    return step.id


def kind_name(step: Step) -> str:
    """The kind of an element in words."""
    return f"多实例{_KINDS[step.kind]}" if step.multi else _KINDS[step.kind]


def nodes_of(spec: ProcessSpec) -> list[Node]:
    """All nodes of a scope, splits and the insides of multi-instance activities included."""
    return [node for node in spec.task_specs.values() if isinstance(node, Node)]


def node_of(diagram: Diagram, element: str) -> Node | None:
    """The node of an element, in whichever scope it stands; None where the diagram has no such element."""
    step = diagram.steps.get(element)
    network: Network = diagram.spec
    if step is None:
        return None
    return (network.subprocesses[step.parent] if step.parent else network.root).node(element)


def joins(node: Node | None) -> bool:
    """Whether tokens wait at this gateway for others."""
    return isinstance(node, Parallel | Inclusive) and len(node._inputs) > 1


def standing(diagram: Diagram) -> list[str]:
    """The elements at which a case may stand, in the order of the file; boundary events and joins among them."""
    waits = (HumanTask, Multi, Subprocess, Catch, Boundary)
    nodes = {element: node_of(diagram, element) for element in diagram.steps}
    return [element for element, node in nodes.items() if isinstance(node, waits) or joins(node)]


def unlike(old: Diagram, element: str, new: Diagram, image: str) -> str | None:
    """Why a token at `element` could not go on at `image`; None where it can."""
    before, after = node_of(old, element), node_of(new, image)
    first, other = old.steps[element], new.steps.get(image)
    if before is None or after is None or other is None:
        return f"新版本中没有编号为“{image}”的环节"
    names = f"{called(old, element)}与新版本的{called(new, image)}"
    kinds = _SAME.get(first.kind, first.kind), _SAME.get(other.kind, other.kind)
    if kinds[0] != kinds[1] or first.multi != other.multi or (first.attached_to is None) != (other.attached_to is None):
        return f"{names}不是同一类环节（{kind_name(first)}、{kind_name(other)}）"
    if isinstance(before, Multi) and isinstance(after, Multi):
        return _unlike_multi(names, before, after, first, other)
    if type(before) is not type(after) or getattr(before, "event", None) != getattr(after, "event", None):
        return f"{names}不是同一类环节"
    if isinstance(before, Parallel | Inclusive) and joins(before) != joins(after):
        return f"{names}一个汇合分支、一个不汇合"
    return _unlike_call(names, first, other)


def _unlike_call(names: str, first: Step, other: Step) -> str | None:
    if first.called != other.called:
        return f"{names}调用的流程不同，已启动的下级办件不能替换"
    if first.topic != other.topic:
        return f"{names}的外部主题不同"
    return None


def _unlike_multi(names: str, before: Multi, after: Multi, first: Step, other: Step) -> str | None:
    one, two = before.loop, after.loop
    if one.sequential != two.sequential:
        return f"{names}一个依次办理、一个同时办理"
    if (one.collection is None) != (two.collection is None) or one.item != two.item:
        return f"{names}逐项办理的对象不同"
    if (one.sign is None) != (two.sign is None) or (one.sign and two.sign and (one.sign.vote, one.sign.approve) != (two.sign.vote, two.sign.approve)):
        return f"{names}的会签表决方式不同，已投的票不能换一种方式计算"
    if one.output_item != two.output_item:
        return f"{names}汇总的结果不同，已办的各项没有新版本要的结果"
    return _unlike_call(names, first, other)


# -- the proposal -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """What a proposal says of one element of the old version."""

    element: str
    image: str | None
    sure: bool
    why: str
    """How it was found; of an element without one, that there is none."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One way to recognise an element; the first that finds exactly one wins."""

    why: str
    sure: bool
    holds: Callable[[Step, Step], bool]


_RULES = (
    _Rule("编号相同", True, lambda one, two: one.id == two.id),
    _Rule("名称和承办岗位相同", True, lambda one, two: _named(one, two) and one.lane == two.lane),
    _Rule("名称相同", False, lambda one, two: _named(one, two)),
    _Rule("表单和岗位相同", False, lambda one, two: one.form is not None and one.form == two.form and one.post == two.post),
)


def _named(one: Step, two: Step) -> bool:
    return bool(one.name) and one.name == two.name


def propose(old: Diagram, new: Diagram) -> dict[str, Match]:
    """For every element of the old version the one of the new that stands for it, one to one; enclosing ones first.

    Surest signs come first, so that a step that kept its id is never taken by one that only kept a name.
    """
    found: dict[str, Match] = {}
    taken: set[str] = set()

    def around(step: Step, other: Step) -> bool:
        """Whether both stand in (and on) what stands for each other."""
        for one, two in ((step.parent, other.parent), (step.attached_to, other.attached_to)):
            if (one is None) != (two is None) or (one and (one not in found or found[one].image != two)):
                return False
        return True

    for layer in _layers(old):
        for rule in _RULES:
            for step in layer:
                if step.id in found:
                    continue
                fitting = [
                    other.id for other in new.steps.values()
                    if other.id not in taken and rule.holds(step, other) and around(step, other)
                    and unlike(old, step.id, new, other.id) is None
                ]  # fmt: skip
                rivals = [one for one in layer if one.id not in found and fitting and rule.holds(one, new.steps[fitting[0]])]
                if len(fitting) == 1 and len(rivals) == 1:
                    found[step.id] = Match(step.id, fitting[0], rule.sure, rule.why)
                    taken.add(fitting[0])
        _by_neighbours(old, new, layer, found, taken, around)
        for step in layer:
            found.setdefault(step.id, Match(step.id, None, False, "新版本中没有相应的环节"))
    return found


def _by_neighbours(
    old: Diagram, new: Diagram, layer: list[Step], found: dict[str, Match], taken: set[str],
    around: Callable[[Step, Step], bool],
) -> None:  # fmt: skip
    """What has no name is known by what stands before and after it; an event by being the only one of its role there."""
    changed = True
    while changed:
        changed = False
        for step in layer:
            if step.id in found:
                continue
            fitting = [
                other.id for other in new.steps.values()
                if other.id not in taken and around(step, other) and unlike(old, step.id, new, other.id) is None
                and (_same_role(old, step, new, other) if step.attached_to else _same_place(old, step, new, other, found))
            ]  # fmt: skip
            if len(fitting) == 1:
                why = "同一环节上的同类事件" if step.attached_to else "前后环节相同"
                found[step.id] = Match(step.id, fitting[0], False, why)
                taken.add(fitting[0])
                changed = True


def _same_role(old: Diagram, step: Step, new: Diagram, other: Step) -> bool:
    one, two = old.timers.get(step.id), new.timers.get(other.id)
    return (one.role if one else None) == (two.role if two else None) and (step.message, step.signal) == (other.message, other.signal)


def _same_place(old: Diagram, step: Step, new: Diagram, other: Step, found: Mapping[str, Match]) -> bool:
    """Whether all that is known of the neighbours agrees, and something is."""
    known = 0
    for ends, flows in (("source", (step.incoming, other.incoming)), ("target", (step.outgoing, other.outgoing))):
        one = {getattr(old.flows[flow], ends) for flow in flows[0]}
        two = {getattr(new.flows[flow], ends) for flow in flows[1]}
        images = {found[name].image for name in one if name in found}
        if len(one) != len(two) or not images <= two:
            return False
        known += len(images)
    return known > 0


def _layers(diagram: Diagram) -> Iterator[list[Step]]:
    """The steps scope by scope, outermost first; within a scope the events behind what they sit on."""
    depth: dict[str, int] = {}

    def deep(step: Step) -> int:
        if step.id not in depth:
            depth[step.id] = 2 * (deep(diagram.steps[step.parent]) // 2 + 1) if step.parent else 0
            depth[step.id] += 1 if step.attached_to else 0
        return depth[step.id]

    steps = list(diagram.steps.values())
    for level in sorted({deep(step) for step in steps}):
        yield [step for step in steps if deep(step) == level]
