"""Signals 信号: thrown by a case or from outside, heard by every running case that waits for them at that moment.

Throwing one writes one row. The worker then finds who waited, a page at a time, and lets each case hear it in a transaction of
its own: so nothing is ever locked but one case, a worker that is killed loses and repeats nothing (a delivery is deleted in the
transaction that makes it), and a case that cannot take it becomes an incident that stops nobody. Whoever begins to wait after
the signal was thrown is not reached by it, nor is a case that is suspended when its turn comes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.history import Entry, append
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process import incidents
from engine.process.advance import advance
from engine.process.case import lock_instance
from engine.process.definitions import Suspended, all_in_force, in_force, require_active
from engine.process.event_tables import Signal, SignalDelivery, Subscription
from engine.process.instances import start_by_system
from engine.process.interpreter.structure_events import NAME_MAX
from engine.process.moves import Hear
from engine.process.rows import add_missing
from engine.process.tables import Instance
from engine.process.throwing import last_listener
from engine.store.errors import Invalid, NotFound, NotRunning, Stale
from engine.store.store import WORKER, Origin, Store, Work, command

log = logging.getLogger(__name__)

#: Subscriptions looked through in one transaction, and deliveries read at once.
SPREAD_PAGE, PAGE = 500, 50


class NobodyHears(NotRunning):
    """该办件现在没有等待此信号的环节。"""


@command
def throw_signal(
    store: Store, name: str, payload: Mapping[str, Any] | None = None, *, actor: Actor, instance_id: int | None = None, origin: Origin = Origin()
) -> None:
    """Throws a signal from outside. To one case it goes at once, else to all that wait for it now, by the worker.

    Raises NotAllowed, Invalid for a name that no signal has; for one case NotFound, and NobodyHears where it does not wait for it.
    """
    permissions.require(actor, "operate")
    if not name or len(name) > NAME_MAX:
        raise Invalid({"name": f"信号的名称应有1到{NAME_MAX}个字符"})
    with store.work(actor, origin) as work:
        if instance_id is not None:
            if not hear_in(work, instance_id, name, payload or {}, {"from": actor.name}):
                raise NobodyHears
            return
        signal = Signal(name=name, payload=dict(payload or {}), thrown_at=work.now, source=actor.name, unit_id=actor.unit_id, depth=0,
                        up_to_id=last_listener(work.session, name))
        work.session.add(signal)
        work.session.flush()
        append(work, "signals", [Entry(act="signal_thrown", data={"signal": name, "number": signal.id, "payload": signal.payload})])


def hear_in(
    work: Work, instance_id: int, name: str, payload: Mapping[str, Any], said: Mapping[str, Any], *, up_to_id: int | None = None
) -> bool:
    """Lets a case hear a signal, in the caller's transaction; False where it does not wait for it or does not run. Raises NotFound."""
    instance = lock_instance(work, instance_id)
    waits = select(Subscription.token).where(
        Subscription.instance_id == instance_id, Subscription.kind == "signal", Subscription.name == name,
        *([Subscription.id <= up_to_id] if up_to_id is not None else []),
    )  # fmt: skip
    tokens = frozenset(work.session.scalars(waits))
    if instance.state != "running" or not tokens:
        return False
    advance(work, instance, Hear(name, payload, tokens, said))
    return True


# -- the worker -----------------------------------------------------------------------------------


def deliver_signals(store: Store, most: int = 1000) -> int:
    """Lets cases hear what was thrown until nothing is left or `most` were tried; returns how many heard or were started."""
    while _spread_page(store):
        pass
    heard = tried = 0
    while tried < most:
        due = _due(store, min(PAGE, most - tried))
        before = heard
        for delivery_id in due:
            tried += 1
            heard += _attempt(store, delivery_id)
        if not due or (heard == before and len(due) < PAGE):
            break  # nothing is left, or others hold the rest
    _forget_heard(store)
    return heard


_OPEN = select(Signal).where(Signal.spread.is_(False)).order_by(Signal.id).limit(1).with_for_update(skip_locked=True)


@command
def _spread_page(store: Store) -> bool:
    """Writes down the next cases that are to hear the oldest signal that is not spread yet; False when none is left."""
    with store.read() as session:
        if session.scalar(select(Signal.id).where(Signal.spread.is_(False)).limit(1)) is None:
            return False
    with store.work(None, WORKER) as work:
        signal = work.session.scalars(_OPEN).first()
        if signal is None:
            return False  # another worker is at it
        page = (
            select(Subscription.id, Subscription.instance_id).join(Instance, Instance.id == Subscription.instance_id)
            .where(Subscription.kind == "signal", Subscription.name == signal.name, Subscription.id > signal.spread_id,
                   Subscription.id <= signal.up_to_id, Instance.state == "running")
            .order_by(Subscription.id).limit(SPREAD_PAGE)
        )  # fmt: skip
        rows = work.session.execute(page).all()
        common = {"signal_id": signal.id, "attempts": 0, "wake_at": work.now}
        cases = [case for case in dict.fromkeys(row.instance_id for row in rows) if case != signal.instance_id]
        add_missing(work.session, SignalDelivery, [{**common, "instance_id": case, "process_key": None} for case in cases])
        if rows:
            signal.spread_id = rows[-1].id
        if len(rows) < SPREAD_PAGE:
            starts = started_by(work.session, signal)
            add_missing(work.session, SignalDelivery, [{**common, "instance_id": None, "process_key": key} for key in starts])
            signal.spread = True
        return True


def started_by(session: Session, signal: Signal) -> list[str]:
    """The keys of the processes that were in force when a signal was thrown and begin by it."""
    return [
        definition.key for definition in all_in_force(session, signal.thrown_at, startable=True)
        if any(step.kind == "start" and step.parent is None and step.signal == signal.name for step in definition.diagram.steps.values())
    ]  # fmt: skip


_DUE = (
    select(SignalDelivery.id).where(SignalDelivery.wake_at <= bindparam("now", type_=SignalDelivery.wake_at.type))
    .order_by(SignalDelivery.wake_at, SignalDelivery.id).limit(bindparam("most"))
)
#: With its case where it has one: who moves a case locks it first.
_LOCKED_CASE = (
    select(Instance.id).join(SignalDelivery, SignalDelivery.instance_id == Instance.id).where(SignalDelivery.id == bindparam("delivery"))
    .with_for_update(of=Instance, skip_locked=True)
)
_LOCKED = select(SignalDelivery).where(SignalDelivery.id == bindparam("delivery")).with_for_update(skip_locked=True)


def _due(store: Store, most: int) -> list[int]:
    with store.read() as session:
        return list(session.scalars(_DUE, {"now": store.clock.now(), "most": most}))


def _attempt(store: Store, delivery_id: int) -> bool:
    try:
        return _deliver(store, delivery_id)
    except Stale:
        return False  # another writer moved the case: the next sweep looks again
    except OperationalError:
        raise  # the database is away: no case's fault
    except Exception as error:  # noqa: BLE001 - whatever fails becomes an incident with its traceback
        incidents.report(store, error, delivery_id=delivery_id)
        return False


@command
def _deliver(store: Store, delivery_id: int) -> bool:
    """One delivery in one transaction; False when another worker holds it or its case, or nobody waits any more."""
    with store.work(None, WORKER) as work:
        locked = work.session.scalar(_LOCKED_CASE, {"delivery": delivery_id})
        delivery = work.session.scalars(_LOCKED, {"delivery": delivery_id}).first()
        if delivery is None or (delivery.instance_id is not None and locked is None):
            return False
        if delivery.wake_at is None or delivery.wake_at > work.now:
            return False
        signal = work.session.get_one(Signal, delivery.signal_id)
        work.session.delete(delivery)
        if delivery.attempts:
            incidents.resolve(work, delivery_id=delivery.id)
        work.session.flush()
        return perform(work, signal, instance_id=delivery.instance_id, process_key=delivery.process_key)


def perform(work: Work, signal: Signal, *, instance_id: int | None = None, process_key: str | None = None) -> bool:
    """Lets one case hear a signal, or one process begin by it, in the caller's transaction; False where nothing comes of it."""
    said = {"from": signal.source, "number": signal.id}
    work.notes["signal_depth"] = signal.depth
    if instance_id is not None:
        return hear_in(work, instance_id, signal.name, signal.payload, said, up_to_id=signal.up_to_id)
    assert process_key is not None, "a delivery is for a case or for a process"
    return _start(work, signal, process_key, said)


def _start(work: Work, signal: Signal, process_key: str, said: Mapping[str, Any]) -> bool:
    unit = work.session.get(Unit, signal.unit_id) if signal.unit_id is not None else None
    try:
        require_active(work.session, in_force(work.session, process_key, work.now).id)
        start_by_system(work, process_key, unit_code=unit.code if unit else None, variables=signal.payload,
                        said={"signal": signal.name, **said})
    except (NotFound, Suspended):
        return False  # it was taken out of force, or stopped, since
    return True


@command
def _forget_heard(store: Store) -> None:
    """Removes the signals that everybody has heard."""
    left = exists().where(SignalDelivery.signal_id == Signal.id)
    with store.read() as session:
        if session.scalar(select(func.count()).select_from(Signal).where(Signal.spread, ~left)) == 0:
            return
    with store.work(None, WORKER) as work:
        work.session.execute(delete(Signal).where(Signal.spread, ~left))


def heard_within(work: Work, signals: Sequence[Signal], cases: Sequence[int]) -> None:
    """Lets these cases hear signals at once, in the caller's transaction: a dry run has no worker, and reaches no case but its own."""
    for signal in signals:
        for case in cases:
            if case != signal.instance_id:
                perform(work, signal, instance_id=case)
        for key in started_by(work.session, signal):
            perform(work, signal, process_key=key)
