"""Which object of one file is which of the other: by id, and where an id changed, by what it evidently is.

A modeler that somebody else uses may give a redrawn step a new id. If nothing but its id is new (same kind, name and
place), a reader calls it the same step, and so do we. When in doubt nothing is paired: a removal and an addition.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping

from engine.process.workshop.comparing.tree import Drawing, Thing

Things = Mapping[str, Thing]
#: Objects of which a file has one, or a few that are told apart by their name.
_SINGLE = frozenset({"process", "collaboration", "participant", "laneSet"})


def pairs(before: Things, after: Things, drawn_before: Drawing, drawn_after: Drawing) -> dict[str, str]:
    """Id before → id after, of everything that is in both."""
    found = {key: key for key, thing in before.items() if key in after and after[key].family == thing.family}
    left, right = _Side(before, drawn_before, found), _Side(after, drawn_after, {key: key for key in after})
    again = True
    while again:
        again = any([_match(key, left, right, found) for key in (_single, _named, _attached, _placed, _arrow)])
    return found


class _Side:
    """One file, with its references in the ids of the file after."""

    def __init__(self, things: Things, drawn: Drawing, ids: Mapping[str, str]) -> None:
        self.things = things
        self.drawn = drawn
        self.ids = ids

    def place(self, reference: str | None) -> str | None:
        """What a reference means in the file after; None for nothing, "?" for what is not paired (yet)."""
        if not reference:
            return None
        return self.ids.get(reference, "?" + reference)


def _match(key: Callable[[Thing, _Side], Hashable | None], left: _Side, right: _Side, found: dict[str, str]) -> bool:
    """Pairs what has the same key and is the only one with it on each side. Whether anything was found."""
    taken = set(found.values())
    ours = _by_key(key, left, found.keys())
    theirs = _by_key(key, right, taken)
    fresh = {mine[0]: theirs[value][0] for value, mine in ours.items() if len(mine) == 1 and len(theirs.get(value, ())) == 1}
    found.update(fresh)
    return bool(fresh)


def _by_key(key: Callable[[Thing, _Side], Hashable | None], side: _Side, taken: Collection[str]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = {}
    for name, thing in side.things.items():
        if name not in taken:
            value = key(thing, side)
            if value is not None:
                found.setdefault(value, []).append(name)
    return found


def _single(thing: Thing, side: _Side) -> Hashable | None:
    return (thing.tag,) if thing.tag in _SINGLE else None


def _named(thing: Thing, side: _Side) -> Hashable | None:
    if not thing.name or thing.tag == "sequenceFlow":
        return None
    return thing.tag, thing.name, side.place(thing.facts.get("scope")), side.place(thing.facts.get("@attachedToRef"))


def _attached(thing: Thing, side: _Side) -> Hashable | None:
    on = side.place(thing.facts.get("@attachedToRef"))
    return (thing.facts.get("event"), thing.facts.get("timer@sharing:role"), on) if on and not thing.name else None


def _placed(thing: Thing, side: _Side) -> Hashable | None:
    bounds = side.drawn.bounds.get(thing.id)
    return (thing.tag, thing.name, side.place(thing.facts.get("scope")), bounds) if bounds else None


def _arrow(thing: Thing, side: _Side) -> Hashable | None:
    if thing.tag != "sequenceFlow":
        return None
    return side.place(thing.facts.get("@sourceRef")), side.place(thing.facts.get("@targetRef"))
