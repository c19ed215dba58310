"""The official documents 文书 that cases issue: numbered per unit, kind and year, kept as they were issued.

A document is worded by the template that was deployed with the version of the diagram that issues it, and cites the
article that stands at that step. It is never changed afterwards; the history keeps its SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Select, String, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, undefer

from calendars.deadline import shanghai_day
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.interpreter.model import OperationError, Step
from engine.process.operations import Call, operation
from engine.process.package import Package
from engine.process.removing.clearing import CLEARERS
from engine.process.rows import next_number
from engine.process.sheets.seeing import find_instance, require_sight
from engine.sharing.letter_text import Block, plain, read
from engine.sharing.letters import BadTemplate, faults, fill
from engine.sharing.template_names import names_of
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
    docx: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """The file as it left the house."""
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
    """A document with its text, for reading it on a screen."""

    line: DocumentLine
    text: tuple[Block, ...]

    @property
    def words(self) -> str:
        """The words alone, a line for each paragraph or row of a table."""
        return plain(self.text)


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document as it left the house."""

    instance_id: int
    name: str
    """What to call the file: title and number."""
    docx: bytes


def documents_of(session: Session, actor: Actor, instance_id: int) -> list[DocumentLine]:
    """The documents that a case has issued, in order. Raises NotFound, NotAllowed."""
    require_sight(session, actor, find_instance(session, instance_id))
    query = _lines().where(Document.instance_id == instance_id).order_by(Document.id)
    return [_line(document, unit) for document, unit in session.execute(query)]


def document_sheet(session: Session, actor: Actor, document_id: int) -> DocumentSheet:
    """One document. Raises NotFound; NotAllowed where its case is not theirs to see."""
    document, unit = _found(session, actor, document_id)
    return DocumentSheet(_line(document, unit), read(document.docx))


def document_file(session: Session, actor: Actor, document_id: int) -> DocumentFile:
    """The document's file. Raises NotFound; NotAllowed where its case is not theirs to see."""
    document, _ = _found(session, actor, document_id)
    return DocumentFile(document.instance_id, f"{document.title}（{document.number}）.docx", document.docx)


def _found(session: Session, actor: Actor, document_id: int) -> tuple[Document, Unit]:
    query = _lines().where(Document.id == document_id).options(undefer(Document.docx))
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("没有该文书")
    require_sight(session, actor, find_instance(session, row[0].instance_id))
    return row[0], row[1]


def _clear(session: Session, instance_id: int) -> None:
    """Takes title and text of the letters of a case that is removed; unit, number and day stay, as a number is never given twice."""
    session.execute(update(Document).where(Document.instance_id == instance_id).values(title="", docx=b""), execution_options={"synchronize_session": False})


CLEARERS.append(_clear)


def _review(step: Step, package: Package) -> Iterator[tuple[str, str]]:
    """What is wrong with the template that a step names, before a case finds out: (rule, what)."""
    kind = step.properties.get("in.kind", "").strip("\"' ")
    template = package.documents.get(kind)
    if template is None:
        yield "document-missing", f"公文模板“{kind}”不存在"
    else:
        for fault in faults(template, names_of(step, package)):
            yield "document-broken", f"公文模板“{kind}”{fault}"


@operation(
    "documents.issue",
    parameters={
        "kind": "name of the template deployed with the diagram",
        "unit": "code of the unit that issues it",
        "*": "more values for the template, by name",
    },
    review=_review,
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
        number=letter.number[:100],
        title=letter.title[:300],
        article=call.article,
        docx=letter.docx,
        issued_at=call.at,
    )
    session.add(document)
    session.flush()
    digest = hashlib.sha256(letter.docx).hexdigest()
    call.note("documents", {"id": document.id, "kind": kind, "number": document.number, "sha256": digest})
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
