"""Messages that come by their name and by what they know of a case: its id, its business key, or values of its data.

Each case that a message finds is told in a transaction of its own, under its lock: between the question and the telling it may
have stopped waiting. A message that finds none, or several where it is for one, is refused, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.process.advance import advance
from engine.process.case import lock_instance
from engine.process.definitions import Deployed, all_in_force
from engine.process.event_tables import Subscription
from engine.process.incidents import CaseFault, keep_of_case
from engine.process.moves import Deliver
from engine.process.outside import variables
from engine.process.subscriptions import fill_in
from engine.process.tables import Instance
from engine.store.errors import NotFound, Refused
from engine.store.store import Origin, Store, command

#: Cases told by one message: more would keep whoever sends it waiting for minutes.
MOST = 1000


class Mismatch(Refused):
    """没有找到等待此消息的办件。"""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a message knows of the case that it is for."""

    message: str
    instance_id: int | None = None
    business_key: str | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Names of the case's data, and the values that they must have."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a message to several."""

    cases: tuple[int, ...]
    failed: tuple[int, ...] = ()
    """Cases that could not take it; each is an incident."""


def cases_waiting(store: Store, sought: Sought) -> list[int]:
    """The running cases that wait for the message, oldest first; at most one more than MOST."""
    fill_in(store)
    with store.read() as session:
        return list(session.scalars(_waiting(sought).limit(MOST + 1)))


def _waiting(sought: Sought) -> Any:
    query = (
        select(Instance.id).join(Subscription, Subscription.instance_id == Instance.id)
        .where(Subscription.kind == "message", Subscription.name == sought.message, Instance.state == "running")
        .distinct().order_by(Instance.id)
    )  # fmt: skip
    if sought.instance_id is not None:
        query = query.where(Instance.id == sought.instance_id)
    if sought.business_key is not None:
        query = query.where(or_(Instance.number == sought.business_key, Instance.business_key == sought.business_key))
    keys = variables.holds([{"name": name, "operator": "eq", "value": value} for name, value in sought.keys.items()])
    return query if keys is None else query.where(keys)


def processes_begun_by(session: Session, message: str) -> list[Deployed]:
    """The processes in force now that begin with the message and are not stopped."""
    now = session.info["store"].clock.now()
    return [
        definition for definition in all_in_force(session, now, startable=True)
        if any(step.kind == "start" and step.parent is None and step.message == message for step in definition.diagram.steps.values())
    ]  # fmt: skip


def tell_case(
    store: Store, instance_id: int, sought: Sought, payload: Mapping[str, Any], *, actor: Actor, origin: Origin = Origin()
) -> None:
    """Tells one case, if it still is what the message seeks. Raises NotAllowed, Mismatch, CaseFault."""
    permissions.require(actor, "operate")
    fill_in(store)
    try:
        told = _tell(store, instance_id, sought, payload, actor, origin)
    except (Refused, OperationalError):
        raise
    except Exception as error:
        keep_of_case(store, instance_id, error)
        raise CaseFault from error
    if not told:
        raise Mismatch


def tell_cases(
    store: Store, cases: list[int], sought: Sought, payload: Mapping[str, Any], *, actor: Actor, origin: Origin = Origin()
) -> Told:
    """Tells each of them; one that fails becomes an incident and stops nobody, one that waits no more is passed over. Raises NotAllowed."""
    permissions.require(actor, "operate")
    told, failed = [], []
    for instance_id in cases:
        try:
            if _tell(store, instance_id, sought, payload, actor, origin):
                told.append(instance_id)
        except Refused:
            continue  # it was quicker to change
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails becomes an incident with its traceback
            keep_of_case(store, instance_id, error)
            failed.append(instance_id)
    return Told(tuple(told), tuple(failed))


@command
def _tell(store: Store, instance_id: int, sought: Sought, payload: Mapping[str, Any], actor: Actor, origin: Origin) -> bool:
    with store.work(actor, origin) as work:
        try:
            instance = lock_instance(work, instance_id)
        except NotFound:
            return False
        if work.session.scalar(_waiting(sought).where(Instance.id == instance_id)) is None:
            return False
        advance(work, instance, Deliver(sought.message, payload))
        return True
