"""Which cases an actor may see, as a condition of whatever query: `permissions.case_scope` for lists of other programs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists, false, or_, select, true, union

from engine.people import permissions
from engine.people.actor import Actor
from engine.process.tables import Instance, Party, Task


def seen(actor: Actor, instance_id: Any, *, few: bool = False) -> ColumnElement[bool]:
    """The case in `instance_id` is one that the actor may see.

    `few`: the rest of the query leaves few rows, so that each is looked up; else the actor's cases are gathered first, which
    is quicker than asking for each of a hundred thousand rows.
    """
    scope = permissions.case_scope(actor)
    if scope.all:
        return true()
    parties = sorted({(unit_id, "") for unit_id in scope.unit_ids} | scope.pairs)
    own = scope.account_id
    if not parties and own == permissions.NOBODY and not scope.escalated:
        return false()
    if few:
        ways: list[ColumnElement[bool]] = []
        if parties:
            ways.append(exists().where(Party.instance_id == instance_id, or_(*_parts(parties))))
        if own != permissions.NOBODY:
            handled = select(Task.id).where(Task.instance_id == instance_id, or_(Task.assignee_id == own, Task.completed_by == own))
            ways += [exists().where(Instance.id == instance_id, Instance.starter_id == own).correlate_except(Instance), exists(handled.correlate_except(Task))]
        if scope.escalated:
            ways.append(exists().where(Instance.id == instance_id, Instance.escalated.is_(True)).correlate_except(Instance))
        return or_(*ways)
    gathered: list[Any] = [select(Party.instance_id).where(part) for part in _parts(parties)]
    if own != permissions.NOBODY:
        gathered += [
            select(Instance.id).where(Instance.starter_id == own),
            select(Task.instance_id).where(Task.state == "open", Task.assignee_id == own),
            select(Task.instance_id).where(Task.state == "done", Task.completed_by == own),
        ]
    if scope.escalated:
        gathered.append(select(Instance.id).where(Instance.escalated.is_(True)))
    found: ColumnElement[bool] = instance_id.in_(union(*gathered))
    return found


def _parts(parties: list[tuple[int, str]]) -> list[ColumnElement[bool]]:
    return [(Party.unit_id == unit_id) & (Party.post == post) for unit_id, post in parties]
