"""Another date for a timer by hand 调整时限, and back to the counted one: for who supervises, with a reason that stays on record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from engine.people.actor import Actor
from engine.people.permissions import require
from engine.process.advance import advance
from engine.process.case import lock_instance
from engine.process.moves import SetDue
from engine.process.tables import Timer
from engine.store.errors import Invalid, NotFound
from engine.store.store import Origin, Store, command


@command
def set_due(store: Store, timer_id: int, *, actor: Actor, due: datetime, reason: str, origin: Origin = Origin()) -> None:
    """Gives a waiting timer another date (an instant; of a deadline the exclusive end, 00:00 of the day after its last day).

    Raises NotAllowed, NotFound, NotRunning, Stale where it has fired meanwhile, Refused while its clock stands, Invalid without
    a reason or for a date in the past, beyond the statutory maximum or beyond the calendar.
    """
    _move(store, timer_id, due, actor, reason, origin)


@command
def let_count(store: Store, timer_id: int, *, actor: Actor, reason: str, origin: Origin = Origin()) -> None:
    """Takes a hand-set date back to the one that the calendar gives. Raises as `set_due`; Refused where none was set by hand."""
    _move(store, timer_id, None, actor, reason, origin)


def _move(store: Store, timer_id: int, due: datetime | None, actor: Actor, reason: str, origin: Origin) -> None:
    require(actor, "supervise")
    if not reason.strip():
        raise Invalid({"reason": "请填写调整时限的理由"})
    with store.work(actor, origin) as work:
        instance_id = work.session.scalar(select(Timer.instance_id).where(Timer.id == timer_id))
        if instance_id is None:
            raise NotFound("没有找到该定时，或已触发")
        advance(work, lock_instance(work, instance_id), SetDue(timer_id, due, reason.strip()))
