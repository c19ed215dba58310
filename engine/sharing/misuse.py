"""Suspension of grants 暂停共享: what a unit that misuses shared data may not use for the time being, and how that ended.

A grant is suspended, resumed and ended by the process on misuse alone; every suspension keeps the case that made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text, or_, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from engine.people.tables import Unit, UnitBody
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, Subject, operation, subject
from engine.sharing.catalogue import Resource
from engine.sharing.grants import Grant
from engine.sharing.subjects import value_of
from engine.store.base import Base, Id
from engine.store.errors import Invalid

_User = aliased(Unit)
#: The bodies that watch over the use of shared data, beside the provider and the user itself.
_WATCHING = ("leadership_office", "platform")


class GrantSuspension(Base):
    """A suspension of a grant by a case."""

    __tablename__ = "grant_suspension"

    id: Mapped[Id]
    grant_id: Mapped[int] = mapped_column(ForeignKey("sharing_grant.id"), index=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    suspended_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    """When the grant was resumed or ended; None while it is suspended."""
    outcome: Mapped[str] = mapped_column(Text, default="")
    """Why it was resumed or ended."""


@subject("grant", brings=("grant", "provider_unit", "resource", "user_unit"))
def grant_in_use(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The grant whose id is given as `grant`, with its `resource`, `provider_unit` and the unit that uses it (`user_unit`).

    Raises Invalid at `grant` for none that the starter's unit (`applicant_unit`) has to do with: its user, its provider,
    the office, the platform's unit; and for one that has ended.
    """
    given = str(answers.get("grant") or "")
    row = None
    if given.isdigit() and len(given) < 19:
        row = session.execute(
            select(Grant, Resource, Unit, _User)
            .join(Resource, Resource.id == Grant.resource_id)
            .join(Unit, Unit.id == Resource.provider_id)
            .join(_User, _User.id == Grant.unit_id)
            .where(Grant.id == int(given))
        ).one_or_none()
    if row is None or not _concerns(session, answers.get("applicant_unit"), row[2], row[3]):
        raise Invalid({"grant": "请选择共享授权"})
    grant, resource, provider, user = row
    if grant.state == "ended":
        raise Invalid({"grant": f"{grant.number}已终止"})
    variables = {
        "grant": {"id": grant.id, "number": grant.number, "fields": list(grant.fields), "use": grant.use},
        "resource": value_of(resource, provider), "provider_unit": provider.code, "user_unit": user.code,
    }  # fmt: skip
    return Subject(variables, resource.code, resource.name)


def _concerns(session: Session, unit_code: Any, provider: Unit, user: Unit) -> bool:
    if unit_code in (provider.code, user.code):
        return True
    query = (
        select(UnitBody.body).join(Unit, Unit.id == UnitBody.unit_id)
        .where(Unit.code == unit_code, or_(*(UnitBody.body == body for body in _WATCHING)))
    )
    return session.scalars(query.limit(1)).first() is not None


@operation(
    "misuse.suspend",
    parameters={
        "grant": "the grant (value with `id`, or the id)",
        "all_of_unit": "whether every grant that its unit holds of the same resource is suspended with it",
        "reason": "why",
    },
)
def suspend(call: Call, *, grant: Any, all_of_unit: Any = False, reason: str = "") -> dict[str, Any]:
    """Suspends a grant; returns the `numbers` of what this case has suspended. What has ended stays ended.

    Raises OperationError `unknown-grant`.
    """
    session = call.work.session
    grant_id = int(grant["id"] if isinstance(grant, Mapping) else grant)
    named = session.get(Grant, grant_id)
    if named is None:
        raise OperationError("unknown-grant", f"没有编号为{grant_id}的共享授权")
    same = (Grant.unit_id == named.unit_id, Grant.resource_id == named.resource_id) if all_of_unit else (Grant.id == grant_id,)
    active = session.scalars(select(Grant).where(*same, Grant.state == "active").order_by(Grant.id).with_for_update())
    for row in active.all():
        row.state = "suspended"
        session.add(
            GrantSuspension(grant_id=row.id, instance_id=call.instance.id, reason=reason, suspended_at=call.at)
        )
    session.flush()
    return {"numbers": _numbers(session, call.instance.id)}


@operation("misuse.resume", parameters={"reason": "why they are resumed"})
def resume(call: Call, *, reason: str = "") -> dict[str, Any]:
    """Resumes what this case has suspended, but for what has ended meanwhile; returns its `numbers`."""
    for suspension, grant in _suspended(call):
        if grant.state == "suspended":
            grant.state = "active"
        suspension.lifted_at, suspension.outcome = call.at, reason
    call.work.session.flush()
    return {"numbers": _numbers(call.work.session, call.instance.id)}


@operation("misuse.terminate", parameters={"reason": "why they end"})
def terminate(call: Call, *, reason: str = "") -> dict[str, Any]:
    """Ends what this case has suspended; returns its `numbers`."""
    for suspension, grant in _suspended(call):
        if grant.state != "ended":
            grant.state, grant.ended_at, grant.end_reason, grant.ended_by_id = "ended", call.at, reason, call.instance.id
        suspension.lifted_at, suspension.outcome = call.at, reason
    call.work.session.flush()
    return {"numbers": _numbers(call.work.session, call.instance.id)}


def _suspended(call: Call) -> list[tuple[GrantSuspension, Grant]]:
    """The suspensions of this case that still hold, with their grants locked."""
    query = (
        select(GrantSuspension, Grant).join(Grant, Grant.id == GrantSuspension.grant_id)
        .where(GrantSuspension.instance_id == call.instance.id, GrantSuspension.lifted_at.is_(None))
        .order_by(GrantSuspension.id).with_for_update()
    )
    return [(suspension, grant) for suspension, grant in call.work.session.execute(query)]


def _numbers(session: Session, instance_id: int) -> list[str]:
    query = (
        select(Grant.number).join(GrantSuspension, GrantSuspension.grant_id == Grant.id)
        .where(GrantSuspension.instance_id == instance_id).order_by(Grant.id)
    )
    return list(session.scalars(query))
