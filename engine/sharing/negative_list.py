"""The negative list 负面清单: what is not shared, each entry with the statutory basis that alone can justify it.

An entry is closed, never deleted, and every change names the case that made it. Titles and bases are public to all
departments; an entry without a sufficient basis (state `blocked`) is no entry of the list: only its provider and the
leadership office see it, so that it is put right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, Text, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.paging import PAGE, Page, make_page
from engine.sharing.catalogue import Resource, change_resource, lock_resource
from engine.sharing.lists import capped, containing, id_after
from engine.sharing.sight import Sight, sight_of
from engine.store.base import Base, Id
from engine.store.errors import NotFound

#: What can justify withholding, and nothing else: no departmental rule, no local one.
BASIS_TYPES: Mapping[str, str] = {
    "law": "法律",
    "administrative_regulation": "行政法规",
    "central_policy": "党中央、国务院政策",
}
STATES: Mapping[str, str] = {"listed": "在列", "closed": "已移出", "blocked": "依据不足 未发布"}
ACTS: Mapping[str, str] = {"listed": "列入", "closed": "移出", "blocked": "阻止发布"}

_LISTED = text("state = 'listed'")


class NegativeListEntry(Base):
    """An entry of the negative list. A resource has at most one that is listed."""

    __tablename__ = "negative_list_entry"
    __table_args__ = (
        Index("uq_negative_list_listed", "resource_id", unique=True, sqlite_where=_LISTED, postgresql_where=_LISTED),
        Index(None, "state", "id"),
        Index(None, "resource_id", "id"),
    )

    id: Mapped[Id]
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    state: Mapped[str] = mapped_column(String(16))
    """listed · closed · blocked (no sufficient basis, hence not published)"""
    basis_type: Mapped[str | None] = mapped_column(String(32))
    """law · administrative_regulation · central_policy; None only where blocked."""
    basis: Mapped[str] = mapped_column(String(200))
    """The law's title."""
    article: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    """What the article says."""
    reason: Mapped[str] = mapped_column(Text)
    """Why sharing in part would not do."""
    valid_until: Mapped[date | None]
    listed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class NegativeListChange(Base):
    """What happened to an entry, when, and in which case (None for the first loading)."""

    __tablename__ = "negative_list_change"

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(ForeignKey("negative_list_entry.id"), index=True)
    act: Mapped[str] = mapped_column(String(16))
    """listed · closed · blocked"""
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry in a list."""

    id: int
    resource_code: str
    resource_name: str
    provider_code: str
    provider_name: str
    state: str
    state_label: str
    basis_type_label: str
    basis: str
    article: str
    valid_until: date | None
    listed_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A change of an entry; `instance_id` is the case that made it."""

    act_label: str
    at: datetime
    note: str
    instance_id: int | None


@dataclass(frozen=True, slots=True)
class EntrySheet:
    """An entry with the words of its basis and its history."""

    line: EntryLine
    text: str
    reason: str
    closed_at: datetime | None
    changes: tuple[ChangeLine, ...]


def search(
    session: Session,
    actor: Actor,
    *,
    text: str = "",
    state: str | None = None,
    provider: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[EntryLine]:
    """The entries that the reader may see, oldest first. `text` is looked for in the resource's name and code and in the
    title of the basis; `provider` is a unit code.
    """
    query = _lines().where(_visible(sight_of(actor)))
    if words := text.strip():
        pattern = containing(words)
        columns = (Resource.name, Resource.code, NegativeListEntry.basis)
        query = query.where(or_(*(column.ilike(pattern, escape="\\") for column in columns)))
    if state:
        query = query.where(NegativeListEntry.state == state)
    if provider:
        query = query.where(Unit.code == provider)
    if after:
        query = query.where(NegativeListEntry.id > id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(NegativeListEntry.id).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row), lambda row: str(row[0].id))


def entry_sheet(session: Session, actor: Actor, entry_id: int) -> EntrySheet:
    """An entry in full. Raises NotFound where there is none that this reader may see."""
    query = _lines().where(NegativeListEntry.id == entry_id, _visible(sight_of(actor)))
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("负面清单中没有该条目")
    changes = session.scalars(
        select(NegativeListChange).where(NegativeListChange.entry_id == entry_id).order_by(NegativeListChange.id)
    )
    return EntrySheet(
        line=_line(*row),
        text=row[0].text,
        reason=row[0].reason,
        closed_at=row[0].closed_at,
        changes=tuple(ChangeLine(ACTS[c.act], c.at, c.note, c.instance_id) for c in changes),
    )


def entries_of(session: Session, actor: Actor, resource_code: str) -> list[EntryLine]:
    """All entries, present and past, that a resource has had and the reader may see; newest first."""
    query = _lines().where(Resource.code == resource_code, _visible(sight_of(actor)))
    return [_line(*row) for row in session.execute(query.order_by(NegativeListEntry.id.desc()))]


def enter(
    session: Session, resource: Resource, *, at: datetime, instance_id: int | None, note: str, **fields: Any
) -> NegativeListEntry:
    """Writes an entry with its first change; `fields` are the columns of NegativeListEntry that say what and why."""
    entry = NegativeListEntry(resource_id=resource.id, listed_at=at, **fields)
    session.add(entry)
    session.flush()
    _keep_change(session, entry, entry.state, at, note, instance_id)
    return entry


@operation(
    "negative_list.list",
    parameters={
        "resource": "the resource (value or code)",
        "basis_type": "law | administrative_regulation | central_policy",
        "basis": "title of the law, regulation or policy",
        "article": "the article of it",
        "text": "what that article says",
        "reason": "why sharing in part would not do",
        "valid_until": "ISO date until which the basis holds; may be empty",
    },
)
def list_resource(
    call: Call,
    *,
    resource: Any,
    basis_type: str,
    basis: str,
    article: str,
    text: str = "",
    reason: str = "",
    valid_until: str | None = None,
) -> dict[str, Any]:
    """Puts a resource on the negative list and withholds it.

    Raises OperationError `no-basis` for a basis that cannot justify that, `already-listed` where it stands there already.
    """
    if basis_type not in BASIS_TYPES or not (basis or "").strip() or not (article or "").strip():
        raise OperationError("no-basis", f"列入负面清单须有{'、'.join(BASIS_TYPES.values())}依据，并写明名称和条款")
    session = call.work.session
    row = lock_resource(session, resource)
    if _entry(session, row, "listed") is not None:
        raise OperationError("already-listed", f"“{row.name}”已在负面清单中")
    fields: dict[str, Any] = {
        "state": "listed",
        "basis_type": basis_type,
        "basis": basis.strip(),
        "article": article.strip(),
        "text": (text or "").strip(),
        "reason": (reason or "").strip(),
        "valid_until": date.fromisoformat(valid_until) if valid_until else None,
    }
    entry = _entry(session, row, "blocked")
    if entry is None:
        entry = enter(session, row, at=call.at, instance_id=call.instance.id, note=fields["reason"], **fields)
    else:  # what was blocked for want of a basis has one now
        for name, value in {**fields, "listed_at": call.at}.items():
            setattr(entry, name, value)
        _keep_change(session, entry, "listed", call.at, fields["reason"], call.instance.id)
    change_resource(
        session, row, at=call.at, summary="列入负面清单", instance_id=call.instance.id,
        sharing_class="withheld", state="published",
    )  # fmt: skip
    return {"id": entry.id, "basis": entry.basis, "article": entry.article}


@operation(
    "negative_list.close",
    parameters={
        "resource": "the resource (value or code)",
        "sharing_class": "what it becomes: unconditional | conditional",
        "conditions": "the conditions it is shared on from now; may be empty",
        "reason": "why the entry ends",
    },
)
def close_entry(
    call: Call, *, resource: Any, sharing_class: str, conditions: str | None = None, reason: str = ""
) -> dict[str, Any]:
    """Closes the listed entry of a resource, which stays on record, and shares the resource again.

    Raises OperationError `not-listed` where there is no listed entry, `bad-class` for another class.
    """
    if sharing_class not in ("unconditional", "conditional"):
        raise OperationError("bad-class", "移出负面清单后的共享类型应为无条件共享或有条件共享")
    session = call.work.session
    row = lock_resource(session, resource)
    entry = _entry(session, row, "listed")
    if entry is None:
        raise OperationError("not-listed", f"“{row.name}”不在负面清单中")
    entry.state, entry.closed_at = "closed", call.at
    _keep_change(session, entry, "closed", call.at, reason, call.instance.id)
    elements = {"sharing_class": sharing_class} | ({"conditions": conditions} if conditions else {})
    change_resource(
        session, row, at=call.at, summary="移出负面清单", instance_id=call.instance.id, **elements
    )
    return {"id": entry.id, "sharing_class": sharing_class}


def _entry(session: Session, resource: Resource, state: str) -> NegativeListEntry | None:
    """The entry of a resource in that state (listed, blocked), of which there is at most one."""
    query = select(NegativeListEntry).where(
        NegativeListEntry.resource_id == resource.id, NegativeListEntry.state == state
    )
    return session.scalar(query)


def _keep_change(
    session: Session, entry: NegativeListEntry, act: str, at: datetime, note: str, instance_id: int | None
) -> None:
    session.add(NegativeListChange(entry_id=entry.id, act=act, at=at, note=note, instance_id=instance_id))
    session.flush()


def _lines() -> Select[NegativeListEntry, Resource, Unit]:
    return (
        select(NegativeListEntry, Resource, Unit)
        .join(Resource, Resource.id == NegativeListEntry.resource_id)
        .join(Unit, Unit.id == Resource.provider_id)
    )


def _visible(sight: Sight) -> ColumnElement[bool]:
    on_the_list = NegativeListEntry.state != "blocked"
    return NegativeListEntry.id.is_not(None) if sight.all else or_(on_the_list, Resource.provider_id.in_(sight.unit_ids))


def _line(entry: NegativeListEntry, resource: Resource, unit: Unit) -> EntryLine:
    return EntryLine(
        id=entry.id,
        resource_code=resource.code,
        resource_name=resource.name,
        provider_code=unit.code,
        provider_name=unit.name,
        state=entry.state,
        state_label=STATES[entry.state],
        basis_type_label=BASIS_TYPES.get(entry.basis_type or "", "无"),
        basis=entry.basis,
        article=entry.article,
        valid_until=entry.valid_until,
        listed_at=entry.listed_at,
    )
