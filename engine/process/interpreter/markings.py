"""Where the tokens of a diagram can stand together: what a case that runs by it from its start could come to.

A case that is moved to another version must stand as a fresh case of that version could stand; else a join would wait
for a branch that nobody walks, or two people would do what is done once. So the situations of a scope are counted out,
conditions left aside (either way may be taken), and kept with the scope: thousands of cases ask about the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations

from engine.process.interpreter.events import Boundary, Catch, End
from engine.process.interpreter.fitting import joins, nodes_of
from engine.process.interpreter.gateways import EventGateway, Exclusive, Inclusive
from engine.process.interpreter.multi import Multi
from engine.process.interpreter.nodes import ActivitySplit, HumanTask, Node, ProcessSpec, Subprocess

#: (node,) for an activity or event that waits; (join, node from which the token came) for one that waits at a join.
Place = tuple[str, ...]
Marking = tuple[Place, ...]

#: More situations of one scope than this are not counted out. The town's diagrams have under a hundred.
MOST_MARKINGS = 20_000
_MOST_TOKENS = 30
_MOST_SUBSETS = 8

_Arrival = tuple[str, str]
_WAITING = (HumanTask, Catch, Multi, Subprocess, EventGateway)


class TooMany(Exception):
    """The scope has more situations than anybody could look through."""


@lru_cache(maxsize=256)
def reachable(spec: ProcessSpec) -> frozenset[Marking] | None:
    """The situations of a scope at rest; branches beside it (after a non-interrupting event) are left out.

    None where there are too many to count.
    """
    try:
        return frozenset(_Explorer(spec).explore([(node.name, spec.start.name) for node in spec.start.following]))
    except TooMany:
        return None


@lru_cache(maxsize=256)
def reachable_beside(spec: ProcessSpec) -> frozenset[Marking] | None:
    """The situations of the branches that non-interrupting events open, each branch for itself."""
    explorer = _Explorer(spec)
    events = [event for events in explorer.events.values() for event in events if not event.interrupting]
    try:
        return frozenset(
            marking for event in events
            for marking in explorer.explore([(node.name, event.name) for node in event.following])
        )  # fmt: skip
    except TooMany:
        return None


class _Explorer:
    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self.nodes = {node.name: node for node in nodes_of(spec)}
        self.events: dict[str, list[Boundary]] = {
            node.following[0].name: [event for event in node.following if isinstance(event, Boundary)]
            for node in self.nodes.values() if isinstance(node, ActivitySplit)
        }
        self.inclusive = [node for node in self.nodes.values() if isinstance(node, Inclusive) and joins(node)]

    def explore(self, first: Iterable[_Arrival]) -> set[Marking]:
        """Every situation that can follow. Raises TooMany."""
        seen: set[Marking] = set()
        todo = list(self.settled((), tuple(first)))
        while todo:
            marking = todo.pop()
            if marking in seen:
                continue
            seen.add(marking)
            if len(seen) > MOST_MARKINGS:
                raise TooMany
            for place in set(marking):
                rest = list(marking)
                rest.remove(place)
                for arrivals in self.leaving(place):
                    todo.extend(self.settled(tuple(rest), arrivals))
        return seen

    def leaving(self, place: Place) -> Iterator[tuple[_Arrival, ...]]:
        """The ways on from a place; none from a join, which others must complete."""
        if len(place) > 1:
            return
        node = self.nodes[place[0]]
        if isinstance(node, EventGateway):
            for event in node.following:
                yield _onward(event)
            return
        yield _onward(node)
        for event in self.events.get(node.name, ()):
            if event.interrupting:
                yield _onward(event)

    def settled(self, places: Marking, arrivals: tuple[_Arrival, ...]) -> set[Marking]:
        """The situations in which it comes to rest after tokens have gone on, whatever the conditions say."""
        found: set[Marking] = set()
        known: set[tuple[Marking, tuple[_Arrival, ...]]] = set()
        stack = [(places, arrivals)]
        while stack:
            state = stack.pop()
            if state in known:
                continue
            known.add(state)
            places, arrivals = state
            if len(known) > MOST_MARKINGS or len(places) + len(arrivals) > _MOST_TOKENS:
                raise TooMany
            if arrivals:
                stack.extend(self.arrive(places, arrivals[0], arrivals[1:]))
                continue
            going = list(self.settle(places))
            stack.extend(going)
            if not going:
                found.add(tuple(sorted(places)))
        return found

    def arrive(
        self, places: Marking, arrival: _Arrival, rest: tuple[_Arrival, ...]
    ) -> Iterator[tuple[Marking, tuple[_Arrival, ...]]]:
        """A token comes to a node: what may become of it at once."""
        name, came = arrival
        node = self.nodes[name]
        if isinstance(node, ActivitySplit):
            node = node.following[0]
        if isinstance(node, _WAITING):
            yield (*places, (node.name,)), rest
        elif joins(node):
            yield self.join(node, (*places, (node.name, came)), rest)
        elif isinstance(node, End):
            yield ((), ()) if node.event in ("terminate", "error") else (places, rest)
        elif isinstance(node, Exclusive):
            for target in node.following:
                yield places, (*rest, (target.name, node.name))
        elif isinstance(node, Inclusive):
            for chosen in _subsets(node):
                yield places, (*rest, *chosen)
        else:
            yield places, (*rest, *_onward(node))
            for event in self.events.get(node.name, ()):
                yield places, (*rest, *_onward(event))

    def join(self, node: Node, places: Marking, rest: tuple[_Arrival, ...]) -> tuple[Marking, tuple[_Arrival, ...]]:
        """A token has come to a join: a parallel one goes on as soon as it has one by each flow."""
        if isinstance(node, Inclusive):
            return places, rest
        here = Counter(place[1] for place in places if len(place) > 1 and place[0] == node.name)
        needed: Counter[str] = Counter(node._inputs)
        if any(here[name] < count for name, count in needed.items()):
            return places, rest
        left = list(places)
        for name in node._inputs:
            left.remove((node.name, name))
        return tuple(left), (*rest, *_onward(node))

    def settle(self, places: Marking) -> Iterator[tuple[Marking, tuple[_Arrival, ...]]]:
        """The inclusive joins that go on now: nothing that stands elsewhere may still come to them."""
        if not self.inclusive:
            return
        live = {name for place in places for name in self.standing(place)}
        for node in self.inclusive:
            arrived = {place[1] for place in places if len(place) > 1 and place[0] == node.name}
            missing: set[str] = set()
            for name, sources in node.sources.items():
                if name not in arrived:
                    missing |= sources
            if arrived and not live & missing:
                left = list(places)
                for name in arrived:
                    left.remove((node.name, name))
                for chosen in _subsets(node):
                    yield tuple(left), chosen

    def standing(self, place: Place) -> list[str]:
        """The nodes on which tokens are when one waits at a place: its events wait too."""
        node = self.nodes[place[0]]
        beside = node.following if isinstance(node, EventGateway) else self.events.get(node.name, ())
        return [node.name, *(other.name for other in beside)]


def _onward(node: Node) -> tuple[_Arrival, ...]:
    return tuple((target.name, node.name) for target in node.following)


def _subsets(node: Node) -> Iterator[tuple[_Arrival, ...]]:
    """What an inclusive gateway may choose: any of its flows, at least one."""
    onward = _onward(node)
    if len(onward) > _MOST_SUBSETS:
        raise TooMany
    for count in range(1, len(onward) + 1):
        yield from combinations(onward, count)
