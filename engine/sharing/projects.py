"""The register of project catalogues 项目信息资源目录: what a project promises to add to the catalogue, and whether it did.

A project compiles its information resources before it is approved; it is accepted only when all of them stand in the
catalogue. The comparison is a pure function of the two lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Numeric, Select, String, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, Subject, operation, subject
from engine.process.paging import PAGE, Page, make_page
from engine.sharing.catalogue import Resource
from engine.sharing.lists import capped, id_after
from engine.sharing.sight import sight_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id, Json

STATES: Mapping[str, str] = {
    "proposed": "立项审核中", "approved": "已立项", "refused": "不予立项", "blocked": "目录有缺口", "accepted": "已验收", "withdrawn": "已撤回",
}  # fmt: skip


class Project(Base):
    """A project with its pre-compiled catalogue. It belongs to one case."""

    __tablename__ = "project"
    __table_args__ = (Index(None, "unit_id", "id"),)

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    name: Mapped[str] = mapped_column(String(200))
    budget: Mapped[Any] = mapped_column(Numeric(14, 2))
    """In units of 10,000 yuan (万元)."""
    planned: Mapped[list[Any]] = mapped_column(Json)
    """The pre-compiled resources: each with `name` and `items`."""
    gaps: Mapped[list[Any]] = mapped_column(Json)
    """What the last comparison found missing, in words."""
    state: Mapped[str] = mapped_column(String(16))
    """proposed · approved · refused · blocked (built, with gaps) · accepted · withdrawn"""
    proposed_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


@dataclass(frozen=True, slots=True)
class Planned:
    """A resource that a project is to bring: its name and the data items promised (none named: any)."""

    name: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project in the register."""

    id: int
    name: str
    unit_name: str
    budget: float
    resources: tuple[str, ...]
    gaps: tuple[str, ...]
    state: str
    state_label: str
    proposed_at: datetime
    approved_at: datetime | None
    accepted_at: datetime | None
    instance_id: int


def read_planned(text: str) -> list[Planned]:
    """The pre-compiled catalogue from its lines: 资源名称：信息项、信息项. Blank lines count for nothing; a name once."""
    found: dict[str, Planned] = {}
    for line in text.splitlines():
        name, _, items = line.replace(":", "：").partition("：")
        if name.strip():
            named = tuple(filter(None, (item.strip() for item in items.replace("，", "、").replace(",", "、").split("、"))))
            found[name.strip()] = Planned(name.strip(), named)
    return list(found.values())


def gaps_between(planned: Iterable[Planned], listed: Mapping[str, Sequence[str]]) -> list[str]:
    """What is promised and not in the catalogue, in words. `listed` are the data items of the listed resources by name."""
    gaps: list[str] = []
    for promised in planned:
        if promised.name not in listed:
            gaps.append(f"“{promised.name}”未列入目录")
        elif missing := [item for item in promised.items if item not in listed[promised.name]]:
            gaps.append(f"“{promised.name}”缺少数据项：{'、'.join(missing)}")
    return gaps


@subject("project")
def project_proposed(session: Session, answers: Mapping[str, Any]) -> Subject:
    """A project that the start form names; it stands in no register yet."""
    return Subject({}, "", str(answers.get("project_name") or ""))


@operation(
    "projects.enter",
    parameters={"name": "of the project", "budget": "in 10,000 yuan", "planned": "the pre-compiled catalogue, a line a resource"},
)
def enter(call: Call, *, name: str, budget: Any, planned: str) -> dict[str, Any]:
    """Enters the project of this case, or what was changed of it. Returns `id`, `count` and `names`.

    Raises OperationError `no-resources` where not one resource is named.
    """
    resources = read_planned(planned)
    if not resources:
        raise OperationError("no-resources", "预编目录没有信息资源，请逐行填写")
    session = call.work.session
    row = _row(session, call.instance.id)
    if row is None:
        row = Project(
            unit_id=unit_of(session, call.variables["applicant_unit"]).id, gaps=[], state="proposed", proposed_at=call.at,
            instance_id=call.instance.id,
        )  # fmt: skip
        session.add(row)
    row.name, row.budget = name, budget
    row.planned = [{"name": resource.name, "items": list(resource.items)} for resource in resources]
    session.flush()
    return {"id": row.id, "count": len(resources), "names": [resource.name for resource in resources]}


@operation("projects.decide", parameters={"state": "approved | refused | accepted | withdrawn"})
def decide(call: Call, *, state: str) -> dict[str, Any]:
    """Writes down what became of the project of this case. Raises OperationError `no-project`, `bad-state`, `gaps`."""
    row = _known(call)
    if state not in ("approved", "refused", "accepted", "withdrawn"):
        raise OperationError("bad-state", f"项目没有“{state}”这一状态")
    if state == "accepted" and row.gaps:
        raise OperationError("gaps", "项目信息资源目录有缺口，不能验收")
    row.state = state
    if state == "approved":
        row.approved_at = call.at
    elif state == "accepted":
        row.accepted_at = call.at
    call.work.session.flush()
    return {"id": row.id, "state": state}


@operation("projects.compare", parameters={}, repeatable=True)
def compare(call: Call) -> dict[str, Any]:
    """Compares what the project of this case promised with what its unit has published. Returns `gaps` and `text`.

    Raises OperationError `no-project`.
    """
    session = call.work.session
    row = _known(call)
    query = select(Resource.name, Resource.items).where(Resource.provider_id == row.unit_id, Resource.state == "published")
    listed: dict[str, list[str]] = {}
    for name, items in session.execute(query):
        listed.setdefault(name, []).extend(items)
    row.gaps = gaps_between([Planned(given["name"], tuple(given["items"])) for given in row.planned], listed)
    row.state = "blocked" if row.gaps else "approved"
    session.flush()
    return {"gaps": row.gaps, "text": "\n".join(row.gaps)}


def search(
    session: Session, actor: Actor, *, state: str | None = None, after: str | None = None, limit: int = PAGE
) -> Page[ProjectLine]:
    """The projects that the reader may see, newest first: all for the office and for who decides on projects."""
    query = _lines().where(_visible(actor))
    if state:
        query = query.where(Project.state == state)
    if after:
        query = query.where(Project.id < id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(Project.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row), lambda row: str(row[0].id))


def _visible(actor: Actor) -> ColumnElement[bool]:
    sight = sight_of(actor)
    reviews = any(post == "project_reviewer" for _, post in permissions.case_scope(actor).pairs)
    return true() if sight.all or reviews else Project.unit_id.in_(sight.unit_ids)


def _row(session: Session, instance_id: int) -> Project | None:
    return session.scalar(select(Project).where(Project.instance_id == instance_id))


def _known(call: Call) -> Project:
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-project", "该办件没有对应的项目")
    return row


def _lines() -> Select[Project, Unit]:
    return select(Project, Unit).join(Unit, Unit.id == Project.unit_id)


def _line(project: Project, unit: Unit) -> ProjectLine:
    return ProjectLine(
        id=project.id,
        name=project.name,
        unit_name=unit.name,
        budget=float(project.budget),
        resources=tuple(given["name"] for given in project.planned),
        gaps=tuple(project.gaps),
        state=project.state,
        state_label=STATES[project.state],
        proposed_at=project.proposed_at,
        approved_at=project.approved_at,
        accepted_at=project.accepted_at,
        instance_id=project.instance_id,
    )
