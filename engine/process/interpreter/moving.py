"""A saved process moved to another version of its diagram: the tokens keep their ids, the nodes get their new names.

Nothing is replayed and nothing guessed. A plan says which element of the new version stands for which of the old one;
a case that cannot stand there soundly is refused with a sentence that an official can act on, and stays as it was.

What a saved state holds (state.py): the live tokens and their direct parents. A parent matters in three places only, and
there it is written anew: the split before an activity with events, the gateway before a race of events, and the node from
which a token came to a join.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from SpiffWorkflow.util.task import TaskState

from engine.process.interpreter.events import Boundary, Catch, End, Start
from engine.process.interpreter.fitting import CannotMove, called, joins, node_of, nodes_of, standing, unlike
from engine.process.interpreter.gateways import EventGateway
from engine.process.interpreter.markings import Marking, Place, reachable, reachable_beside
from engine.process.interpreter.model import Diagram, StateError
from engine.process.interpreter.multi import Multi
from engine.process.interpreter.network import Network
from engine.process.interpreter.nodes import ActivitySplit, HumanTask, Node, ProcessSpec, Subprocess
from engine.process.interpreter.state import FORMAT
from engine.process.interpreter.tokens import LIVE


@dataclass(frozen=True, slots=True)
class Fresh:
    """An event that the new version adds to what is already under way."""

    token: str
    element: str
    beside: str
    """Token of the activity on which it sits, or of the event with which it races: its clock began with that one's."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a saved state."""

    state: bytes
    fresh: tuple[Fresh, ...]
    dropped: tuple[str, ...]
    """Elements of the old version whose waiting events are gone, in order."""


def move(old: Diagram, new: Diagram, state: bytes, plan: Mapping[str, str]) -> Moved:
    """The state as it is under `new`. Raises CannotMove with the reason, StateError for a state that is damaged.

    `plan` gives for elements of `old` those of `new`. An element where no case can stand (a service, a gateway) may be
    left out where its id has stayed.
    """
    try:
        saved = orjson.loads(state)
        if saved["v"] != FORMAT:
            raise StateError(f"流程状态的格式{saved['v']}无法识别")
        mover = _Mover(old, new, plan)
        scopes = []
        for activity, rows in saved["s"]:
            scopes.append([activity, mover.scope(activity, [_Row(*row) for row in rows])])
        saved["s"] = scopes
        saved["o"][0] = mover.outcome(saved["o"][0])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise StateError(f"流程状态已损坏或不属于此流程图：{error}") from error
    return Moved(orjson.dumps(saved, option=orjson.OPT_NON_STR_KEYS), tuple(mover.fresh), tuple(mover.dropped))


@dataclass(slots=True)
class _Row:
    """One token as it is saved."""

    id: str
    parent: str | None
    node: str
    state: int
    data: dict[str, Any] = field(default_factory=dict)
    internal: dict[str, Any] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        return bool(self.state & LIVE)

    def saved(self) -> list[Any]:
        row: list[Any] = [self.id, self.parent, self.node, self.state]
        return [*row, self.data, self.internal] if self.live and (self.data or self.internal) else row


class _Mover:
    def __init__(self, old: Diagram, new: Diagram, plan: Mapping[str, str]) -> None:
        self.old, self.new, self.plan = old, new, plan
        self.standing = standing(old)
        self.fresh: list[Fresh] = []
        self.dropped: list[str] = []
        #: Token of a running subprocess → its element in the old version.
        self.subprocesses: dict[str, str] = {}

    def image(self, element: str) -> str | None:
        """The element of the new version that stands for one of the old; None where there is none."""
        if element in self.plan:
            return self.plan[element]
        if element not in self.standing and element in self.new.steps:
            before, after = node_of(self.old, element), node_of(self.new, element)
            return element if type(before) is type(after) else None
        return None

    def target(self, element: str) -> str:
        """Where the token at an element goes. Raises CannotMove."""
        found = self.image(element)
        if found is None:
            why = unlike(self.old, element, self.new, element) if element in self.new.steps else None
            raise CannotMove(why or f"办件正停在{called(self.old, element)}，迁移方案没有为它指定新版本中的环节")
        if found not in self.new.steps:
            raise CannotMove(f"新版本中没有编号为“{found}”的环节")
        before, after = self.old.steps[element].parent, self.new.steps[found].parent
        if (self.image(before) if before else None) != after:
            where = f"子流程{called(self.new, after)}之内" if after else "子流程之外"
            raise CannotMove(f"{called(self.old, element)}在新版本中移到了{where}，正在办理的办件不能跨越子流程的边界")
        why = unlike(self.old, element, self.new, found)
        if why:
            raise CannotMove(why)
        return found

    def outcome(self, element: str | None) -> str | None:
        """The end that a branch has reached already. Raises CannotMove where the new version has no such end."""
        if element is None:
            return None
        found = self.image(element)
        if found is None or not isinstance(node_of(self.new, found), End):
            raise CannotMove(f"办件的一个分支已到达{called(self.old, element)}，新版本中没有这个结束")
        return found

    def scope(self, activity: str | None, rows: list[_Row]) -> list[list[Any]]:
        """The rows of the process or of one running subprocess."""
        before: Network = self.old.spec
        after: Network = self.new.spec
        if activity is None:
            return _ScopeMover(self, before.root, after.root, rows).rows()
        element = self.subprocesses[activity]
        inside = after.subprocesses[self.target(element)]
        return _ScopeMover(self, before.subprocesses[element], inside, rows).rows()


class _ScopeMover:
    """Moves the tokens of one scope. Other activities than those of `here` are no business of it."""

    def __init__(self, mover: _Mover, before: ProcessSpec, after: ProcessSpec, rows: list[_Row]) -> None:
        self.mover, self.before, self.after = mover, before, after
        self.given = {row.id: row for row in rows}
        self.root = next(row for row in rows if row.parent is None)
        self.out: dict[str, _Row] = {}
        self.places: dict[bool, list[Place]] = {True: [], False: []}
        """Whether beside the main branch → where its tokens stand."""
        self.arrived: list[tuple[_Row, Node]] = []
        self.raced: set[str] = set()
        """Events that were moved, or withdrawn, with those that they race with."""

    def rows(self) -> list[list[Any]]:
        """All rows of the scope under the new version. Raises CannotMove."""
        self.out[self.root.id] = _Row(self.root.id, None, self.after.start.name, self.root.state)
        for row in self.given.values():
            if row.live and row is not self.root:
                self.token(row)
        self.joined()
        self.check()
        return [row.saved() for row in self.out.values()]

    def node(self, row: _Row) -> Node:
        """The node of the old version that a token stands on."""
        found = self.before.node(row.node)
        if found is None:
            raise StateError(f"流程图中没有“{row.node}”")
        return found

    def parent(self, row: _Row) -> _Row:
        return self.given[row.parent] if row.parent is not None else self.root

    def token(self, row: _Row) -> None:
        """One live token."""
        node = self.node(row)
        if isinstance(node, Boundary) or row.id in self.raced:
            return  # moved with its activity, or with the events that it races with
        if joins(node):
            self.arrived.append((row, node))
        elif node.instance_of is not None:
            self.item(row, node)
        elif isinstance(node, Catch) and isinstance(self.node(self.parent(row)), EventGateway):
            self.race(row)
        elif isinstance(node, HumanTask | Catch | Multi | Subprocess):
            self.activity(row, node)
        elif isinstance(node, Start):
            # Held there for its starter: nothing else is under way, and every version begins somewhere.
            self.place(row, ())
            self.out[row.id] = _Row(row.id, self.root.id, self.after.start.following[0].name, row.state, row.data, row.internal)
        else:
            raise CannotMove(f"办件正在自动处理“{node.name}”，没有停在可以迁移的环节上")

    # -- activities and their events ----------------------------------------------------------

    def activity(self, row: _Row, node: Node) -> None:
        """An activity with the events that sit on it."""
        assert node.step is not None
        target = self.mover.target(node.step.id)
        self.place(row, (target,))
        if isinstance(node, Subprocess):
            self.mover.subprocesses[row.id] = node.step.id
        split = self.after.node(f"{target}[split]")
        had = self.parent(row) if isinstance(self.node(self.parent(row)), ActivitySplit) else None
        waiting = {
            event.node: event for event in self.given.values()
            if had is not None and event.parent == had.id and event.live and event.id != row.id
        }  # fmt: skip
        moved = _Row(row.id, self.root.id, target, row.state, row.data, row.internal)
        if split is None:
            behind = self.behind_race(target)
            if behind is not None:
                moved.parent = self.begin_race(row, behind, {target})
            self.out[row.id] = moved
            self.mover.dropped += waiting
            return
        head = _Row(had.id if had else secrets.token_hex(10), self.root.id, split.name, int(TaskState.COMPLETED))
        moved.parent = head.id
        self.out[head.id], self.out[row.id] = head, moved
        self.events(row, node.step.id, head, split, waiting)

    def events(self, row: _Row, activity: str, head: _Row, split: Node, waiting: dict[str, _Row]) -> None:
        """The events on an activity: carried over, begun, or withdrawn. What has rung once does not ring again."""
        mover = self.mover
        attached = [step.id for step in mover.old.steps.values() if step.attached_to == activity]
        carried: dict[str, str] = {}
        for element in attached:
            image = mover.plan.get(element)
            if image is None:
                continue
            if all(event.name != image for event in split.following[1:]):
                raise CannotMove(f"{called(mover.old, element)}在新版本中对应的事件不在同一个环节上")
            if image in carried:
                raise CannotMove(f"环节上的两个事件不能同时对应{called(mover.new, image)}")
            carried[image] = element
        for event in split.following[1:]:
            source = carried.get(event.name)
            if source is None:
                self.begin_event(event, head, row)
            elif source in waiting:
                why = unlike(mover.old, source, mover.new, event.name)
                if why:
                    raise CannotMove(why)
                old = waiting.pop(source)
                self.out[old.id] = _Row(old.id, head.id, event.name, old.state, old.data, old.internal)
        mover.dropped += waiting

    def begin_event(self, event: Node, head: _Row, beside: _Row) -> None:
        """An event that the new version adds: it waits as if it had been there when the activity was entered."""
        token = secrets.token_hex(10)
        internal: dict[str, Any] = {"side": beside.internal["side"]} if "side" in beside.internal else {}
        if event.reports_entering:
            internal["in"] = 1
        self.out[token] = _Row(token, head.id, event.name, int(TaskState.WAITING), dict(beside.data), internal)
        self.mover.fresh.append(Fresh(token, event.name, beside.id))

    def item(self, row: _Row, node: Node) -> None:
        """One item of a multi-instance activity: where its container goes, it goes."""
        assert node.step is not None and row.parent is not None
        target = self.mover.target(node.step.id)
        if isinstance(node, Subprocess):
            self.mover.subprocesses[row.id] = node.step.id
        self.out[row.id] = _Row(row.id, row.parent, f"{target}[item]", row.state, row.data, row.internal)

    # -- events that race ---------------------------------------------------------------------

    def behind_race(self, target: str) -> Node | None:
        """The event gateway of the new version behind which an event stands."""
        return next(
            (node for node in nodes_of(self.after)
             if isinstance(node, EventGateway) and any(event.name == target for event in node.following)), None,
        )  # fmt: skip

    def race(self, row: _Row) -> None:
        """Events behind one gateway, of which the first that happens withdraws the others."""
        group = [other for other in self.given.values() if other.parent == row.parent and other.live]
        self.raced.update(other.id for other in group)
        images = {other.id: self.mover.image(other.node) for other in group}
        staying = [other for other in group if images[other.id] is not None]
        self.mover.dropped += [other.node for other in group if images[other.id] is None]
        targets = [self.mover.target(other.node) for other in staying] or [self.mover.target(row.node)]
        gates = {gate.name: gate for target in targets if (gate := self.behind_race(target)) is not None}
        if len(set(targets)) < len(targets) or len(gates) > 1 or (len(targets) > 1 and not gates):
            raise CannotMove(f"{called(self.mover.old, row.node)}等相互竞争的事件在新版本中不再相互竞争，不能一起迁移")
        gate = next(iter(gates.values()), None)
        if gate is not None and any(self.behind_race(target) is None for target in targets):
            raise CannotMove(f"{called(self.mover.old, row.node)}等相互竞争的事件在新版本中不再相互竞争，不能一起迁移")
        self.place(row, (gate.name if gate else targets[0],))
        head = self.begin_race(row, gate, set(targets)) if gate is not None else self.root.id
        for other, target in zip(staying, targets, strict=True):
            self.out[other.id] = _Row(other.id, head, target, other.state, other.data, other.internal)

    def begin_race(self, row: _Row, gate: Node, present: set[str]) -> str:
        """The token of the gateway, with the events that the new version adds to the race; its id."""
        head = _Row(secrets.token_hex(10), self.root.id, gate.name, int(TaskState.COMPLETED))
        self.out[head.id] = head
        for event in gate.following:
            if event.name not in present:
                self.begin_event(event, head, row)
        return head.id

    # -- joins --------------------------------------------------------------------------------

    def joined(self) -> None:
        """Tokens that wait at joins remember by which flow they came; one of a branch that is no more is let go."""
        for row, node in self.arrived:
            assert node.step is not None
            join = self.after.node(self.mover.target(node.step.id))
            before = self.parent(row)
            source = self.node(before).step
            came = self.mover.image(source.id) if source is not None else None
            assert join is not None
            if came is None or came not in join._inputs:
                others = [place for places in self.places.values() for place in places]
                if not others:
                    raise CannotMove(f"在{called(self.mover.old, node.step.id)}等待的分支在新版本中不再汇入此处")
                self.mover.dropped.append(node.step.id)
                continue
            self.place(row, (join.name, came))
            parent = _Row(before.id, self.root.id, came, before.state)
            self.out.setdefault(parent.id, parent)
            self.out[row.id] = _Row(row.id, parent.id, join.name, row.state, row.data, row.internal)

    # -- does it hold? ------------------------------------------------------------------------

    def place(self, row: _Row, place: Place) -> None:
        self.places["side" in row.internal].append(place)

    def check(self) -> None:
        """Refuses a situation in which no fresh case of the new version could be."""
        main, beside = (tuple(sorted(self.places[key])) for key in (False, True))
        if main == ((),):
            return
        if same_flow(self.before, self.after, self.mover):
            return
        found = reachable(self.after) if main else frozenset({()})
        if found is None or (found_beside := reachable_beside(self.after) if beside else frozenset[Marking]()) is None:
            raise CannotMove("新版本的并行分支过多，无法核实办件在其中的位置")
        if main not in found:
            raise CannotMove(self.unsound(main, found))
        if beside and beside not in found_beside and any((place,) not in found_beside for place in beside):
            raise CannotMove(f"{self.names(beside)}在新版本中不再是由提醒或到期等事件另外开启的分支")

    def unsound(self, marking: Marking, found: frozenset[Marking]) -> str:
        """Why no case of the new version stands like this."""
        larger = [other for other in found if all(other.count(place) >= marking.count(place) for place in marking)]
        if larger:
            nearest = min(larger, key=len)
            rest = list(nearest)
            for place in marking:
                rest.remove(place)
            return f"新版本在此处还要并行办理{self.names(tuple(rest))}，该办件没有走过这一分支，汇合处会一直等待"
        for place in marking:
            if all(place not in other for other in found):
                return f"新版本中走不到{self.names((place,))}"
        return f"{self.names(marking)}在新版本中不会同时在办"

    def names(self, marking: Marking) -> str:
        steps = dict.fromkeys(place[-1] for place in marking)
        return "、".join(called(self.mover.new, step) for step in steps)


def same_flow(before: ProcessSpec, after: ProcessSpec, mover: _Mover) -> bool:
    """Whether the main flow of a scope has stayed as it was, whatever its elements are called now."""
    olds, news = _flow(before), _flow(after)
    names = {name: mover.image(name) or "" for name in olds}
    if len(olds) != len(news) or set(names.values()) != set(news):
        return False
    entered = {**names, before.start.name: after.start.name}
    olds[before.start.name], news[after.start.name] = before.start, after.start
    for name, node in olds.items():
        other = news[entered[name]]
        if type(node) is not type(other) or getattr(node, "event", None) != getattr(other, "event", None):
            return False
        if sorted(names.get(target, "") for target in _onward(node)) != sorted(_onward(other)):
            return False
    return True


def _flow(spec: ProcessSpec) -> dict[str, Node]:
    """The nodes of the main flow: without events on activities, splits, and the insides of multi-instance activities."""
    return {
        node.name: node for node in nodes_of(spec)
        if node.step is not None and not node.attached and node.instance_of is None
    }  # fmt: skip


def _onward(node: Node) -> list[str]:
    return [target.name.removesuffix("[split]") for target in node.following]

