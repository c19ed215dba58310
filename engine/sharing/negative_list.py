"""The negative list 负面清单: what is not shared, each entry with the statutory basis that alone can justify it.

An entry is closed, never deleted, and every change names the case that made it. Titles and bases are public to all
departments; an entry without a sufficient basis (state `blocked`) is no entry of the list: only its provider and the
leadership office see it, so that it is put right. What changes the list stands in `listing`, objections in `objections`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Exists, ForeignKey, Index, Select, String, Text, exists, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.paging import PAGE, Page, make_page
from engine.process.removing.clearing import KEEPERS
from engine.process.tables import OPEN_STATES, Instance
from engine.sharing.catalogue import Resource
from engine.sharing.lists import capped, containing, id_after
from engine.sharing.sight import Sight, sight_of
from engine.store.base import Base, Id
from engine.store.errors import NotFound

#: What can justify withholding under one regulation or another, and nothing else: no departmental rule, no local one.
BASIS_TYPES: Mapping[str, str] = {
    "law": "法律",
    "administrative_regulation": "行政法规",
    "central_policy": "党中央、国务院政策",
    "state_council_decision": "国务院决定",
}
STATES: Mapping[str, str] = {"listed": "在列", "closed": "已移出", "blocked": "依据不足 未发布"}
ACTS: Mapping[str, str] = {
    "listed": "列入", "closed": "移出", "blocked": "阻止发布", "narrowed": "调整", "upheld": "审核维持",
}  # fmt: skip

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
    """law · administrative_regulation · central_policy · state_council_decision; None only where blocked."""
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
    """listed · closed · blocked · narrowed (some items are shared from now on) · upheld (reviewed, and it stays)"""
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))


class Objection(Base):
    """An objection 异议 of a unit to an entry, and what became of it. Its case holds at most one."""

    __tablename__ = "negative_list_objection"

    id: Mapped[Id]
    entry_id: Mapped[int] = mapped_column(ForeignKey("negative_list_entry.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    ground: Mapped[str] = mapped_column(String(32))
    """lapsed · insufficient · too_broad · can_be_masked · wrongly_listed"""
    new_basis: Mapped[str] = mapped_column(Text)
    """What the objector brings forward that the list does not know; empty where nothing new."""
    state: Mapped[str] = mapped_column(String(16))
    """filed · under_review · dismissed (not taken up) · upheld (the entry stays) · narrowed · removed"""
    filed_at: Mapped[datetime]
    concluded_at: Mapped[datetime | None]
    document: Mapped[str] = mapped_column(String(100), default="")
    """Number of the document that concluded it."""
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


def _keep(session: Session, instance_id: int) -> str | None:
    """A case that had a part in an entry is the proof of it for as long as the entry is on the list."""
    query = (
        select(NegativeListEntry.id).join(NegativeListChange, NegativeListChange.entry_id == NegativeListEntry.id)
        .where(NegativeListChange.instance_id == instance_id, NegativeListEntry.state == "listed").limit(1)
    )
    return "涉及的负面清单条目仍在清单上" if session.scalar(query) else None


KEEPERS.append(_keep)


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
    under_review: bool
    """An objection to it has been taken up and is being reviewed; until that ends the entry stays as it is."""


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
    keep_change(session, entry, entry.state, at, note, instance_id)
    return entry


def listed_entry(session: Session, resource: Resource) -> NegativeListEntry | None:
    """The entry of a resource that is in force, if it has one."""
    return entry_in(session, resource, "listed")


def entry_value(entry: NegativeListEntry) -> dict[str, Any]:
    """An entry as the expressions of a diagram see it."""
    return {
        "id": entry.id,
        "basis_type": entry.basis_type,
        "basis": entry.basis,
        "article": entry.article,
        "text": entry.text,
        "reason": entry.reason,
    }


def entry_in(session: Session, resource: Resource, state: str) -> NegativeListEntry | None:
    """The entry of a resource in that state (listed, blocked), of which there is at most one."""
    query = select(NegativeListEntry).where(
        NegativeListEntry.resource_id == resource.id, NegativeListEntry.state == state
    )
    return session.scalar(query)


def keep_change(
    session: Session, entry: NegativeListEntry, act: str, at: datetime, note: str, instance_id: int | None
) -> None:
    """Writes down what happened to an entry; `act` is one of ACTS."""
    session.add(NegativeListChange(entry_id=entry.id, act=act, at=at, note=note, instance_id=instance_id))
    session.flush()


def _under_review() -> Exists:
    return exists().where(
        Objection.entry_id == NegativeListEntry.id, Objection.state == "under_review",
        Instance.id == Objection.instance_id, Instance.state.in_(OPEN_STATES),
    )  # fmt: skip


def _lines() -> Select[NegativeListEntry, Resource, Unit, bool]:
    return (
        select(NegativeListEntry, Resource, Unit, _under_review())
        .join(Resource, Resource.id == NegativeListEntry.resource_id)
        .join(Unit, Unit.id == Resource.provider_id)
    )


def _visible(sight: Sight) -> ColumnElement[bool]:
    on_the_list = NegativeListEntry.state != "blocked"
    return NegativeListEntry.id.is_not(None) if sight.all else or_(on_the_list, Resource.provider_id.in_(sight.unit_ids))


def _line(entry: NegativeListEntry, resource: Resource, unit: Unit, under_review: bool) -> EntryLine:
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
        under_review=under_review,
    )
