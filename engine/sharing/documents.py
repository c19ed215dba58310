"""The official documents 文书 that cases issue: numbered per unit, kind and year, kept as they were issued.

A document is worded by the template that was deployed with the version of the diagram that issues it, and cites the
article that stands at that step. It is never changed afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Select, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError
from engine.process.operations import Call, operation
from engine.process.rows import next_number
from engine.process.sheets import find_instance, require_sight
from engine.sharing.letters import BadTemplate, fill
from engine.sharing.words import unit_of
from engine.store.base import Base, Id
from engine.store.errors import NotFound


class Document(Base):
    """An issued document 文书."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("unit_id", "kind", "year", "serial"),)

    id: Mapped[Id]
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"), index=True)
    step: Mapped[str] = mapped_column(String(128))
    """The element of the diagram that issued it."""
    kind: Mapped[str] = mapped_column(String(64))
    """Name of the template: reply_letter, refusal_letter, supervision_order …"""
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    """The unit that issues it and whose number it bears."""
    year: Mapped[int]
    serial: Mapped[int]
    number: Mapped[str] = mapped_column(String(100))
    """As written on the document."""
    title: Mapped[str] = mapped_column(String(300))
    article: Mapped[str | None] = mapped_column(String(200))
    html: Mapped[str] = deferred(mapped_column(Text))
    issued_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document in a list."""

    id: int
    instance_id: int
    kind: str
    title: str
    number: str
    unit_name: str
    article: str | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentSheet:
    """A document with its text: HTML that was escaped when it was filled in."""

    line: DocumentLine
    html: str


def documents_of(session: Session, actor: Actor, instance_id: int) -> list[DocumentLine]:
    """The documents that a case has issued, in order. Raises NotFound, NotAllowed."""
    require_sight(session, actor, find_instance(session, instance_id))
    query = _lines().where(Document.instance_id == instance_id).order_by(Document.id)
    return [_line(document, unit) for document, unit in session.execute(query)]


def document_sheet(session: Session, actor: Actor, document_id: int) -> DocumentSheet:
    """One document. Raises NotFound; NotAllowed where its case is not theirs to see."""
    row = session.execute(_lines().where(Document.id == document_id)).one_or_none()
    if row is None:
        raise NotFound("没有该文书")
    document, unit = row
    require_sight(session, actor, find_instance(session, document.instance_id))
    return DocumentSheet(_line(document, unit), document.html)


@operation(
    "documents.issue",
    parameters={
        "kind": "name of the template deployed with the diagram",
        "unit": "code of the unit that issues it",
        "*": "more values for the template, by name",
    },
)
def issue(call: Call, *, kind: str, unit: str, **values: Any) -> dict[str, Any]:
    """Issues a document and returns its id, number and title.

    Raises OperationError `bad-template` where the template cannot be filled, `unknown-unit`; no number is used up then.
    """
    session = call.work.session
    issuer = unit_of(session, unit)
    year = shanghai_day(call.at).year
    serial = next_number(session, f"document:{issuer.code}:{kind}:{year}")
    names = {
        **call.variables,
        **values,
        "unit": {"code": issuer.code, "name": issuer.name, "short": issuer.short},
        "article": call.article or "",
        "year": year,
        "serial": serial,
        "issued_at": call.at,
        "case_number": call.instance.number,
        "case_title": call.instance.title,
    }
    try:
        letter = fill(call.template(kind), names, title=call.step.name)
    except BadTemplate as error:
        raise OperationError("bad-template", f"文书“{kind}”：{error}") from error
    document = Document(
        instance_id=call.instance.id,
        step=call.step.id,
        kind=kind,
        unit_id=issuer.id,
        year=year,
        serial=serial,
        number=letter.number,
        title=letter.title,
        article=call.article,
        html=letter.html,
        issued_at=call.at,
    )
    session.add(document)
    session.flush()
    return {"id": document.id, "number": document.number, "title": document.title}


def _lines() -> Select[Document, Unit]:
    return select(Document, Unit).join(Unit, Unit.id == Document.unit_id)


def _line(document: Document, unit: Unit) -> DocumentLine:
    return DocumentLine(
        id=document.id,
        instance_id=document.instance_id,
        kind=document.kind,
        title=document.title,
        number=document.number,
        unit_name=unit.name,
        article=document.article,
        issued_at=document.issued_at,
    )
