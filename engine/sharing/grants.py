"""Grants 共享授权: which unit may use which fields of a resource for what, by what method, on what terms, until when.

A grant is made and ended by cases only. It lists to the unit that uses it, to the provider and to the leadership office;
the platform's operators, who open and close the connection, see all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, Text, or_, select, true
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.people.units import UnitFacts
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.paging import PAGE, Page, make_page
from engine.process.removing.clearing import KEEPERS
from engine.process.rows import next_number
from engine.sharing.catalogue import Resource, lock_resource, shareable
from engine.sharing.lists import capped, id_after
from engine.sharing.sight import Sight, sight_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id, Json
from engine.store.errors import NotFound

STATES: Mapping[str, str] = {"active": "有效", "suspended": "已暂停", "ended": "已终止"}

_Provider = aliased(Unit)


class Grant(Base):
    """A grant 共享授权."""

    __tablename__ = "sharing_grant"
    __table_args__ = (Index(None, "resource_id", "id"), Index(None, "unit_id", "id"), Index(None, "instance_id"))

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(64), unique=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    """The unit that may use it."""
    fields: Mapped[list[Any]] = mapped_column(Json)
    """The data items granted, by name."""
    use: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(String(64))
    conditions: Mapped[str] = mapped_column(Text)
    valid_until: Mapped[date | None]
    """The last day; None where no end was set."""
    state: Mapped[str] = mapped_column(String(16))
    """active · suspended · ended"""
    granted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str] = mapped_column(Text, default="")
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    """The case that made it."""
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    """The case that ended it."""


def _keep(session: Session, instance_id: int) -> str | None:
    """The case that made a grant is the proof of it for as long as the grant lasts."""
    query = select(Grant.number).where(Grant.instance_id == instance_id, Grant.state != "ended").limit(1)
    number = session.scalar(query)
    return f"形成的共享授权{number}尚未终止" if number else None


KEEPERS.append(_keep)


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant as a reader sees it; `expired` says whether its last day has passed though nobody ended it, `renewable` whether
    the unit that uses it may ask for more time."""

    id: int
    number: str
    resource_code: str
    resource_name: str
    unit_code: str
    unit_name: str
    provider_name: str
    fields: tuple[str, ...]
    use: str
    method: str
    conditions: str
    granted_at: datetime
    valid_until: date | None
    state: str
    state_label: str
    expired: bool
    renewable: bool
    instance_id: int
    ended_at: datetime | None
    end_reason: str


def search(
    session: Session,
    actor: Actor,
    *,
    today: date,
    resource: str | None = None,
    unit: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[GrantLine]:
    """The grants that the reader may see, newest first; `resource` and `unit` are codes, `today` decides what is expired."""
    query = _lines().where(_visible(sight_of(actor)))
    for column, value in ((Resource.code, resource), (Unit.code, unit), (Grant.state, state)):
        if value:
            query = query.where(column == value)
    if after:
        query = query.where(Grant.id < id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(Grant.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row, today), lambda row: str(row[0].id))


def grant_sheet(session: Session, actor: Actor, grant_id: int, *, today: date) -> GrantLine:
    """One grant. Raises NotFound where there is none that this reader may see."""
    row = session.execute(_lines().where(Grant.id == grant_id, _visible(sight_of(actor)))).one_or_none()
    if row is None:
        raise NotFound("没有该共享授权")
    return _line(*row, today)


def grants_of_case(session: Session, instance_id: int, *, today: date) -> list[GrantLine]:
    """What a case granted; whoever may see the case may see this, so the caller has asked that already."""
    return [_line(*row, today) for row in session.execute(_lines().where(Grant.instance_id == instance_id))]


@operation(
    "sharing.grant",
    parameters={
        "resource": "the resource (value or code)",
        "applicant_unit": "code of the unit that may use it",
        "fields": "the data items granted, by name; empty grants all",
        "use": "what it may be used for",
        "method": "by which method it is supplied",
        "conditions": "the conditions of use; may be empty",
        "valid_until": "ISO date of the last day; may be empty",
        "agreement": "number of the document by which withheld data is shared with this unit all the same; may be empty",
        "renews": "the earlier grant that this one follows and that ends with it (value with `id`, or the id); may be empty",
    },
)
def grant(
    call: Call,
    *,
    resource: Any,
    applicant_unit: str,
    fields: Any = None,
    use: Any = "",
    method: Any = "",
    conditions: str | None = None,
    valid_until: str | None = None,
    agreement: str | None = None,
    renews: Any = None,
) -> dict[str, Any]:
    """Grants a unit the use of a resource and returns the grant's id and number.

    What is withheld is granted only by an `agreement` (reached by negotiation or decided above it), and stays withheld for
    everybody else. An earlier grant that it `renews` ends at the same moment by the same case; where its last day passed
    while the case ran, it keeps that end. Raises OperationError `unknown-fields` for an item that the resource does not hold
    or that is withheld, `not-shared` where the resource is withheld or not published (any more), `not-renewable` where the
    earlier grant is suspended, was ended by another case, or is another unit's or resource's.
    """
    session = call.work.session
    row = lock_resource(session, resource)
    if row.state != "published" or (row.sharing_class == "withheld" and not agreement):
        raise OperationError("not-shared", f"“{row.name}”目前不予共享，不能授权")
    open_to_it = list(row.items) if agreement else shareable(row)
    wanted = [str(field) for field in fields or open_to_it]
    # An agreement may say in its own words what is meant: the catalogue does not tell the items of every withheld resource.
    if unknown := [field for field in wanted if field not in open_to_it and not agreement]:
        raise OperationError("unknown-fields", f"“{row.name}”没有数据项：{'、'.join(unknown)}")
    unit = unit_of(session, applicant_unit)
    earlier = _renewable(session, renews, row, unit) if renews else None
    year = shanghai_day(call.at).year
    made = Grant(
        number=f"共享授权〔{year}〕{next_number(session, f'grant:{year}')}号",
        resource_id=row.id,
        unit_id=unit.id,
        fields=wanted,
        use=_text(use),
        method=_text(method) or row.method,
        conditions=(conditions or "").strip(),
        valid_until=date.fromisoformat(valid_until) if valid_until else None,
        state="active",
        granted_at=call.at,
        instance_id=call.instance.id,
    )
    session.add(made)
    session.flush()
    if earlier is not None:
        _end(call, earlier, f"续期，见{made.number}")
    return {"id": made.id, "number": made.number}


def _renewable(session: Session, renews: Any, resource: Resource, unit: UnitFacts) -> Grant:
    """The earlier grant, locked. Raises OperationError where it cannot be followed by a new one."""
    earlier = _locked(session, renews)
    if (earlier.resource_id, earlier.unit_id) != (resource.id, unit.id):
        raise OperationError("not-renewable", f"{earlier.number}不是{unit.name}使用“{resource.name}”的共享授权")
    if earlier.state == "suspended" or earlier.ended_by_id is not None:
        raise OperationError("not-renewable", f"{earlier.number}{STATES[earlier.state]}，不能续期")
    return earlier


@operation(
    "sharing.end_grant",
    parameters={"grant": "the grant (value with `id`, or the id)", "reason": "why it ends"},
)
def end_grant(call: Call, *, grant: Any, reason: str = "") -> dict[str, Any]:
    """Ends a grant, which stays on record. One that has ended already keeps its first end.

    Raises OperationError `unknown-grant`.
    """
    row = _locked(call.work.session, grant)
    _end(call, row, (reason or "").strip())
    return {"id": row.id, "number": row.number}


def _locked(session: Session, grant: Any) -> Grant:
    grant_id = int(grant["id"] if isinstance(grant, Mapping) else grant)
    row = session.scalar(select(Grant).where(Grant.id == grant_id).with_for_update())
    if row is None:
        raise OperationError("unknown-grant", f"没有编号为{grant_id}的共享授权")
    return row


def _end(call: Call, row: Grant, reason: str) -> None:
    if row.state != "ended":
        row.state, row.ended_at, row.end_reason = "ended", call.at, reason
        row.ended_by_id = call.instance.id
        call.work.session.flush()


def _text(value: Any) -> str:
    """Text as it is; the choices of a form joined as Chinese lists them."""
    return "、".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value or "").strip()


def _lines() -> Select[Grant, Resource, Unit, Unit]:
    return (
        select(Grant, Resource, Unit, _Provider)
        .join(Resource, Resource.id == Grant.resource_id)
        .join(Unit, Unit.id == Grant.unit_id)
        .join(_Provider, _Provider.id == Resource.provider_id)
    )


def _visible(sight: Sight) -> ColumnElement[bool]:
    theirs = or_(Grant.unit_id.in_(sight.unit_ids), Resource.provider_id.in_(sight.unit_ids))
    return true() if sight.all or sight.platform else theirs


def label_of(grant: Grant, today: date) -> str:
    """The state of a grant in words, as of today."""
    return "已到期" if _expired(grant, today) else STATES[grant.state]


def _expired(grant: Grant, today: date) -> bool:
    return grant.state == "active" and grant.valid_until is not None and grant.valid_until < today


def _line(grant: Grant, resource: Resource, unit: Unit, provider: Unit, today: date) -> GrantLine:
    expired = _expired(grant, today)
    return GrantLine(
        id=grant.id,
        number=grant.number,
        resource_code=resource.code,
        resource_name=resource.name,
        unit_code=unit.code,
        unit_name=unit.name,
        provider_name=provider.name,
        fields=tuple(grant.fields),
        use=grant.use,
        method=grant.method,
        conditions=grant.conditions,
        granted_at=grant.granted_at,
        valid_until=grant.valid_until,
        state=grant.state,
        state_label=label_of(grant, today),
        expired=expired,
        renewable=grant.state == "active" and not expired and grant.valid_until is not None,
        instance_id=grant.instance_id,
        ended_at=grant.ended_at,
        end_reason=grant.end_reason,
    )
