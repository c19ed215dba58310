"""Who uses a resource: the units that hold a grant of it, by request or by subscription. They are told what changes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from calendars.deadline import shanghai_day
from engine.people.tables import Unit
from engine.process.operations import Call, operation
from engine.sharing.catalogue import lock_resource
from engine.sharing.grants import Grant


@operation("sharing.consumers", {"resource": "the resource (value or code)"}, repeatable=True)
def consumers(call: Call, *, resource: Any) -> list[str]:
    """Codes of the units whose grant of the resource has neither ended nor expired; what is only suspended counts."""
    session = call.work.session
    row = lock_resource(session, resource)
    lasting = or_(Grant.valid_until.is_(None), Grant.valid_until >= shanghai_day(call.at))
    query = (
        select(Unit.code).join(Grant, Grant.unit_id == Unit.id)
        .where(Grant.resource_id == row.id, Grant.state != "ended", lasting).distinct().order_by(Unit.code)
    )
    return list(session.scalars(query))


@operation("sharing.end_grants", {"resource": "the resource (value or code)", "reason": "why they end"})
def end_grants(call: Call, *, resource: Any, reason: str) -> int:
    """Ends every grant of a resource that still stands, as when it leaves the catalogue; returns how many."""
    session = call.work.session
    row = lock_resource(session, resource)
    standing = session.scalars(
        select(Grant).where(Grant.resource_id == row.id, Grant.state != "ended").order_by(Grant.id).with_for_update()
    ).all()
    for grant in standing:
        grant.state, grant.ended_at, grant.end_reason, grant.ended_by_id = "ended", call.at, reason, call.instance.id
    session.flush()
    return len(standing)
