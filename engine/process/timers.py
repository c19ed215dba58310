"""Firing due timers: any number of workers, each timer exactly once, one poisoned instance stops nobody.

A worker reads a page of due rows without locking, then takes one transaction each: lock the instance (skipping what
somebody else holds), look at the timer again, move. What fires acts as of its due time and is recorded when it fired.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import undefer

from engine.process import incidents
from engine.process.advance import advance
from engine.process.clocks import acts_at
from engine.process.moves import Fire
from engine.process.tables import Instance, Timer
from engine.store.errors import Stale
from engine.store.store import WORKER, Store, Work, command

#: Due timers read at once; small, so that a second worker finds fresh ones.
PAGE = 50


def fire_due(store: Store, most: int = 1000) -> int:
    """Fires what is due now, oldest first, until nothing is left or `most` were tried; returns how many fired."""
    fired = tried = 0
    while tried < most:
        due = _due_page(store, min(PAGE, most - tried))
        if not due:
            break
        fired_before = fired
        for timer_id in due:
            tried += 1
            try:
                fired += _fire(store, timer_id)
            except Stale:
                continue  # another writer moved the instance: the next sweep looks again
            except OperationalError:
                raise  # the database is away: no timer's fault, the next sweep tries them all again
            except Exception as error:  # noqa: BLE001 - whatever fails becomes an incident with its traceback
                incidents.report(store, error, timer_id=timer_id)
        if fired == fired_before and len(due) < PAGE:
            break  # the rest is held by others
    return fired


_DUE = (
    select(Timer.id).where(Timer.state == "waiting", Timer.wake_at <= bindparam("now", type_=Timer.wake_at.type))
    .order_by(Timer.wake_at, Timer.id).limit(bindparam("most"))
)
_LOCKED = (
    select(Instance, Timer).join(Timer, Timer.instance_id == Instance.id).where(Timer.id == bindparam("timer"))
    .options(undefer(Instance.saved)).with_for_update(skip_locked=True)
)


def _due_page(store: Store, limit: int) -> list[int]:
    with store.read() as session:
        return list(session.scalars(_DUE, {"now": store.clock.now(), "most": limit}))


@command
def _fire(store: Store, timer_id: int) -> bool:
    """One timer in one transaction; False when it is no longer due or another worker holds the instance."""
    with store.work(None, WORKER) as work:
        return fire_in(work, timer_id)


def fire_in(work: Work, timer_id: int) -> bool:
    """Fires a due timer in the caller's transaction; False when it is no longer due or somebody else holds the instance."""
    found = work.session.execute(_LOCKED, {"timer": timer_id}).first()
    if found is None:
        return False
    instance, timer = found
    if not _is_due(timer, work.now):
        return False
    if instance.state != "running":
        timer.state, timer.wake_at = "cancelled", None
        return False
    advance(work, instance, Fire(timer_id), at=acts_at(timer))
    return True


def _is_due(timer: Timer, now: datetime) -> bool:
    return timer.state == "waiting" and timer.wake_at is not None and timer.wake_at <= now
