"""The register of inconsistencies 信息不一致: which resources contradict each other, and whose data are authoritative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, Subject, operation, subject
from engine.process.rows import next_number
from engine.sharing.catalogue import Resource, code_of
from engine.sharing.sight import sight_of
from engine.sharing.subjects import value_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id
from engine.store.errors import Invalid

STATES: Mapping[str, str] = {
    "open": "核实中", "found": "已核实", "settled": "已更正一致", "rejected": "不予受理",
}  # fmt: skip
#: More resources than these cannot be looked into together.
MOST_RESOURCES = 10


class DataInconsistency(Base):
    """A report that resources of different units contradict each other. Its process instance holds at most one."""

    __tablename__ = "data_inconsistency"

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(64), unique=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """The unit that reported it."""
    state: Mapped[str] = mapped_column(String(16))
    """open · found · settled · rejected"""
    description: Mapped[str] = mapped_column(Text)
    authority_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """The unit whose data are authoritative; None before the finding, and where nothing contradicts."""
    finding: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime]
    found_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


class InconsistentResource(Base):
    """A resource that an inconsistency is about."""

    __tablename__ = "inconsistent_resource"

    inconsistency_id: Mapped[int] = mapped_column(ForeignKey("data_inconsistency.id"), primary_key=True, autoincrement=False)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"), primary_key=True, autoincrement=False, index=True)


@dataclass(frozen=True, slots=True)
class InconsistencyLine:
    """An inconsistency on a resource's page; `instance_id` only for those whose case it is."""

    number: str
    state: str
    state_label: str
    authority_name: str | None
    opened_at: datetime
    found_at: datetime | None
    instance_id: int | None


def inconsistencies_of(session: Session, actor: Actor, resource_code: str) -> list[InconsistencyLine]:
    """The inconsistencies that a resource is or was part of, newest first; those not taken up are left out."""
    sight = sight_of(actor)
    rows = session.execute(
        select(DataInconsistency, Unit.name, Resource.provider_id)
        .join(InconsistentResource, InconsistentResource.inconsistency_id == DataInconsistency.id)
        .join(Resource, Resource.id == InconsistentResource.resource_id)
        .outerjoin(Unit, Unit.id == DataInconsistency.authority_id)
        .where(Resource.code == resource_code, DataInconsistency.state != "rejected")
        .order_by(DataInconsistency.id.desc())
    )
    return [
        InconsistencyLine(
            number=row.number, state=row.state, state_label=STATES[row.state], authority_name=authority,
            opened_at=row.opened_at, found_at=row.found_at,
            instance_id=row.instance_id if sight.sees(provider_id, row.unit_id or 0) else None,
        )
        for row, authority, provider_id in rows
    ]  # fmt: skip


@subject("inconsistent_resources", brings=("providers", "resource_codes", "resource_names", "resources"))
def inconsistent_resources(session: Session, answers: Mapping[str, Any]) -> Subject:
    """The resources whose codes stand in `resource_codes`, one a line, and the units that provide them.

    A page that only opens the form names at most one, as `resource_code`; the form then begins with it. Raises Invalid at
    `resource_codes` for an unknown or unpublished resource, and unless at least two units provide them.
    """
    if "resource_codes" not in answers:
        first = str(answers.get("resource_code") or "").strip()
        known = _published(session, [first]) if first else []
        return Subject({"resource_codes": first}, first, known[0][0].name if known else "")
    codes = list(dict.fromkeys(str(answers["resource_codes"] or "").replace("，", " ").replace("、", " ").split()))
    if len(codes) > MOST_RESOURCES:
        raise Invalid({"resource_codes": f"一次最多核实{MOST_RESOURCES}个信息资源"})
    found = _published(session, codes)
    units = {unit.code: unit.name for _, unit in found}
    if len(units) < 2:
        raise Invalid({"resource_codes": "请填写至少两个由不同部门提供的信息资源"})
    names = "、".join(resource.name for resource, _ in found)
    return Subject(
        {
            "resources": [value_of(resource, unit) for resource, unit in found],
            "providers": [{"value": code, "label": name} for code, name in units.items()],
            "resource_names": names,
        },
        codes[0],
        names,
    )


def _published(session: Session, codes: Sequence[str]) -> list[tuple[Resource, Unit]]:
    """The resources with their providers, in the order asked."""
    rows = session.execute(
        select(Resource, Unit).join(Unit, Unit.id == Resource.provider_id)
        .where(Resource.code.in_(codes), Resource.state == "published")
    ).all()
    by_code = {resource.code: (resource, unit) for resource, unit in rows}
    if missing := [code for code in codes if code not in by_code]:
        raise Invalid({"resource_codes": f"目录中没有编码为“{'、'.join(missing)}”的已发布信息资源"})
    return [by_code[code] for code in codes]


@operation(
    "inconsistencies.open",
    parameters={"resources": "the resources (values or codes)", "description": "what contradicts what"},
)
def open_inconsistency(call: Call, *, resources: Any, description: str) -> dict[str, Any]:
    """Enters the inconsistency of this process instance; once only. Returns its id and number."""
    session = call.work.session
    row = _row(session, call.instance.id)
    if row is None:
        year = shanghai_day(call.at).year
        row = DataInconsistency(
            number=f"不一致〔{year}〕{next_number(session, f'inconsistency:{year}')}号", unit_id=call.instance.unit_id,
            state="open", description=description, opened_at=call.at, instance_id=call.instance.id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        codes = [code_of(resource) for resource in resources]
        for resource_id in session.scalars(select(Resource.id).where(Resource.code.in_(codes)).order_by(Resource.id)):
            session.add(InconsistentResource(inconsistency_id=row.id, resource_id=resource_id))
        session.flush()
    return {"id": row.id, "number": row.number}


@operation(
    "inconsistencies.settle",
    parameters={"authority": "code of the unit whose data are authoritative; empty where nothing contradicts", "finding": "what was found"},
)
def settle_inconsistency(call: Call, *, authority: str = "", finding: str = "") -> dict[str, Any]:
    """Notes the joint finding and the authoritative source. Errors: `no-inconsistency`, `unknown-unit`."""
    row = _opened(call)
    row.state, row.finding, row.found_at = "found", finding, call.at
    row.authority_id = unit_of(call.work.session, authority).id if authority else None
    call.work.session.flush()
    return {"id": row.id, "number": row.number}


@operation(
    "inconsistencies.others",
    parameters={"providers": "the units concerned (`value`, `label`)", "authority": "code of the one that is authoritative"},
    repeatable=True,
)
def others(call: Call, *, providers: Any, authority: str) -> list[dict[str, Any]]:
    """The units concerned but for the authoritative one: those that must correct their data."""
    return [dict(unit) for unit in providers if unit["value"] != authority]


@operation("inconsistencies.close", parameters={"result": "settled | rejected", "finding": "how it ended"})
def close_inconsistency(call: Call, *, result: str, finding: str = "") -> dict[str, Any]:
    """Closes the inconsistency. Errors: `no-inconsistency`, `bad-result`."""
    row = _opened(call)
    if result not in ("settled", "rejected"):
        raise OperationError("bad-result", f"没有“{result}”这一核实结果")
    row.state, row.finding, row.closed_at = result, finding, call.at
    call.work.session.flush()
    return {"id": row.id, "number": row.number}


def _row(session: Session, instance_id: int) -> DataInconsistency | None:
    return session.scalar(select(DataInconsistency).where(DataInconsistency.instance_id == instance_id))


def _opened(call: Call) -> DataInconsistency:
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-inconsistency", "该办件没有对应的信息不一致登记")
    return row
