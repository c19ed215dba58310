"""Which cases an actor may see, as a condition of whatever query: `permissions.case_scope` for lists of other programs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists, false, func, literal, or_, select, true, union, union_all
from sqlalchemy.orm import Session, aliased

from engine.people import permissions
from engine.people.actor import Actor
from engine.process.tables import Instance, Party, Task


#: Parts in cases from which on looking rows up one by one finds a page sooner than gathering all that a person sees.
MANY = 20_000

# Names of their own: whoever asks may look through the same tables, and must not be taken for them.
_case, _task = aliased(Instance), aliased(Task)


def seen(actor: Actor, instance_id: Any, *, few: bool = False) -> ColumnElement[bool]:
    """The case in `instance_id` is one that the actor may see.

    `few`: each row is looked up, which is right where the rest of the query leaves few rows or where the actor sees most of
    them; else the actor's cases are gathered first, which is quicker where the actor sees few of a hundred thousand.
    """
    scope = permissions.case_scope(actor)
    if scope.all:
        return true()
    parties, own = _parties(actor), scope.account_id
    if not parties and own == permissions.NOBODY and not scope.escalated:
        return false()
    if few:
        ways: list[ColumnElement[bool]] = []
        if parties:
            ways.append(exists().where(Party.instance_id == instance_id, or_(*_parts(parties))))
        if own != permissions.NOBODY:
            ways.append(exists().where(_case.id == instance_id, _case.starter_id == own))
            ways.append(exists().where(_task.instance_id == instance_id, or_(_task.assignee_id == own, _task.completed_by == own)))
        if scope.escalated:
            ways.append(exists().where(_case.id == instance_id, _case.escalated.is_(True)))
        return or_(*ways)
    gathered: list[Any] = [select(Party.instance_id).where(part) for part in _parts(parties)]
    if own != permissions.NOBODY:
        gathered += [
            select(_case.id).where(_case.starter_id == own),
            select(_task.instance_id).where(_task.state == "open", _task.assignee_id == own),
            select(_task.instance_id).where(_task.state == "done", _task.completed_by == own),
        ]
    if scope.escalated:
        gathered.append(select(_case.id).where(_case.escalated.is_(True)))
    found: ColumnElement[bool] = instance_id.in_(union(*gathered))
    return found


def sees_many(session: Session, actor: Actor) -> bool:
    """Whether the actor's units take part in many cases. At most one query; none once they do, for parts are never taken back."""
    parties = _parties(actor)
    if not parties or permissions.case_scope(actor).all:
        return False
    cache, key = session.info["store"].cache, ("sees many", tuple(parties))
    if key not in cache:
        some = union_all(*(select(select(literal(1)).where(part).limit(MANY).subquery()) for part in _parts(parties))).subquery()
        if int(session.scalar(select(func.count()).select_from(some)) or 0) < MANY:
            return False
        cache[key] = True
    return True


def _parties(actor: Actor) -> list[tuple[int, str]]:
    scope = permissions.case_scope(actor)
    return sorted({(unit_id, "") for unit_id in scope.unit_ids} | scope.pairs)


def _parts(parties: list[tuple[int, str]]) -> list[ColumnElement[bool]]:
    return [(Party.unit_id == unit_id) & (Party.post == post) for unit_id, post in parties]
