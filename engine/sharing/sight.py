"""How far a reader sees into the registers: everything, or what concerns the units they work for.

The decision itself is made where all are made, in `engine.people.permissions`; this only puts it into the form that the
registers' queries need.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.people import permissions
from engine.people.actor import Actor


@dataclass(frozen=True, slots=True)
class Sight:
    """`all` for the leadership office and whoever may see all cases; otherwise the units whose matters are visible.

    `platform` for the operators of the sharing platform, who see every grant because they open the connection for it.
    """

    all: bool
    platform: bool
    unit_ids: frozenset[int]

    def sees(self, *unit_ids: int) -> bool:
        """Whether something that concerns any of these units is visible in full."""
        return self.all or not self.unit_ids.isdisjoint(unit_ids)


def sight_of(actor: Actor) -> Sight:
    """What this reader sees of the registers."""
    scope = permissions.case_scope(actor)
    operated = {unit_id for unit_id, post in scope.pairs if post == "platform_operator"}
    platform = any((unit_id, "platform") in actor.bodies for unit_id in operated)
    return Sight(scope.all, platform, scope.unit_ids)
