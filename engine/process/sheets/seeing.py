"""Whether and how much of a case a reader sees: the one place where every page of a case asks it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.permissions import CaseFacts, Sight
from engine.process.case import require_kept
from engine.process.tables import Instance, Party, Task
from engine.store.errors import NotAllowed, NotFound


def case_facts(session: Session, instance: Instance) -> CaseFacts:
    """What the decision about seeing a case needs. Two queries."""
    parties = session.execute(select(Party.unit_id, Party.post).where(Party.instance_id == instance.id)).all()
    people = session.execute(
        select(Task.assignee_id, Task.completed_by).where(Task.instance_id == instance.id, Task.assignee_id.is_not(None))
    ).all()
    return CaseFacts(
        frozenset((unit_id, post) for unit_id, post in parties),
        frozenset(person for pair in people for person in pair if person is not None),
        instance.starter_id, instance.escalated,
    )


def require_sight(session: Session, actor: Actor, instance: Instance) -> tuple[Sight, CaseFacts]:
    """How much of the case the actor sees. Raises NotAllowed when nothing."""
    facts = case_facts(session, instance)
    seen = permissions.sight(actor, facts)
    if seen is Sight.NONE:
        raise NotAllowed("您无权查看该办件")
    return seen, facts


def find_instance(session: Session, instance_id: int) -> Instance:
    """An instance row for reading. Raises NotFound, Removed."""
    instance = session.get(Instance, instance_id)
    if instance is None:
        raise NotFound("没有找到该办件")
    require_kept(instance)
    hold(session, instance)
    return instance


def hold(session: Session, row: Instance | Task) -> None:
    """Keeps a row in reach for as long as its session lives.

    A page asks several parts of the engine about one case, and a session forgets what nobody holds: each would read it again.
    """
    session.info.setdefault("held", []).append(row)


def now_of(session: Session) -> datetime:
    """The instant of the store's clock (UTC)."""
    moment: datetime = session.info["store"].clock.now()
    return moment
