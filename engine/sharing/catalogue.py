"""The catalogue 信息资源目录: every resource with the elements that the regulation wants stated, and its versions.

Elements change only through `change_resource`, which keeps what stood before; a code stays for life. Whoever may sign in
sees every published resource; what items a withheld one holds is for its provider and the leadership office alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, Text, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.paging import PAGE, Page, make_page
from engine.sharing.elements import KINDS, LABELS, SHARING_CLASSES, STATES, Difference, differences, in_words
from engine.sharing.lists import capped, containing
from engine.sharing.sight import Sight, sight_of
from engine.store.base import Base, Id, Json
from engine.store.errors import NotFound
from engine.store.store import Work

#: The elements of a resource that may change and of which every version keeps a copy.
ELEMENTS = tuple(LABELS)
#: What a reader is not told of a withheld resource.
HIDDEN = ("items", "item_types", "withheld_items")


class Resource(Base):
    """An information resource 信息资源 as the catalogue states it today."""

    __tablename__ = "resource"
    __table_args__ = (
        Index(None, "provider_id", "code"),
        Index(None, "sharing_class", "code"),
        Index(None, "kind", "code"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(64), unique=True)
    """Class code, a slash and a serial: 209001/000001."""
    class_code: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """basic · theme · business: decides who supplies it."""
    name: Mapped[str] = mapped_column(String(200))
    provider_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    format: Mapped[str] = mapped_column(String(64))
    sharing_class: Mapped[str] = mapped_column(String(16))
    """unconditional · conditional · withheld"""
    conditions: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(String(64))
    update_cycle: Mapped[str] = mapped_column(String(64))
    update_deadline: Mapped[str] = mapped_column(String(64))
    open_to_public: Mapped[bool]
    items: Mapped[list[Any]] = mapped_column(Json)
    """The names of its data items 信息项, in order."""
    withheld_items: Mapped[list[Any]] = mapped_column(Json, default=list)
    """Those of `items` that stay on the negative list though the rest is shared; empty where all or nothing is shared."""
    item_types: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Item → its data type, where one was stated."""
    abstract: Mapped[str] = mapped_column(Text, default="")
    identifier: Mapped[str] = mapped_column(String(64), default="")
    """The item by which its records are told apart, such as 统一社会信用代码; empty where it is about no person or body."""
    level: Mapped[str] = mapped_column(String(32), default="")
    source: Mapped[str] = mapped_column(String(32), default="")
    """own · third_party · authorised · system: where its data comes from; empty where nobody has said."""
    sharing_scope: Mapped[str] = mapped_column(Text, default="")
    """Among whom it is shared."""
    related_code: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16))
    """draft (not published yet) · published · blocked (a withheld class without a statutory basis) · withdrawn"""
    version: Mapped[int]
    """0 until it is first published."""
    changed_at: Mapped[datetime]


class ResourceVersion(Base):
    """A version of a resource: its elements as they stood from `changed_at` on, and the case that made them so."""

    __tablename__ = "resource_version"

    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    changed_at: Mapped[datetime]
    summary: Mapped[str] = mapped_column(String(300))
    elements: Mapped[dict[str, Any]] = mapped_column(Json)
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("instance.id"))
    """None for what was loaded when the catalogue was set up."""


class PublishedCondition(Base):
    """A condition agreed in a reply and made public with the resource, so that the next applicant knows it beforehand."""

    __tablename__ = "published_condition"

    id: Mapped[Id]
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))


@dataclass(frozen=True, slots=True)
class ResourceLine:
    """A resource in a list."""

    code: str
    name: str
    kind: str
    kind_label: str
    class_code: str
    sharing_class: str
    class_label: str
    provider_code: str
    provider_name: str
    method: str
    update_cycle: str
    state: str
    state_label: str
    changed_at: datetime

    @property
    def on_request(self) -> bool:
        """Whether the way to it is a request to its provider."""
        return self.state == "published" and self.sharing_class == "conditional"


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in a resource's history; `instance_id` is the case that made it, None for the first loading.

    `changes` is what differs from the version before it.
    """

    version: int
    changed_at: datetime
    summary: str
    instance_id: int | None
    changes: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """A condition published with a resource."""

    text: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class ResourceSheet:
    """A resource in full, as one reader may see it. `items` is None where they are hidden from that reader."""

    line: ResourceLine
    format: str
    conditions: str
    update_deadline: str
    open_to_public: bool
    items: tuple[str, ...] | None
    item_types: Mapping[str, str]
    abstract: str
    identifier: str
    level: str
    source_label: str
    sharing_scope: str
    related_code: str
    version: int
    versions: tuple[VersionLine, ...]
    published_conditions: tuple[ConditionLine, ...]


def search(
    session: Session,
    actor: Actor,
    *,
    text: str = "",
    kind: str | None = None,
    sharing_class: str | None = None,
    provider: str | None = None,
    class_code: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[ResourceLine]:
    """The resources that the reader may see, by code. `text` is looked for in name and code, `provider` is a unit code.

    A filter with a value that does not exist finds nothing. A blocked resource is there for its provider and the office.
    """
    query = _lines().where(visible(sight_of(actor)))
    if words := text.strip():
        pattern = containing(words)
        query = query.where(or_(Resource.name.ilike(pattern, escape="\\"), Resource.code.like(pattern, escape="\\")))
    for column, value in ((Resource.kind, kind), (Resource.sharing_class, sharing_class), (Unit.code, provider)):
        if value:
            query = query.where(column == value)
    if class_code:
        query = query.where(Resource.class_code.startswith(class_code, autoescape=True))
    if after:
        query = query.where(Resource.code > after)
    limit = capped(limit)
    rows = session.execute(query.order_by(Resource.code).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row), lambda row: row[0].code)


def providers(session: Session) -> list[tuple[str, str]]:
    """Code and name of every unit that provides a resource, for the filter of a list."""
    query = select(Unit.code, Unit.name).where(Unit.id.in_(select(Resource.provider_id).distinct())).order_by(Unit.code)
    return [(code, name) for code, name in session.execute(query)]


def resource_sheet(session: Session, actor: Actor, code: str, *, versions: bool = True) -> ResourceSheet:
    """A resource in full, without its history unless `versions`. Raises NotFound where there is none that this reader may see."""
    sight = sight_of(actor)
    # What was withdrawn stays readable for those who used it, though no list shows it to them any more.
    readable = or_(visible(sight), and_(Resource.state == "withdrawn", Resource.version > 0))
    row = session.execute(_lines().where(Resource.code == code, readable)).one_or_none()
    if row is None:
        raise NotFound("目录中没有该信息资源")
    resource, unit = row
    conditions = session.scalars(
        select(PublishedCondition).where(PublishedCondition.resource_id == resource.id).order_by(PublishedCondition.id)
    )
    items = resource.items if sight.sees(resource.provider_id) else shareable(resource)
    hidden = resource.sharing_class == "withheld" and not sight.sees(resource.provider_id)
    return ResourceSheet(
        line=_line(resource, unit),
        format=resource.format,
        conditions=resource.conditions,
        update_deadline=resource.update_deadline,
        open_to_public=resource.open_to_public,
        items=None if hidden else tuple(items),
        item_types={} if hidden else {item: kind for item, kind in resource.item_types.items() if item in items},
        abstract=resource.abstract,
        identifier=resource.identifier,
        level=resource.level,
        source_label=in_words("source", resource.source),
        sharing_scope=resource.sharing_scope,
        related_code=resource.related_code,
        version=resource.version,
        versions=_versions(session, resource, full=sight.sees(resource.provider_id)) if versions else (),
        published_conditions=tuple(ConditionLine(c.text, c.published_at) for c in conditions),
    )


def _versions(session: Session, resource: Resource, *, full: bool) -> tuple[VersionLine, ...]:
    """The versions, newest first. Without `full` sight the items of a version that withheld any are not told."""
    query = select(ResourceVersion).where(ResourceVersion.resource_id == resource.id)
    rows = session.scalars(query.order_by(ResourceVersion.version)).all()
    lines = []
    before: Mapping[str, Any] = {}
    for row in rows:
        withheld = any(one.get("sharing_class") == "withheld" or one.get("withheld_items") for one in (before, row.elements))
        changes = differences(before, row.elements, () if full or not withheld else HIDDEN)
        lines.append(VersionLine(row.version, row.changed_at, row.summary, row.instance_id, tuple(changes)))
        before = row.elements
    return tuple(reversed(lines))


def visible(sight: Sight) -> ColumnElement[bool]:
    """The condition on Resource for what a reader may find: all that is published, and the rest that is theirs."""
    published = Resource.state == "published"
    return Resource.id.is_not(None) if sight.all else or_(published, Resource.provider_id.in_(sight.unit_ids))


def shareable(resource: Resource) -> list[str]:
    """The items of a resource that may be shared as far as the negative list goes: none of them where it is withheld."""
    return [] if resource.sharing_class == "withheld" else [item for item in resource.items if item not in resource.withheld_items]


def code_of(resource: Any) -> str:
    """The code of a resource given as a case's `resource` value or as the bare code."""
    return str(resource["code"] if isinstance(resource, Mapping) else resource)


def lock_resource(session: Session, resource: Any) -> Resource:
    """The row of a resource, locked until the transaction ends. Raises OperationError (`unknown-resource`)."""
    code = code_of(resource)
    row = session.scalar(select(Resource).where(Resource.code == code).with_for_update())
    if row is None:
        raise OperationError("unknown-resource", f"目录中没有编码为“{code}”的信息资源")
    return row


def add_resource(work: Work, *, code: str, summary: str, instance_id: int | None = None, **elements: Any) -> Resource:
    """Enters a resource as its version 1; `elements` are those of ELEMENTS."""
    resource = Resource(code=code, version=1, changed_at=work.now, **elements)
    work.session.add(resource)
    work.session.flush()
    _keep_version(work.session, resource, summary, instance_id)
    return resource


def change_resource(
    session: Session, resource: Resource, *, at: datetime, summary: str, instance_id: int | None, **elements: Any
) -> None:
    """Sets elements of a locked resource as its next version; nothing happens where nothing differs."""
    changed = {name: value for name, value in elements.items() if getattr(resource, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(resource, name, value)
    resource.version += 1
    resource.changed_at = at
    _keep_version(session, resource, summary, instance_id)


def _keep_version(session: Session, resource: Resource, summary: str, instance_id: int | None) -> None:
    session.add(
        ResourceVersion(
            resource_id=resource.id,
            version=resource.version,
            changed_at=resource.changed_at,
            summary=summary,
            elements={name: getattr(resource, name) for name in ELEMENTS},
            instance_id=instance_id,
        )
    )
    session.flush()


def _lines() -> Select[Resource, Unit]:
    return select(Resource, Unit).join(Unit, Unit.id == Resource.provider_id)


def _line(resource: Resource, unit: Unit) -> ResourceLine:
    return ResourceLine(
        code=resource.code,
        name=resource.name,
        kind=resource.kind,
        kind_label=KINDS[resource.kind],
        class_code=resource.class_code,
        sharing_class=resource.sharing_class,
        class_label=SHARING_CLASSES[resource.sharing_class],
        provider_code=unit.code,
        provider_name=unit.name,
        method=resource.method,
        update_cycle=resource.update_cycle,
        state=resource.state,
        state_label=STATES[resource.state],
        changed_at=resource.changed_at,
    )


@operation(
    "sharing.publish_conditions",
    parameters={"resource": "the resource (value or code)", "conditions": "the agreed conditions; empty publishes nothing"},
)
def publish_conditions(call: Call, *, resource: Any, conditions: str | None = None) -> dict[str, Any]:
    """Makes the conditions agreed in this case public with the resource; the same text stands there only once."""
    text = (conditions or "").strip()
    if not text:
        return {"published": False}
    session = call.work.session
    row = lock_resource(session, resource)
    same = and_(PublishedCondition.resource_id == row.id, PublishedCondition.text == text)
    if session.scalar(select(PublishedCondition.id).where(same)) is None:
        session.add(
            PublishedCondition(resource_id=row.id, text=text, published_at=call.at, instance_id=call.instance.id)
        )
        session.flush()
    return {"published": True}
