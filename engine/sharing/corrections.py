"""The register of corrections 数据校核: who doubts what in the shared data, and what its provider found.

While a check is open the resource's page carries its banner, so that nobody turns a citizen away because the data are in
doubt. A check changes no grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, Subject, operation, subject
from engine.process.rows import next_number
from engine.sharing.catalogue import Resource, lock_resource
from engine.sharing.elements import STATES as RESOURCE_STATES
from engine.sharing.grants import Grant
from engine.sharing.sight import sight_of
from engine.sharing.subjects import ABOUT, value_of
from engine.sharing.words import unit_of
from engine.store.base import Base, Id, Json
from engine.store.errors import Invalid

KINDS: Mapping[str, str] = {"doubt": "有疑义", "error": "有明显错误"}
STATES: Mapping[str, str] = {"open": "校核中", "corrected": "已更正", "unfounded": "不成立"}


class DataCorrection(Base):
    """A check of shared data 校核. Its process instance holds at most one."""

    __tablename__ = "data_correction"
    __table_args__ = (Index(None, "resource_id", "id"),)

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(64), unique=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    """The unit that doubts."""
    kind: Mapped[str] = mapped_column(String(16))
    """doubt · error"""
    fields: Mapped[list[Any]] = mapped_column(Json)
    """The data items in doubt, by name. Which records they are stays in the case."""
    state: Mapped[str] = mapped_column(String(16))
    """open · corrected · unfounded"""
    banner: Mapped[str] = mapped_column(Text)
    """What the resource's page says while the check is open, as the diagram words it."""
    finding: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), unique=True)


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """A check of a resource; `instance_id` only for those who may open its case."""

    number: str
    unit_name: str
    kind_label: str
    fields: tuple[str, ...]
    state: str
    state_label: str
    banner: str
    opened_at: datetime
    closed_at: datetime | None
    instance_id: int | None

    @property
    def open(self) -> bool:
        return self.state == "open"


def corrections_of(session: Session, actor: Actor, resource_code: str) -> list[CorrectionLine]:
    """The checks that a resource has been through, newest first. That it is checked is for everybody to know."""
    sight = sight_of(actor)
    rows = session.execute(
        select(DataCorrection, Unit, Resource.provider_id)
        .join(Unit, Unit.id == DataCorrection.unit_id)
        .join(Resource, Resource.id == DataCorrection.resource_id)
        .where(Resource.code == resource_code)
        .order_by(DataCorrection.id.desc())
    )
    return [
        CorrectionLine(
            number=row.number, unit_name=unit.name, kind_label=KINDS[row.kind], fields=tuple(row.fields), state=row.state,
            state_label=STATES[row.state], banner=row.banner, opened_at=row.opened_at, closed_at=row.closed_at,
            instance_id=row.instance_id if sight.sees(row.unit_id, provider_id) else None,
        )
        for row, unit, provider_id in rows
    ]  # fmt: skip


@subject("obtained_resource", brings=ABOUT)
def obtained_resource(session: Session, answers: Mapping[str, Any]) -> Subject:
    """A published resource of another unit that the starter's unit (`applicant_unit`) may use, so as to doubt its data.

    Raises Invalid at `resource_code` for an unknown one, the unit's own, one that is withheld or not published, and a
    conditionally shared one of which the unit has no grant.
    """
    code = str(answers.get("resource_code") or "").strip()
    row = session.execute(
        select(Resource, Unit).join(Unit, Unit.id == Resource.provider_id).where(Resource.code == code)
    ).one_or_none()
    if row is None:
        raise Invalid({"resource_code": "请选择要校核的信息资源"})
    resource, provider = row
    if resource.state != "published":
        raise Invalid({"resource_code": f"“{resource.name}”{RESOURCE_STATES[resource.state]}"})
    if provider.code == answers.get("applicant_unit"):
        raise Invalid({"resource_code": f"“{resource.name}”由本单位提供，请直接更正"})
    if resource.sharing_class != "unconditional" and not _has_grant(session, resource, answers.get("applicant_unit")):
        raise Invalid({"resource_code": f"本单位没有获得“{resource.name}”的共享授权"})
    value = value_of(resource, provider)
    return Subject({"resource": value, "provider_unit": provider.code}, resource.code, resource.name)


def _has_grant(session: Session, resource: Resource, unit_code: Any) -> bool:
    query = (
        select(Grant.id).join(Unit, Unit.id == Grant.unit_id)
        .where(Grant.resource_id == resource.id, Grant.state != "ended", Unit.code == unit_code)
    )
    return session.scalars(query.limit(1)).first() is not None


@operation(
    "corrections.open",
    parameters={
        "resource": "the resource (value or code)",
        "unit": "code of the unit that doubts",
        "kind": "doubt | error",
        "fields": "the data items in doubt, by name",
        "banner": "what the resource's page says while the check is open",
    },
)
def open_correction(call: Call, *, resource: Any, unit: str, kind: str, fields: Any, banner: str) -> dict[str, Any]:
    """Enters the check of this process instance; once only. Returns its id and number. Error: `bad-kind`."""
    session = call.work.session
    row = _row(session, call.instance.id)
    if row is None:
        if kind not in KINDS:
            raise OperationError("bad-kind", f"没有“{kind}”这一校核情形")
        year = shanghai_day(call.at).year
        row = DataCorrection(
            number=f"校核〔{year}〕{next_number(session, f'correction:{year}')}号",
            resource_id=lock_resource(session, resource).id, unit_id=unit_of(session, unit).id, kind=kind,
            fields=list(fields or []), state="open", banner=banner, opened_at=call.at, instance_id=call.instance.id,
        )  # fmt: skip
        session.add(row)
        session.flush()
    return {"id": row.id, "number": row.number}


@operation("corrections.close", parameters={"result": "corrected | unfounded", "finding": "what the provider found"})
def close_correction(call: Call, *, result: str, finding: str = "") -> dict[str, Any]:
    """Closes the check, and takes its banner off the resource. Errors: `no-correction`, `bad-result`."""
    row = _row(call.work.session, call.instance.id)
    if row is None:
        raise OperationError("no-correction", "该办件没有对应的校核")
    if result not in ("corrected", "unfounded"):
        raise OperationError("bad-result", f"没有“{result}”这一校核结论")
    if row.closed_at is None:
        row.state, row.finding, row.closed_at = result, finding, call.at
        call.work.session.flush()
    return {"id": row.id, "number": row.number}


def _row(session: Session, instance_id: int) -> DataCorrection | None:
    return session.scalar(select(DataCorrection).where(DataCorrection.instance_id == instance_id))
