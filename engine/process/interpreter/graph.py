"""Two questions about the drawing of a diagram that an inclusive join asks once, when it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

Edges = Mapping[str, Collection[str]]


def sources_of(join: str, inputs: Collection[str], fork: str | None, edges: Edges) -> dict[str, frozenset[str]]:
    """For each incoming node of an inclusive join: where tokens stand that may still come by it.

    Paths through the join itself or through `fork`, the nearest node that every path to the join passes,
    belong to another round of a loop and do not count.
    """
    backward = _backward(edges)
    found = {}
    for name in inputs:
        reach: set[str] = set()
        stack = [name]
        while stack:
            at = stack.pop()
            if at not in reach and at not in (join, fork):
                reach.add(at)
                stack.extend(backward.get(at, ()))
        found[name] = frozenset(reach)
    return found


def nearest_dominators(start: str, edges: Edges) -> dict[str, str]:
    """For each node reachable from `start`: the nearest other node that lies on every path to it.

    The iterative algorithm of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001).
    """
    order = postorder([start], edges)
    number = {name: position for position, name in enumerate(order)}
    backward = _backward(edges)
    nearest = {start: start}

    def meet(one: str, other: str) -> str:
        while one != other:
            while number[one] < number[other]:
                one = nearest[one]
            while number[other] < number[one]:
                other = nearest[other]
        return one

    changed = True
    while changed:
        changed = False
        for name in reversed(order[:-1]):
            known = [before for before in backward[name] if before in nearest]
            if not known:
                continue
            found = known[0]
            for before in known[1:]:
                found = meet(found, before)
            if nearest.get(name) != found:
                nearest[name] = found
                changed = True
    del nearest[start]
    return nearest


def postorder(starts: Iterable[str], edges: Edges) -> list[str]:
    """All that can be reached from `starts`, each once and behind what it leads to (but for what leads back)."""
    order: list[str] = []
    seen: set[str] = set()
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(edges.get(start, ())))]
        while stack:
            name, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                order.append(name)
                stack.pop()
            elif target not in seen:
                seen.add(target)
                stack.append((target, iter(edges.get(target, ()))))
    return order


def _backward(edges: Edges) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, targets in edges.items():
        for target in targets:
            found.setdefault(target, []).append(name)
    return found
