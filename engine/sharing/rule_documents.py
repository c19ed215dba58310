"""The register of plans and rules 制度文件: yearly plans, rules on catalogue and security, risk assessments, and the clean-up.

Units keep here what the regulation wants them to have in writing; whoever may sign in reads it. A clean-up item is a
clause of an older rule that hinders sharing: it stays open until somebody says what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Select, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.history import Entry, append
from engine.people import permissions
from engine.people.actor import Actor
from engine.people.tables import Unit
from engine.process.paging import PAGE, Page, make_page
from engine.sharing.lists import capped, id_after
from engine.store.base import Base, Id
from engine.store.errors import Invalid, NotAllowed, NotFound
from engine.store.store import Origin, Store, command

KINDS: Mapping[str, str] = {
    "plan": "年度计划",
    "catalogue_rule": "目录管理制度",
    "internal_rule": "内部工作制度",
    "security_rule": "安全保密制度",
    "risk_assessment": "风险评估",
    "evaluation_rule": "评价办法",
    "clean_up": "制度清理",
}
#: What can become of a clause that hinders sharing.
RESULTS: Mapping[str, str] = {"pending": "待清理", "revised": "已修订", "abolished": "已废止", "kept": "不需修订"}


class RuleDocument(Base):
    """A plan, a rule, an assessment, or a clause to be cleaned up."""

    __tablename__ = "rule_document"
    __table_args__ = (Index(None, "kind", "id"), Index(None, "unit_id", "id"))

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    kind: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(200))
    number: Mapped[str] = mapped_column(String(100))
    """The document number 文号; may be empty."""
    issued_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text)
    """What it is about; of a clean-up item, the clause and why it hinders sharing."""
    result: Mapped[str | None] = mapped_column(String(16))
    """Of a clean-up item: pending · revised · abolished · kept."""
    result_note: Mapped[str] = mapped_column(Text, default="")
    added_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[datetime]
    concluded_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A line of the register."""

    id: int
    unit_id: int
    unit_name: str
    kind: str
    kind_label: str
    title: str
    number: str
    issued_on: date | None
    note: str
    result: str | None
    result_label: str
    result_note: str
    added_at: datetime


@command
def add_rule_document(
    store: Store, *, actor: Actor, kind: str, title: str, number: str = "", issued_on: str = "", note: str = "",
    origin: Origin = Origin(),
) -> int:  # fmt: skip
    """Enters a document of the actor's own unit; returns its id. Raises NotAllowed, Invalid with a message per field."""
    permissions.require(actor, "keep_rule_documents")
    errors = {}
    if kind not in KINDS:
        errors["kind"] = "请选择类别"
    if not title.strip():
        errors["title"] = "请填写名称"
    elif len(title.strip()) > 200:
        errors["title"] = "名称不能超过200字"
    if len(number.strip()) > 100:
        errors["number"] = "文号不能超过100字"
    if len(note.strip()) > 2000:
        errors["note"] = "内容不能超过2000字"
    if kind == "clean_up" and not note.strip():
        errors["note"] = "请写明不相适应的条款和理由"
    try:
        issued = date.fromisoformat(issued_on.strip()) if issued_on.strip() else None
    except ValueError:
        errors["issued_on"] = "日期应为“年-月-日”"
    if errors:
        raise Invalid(errors)
    with store.work(actor, origin) as work:
        row = RuleDocument(
            unit_id=actor.unit_id, kind=kind, title=title.strip(), number=number.strip(), issued_on=issued, note=note.strip(),
            result="pending" if kind == "clean_up" else None, result_note="", added_by=actor.account_id, added_at=work.now,
            concluded_at=None,
        )  # fmt: skip
        work.session.add(row)
        work.session.flush()
        append(work, f"rule_document:{row.id}", [Entry("rule_document_added", data={"kind": kind, "title": row.title})])
        return row.id


@command
def conclude_clean_up(
    store: Store, document_id: int, *, actor: Actor, result: str, note: str = "", origin: Origin = Origin()
) -> None:
    """Says what became of a clause of the actor's own unit. Raises NotFound, NotAllowed, Invalid."""
    permissions.require(actor, "keep_rule_documents")
    if result not in RESULTS or result == "pending":
        raise Invalid({"result": "请选择清理结果"})
    if len(note) > 2000:
        raise Invalid({"note": "说明不能超过2000字"})
    with store.work(actor, origin) as work:
        row = work.session.get(RuleDocument, document_id, with_for_update=True)
        if row is None or row.kind != "clean_up":
            raise NotFound("没有该清理事项")
        if row.unit_id != actor.unit_id:
            raise NotAllowed("只能登记本单位的清理结果")
        row.result, row.result_note, row.concluded_at = result, note.strip(), work.now
        append(work, f"rule_document:{row.id}", [Entry("clean_up_concluded", data={"result": result})])


def search(
    session: Session, *, kind: str | None = None, unit: str | None = None, after: str | None = None, limit: int = PAGE
) -> Page[RuleLine]:
    """The register, newest first; open to all departments."""
    query = _lines()
    if kind:
        query = query.where(RuleDocument.kind == kind)
    if unit:
        query = query.where(Unit.code == unit)
    if after:
        query = query.where(RuleDocument.id < id_after(after))
    limit = capped(limit)
    rows = session.execute(query.order_by(RuleDocument.id.desc()).limit(limit + 1)).all()
    return make_page(rows, limit, lambda row: _line(*row), lambda row: str(row[0].id))


def _lines() -> Select[RuleDocument, Unit]:
    return select(RuleDocument, Unit).join(Unit, Unit.id == RuleDocument.unit_id)


def _line(row: RuleDocument, unit: Unit) -> RuleLine:
    return RuleLine(
        id=row.id,
        unit_id=row.unit_id,
        unit_name=unit.name,
        kind=row.kind,
        kind_label=KINDS[row.kind],
        title=row.title,
        number=row.number,
        issued_on=row.issued_on,
        note=row.note,
        result=row.result,
        result_label=RESULTS.get(row.result or "", ""),
        result_note=row.result_note,
        added_at=row.added_at,
    )
