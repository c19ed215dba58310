"""Looks that must go on record: an auditor's look at a case, and anybody's look at one that is not theirs to see.

They are kept in the person's own stream, so that looking at a case never waits for those who work on it.
"""

from __future__ import annotations

from engine.history import Entry, append
from engine.people.actor import Actor
from engine.store.store import Origin, Store, command


@command
def record_look(store: Store, instance_id: int, *, actor: Actor, refused: bool = False, origin: Origin = Origin()) -> None:
    """Writes that the actor looked at the case, or tried to and was refused."""
    with store.work(actor, origin) as work:
        act = "look_refused" if refused else "looked"
        append(work, f"account:{actor.account_id}", [Entry(act=act, at=work.now, data={"instance": instance_id})])
