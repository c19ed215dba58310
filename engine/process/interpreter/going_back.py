"""Taking a case back to a step that lies behind it, so that it stands there as a case could stand that comes by for the first time.

Where tokens can stand together is counted out already (`markings`). The token goes back within the nearest scope in which the
target lies; of the other tokens there as many stay as can stand together with it, and the rest is withdrawn with all that
hangs on it. Nothing is ever withdrawn that could have stood beside the target: it would be lost, as nobody would come to it
again. Where that leaves no sound place to stand, the target is none. (docs/decisions/0009-going-back.md)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter.events import Start
from engine.process.interpreter.fitting import joins, nodes_of
from engine.process.interpreter.gateways import EventGateway
from engine.process.interpreter.markings import Marking, Place, reachable, reachable_beside
from engine.process.interpreter.model import CannotGoBack
from engine.process.interpreter.multi import Multi
from engine.process.interpreter.nodes import ActivitySplit, HumanTask, Node, ProcessSpec, Subprocess
from engine.process.interpreter.tokens import Process, Scope, Token

_HUMAN = ("user", "manual")


@dataclass(frozen=True, slots=True)
class Way:
    """How to go back to one step."""

    scope: Process | Scope
    anchor: Token
    """The token of the scope that goes back: the task's, or that of the activity around it."""
    withdrawn: tuple[Token, ...]
    """What leaves the scope, the anchor among them."""
    chain: tuple[Node, ...]
    """The subprocesses to be entered on the way, outermost first, and the step itself."""
    done: tuple[tuple[Place, ...], ...]
    """For each of the chain, in its scope: where tokens wait at joins for it, of branches that are done."""

    @property
    def left(self) -> frozenset[str]:
        """The tokens that are withdrawn, with everything inside of them."""
        return frozenset(inner.id for token in self.withdrawn for inner in _inside(token))


def ways_back(token: Token, steps: Iterable[str]) -> dict[str, Way]:
    """How to go back from a waiting task to those of the steps to which that is sound."""
    if isinstance(token.task_spec, Start):
        return {}
    found = {step: _way(token, step) for step in steps if token.task_spec.step.id != step}
    return {step: way for step, way in found.items() if way is not None}


def human_steps(process: Process) -> list[str]:
    """Every step of the diagram that people do."""
    specs: list[ProcessSpec] = [process.spec, *process.subprocess_specs.values()]
    return [node.name for spec in specs for node in nodes_of(spec) if _is_target(node)]


def go_back(token: Token, step: str) -> None:
    """Withdraws what must go and puts a token on the step; the machine must run then. Raises CannotGoBack."""
    way = ways_back(token, [step]).get(step)
    if way is None:
        raise CannotGoBack(f"办件不能退回“{step}”：其他分支会悬空或丢失")
    data, side = dict(way.anchor.data), way.anchor.internal_data.get("side")
    for withdrawn in way.withdrawn:
        _withdraw(withdrawn)
    _enter(way.scope, way.chain, way.done, data, side)


def hold_start(process: Process) -> None:
    """Withdraws everything and puts a token on the start event that waits there until it is completed."""
    process.withdraw()
    process.outcome, process.outcome_rank, process.completed = None, 0, False
    start = process.spec.start.following[0]
    Token(process, start, process.task_tree)._set_state(TaskState.WAITING)


def is_held(token: Token) -> bool:
    """Whether a token waits on the start event."""
    return isinstance(token.task_spec, Start) and token._state == TaskState.WAITING


def is_beside(token: Token) -> bool:
    """Whether a token, or an activity around it, stands on a branch that a non-interrupting event opened."""
    return any("side" in anchor.internal_data for _, anchor in _homes(token))


# -- finding the way ----------------------------------------------------------------------------


def _way(token: Token, step: str) -> Way | None:
    """The way back to a step; the nearest scope in which it lies decides."""
    for scope, anchor in _homes(token):
        for chain in _chains(scope, step):
            # The subprocess in which the task lies is no way to go: it was looked at from inside.
            return _sound(scope, anchor, chain) if chain[0] is not anchor.task_spec else None
    return None


def _homes(token: Token) -> Iterator[tuple[Process | Scope, Token]]:
    """The scopes around a task, innermost first, each with the token in it that stands for the task."""
    at = token
    while True:
        if at.task_spec.instance_of is not None:
            at = at.parent  # one item goes back with all
        yield at.workflow, at
        if not isinstance(at.workflow, Scope):
            return
        at = at.workflow.activity


def _chains(scope: Process | Scope, step: str) -> Iterator[tuple[Node, ...]]:
    """The ways down to a step: directly, or into subprocesses; never into one of the items of a multi-instance activity."""
    process: Process = scope.top_workflow

    def down(spec: ProcessSpec) -> Iterator[tuple[Node, ...]]:
        for node in nodes_of(spec):
            if node.name == step and _is_target(node):
                yield (node,)
            elif isinstance(node, Subprocess) and node.instance_of is None:
                yield from ((node, *rest) for rest in down(process.subprocess_specs[node.inside]))

    return down(scope.spec)


def _is_target(node: Node) -> bool:
    human = node.step is not None and node.step.kind in _HUMAN and node.instance_of is None
    return human and isinstance(node, HumanTask | Multi)


def _sound(scope: Process | Scope, anchor: Token, chain: tuple[Node, ...]) -> Way | None:
    """The way if the case can stand there. What belongs to another branch beside the main one is no business of it."""
    side = anchor.internal_data.get("side")
    standing = [(token, place) for token, place in _standing(scope) if token.internal_data.get("side") == side]
    found = reachable(scope.spec) if side is None else reachable_beside(scope.spec)
    others = [(token, place) for token, place in standing if token is not anchor]
    target = (chain[0].name,)
    chosen = _choose(found, target, Counter(place for _, place in others))
    if found is None or chosen is None:
        return None
    keep, done = chosen
    withdrawn = [(token, place) for token, place in standing if token is anchor]
    for token, place in others:
        if keep[place]:
            keep[place] -= 1
        else:
            withdrawn.append((token, place))
    if any(_together(found, target, place) for _, place in withdrawn):
        return None
    waits = [done]
    for around, inner in zip(chain, chain[1:], strict=False):
        assert isinstance(around, Subprocess)
        within = _choose(reachable(scope.top_workflow.subprocess_specs[around.inside]), (inner.name,), Counter())
        if within is None:
            return None
        waits.append(within[1])
    return Way(scope, anchor, tuple(token for token, _ in withdrawn), chain, tuple(waits))


def _choose(
    found: frozenset[Marking] | None, target: Place, others: Counter[Place]
) -> tuple[Counter[Place], tuple[Place, ...]] | None:
    """Of the situations with the target the one that keeps most of what is there: what stays, and which joins know a branch as done.

    Beyond that it may need nothing: a branch that is through may be waited for no more, but none is opened beside the target.
    """
    best: tuple[int, int, Marking] | None = None
    for marking in found or ():
        if target not in marking:
            continue
        rest = _without(marking, target)
        keep = rest & others
        more = rest - keep
        if any(len(place) == 1 for place in more):
            continue
        rank = (-keep.total(), more.total(), marking)
        best = rank if best is None else min(best, rank)
    if best is None:
        return None
    rest = _without(best[2], target)
    keep = rest & others
    return keep, tuple(sorted((rest - keep).elements()))


def _without(marking: Marking, place: Place) -> Counter[Place]:
    rest = Counter(marking)
    rest.subtract([place])
    return +rest


def _together(found: frozenset[Marking], one: Place, other: Place) -> bool:
    """Whether tokens can stand at both places at once: then neither is an earlier step of the other."""
    pair = Counter((one, other))
    return any(all(marking.count(place) >= count for place, count in pair.items()) for marking in found)


def _standing(scope: Process | Scope) -> list[tuple[Token, Place]]:
    """Every place of a scope that is taken, with one token for it; events go with what they sit on or race with."""
    found: dict[str, tuple[Token, Place]] = {}
    for token in scope.live():
        node: Node = token.task_spec
        if node.attached or node.instance_of is not None:
            continue
        parent = token.parent
        if joins(node):
            found[token.id] = token, (node.name, parent.task_spec.name)
        elif parent is not None and isinstance(parent.task_spec, EventGateway):
            found.setdefault(parent.id, (token, (parent.task_spec.name,)))
        else:
            found[token.id] = token, (node.name,)
    return list(found.values())


def _inside(token: Token) -> Iterator[Token]:
    """A token with everything that goes when it goes: its events or rivals, its items, and what runs inside its subprocess."""
    parent = token.parent
    yield token
    if parent is not None and isinstance(parent.task_spec, ActivitySplit | EventGateway):
        yield from (rival for rival in parent.children if rival is not token and rival.live)
    activities = [token, *(item for item in token.children if item.live and item.task_spec.instance_of is not None)]
    yield from activities[1:]
    for activity in activities:
        scope = token.process.subprocesses.get(activity.id)
        if scope is not None:
            for inner in scope.live():
                yield from _inside(inner)


# -- going it -----------------------------------------------------------------------------------


def _withdraw(token: Token) -> None:
    parent = token.parent
    if parent is not None and isinstance(parent.task_spec, ActivitySplit | EventGateway):
        for rival in parent.children:
            if rival is not token:
                rival.cancel()
    token.cancel()


def _enter(
    scope: Process | Scope, chain: tuple[Node, ...], done: tuple[tuple[Place, ...], ...], data: dict[str, object], side: str | None
) -> None:
    """Puts tokens on the way down to the step: on each subprocess as if it had been entered, but not at its start."""
    for join, came in done[0]:
        origin = _put(scope, scope.spec.node(came), data, side)
        origin._state = TaskState.COMPLETED  # nothing happens on it now, so the trace says nothing
        Token(scope, scope.spec.node(join), origin)._set_state(TaskState.WAITING)
    node, *rest = chain
    split = scope.spec.node(f"{node.name}[split]")
    head = None
    if split is None:
        activity = _put(scope, node, data, side)
    else:
        head = _put(scope, split, data, side)
        head._set_state(TaskState.COMPLETED)
        activity = Token(scope, node, head)
    if rest:
        assert isinstance(node, Subprocess)
        _enter(node.open(activity), tuple(rest), done[1:], dict(activity.data), None)
    else:
        node._update(activity)
    if head is not None:
        for event in head.task_spec.following[1:]:
            head.spawn(event)


def _put(scope: Process | Scope, node: Node | None, data: dict[str, object], side: str | None) -> Token:
    token = Token(scope, node, scope.task_tree)
    token.data = dict(data)
    if side is not None:
        token.internal_data["side"] = side
    return token
